package dev.ostinato.bench;

/**
 * Random numbers that another language draws with one line: the linear congruential generator of Knuth's MMIX, of which the upper bits
 * are used. {@code training_peer.py} has the same.
 */
final class Sequence {
    private long state;

    Sequence(long seed) {
        this.state = seed;
    }

    private long next() {
        state = state * 6364136223846793005L + 1442695040888963407L;
        return state;
    }

    /** Returns a number of {@code 0..bound-1}. */
    int below(int bound) {
        return (int) ((next() >>> 33) % bound);
    }

    /** Returns a multiple of 2^-23 in [-1, 1), times {@code factor}, rounded once. */
    float symmetric(double factor) {
        return (float) (((next() >>> 40) * 0x1p-23 - 1) * factor);
    }

    /** Returns {@code length} numbers in [-1, 1). */
    float[] floats(int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = symmetric(1);
        }
        return values;
    }

    /** Returns {@code rows} rows of numbers in [-1, 1). */
    float[][] rows(int rows, int columns) {
        float[][] values = new float[rows][];
        for (int r = 0; r < rows; r++) {
            values[r] = floats(columns);
        }
        return values;
    }
}
