package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Raw;

/**
 * The Euclidean norm where the sum of squares leaves the range of floats: with 2^e the power of two at or below the largest magnitude, the
 * sum is of {@code (x * 2^-e)^2}, in sixteen partials as ever, and its root is scaled back. The same for all backends, in plain loops.
 */
final class Norm {
    /** Below this sum squares may have been lost to underflow; above it all that were lost do not change the last bit. */
    private static final float LEAST = 0x1p-90f;

    private Norm() {
    }

    /** Returns whether the root of this sum of squares is the norm. NaN is. */
    static boolean inRange(float squares) {
        return Float.isNaN(squares) || (squares >= LEAST && squares < Float.POSITIVE_INFINITY);
    }

    static float root(float squares) {
        return (float) Math.sqrt(squares); // the root of a float in double, rounded, is the correctly rounded one
    }

    static float scaled(Matrix x) {
        return scaled(x.address(), x.columns(), largest(x.address(), x.columns(), 0f));
    }

    /** Returns the larger of {@code start} and the largest magnitude. */
    static float largest(long x, int count, float start) {
        float largest = start;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Math.abs(Raw.get(x, i)));
        }
        return largest;
    }

    private static float scaled(long x, int count, float largest) {
        if (largest == 0 || largest == Float.POSITIVE_INFINITY) {
            return largest;
        }
        int exponent = exponent(largest);
        Partials partials = Partials.take(0f);
        addSquares(x, count, exponent, partials);
        return scaledRoot(partials.sum(), exponent);
    }

    /** Returns e such that 2^e is at or below a positive number, and its reciprocal a float. */
    static int exponent(float largest) {
        return Math.max(Math.getExponent(largest), Float.MIN_EXPONENT);
    }

    /** Goes on with the sum of {@code (x * 2^-exponent)^2}; {@code x} is where a multiple of sixteen elements have gone before. */
    static void addSquares(long x, int count, int exponent, Partials partials) {
        long sums = partials.row().address();
        for (int i = 0; i < count; i++) {
            float v = Math.scalb(Raw.get(x, i), -exponent);
            Raw.set(sums, i % Matrix.BLOCK, Math.fma(v, v, Raw.get(sums, i % Matrix.BLOCK)));
        }
    }

    static float scaledRoot(float squares, int exponent) {
        return Math.scalb(root(squares), exponent);
    }
}
