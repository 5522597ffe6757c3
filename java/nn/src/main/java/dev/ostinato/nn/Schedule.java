package dev.ostinato.nn;

/** The course of the learning rate. */
@FunctionalInterface
public interface Schedule {
    /** Returns the factor on the learning rate at a step, counted from 1. Must depend on the step alone. */
    double factor(long step);

    /** Returns the schedule that never changes the rate. */
    static Schedule constant() {
        return step -> 1;
    }

    /**
     * Returns a cosine from 1 down to {@code last} at step {@code steps}, and {@code last} from then on (Loshchilov and Hutter 2017).
     */
    static Schedule cosine(long steps, double last) {
        return step -> step >= steps ? last
                : last + (1 - last) * 0.5 * (1 + StrictMath.cos(Math.PI * (step - 1) / steps));
    }
}
