package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.ostinato.formats.onnx.OnnxAttribute;
import dev.ostinato.formats.onnx.OnnxFile;
import dev.ostinato.formats.onnx.OnnxGraph;
import dev.ostinato.formats.onnx.OnnxNode;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import dev.ostinato.formats.onnx.OnnxValueInfo.Dimension;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Files of any bytes are read or refused: no other exception, no hanging, and no more memory than their size allows for. Inputs are made from
 * valid ones, and those that are refused in a way that none was before are changed further, so that the search gets deeper.
 *
 * <p>{@code -Dostinato.fuzz.seconds=3600} searches for longer than the build does, {@code -Dostinato.tests.seed=N} for the same again.
 */
class FuzzTest {
    private static final double SECONDS = Double.parseDouble(System.getProperty("ostinato.fuzz.seconds", "1.5"));
    private static final long SEED = Long.getLong("ostinato.tests.seed", System.nanoTime());
    private static final Path FILE = Path.of("some", "file");
    /** What one input may take, on a machine that is busy with other things. */
    private static final double MOST_SECONDS = 20;
    private static final long MOST_BYTES = 32 << 20;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** A reader, valid inputs and words of its format. */
    enum Target {
        SAFETENSORS {
            @Override
            List<String> words() {
                return List.of("{", "}", "\"dtype\":\"F32\"", "\"shape\":[", "\"data_offsets\":[", "__metadata__",
                        "\"BF16\"", "\"I8\"",
                        "\\u0000", "\\ud800", "1e9", "-0", "0.5", "[[[[", ",", "  ");
            }

            @Override
            List<byte[]> seeds() throws IOException {
                return models();
            }

            @Override
            void read(byte[] bytes) throws IOException {
                SafeTensors file = SafeTensors.parse(FILE, MemorySegment.ofArray(bytes));
                for (String name : file.names()) {
                    file.tensor(name).toFloats();
                }
            }
        },

        /** Described models and state dicts. Sizes stay small because tensors have to be there. */
        MODEL {
            @Override
            List<String> words() {
                return List.of("weight_ih_l0", "weight_hh_l0", "_reverse", "weight_hr_l0", ".bias", ".weight",
                        "running_mean",
                        "ostinato", "_l1", "emb",
                        "\"type\":\"", "recurrent", "lstm", "\"hidden\":", "[1,1]", "[]", ".absmax", "\"I8\"");
            }

            @Override
            List<byte[]> seeds() throws IOException {
                return models();
            }

            @Override
            void read(byte[] bytes) throws IOException {
                SafeTensors file = SafeTensors.parse(FILE, MemorySegment.ofArray(bytes));
                ModelFile.of(file, ImportHints.NONE);
            }
        },

        PICKLE {
            @Override
            List<String> words() {
                return List.of("\200\2", "}", "]", "(", ")", "q\0", "h\0", "h\1", "X\1\0\0\0a", "c__builtin__\neval\n",
                        "ccollections\nOrderedDict\n",
                        "ctorch._utils\n_rebuild_tensor_v2\n", "ctorch\nFloatStorage\n", "Q", "R", "K\1",
                        "\212\10\377\377\377\377\377\377\377\177", "\205",
                        "\206", "\207", "t", "s", "u", "a", "e", "b", "N", ".", "G\0\0\0\0\0\0\0\0");
            }

            @Override
            List<byte[]> seeds() throws IOException {
                List<byte[]> pickles = new ArrayList<>();
                for (String name : List.of("checkpoint", "strided", "types", "two", "parameters", "module")) {
                    try (ZipFile zip = new ZipFile(resource("torch/" + name + ".pt").toFile())) {
                        pickles.add(zip.getInputStream(zip.getEntry(name + "/data.pkl")).readAllBytes());
                    }
                }
                return pickles;
            }

            @Override
            void read(byte[] bytes) throws IOException {
                StateDicts.choose(FILE, PickleReader.read(FILE, bytes), Optional.empty());
            }
        },

        NPY {
            @Override
            List<String> words() {
                return List.of("{'descr': '<f4'", "'fortran_order': True", "'shape': (", ", }", "(2, 3)", "'<f8'",
                        "'|b1'",
                        "'>i4'", "()", "\n", "L", "\1\0", "\3\0");
            }

            @Override
            List<byte[]> seeds() throws IOException {
                return List.of(Files.readAllBytes(resource("vector.npy")), array("|i1", "(3, 2)", 6),
                        array("<f8", "(2,)", 16),
                        array("<f4", "(1, 2, 1)", 8), array("|b1", "()", 1));
            }

            @Override
            void read(byte[] bytes) throws IOException {
                Npy.read(new ArrayFile(FILE, ""), new ByteArrayInputStream(bytes), bytes.length).toFloats();
            }
        },

        ONNX {
            @Override
            List<String> words() {
                return List.of("\10\10", "\10\1\20\1", "\42\10", "\112\4", "\12\2", "\62\2", "\52\2",
                        "\370\377\377\377\17", "\377\377\377\377\377\377\377\377\377\1",
                        "raw", "x", "location", "../..", "\140\1");
            }

            @Override
            List<byte[]> seeds() {
                Tensor weights = Tensor.of("w", new long[] {2, 3}, new float[6]);
                Tensor shape = Tensor.of("s", new long[] {2}, new long[] {3, 2});
                OnnxValueInfo x = new OnnxValueInfo("x", Optional.of(DType.F32),
                        Optional.of(List.of(Dimension.of(2), Dimension.named("n"))));
                OnnxNode node = new OnnxNode("n", "LSTM", "", List.of("x", "w", ""), List.of("y", "h"),
                        Map.of("hidden_size", new OnnxAttribute.Int(3), "clip", new OnnxAttribute.Real(2),
                                "activations",
                                new OnnxAttribute.Texts(List.of("Relu", "Tanh")), "alphas",
                                new OnnxAttribute.Reals(List.of(1f)), "axes",
                                new OnnxAttribute.Ints(List.of(-1L, 2L)), "value",
                                new OnnxAttribute.TensorValue(shape)));
                OnnxGraph branch = new OnnxGraph("b", List.of(node), List.of(shape), List.of(), List.of(x));
                OnnxNode choice = new OnnxNode("i", "If", "", List.of("c"), List.of("z"),
                        Map.of("then_branch", new OnnxAttribute.Graph(branch), "else_branch",
                                new OnnxAttribute.Graph(branch)));
                return Stream.of(List.of(node), List.of(node, choice), List.<OnnxNode>of())
                        .map(nodes -> new OnnxFile(8, "test", Map.of("", 17L), Map.of("k", "v"),
                                new OnnxGraph("g", nodes, List.of(weights, shape), List.of(x), List.of(x))).toBytes())
                        .toList();
            }

            @Override
            void read(byte[] bytes) throws IOException {
                OnnxFile.parse(FILE, MemorySegment.ofArray(bytes));
            }
        };

        abstract List<String> words();

        abstract List<byte[]> seeds() throws IOException;

        abstract void read(byte[] bytes) throws IOException;
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void anythingIsReadOrRefused(Target target) throws IOException {
        List<byte[]> seeds = target.seeds();
        for (byte[] seed : seeds) {
            outcome(target, seed, "a valid one");
        }
        Mutator mutator = new Mutator(SEED, seeds, target.words());
        Set<String> outcomes = new HashSet<>();
        long end = System.nanoTime() + (long) (SECONDS * 1e9);
        int count = 0;
        for (; System.nanoTime() < end; count++) {
            byte[] input = mutator.next();
            if (outcomes.add(outcome(target, input, "number " + count + " of seed " + SEED))) {
                mutator.keep(input);
            }
        }
        System.out.println(target + ": " + count + " inputs, " + outcomes.size() + " different outcomes, seed " + SEED);
        assertTrue(SECONDS < 1 || outcomes.size() > 5, "the search found nothing but " + outcomes);
    }

    /** Returns what became of an input, without its numbers and names. */
    private static String outcome(Target target, byte[] input, String which) {
        long start = System.nanoTime();
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        String outcome;
        try {
            target.read(input);
            outcome = "read";
        } catch (FormatException e) {
            outcome = e.getMessage();
            assertTrue(outcome.startsWith(FILE.toString()), outcome);
        } catch (Throwable e) {
            throw new AssertionError(described(target, input, which), e);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        allocated = THREADS.getCurrentThreadAllocatedBytes() - allocated;
        if (seconds > MOST_SECONDS || allocated > MOST_BYTES) {
            throw new AssertionError(described(target, input, which) + " took " + seconds + " s and " + allocated
                    + " bytes: " + outcome);
        }
        return outcome.replaceAll("(?s)\".*\"", "\"\"").replaceAll("(?s)\\[.*]", "[]").replaceAll("-?\\d+", "0");
    }

    private static String described(Target target, byte[] input, String which) {
        return target + ", input " + which + ": " + HexFormat.of().formatHex(input);
    }

    private static List<byte[]> models() throws IOException {
        List<byte[]> files = new ArrayList<>();
        Model lstm = Model.builder().embedding(3, 2).lstm(2).dense(3).build();
        Model directions = Model.builder().features(2)
                .bidirectional(CellType.GRU.withBias(CellType.Bias.NONE), 2, Layer.Merge.CONCAT)
                .recurrent(CellType.LSTM.withProjection(1), 3).dense(1).build();
        for (Model model : List.of(lstm, directions)) {
            files.add(described(model));
            files.add(described(model.withPrecision(Precision.INT8)));
            SafeTensors.Writer writer = new SafeTensors.Writer();
            ModelFile.add(writer, model.tensors());
            files.add(written(writer));
        }
        return files;
    }

    private static byte[] described(Model model) throws IOException {
        Path file = Files.createTempFile("fuzz", ".safetensors");
        try {
            ModelFile.write(file, model, null);
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    private static byte[] written(SafeTensors.Writer writer) throws IOException {
        Path file = Files.createTempFile("fuzz", ".safetensors");
        try {
            writer.write(file);
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    private static byte[] array(String type, String shape, int bytes) {
        String header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
        return ("\223NUMPY\1\0" + (char) header.length() + "\0" + header + "\0".repeat(bytes)).getBytes(ISO_8859_1);
    }

    private static Path resource(String name) throws IOException {
        try {
            return Path.of(Objects.requireNonNull(FuzzTest.class.getResource(name)).toURI());
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
    }
}
