package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.function.IntToLongFunction;

/**
 * Masks as functions of a key: element j of the mask of row number n is drawn by the counter {@code n * size + j}. Rows of one number have one
 * mask. Key 0 draws nothing: the elements are what they are expected to be.
 */
final class Masks {
    /** No draws. */
    static final long NONE = 0;

    private Masks() {
    }

    /** Returns a key of its own for a purpose, {@link #NONE} under none. */
    static long key(long key, long purpose) {
        return key == NONE ? NONE : CounterRandom.key(key, purpose);
    }

    /** Overwrites elements with 0 with probability {@code rate}, else with 1 / (1 - rate): 1 is expected. */
    static void dropout(long key, float rate, IntToLongFunction number, Matrix mask) {
        float kept = 1 / (1 - rate);
        draw(key, rate, number, mask, 0, kept, 1);
    }

    /** Overwrites elements with 1 with probability {@code rate}, else with 0: the rate is expected. */
    static void choice(long key, float rate, IntToLongFunction number, Matrix mask) {
        draw(key, rate, number, mask, 1, 0, rate);
    }

    private static void draw(long key, float rate, IntToLongFunction number, Matrix mask, float below, float above,
            float expected) {
        int size = mask.columns();
        for (int r = 0; r < mask.rows(); r++) {
            long first = number.applyAsLong(r) * size;
            for (int j = 0; j < size; j++) {
                float value = key == NONE ? expected : CounterRandom.uniform(key, first + j) < rate ? below : above;
                mask.set(r, j, value);
            }
        }
    }
}
