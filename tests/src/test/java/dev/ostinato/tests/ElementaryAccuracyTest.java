package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.tests.ElementaryAccuracy.Observed;
import dev.ostinato.tests.ElementaryAccuracy.Subject;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The errors that {@link Function} promises, on a dense sample; {@link ElementaryAccuracy#main} takes every float. */
final class ElementaryAccuracyTest {
    /** Odd, so that the low bits take all values: about a million floats. */
    private static final int STEP = 4099;
    private static final int SAMPLES = (int) ((1L << 32) / STEP);
    private static final int NEIGHBOURS = 4096;

    /** Where reductions change, results saturate or become subnormal, and logarithms cross 0. */
    private static final double[] CENTRES = {0x1p-126, 0x1p-64, 1e-4, Math.log(2) / 4, 0.3055, Math.log(2) / 2,
        0.75 * Math.log(2), 0.75179, Math.log(2), 0.625, 2.0 / 3, 1, Math.log(3), 1.2785, 4.0 / 3, 2, 3.8325, 3.92, 4,
        9.0109, 9.02, 10, 10.25, 13.1, 14.4, 14.75, 15.94, 16.64, 20, 64, 87.336, 88.7228, 89, 103.28, 103.97, 104,
        108.7,
        110, Float.MAX_VALUE};

    private final Kernels kernels = Backends.kernels("scalar");

    /** The largest error and the largest step back that {@link Function} promises. */
    private record Promise(double ulp, int stepBack) {
        static Promise of(Subject subject) {
            return subject.gradient() ? new Promise(ofGradient(subject.function()), 0) : ofFunction(subject.function());
        }

        private static Promise ofFunction(Function f) {
            return switch (f) {
                case EXP -> new Promise(0.90, 1);
                case LOG -> new Promise(0.94, 0);
                case TANH -> new Promise(2.07, 2);
                case SIGMOID -> new Promise(2.00, 2);
                case SOFTPLUS -> new Promise(2.00, 1);
                case ERF -> new Promise(1.73, 1);
                case GELU -> new Promise(6.35, 4);
                case SILU -> new Promise(2.00, 2);
            };
        }

        private static double ofGradient(Function f) {
            return switch (f) {
                case EXP -> 0;
                case LOG, TANH -> 0.5;
                case SIGMOID -> 1.5;
                case SOFTPLUS -> 2.00;
                case ERF -> 2.35;
                case GELU -> 7.94;
                case SILU -> 5.85;
            };
        }
    }

    private float apply(Function f, float x) {
        return new Subject(f, false).computed(kernels, new float[] {x})[0];
    }

    private static List<Subject> subjects() {
        return Subject.all();
    }

    @ParameterizedTest
    @MethodSource("subjects")
    void errorIsWithinThePromise(Subject subject) {
        Observed observed = ElementaryAccuracy.observe(kernels, subject, 0, STEP, SAMPLES);
        for (int sign : new int[] {0, Integer.MIN_VALUE}) {
            observed = observed.and(ElementaryAccuracy.observe(kernels, subject, sign, 1, NEIGHBOURS));
            for (double centre : CENTRES) {
                int bits = Float.floatToRawIntBits((float) centre) | sign;
                observed =
                        observed.and(
                                ElementaryAccuracy.observe(kernels, subject, bits - NEIGHBOURS, 1, 2 * NEIGHBOURS));
            }
        }
        System.out.println(subject + ": " + observed);
        Promise promise = Promise.of(subject);
        assertTrue(observed.ulp() <= promise.ulp && observed.stepBack() <= promise.stepBack, subject + ": " + observed);
    }

    /** The measure itself: half a unit, a unit, subnormal and overflowing results. */
    @Test
    void errorsAreMeasuredInUnitsOfTheRoundedResult() {
        assertEquals(0.5, ElementaryAccuracy.error(1f, 1 + 0x1p-24, 0));
        assertEquals(1, ElementaryAccuracy.error(Math.nextUp(1f), 1, 0));
        assertEquals(3, ElementaryAccuracy.error(3 * Float.MIN_VALUE, 0, 0));
        assertEquals(1, ElementaryAccuracy.error(Float.MAX_VALUE, 1e300, 0));
        assertEquals(1, ElementaryAccuracy.error(Float.POSITIVE_INFINITY, Float.MAX_VALUE, 0));
        assertEquals(0, ElementaryAccuracy.error(Float.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY, 0));
        assertEquals(Double.POSITIVE_INFINITY, ElementaryAccuracy.error(Float.NaN, 0, 0));
        assertEquals(Double.POSITIVE_INFINITY, ElementaryAccuracy.error(0f, Double.NaN, 0));
        assertEquals(1, ElementaryAccuracy.error(0x1p-27f, 0, 0x1p-4));
        assertEquals(1, ElementaryAccuracy.error(Math.nextUp(1f), 1, 0x1p-4));
    }

    @Test
    void exactValues() {
        for (float zero : new float[] {0f, -0f}) {
            assertEquals(1f, apply(Function.EXP, zero));
            assertEquals(zero, apply(Function.TANH, zero));
            assertEquals(0.5f, apply(Function.SIGMOID, zero));
            assertEquals(Float.NEGATIVE_INFINITY, apply(Function.LOG, zero));
            assertEquals((float) Math.log(2), apply(Function.SOFTPLUS, zero));
            assertEquals(zero, apply(Function.ERF, zero));
            assertEquals(zero, apply(Function.GELU, zero));
            assertEquals(zero, apply(Function.SILU, zero));
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
        assertEquals(x, apply(Function.SOFTPLUS, x));
        assertEquals(0f, apply(Function.SOFTPLUS, -x));
        assertEquals(1f, apply(Function.ERF, x));
        assertEquals(-1f, apply(Function.ERF, -x));
        assertEquals(x, apply(Function.GELU, x));
        assertEquals(0, apply(Function.GELU, -x), 0);
        assertEquals(x, apply(Function.SILU, x));
        assertEquals(0, apply(Function.SILU, -x), 64 * Float.MIN_VALUE);
        for (Function f : List.of(Function.GELU, Function.SILU)) {
            assertEquals(1f, gradient(f, x));
            assertEquals(0, gradient(f, -x), 64 * Float.MIN_VALUE);
        }
        assertEquals(0f, gradient(Function.ERF, x));
        assertEquals(0f, gradient(Function.ERF, -x));
    }

    private float gradient(Function f, float x) {
        return new Subject(f, true).computed(kernels, new float[] {x})[0];
    }

    @Test
    void thresholds() {
        assertEquals(Float.POSITIVE_INFINITY, apply(Function.EXP, 88.73f));
        assertEquals(Float.POSITIVE_INFINITY, apply(Function.LOG, Float.POSITIVE_INFINITY));
        assertEquals(1f, apply(Function.TANH, 9.02f));
        assertEquals(Float.NaN, apply(Function.LOG, -Float.MIN_VALUE));
    }

    @ParameterizedTest
    @MethodSource("subjects")
    void nanStaysNan(Subject subject) {
        for (int payload : new int[] {1, 0x1dead, 0x400000, 0x7fffff}) {
            float[] nans = {Float.intBitsToFloat(0x7f800000 | payload), Float.intBitsToFloat(0xff800000 | payload)};
            assertArrayEquals(new float[] {Float.NaN, Float.NaN}, subject.computed(kernels, nans));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TANH", "ERF"})
    void isOddAndNeverBeyondOne(Function f) {
        float[] x = new float[SAMPLES / 2];
        float[] negative = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = Float.intBitsToFloat(i * STEP);
            negative[i] = -x[i];
        }
        Subject subject = new Subject(f, false);
        float[] y = subject.computed(kernels, x);
        float[] z = subject.computed(kernels, negative);
        for (int i = 0; i < x.length; i++) {
            assertEquals(-y[i], z[i], f + " of minus " + x[i]);
            assertTrue(Float.isNaN(y[i]) || Math.abs(y[i]) <= 1f, f + " " + x[i] + " = " + y[i]);
        }
    }
}
