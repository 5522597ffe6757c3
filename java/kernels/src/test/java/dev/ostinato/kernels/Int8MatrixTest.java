package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Scales, levels and products of eight bits against decimal arithmetic and against what rounding may cost. */
final class Int8MatrixTest {
    private final SplittableRandom random = new SplittableRandom(1);
    private final Kernels kernels = Backends.kernels("scalar");

    private PackedMatrix random(int inputs, int gates, int units) {
        PackedMatrix w = PackedMatrix.of(inputs, gates, units);
        for (int k = 0; k < inputs; k++) {
            for (int j = 0; j < gates * units; j++) {
                w.set(k, j / units, j % units, (float) random.nextGaussian() * (j + 1));
            }
        }
        return w;
    }

    private static PackedMatrix column(float... weights) {
        PackedMatrix w = PackedMatrix.of(weights.length, 1, 1);
        for (int k = 0; k < weights.length; k++) {
            w.set(k, 0, 0, weights[k]);
        }
        return w;
    }

    private static QuantizedRows quantized(Kernels kernels, Scaling scaling, float... row) {
        QuantizedRows q = QuantizedRows.of(1, row.length);
        kernels.quantize(scaling, Matrix.of(new float[][] {row}), q);
        return q;
    }

    @Test
    void everyOutputHasItsOwnScale() {
        Int8Matrix w = Int8Matrix.of(column(0.5f, -254f, 3f, 1f, 127f));
        assertEquals(2f, w.scale(0, 0));
        int[] levels = {0, -127, 2, 0, 64};
        for (int k = 0; k < levels.length; k++) {
            assertEquals(levels[k], w.level(k, 0, 0), "input " + k);
        }
        assertEquals((0 - 127 + 2 + 0 + 64) * 128, w.offsets().get(0));
    }

    @Test
    void aZeroOrTinyOutputHasScaleZero() {
        for (float weight : new float[] {0f, -0f, Float.MIN_VALUE, -126f * Float.MIN_NORMAL}) {
            Int8Matrix w = Int8Matrix.of(column(weight, weight));
            assertEquals(0f, w.scale(0, 0));
            assertEquals(0, w.level(1, 0, 0));
        }
        assertEquals(Float.MIN_NORMAL, Int8Matrix.of(column(127f * Float.MIN_NORMAL)).scale(0, 0));
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "3, 1, 65", "4, 2, 16", "9, 3, 33", "66, 4, 48"})
    void levelsAreTheNearest(int inputs, int gates, int units) {
        PackedMatrix first = random(inputs, gates, units);
        PackedMatrix second = random(inputs + 2, gates, units);
        levelsAreTheNearest(Int8Matrix.of(first), first);
        Int8Matrix[] pair = Int8Matrix.pair(first, second);
        levelsAreTheNearest(pair[0], first);
        levelsAreTheNearest(pair[1], second);
    }

    private static void levelsAreTheNearest(Int8Matrix narrow, PackedMatrix w) {
        for (int j = 0; j < w.gates() * w.units(); j++) {
            int gate = j / w.units();
            int unit = j % w.units();
            float scale = narrow.scale(gate, unit);
            int largest = 0;
            for (int k = 0; k < w.inputs(); k++) {
                int level = narrow.level(k, gate, unit);
                largest = Math.max(largest, Math.abs(level));
                // One rounding of the scale and one of the quotient: at most 127 * 2^-23 away from half a level.
                assertEquals(w.get(k, gate, unit) / (double) scale, level, 0.5 + 127 * 0x1p-23);
            }
            assertEquals(127, largest);
        }
    }

    @Test
    void aRowIsRoundedOnceTiesToEven() {
        for (int i = 0; i < 20_000; i++) {
            float[] row = {(float) random.nextGaussian(), (float) random.nextGaussian(), random.nextInt(-127, 128) / 2f,
                63.5f};
            QuantizedRows q = quantized(kernels, Scaling.ROW, row);
            assertEquals(63.5f / 127, q.scale(0));
            for (int k = 0; k < row.length; k++) {
                BigDecimal level = new BigDecimal(row[k]).multiply(BigDecimal.valueOf(127f / 63.5f));
                assertEquals(level.setScale(0, RoundingMode.HALF_EVEN).intValueExact(), q.level(0, k));
            }
        }
    }

    @Test
    void theLargestHasTheLargestLevel() {
        for (int i = 0; i < 100_000; i++) {
            float m = Float.intBitsToFloat(random.nextInt(0x04000000, 0x7f800000));
            QuantizedRows q = quantized(kernels, Scaling.ROW, -m, m, 0f);
            assertEquals(-127, q.level(0, 0), () -> Float.toHexString(m));
            assertEquals(127, q.level(0, 1), () -> Float.toHexString(m));
            assertTrue(q.scale(0) >= Float.MIN_NORMAL);
        }
    }

    @Test
    void rowsWithoutScaleBecomeNaN() {
        for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (Scaling scaling : Scaling.values()) {
                QuantizedRows q = quantized(kernels, scaling, 0.5f, odd);
                assertTrue(Float.isNaN(q.scale(0)), scaling + " " + odd);
                assertEquals(0, q.level(0, 0));
                Matrix out = Matrix.of(1, 16);
                kernels.multiplyAddInt8(q, Int8Matrix.of(column(1f, 2f)), out);
                assertTrue(Float.isNaN(out.get(0, 0)));
            }
        }
    }

    @Test
    void aRowThatExceedsOneIsScaledByItself() {
        float above = Math.nextUp(1f);
        assertEquals(1f / 127, quantized(kernels, Scaling.UNIT, 0.5f, -1f).scale(0));
        for (float[] row : new float[][] {{0.5f, above}, {-above, 0.25f}, {0.5f, -3f}}) {
            QuantizedRows unit = quantized(kernels, Scaling.UNIT, row);
            QuantizedRows own = quantized(kernels, Scaling.ROW, row);
            assertEquals(own.scale(0), unit.scale(0));
            assertEquals(own.level(0, 0), unit.level(0, 0));
            assertEquals(own.level(0, 1), unit.level(0, 1));
        }
    }

    @Test
    void tinyRowsAreZero() {
        assertEquals(0f, quantized(kernels, Scaling.ROW, Math.nextDown(0x1p-119f), 0f).scale(0));
        assertEquals(0, quantized(kernels, Scaling.ROW, Math.nextDown(0x1p-119f), 0f).level(0, 0));
        assertEquals(0x1p-119f / 127, quantized(kernels, Scaling.ROW, 0x1p-119f, 0f).scale(0));
    }

    /** Each operand is off by half a scale at most, so a term by {@code |a| sw / 2 + |w| sa / 2 + sa sw / 4}. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1", "5, 1, 65", "64, 2, 16", "129, 3, 33", "256, 4, 48"})
    void aProductIsAsNearAsItsLevels(int inputs, int gates, int units) {
        PackedMatrix w = random(inputs, gates, units);
        Int8Matrix narrow = Int8Matrix.of(w);
        Matrix a = Matrix.of(2, inputs);
        for (int k = 0; k < inputs; k++) {
            a.set(0, k, (float) random.nextGaussian());
            a.set(1, k, random.nextFloat(-1f, 1f));
        }
        QuantizedRows q = QuantizedRows.of(2, inputs);
        kernels.quantize(Scaling.ROW, a.rows(0, 1), q.rows(0, 1));
        kernels.quantize(Scaling.UNIT, a.rows(1, 2), q.rows(1, 2));
        Matrix out = Matrix.of(2, w.outputs());
        kernels.multiplyAddInt8(q, narrow, out);
        for (int r = 0; r < 2; r++) {
            for (int j = 0; j < gates * units; j++) {
                double exact = 0;
                double bound = 1e-6;
                double weightStep = narrow.scale(j / units, j % units);
                double rowStep = q.scale(r);
                for (int k = 0; k < inputs; k++) {
                    double x = a.get(r, k);
                    double weight = w.get(k, j / units, j % units);
                    exact += x * weight;
                    bound += (Math.abs(x) * weightStep + Math.abs(weight) * rowStep) * 0.501 + weightStep * rowStep / 4;
                }
                assertEquals(exact, out.get(r, j / units * Matrix.padded(units) + j % units), bound);
            }
        }
    }

    /** Every term at its largest, so that one input more than allowed would overflow. */
    @Test
    void theLongestSumFits() {
        int inputs = Int8Matrix.MAX_INPUTS;
        assertTrue(127L * 127 * inputs <= Integer.MAX_VALUE && 127L * 127 * (inputs + 1L) > Integer.MAX_VALUE);
        PackedMatrix w = PackedMatrix.of(inputs, 1, 2);
        float[] row = new float[inputs];
        for (int k = 0; k < inputs; k++) {
            w.set(k, 0, 0, 127f);
            w.set(k, 0, 1, -127f);
            row[k] = 127f;
        }
        Int8Matrix narrow = Int8Matrix.of(w);
        for (Backend backend : Backends.all()) {
            if (backend.exact() && backend.status().available()) {
                Kernels all = Kernels.of(backend);
                Matrix out = Matrix.of(1, 16);
                all.multiplyAddInt8(quantized(all, Scaling.ROW, row), narrow, out);
                assertEquals((float) (127L * 127 * inputs), out.get(0, 0), backend.name());
                assertEquals(-(float) (127L * 127 * inputs), out.get(0, 1), backend.name());
            }
        }
    }

    @Test
    void whatCannotBeQuantisedIsRefused() {
        for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> Int8Matrix.of(column(1f, odd)));
            assertEquals("weights: expected finite numbers, got " + odd + " for input 1, gate 0, unit 0",
                    e.getMessage());
        }
        PackedMatrix long1 = PackedMatrix.of(Int8Matrix.MAX_INPUTS + 1, 1, 1);
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Int8Matrix.of(long1));
        assertEquals("weights: expected at most 133144 inputs, got PackedMatrix[133145 inputs x 1 gates x 1 units]",
                e.getMessage());
        IllegalArgumentException pair = assertThrows(IllegalArgumentException.class,
                () -> Int8Matrix.pair(PackedMatrix.of(5, 2, 20), PackedMatrix.of(5, 2, 21)));
        assertEquals("pair: expected the same gates and units, got PackedMatrix[5 inputs x 2 gates x 20 units]"
                + " and PackedMatrix[5 inputs x 2 gates x 21 units]", pair.getMessage());
    }

    @Test
    void bounds() {
        Int8Matrix w = Int8Matrix.of(random(5, 2, 20));
        for (int[] at : new int[][] {{5, 0, 0}, {-1, 0, 0}, {0, 2, 0}, {0, -1, 0}, {0, 0, 20}, {0, 0, -1}}) {
            assertThrows(IndexOutOfBoundsException.class, () -> w.level(at[0], at[1], at[2]));
        }
        assertThrows(IndexOutOfBoundsException.class, () -> w.scale(2, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> w.scale(0, 20));
        QuantizedRows q = QuantizedRows.of(2, 3);
        assertThrows(IndexOutOfBoundsException.class, () -> q.level(2, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> q.level(0, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> q.scale(-1));
        assertThrows(IndexOutOfBoundsException.class, () -> q.rows(1, 3));
        assertThrows(IllegalArgumentException.class, () -> QuantizedRows.of(-1, 3));
        assertEquals("QuantizedRows(2, 3)", q.toString());
        assertEquals("Int8Matrix[5 inputs x 2 gates x 20 units]", w.toString());
    }
}
