package dev.ostinato.nn;

/** One row for all steps of a stream. */
final class PoolStage extends OutputStage {
    private final Stage below;
    private final PooledRows rows;

    /** @param setup of the stage below */
    PoolStage(Setup setup, Layer.Pool layer, Stage below) {
        super(setup.pooled(), layer.size());
        this.below = below;
        this.rows = new PooledRows(layer.pooling(), setup.sequences());
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
}
