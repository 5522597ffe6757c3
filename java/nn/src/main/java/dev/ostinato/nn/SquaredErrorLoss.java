package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/** Squared error. */
final class SquaredErrorLoss extends LossStage {
    private final Matrix values;
    private final double factor;

    SquaredErrorLoss(Stage top, Loss.SquaredError loss) {
        super(top, loss);
        this.values = setup.matrix(setup.all(), y.columns());
        this.factor = loss.factor() / y.columns();
    }

    @Override
    void loadTargets(Batch batch) {
        loadRows(batch.values(outputSteps(), values.columns()), values);
    }

    @Override
    void forward(int from, int to) {
        setup.kernels().squaredError(y.rows(from, to), values.rows(from, to), losses.rows(from, to), (float) factor,
                (float) (2 * factor * share()));
    }
}
