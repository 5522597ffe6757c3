package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.State;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Other ways to write the same cells, computed here as they are written, in double precision, and what our weights are then. Outputs err by
 * several 1e-7, the error of twelve steps of sums of some twenty floats; weights that are not translated, by a tenth.
 */
final class NotationsTest {
    private static final double BOUND = 2e-6;
    private static final double WRONG = 1e-2;
    private static final int STEPS = 12;
    private static final int INPUTS = 5;
    private static final int HIDDEN = 19;

    private final RandomGenerator random = new SplittableRandom(Conformance.BOUNDED_SEED);
    private final float[] x = numbers(STEPS * INPUTS, 1);

    private float[] numbers(int count, double scale) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) (scale * (2 * random.nextDouble() - 1));
        }
        return numbers;
    }

    /** PyTorch's tensors of a layer. */
    private static final class Weights {
        private final float[] w;
        private final float[] u;
        private final float[] b;
        private final float[] c;

        Weights(float[] w, float[] u, float[] b, float[] c) {
            this.w = w;
            this.u = u;
            this.b = b;
            this.c = c;
        }

        static Weights random(NotationsTest test, int gates) {
            return new Weights(test.numbers(gates * HIDDEN * INPUTS, 0.5), test.numbers(gates * HIDDEN * HIDDEN, 0.4),
                    test.numbers(gates * HIDDEN, 0.5), test.numbers(gates * HIDDEN, 0.5));
        }

        Weights negated(int gate) {
            return new Weights(negated(w, gate), negated(u, gate), negated(b, gate), negated(c, gate));
        }

        private static float[] negated(float[] weights, int gate) {
            float[] negated = weights.clone();
            int size = weights.length / 3;
            for (int i = gate * size; i < (gate + 1) * size; i++) {
                negated[i] = -weights[i];
            }
            return negated;
        }

        List<NamedArray> tensors() {
            int rows = b.length;
            return List.of(new NamedArray("rnn.weight_ih_l0", List.of(rows, INPUTS), w),
                    new NamedArray("rnn.weight_hh_l0", List.of(rows, HIDDEN), u),
                    new NamedArray("rnn.bias_ih_l0", List.of(rows), b),
                    new NamedArray("rnn.bias_hh_l0", List.of(rows), c));
        }
    }

    // The GRU that takes z of the candidate: h' = (1 - z) * h + z * g, where ours is (1 - z) * g + z * h

    @ParameterizedTest
    @ValueSource(strings = {"gru", "gru-reset-before"})
    void aGruThatMixesTheOtherWayHasTheNegativeOfZ(String label) {
        CellType cell = CellType.of(label);
        Weights theirs = Weights.random(this, 3);
        float[] start = numbers(HIDDEN, 0.9);
        double[] h = doubles(start);
        List<double[]> expected = new ArrayList<>();
        for (int t = 0; t < STEPS; t++) {
            h = mixedTheOtherWay(theirs, input(t), h, cell.equals(CellType.GRU));
            expected.add(h);
        }
        same(cell, theirs.negated(1), start, expected);
        differ(cell, theirs, start, expected);
        differ(cell, theirs.negated(0), start, expected);
    }

    private static double[] mixedTheOtherWay(Weights weights, double[] x, double[] h, boolean resetAfter) {
        double[] fromInput = affine(weights.w, x, weights.b);
        double[] fromState = affine(weights.u, h, weights.c);
        double[] r = new double[HIDDEN];
        double[] z = new double[HIDDEN];
        for (int j = 0; j < HIDDEN; j++) {
            r[j] = sigmoid(fromInput[j] + fromState[j]);
            z[j] = sigmoid(fromInput[HIDDEN + j] + fromState[HIDDEN + j]);
        }
        double[] fromReset = affine(weights.u, product(r, h), weights.c);
        double[] next = new double[HIDDEN];
        for (int j = 0; j < HIDDEN; j++) {
            int n = 2 * HIDDEN + j;
            double g = Math.tanh(fromInput[n] + (resetAfter ? r[j] * fromState[n] : fromReset[n]));
            next[j] = (1 - z[j]) * h[j] + z[j] * g;
        }
        return next;
    }

    // The form whose state is the pre-activation: a_t = U f(a_(t-1)) + W x_t + b. Then h_t = f(a_t), that before the first step included

    @ParameterizedTest
    @ValueSource(strings = {"tanh", "sigmoid", "relu"})
    void hIsTheFunctionOfAStateOfPreActivations(String function) {
        DoubleUnaryOperator f = switch (function) {
            case "tanh" -> Math::tanh;
            case "sigmoid" -> NotationsTest::sigmoid;
            default -> a -> Math.max(a, 0);
        };
        Weights drawn = Weights.random(this, 1);
        Weights weights = new Weights(drawn.w, drawn.u, drawn.b, new float[HIDDEN]);
        float[] start = numbers(HIDDEN, 0.9);
        double[] a = doubles(start);
        List<double[]> states = new ArrayList<>();
        List<double[]> expected = new ArrayList<>();
        for (int t = 0; t < STEPS; t++) {
            double[] fromInput = affine(weights.w, input(t), weights.b);
            double[] fromState = affine(weights.u, Arrays.stream(a).map(f).toArray(), weights.c);
            a = sum(fromInput, fromState);
            states.add(a);
            expected.add(Arrays.stream(a).map(f).toArray());
        }
        float[] startOfH = new float[HIDDEN];
        for (int j = 0; j < HIDDEN; j++) {
            startOfH[j] = (float) f.applyAsDouble(start[j]);
        }
        CellType cell = CellType.of("rnn-" + function);
        same(cell, weights, startOfH, expected);
        differ(cell, weights, startOfH, states);
        differ(cell, weights, start, expected);
    }

    // One matrix on x and h side by side, and one bias

    @Test
    void oneMatrixIsTwo() {
        for (CellType cell : List.of(CellType.RNN_TANH, CellType.LSTM, CellType.GRU_RESET_BEFORE)) {
            float[] matrix = numbers(cell.gates() * HIDDEN * (INPUTS + HIDDEN), 0.45);
            float[] bias = numbers(cell.gates() * HIDDEN, 0.5);
            double[] h = new double[HIDDEN];
            double[] c = new double[HIDDEN];
            List<double[]> expected = new ArrayList<>();
            for (int t = 0; t < STEPS; t++) {
                double[] z = affine(matrix, joined(input(t), h), bias);
                if (cell.equals(CellType.RNN_TANH)) {
                    h = Arrays.stream(z).map(Math::tanh).toArray();
                } else if (cell.equals(CellType.LSTM)) {
                    h = lstm(z, c);
                } else {
                    double[] r = Arrays.stream(z, 0, HIDDEN).map(NotationsTest::sigmoid).toArray();
                    h = gru(z, affine(matrix, joined(input(t), product(r, h)), bias), h);
                }
                expected.add(h);
            }
            float[] zeros = new float[bias.length];
            float[] start = new float[HIDDEN];
            float[] first = columns(matrix, 0, INPUTS);
            float[] second = columns(matrix, INPUTS, INPUTS + HIDDEN);
            same(cell, new Weights(first, second, bias, zeros), start, expected);
            same(cell, new Weights(first, second, zeros, bias), start, expected);
            // As if h came first.
            differ(cell, new Weights(columns(matrix, HIDDEN, INPUTS + HIDDEN), columns(matrix, 0, HIDDEN), bias, zeros),
                    start, expected);
        }
    }

    /** Gates i f g o; writes the new c in place. */
    private static double[] lstm(double[] z, double[] c) {
        double[] h = new double[HIDDEN];
        for (int j = 0; j < HIDDEN; j++) {
            double g = Math.tanh(z[2 * HIDDEN + j]);
            c[j] = sigmoid(z[HIDDEN + j]) * c[j] + sigmoid(z[j]) * g;
            h[j] = sigmoid(z[3 * HIDDEN + j]) * Math.tanh(c[j]);
        }
        return h;
    }

    /** Gates r z n, the last of a product of its own. */
    private static double[] gru(double[] gates, double[] candidate, double[] h) {
        double[] next = new double[HIDDEN];
        for (int j = 0; j < HIDDEN; j++) {
            double z = sigmoid(gates[HIDDEN + j]);
            next[j] = (1 - z) * Math.tanh(candidate[2 * HIDDEN + j]) + z * h[j];
        }
        return next;
    }

    // Plain sums

    private double[] input(int t) {
        return Arrays.copyOfRange(doubles(x), t * INPUTS, (t + 1) * INPUTS);
    }

    private static double[] affine(float[] matrix, double[] v, float[] bias) {
        double[] sums = doubles(bias);
        for (int i = 0; i < matrix.length; i++) {
            sums[i / v.length] += matrix[i] * v[i % v.length];
        }
        return sums;
    }

    private static float[] columns(float[] matrix, int from, int to) {
        int width = INPUTS + HIDDEN;
        float[] columns = new float[matrix.length / width * (to - from)];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = matrix[i / (to - from) * width + from + i % (to - from)];
        }
        return columns;
    }

    private static double[] joined(double[] a, double[] b) {
        double[] joined = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, joined, a.length, b.length);
        return joined;
    }

    private static double[] product(double[] a, double[] b) {
        double[] product = new double[a.length];
        Arrays.setAll(product, i -> a[i] * b[i]);
        return product;
    }

    private static double[] sum(double[] a, double[] b) {
        double[] sum = new double[a.length];
        Arrays.setAll(sum, i -> a[i] + b[i]);
        return sum;
    }

    private static double[] doubles(float[] floats) {
        double[] doubles = new double[floats.length];
        Arrays.setAll(doubles, i -> floats[i]);
        return doubles;
    }

    private static double sigmoid(double a) {
        return 1 / (1 + Math.exp(-a));
    }

    // Ours

    private void same(CellType cell, Weights weights, float[] start, List<double[]> expected) {
        for (String backend : ExactBackends.names().toList()) {
            assertEquals(0, greatestDifference(cell, weights, start, expected, backend), BOUND,
                    () -> backend + ", " + cell.label());
        }
    }

    private void differ(CellType cell, Weights weights, float[] start, List<double[]> expected) {
        assertTrue(greatestDifference(cell, weights, start, expected, "scalar") > WRONG, cell::label);
    }

    private double greatestDifference(CellType cell, Weights weights, float[] start, List<double[]> expected,
            String backend) {
        Model model = Model.of(Model.builder().features(INPUTS).recurrent(cell, HIDDEN).build().layers(),
                weights.tensors()).withBackend(backend);
        State state = model.newState();
        state.setTensors(List.of(new NamedArray("rnn.h_l0", List.of(1, HIDDEN), start)));
        float[] y = new float[STEPS * HIDDEN];
        model.run(x, state, y);
        double greatest = 0;
        for (int i = 0; i < y.length; i++) {
            greatest = Math.max(greatest, Math.abs(y[i] - expected.get(i / HIDDEN)[i % HIDDEN]));
        }
        return greatest;
    }
}
