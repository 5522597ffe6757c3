package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.List;

/**
 * The tensors of a layer that normalises, each a row of a block; or their gradients, which for running statistics stay zero, so that no
 * optimiser changes them.
 *
 * @param rows gain and bias; of batch norm, running mean and variance too
 */
record NormWeights(List<Matrix> rows) {
    private static final int GAIN = 0;
    private static final int BIAS = 1;
    private static final int RUNNING_MEAN = 2;
    private static final int RUNNING_VARIANCE = 3;

    Matrix gain() {
        return rows.get(GAIN);
    }

    Matrix bias() {
        return rows.get(BIAS);
    }

    Matrix runningMean() {
        return rows.get(RUNNING_MEAN);
    }

    Matrix runningVariance() {
        return rows.get(RUNNING_VARIANCE);
    }

    /**
     * Batch norm as everybody computes it: {@code d = x - mean; y = fma(d, scale, bias)}.
     *
     * @param minusMean (1, N)
     * @param scale (1, N) gain / sqrt(variance + epsilon)
     * @param x (R, N)
     * @param d (R, N) overwritten
     * @param y (R, N) overwritten
     */
    void normalise(Kernels k, Matrix minusMean, Matrix scale, Matrix x, Matrix d, Matrix y) {
        k.fillRows(minusMean, d);
        k.axpy(1f, x, d);
        k.fillRows(bias(), y);
        k.addScaled(d, scale, y);
    }

    /** Overwrites (1, N) what a norm with the running statistics needs. */
    void running(float epsilon, Matrix minusMean, Matrix inverse, Matrix scale) {
        for (int j = 0; j < scale.columns(); j++) {
            minusMean.set(0, j, -runningMean().get(0, j));
            inverse.set(0, j, inverse(runningVariance().get(0, j), epsilon));
            scale.set(0, j, inverse.get(0, j) * gain().get(0, j));
        }
    }

    static float inverse(float variance, float epsilon) {
        return 1f / (float) Math.sqrt(variance + epsilon);
    }
}
