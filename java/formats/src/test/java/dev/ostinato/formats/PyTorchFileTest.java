package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of {@code torch.save} hold the tensors that {@code torch.load} finds in them; {@code torch_files.py} made them. Whatever else they are, they are refused. */
class PyTorchFileTest {
    private static final long SEED = Long.getLong("ostinato.tests.seed", System.nanoTime());

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({"plain, plain", "big-endian, plain", "types, types", "strided, strided", "checkpoint, checkpoint",
        "parameters, parameters", "mixed, mixed"})
    void tensorsAreThoseOfPyTorch(String name, String expected) throws IOException {
        assertTensors(PyTorchFile.read(file(name)), expected);
    }

    @Test
    void oneOfSeveralIsChosen() throws IOException {
        assertTensors(PyTorchFile.read(file("two"), "model"), "two");
        assertTensors(PyTorchFile.read(file("two"), "ema.model"), "two");
        assertRefused(file("two"), "expected one, or --state-dict", "got \"model\" and \"ema.model\"");
        assertEquals(List.of("features", "gru", "dense"), ModelFile
                .read(file("two"), ImportHints.NONE.withStateDict("ema.model")).model().layers().stream()
                .map(layer -> layer.label()).toList());
        FormatException e = assertThrows(FormatException.class, () -> PyTorchFile.read(file("plain"), "model"));
        assertTrue(e.getMessage().contains("expected \"model\", got \"\""), e.getMessage());
    }

    private static void assertTensors(PyTorchFile file, String expected) throws IOException {
        SafeTensors tensors = SafeTensors.read(resource("tensors.safetensors"));
        List<String> names = tensors.names().stream().filter(name -> name.startsWith(expected + "/")).toList();
        assertEquals(names.size(), file.names().size(), file.names().toString());
        for (String name : names) {
            Tensor tensor = file.tensor(name.substring(expected.length() + 1));
            assertEquals(tensors.tensor(name).dtype(), tensor.dtype(), name);
            assertArrayEquals(tensors.tensor(name).shape(), tensor.shape(), name);
            assertArrayEquals(tensors.tensor(name).data().toArray(ValueLayout.JAVA_BYTE),
                    tensor.data().toArray(ValueLayout.JAVA_BYTE), name);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '$',
            textBlock = """
                    legacy     | got a pickle alone             | torch.save(torch.load(FILE, map_location="cpu"), NEW_FILE)
                    module     | "torch.nn.modules.container.ModuleDict", which is not called | torch.save(model.state_dict(), FILE)
                    expanded   | expected a tensor within the 1 elements of storage "0" | shape [1000]
                    list       | expected a dict of tensors     | torch.save(model.state_dict(), FILE)
                    protocol-4 | expected protocol 2            | at byte 0
                    script     | got a TorchScript program      | torch.jit.load(FILE).state_dict()
                    """)
    void whatIsNoStateDictIsRefusedWithAWayOut(String name, String reason, String way) throws IOException {
        assertRefused(file(name), reason, way);
    }

    /** Pickles that would run something if Python read them, written by hand. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '$', textBlock = """
            cos\\nsystem\\n(X\\4\\0\\0\\0ls /tR.       | "os.system", which is not called  | at byte 2
            c__builtin__\\neval\\n(X\\1\\0\\0\\0 1tR.  | "__builtin__.eval"                | at byte 2
            c__builtin__\\ngetattr\\n.                 | "__builtin__.getattr"             | at byte 2
            ctorch.hub\\nload\\n)R.                    | "torch.hub.load"                  | at byte 2
            ccollections\\nOrderedDict.x\\n)R.         | "collections.OrderedDict.x"       | at byte 2
            ios\\nsystem\\n.                           | INST (0x69), which is not         | at byte 2
            (cos\\nsystem\\no.                         | "os.system"                       | at byte 3
            N\\x81.                                    | NEWOBJ (0x81)                     | at byte 3
            X\\2\\0\\0\\0osX\\6\\0\\0\\0system\\x93.   | STACK_GLOBAL (0x93)               | at byte 20
            Pid\\n.                                    | PERSID (0x50)                     | at byte 2
            \\x82\\1.                                  | EXT1 (0x82)                       | at byte 2
            ccollections\\nOrderedDict\\n(N(NtltR.     | LIST (0x6c)                       | at byte 32
            ccollections\\nOrderedDict\\nN\\x85R.      | expected no arguments for a dict  | at byte 29
            ctorch\\nFloatStorage\\n)R.                | expected a name that can be called | at byte 23
            NNR.                                       | expected a known name and arguments | at byte 4
            N}b.                                       | expected state of a dict, got NONE | at byte 4
            """)
    void nothingIsEverCalled(String program, String reason, String place) throws IOException {
        assertRefused(archive(program), reason, place);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '$', textBlock = """
            $$                            | expected 1 more bytes, got 0
            }                             | expected 1 more bytes, got 0
            }}.                           | expected one object and the end
            }.N                           | expected one object and the end
            (.                            | expected more objects on the stack
            N(\\x85.                      | expected more objects on the stack
            t.                            | expected a mark, got none
            q\\0.                         | expected an object on the stack
            h\\0.                         | expected an object under the number 0
            j\\xff\\xff\\xff\\xff.        | expected an object under the number 4294967295
            X\\xff\\xff\\xff\\xffabc.     | expected 4294967295 more bytes
            X\\1\\0\\0\\0\\xff.           | expected UTF-8
            \\x8a\\x09123456789.          | expected an integer of at most 8 bytes, got 9
            \\xff.                        | an unknown one (0xff)
            }(NNu.                        | expected a string or an integer as a key, got NONE
            }(K\\1u.                      | expected pairs of keys and values
            }(K\\1NK\\1Nu.                | "1" twice
            NK\\1Ns.                      | expected a dict, got NONE
            }Na.                          | expected a list, got a Dict
            NQ.                           | expected a reference to a storage
            """)
    void pickleThatMakesNoSenseIsRefused(String program, String reason) throws IOException {
        assertRefused(archive(program), reason);
    }

    /** A tensor of a storage of six floats: offset, shape and strides. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            0 | 6     | 1     |
            1 | 5     | 1     |
            2 | 5     | 1     | expected a tensor within the 6 elements
            0 | 2 3   | 3 1   |
            0 | 2 3   | 4 1   | expected a tensor within
            0 | 2 2   | 200 1 | expected a tensor within
            0 | 7     | 0     | expected a tensor within
            6 | 0     | 1     |
            7 | 0     | 1     | expected a tensor within
            5 | ''    | ''    |
            6 | ''    | ''    | expected a tensor within
            0 | 2     | 1 1   | expected a shape and as many strides
            0 | 200 200 200 200 200 200 200 200 200 200 | 0 0 0 0 0 0 0 0 0 0 | expected a tensor within
            """)
    void viewsAreWithinTheirStorage(int offset, String shape, String strides, String refusal) throws IOException {
        Path file = archive("}" + tensor("w", 6, offset, shape, strides) + ".");
        if (refusal == null) {
            assertEquals(DType.F32, PyTorchFile.read(file).tensor("w").dtype());
        } else {
            assertRefused(file, refusal);
        }
    }

    @Test
    void storagesAreBelievedWhenTheyAreThere() throws IOException {
        assertRefused(archive("}" + tensor("w", 7, 0, "2", "1") + "."),
                "\"a/data/0\": expected 7 elements of type F32, got 24 bytes");
        assertRefused(archive("}" + tensor("v", 6, 0, "2", "1") + tensor("w", 7, 0, "7", "1") + "."),
                "expected one storage");
        assertRefused(
                archive("}" + tensor("w", 6, 0, "2", "1").replace("\\1\\0\\0\\0" + "0", "\\2\\0\\0\\0" + "99") + "."),
                "expected a file \"a/data/99\" in it, got none");
        String eight =
                IntStream.range(0, 8).mapToObj(i -> tensor("" + i, 6, 0, "6", "1")).collect(Collectors.joining());
        assertEquals(8, PyTorchFile.read(archive("}" + eight + ".")).names().size());
        assertRefused(archive("}" + eight + tensor("w", 6, 0, "6", "1") + "."), "at most 8 times the 24 bytes");
    }

    /** Puts a view of storage 0, which claims to have so many floats, into a dict. */
    private static String tensor(String name, int size, int offset, String shape, String strides) {
        return "X\\1\\0\\0\\0" + name
                + "ctorch._utils\\n_rebuild_tensor_v2\\n((X\\7\\0\\0\\0storagectorch\\nFloatStorage\\n"
                + "X\\1\\0\\0\\0" + "0X\\3\\0\\0\\0cpuK" + number(size) + "tQK" + number(offset) + tuple(shape)
                + tuple(strides)
                + "\\x89ccollections\\nOrderedDict\\n)RtRs";
    }

    private static String tuple(String numbers) {
        StringBuilder program = new StringBuilder("(");
        for (String number : numbers.isEmpty() ? new String[0] : numbers.split(" ", -1)) {
            program.append("K").append(number(Integer.parseInt(number)));
        }
        return program.append("t").toString();
    }

    private static String number(int value) {
        return String.format("\\x%02x", value);
    }

    @Test
    void depthDoesNotMatter() throws IOException {
        assertRefused(archive("}X\\1\\0\\0\\0a".repeat(100_000) + "N" + "s".repeat(100_000) + "."), "got none");
        assertRefused(archive("N" + "\\x85".repeat(200_000) + "."), "expected a dict of tensors");
        // A dict that is in itself.
        assertRefused(archive("}q\\0X\\1\\0\\0\\0ah\\0s."), "got none");
        // A list of two lists of two lists of two, and so on: 2^60 in all.
        assertRefused(archive("]q\\0" + "](h\\0h\\0eq\\0".repeat(60) + "."), "");
    }

    /** Whatever becomes of a byte, a file is read or refused; and it is refused when it is cut off. */
    @Test
    void damagedFilesAreRefused() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        for (String name : List.of("checkpoint", "strided", "types")) {
            byte[] valid = Files.readAllBytes(file(name));
            for (int i = 0; i < 150; i++) {
                byte[] bytes = valid.clone();
                for (int flips = random.nextInt(1, 4); flips > 0; flips--) {
                    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                }
                readOrRefuse(bytes, name + ", damage " + i + ", seed " + SEED);
            }
        }
        byte[] valid = Files.readAllBytes(file("plain"));
        // The directory is at the end, and everything else is looked for there.
        for (int length = 0; length < valid.length; length += length < valid.length - 100 ? 11 : 1) {
            byte[] cut = Arrays.copyOf(valid, length);
            Path file = Files.write(directory.resolve("cut"), cut);
            assertThrows(FormatException.class, () -> ModelFile.read(file), "cut to " + length);
        }
    }

    /** As above, with checksums that fit, so that damage reaches what reads the pickle. */
    @Test
    void damagedPicklesAreRefused() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] valid = entry(file("checkpoint"), "checkpoint/data.pkl");
        Path path = Path.of("some.pt");
        for (int i = 0; i < 5_000; i++) {
            byte[] pickle = valid.clone();
            for (int flips = random.nextInt(1, 4); flips > 0; flips--) {
                pickle[random.nextInt(pickle.length)] = (byte) random.nextInt(256);
            }
            try {
                StateDicts.choose(path, PickleReader.read(path, pickle), Optional.empty());
            } catch (FormatException e) {
                assertTrue(e.getMessage().startsWith("some.pt: "), e::getMessage);
            } catch (Exception | StackOverflowError | OutOfMemoryError e) {
                fail("damaged pickle " + i + ", seed " + SEED, e);
            }
        }
        for (int length = 0; length < valid.length; length++) {
            byte[] cut = Arrays.copyOf(valid, length);
            assertThrows(FormatException.class, () -> PickleReader.read(path, cut));
        }
    }

    private void readOrRefuse(byte[] bytes, String what) throws IOException {
        Path file = Files.write(directory.resolve("damaged"), bytes);
        try {
            PyTorchFile read = PyTorchFile.read(file);
            for (String name : read.names()) {
                read.tensor(name).toFloats();
            }
        } catch (FormatException e) {
            assertTrue(e.getMessage().startsWith(file + ": "), e::getMessage);
        } catch (Exception | StackOverflowError | OutOfMemoryError e) {
            fail(what, e);
        }
    }

    @Test
    void archivesAreWhatPyTorchWrites() throws IOException {
        byte[] pickle = entry(file("plain"), "plain/data.pkl");
        assertRefused(compressed(pickle), "expected bytes as they are, as PyTorch stores them, got compressed ones");
        assertRefused(Files.write(directory.resolve("short"), zipped(pickle, new byte[24])),
                "expected 36 elements of type F32, got 24 bytes");
        assertRefused(Files.write(directory.resolve("text"), "PK, but no zip file".getBytes(US_ASCII)),
                "expected a zip file of PyTorch");
        byte[] bytes = Files.readAllBytes(file("plain"));
        // The last bytes of the last storage, in front of the entries behind it.
        byte[] storage = entry(file("plain"), "plain/data/5");
        int at = indexOf(bytes, storage);
        bytes[at] ^= 1;
        assertRefused(Files.write(directory.resolve("flipped"), bytes), "expected the checksum");
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        for (int i = 0; i + part.length <= bytes.length; i++) {
            if (Arrays.equals(bytes, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
        throw new AssertionError("not there");
    }

    private static void assertRefused(Path file, String... parts) {
        String message = assertThrows(FormatException.class, () -> PyTorchFile.read(file)).getMessage();
        assertTrue(message.startsWith(file + ": "), message);
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "expected " + part + " in: " + message);
        }
    }

    private static Path file(String name) throws IOException {
        return resource(name + ".pt");
    }

    private static Path resource(String name) throws IOException {
        try {
            return Path.of(Objects.requireNonNull(PyTorchFileTest.class.getResource("torch/" + name)).toURI());
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
    }

    private static byte[] entry(Path file, String name) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            return zip.getInputStream(zip.getEntry(name)).readAllBytes();
        }
    }

    /** Writes a file with one storage of six floats and a pickle: protocol, and a program with C's escapes, of which those of octal digits have one. */
    private Path archive(String program) throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.write(0x80);
        pickle.write(2);
        for (int i = 0; i < program.length(); i++) {
            char c = program.charAt(i);
            if (c != '\\') {
                pickle.write(c);
            } else if (program.charAt(++i) == 'x') {
                pickle.write(Integer.parseInt(program, i + 1, i + 3, 16));
                i += 2;
            } else {
                pickle.write(program.charAt(i) == 'n' ? '\n' : program.charAt(i) - '0');
            }
        }
        return Files.write(directory.resolve("archive"), zipped(pickle.toByteArray(), new byte[24]));
    }

    private static byte[] zipped(byte[] pickle, byte[] storage) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            store(out, "a/data.pkl", pickle);
            store(out, "a/byteorder", new byte[] {'l', 'i', 't', 't', 'l', 'e'});
            for (int i = 0; i < 20; i++) {
                store(out, "a/data/" + i, storage);
            }
        }
        return bytes.toByteArray();
    }

    private static void store(ZipOutputStream out, String name, byte[] bytes) throws IOException {
        CRC32 checksum = new CRC32();
        checksum.update(bytes);
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(bytes.length);
        entry.setCrc(checksum.getValue());
        out.putNextEntry(entry);
        out.write(bytes);
    }

    private Path compressed(byte[] pickle) throws IOException {
        Path file = directory.resolve("compressed");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file))) {
            out.putNextEntry(new ZipEntry("a/data.pkl"));
            out.write(pickle);
        }
        return file;
    }
}
