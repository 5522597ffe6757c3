package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/** A layer whose activations, and the gradient of these, are rows of its own. */
abstract class OutputStage extends Stage {
    /** (all, outputs). */
    final Matrix y;
    /** (all, padded outputs). */
    final Matrix dy;

    OutputStage(Setup setup, int outputs) {
        super(setup);
        this.y = setup.matrix(setup.all(), outputs);
        this.dy = setup.matrix(setup.all(), Matrix.padded(outputs));
    }

    @Override
    final Matrix output() {
        return y;
    }

    @Override
    final Matrix outputGradient() {
        return dy;
    }
}
