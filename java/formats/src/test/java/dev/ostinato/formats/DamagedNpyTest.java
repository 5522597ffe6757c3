package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever the bytes are, reading gives arrays or a FormatException. */
class DamagedNpyTest {
    private static final String HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    private static final byte[] VALID = npy(1, HEADER, 24);

    @TempDir
    Path directory;

    @Test
    void everyPrefixIsRefused() throws IOException {
        assertEquals(6, read(VALID).size());
        for (int length = 0; length < VALID.length; length++) {
            byte[] prefix = Arrays.copyOf(VALID, length);
            assertThrows(FormatException.class, () -> read(prefix));
        }
        refused(Arrays.copyOf(VALID, VALID.length + 1), "expected 24 bytes for F32 [2, 3], got 25");
    }

    @Test
    void everyChangeOfAHeaderByteReadsOrIsRefused() {
        for (int position = 0; position < VALID.length - 24; position++) {
            for (int change = 1; change < 256; change++) {
                byte[] bytes = VALID.clone();
                bytes[position] ^= (byte) change;
                try {
                    assertEquals(24, read(bytes).data().byteSize());
                } catch (FormatException e) {
                    assertTrue(e.getMessage().startsWith("file: ") && e.getMessage().length() < 400, e::getMessage);
                } catch (Throwable t) {
                    throw new AssertionError("byte " + position + " xor " + change, t);
                }
            }
        }
    }

    @Test
    void startIsChecked() {
        refused("PK\3\4 and so on".getBytes(ISO_8859_1), "expected an array of NumPy");
        refused(npy(4, HEADER, 24), "expected version 1.0, 2.0 or 3.0, got 4.0");
        refused(npy(0, HEADER, 24), "got 0.0");
        byte[] minor = VALID.clone();
        minor[7] = -1;
        refused(minor, "got 1.255");
        refused(npy(1, HEADER + " ".repeat(10_000), 24), "header: expected at most 10000 bytes, got 10059");
        byte[] huge = npy(2, HEADER, 24);
        ByteBuffer.wrap(huge).order(ByteOrder.LITTLE_ENDIAN).putInt(8, -1);
        refused(huge, "header: expected at most 10000 bytes, got 4294967295");
        refused(npy(3, "{'\u00e9'}", 0), "header: expected UTF-8");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "                                                                  | expected '{' at character 0, got the end",
        "{}                                                                | descr, fortran_order and shape, got",
        "{'descr': '<f4', 'fortran_order': False}                          | descr, fortran_order and shape, got",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)          | expected '}' at character",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x       | expected nothing after the dictionary",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'a': 1} | shape, got \"a\"",
        "{'descr': '<f4', 'descr': '<f4'}                                  | expected descr once",
        "{'shape': (2, 3), 'shape': (2, 3)}                                | expected shape once",
        "{'fortran_order': False, 'fortran_order': False}                  | expected fortran_order once",
        "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)}         | got \">f4\", which is big-endian",
        "`{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}`        | `to be one of |b1, |u1, |i1, <i2`",
        "{'descr': '<U3', 'fortran_order': False, 'shape': (2, 3)}         | got \"<U3\"",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3)}         | got \"<c8\"",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}  | got records of several fields",
        "{'descr': 4, 'fortran_order': False, 'shape': (2, 3)}             | expected a string",
        "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (2, 3)}     | expected a string without escapes",
        "{'descr': '<f4, 'fortran_order': False, 'shape': (2, 3)}          | got \"<f4, \"",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}             | expected True or False",
        "{'descr': '<f4', 'fortran_order': false, 'shape': (2, 3)}         | expected True or False",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [2, 3]}         | expected '('",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6)}            | got a number in parentheses",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}          | expected ',' or ')'",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,, 3)}        | expected a dimension from 0 to 2^63 - 1",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3)}       | expected a dimension from 0 to 2^63 - 1",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6.0,)}         | expected ',' or ')'",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}       | expected a dimension",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 0)}  | a size below 2^63 bytes",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2305843009213693952,)}       | a size below 2^63 bytes",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)} | 4000000000000 bytes for F32 [1000000000",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}         | expected 16 bytes for F32 [2, 2], got 24"})
    void headerIsChecked(String header, String essential) {
        refused(npy(1, header == null ? "" : header, 24), essential);
    }

    @Test
    void dimensionsAreLimited() {
        String header = "{'descr': '<f4', 'fortran_order': True, 'shape': (%s)}";
        refused(npy(1, header.formatted("1,".repeat(65)), 4), "at most 64 dimensions, got 65");
        assertEquals(1, readQuietly(npy(1, header.formatted("1,".repeat(64)), 4)).size());
    }

    @Test
    void whatPythonWouldReadIsRead() throws IOException {
        assertEquals(6, read(npy(1, "{\"shape\":(2,3,),\"fortran_order\":True,\"descr\":\"<f4\"}\n\n", 24)).size());
        assertEquals(0, read(npy(1, "{'descr':'|u1','fortran_order':False,'shape':(0,)}", 0)).size());
    }

    /** A file with a hole, which would be larger than all memory. */
    @Test
    void arrayBeyondTheMemoryIsRefused() throws IOException {
        Path sparse = directory.resolve("sparse.npy");
        long elements = 1L << 43;
        byte[] start = npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,)}".formatted(elements), 0);
        try (FileChannel channel = FileChannel.open(sparse, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(start));
            channel.write(ByteBuffer.wrap(new byte[1]), start.length + elements - 1);
        }
        FormatException e = assertThrows(FormatException.class, () -> Npy.read(sparse));
        assertTrue(e.getMessage().contains("expected an array that fits the memory, got " + elements), e::getMessage);
    }

    @Test
    void everyPrefixOfAnArchiveIsRefused() throws IOException {
        byte[] archive = archive();
        assertEquals(2, Npz.read(file(archive)).names().size());
        for (int length = 0; length < archive.length; length++) {
            Path path = file(Arrays.copyOf(archive, length));
            FormatException e = assertThrows(FormatException.class, () -> Npz.read(path));
            assertTrue(e.getMessage().startsWith(path + ": "), e::getMessage);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"own", "arrays.npz", "compressed.npz"})
    void anyMutationOfAnArchiveReadsOrIsRefused(String name) throws IOException {
        byte[] archive = name.equals("own") ? archive() : Files.readAllBytes(NpyTest.golden(name));
        int refused = 0;
        for (int seed = 0; seed < 4000; seed++) {
            Path path = file(mutated(archive, new SplittableRandom(seed)));
            try {
                Npz read = Npz.read(path);
                for (String array : read.names()) {
                    assertEquals(read.tensor(array).size(), read.tensor(array).toFloats().length);
                }
            } catch (FormatException e) {
                assertTrue(e.getMessage().startsWith(path + ": ") && e.getMessage().length() < 600, e::getMessage);
                refused++;
            } catch (Throwable t) {
                throw new AssertionError("seed " + seed, t);
            }
        }
        assertTrue(refused > 1500, () -> "hardly any mutation was noticed");
    }

    @Test
    void everyBitOfTheElementsIsUnderTheChecksum() throws IOException {
        byte[] archive = archive();
        int start = indexOf(archive, HEADER.getBytes(ISO_8859_1)) + HEADER.length();
        for (int bit = 0; bit < 24 * 8; bit++) {
            byte[] bytes = archive.clone();
            bytes[start + bit / 8] ^= (byte) (1 << bit % 8);
            refusedArchive(bytes, "array \"a\": expected the checksum");
        }
    }

    @Test
    void namesInAnArchiveAreChecked() throws IOException {
        refusedArchive(zip(Map.of("readme.txt", VALID)), "expected files named NAME.npy, got \"readme.txt\"");
        refusedArchive(zip(Map.of(".npy", VALID)), "expected files named NAME.npy, got \".npy\"");
        byte[] twice = zip(new LinkedHashMap<>(Map.of("a.npy", VALID, "b.npy", VALID)));
        for (int i = 0; i < twice.length; i++) {
            if (twice[i] == 'b' && new String(twice, i, 5, ISO_8859_1).equals("b.npy")) {
                twice[i] = 'a';
            }
        }
        refusedArchive(twice, "expected every name once, got \"a.npy\" twice");
    }

    @Test
    void sizesInAnArchiveAreBelievedOnlyWhenTheyCanBe() throws IOException {
        byte[] archive = zip(Map.of("a.npy", VALID));
        int central = indexOf(archive, new byte[] {'P', 'K', 1, 2});
        // 16 times a thousand million elements, a header that agrees, and a few bytes.
        byte[] bomb = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,)}", 24);
        byte[] lying = zip(Map.of("a.npy", bomb));
        int entry = indexOf(lying, new byte[] {'P', 'K', 1, 2});
        ByteBuffer.wrap(lying).order(ByteOrder.LITTLE_ENDIAN).putInt(entry + 24,
                (int) (bomb.length - 24 + 4000000000L));
        refusedArchive(lying, "expected at most 1032 times its");

        byte[] shorter = archive.clone();
        ByteBuffer.wrap(shorter).order(ByteOrder.LITTLE_ENDIAN).putInt(central + 24, VALID.length - 4);
        refusedArchive(shorter, "expected 24 bytes for F32 [2, 3], got 20");
        byte[] overlapping = archive.clone();
        ByteBuffer.wrap(overlapping).order(ByteOrder.LITTLE_ENDIAN).putInt(central + 20, archive.length * 2);
        refusedArchive(overlapping, "");
    }

    /** What expands a thousandfold is read if it fits: zeros do. */
    @Test
    void honestZerosAreRead() throws IOException {
        byte[] zeros = npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (4000000,)}", 4_000_000);
        assertEquals(4_000_000, Npz.read(file(zip(Map.of("z.npy", zeros)))).tensor("z").size());
    }

    private static byte[] mutated(byte[] original, SplittableRandom random) {
        byte[] bytes = original.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            int position = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[position] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[position] = (byte) random.nextInt();
                case 2 -> bytes = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
                default -> {
                    int length = random.nextInt(Math.min(16, bytes.length - position) + 1);
                    Arrays.fill(bytes, position, position + length, (byte) (random.nextBoolean() ? 0 : -1));
                }
            }
        }
        return bytes;
    }

    /** One stored and one compressed array. */
    private static byte[] archive() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            ZipEntry stored = new ZipEntry("a.npy");
            CRC32 checksum = new CRC32();
            checksum.update(VALID);
            stored.setMethod(ZipEntry.STORED);
            stored.setSize(VALID.length);
            stored.setCrc(checksum.getValue());
            zip.putNextEntry(stored);
            zip.write(VALID);
            zip.putNextEntry(new ZipEntry("b.npy"));
            zip.write(VALID);
        }
        return bytes.toByteArray();
    }

    private static byte[] zip(Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] npy(int version, String header, int dataSize) {
        byte[] text = header.getBytes(ISO_8859_1);
        ByteBuffer buffer = ByteBuffer.allocate(12 + text.length + dataSize).order(ByteOrder.LITTLE_ENDIAN)
                .put(NpyHeader.MAGIC).put((byte) version).put((byte) 0);
        if (version == 1) {
            buffer.putShort((short) text.length);
        } else {
            buffer.putInt(text.length);
        }
        buffer.put(text);
        return Arrays.copyOf(buffer.array(), buffer.position() + dataSize);
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        int found = new String(bytes, ISO_8859_1).indexOf(new String(part, ISO_8859_1));
        assertTrue(found >= 0);
        return found;
    }

    private Path file(byte[] bytes) throws IOException {
        return Files.write(directory.resolve("file"), bytes);
    }

    private static Tensor read(byte[] bytes) throws IOException {
        return Npy.read(new ArrayFile(Path.of("file"), ""), new ByteArrayInputStream(bytes), bytes.length);
    }

    private static Tensor readQuietly(byte[] bytes) {
        try {
            return read(bytes);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void refused(byte[] bytes, String essential) {
        FormatException e = assertThrows(FormatException.class, () -> read(bytes));
        assertTrue(e.getMessage().contains(essential), e::getMessage);
    }

    private void refusedArchive(byte[] bytes, String essential) throws IOException {
        Path path = file(bytes);
        FormatException e = assertThrows(FormatException.class, () -> Npz.read(path));
        assertTrue(e.getMessage().contains(essential), e::getMessage);
    }
}
