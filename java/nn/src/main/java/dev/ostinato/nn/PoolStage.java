package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/** One row for all steps of a stream. */
final class PoolStage extends Stage {
    private final Stage below;
    private final PooledRows rows;
    /** (B, outputs), and its gradient, (B, padded outputs). */
    private final Matrix y;
    private final Matrix dy;

    /** @param setup of the stage below */
    PoolStage(Setup setup, Layer.Pool layer, Stage below) {
        super(setup.pooled());
        this.below = below;
        this.rows = new PooledRows(layer.pooling(), setup.sequences());
        this.y = setup.matrix(setup.sequences().rows(), layer.size());
        this.dy = setup.matrix(setup.sequences().rows(), Matrix.padded(layer.size()));
    }

    @Override
    void forward(long dropoutKey) {
        rows.forward(k, below.output(), y);
    }

    @Override
    void backward() {
        if (below.wantsGradient()) {
            rows.backward(k, below.output(), y, dy.columns(0, y.columns()),
                    below.outputGradient().columns(0, y.columns()));
        }
    }

    @Override
    Matrix output() {
        return y;
    }

    @Override
    Matrix outputGradient() {
        return dy;
    }
}
