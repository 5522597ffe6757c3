package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SafeTensorsTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource
    void everyTypeComesBackAsItWent(DType dtype) throws IOException {
        byte[] bytes = new byte[6 * dtype.bytes()];
        new Random(dtype.name().hashCode()).nextBytes(bytes);
        byte[] scalar = new byte[dtype.bytes()];
        scalar[0] = 1;
        SafeTensors file = roundTrip(new SafeTensors.Writer()
                .add("matrix", dtype, shape(2, 3), bytes)
                .add("scalar", dtype, shape(), scalar)
                .add("empty", dtype, shape(4, 0, 2), new byte[0]));

        assertArrayEquals(bytes, bytes(file.tensor("matrix")));
        assertArrayEquals(shape(2, 3), file.tensor("matrix").shape());
        assertEquals(6, file.tensor("matrix").size());
        assertArrayEquals(scalar, bytes(file.tensor("scalar")));
        assertArrayEquals(shape(), file.tensor("scalar").shape());
        assertEquals(1, file.tensor("scalar").size());
        assertEquals(0, file.tensor("empty").size());
        assertArrayEquals(shape(4, 0, 2), file.tensor("empty").shape());
        assertEquals(0, file.tensor("empty").toFloats().length);
        for (String name : file.names()) {
            assertEquals(dtype, file.tensor(name).dtype());
            assertEquals(name, file.tensor(name).name());
        }
    }

    @Test
    void bytesAreThoseOfTheFormat() throws IOException {
        Path path = directory.resolve("exact.safetensors");
        new SafeTensors.Writer()
                .add("b", DType.U8, shape(2), new int[] {7, 255})
                .add("a", DType.F32, shape(1, 2), new float[] {1, -2})
                .add("h", DType.F16, shape(), new float[] {0.5f})
                .metadata(Map.of("k", "v", "a", "/\u00e9"))
                .write(path);
        String json = """
                {"__metadata__":{"a":"/\u00e9","k":"v"},\
                "a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},\
                "h":{"dtype":"F16","shape":[],"data_offsets":[8,10]},\
                "b":{"dtype":"U8","shape":[2],"data_offsets":[10,12]}}\
                """;
        String padded = json + " ".repeat((8 - json.getBytes(UTF_8).length % 8) % 8);
        byte[] header = padded.getBytes(UTF_8);
        byte[] expected = ByteBuffer.allocate(8 + header.length + 12).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length).put(header)
                .put(HexFormat.of().parseHex("0000803f" + "000000c0" + "0038" + "07ff")).array();
        assertEquals(0, header.length % 8);
        assertArrayEquals(expected, Files.readAllBytes(path));
    }

    @Test
    void readsWhatTheReferenceWrote() throws Exception {
        SafeTensors file = SafeTensors.read(reference());
        assertEquals(Map.of("about", "caf\u00e9 \u2192 \"quoted\"\n"), file.metadata());
        assertEquals(21, file.names().size());
        for (String name : file.names()) {
            if (name.startsWith("every.") && !name.equals("every.bool")) {
                byte[] expected = new byte[6 * file.tensor(name).dtype().bytes()];
                for (int i = 0; i < expected.length; i++) {
                    expected[i] = (byte) (i + 1);
                }
                assertArrayEquals(expected, bytes(file.tensor(name)), name);
            }
        }
        assertArrayEquals(new float[] {0, 1, 1, 0, 1, 0}, file.tensor("every.bool").toFloats());
        assertArrayEquals(new float[] {-1.5f}, file.tensor("scalar").toFloats());
        assertArrayEquals(shape(3, 0), file.tensor("empty.float").shape());
        assertArrayEquals(new float[] {0.25f}, file.tensor("odd \"\\/\b\f\n\r\t\u0001\u001f\u007f").toFloats());
        assertArrayEquals(new float[] {Float.MIN_VALUE}, file.tensor("odd \ufb01").toFloats());
        assertArrayEquals(new float[] {Float.POSITIVE_INFINITY}, file.tensor("odd \ud834\udd1e").toFloats());
    }

    @Test
    void writesTheBytesOfTheReferenceInWhateverOrderTensorsCome() throws Exception {
        SafeTensors file = SafeTensors.read(reference());
        List<String> names = new ArrayList<>(file.names());
        for (int seed = 0; seed < 5; seed++) {
            Collections.shuffle(names, new Random(seed));
            SafeTensors.Writer writer = new SafeTensors.Writer().metadata(file.metadata());
            for (String name : names) {
                Tensor tensor = file.tensor(name);
                writer.add(name, tensor.dtype(), tensor.shape(), tensor.data());
            }
            Path copy = directory.resolve("copy.safetensors");
            writer.write(copy);
            assertArrayEquals(Files.readAllBytes(reference()), Files.readAllBytes(copy), "seed " + seed);
        }
    }

    @Test
    void noTensorsMakeAFile() throws IOException {
        SafeTensors file = roundTrip(new SafeTensors.Writer());
        assertTrue(file.names().isEmpty());
        assertTrue(file.metadata().isEmpty());
    }

    @Test
    void orderOfTheFileIsKept() throws IOException {
        SafeTensors file = parse("""
                {"z":{"shape":[1],"data_offsets":[1,2],"dtype":"U8"},\
                "__metadata__":{"y":"1","x":"2"},\
                "a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}} \
                """, new byte[] {10, 20});
        assertEquals(List.of("z", "a"), List.copyOf(file.names()));
        assertEquals(List.of("y", "x"), List.copyOf(file.metadata().keySet()));
        assertArrayEquals(new float[] {20}, file.tensor("z").toFloats());
        assertArrayEquals(new float[] {10}, file.tensor("a").toFloats());
    }

    @Test
    void dataNeedsNoAlignment() throws IOException {
        SafeTensors file = parse("""
                {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\
                "b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},\
                "c":{"dtype":"F64","shape":[1],"data_offsets":[5,13]}}\
                """, HexFormat.of().parseHex("01" + "0000c03f" + "0000000000000440"));
        assertArrayEquals(new float[] {1.5f}, file.tensor("b").toFloats());
        assertArrayEquals(new float[] {2.5f}, file.tensor("c").toFloats());
    }

    @Test
    void valuesAreConvertedAndRefusedWhereTheyDoNotFit() throws IOException {
        SafeTensors file = roundTrip(new SafeTensors.Writer()
                .add("double", DType.F64, shape(2), new float[] {0.1f, Float.NEGATIVE_INFINITY})
                .add("bfloat", DType.BF16, shape(4), new float[] {0x1.01p0f, 0x1.03p0f, Float.NaN, Float.MAX_VALUE})
                .add("half", DType.F16, shape(2), new float[] {65504, 70000})
                .add("long", DType.I64, shape(1), new long[] {Long.MIN_VALUE})
                .add("ulong", DType.U64, shape(1), new long[] {Long.MAX_VALUE})
                .add("short", DType.I16, shape(2), new int[] {-32768, 32767})
                .add("bool", DType.BOOL, shape(2), new int[] {1, 0}));
        assertArrayEquals(new float[] {0.1f, Float.NEGATIVE_INFINITY}, file.tensor("double").toFloats());
        assertArrayEquals(new float[] {1, 1.015625f, Float.NaN, Float.POSITIVE_INFINITY},
                file.tensor("bfloat").toFloats());
        assertArrayEquals(new float[] {65504, Float.POSITIVE_INFINITY}, file.tensor("half").toFloats());
        assertArrayEquals(new float[] {-0x1p63f}, file.tensor("long").toFloats());
        assertArrayEquals(new float[] {0x1p63f}, file.tensor("ulong").toFloats());
        assertArrayEquals(new float[] {-32768, 32767}, file.tensor("short").toFloats());

        SafeTensors.Writer writer = new SafeTensors.Writer();
        refused("U8 values from 0 to 255, got 256", () -> writer.add("t", DType.U8, shape(1), new int[] {256}));
        refused("I8 values from -128 to 127, got -129", () -> writer.add("t", DType.I8, shape(1), new int[] {-129}));
        refused("U64 values from 0", () -> writer.add("t", DType.U64, shape(1), new long[] {-1}));
        refused("BOOL values from 0 to 1, got 2", () -> writer.add("t", DType.BOOL, shape(1), new int[] {2}));
        refused("for floats, got I32", () -> writer.add("t", DType.I32, shape(0), new float[0]));
        refused("for integers, got F32", () -> writer.add("t", DType.F32, shape(0), new int[0]));
    }

    @Test
    void writerRefusesWhatIsNoTensor() throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer().add("taken", DType.U8, shape(1), new byte[1]);
        refused("\"t\": expected 24 bytes for F32 [2, 3], got 20",
                () -> writer.add("t", DType.F32, shape(2, 3), new float[5]));
        refused("a new name", () -> writer.add("taken", DType.U8, shape(1), new byte[1]));
        refused("other than __metadata__", () -> writer.add("__metadata__", DType.U8, shape(1), new byte[1]));
        refused("Unicode", () -> writer.add("\ud800", DType.U8, shape(1), new byte[1]));
        refused("at least 0, got [-1]", () -> writer.add("t", DType.U8, shape(-1), new byte[1]));
        refused("below 2^63", () -> writer.add("t", DType.U8, shape(1L << 32, 1L << 32), new byte[1]));
        refused("surrogate", () -> writer.metadata(Map.of("k", "\udc00")));
    }

    @Test
    void nothingIsWrittenThatCouldNotBeRead() throws IOException {
        Path path = directory.resolve("new.safetensors");
        SafeTensors.Writer longName = new SafeTensors.Writer()
                .add("n".repeat(100_000), DType.U8, shape(1), new byte[1]);
        assertThrows(FormatException.class, () -> longName.write(path));
        SafeTensors.Writer manyDimensions = new SafeTensors.Writer()
                .add("t", DType.U8, new long[100], new byte[0]);
        assertThrows(FormatException.class, () -> manyDimensions.write(path));
        assertTrue(Files.notExists(path));
    }

    @Test
    void failedWriteLeavesTheOldFile() throws IOException {
        Path path = directory.resolve("model.safetensors");
        new SafeTensors.Writer().add("old", DType.U8, shape(1), new byte[1]).write(path);
        byte[] old = Files.readAllBytes(path);

        Arena arena = Arena.ofConfined();
        SafeTensors.Writer writer = new SafeTensors.Writer()
                .add("a", DType.U8, shape(1), new byte[1])
                .add("closed", DType.U8, shape(9), arena.allocate(9));
        arena.close();
        assertThrows(IllegalStateException.class, () -> writer.write(path));
        assertArrayEquals(old, Files.readAllBytes(path));
        try (var files = Files.list(directory)) {
            assertEquals(List.of(path), files.toList());
        }
    }

    @Test
    void arraysAreCopiedWhenAdded() throws IOException {
        float[] floats = {1};
        byte[] bytes = {2};
        SafeTensors.Writer writer = new SafeTensors.Writer()
                .add("floats", DType.F32, shape(1), floats)
                .add("bytes", DType.U8, shape(1), bytes);
        floats[0] = 3;
        bytes[0] = 4;
        SafeTensors file = roundTrip(writer);
        assertArrayEquals(new float[] {1}, file.tensor("floats").toFloats());
        assertArrayEquals(new float[] {2}, file.tensor("bytes").toFloats());
    }

    @Test
    void dataLongerThanAPieceIsWrittenWhole() throws IOException {
        float[] floats = new float[700_001];
        Random random = new Random(7);
        for (int i = 0; i < floats.length; i++) {
            floats[i] = random.nextFloat();
        }
        SafeTensors file = roundTrip(new SafeTensors.Writer().add("t", DType.F32, shape(floats.length), floats));
        assertArrayEquals(floats, file.tensor("t").toFloats());
    }

    @Test
    void tensorsAreReadOnlyAndTheirShapesTheirOwn() throws IOException {
        Tensor tensor = roundTrip(new SafeTensors.Writer().add("t", DType.F32, shape(1), new float[] {1})).tensor("t");
        assertThrows(IllegalArgumentException.class, () -> tensor.data().set(ValueLayout.JAVA_BYTE, 0, (byte) 1));
        tensor.shape()[0] = 5;
        assertArrayEquals(shape(1), tensor.shape());
        IllegalArgumentException wrongSize = assertThrows(IllegalArgumentException.class,
                () -> tensor.copyTo(MemorySegment.ofArray(new float[2])));
        assertTrue(wrongSize.getMessage().contains("4 bytes, got 8"), wrongSize::getMessage);
    }

    @Test
    void missingTensorIsNamed() throws IOException {
        SafeTensors file = roundTrip(new SafeTensors.Writer().add("there", DType.F32, shape(1), new float[1]));
        FormatException e = assertThrows(FormatException.class, () -> file.tensor("not there"));
        assertTrue(e.getMessage().contains("\"not there\", got 1 others: [\"there\"]"), e::getMessage);
    }

    @Test
    void smallFilesOutliveTruncation() throws IOException {
        Path path = directory.resolve("small.safetensors");
        new SafeTensors.Writer().add("t", DType.F32, shape(1), new float[] {1}).write(path);
        SafeTensors file = SafeTensors.read(path);
        Files.write(path, new byte[0]);
        assertArrayEquals(new float[] {1}, file.tensor("t").toFloats());
    }

    @Test
    void largeFilesAreMapped() throws IOException {
        long size = (256L << 20) + 5;
        Path path = directory.resolve("large.safetensors");
        byte[] json = ("{\"t\":{\"dtype\":\"U8\",\"shape\":[" + size + "],\"data_offsets\":[0," + size + "]}}")
                .getBytes(UTF_8);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(DamagedSafeTensorsTest.file(json, new byte[0]));
            channel.write(ByteBuffer.wrap(new byte[] {42}), 8 + json.length + size - 1);
        }
        Tensor tensor = SafeTensors.read(path).tensor("t");
        assertEquals(size, tensor.size());
        assertTrue(tensor.data().isMapped());
        assertEquals(42, tensor.data().get(ValueLayout.JAVA_BYTE, size - 1));
    }

    @Test
    void metadataOfAnyOrderGivesTheSameBytes() throws IOException {
        Map<String, String> forwards = new LinkedHashMap<>();
        Map<String, String> backwards = new LinkedHashMap<>();
        for (int i = 0; i < 20; i++) {
            forwards.put("key" + i, "value" + i);
            backwards.put("key" + (19 - i), "value" + (19 - i));
        }
        Path first = directory.resolve("1");
        Path second = directory.resolve("2");
        new SafeTensors.Writer().metadata(forwards).write(first);
        new SafeTensors.Writer().metadata(backwards).write(second);
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
        assertEquals(forwards, SafeTensors.read(first).metadata());
    }

    private SafeTensors roundTrip(SafeTensors.Writer writer) throws IOException {
        Path path = directory.resolve("model.safetensors");
        writer.write(path);
        return SafeTensors.read(path);
    }

    private static SafeTensors parse(String json, byte[] data) throws IOException {
        return SafeTensors.parse(Path.of("memory"),
                MemorySegment.ofArray(DamagedSafeTensorsTest.file(json.getBytes(UTF_8), data).array()));
    }

    private static Path reference() throws URISyntaxException {
        return Path.of(SafeTensorsTest.class.getResource("reference.safetensors").toURI());
    }

    private static void refused(String essential, Runnable action) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, action::run);
        assertTrue(e.getMessage().contains(essential), e::getMessage);
    }

    private static byte[] bytes(Tensor tensor) {
        return tensor.data().toArray(ValueLayout.JAVA_BYTE);
    }

    private static long[] shape(long... dimensions) {
        return dimensions;
    }
}
