package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.tests.ElementaryAccuracy.Observed;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The errors that {@link Function} promises, on a dense sample; {@link ElementaryAccuracy#main} takes every float. */
final class ElementaryAccuracyTest {
    /** Odd, so that the low bits take all values: about a million floats. */
    private static final int STEP = 4099;
    private static final int SAMPLES = (int) ((1L << 32) / STEP);
    private static final int NEIGHBOURS = 4096;

    /** Where reductions change, results saturate or become subnormal, and logarithms cross 0. */
    private static final double[] CENTRES = {0x1p-126, 1e-4, Math.log(2) / 4, Math.log(2) / 2, 0.75 * Math.log(2),
        Math.log(2), 0.625, 2.0 / 3, 1, 4.0 / 3, 2, 9.0109, 9.02, 10, 15.94, 16.64, 20, 87.336, 88.7228, 89, 103.28,
        103.97,
        104, Float.MAX_VALUE};

    private final Kernels kernels = Backends.kernels("scalar");

    private float apply(Function f, float x) {
        return ElementaryAccuracy.apply(kernels, f, new float[] {x})[0];
    }

    @ParameterizedTest
    @EnumSource
    void errorIsWithinThePromise(Function f) {
        Observed observed = ElementaryAccuracy.observe(kernels, f, 0, STEP, SAMPLES);
        for (int sign : new int[] {0, Integer.MIN_VALUE}) {
            observed = observed.and(ElementaryAccuracy.observe(kernels, f, sign, 1, NEIGHBOURS));
            for (double centre : CENTRES) {
                int bits = Float.floatToRawIntBits((float) centre) | sign;
                observed = observed.and(ElementaryAccuracy.observe(kernels, f, bits - NEIGHBOURS, 1, 2 * NEIGHBOURS));
            }
        }
        System.out.println(f + ": " + observed);
        double promised = switch (f) {
            case EXP -> 0.90;
            case LOG -> 0.94;
            case TANH -> 2.07;
            case SIGMOID -> 2.00;
        };
        int stepBack = switch (f) {
            case EXP -> 1;
            case LOG -> 0;
            case TANH, SIGMOID -> 2;
        };
        assertTrue(observed.ulp() <= promised && observed.stepBack() <= stepBack, f + ": " + observed);
    }

    /** The measure itself: half a unit, a unit, subnormal and overflowing results. */
    @Test
    void errorsAreMeasuredInUnitsOfTheRoundedResult() {
        assertEquals(0.5, ElementaryAccuracy.error(1f, 1 + 0x1p-24));
        assertEquals(1, ElementaryAccuracy.error(Math.nextUp(1f), 1));
        assertEquals(3, ElementaryAccuracy.error(3 * Float.MIN_VALUE, 0));
        assertEquals(1, ElementaryAccuracy.error(Float.MAX_VALUE, 1e300));
        assertEquals(1, ElementaryAccuracy.error(Float.POSITIVE_INFINITY, Float.MAX_VALUE));
        assertEquals(0, ElementaryAccuracy.error(Float.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY));
        assertEquals(Double.POSITIVE_INFINITY, ElementaryAccuracy.error(Float.NaN, 0));
        assertEquals(Double.POSITIVE_INFINITY, ElementaryAccuracy.error(0f, Double.NaN));
    }

    @Test
    void exactValues() {
        for (float zero : new float[] {0f, -0f}) {
            assertEquals(1f, apply(Function.EXP, zero));
            assertEquals(zero, apply(Function.TANH, zero));
            assertEquals(0.5f, apply(Function.SIGMOID, zero));
            assertEquals(Float.NEGATIVE_INFINITY, apply(Function.LOG, zero));
        }
        assertEquals(0f, apply(Function.LOG, 1f));
    }

    @ParameterizedTest
    @ValueSource(floats = {105f, 1e4f, Float.MAX_VALUE, Float.POSITIVE_INFINITY})
    void saturations(float x) {
        assertEquals(Float.POSITIVE_INFINITY, apply(Function.EXP, x));
        assertEquals(0f, apply(Function.EXP, -x));
        assertEquals(1f, apply(Function.TANH, x));
        assertEquals(-1f, apply(Function.TANH, -x));
        assertEquals(1f, apply(Function.SIGMOID, x));
        assertEquals(0f, apply(Function.SIGMOID, -x));
        assertEquals(Float.NaN, apply(Function.LOG, -x));
    }

    @Test
    void thresholds() {
        assertEquals(Float.POSITIVE_INFINITY, apply(Function.EXP, 88.73f));
        assertEquals(Float.POSITIVE_INFINITY, apply(Function.LOG, Float.POSITIVE_INFINITY));
        assertEquals(1f, apply(Function.TANH, 9.02f));
        assertEquals(Float.NaN, apply(Function.LOG, -Float.MIN_VALUE));
    }

    @ParameterizedTest
    @EnumSource
    void nanStaysNan(Function f) {
        for (int payload : new int[] {1, 0x1dead, 0x400000, 0x7fffff}) {
            assertEquals(Float.NaN, apply(f, Float.intBitsToFloat(0x7f800000 | payload)));
            assertEquals(Float.NaN, apply(f, Float.intBitsToFloat(0xff800000 | payload)));
        }
    }

    @Test
    void tanhIsOddAndNeverBeyondOne() {
        float[] x = new float[SAMPLES / 2];
        float[] negative = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = Float.intBitsToFloat(i * STEP);
            negative[i] = -x[i];
        }
        float[] y = ElementaryAccuracy.apply(kernels, Function.TANH, x);
        float[] z = ElementaryAccuracy.apply(kernels, Function.TANH, negative);
        for (int i = 0; i < x.length; i++) {
            assertEquals(-y[i], z[i], "tanh of minus " + x[i]);
            assertTrue(Float.isNaN(y[i]) || Math.abs(y[i]) <= 1f, "tanh " + x[i] + " = " + y[i]);
        }
    }
}
