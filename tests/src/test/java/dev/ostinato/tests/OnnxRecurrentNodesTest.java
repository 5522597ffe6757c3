package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import dev.ostinato.formats.DType;
import dev.ostinato.formats.onnx.OnnxFile;
import dev.ostinato.onnx.OnnxArray;
import dev.ostinato.onnx.OnnxModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * RNN, LSTM and GRU with random attributes, inputs and sizes, against ONNX Runtime. It takes neither batch first nor double precision, so in
 * those cases it computes the same node time first in single precision.
 */
final class OnnxRecurrentNodesTest {
    private static final int NODES = 2000;
    private static final Path NAME = Path.of("node.onnx");
    private static final double EPSILON = 0x1p-24;
    private static final List<String> FUNCTIONS = List.of("Relu", "Tanh", "Sigmoid", "Affine", "LeakyRelu",
            "ThresholdedRelu", "ScaledTanh", "HardSigmoid", "Elu", "Softsign", "Softplus");
    /** Numbers of alpha, or alpha and beta. */
    private static final Map<String, Integer> PARAMETERS = Map.of("Affine", 2, "LeakyRelu", 1, "ThresholdedRelu", 1,
            "ScaledTanh", 2, "HardSigmoid", 2, "Elu", 1);

    /** A random node. Its arrays are time first and of type F32. */
    private static final class Node {
        final SplittableRandom random;
        final String operator;
        final int ways;
        final int gates;
        final int steps;
        final int rows;
        final int inputs;
        final int hidden;
        final List<Object> attributes = new ArrayList<>();
        final Map<String, OnnxArray> arrays = new LinkedHashMap<>();
        /** By place, empty for none. */
        final List<String> names = new ArrayList<>();
        final List<String> outputs = new ArrayList<>();

        Node(long seed) {
            this.random = new SplittableRandom(seed);
            this.operator = List.of("RNN", "LSTM", "GRU").get(random.nextInt(3));
            this.gates = Map.of("RNN", 1, "LSTM", 4, "GRU", 3).get(operator);
            String direction = List.of("forward", "reverse", "bidirectional").get(random.nextInt(3));
            this.ways = direction.equals("bidirectional") ? 2 : 1;
            this.steps = 1 + random.nextInt(8);
            this.rows = 1 + random.nextInt(4);
            this.inputs = 1 + random.nextInt(9);
            this.hidden = random.nextInt(4) == 0 ? 15 + random.nextInt(20) : 1 + random.nextInt(8);
            add("hidden_size", hidden);
            if (ways == 2 || random.nextBoolean()) {
                add("direction", direction);
            }
            if (random.nextInt(3) == 0) {
                functions();
            }
            if (random.nextInt(4) == 0) {
                add("clip", 0.25f + (float) random.nextDouble());
            }
            if (operator.equals("LSTM") && random.nextInt(3) == 0) {
                add("input_forget", 1);
            }
            if (operator.equals("GRU") && random.nextBoolean()) {
                add("linear_before_reset", 1);
            }
            arrays();
            List<String> all = operator.equals("LSTM") ? List.of("Y", "Y_h", "Y_c") : List.of("Y", "Y_h");
            do {
                outputs.clear();
                all.forEach(name -> outputs.add(random.nextInt(4) == 0 ? "" : name));
            } while (outputs.stream().allMatch(String::isEmpty));
        }

        private void add(String name, Object value) {
            attributes.add(name);
            attributes.add(value);
        }

        private void functions() {
            List<String> chosen = new ArrayList<>();
            List<Float> alphas = new ArrayList<>();
            List<Float> betas = new ArrayList<>();
            int each = Map.of("RNN", 1, "LSTM", 3, "GRU", 2).get(operator);
            for (int i = 0; i < each * ways; i++) {
                String name = FUNCTIONS.get(random.nextInt(FUNCTIONS.size()));
                chosen.add(name);
                int parameters = PARAMETERS.getOrDefault(name, 0);
                if (parameters > 0) {
                    // Sometimes below 0, which the kernels do not have.
                    alphas.add((float) (random.nextInt(8) == 0 ? -0.25 : 0.25 + 0.5 * random.nextDouble()));
                }
                if (parameters > 1) {
                    betas.add((float) (0.25 + 0.5 * random.nextDouble()));
                }
            }
            add("activations", chosen);
            if (!alphas.isEmpty()) {
                add("activation_alpha", alphas);
            }
            if (!betas.isEmpty()) {
                add("activation_beta", betas);
            }
        }

        private void arrays() {
            double size = 0.8 / Math.sqrt(hidden);
            input("X", true, normal(1, steps, rows, inputs));
            input("W", true, normal(0.5, ways, gates * hidden, inputs));
            input("R", true, normal(size, ways, gates * hidden, hidden));
            input("B", random.nextInt(4) > 0, normal(0.5, ways, 2 * gates * hidden));
            input("sequence_lens", random.nextInt(3) == 0, OnnxArray.of(DType.I32,
                    random.longs(rows, random.nextInt(4) == 0 ? 0 : 1, steps + 1).toArray(), rows));
            input("initial_h", random.nextBoolean(), normal(1, ways, rows, hidden));
            if (operator.equals("LSTM")) {
                input("initial_c", random.nextBoolean(), normal(1, ways, rows, hidden));
                input("P", random.nextInt(3) == 0, normal(0.5, ways, 3 * hidden));
            }
        }

        private void input(String name, boolean there, OnnxArray array) {
            names.add(there ? name : "");
            if (there) {
                arrays.put(name, array);
            }
        }

        private OnnxArray normal(double deviation, int... shape) {
            float[] data = new float[Arrays.stream(shape).reduce(1, Math::multiplyExact)];
            for (int i = 0; i < data.length; i++) {
                data[i] = (float) (deviation * random.nextGaussian());
            }
            return OnnxArray.of(data, shape);
        }

        /** What a node rounds: a few roundings of each of the sums of T steps, relative to the largest of them. */
        double tolerance(double[] expected) {
            double scale = Math.max(1, Arrays.stream(expected).map(Math::abs).max().orElse(0));
            double terms = Math.ceil(Math.log(inputs + hidden) / Math.log(2)) + 1;
            return 4 * EPSILON * terms * steps * scale;
        }

        /** @param constants names of inputs that are in the file */
        OnnxGraphs graph(Map<String, OnnxArray> given, List<String> constants, DType type, Object... more) {
            OnnxGraphs graph = new OnnxGraphs();
            given.forEach((name, array) -> {
                if (constants.contains(name)) {
                    graph.constant(name, array);
                } else {
                    graph.input(name, array);
                }
            });
            Object[] all = Arrays.copyOf(attributes.toArray(), attributes.size() + more.length);
            System.arraycopy(more, 0, all, attributes.size(), more.length);
            graph.node(operator, names, outputs, all);
            outputs.stream().filter(name -> !name.isEmpty()).forEach(name -> graph.output(name, type));
            return graph;
        }

        Map<String, OnnxArray> expected() throws OrtException {
            OnnxGraphs graph = graph(arrays, List.of("W", "R", "B", "P"), DType.F32);
            return OnnxRuntime.run(graph.file(14, true).toBytes(), graph.inputs());
        }
    }

    private static Map<String, OnnxArray> run(OnnxGraphs graph, int opset) throws IOException {
        OnnxFile file = graph.file(opset, false);
        return OnnxModel.of(NAME, file).run(graph.inputs());
    }

    @Test
    void asInOnnxRuntime() throws Exception {
        double most = 0;
        int compared = 0;
        for (long seed = Conformance.BOUNDED_SEED; compared < NODES; seed++) {
            Node node = new Node(seed);
            Map<String, OnnxArray> expected = node.expected();
            if (expected.values().stream().anyMatch(OnnxRecurrentNodesTest::diverges)) {
                continue;
            }
            compared++;
            List<String> constants = seed % 8 == 0 ? List.of() : List.of("W", "R", "B", "P");
            Map<String, OnnxArray> actual = switch ((int) (seed % 4)) {
                case 0 -> run(node.graph(node.arrays, constants, DType.F32), 7);
                case 1 -> run(node.graph(node.arrays, constants, DType.F32), 22);
                case 2 -> timeFirst(run(node.graph(batchFirst(node.arrays), constants, DType.F32, "layout", 1), 14));
                default -> run(node.graph(doubles(node.arrays), constants, DType.F64), 14);
            };
            most = Math.max(most, difference(node, expected, actual, "seed " + seed + ", " + node.attributes));
        }
        System.out.println("largest difference, of what is tolerated: " + most);
    }

    /** With gates that have no bound a state may grow like an exponential of an exponential, and its rounding errors faster. */
    private static boolean diverges(OnnxArray array) {
        return Arrays.stream(array.toDoubles()).anyMatch(element -> !(Math.abs(element) < 100));
    }

    /** Returns the largest difference, as a share of the tolerance. */
    private static double difference(Node node, Map<String, OnnxArray> expected, Map<String, OnnxArray> actual,
            String what) {
        assertEquals(expected.keySet(), actual.keySet(), what);
        double most = 0;
        for (String name : expected.keySet()) {
            double[] wanted = expected.get(name).toDoubles();
            assertArrayEquals(expected.get(name).shape(), actual.get(name).shape(), what);
            double tolerance = node.tolerance(wanted);
            double[] got = actual.get(name).toDoubles();
            assertArrayEquals(wanted, got, tolerance, what + ", " + node.operator + " " + name);
            for (int i = 0; i < wanted.length; i++) {
                most = Math.max(most, Math.abs(wanted[i] - got[i]) / tolerance);
            }
        }
        return most;
    }

    /** Returns arrays (T, B, I) as (B, T, I), and (D, B, H) as (B, D, H). */
    private static Map<String, OnnxArray> batchFirst(Map<String, OnnxArray> arrays) {
        Map<String, OnnxArray> turned = new LinkedHashMap<>(arrays);
        turned.replaceAll((name, array) -> List.of("X", "initial_h", "initial_c").contains(name)
                ? transposed(array, 1, 0, 2)
                : array);
        return turned;
    }

    /** Returns Y (B, T, D, H) as (T, D, B, H), and (B, D, H) as (D, B, H). */
    private static Map<String, OnnxArray> timeFirst(Map<String, OnnxArray> arrays) {
        Map<String, OnnxArray> turned = new HashMap<>(arrays);
        turned.replaceAll((name, array) -> name.equals("Y") ? transposed(array, 1, 2, 0, 3)
                : transposed(array, 1, 0, 2));
        return turned;
    }

    private static OnnxArray transposed(OnnxArray array, int... order) {
        int[] from = array.shape();
        int[] to = Arrays.stream(order).map(axis -> from[axis]).toArray();
        float[] data = array.toFloats();
        float[] turned = new float[data.length];
        int[] at = new int[to.length];
        for (int i = 0; i < data.length; i++) {
            int rest = i;
            for (int axis = to.length - 1; axis >= 0; axis--) {
                at[order[axis]] = rest % to[axis];
                rest /= to[axis];
            }
            int place = 0;
            for (int axis = 0; axis < from.length; axis++) {
                place = place * from[axis] + at[axis];
            }
            turned[i] = data[place];
        }
        return OnnxArray.of(turned, to);
    }

    private static Map<String, OnnxArray> doubles(Map<String, OnnxArray> arrays) {
        Map<String, OnnxArray> wide = new LinkedHashMap<>(arrays);
        wide.replaceAll((name, array) -> array.type() == DType.F32 ? OnnxArray.of(array.toDoubles(), array.shape())
                : array);
        return wide;
    }

    /** Gates in another order are something else, so the comparison tells. */
    @Test
    void otherGatesAreSeen() throws Exception {
        for (long seed = 0; seed < 100; seed++) {
            Node node = new Node(seed);
            if (node.gates == 1) {
                continue;
            }
            Map<String, OnnxArray> swapped = new LinkedHashMap<>(node.arrays);
            // Not the gate that a coupled cell does not have.
            int block = node.hidden * node.inputs;
            float[] w = node.arrays.get("W").toFloats();
            float[] other = w.clone();
            System.arraycopy(w, 0, other, block, block);
            System.arraycopy(w, block, other, 0, block);
            swapped.put("W", OnnxArray.of(other, node.arrays.get("W").shape()));
            Map<String, OnnxArray> actual = run(node.graph(swapped, List.of("W", "R", "B", "P"), DType.F32), 14);
            Map<String, OnnxArray> expected = node.expected();
            if (node.arrays.containsKey("sequence_lens") || node.attributes.contains("activations")) {
                continue; // may be all zero
            }
            assertThrows(AssertionError.class, () -> difference(node, expected, actual, ""), "seed " + seed);
        }
    }

    /** In double precision nothing is rounded to single: a weight that is not a float comes through. */
    @Test
    void doublesAreNotRounded() throws Exception {
        double x = 1 + 0x1p-40;
        OnnxGraphs graph = new OnnxGraphs().input("X", OnnxArray.of(new double[] {x}, 1, 1, 1))
                .constant("W", OnnxArray.of(new double[] {x}, 1, 1, 1))
                .constant("R", OnnxArray.of(new double[] {0}, 1, 1, 1))
                .node("RNN", List.of("X", "W", "R"), List.of("Y"), "hidden_size", 1, "activations",
                        List.of("Affine"), "activation_alpha", List.of(1f), "activation_beta", List.of(0f))
                .output("Y", DType.F64);
        assertEquals(x * x, run(graph, 14).get("Y").toDoubles()[0]);
        assertTrue(x * x != (float) (x * x));
    }
}
