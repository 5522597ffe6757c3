package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.raw.Raw;

/** Layer norm of one row, at raw addresses. */
final class ScalarLayerNorm {
    private ScalarLayerNorm() {
    }

    static void forward(long x, long gain, long bias, float epsilon, long y, long statistics, int columns) {
        float first = Raw.get(x, 0);
        float mean = deviation(x, first, 0f, columns);
        mean += deviation(x, first, mean, columns); // what the rounding of a long sum left
        float[] squares = new float[Matrix.BLOCK];
        for (int j = 0; j < columns; j++) {
            float d = (Raw.get(x, j) - first) - mean;
            squares[j % Matrix.BLOCK] = Math.fma(d, d, squares[j % Matrix.BLOCK]);
        }
        float inverse = 1f / (float) Math.sqrt(Reduction.sum(squares) / columns + epsilon);
        for (int j = 0; j < columns; j++) {
            float n = ((Raw.get(x, j) - first) - mean) * inverse;
            Raw.set(y, j, Math.fma(n, Raw.get(gain, j), Raw.get(bias, j)));
        }
        Raw.set(statistics, 0, mean);
        Raw.set(statistics, 1, inverse);
    }

    /** Returns the mean of {@code (x - first) - mean}. */
    private static float deviation(long x, float first, float mean, int columns) {
        float[] sums = new float[Matrix.BLOCK];
        for (int j = 0; j < columns; j++) {
            sums[j % Matrix.BLOCK] += (Raw.get(x, j) - first) - mean;
        }
        return Reduction.sum(sums) / columns;
    }

    static void backward(long x, long gain, long statistics, long dy, long dx, long dGain, long dBias, int columns) {
        float first = Raw.get(x, 0);
        float mean = Raw.get(statistics, 0);
        float inverse = Raw.get(statistics, 1);
        float[] plain = new float[Matrix.BLOCK];
        float[] weighted = new float[Matrix.BLOCK];
        for (int j = 0; j < columns; j++) {
            float n = ((Raw.get(x, j) - first) - mean) * inverse;
            float g = Raw.get(dy, j) * Raw.get(gain, j);
            plain[j % Matrix.BLOCK] += g;
            weighted[j % Matrix.BLOCK] = Math.fma(g, n, weighted[j % Matrix.BLOCK]);
        }
        float a = Reduction.sum(plain) / columns;
        float b = Reduction.sum(weighted) / columns;
        for (int j = 0; j < columns; j++) {
            float n = ((Raw.get(x, j) - first) - mean) * inverse;
            float d = Raw.get(dy, j);
            Raw.set(dGain, j, Math.fma(d, n, Raw.get(dGain, j)));
            Raw.set(dBias, j, Raw.get(dBias, j) + d);
            Raw.set(dx, j, Math.fma(-n, b, d * Raw.get(gain, j) - a) * inverse);
        }
    }
}
