package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Transpose;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Plain linear algebra against sums in double precision, whose terms say how far a float may be from them; on every backend. */
@ParameterizedClass(name = "{0}")
@MethodSource("backends")
final class LinearAlgebraTest {
    /** Half a unit in the last place of 1. */
    private static final double U = 0x1p-24;

    private final Kernels kernels;
    private final SplittableRandom random = new SplittableRandom(3);

    LinearAlgebraTest(String backend) {
        kernels = Backends.kernels(backend);
    }

    static Stream<String> backends() {
        return ExactBackends.names();
    }

    private Matrix normal(int rows, int columns) {
        Matrix matrix = Matrix.of(rows, columns);
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < columns; j++) {
                matrix.set(r, j, (float) random.nextGaussian());
            }
        }
        return matrix;
    }

    private static Matrix row(float... values) {
        return Matrix.of(new float[][] {values});
    }

    private static float get(Transpose transpose, Matrix matrix, int row, int column) {
        return transpose == Transpose.NO ? matrix.get(row, column) : matrix.get(column, row);
    }

    /** A sum in double, and how far one in float may be from it: each of n terms takes part in at most n + 4 roundings. */
    private static final class Sum {
        private double value;
        private double magnitude;
        private int terms;

        void add(double term) {
            value += term;
            magnitude += Math.abs(term);
            terms++;
        }

        void check(float actual) {
            assertEquals(value, actual, (terms + 4) * U * magnitude);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 17, 1000})
    void sumsAndDots(int count) {
        Matrix x = normal(1, count);
        Matrix y = normal(1, count);
        Sum sum = new Sum();
        Sum dot = new Sum();
        Sum squares = new Sum();
        for (int i = 0; i < count; i++) {
            sum.add(x.get(0, i));
            dot.add((double) x.get(0, i) * y.get(0, i));
            squares.add((double) x.get(0, i) * x.get(0, i));
        }
        sum.check(kernels.sum(x));
        dot.check(kernels.dot(x, y));
        double norm = Math.sqrt(squares.value);
        assertEquals(norm, kernels.nrm2(x), count * U * norm);
        assertEquals((float) Math.sqrt(kernels.sumOfSquares(x)), kernels.nrm2(x), "in range, the root of the sum");
    }

    @Test
    void extremes() {
        Matrix x = row(3f, Float.NaN, -7f, 11f, -0f, 11f, 2f);
        assertEquals(11f, kernels.max(x));
        assertEquals(-7f, kernels.min(x));
        assertEquals(3, kernels.argMax(x), "the first of equals");
        Matrix none = row(Float.NaN, Float.NaN);
        assertEquals(Float.NEGATIVE_INFINITY, kernels.max(none));
        assertEquals(Float.POSITIVE_INFINITY, kernels.min(none));
        assertEquals(-1, kernels.argMax(none));
        assertEquals(-1, kernels.argMax(Matrix.of(1, 0)));
        assertEquals(0, kernels.argMax(row(Float.NEGATIVE_INFINITY)));
        for (int at = 0; at < 40; at++) {
            Matrix y = normal(1, 40);
            y.set(0, at, 100f);
            assertEquals(at, kernels.argMax(y));
            y.set(0, at, -100f);
            assertEquals(-100f, kernels.min(y));
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {0x1p-149f, 0x1p-140f, 0x1p-127f, 0x1p-75f, 0x1p-45f, 0x1p-44f, 0x1p63f, 0x1p64f, 0x1p120f,
        0x1p126f})
    void theNormNeitherOverflowsNorUnderflows(float scale) {
        for (int count : new int[] {1, 2, 3, 17, 100}) {
            float[] values = new float[count];
            double squares = 0;
            for (int i = 0; i < count; i++) {
                values[i] = scale * (float) (1 + random.nextInt(4)) / (count > 3 ? 8 : 2);
                squares += Math.pow(values[i], 2);
            }
            double norm = Math.sqrt(squares);
            assertEquals(norm, kernels.nrm2(row(values)), (count + 2) * U * norm + Float.MIN_VALUE / 2.0);
        }
    }

    @Test
    void theNormOfWhatIsNotFinite() {
        assertEquals(0f, kernels.nrm2(row(0f, -0f)));
        assertEquals(Float.POSITIVE_INFINITY, kernels.nrm2(row(1f, Float.NEGATIVE_INFINITY)));
        assertEquals(Float.POSITIVE_INFINITY, kernels.nrm2(row(Float.MAX_VALUE, Float.MAX_VALUE)));
        assertTrue(Float.isNaN(kernels.nrm2(row(1f, Float.NaN, Float.POSITIVE_INFINITY))));
        assertTrue(Float.isNaN(kernels.nrm2(row(0x1p100f, Float.NaN))));
    }

    @Test
    void axpyAddsAMultiple() {
        Matrix x = normal(3, 37);
        Matrix before = normal(3, 37);
        Matrix y = Matrix.of(before.toArray());
        kernels.axpy(0.3f, x, y);
        for (int r = 0; r < 3; r++) {
            for (int j = 0; j < 37; j++) {
                Sum sum = new Sum();
                sum.add(before.get(r, j));
                sum.add((double) 0.3f * x.get(r, j));
                sum.check(y.get(r, j));
            }
        }
    }

    @Test
    void gemvMultiplies() {
        for (Transpose transpose : Transpose.values()) {
            Matrix a = normal(29, 43);
            int inputs = transpose == Transpose.NO ? 43 : 29;
            int outputs = 72 - inputs;
            Matrix x = normal(1, inputs);
            Matrix before = normal(1, outputs);
            Matrix y = Matrix.of(before.toArray());
            kernels.gemv(transpose, -0.7f, a, x, 0.3f, y);
            for (int i = 0; i < outputs; i++) {
                Sum sum = new Sum();
                sum.add((double) 0.3f * before.get(0, i));
                for (int k = 0; k < inputs; k++) {
                    sum.add((double) -0.7f * get(transpose, a, i, k) * x.get(0, k));
                }
                sum.check(y.get(0, i));
            }
        }
    }

    @Test
    void gemmMultiplies() {
        for (Transpose ta : Transpose.values()) {
            for (Transpose tb : Transpose.values()) {
                Matrix a = ta == Transpose.NO ? normal(19, 23) : normal(23, 19);
                Matrix b = tb == Transpose.NO ? normal(23, 37) : normal(37, 23);
                Matrix before = normal(19, 37);
                Matrix c = Matrix.of(before.toArray());
                kernels.gemm(ta, tb, 1.3f, a, b, -0.6f, c);
                for (int i = 0; i < 19; i++) {
                    for (int j = 0; j < 37; j++) {
                        Sum sum = new Sum();
                        sum.add((double) -0.6f * before.get(i, j));
                        for (int k = 0; k < 23; k++) {
                            sum.add((double) 1.3f * get(ta, a, i, k) * get(tb, b, k, j));
                        }
                        sum.check(c.get(i, j));
                    }
                }
            }
        }
    }

    @Test
    void whatIsThereIsNotReadIfBetaIsZero() {
        Matrix c = row(Float.NaN, Float.POSITIVE_INFINITY);
        kernels.gemm(Transpose.NO, Transpose.NO, 2f, row(3f), row(5f, 7f), -0f, c);
        assertEquals("[30.0, 42.0]", Arrays.toString(c.row(0)));
        Matrix y = row(Float.NaN);
        kernels.gemv(Transpose.NO, 2f, row(3f, 5f), row(7f, 11f), 0f, y);
        assertEquals(152f, y.get(0, 0));
    }

    /** One accumulator per output: rows, columns and terms can be cut anywhere. */
    @Test
    void gemmInPartsIsGemm() {
        Matrix a = normal(150, 300);
        Matrix b = normal(300, 200);
        Matrix whole = normal(150, 200);
        Matrix parts = Matrix.of(whole.toArray());
        kernels.gemm(Transpose.NO, Transpose.NO, 0.7f, a, b, 0.3f, whole);
        int[] rows = {0, 1, 8, 130, 150};
        int[] columns = {0, 3, 67, 199, 200};
        int[] terms = {0, 5, 133, 300};
        for (int r = 1; r < rows.length; r++) {
            for (int j = 1; j < columns.length; j++) {
                Matrix part = parts.rows(rows[r - 1], rows[r]).columns(columns[j - 1], columns[j]);
                for (int k = 1; k < terms.length; k++) {
                    kernels.gemm(Transpose.NO, Transpose.NO, 0.7f,
                            a.rows(rows[r - 1], rows[r]).columns(terms[k - 1], terms[k]),
                            b.rows(terms[k - 1], terms[k]).columns(columns[j - 1], columns[j]), k == 1 ? 0.3f : 1f,
                            part);
                }
            }
        }
        assertEquals(0,
                IntStream.range(0, 150).filter(r -> !Arrays.equals(whole.row(r), parts.row(r))).count());
        Matrix alone = row(normal(1, 200).row(0));
        Matrix same = Matrix.of(alone.toArray());
        kernels.gemm(Transpose.NO, Transpose.NO, 0.7f, a.rows(7, 8), b, 0.3f, alone);
        kernels.gemv(Transpose.YES, 0.7f, b, a.rows(7, 8), 0.3f, same);
        assertEquals(Arrays.toString(alone.row(0)), Arrays.toString(same.row(0)));
    }
}
