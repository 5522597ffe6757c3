package dev.ostinato.tests;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.stream.LongStream;

/**
 * Measures the elementary functions against StrictMath in double.
 *
 * <p>{@link #main} sweeps all 2^32 floats, in a few minutes: <pre>
 * ./mvnw test-compile
 * java --enable-native-access=ALL-UNNAMED -cp java/kernels/target/classes:tests/target/test-classes \
 *     dev.ostinato.tests.ElementaryAccuracy</pre>
 */
final class ElementaryAccuracy {
    private static final int AT_A_TIME = 1 << 16;
    /** Chunks of the sweep. */
    private static final int CHUNK_BITS = 24;

    private ElementaryAccuracy() {
    }

    /**
     * What was observed.
     *
     * @param ulp the largest error, in units in the last place of the correctly rounded result
     * @param at the argument that has it
     * @param stepBack by how many floats a result was beyond that of the next larger argument, at most
     */
    record Observed(double ulp, float at, int stepBack) {
        static final Observed NOTHING = new Observed(0, 0f, 0);

        Observed and(Observed other) {
            Observed worse = other.ulp > ulp ? other : this;
            return new Observed(worse.ulp, worse.at, Math.max(stepBack, other.stepBack));
        }

        @Override
        public String toString() {
            return "%.4f ULP at %s (%08x), steps back %d".formatted(ulp, at, Float.floatToRawIntBits(at), stepBack);
        }
    }

    public static void main(String[] arguments) {
        Kernels kernels = Backends.kernels("scalar");
        for (Function f : Function.values()) {
            Observed observed = LongStream.range(0, 1L << (Integer.SIZE - CHUNK_BITS)).parallel()
                    .mapToObj(chunk -> observe(kernels, f, (int) (chunk << CHUNK_BITS), 1, 1 << CHUNK_BITS))
                    .reduce(Observed.NOTHING, Observed::and);
            System.out.println(f + ": " + observed);
        }
    }

    /** Observes the floats whose bits are {@code first, first + step, ..}, {@code count} of them. */
    static Observed observe(Kernels kernels, Function f, int first, int step, int count) {
        Observed observed = Observed.NOTHING;
        for (int from = 0; from < count; from += AT_A_TIME) {
            // One more than in turn, so that every two neighbours are compared.
            float[] x = new float[Math.min(AT_A_TIME + 1, count - from)];
            for (int i = 0; i < x.length; i++) {
                x[i] = Float.intBitsToFloat(first + (from + i) * step);
            }
            observed = observed.and(observe(f, x, apply(kernels, f, x)));
        }
        return observed;
    }

    /** Returns a function of every element. */
    static float[] apply(Kernels kernels, Function f, float[] x) {
        Matrix row = Matrix.of(new float[][] {x});
        kernels.apply(f, row, row);
        return row.row(0);
    }

    private static Observed observe(Function f, float[] x, float[] y) {
        double worst = 0;
        float at = 0f;
        int stepBack = 0;
        for (int i = 0; i < x.length; i++) {
            double error = error(y[i], exact(f, x[i]));
            if (error > worst) {
                worst = error;
                at = x[i];
            }
            if (i > 0 && !Float.isNaN(y[i - 1]) && !Float.isNaN(y[i])) {
                int step = order(y[i]) - order(y[i - 1]);
                stepBack = Math.max(stepBack, x[i - 1] < x[i] ? -step : step);
            }
        }
        return new Observed(worst, at, stepBack);
    }

    static double exact(Function f, double x) {
        return switch (f) {
            case EXP -> StrictMath.exp(x);
            case LOG -> StrictMath.log(x);
            case TANH -> StrictMath.tanh(x);
            case SIGMOID -> 1 / (1 + StrictMath.exp(-x));
        };
    }

    /** Returns the error in units in the last place of the exact result rounded to a float; infinite if only one is NaN. */
    static double error(float y, double exact) {
        if (Float.isNaN(y) || Double.isNaN(exact)) {
            return Float.isNaN(y) && Double.isNaN(exact) ? 0 : Double.POSITIVE_INFINITY;
        }
        float rounded = (float) exact;
        if (y == rounded && Float.isInfinite(y)) {
            return 0;
        }
        // An infinity stands for the first number that is too large.
        return Math.abs(finite(y) - finite(exact)) / Math.ulp(Math.clamp(rounded, -Float.MAX_VALUE, Float.MAX_VALUE));
    }

    private static double finite(double v) {
        return Math.clamp(v, -0x1p128, 0x1p128);
    }

    /** Returns where a number is in the order of all floats: neighbours differ by 1. */
    private static int order(float y) {
        int bits = Float.floatToRawIntBits(y);
        return bits < 0 ? Integer.MIN_VALUE - bits : bits;
    }
}
