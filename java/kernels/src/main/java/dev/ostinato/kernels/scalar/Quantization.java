package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.raw.Raw;

/** How a row is quantised, one number at a time. */
public final class Quantization {
    /** Adding this rounds to an integer, and the low byte of the sum's bits is the level as it is stored. */
    public static final float ROUND = 0x1.8p23f + QuantizedRows.ZERO;

    /** Rows whose largest magnitude is less become 0: their scale would be subnormal. */
    private static final float LEAST = 0x1p-119f;

    private Quantization() {
    }

    /** Returns the scale of a row whose largest magnitude is {@code m}, NaN if it has none. */
    public static float scale(Scaling scaling, float m) {
        if (scaling == Scaling.UNIT && m <= 1f) {
            return 1f / QuantizedRows.MAX_LEVEL;
        }
        return m < LEAST ? 0f : m < Float.POSITIVE_INFINITY ? m / QuantizedRows.MAX_LEVEL : Float.NaN;
    }

    /** Returns the number of levels in 1. */
    public static float factor(Scaling scaling, float m) {
        if (scaling == Scaling.UNIT && m <= 1f) {
            return QuantizedRows.MAX_LEVEL;
        }
        return m >= LEAST && m < Float.POSITIVE_INFINITY ? QuantizedRows.MAX_LEVEL / m : 0f;
    }

    /** Returns the largest magnitude of a row, of which NaN is larger than any number: as integers, floats without signs have this order. */
    static float largestMagnitude(long x, int columns) {
        int largest = 0;
        for (int k = 0; k < columns; k++) {
            largest = Math.max(largest, Raw.getInt(x, k) & Integer.MAX_VALUE);
        }
        return Float.intBitsToFloat(largest);
    }

    /** Returns an int whose low byte is the level as it is stored. */
    public static int storedLevel(float x, float factor) {
        return Float.floatToRawIntBits(Math.fma(x, factor, ROUND));
    }
}
