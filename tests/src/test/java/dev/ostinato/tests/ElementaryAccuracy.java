package dev.ostinato.tests;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Measures the elementwise functions and their gradients against {@link ReferenceFunctions}.
 *
 * <p>{@link #main} sweeps all 2^32 floats, on all processors, in some ten minutes: <pre>
 * ./mvnw test-compile
 * java --enable-native-access=ALL-UNNAMED -cp java/kernels/target/classes:native/target/classes:tests/target/test-classes \
 *     dev.ostinato.tests.ElementaryAccuracy [backend]</pre>
 */
final class ElementaryAccuracy {
    private static final int AT_A_TIME = 1 << 15;
    /** Chunks of the sweep. */
    private static final int CHUNK_BITS = 24;

    /**
     * The gradients of GELU and SiLU cross 0 within [-2, -1/2], where a unit in the last place of the result says nothing: there errors
     * are in those of 2^-4, or of the result if it is larger.
     */
    private static final double CROSSING_SCALE = 0x1p-4;

    private ElementaryAccuracy() {
    }

    /** What is measured: a function, or its gradient for dy = 1. */
    record Subject(Function function, boolean gradient) {
        static List<Subject> all() {
            List<Subject> all = new ArrayList<>();
            for (boolean gradient : new boolean[] {false, true}) {
                for (Function f : Function.values()) {
                    all.add(new Subject(f, gradient));
                }
            }
            return all;
        }

        float[] computed(Kernels kernels, float[] x) {
            Matrix row = Matrix.of(new float[][] {x});
            if (gradient) {
                Matrix dy = Matrix.of(1, x.length);
                float[] ones = new float[x.length];
                Arrays.fill(ones, 1f);
                dy.setRow(0, ones);
                kernels.applyBackward(function, row, dy, row);
            } else {
                kernels.apply(function, row, row);
            }
            return row.row(0);
        }

        double exact(float x) {
            return gradient ? ReferenceFunctions.derivative(function, x) : ReferenceFunctions.value(function, x);
        }

        /** Returns the smallest magnitude whose units in the last place errors at x are measured in. */
        double scale(float x) {
            boolean crossing = gradient && (function == Function.GELU || function == Function.SILU);
            return crossing && x > -2 && x < -0.5 ? CROSSING_SCALE : 0;
        }

        /** Returns whether the exact results fall at x as arguments grow. */
        boolean falls(float x) {
            return switch (function) {
                case GELU -> x < -0.7517916;
                case SILU -> x < -1.2784645;
                default -> false;
            };
        }

        @Override
        public String toString() {
            return gradient ? function + " gradient" : function.toString();
        }
    }

    /**
     * What was observed.
     *
     * @param ulp the largest error, in units in the last place of the correctly rounded result
     * @param at the argument that has it
     * @param stepBack by how many floats a result of a function was on the wrong side of that of its neighbour, at most
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
        Kernels kernels = Backends.kernels(arguments.length > 0 ? arguments[0] : "auto");
        System.out.println("All 2^32 floats, " + kernels.backend().description() + "\n");
        System.out.println("| function | largest error, ULP | at x = | not monotone by, ULP |\n|---|---|---|---|");
        for (Subject subject : Subject.all()) {
            Observed observed = LongStream.range(0, 1L << (Integer.SIZE - CHUNK_BITS)).parallel()
                    .mapToObj(chunk -> observe(kernels, subject, (int) (chunk << CHUNK_BITS), 1, 1 << CHUNK_BITS))
                    .reduce(Observed.NOTHING, Observed::and);
            System.out.printf("| %s | %.4f | %s | %s |%n", subject, observed.ulp(), observed.at(),
                    subject.gradient() ? "" : observed.stepBack());
        }
    }

    /** Observes the floats whose bits are {@code first, first + step, ..}, {@code count} of them. */
    static Observed observe(Kernels kernels, Subject subject, int first, int step, int count) {
        Observed observed = Observed.NOTHING;
        for (int from = 0; from < count; from += AT_A_TIME) {
            // One more than in turn, so that every two neighbours are compared.
            float[] x = new float[Math.min(AT_A_TIME + 1, count - from)];
            for (int i = 0; i < x.length; i++) {
                x[i] = Float.intBitsToFloat(first + (from + i) * step);
            }
            observed = observed.and(observe(subject, x, subject.computed(kernels, x)));
        }
        return observed;
    }

    private static Observed observe(Subject subject, float[] x, float[] y) {
        double worst = 0;
        float at = 0f;
        int stepBack = 0;
        for (int i = 0; i < x.length; i++) {
            double exact = subject.exact(x[i]);
            if (!clearlyWithin(worst, y[i], exact)) {
                double error = error(y[i], exact, subject.scale(x[i]));
                if (error > worst) {
                    worst = error;
                    at = x[i];
                }
            }
            if (i > 0 && !subject.gradient()) {
                stepBack = Math.max(stepBack, stepBack(subject, x[i - 1], x[i], y[i - 1], y[i]));
            }
        }
        return new Observed(worst, at, stepBack);
    }

    /** Whether an error is at most that many units, by a bound that costs less: a unit is at least 2^-24 of the number. False for a NaN. */
    private static boolean clearlyWithin(double units, float y, double exact) {
        return Math.abs(y - exact) <= units * 0.99 * 0x1p-24 * Math.max(Math.abs(exact), Float.MIN_NORMAL);
    }

    private static int stepBack(Subject subject, float x, float nextX, float y, float nextY) {
        if (Float.isNaN(y) || Float.isNaN(nextY)) {
            return 0;
        }
        int step = order(nextY) - order(y);
        return (x < nextX) == subject.falls(Math.min(x, nextX)) ? step : -step;
    }

    /**
     * Returns the error in units in the last place of the exact result rounded to a float, or of {@code scale} if that is larger; infinite
     * if only one is NaN.
     */
    static double error(float y, double exact, double scale) {
        if (Float.isNaN(y) || Double.isNaN(exact)) {
            return Float.isNaN(y) && Double.isNaN(exact) ? 0 : Double.POSITIVE_INFINITY;
        }
        float rounded = (float) exact;
        if (y == rounded && Float.isInfinite(y)) {
            return 0;
        }
        // An infinity stands for the first number that is too large.
        float unitOf = Math.max(Math.min(Math.abs(rounded), Float.MAX_VALUE), (float) scale);
        return Math.abs(finite(y) - finite(exact)) / Math.ulp(unitOf);
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
