package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.FormatException;
import dev.ostinato.formats.onnx.OnnxFile;
import dev.ostinato.onnx.OnnxArray;
import dev.ostinato.onnx.OnnxModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ONNX files that somebody has cut, changed or made up are refused with a reason, and nothing else happens. */
@Timeout(60)
final class OnnxHostileFilesTest {
    private static final Path NAME = Path.of("hostile.onnx");

    @TempDir
    private Path folder;

    private static OnnxGraphs graph() {
        return new OnnxGraphs().input("X", OnnxArray.of(new float[6], 2, 1, 3))
                .constant("W", OnnxArray.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 1, 4, 3))
                .constant("R", OnnxArray.of(new float[] {1, 2, 3, 4}, 1, 4, 1))
                .node("LSTM", List.of("X", "W", "R"), List.of("Y"), "hidden_size", 1, "direction", "reverse",
                        "activations", List.of("Sigmoid", "LeakyRelu", "Tanh"), "activation_alpha", List.of(0.5f))
                .output("Y", DType.F32);
    }

    /** Reads bytes, and runs what can be run; what is refused is refused with the exceptions for that. */
    private static boolean survives(byte[] bytes) throws IOException {
        try {
            OnnxModel model = OnnxModel.parse(NAME, MemorySegment.ofArray(bytes));
            model.run(graph().inputs());
            return true;
        } catch (FormatException | IllegalArgumentException e) {
            return false;
        }
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        OnnxFile file = graph().file(14, true);
        OnnxFile again = OnnxFile.parse(NAME, MemorySegment.ofArray(file.toBytes()));
        assertEquals(file.graph().nodes(), again.graph().nodes());
        assertEquals(file.graph().inputs(), again.graph().inputs());
        assertEquals(file.graph().outputs(), again.graph().outputs());
        assertEquals(file.opsets(), again.opsets());
        assertTrue(Arrays.equals(file.toBytes(), again.toBytes()));
        assertTrue(survives(file.toBytes()));
    }

    @Test
    void truncatedAtEveryByte() throws IOException {
        byte[] bytes = graph().file(14, true).toBytes();
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThrows(FormatException.class, () -> OnnxModel.parse(NAME, MemorySegment.ofArray(cut)),
                    "cut at " + length);
        }
    }

    @Test
    void changedBytes() throws IOException {
        SplittableRandom random = new SplittableRandom(Conformance.SEED);
        byte[] bytes = graph().file(14, false).toBytes();
        int survived = 0;
        for (int i = 0; i < 5000; i++) {
            byte[] changed = bytes.clone();
            for (int k = random.nextInt(1, 4); k > 0; k--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt();
            }
            survived += survives(changed) ? 1 : 0;
        }
        assertTrue(survived > 0 && survived < 5000, "of changed files survived " + survived);
    }

    private static byte[] field(int number, byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(number << 3 | 2);
        varint(out, content.length);
        out.writeBytes(content);
        return out.toByteArray();
    }

    private static byte[] number(int field, long value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(field << 3);
        varint(out, value);
        return out.toByteArray();
    }

    private static void varint(ByteArrayOutputStream out, long value) {
        long rest = value;
        for (; rest >>> 7 != 0; rest >>>= 7) {
            out.write((int) (rest | 0x80));
        }
        out.write((int) rest);
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Arrays.stream(parts).forEach(out::writeBytes);
        return out.toByteArray();
    }

    private static String refusal(byte[] bytes) {
        return assertThrows(FormatException.class, () -> OnnxFile.parse(NAME, MemorySegment.ofArray(bytes)))
                .getMessage();
    }

    @Test
    void graphsInGraphsWithoutEnd() {
        byte[] graph = {};
        for (int i = 0; i < 2000; i++) {
            byte[] attribute = join(field(6, graph), number(20, 5));
            graph = field(1, join(field(4, "If".getBytes(StandardCharsets.UTF_8)), field(5, attribute)));
        }
        assertTrue(refusal(field(7, graph)).contains("nested at most"));
    }

    @Test
    void moreMessagesThanAnybodyNeeds() {
        ByteArrayOutputStream nodes = new ByteArrayOutputStream();
        byte[] node = field(1, field(4, new byte[] {'A'}));
        for (int i = 0; i < 600_000; i++) {
            nodes.writeBytes(node);
        }
        assertTrue(refusal(field(7, nodes.toByteArray())).contains("messages and texts"));
    }

    @ParameterizedTest
    @CsvSource({"4611686018427387904, 4", "-1, 4", "1073741824, 4294967296", "3, 5"})
    void sizesThatAreNotThere(long first, long second) {
        byte[] tensor = join(number(1, first), number(1, second), number(2, 1), field(9, new byte[16]));
        assertTrue(refusal(field(7, field(5, tensor))).contains("expected a shape of 4 elements"));
    }

    /** Nor the names of files, which could be any of the machine. */
    @Test
    void weightsInFilesElsewhere() throws IOException {
        Path inside = Files.createDirectory(folder.resolve("inside"));
        Files.write(folder.resolve("secret"), new byte[16]);
        Files.write(inside.resolve("weights"), new byte[16]);
        Files.createSymbolicLink(inside.resolve("link"), folder.resolve("secret"));
        Path file = inside.resolve("model.onnx");
        for (String location : List.of("../secret", "link", folder.resolve("secret").toString(), "", ".", "\0")) {
            Files.write(file, outside(location, 0, 16));
            assertThrows(FormatException.class, () -> OnnxFile.read(file), location);
        }
        Files.write(file, outside("weights", 8, 16));
        assertThrows(FormatException.class, () -> OnnxFile.read(file));
        Files.write(file, outside("weights", 0, 16));
        assertEquals(4, OnnxFile.read(file).graph().initializers().getFirst().size());
        assertTrue(refusal(Files.readAllBytes(file)).contains("in the same file"));
    }

    private static byte[] outside(String location, long offset, long length) {
        return field(7, field(5, join(number(1, 4), number(2, 1), field(8, "w".getBytes(StandardCharsets.UTF_8)),
                entry("location", location), entry("offset", Long.toString(offset)),
                entry("length", Long.toString(length)), number(14, 1))));
    }

    private static byte[] entry(String key, String value) {
        return field(13, join(field(1, key.getBytes(StandardCharsets.UTF_8)),
                field(2, value.getBytes(StandardCharsets.UTF_8))));
    }

    @Test
    void whatIsNotSupportedIsNamed() {
        OnnxFile operator = new OnnxGraphs().input("X", OnnxArray.of(new float[1], 1))
                .node("Mystery", List.of("X"), List.of("Y")).output("Y", DType.F32).file(14, true);
        assertEquals("hostile.onnx: node \"of Y\" (Mystery): expected an operator that is supported",
                assertThrows(FormatException.class, () -> OnnxModel.of(NAME, operator)).getMessage());
        OnnxFile attribute = graph().node("RNN", List.of("X", "W", "R"), List.of("Z"), "zoneout", 0.5f)
                .output("Z", DType.F32).file(14, true);
        assertTrue(assertThrows(FormatException.class, () -> OnnxModel.of(NAME, attribute)).getMessage()
                .contains("node \"of Z\" (RNN): expected attributes"));
        OnnxFile opset = graph().file(6, true);
        assertTrue(assertThrows(FormatException.class, () -> OnnxModel.of(NAME, opset)).getMessage()
                .contains("opset 7 to 22, got 6"));
        OnnxFile unknown = new OnnxGraphs().node("RNN", List.of("X", "W", "R"), List.of("Y")).output("Y", DType.F32)
                .file(14, true);
        assertTrue(assertThrows(FormatException.class, () -> OnnxModel.of(NAME, unknown)).getMessage()
                .contains("expected inputs that are known before, got \"X\""));
    }

    @Test
    void inputsThatDoNotFitAreNamed() throws IOException {
        OnnxModel model = OnnxModel.of(NAME, graph().file(14, true));
        OnnxArray x = graph().inputs().get("X");
        assertEquals("input \"X\": expected f32 (2, 1, 3), got none", refusal(model, Map.of()));
        assertEquals("input \"X\": expected f32 (2, 1, 3), got F32 [3, 1, 3]",
                refusal(model, Map.of("X", OnnxArray.of(new float[9], 3, 1, 3))));
        assertEquals("inputs: expected [X], got \"Z\"", refusal(model, Map.of("X", x, "Z", x)));
        OnnxModel free = OnnxModel.of(NAME, graph().file(14, false));
        String refusal = refusal(free, Map.of("X", OnnxArray.of(new float[8], 2, 1, 4)));
        assertTrue(refusal.startsWith("node \"of Y\" (LSTM): W: expected F32 [1, 4, 4], got F32 [1, 4, 3]"), refusal);
    }

    private static String refusal(OnnxModel model, Map<String, OnnxArray> inputs) {
        return assertThrows(IllegalArgumentException.class, () -> model.run(inputs)).getMessage();
    }
}
