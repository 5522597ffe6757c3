package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rounding, layout, and products against those of the rounded weights as floats. */
final class Bf16MatrixTest {
    private final SplittableRandom random = new SplittableRandom(1);
    private final Kernels kernels = Backends.kernels("scalar");

    private static float rounded(float weight) {
        PackedMatrix w = PackedMatrix.of(1, 1, 1);
        w.set(0, 0, 0, weight);
        return Bf16Matrix.of(w).get(0, 0, 0);
    }

    /** Rounds in double arithmetic: to a multiple of 2^(e - 7), which {@code Math.rint} does to nearest, ties to even. */
    private static float nearest(float weight) {
        int exponent = Math.max(Math.getExponent(weight), Float.MIN_EXPONENT);
        double step = Math.scalb(1.0, exponent - 7);
        return (float) (Math.rint(weight / step) * step);
    }

    @Test
    void roundsToNearestTiesToEven() {
        assertEquals(1f, rounded(0x1.01p0f), "halfway, 1 is even");
        assertEquals(0x1.04p0f, rounded(0x1.03p0f), "halfway, 1.04 is even");
        assertEquals(0x1.02p0f, rounded(Math.nextUp(0x1.01p0f)));
        for (int i = 0; i < 100_000; i++) {
            float weight = Float.intBitsToFloat(random.nextInt());
            if (Float.isFinite(weight) && Math.abs(weight) < 0x1.ffp127f) {
                assertEquals(nearest(weight), rounded(weight), () -> Float.toHexString(weight));
            }
        }
    }

    @Test
    void theEndsOfTheRange() {
        assertEquals(0x1.fep127f, rounded(0x1.fep127f));
        assertEquals(0x1.fep127f, rounded(Math.nextDown(0x1.ffp127f)));
        assertEquals(Float.POSITIVE_INFINITY, rounded(0x1.ffp127f));
        assertEquals(Float.NEGATIVE_INFINITY, rounded(-Float.MAX_VALUE));
        assertEquals(Float.NEGATIVE_INFINITY, rounded(Float.NEGATIVE_INFINITY));
        for (int bits : new int[] {0x7f800001, 0x7fffffff, 0xff800001, 0xffffffff}) {
            assertTrue(Float.isNaN(rounded(Float.intBitsToFloat(bits))), Integer.toHexString(bits));
        }
        assertEquals(Float.floatToRawIntBits(-0f), Float.floatToRawIntBits(rounded(-0f)));
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "2, 1, 16", "3, 1, 65", "8, 3, 33", "7, 4, 48", "65, 4, 17"})
    void aProductIsTheProductOfTheRoundedWeights(int inputs, int gates, int units) {
        PackedMatrix w = random(inputs, gates, units);
        PackedMatrix other = random(inputs + 1, gates, units);
        Bf16Matrix[] pair = Bf16Matrix.pair(w, other);
        sameAsRounded(Bf16Matrix.of(w), w);
        sameAsRounded(pair[0], w);
        sameAsRounded(pair[1], other);
    }

    /** The inputs hold infinities and NaN and the outputs -0, which a term too many would change. */
    private void sameAsRounded(Bf16Matrix narrow, PackedMatrix w) {
        PackedMatrix wide = PackedMatrix.of(w.inputs(), w.gates(), w.units());
        Matrix a = Matrix.of(3, w.inputs());
        for (int k = 0; k < w.inputs(); k++) {
            a.set(0, k, (float) random.nextGaussian());
            a.set(1, k, -0f);
            a.set(2, k, k % 3 == 0 ? Float.POSITIVE_INFINITY : k % 5 == 4 ? Float.NaN : -1f);
            for (int j = 0; j < w.gates() * w.units(); j++) {
                int gate = j / w.units();
                wide.set(k, gate, j % w.units(), nearest(w.get(k, gate, j % w.units())));
                assertEquals(wide.get(k, gate, j % w.units()), narrow.get(k, gate, j % w.units()));
            }
        }
        Matrix expected = Matrix.of(3, w.outputs());
        Matrix actual = Matrix.of(3, w.outputs());
        for (int j = 0; j < w.outputs(); j++) {
            expected.set(1, j, -0f);
            actual.set(1, j, -0f);
        }
        kernels.multiplyAdd(a, wide, expected);
        kernels.multiplyAddBf16(a, narrow, actual);
        assertArrayEquals(expected.toArray(), actual.toArray());
    }

    private PackedMatrix random(int inputs, int gates, int units) {
        PackedMatrix w = PackedMatrix.of(inputs, gates, units);
        for (int k = 0; k < inputs; k++) {
            for (int j = 0; j < gates * units; j++) {
                w.set(k, j / units, j % units, (float) random.nextGaussian());
            }
        }
        return w;
    }

    @Test
    void bounds() {
        Bf16Matrix w = Bf16Matrix.of(PackedMatrix.of(5, 2, 20));
        for (int[] at : new int[][] {{5, 0, 0}, {-1, 0, 0}, {0, 2, 0}, {0, -1, 0}, {0, 0, 20}, {0, 0, -1}}) {
            assertThrows(IndexOutOfBoundsException.class, () -> w.get(at[0], at[1], at[2]));
        }
        assertEquals("Bf16Matrix[5 inputs x 2 gates x 20 units]", w.toString());
    }
}
