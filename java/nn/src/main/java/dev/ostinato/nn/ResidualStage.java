package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/** y = x + s, where s is what the layers that are skipped begin with (He et al. 2016). Both get the gradient of y. */
final class ResidualStage extends OutputStage {
    private final Stage below;
    private final Stage source;

    ResidualStage(Layer.Residual layer, Stage below, Stage source) {
        super(below.setup, layer.size());
        this.below = below;
        this.source = source;
    }

    @Override
    void forward(long dropoutKey) {
        eachChunk((from, to) -> {
            Matrix sum = y.rows(from, to);
            sum.copyFrom(below.output().rows(from, to));
            k.axpy(1, source.output().rows(from, to), sum);
        });
    }

    @Override
    void backward() {
        addGradient(below);
        addGradient(source);
    }

    private void addGradient(Stage stage) {
        if (stage.wantsGradient()) {
            eachChunk((from, to) -> k.axpy(1, dy.rows(from, to).columns(0, y.columns()),
                    stage.outputGradient().rows(from, to).columns(0, y.columns())));
        }
    }
}
