package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.AdamStep;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The scalar backend computes what the textbooks say: {@link DoubleReference} within the rounding of floats.
 *
 * <p>Error model, with u = 2^-24 the rounding of one operation:
 * <ul>
 * <li>a sum of K terms in any order: {@code (K + 1) u} times the sum of the terms' magnitudes, its starting value included;
 * <li>an elementwise formula on operands of magnitude about 1: {@link #ELEMENTWISE} {@code (1 + |result|)}. Each function in it errs by
 * 4 u relatively at most and each of the ten operations by u, on values of a few units;
 * <li>a softmax: relatively u per unit of the exponent's argument, for rounding that, plus the sum's.
 * </ul>
 */
final class DoubleReferenceTest {
    private static final double U = 0x1p-24;
    private static final double ELEMENTWISE = 32 * U;
    private static final int ROWS = 5;
    private static final int UNITS = 48;

    private final Kernels kernels = Backends.kernels("scalar");
    private final SplittableRandom random = new SplittableRandom(20250101);

    private Matrix normal(int rows, int columns) {
        Matrix matrix = Matrix.of(rows, columns);
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < columns; j++) {
                matrix.set(r, j, (float) random.nextGaussian());
            }
        }
        return matrix;
    }

    private static Matrix copy(Matrix matrix) {
        return Matrix.of(matrix.toArray());
    }

    private static void near(double expected, float actual) {
        double magnitude = Double.isNaN(expected) ? 0 : Math.abs(expected); // a tolerance must be a number
        assertEquals(expected, actual, ELEMENTWISE * (1 + magnitude));
    }

    // Products

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void multiplyAdd(int gates) {
        int inputs = 37;
        int units = 70;
        Matrix a = normal(ROWS, inputs);
        PackedMatrix w = weights(inputs, gates, units);
        Matrix before = normal(ROWS, w.outputs());
        Matrix out = copy(before);
        kernels.multiplyAdd(a, w, out);
        for (int r = 0; r < ROWS; r++) {
            for (int g = 0; g < gates; g++) {
                for (int h = 0; h < units; h++) {
                    int column = g * Matrix.padded(units) + h;
                    Sum sum = new Sum(before.get(r, column));
                    for (int k = 0; k < inputs; k++) {
                        sum.add((double) a.get(r, k) * w.get(k, g, h));
                    }
                    sum.check(out.get(r, column));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void weightGradient(int gates) {
        int rows = 29;
        int inputs = 11;
        int units = 70;
        Matrix a = normal(rows, inputs);
        PackedMatrix before = weights(inputs, gates, units);
        PackedMatrix dw = PackedMatrix.view(before.memory().copy(), 0, inputs, gates, units);
        Matrix dz = normal(rows, dw.outputs());
        kernels.weightGradient(a, dz, dw);
        for (int k = 0; k < inputs; k++) {
            for (int g = 0; g < gates; g++) {
                for (int h = 0; h < units; h++) {
                    Sum sum = new Sum(before.get(k, g, h));
                    for (int r = 0; r < rows; r++) {
                        sum.add((double) a.get(r, k) * dz.get(r, g * Matrix.padded(units) + h));
                    }
                    sum.check(dw.get(k, g, h));
                }
            }
        }
    }

    private PackedMatrix weights(int inputs, int gates, int units) {
        PackedMatrix w = PackedMatrix.of(inputs, gates, units);
        for (int k = 0; k < inputs; k++) {
            for (int g = 0; g < gates; g++) {
                for (int h = 0; h < units; h++) {
                    w.set(k, g, h, (float) random.nextGaussian());
                }
            }
        }
        return w;
    }

    /** A sum in double, and how far a float sum of the same terms may be from it. */
    private static final class Sum {
        private double value;
        private double magnitude;
        private int terms;

        Sum(double start) {
            add(start);
        }

        void add(double term) {
            value += term;
            magnitude += Math.abs(term);
            terms++;
        }

        void check(float actual) {
            assertEquals(value, actual, (terms + 1) * U * magnitude);
        }
    }

    // Sums and tables

    @Test
    void columnSums() {
        Matrix x = normal(23, 19);
        Matrix before = normal(1, 19);
        Matrix sums = copy(before);
        kernels.columnSums(x, sums);
        for (int j = 0; j < x.columns(); j++) {
            Sum sum = new Sum(before.get(0, j));
            for (int r = 0; r < x.rows(); r++) {
                sum.add(x.get(r, j));
            }
            sum.check(sums.get(0, j));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16, 100, 1009})
    void sumOfSquares(int columns) {
        Matrix x = normal(1, columns);
        Sum sum = new Sum(0);
        for (int j = 0; j < columns; j++) {
            sum.add((double) x.get(0, j) * x.get(0, j));
        }
        sum.check(kernels.sumOfSquares(x));
    }

    @Test
    void scatterAdd() {
        int[] indices = {3, 0, 3, 3, 1};
        Matrix x = normal(indices.length, 19);
        Matrix before = normal(5, 19);
        Matrix table = copy(before);
        kernels.scatterAdd(x, Indices.of(indices), table);
        for (int v = 0; v < table.rows(); v++) {
            for (int j = 0; j < table.columns(); j++) {
                Sum sum = new Sum(before.get(v, j));
                for (int r = 0; r < indices.length; r++) {
                    if (indices[r] == v) {
                        sum.add(x.get(r, j));
                    }
                }
                sum.check(table.get(v, j));
            }
        }
    }

    /** Columns of weights are the product with rows that are 1 at the index and 0 elsewhere. */
    @Test
    void oneHotRows() {
        int[] indices = {3, 0, 3, 3, 1};
        Matrix hot = Matrix.of(indices.length, 7);
        for (int r = 0; r < indices.length; r++) {
            hot.set(r, indices[r], 1f);
        }
        PackedMatrix w = weights(7, 3, 21);
        Matrix expected = normal(indices.length, w.outputs());
        Matrix actual = copy(expected);
        kernels.multiplyAdd(hot, w, expected);
        kernels.addInputs(w, Indices.of(indices), actual);
        for (int r = 0; r < indices.length; r++) {
            for (int j = 0; j < w.outputs(); j++) {
                near(expected.get(r, j), actual.get(r, j));
            }
        }

        PackedMatrix dw = PackedMatrix.view(w.memory().copy(), 0, 7, 3, 21);
        kernels.weightGradient(hot, actual, w);
        kernels.scatterAddInputs(actual, Indices.of(indices), dw);
        for (int k = 0; k < 7; k++) {
            for (int g = 0; g < 3; g++) {
                for (int h = 0; h < 21; h++) {
                    near(w.get(k, g, h), dw.get(k, g, h));
                }
            }
        }
    }

    // Cells

    /** A check of one element of a cell. */
    @FunctionalInterface
    private interface Element {
        void check(int row, int unit);
    }

    private static void forEachElement(Element element) {
        for (int r = 0; r < ROWS; r++) {
            for (int j = 0; j < UNITS; j++) {
                element.check(r, j);
            }
        }
    }

    private static float gate(Matrix z, int gate, int row, int unit) {
        return z.get(row, gate * UNITS + unit);
    }

    static List<Activation> activations() {
        return Variants.ACTIVATIONS;
    }

    /** With central differences for the slopes, away from the kinks and from the ends of clips. */
    @ParameterizedTest
    @MethodSource("activations")
    void rnn(Activation f) {
        Matrix z = normal(ROWS, UNITS);
        Matrix h = Matrix.of(ROWS, UNITS);
        Matrix dh = normal(ROWS, UNITS);
        Matrix dz = Matrix.of(ROWS, UNITS);
        kernels.rnnForward(f, z, h);
        kernels.rnnBackward(f, h, dh, dz);
        DoubleUnaryOperator function = x -> DoubleReference.activation(f, x);
        forEachElement((r, j) -> {
            near(function.applyAsDouble(z.get(r, j)), h.get(r, j));
            if (DoubleReference.kink(f, z.get(r, j)) > 1e-5) {
                double slope = differential(function, z.get(r, j));
                assertEquals(dh.get(r, j) * slope, dz.get(r, j), 1e-5 * (1 + Math.abs(dh.get(r, j))));
            }
        });
    }

    @Test
    void noSlopeAtTheEndsOfAClip() {
        Matrix z = Matrix.of(1, 16);
        Matrix h = Matrix.of(1, 16);
        Matrix dh = Matrix.of(1, 16);
        Matrix dz = Matrix.of(1, 16);
        for (int j = 0; j < 16; j++) {
            z.set(0, j, (j - 7) * 0.25f);
            dh.set(0, j, 1);
        }
        kernels.rnnForward(Activation.IDENTITY.withClip(1), z, h);
        kernels.rnnBackward(Activation.IDENTITY.withClip(1), h, dh, dz);
        for (int j = 0; j < 16; j++) {
            assertEquals(Math.clamp(z.get(0, j), -1, 1), h.get(0, j));
            assertEquals(Math.abs(z.get(0, j)) < 1 ? 1 : 0, dz.get(0, j));
        }
    }

    @Test
    void lstm() {
        Matrix before = normal(ROWS, 4 * UNITS);
        Matrix z = copy(before);
        Matrix cPrevious = normal(ROWS, UNITS);
        Matrix c = Matrix.of(ROWS, UNITS);
        Matrix h = Matrix.of(ROWS, UNITS);
        kernels.lstmForward(z, cPrevious, c, h);
        Matrix dh = normal(ROWS, UNITS);
        Matrix dcBefore = normal(ROWS, UNITS);
        Matrix dc = copy(dcBefore);
        Matrix dz = copy(z);
        kernels.lstmBackward(dz, cPrevious, c, dh, dc);
        forEachElement((r, j) -> {
            DoubleReference.Lstm want = DoubleReference.lstm(gate(before, 0, r, j), gate(before, 1, r, j),
                    gate(before, 2, r, j), gate(before, 3, r, j), cPrevious.get(r, j));
            near(want.i(), gate(z, 0, r, j));
            near(want.f(), gate(z, 1, r, j));
            near(want.g(), gate(z, 2, r, j));
            near(want.o(), gate(z, 3, r, j));
            near(want.c(), c.get(r, j));
            near(want.h(), h.get(r, j));
            DoubleReference.LstmGradient gradient =
                    DoubleReference.lstmBackward(want, cPrevious.get(r, j), dh.get(r, j), dcBefore.get(r, j));
            near(gradient.zi(), gate(dz, 0, r, j));
            near(gradient.zf(), gate(dz, 1, r, j));
            near(gradient.zg(), gate(dz, 2, r, j));
            near(gradient.zo(), gate(dz, 3, r, j));
            near(gradient.cPrevious(), dc.get(r, j));
        });
    }

    @Test
    void gruResetAfter() {
        Matrix before = normal(ROWS, 4 * UNITS);
        Matrix z = copy(before);
        Matrix hPrevious = normal(ROWS, UNITS);
        Matrix h = Matrix.of(ROWS, UNITS);
        kernels.gruForward(z, hPrevious, h);
        Matrix dh = normal(ROWS, UNITS);
        Matrix accumulated = normal(ROWS, UNITS);
        Matrix dhPrevious = copy(accumulated);
        Matrix dz = copy(z);
        kernels.gruBackward(dz, hPrevious, dh, dhPrevious);
        forEachElement((r, j) -> {
            float m = gate(before, 3, r, j);
            DoubleReference.Gru want = DoubleReference.gruAfter(gate(before, 0, r, j), gate(before, 1, r, j),
                    gate(before, 2, r, j), m, hPrevious.get(r, j));
            near(want.n(), gate(z, 0, r, j));
            near(want.r(), gate(z, 1, r, j));
            near(want.u(), gate(z, 2, r, j));
            assertEquals(m, gate(z, 3, r, j));
            near(want.h(), h.get(r, j));
            DoubleReference.GruAfterGradient gradient =
                    DoubleReference.gruAfterBackward(want, m, hPrevious.get(r, j), dh.get(r, j));
            near(gradient.zn(), gate(dz, 0, r, j));
            near(gradient.zr(), gate(dz, 1, r, j));
            near(gradient.zu(), gate(dz, 2, r, j));
            near(gradient.m(), gate(dz, 3, r, j));
            near(accumulated.get(r, j) + gradient.hPrevious(), dhPrevious.get(r, j));
        });
    }

    @Test
    void gruResetBefore() {
        Matrix before = normal(ROWS, 4 * UNITS);
        Matrix z = copy(before);
        Matrix hPrevious = normal(ROWS, UNITS);
        Matrix h = Matrix.of(ROWS, UNITS);
        kernels.gruResetForward(z, hPrevious);
        forEachElement((r, j) -> assertEquals(gate(before, 2, r, j), gate(z, 2, r, j)));
        kernels.gruMixForward(z, hPrevious, h);
        Matrix dh = normal(ROWS, UNITS);
        Matrix ds = normal(ROWS, UNITS);
        Matrix accumulated = normal(ROWS, UNITS);
        Matrix dhPrevious = copy(accumulated);
        Matrix dz = copy(z);
        kernels.gruMixBackward(dz, hPrevious, dh, dhPrevious);
        kernels.gruResetBackward(dz, hPrevious, ds, dhPrevious);
        forEachElement((r, j) -> {
            DoubleReference.GruBefore want = DoubleReference.gruBefore(gate(before, 0, r, j), gate(before, 1, r, j),
                    gate(before, 2, r, j), hPrevious.get(r, j));
            near(want.r(), gate(z, 0, r, j));
            near(want.u(), gate(z, 1, r, j));
            near(want.n(), gate(z, 2, r, j));
            near(want.s(), gate(z, 3, r, j));
            near(want.h(), h.get(r, j));
            DoubleReference.GruBeforeGradient gradient =
                    DoubleReference.gruBeforeBackward(want, hPrevious.get(r, j), dh.get(r, j), ds.get(r, j));
            near(gradient.zr(), gate(dz, 0, r, j));
            near(gradient.zu(), gate(dz, 1, r, j));
            near(gradient.zn(), gate(dz, 2, r, j));
            assertEquals(gate(z, 3, r, j), gate(dz, 3, r, j));
            near(accumulated.get(r, j) + gradient.hPreviousOfMix() + gradient.hPreviousOfReset(), dhPrevious.get(r, j));
        });
    }

    // The reference itself, by central differences

    private static final double STEP = 1e-6;

    private static double differential(DoubleUnaryOperator f, double x) {
        return (f.applyAsDouble(x + STEP) - f.applyAsDouble(x - STEP)) / (2 * STEP);
    }

    private static void isDifferential(double gradient, DoubleUnaryOperator f, double x) {
        double numeric = differential(f, x);
        assertEquals(numeric, gradient, 1e-5 + 1e-3 * Math.abs(numeric));
    }

    @Test
    void lstmReference() {
        for (int n = 0; n < 100; n++) {
            double[] z = random.doubles(5, -3, 3).toArray();
            double dh = random.nextGaussian();
            double dc = random.nextGaussian();
            DoubleReference.LstmGradient gradient =
                    DoubleReference.lstmBackward(DoubleReference.lstm(z[0], z[1], z[2], z[3], z[4]), z[4], dh, dc);
            double[] wanted = {gradient.zi(), gradient.zf(), gradient.zg(), gradient.zo(), gradient.cPrevious()};
            checkGradient(wanted, z, p -> {
                DoubleReference.Lstm s = DoubleReference.lstm(p[0], p[1], p[2], p[3], p[4]);
                return dh * s.h() + dc * s.c();
            });
        }
    }

    @Test
    void gruResetAfterReference() {
        for (int n = 0; n < 100; n++) {
            double[] z = random.doubles(5, -3, 3).toArray();
            double dh = random.nextGaussian();
            DoubleReference.GruAfterGradient gradient = DoubleReference
                    .gruAfterBackward(DoubleReference.gruAfter(z[0], z[1], z[2], z[3], z[4]), z[3], z[4], dh);
            double[] wanted = {gradient.zn(), gradient.zr(), gradient.zu(), gradient.m(), gradient.hPrevious()};
            checkGradient(wanted, z, p -> dh * DoubleReference.gruAfter(p[0], p[1], p[2], p[3], p[4]).h());
        }
    }

    @Test
    void gruResetBeforeReference() {
        for (int n = 0; n < 100; n++) {
            double[] z = random.doubles(4, -3, 3).toArray();
            double dh = random.nextGaussian();
            double ds = random.nextGaussian();
            DoubleReference.GruBeforeGradient gradient = DoubleReference
                    .gruBeforeBackward(DoubleReference.gruBefore(z[0], z[1], z[2], z[3]), z[3], dh, ds);
            double[] wanted = {gradient.zr(), gradient.zu(), gradient.zn(),
                gradient.hPreviousOfMix() + gradient.hPreviousOfReset()};
            checkGradient(wanted, z, p -> {
                DoubleReference.GruBefore s = DoubleReference.gruBefore(p[0], p[1], p[2], p[3]);
                return dh * s.h() + ds * s.s();
            });
        }
    }

    @FunctionalInterface
    private interface Loss {
        double of(double[] parameters);
    }

    private static void checkGradient(double[] gradient, double[] at, Loss loss) {
        for (int i = 0; i < at.length; i++) {
            int parameter = i;
            isDifferential(gradient[i], x -> {
                double[] moved = at.clone();
                moved[parameter] = x;
                return loss.of(moved);
            }, at[i]);
        }
    }

    // Elementwise functions, softmax and losses

    /** The gradients are checked against slopes of the references, so that a wrong derivative there shows as well. */
    @ParameterizedTest
    @EnumSource
    void functions(Function f) {
        Matrix x = normal(3, 50);
        Matrix dy = normal(3, 50);
        Matrix y = Matrix.of(3, 50);
        Matrix dx = Matrix.of(3, 50);
        kernels.apply(f, x, y);
        kernels.applyBackward(f, f.gradientTakesResult() ? y : x, dy, dx);
        for (int r = 0; r < 3; r++) {
            for (int j = 0; j < 50; j++) {
                double v = x.get(r, j);
                near(ReferenceFunctions.value(f, v), y.get(r, j));
                if (f != Function.LOG || v > 10 * STEP) {
                    isDifferential(dx.get(r, j) / dy.get(r, j), p -> ReferenceFunctions.value(f, p), v);
                }
            }
        }
    }

    @Test
    void scaleAndMultiply() {
        Matrix before = normal(3, 21);
        Matrix y = normal(3, 21);
        Matrix x = copy(before);
        kernels.scale(x, 0.3f);
        kernels.multiply(x, y);
        for (int r = 0; r < 3; r++) {
            for (int j = 0; j < 21; j++) {
                near((double) before.get(r, j) * 0.3f * y.get(r, j), x.get(r, j));
            }
        }
    }

    /** Logits of a spread of 30, so that most of a row is far in the tail. */
    private Matrix logits(int rows, int columns) {
        Matrix x = normal(rows, columns);
        kernels.scale(x, 5f);
        return x;
    }

    /** See the class: the relative error of {@code exp(x - max) / sum}. */
    private static double softmaxError(float[] x, int j) {
        return (DoubleReference.max(x) - x[j] + x.length + 8) * U;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10, 16, 100, 1009})
    void softmaxes(int columns) {
        Matrix x = logits(3, columns);
        Matrix y = Matrix.of(3, columns);
        Matrix log = Matrix.of(3, columns);
        kernels.softmax(x, y);
        kernels.logSoftmax(x, log);
        for (int r = 0; r < 3; r++) {
            double[] want = DoubleReference.softmax(x.row(r));
            double[] wantLog = DoubleReference.logSoftmax(x.row(r));
            for (int j = 0; j < columns; j++) {
                double error = softmaxError(x.row(r), j);
                assertEquals(want[j], y.get(r, j), error * want[j]);
                assertEquals(wantLog[j], log.get(r, j), error + 2 * U * Math.abs(wantLog[j]));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 16, 17, 100})
    void layerNorm(int columns) {
        Matrix x = normal(3, columns);
        Matrix gain = normal(1, columns);
        Matrix bias = normal(1, columns);
        Matrix dy = normal(3, columns);
        Matrix y = Matrix.of(3, columns);
        Matrix statistics = Matrix.of(3, 2);
        kernels.layerNormForward(x, gain, bias, NORM_EPSILON, y, statistics);
        Matrix dx = Matrix.of(3, columns);
        Matrix dGain = Matrix.of(1, columns);
        Matrix dBias = Matrix.of(1, columns);
        kernels.layerNormBackward(x, gain, statistics, dy, dx, dGain, dBias);
        for (int r = 0; r < 3; r++) {
            double[] row = DoubleReference.doubles(x.row(r));
            double[] wanted = DoubleReference.layerNorm(row, DoubleReference.doubles(gain.row(0)),
                    DoubleReference.doubles(bias.row(0)), NORM_EPSILON);
            for (int j = 0; j < columns; j++) {
                near(wanted[j], y.get(r, j));
            }
            double[] above = DoubleReference.doubles(dy.row(r));
            checkGradient(DoubleReference.doubles(dx.row(r)), row,
                    p -> dot(above,
                            DoubleReference.layerNorm(p, DoubleReference.doubles(gain.row(0)),
                                    DoubleReference.doubles(bias.row(0)), NORM_EPSILON)));
        }
        checkGradient(DoubleReference.doubles(dGain.row(0)), DoubleReference.doubles(gain.row(0)),
                p -> layerNormLoss(x, p, DoubleReference.doubles(bias.row(0)), dy));
        checkGradient(DoubleReference.doubles(dBias.row(0)), DoubleReference.doubles(bias.row(0)),
                p -> layerNormLoss(x, DoubleReference.doubles(gain.row(0)), p, dy));
    }

    private static final float NORM_EPSILON = 1e-3f;

    private static double layerNormLoss(Matrix x, double[] gain, double[] bias, Matrix dy) {
        double loss = 0;
        for (int r = 0; r < x.rows(); r++) {
            loss += dot(DoubleReference.doubles(dy.row(r)),
                    DoubleReference.layerNorm(DoubleReference.doubles(x.row(r)), gain, bias, NORM_EPSILON));
        }
        return loss;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    @Test
    void crossEntropy() {
        int[] targets = {4, 0, 36};
        Matrix x = logits(3, 37);
        Matrix p = copy(x);
        Matrix losses = Matrix.of(3, 1);
        kernels.crossEntropyForward(p, Indices.of(targets), losses);
        Matrix dx = copy(p);
        kernels.crossEntropyBackward(dx, Indices.of(targets), 0.25f);
        for (int r = 0; r < 3; r++) {
            double want = -DoubleReference.logSoftmax(x.row(r))[targets[r]];
            assertEquals(want, losses.get(r, 0), softmaxError(x.row(r), targets[r]) + 2 * U * want);
            for (int j = 0; j < 37; j++) {
                double softmax = DoubleReference.softmax(x.row(r))[j];
                double error = softmaxError(x.row(r), j);
                assertEquals(softmax, p.get(r, j), error * softmax);
                assertEquals((softmax - (j == targets[r] ? 1 : 0)) * 0.25, dx.get(r, j), error + U);
            }
        }
    }

    @Test
    void squaredError() {
        Matrix before = normal(4, 37);
        Matrix target = normal(4, 37);
        Matrix y = copy(before);
        Matrix losses = Matrix.of(4, 1);
        kernels.squaredError(y, target, losses, 0.5f, 0.25f);
        for (int r = 0; r < 4; r++) {
            double loss = 0;
            for (int j = 0; j < 37; j++) {
                double d = (double) before.get(r, j) - target.get(r, j);
                loss += 0.5 * d * d;
                near(0.25 * d, y.get(r, j));
            }
            // Each difference is rounded before it is squared.
            assertEquals(loss, losses.get(r, 0), (37 + 4) * U * loss);
        }
    }

    // Optimisers

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 1000, 1_000_000})
    void adam(long t) {
        Matrix w = normal(1, 53);
        Matrix dw = normal(1, 53);
        Matrix m = normal(1, 53);
        Matrix v = normal(1, 53);
        kernels.multiply(v, copy(v));
        Matrix w0 = copy(w);
        Matrix m0 = copy(m);
        Matrix v0 = copy(v);
        kernels.adam(w, dw, m, v, AdamStep.at(t, 1e-3, 0.9, 0.999, 1e-8, 0.5f));
        for (int j = 0; j < 53; j++) {
            DoubleReference.Adam want = DoubleReference.adam(w0.get(0, j), 0.5 * dw.get(0, j), m0.get(0, j),
                    v0.get(0, j), t, 1e-3, 0.9, 0.999, 1e-8);
            near(want.m(), m.get(0, j));
            near(want.v(), v.get(0, j));
            double step = want.w() - w0.get(0, j);
            assertEquals(want.w(), w.get(0, j), ELEMENTWISE * (1 + Math.abs(want.w()) + Math.abs(step)));
        }
    }

    @Test
    void sgd() {
        Matrix w = normal(1, 53);
        Matrix dw = normal(1, 53);
        Matrix v = normal(1, 53);
        Matrix w0 = copy(w);
        Matrix v0 = copy(v);
        kernels.sgd(w, dw, v, 0.5f, 0.1f, 0.9f);
        for (int j = 0; j < 53; j++) {
            double velocity = 0.9 * v0.get(0, j) + 0.5 * dw.get(0, j);
            near(velocity, v.get(0, j));
            near(w0.get(0, j) - 0.1 * velocity, w.get(0, j));
        }
    }
}
