package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.onnx.OnnxFile;
import dev.ostinato.onnx.OnnxArray;
import dev.ostinato.onnx.OnnxModel;
import dev.ostinato.onnx.OnnxSession;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operator, in the forms that the opsets give it, against ONNX Runtime: with inputs that are given, and folded as constants. */
final class OnnxOperatorsTest {
    private static final Path NAME = Path.of("operator.onnx");
    private static final SplittableRandom RANDOM = new SplittableRandom(Conformance.BOUNDED_SEED);

    /** A node and what it is given; null for an input that is left out. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    record Case(String operator, int opset, List<OnnxArray> inputs, DType type, int outputs, Object... attributes) {
        @Override
        public String toString() {
            return operator + " " + opset + " " + inputs + " " + Arrays.deepToString(attributes);
        }

        OnnxGraphs graph(boolean constant) {
            OnnxGraphs graph = new OnnxGraphs();
            List<String> names = new ArrayList<>();
            for (OnnxArray input : inputs) {
                String name = input == null ? "" : "x" + names.size();
                names.add(name);
                if (input != null && constant && !names.equals(List.of("x0"))) {
                    graph.constant(name, input);
                } else if (input != null) {
                    graph.input(name, input);
                }
            }
            List<String> results = new ArrayList<>();
            for (int i = 0; i < outputs; i++) {
                results.add("y" + i);
            }
            graph.node(operator, names, results, attributes);
            results.forEach(name -> graph.output(name, type));
            return graph;
        }
    }

    private static OnnxArray f(int... shape) {
        float[] data = new float[Arrays.stream(shape).reduce(1, Math::multiplyExact)];
        for (int i = 0; i < data.length; i++) {
            data[i] = (float) RANDOM.nextGaussian();
        }
        return OnnxArray.of(data, shape);
    }

    private static OnnxArray positive(int... shape) {
        float[] data = f(shape).toFloats();
        for (int i = 0; i < data.length; i++) {
            data[i] = Math.abs(data[i]) + 0.1f;
        }
        return OnnxArray.of(data, shape);
    }

    private static OnnxArray d(int... shape) {
        return OnnxArray.of(f(shape).toDoubles(), shape);
    }

    /** Integers of -bound..bound but 0. */
    private static OnnxArray l(int bound, int... shape) {
        return OnnxArray.of(RANDOM.longs(Arrays.stream(shape).reduce(1, Math::multiplyExact), 1, bound + 1)
                .map(v -> RANDOM.nextBoolean() ? v : -v).toArray(), shape);
    }

    private static OnnxArray longs(long... values) {
        return OnnxArray.of(values, values.length);
    }

    private static OnnxArray scalar(float value) {
        return OnnxArray.of(new float[] {value});
    }

    private static OnnxArray booleans(int... shape) {
        return OnnxArray.of(DType.BOOL,
                RANDOM.longs(Arrays.stream(shape).reduce(1, Math::multiplyExact), 0, 2).toArray(),
                shape);
    }

    private static Case one(String operator, int opset, OnnxArray x, Object... attributes) {
        return new Case(operator, opset, List.of(x), x.type(), 1, attributes);
    }

    private static Case some(String operator, int opset, List<OnnxArray> inputs, Object... attributes) {
        return new Case(operator, opset, inputs, inputs.getFirst().type(), 1, attributes);
    }

    private static Case to(DType type, String operator, int opset, List<OnnxArray> inputs, Object... attributes) {
        return new Case(operator, opset, inputs, type, 1, attributes);
    }

    static Stream<Case> cases() {
        return Stream.of(unary(), binary(), products(), reductions(), movements()).flatMap(List::stream);
    }

    private static List<Case> unary() {
        List<Case> cases = new ArrayList<>();
        for (String operator : List.of("Exp", "Tanh", "Sigmoid", "Softplus", "Relu", "LeakyRelu", "HardSigmoid", "Elu",
                "Softsign", "Reciprocal", "Floor", "Ceil", "Neg", "Abs", "Identity")) {
            cases.add(one(operator, 14, f(3, 37)));
        }
        for (String operator : List.of("Exp", "Tanh", "Sigmoid", "Relu", "Neg", "Abs", "Floor", "Sqrt", "Log")) {
            cases.add(one(operator, 14, OnnxArray.of(positive(5, 3).toDoubles(), 5, 3)));
        }
        cases.addAll(List.of(one("Log", 14, positive(3, 37)), one("Sqrt", 14, positive(4)),
                one("LeakyRelu", 16, f(9), "alpha", -0.5f), one("Elu", 7, f(9), "alpha", 1.5f),
                one("HardSigmoid", 22, f(2, 9), "alpha", 0.3f, "beta", 0.4f), one("Neg", 13, l(9, 5)),
                one("Abs", 13, l(9, 5)), one("Not", 7, booleans(3, 3)),
                one("Clip", 7, f(3, 5), "min", -0.5f, "max", 0.25f),
                some("Clip", 13, Arrays.asList(f(3, 5), null, scalar(0.5f))),
                some("Clip", 13, List.of(f(3, 5), scalar(-0.25f))),
                some("Clip", 12, List.of(l(9, 7), OnnxArray.of(new long[] {-2}), OnnxArray.of(new long[] {5}))),
                to(DType.I64, "Cast", 13, List.of(f(20)), "to", 7), to(DType.I32, "Cast", 9, List.of(l(9, 5)), "to", 6),
                to(DType.BOOL, "Cast", 13, List.of(f(5)), "to", 9),
                to(DType.F64, "Cast", 19, List.of(f(5)), "to", 11),
                to(DType.F32, "Cast", 13, List.of(booleans(5)), "to", 1),
                one("Dropout", 7, f(5)), one("Dropout", 10, f(5), "ratio", 0.4f), one("Dropout", 13, f(5))));
        return cases;
    }

    private static List<Case> binary() {
        List<Case> cases = new ArrayList<>();
        int[][][] pairs = {{{3, 4}, {3, 4}}, {{3, 4}, {}}, {{}, {2, 3}}, {{2, 3, 4}, {3, 1}}, {{4, 1, 3}, {5, 1}},
            {{2, 1, 3, 1}, {1, 4, 1, 5}}, {{5}, {3, 1, 5}}};
        for (int[][] pair : pairs) {
            for (String operator : List.of("Add", "Sub", "Mul", "Div")) {
                cases.add(some(operator, 14, List.of(f(pair[0]), f(pair[1]))));
                cases.add(some(operator, 7, List.of(l(50, pair[0]), l(7, pair[1]))));
            }
            cases.add(some("Sub", 14, List.of(d(pair[0]), d(pair[1]))));
            cases.add(some("Pow", 13, List.of(positive(pair[0]), f(pair[1]))));
            cases.add(some("Max", 13, List.of(f(pair[0]), f(pair[1]), f(1))));
            cases.add(some("Min", 12, List.of(l(9, pair[0]), l(9, pair[1]))));
            for (String operator : List.of("Equal", "Greater", "Less")) {
                cases.add(to(DType.BOOL, operator, 13, List.of(l(2, pair[0]), l(2, pair[1]))));
                cases.add(to(DType.BOOL, operator, 11, List.of(f(pair[0]), f(pair[1]))));
            }
            cases.add(to(DType.BOOL, "LessOrEqual", 16, List.of(l(2, pair[0]), l(2, pair[1]))));
            cases.add(to(DType.BOOL, "GreaterOrEqual", 12, List.of(f(pair[0]), f(pair[1]))));
            for (String operator : List.of("And", "Or", "Xor")) {
                cases.add(some(operator, 7, List.of(booleans(pair[0]), booleans(pair[1]))));
            }
            cases.add(to(DType.F32, "Where", 16, List.of(booleans(pair[0]), f(pair[1]), f(1))));
            cases.add(to(DType.I64, "Where", 9, List.of(booleans(pair[1]), l(9, pair[0]), l(9, pair[1]))));
        }
        cases.add(some("Pow", 13, List.of(f(3, 4), scalar(2))));
        cases.add(some("Pow", 12, List.of(f(3, 4), OnnxArray.of(new long[] {3}))));
        cases.add(some("Sum", 13, List.of(f(3, 4), f(4), f(3, 1))));
        return cases;
    }

    private static List<Case> products() {
        List<Case> cases = new ArrayList<>();
        int[][][] pairs = {{{3, 5}, {5, 17}}, {{5}, {5, 3}}, {{2, 5}, {5}}, {{5}, {5}}, {{2, 3, 5}, {5, 4}},
            {{2, 3, 5}, {2, 5, 4}}, {{4, 1, 3, 5}, {2, 5, 2}}, {{3, 5}, {2, 5, 4}}};
        for (int[][] pair : pairs) {
            cases.add(some("MatMul", 13, List.of(f(pair[0]), f(pair[1]))));
            cases.add(some("MatMul", 9, List.of(d(pair[0]), d(pair[1]))));
        }
        cases.addAll(List.of(some("Gemm", 13, List.of(f(3, 5), f(5, 18), f(18))),
                some("Gemm", 13, List.of(f(3, 5), f(4, 5)), "transB", 1),
                some("Gemm", 11, List.of(f(5, 3), f(5, 4), f(3, 1)), "transA", 1, "alpha", 0.5f, "beta", 2f),
                some("Gemm", 7, List.of(f(5, 3), f(4, 5), f(3, 4)), "transA", 1, "transB", 1, "beta", 0f),
                some("Gemm", 13, List.of(d(3, 5), d(5, 4), d(4))),
                some("Conv", 11, List.of(f(2, 3, 20), f(5, 3, 4), f(5))),
                some("Conv", 11, List.of(f(1, 3, 20), f(5, 3, 4)), "strides", List.of(3), "pads", List.of(2, 1)),
                some("Conv", 22, List.of(f(2, 4, 20), f(6, 2, 3), f(6)), "group", 2, "dilations", List.of(2)),
                some("Conv", 7, List.of(f(2, 4, 11), f(4, 1, 3)), "group", 4, "kernel_shape", List.of(3), "auto_pad",
                        "SAME_UPPER"),
                some("Conv", 11, List.of(f(2, 4, 12), f(5, 4, 4)), "auto_pad", "SAME_LOWER", "strides", List.of(2)),
                some("Conv", 11, List.of(f(2, 4, 12), f(5, 4, 4)), "auto_pad", "VALID"),
                some("BatchNormalization", 9, List.of(f(2, 3, 4), f(3), f(3), f(3), positive(3))),
                some("BatchNormalization", 15, List.of(f(4, 3), f(3), f(3), f(3), positive(3)), "epsilon", 0.01f),
                some("LayerNormalization", 17, List.of(f(2, 3, 8), f(8), f(8))),
                some("LayerNormalization", 17, List.of(f(2, 3, 8), f(3, 8)), "axis", 1, "epsilon", 0.01f)));
        return cases;
    }

    private static List<Case> reductions() {
        List<Case> cases = new ArrayList<>();
        for (String operator : List.of("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSumSquare", "ReduceL2")) {
            cases.add(one(operator, 13, f(2, 3, 4), "axes", List.of(-1), "keepdims", 0));
            cases.add(one(operator, 11, f(2, 3, 4), "axes", List.of(0, 2)));
            cases.add(some(operator, 18, List.of(f(2, 3, 4), longs(1))));
            cases.add(one(operator, 7, f(2, 3, 4)));
        }
        for (int axis = -3; axis < 3; axis++) {
            cases.add(one("Softmax", 13, f(2, 3, 4), "axis", axis));
            cases.add(one("LogSoftmax", 13, f(2, 3, 4), "axis", axis));
            cases.add(one("Softmax", 7, f(2, 3, 4), "axis", Math.max(0, axis)));
            cases.add(one("Softmax", 13, d(2, 3, 4), "axis", axis));
            cases.add(to(DType.I64, "ArgMax", 13, List.of(f(2, 3, 4)), "axis", axis));
        }
        cases.addAll(
                List.of(one("Softmax", 13, f(5, 40)), one("LogSoftmax", 11, f(5, 40)), one("Softmax", 9, f(2, 3, 4)),
                        one("ReduceSum", 11, f(2, 3, 4), "axes", List.of(1)),
                        some("ReduceSum", 13, List.of(f(2, 3, 4), longs(0, -1)), "keepdims", 0),
                        some("ReduceSum", 13, Arrays.asList(f(2, 3, 4), null), "noop_with_empty_axes", 1),
                        some("ReduceSum", 13, List.of(l(9, 2, 3), longs(1))),
                        to(DType.I64, "ArgMax", 12, List.of(f(2, 3, 4)), "axis", 1, "keepdims", 0),
                        to(DType.I64, "ArgMin", 13, List.of(l(2, 5, 6)), "axis", 1),
                        to(DType.I64, "ArgMax", 13, List.of(l(2, 5, 6)), "axis", 1, "select_last_index", 1)));
        return cases;
    }

    private static List<Case> movements() {
        List<Case> cases = new ArrayList<>();
        for (int opset : List.of(9, 11)) {
            boolean attributes = opset < 10;
            Object[][] slices = {{List.of(1), List.of(3), List.of(1)}, {List.of(-2), List.of(1L << 40), List.of(2)},
                {List.of(0, 1), List.of(2, -1), List.of(0, -1)}, {List.of(5), List.of(9), List.of(0)}};
            for (Object[] slice : slices) {
                cases.add(attributes
                        ? one("Slice", opset, f(4, 3, 5), "starts", slice[0], "ends", slice[1], "axes", slice[2])
                        : some("Slice", opset, List.of(f(4, 3, 5), integers(slice[0]), integers(slice[1]),
                                integers(slice[2]))));
            }
        }
        for (String mode : List.of("constant", "reflect", "edge")) {
            cases.add(some("Pad", 13, List.of(f(3, 4), longs(0, 2, 1, 3)), "mode", mode));
            cases.add(one("Pad", 7, f(3, 4), "mode", mode, "pads", List.of(1, 0, 0, 2)));
        }
        cases.addAll(List.of(
                some("Slice", 13, List.of(f(4, 6), longs(-1), longs(Long.MIN_VALUE + 1), longs(1), longs(-2))),
                some("Slice", 13, List.of(f(4, 6), longs(1, 0), longs(4, 6), longs(0, 1), longs(2, 3))),
                some("Slice", 10, List.of(l(9, 4, 6), longs(1, 2), longs(3, 6))),
                some("Pad", 13, List.of(f(3, 4), longs(1, 0, 0, -2), scalar(7))),
                some("Pad", 18, List.of(l(9, 3, 4), longs(1, 2), OnnxArray.of(new long[] {5}), longs(-1))),
                some("Pad", 19, List.of(f(3, 4), longs(0, 3, 0, 1)), "mode", "wrap"),
                one("Transpose", 13, f(2, 3, 4)), one("Transpose", 13, f(2, 3, 4), "perm", List.of(1, 0, 2)),
                one("Transpose", 13, l(9, 2, 1, 4), "perm", List.of(1, 2, 0)),
                some("Reshape", 13, List.of(f(2, 3, 4), longs(0, -1))),
                some("Reshape", 14, List.of(f(2, 3, 4), longs(4, 3, 2)), "allowzero", 1),
                one("Flatten", 13, f(2, 3, 4)),
                one("Flatten", 11, f(2, 3, 4), "axis", -1), one("Flatten", 9, f(2, 3, 4), "axis", 0),
                one("Squeeze", 11, f(1, 3, 1), "axes", List.of(0)), one("Squeeze", 7, f(1, 3, 1)),
                some("Squeeze", 13, List.of(f(1, 3, 1), longs(-1))), one("Squeeze", 13, f(1, 3, 1)),
                one("Unsqueeze", 11, f(3), "axes", List.of(0, 2)),
                some("Unsqueeze", 13, List.of(f(3, 2), longs(-1, 0))),
                some("Expand", 13, List.of(f(3, 1), longs(2, 1, 4))), some("Expand", 8, List.of(f(3, 4), longs(1))),
                some("Tile", 13, List.of(f(2, 3), longs(2, 3))),
                some("Concat", 13, List.of(f(2, 3), f(2, 2)), "axis", 1),
                some("Concat", 11, List.of(l(9, 2, 3), l(9, 1, 3)), "axis", -2),
                new Case("Split", 11, List.of(f(4, 6)), DType.F32, 2, "axis", 1, "split", List.of(2, 4)),
                new Case("Split", 13, List.of(f(4, 6), longs(1, 3)), DType.F32, 2),
                new Case("Split", 13, List.of(f(4, 6)), DType.F32, 3, "axis", -1),
                new Case("Split", 18, List.of(f(4, 7)), DType.F32, 3, "axis", 1, "num_outputs", 3),
                some("Gather", 13, List.of(f(5, 3), l(4, 2, 2))),
                some("Gather", 13, List.of(f(2, 5, 3), l(4, 4)), "axis", 1),
                some("Gather", 9, List.of(f(4), OnnxArray.of(new long[] {2}))),
                to(DType.I64, "Shape", 13, List.of(f(2, 3, 4))),
                to(DType.I64, "Shape", 15, List.of(f(2, 3, 4)), "start", -2, "end", 2),
                to(DType.I64, "Size", 13, List.of(f(2, 3, 4))),
                to(DType.I64, "ConstantOfShape", 9, List.of(longs(2, 3)), "value", longs(7)),
                to(DType.F32, "ConstantOfShape", 9, List.of(longs(4))),
                to(DType.F32, "Range", 11, List.of(scalar(1), scalar(3), scalar(0.3f))),
                to(DType.I64, "Range", 11, List.of(OnnxArray.of(new long[] {9}), OnnxArray.of(new long[] {-2}),
                        OnnxArray.of(new long[] {-3}))),
                to(DType.F32, "Constant", 13, List.of(), "value", f(2, 3)),
                to(DType.F32, "Constant", 13, List.of(), "value_floats", List.of(1f, 2f)),
                to(DType.I64, "Constant", 13, List.of(), "value_int", 5),
                to(DType.I64, "Constant", 13, List.of(), "value_ints", List.of(5, 6))));
        return cases;
    }

    private static OnnxArray integers(Object list) {
        return longs(((List<?>) list).stream().mapToLong(n -> ((Number) n).longValue()).toArray());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void asInOnnxRuntime(Case c) throws Exception {
        Map<String, OnnxArray> expected = OnnxRuntime.run(c.graph(true).file(c.opset, true).toBytes(),
                c.graph(true).inputs());
        for (boolean constant : new boolean[] {true, false}) {
            OnnxGraphs graph = c.graph(constant);
            OnnxSession session = OnnxModel.of(NAME, graph.file(c.opset, false)).newSession();
            equal(expected, session.run(graph.inputs()));
            equal(expected, session.run(graph.inputs())); // nothing is left behind
        }
    }

    private static void equal(Map<String, OnnxArray> expected, Map<String, OnnxArray> actual) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, array) -> {
            assertArrayEquals(array.shape(), actual.get(name).shape());
            assertEquals(array.type(), actual.get(name).type());
            double[] wanted = array.toDoubles();
            double scale = Math.max(1, Arrays.stream(wanted).map(Math::abs).max().orElse(0));
            double tolerance = !array.type().isFloat() ? 0 : array.type() == DType.F64 ? 1e-12 : 2e-6;
            assertArrayEquals(wanted, actual.get(name).toDoubles(), tolerance * scale, name);
        });
    }

    /** What a branch depends on, and a shape, becomes part of the plan; other values have another. */
    @Test
    void branchesAndShapesThatDependOnInputs() throws Exception {
        OnnxGraphs then = new OnnxGraphs().node("Neg", List.of("x"), List.of("then")).output("then", DType.F32);
        OnnxGraphs otherwise = new OnnxGraphs()
                .constant("two", OnnxArray.of(new long[] {2}, 1)).constant("zero", OnnxArray.of(new long[] {0}, 1))
                .node("Slice", List.of("x", "zero", "end"), List.of("otherwise")).output("otherwise", DType.F32);
        OnnxArray x = f(5, 2);
        for (long rate : new long[] {8000, 16000}) {
            for (long end : new long[] {2, 4}) {
                OnnxGraphs graph = new OnnxGraphs().input("x", x).input("rate", OnnxArray.of(new long[] {rate}))
                        .input("end", OnnxArray.of(new long[] {end}, 1))
                        .constant("high", OnnxArray.of(new long[] {16000}))
                        .node("Equal", List.of("rate", "high"), List.of("is"))
                        .node("If", List.of("is"), List.of("y"), "then_branch", then.branch(), "else_branch",
                                otherwise.branch())
                        .output("y", DType.F32);
                OnnxFile file = graph.file(13, false);
                equal(OnnxRuntime.run(file.toBytes(), graph.inputs()), OnnxModel.of(NAME, file).run(graph.inputs()));
            }
        }
    }

    /** What is there for a shape alone is not computed. */
    @Test
    void shapesCostNothing() throws Exception {
        OnnxGraphs graph = new OnnxGraphs().input("x", f(2, 3, 4)).constant("one", longs(1))
                .constant("minus", longs(-1))
                .constant("zero", longs(0))
                .node("Exp", List.of("x"), List.of("e")).node("Shape", List.of("e"), List.of("s"))
                .node("Slice", List.of("s", "zero", "one"), List.of("first"))
                .node("Concat", List.of("first", "minus"), List.of("to"), "axis", 0)
                .node("Reshape", List.of("x", "to"), List.of("flat")).node("Tanh", List.of("flat"), List.of("y"))
                .output("y", DType.F32);
        OnnxSession session = OnnxModel.of(NAME, graph.file(13, false)).newSession();
        assertEquals(List.of("node \"of y\" (Tanh)"), session.prepare(graph.inputs()).steps());
        equal(OnnxRuntime.run(graph.file(13, false).toBytes(), graph.inputs()), session.run(graph.inputs()));
    }

    /** Graphs of random nodes: values share memory, and none is overwritten before it is read. */
    @Test
    void randomGraphs() throws Exception {
        for (long seed = 0; seed < 300; seed++) {
            OnnxGraphs graph = new RandomGraph(seed).graph;
            byte[] bytes = graph.file(13, false).toBytes();
            Map<String, OnnxArray> actual = OnnxModel.of(NAME, graph.file(13, false)).run(graph.inputs());
            try {
                equal(OnnxRuntime.run(bytes, graph.inputs()), actual);
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    /** Values (2, 4, 3) or (2, 4, 6), and nodes that make more of them. */
    private static final class RandomGraph {
        final SplittableRandom random;
        final OnnxGraphs graph = new OnnxGraphs();
        final Map<String, Integer> widths = new LinkedHashMap<>();

        RandomGraph(long seed) {
            this.random = new SplittableRandom(seed);
            graph.input("a", f(2, 4, 3)).input("b", f(2, 4, 6));
            widths.put("a", 3);
            widths.put("b", 6);
            int nodes = 3 + random.nextInt(12);
            for (int i = 0; i < nodes; i++) {
                add("v" + i);
            }
            List<String> names = new ArrayList<>(widths.keySet());
            graph.output(names.getLast(), DType.F32);
            String other = names.get(2 + random.nextInt(names.size() - 2));
            if (!other.equals(names.getLast())) {
                graph.output(other, DType.F32);
            }
        }

        private String any(int width) {
            List<String> fitting = widths.keySet().stream().filter(name -> widths.get(name) == width).toList();
            return fitting.get(random.nextInt(fitting.size()));
        }

        private void add(String y) {
            int width = random.nextBoolean() ? 3 : 6;
            String x = any(width);
            int result = width;
            switch (random.nextInt(10)) {
                case 0 -> graph.node(List.of("Tanh", "Sigmoid", "Relu", "Softsign").get(random.nextInt(4)), List.of(x),
                        List.of(y));
                case 1 -> graph.node(List.of("Add", "Sub", "Mul").get(random.nextInt(3)), List.of(x, any(width)),
                        List.of(y));
                case 2 -> graph.node("Softmax", List.of(x), List.of(y), "axis", random.nextInt(3));
                case 3 -> {
                    graph.constant(y + "w", scaled(0.5f, width, 9 - width)).node("MatMul", List.of(x, y + "w"),
                            List.of(y));
                    result = 9 - width;
                }
                case 4 -> graph.node("Transpose", List.of(x), List.of(y + "t"), "perm", List.of(1, 0, 2))
                        .constant(y + "s", longs(2, 4, width)).node("Reshape", List.of(y + "t", y + "s"), List.of(y));
                case 5 -> {
                    graph.node("Split", List.of(any(6)), List.of(y, y + "b"), "axis", 2);
                    widths.put(y + "b", 3);
                    result = 3;
                }
                case 6 -> {
                    graph.node("Concat", List.of(any(3), any(3)), List.of(y), "axis", 2);
                    result = 6;
                }
                case 7 -> graph.node("ReduceMean", List.of(x), List.of(y + "m"), "axes", List.of(1))
                        .node("Sub", List.of(x, y + "m"), List.of(y));
                case 8 -> {
                    graph.constant(y + "p", longs(0, 1, 0, 0, -1, 0)).node("Pad", List.of(x, y + "p"), List.of(y));
                }
                default -> {
                    String operator = List.of("RNN", "GRU", "LSTM").get(random.nextInt(3));
                    int gates = Map.of("RNN", 1, "GRU", 3, "LSTM", 4).get(operator);
                    graph.constant(y + "w", scaled(0.5f, 1, gates * 6, width))
                            .constant(y + "r", scaled(0.3f, 1, gates * 6, 6))
                            .node(operator, List.of(x, y + "w", y + "r"), List.of(y + "4"), "hidden_size", 6)
                            .constant(y + "a", longs(1)).node("Squeeze", List.of(y + "4", y + "a"), List.of(y));
                    result = 6;
                }
            }
            widths.put(y, result);
        }

        private static OnnxArray scaled(float factor, int... shape) {
            float[] data = f(shape).toFloats();
            for (int i = 0; i < data.length; i++) {
                data[i] *= factor;
            }
            return OnnxArray.of(data, shape);
        }
    }

    @Test
    void largeRequestsAreRefused() throws Exception {
        OnnxGraphs graph = new OnnxGraphs().input("x", longs(2_000_000_000))
                .node("ConstantOfShape", List.of("x"), List.of("y")).output("y", DType.F32);
        OnnxModel model = OnnxModel.of(NAME, graph.file(13, false));
        IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class,
                () -> model.run(graph.inputs()));
        assertTrue(refusal.getMessage().contains("node \"of y\" (ConstantOfShape): expected at most"),
                refusal.getMessage());
    }
}
