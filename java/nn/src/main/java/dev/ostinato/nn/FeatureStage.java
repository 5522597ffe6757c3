package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/** The input layer of a model that takes rows of floats. */
final class FeatureStage extends Stage {
    private final Matrix x;

    FeatureStage(Setup setup, Layer.Features layer) {
        super(setup);
        this.x = setup.matrix(setup.all(), layer.size());
    }

    void load(float[] features) {
        for (int r = 0; r < x.rows(); r++) {
            x.setRow(r, features, setup.sequences().element(r) * x.columns());
        }
    }

    @Override
    Matrix output() {
        return x;
    }

    @Override
    Matrix outputGradient() {
        throw new AssertionError("the input has no gradient");
    }

    @Override
    boolean wantsGradient() {
        return false;
    }

    @Override
    void clearGradient() {
    }

    @Override
    void forward(long dropoutKey) {
    }

    @Override
    void backward() {
    }
}
