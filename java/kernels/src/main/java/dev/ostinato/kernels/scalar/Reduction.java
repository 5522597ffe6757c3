package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.raw.Raw;

/** Reductions: sixteen strided partials, then a fixed tree. */
final class Reduction {
    private Reduction() {
    }

    /** Returns the sum of sixteen partials, which it overwrites. */
    static float sum(float[] partials) {
        for (int half = Matrix.BLOCK / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                partials[i] += partials[i + half];
            }
        }
        return partials[0];
    }

    /** Returns the largest element of a row; NaNs do not count, and an empty row gives -infinity. */
    static float max(Matrix x, int row) {
        float[] partials = new float[Matrix.BLOCK];
        java.util.Arrays.fill(partials, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < x.columns(); j++) {
            int i = j % Matrix.BLOCK;
            partials[i] = larger(Raw.get(x.rowAddress(row), j), partials[i]);
        }
        for (int half = Matrix.BLOCK / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                partials[i] = larger(partials[i + half], partials[i]);
            }
        }
        return partials[0];
    }

    /** {@code a > b ? a : b}: with a NaN, or with both zeros, it is b. */
    private static float larger(float a, float b) {
        return a > b ? a : b;
    }
}
