package dev.ostinato.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Arrays of NumPy's own, both ways. The goldens are made by arrays.py, beside them. */
class NpyTest {
    /** Types by NumPy's names. */
    private static final Map<String, DType> TYPES = new TreeMap<>(Map.ofEntries(
            Map.entry("b1", DType.BOOL), Map.entry("u1", DType.U8), Map.entry("i1", DType.I8),
            Map.entry("i2", DType.I16), Map.entry("u2", DType.U16), Map.entry("f2", DType.F16),
            Map.entry("i4", DType.I32), Map.entry("u4", DType.U32), Map.entry("f4", DType.F32),
            Map.entry("i8", DType.I64), Map.entry("u8", DType.U64), Map.entry("f8", DType.F64)));

    @TempDir
    Path directory;

    @Test
    void everyTypeIsRead() throws IOException {
        Npz file = Npz.read(golden("arrays.npz"));
        assertEquals(TYPES.size() + 4, file.names().size());
        for (Map.Entry<String, DType> type : TYPES.entrySet()) {
            Tensor tensor = file.tensor(type.getKey());
            assertEquals(type.getKey(), tensor.name());
            assertEquals(type.getValue(), tensor.dtype());
            assertArrayEquals(new long[] {2, 3}, tensor.shape());
            assertArrayEquals(switch (type.getKey()) {
                case "b1" -> new float[] {0, 1, 0, 1, 0, 1};
                case "u1", "u2", "u4", "u8" -> counting(0, 6);
                default -> counting(-3, 6);
            }, tensor.toFloats(), type.getKey());
        }
    }

    @Test
    void everyShapeIsRead() throws IOException {
        Npz file = Npz.read(golden("arrays.npz"));
        assertArray(file.tensor("scalar"), -3);
        assertArray(file.tensor("empty"), -3, 3, 0);
        assertArray(file.tensor("long"), -3, 13);
        assertArray(file.tensor("deep"), -3, 2, 1, 3, 2);
    }

    @Test
    void compressedArraysAreRead() throws IOException {
        Npz file = Npz.read(golden("compressed.npz"));
        assertArray(file.tensor("x"), -3, 50, 4, 5);
        assertArrayEquals(new int[] {-3, -2, -1, 0, 1, 2, 3, 4, 5, 6}, file.tensor("n").toInts());
    }

    @Test
    void everyVersionAndOrderIsRead() throws IOException {
        Npz file = Npz.read(golden("unusual.npz"));
        assertEquals(List.of("version1", "version2", "version3", "fortran", "fortran8", "python2"),
                List.copyOf(file.names()));
        for (String name : List.of("version1", "version2", "version3", "python2")) {
            assertArray(file.tensor(name), -3, 2, 3);
        }
        assertArray(file.tensor("fortran"), -3, 2, 3, 4);
        assertArray(file.tensor("fortran8"), -3, 3, 2);
    }

    @Test
    void ourFilesAreThoseOfNumPy() throws IOException {
        Path vector = directory.resolve("vector.npy");
        Npy.write(vector, Tensor.of("", new long[] {13}, counting(-3, 13)));
        assertArrayEquals(Files.readAllBytes(golden("vector.npy")), Files.readAllBytes(vector));
        assertArray(Npy.read(vector), -3, 13);

        Npz read = Npz.read(golden("arrays.npz"));
        List<Tensor> tensors = new ArrayList<>();
        for (String name : read.names()) {
            tensors.add(read.tensor(name));
        }
        Path archive = directory.resolve("arrays.npz");
        Npz.write(archive, tensors);
        assertEquals(entries(golden("arrays.npz")), entries(archive));
    }

    @Test
    void theSameArraysGiveTheSameBytes() throws IOException {
        List<Tensor> tensors = List.of(Tensor.of("a", new long[] {2}, new long[] {1, Long.MIN_VALUE}),
                Tensor.of("b/c", new long[] {1, 1}, new float[] {Float.intBitsToFloat(0x7fa12345)}));
        Npz.write(directory.resolve("1"), tensors);
        Npz.write(directory.resolve("2"), tensors);
        assertArrayEquals(Files.readAllBytes(directory.resolve("1")), Files.readAllBytes(directory.resolve("2")));
        Npz read = Npz.read(directory.resolve("1"));
        assertEquals(0x7fa12345, read.tensor("b/c").data().get(LittleEndian.I32, 0));
        assertEquals(Long.MIN_VALUE, read.tensor("a").data().get(LittleEndian.I64, 8));
    }

    @Test
    void intsAreExactOrRefused() throws IOException {
        Npz file = Npz.read(golden("arrays.npz"));
        for (String kind : List.of("i1", "i2", "i4", "i8")) {
            assertArrayEquals(new int[] {-3, -2, -1, 0, 1, 2}, file.tensor(kind).toInts(), kind);
        }
        for (String kind : List.of("u1", "u2", "u4", "u8")) {
            assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5}, file.tensor(kind).toInts(), kind);
        }
        assertArrayEquals(new int[] {0, 1, 0, 1, 0, 1}, file.tensor("b1").toInts());
        assertRefused("integers, got 6 of type F32", () -> file.tensor("f4").toInts());
        assertRefused("got 2147483648 at element 1",
                () -> Tensor.of("t", new long[] {2}, new long[] {1, 1L << 31}).toInts());
        Tensor unsigned = new Tensor("t", DType.U64, new long[] {1}, Tensor.of("t", new long[] {1}, new long[] {-1})
                .data());
        assertRefused("got 18446744073709551615 at element 0", unsigned::toInts);
    }

    @Test
    void whatCannotBeWrittenIsRefused() {
        Tensor tensor = Tensor.of("t", new long[] {1}, new float[1]);
        assertArgument("got \"t\" twice", () -> Npz.write(directory.resolve("f"), List.of(tensor, tensor)));
        Tensor nameless = Tensor.of("", new long[] {1}, new float[1]);
        assertArgument("expected a name for each", () -> Npz.write(directory.resolve("f"), List.of(nameless)));
        Tensor narrow = new Tensor("n", DType.BF16, new long[] {2}, tensor.data());
        assertArgument("a type that NumPy has, got BF16", () -> Npy.write(directory.resolve("f"), narrow));
        assertArgument("a type that NumPy has, got BF16", () -> Npz.write(directory.resolve("f"), List.of(narrow)));
        assertTrue(Files.notExists(directory.resolve("f")));
        assertArgument("expected a shape of 2 elements, got [3]",
                () -> Tensor.of("t", new long[] {3}, new float[2]));
        assertArgument("expected a shape of 2 elements, got [-1, -2]",
                () -> Tensor.of("t", new long[] {-1, -2}, new int[2]));
        assertArgument("expected a shape of 0 elements, got [4611686018427387904, 4]",
                () -> Tensor.of("t", new long[] {1L << 62, 4}, new long[0]));
    }

    @Test
    void absentFilesAndArraysAreNamed() throws IOException {
        assertThrows(NoSuchFileException.class, () -> Npz.read(directory.resolve("absent")));
        assertThrows(NoSuchFileException.class, () -> Npy.read(directory.resolve("absent")));
        FormatException e = assertThrows(FormatException.class, () -> Npz.read(golden("compressed.npz")).tensor("y"));
        assertTrue(e.getMessage().endsWith("expected an array \"y\", got [\"x\", \"n\"]"), e::getMessage);
        assertThrows(FormatException.class, () -> Npz.read(directory));
        assertThrows(FormatException.class, () -> Npy.read(directory));
    }

    static Path golden(String name) {
        try {
            return Path.of(Objects.requireNonNull(NpyTest.class.getResource(name)).toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private static float[] counting(int first, int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = first + i;
        }
        return floats;
    }

    private static void assertArray(Tensor tensor, int first, long... shape) {
        assertArrayEquals(shape, tensor.shape());
        assertArrayEquals(counting(first, Math.toIntExact(tensor.size())), tensor.toFloats());
    }

    private static Map<String, List<Byte>> entries(Path archive) throws IOException {
        Map<String, List<Byte>> entries = new LinkedHashMap<>();
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            for (ZipEntry entry : zip.stream().toList()) {
                List<Byte> bytes = new ArrayList<>();
                for (byte b : zip.getInputStream(entry).readAllBytes()) {
                    bytes.add(b);
                }
                entries.put(entry.getName() + " of " + entry.getTimeLocal(), bytes);
            }
        }
        return entries;
    }

    private static void assertRefused(String essential, Executable action) {
        IllegalStateException e = assertThrows(IllegalStateException.class, action);
        assertTrue(e.getMessage().contains(essential), e::getMessage);
    }

    private static void assertArgument(String essential, Executable action) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, action);
        assertTrue(e.getMessage().contains(essential), e::getMessage);
    }
}
