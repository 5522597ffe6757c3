package dev.ostinato.nn;

/** The course of the learning rate. */
@FunctionalInterface
public interface Schedule {
    /**
     * Returns the factor on the learning rate at a step, counted from 1. Must depend on the step alone, or on what has been
     * {@linkplain Plateau#observe observed} before it.
     */
    double factor(long step);

    /** Returns the schedule that never changes the rate. */
    static Schedule constant() {
        return step -> 1;
    }

    /** Returns the schedule that multiplies the rate by {@code factor} after every {@code every} steps. */
    static Schedule steps(long every, double factor) {
        atLeastOne("steps", every);
        positive(factor);
        return step -> StrictMath.pow(factor, (double) Math.floorDiv(step - 1, every));
    }

    /** Returns the schedule that multiplies the rate by {@code factor} after every step. */
    static Schedule exponential(double factor) {
        return steps(1, factor);
    }

    /**
     * Returns a cosine from 1 down to {@code last} at step {@code steps}, and {@code last} from then on (Loshchilov and Hutter 2017).
     */
    static Schedule cosine(long steps, double last) {
        atLeastOne("steps", steps);
        return step -> step >= steps ? last : cosine(step - 1, steps, last);
    }

    /**
     * Returns cosines from 1 down towards {@code last}, one after another: the first over {@code steps} steps, each other over {@code growth}
     * times as many as the one before it (Loshchilov and Hutter 2017).
     */
    static Schedule cosineRestarts(long steps, int growth, double last) {
        atLeastOne("steps", steps);
        atLeastOne("growth", growth);
        return step -> {
            long within = step - 1;
            long period = steps;
            if (growth == 1) {
                within %= period;
            }
            while (within >= period) {
                within -= period;
                period *= growth;
            }
            return cosine(within, period, last);
        };
    }

    private static double cosine(long done, long steps, double last) {
        return last + (1 - last) * 0.5 * (1 + StrictMath.cos(Math.PI * done / steps));
    }

    /** Returns a schedule that rises in equal parts to 1 over {@code steps} steps, and then begins with this one. */
    default Schedule warmedUp(long steps) {
        atLeastOne("steps", steps);
        return step -> step <= steps ? (double) step / steps : factor(step - steps);
    }

    private static void atLeastOne(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + ": expected >= 1, got " + value);
        }
    }

    private static void positive(double factor) {
        if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("factor: expected > 0, got " + factor);
        }
    }
}
