package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.function.DoubleUnaryOperator;

/** A function of the differences d of outputs and targets, averaged over the columns. Forward leaves the gradient in place of the outputs. */
final class DifferenceLoss extends LossStage {
    private final Matrix values;
    private final DoubleUnaryOperator function;
    private final DoubleUnaryOperator slope;

    private DifferenceLoss(Stage top, Loss loss, DoubleUnaryOperator function, DoubleUnaryOperator slope) {
        super(top, loss);
        this.values = setup.matrix(setup.all(), y.columns());
        this.function = function;
        this.slope = slope;
    }

    static LossStage absolute(Stage top, Loss.AbsoluteError loss) {
        return new DifferenceLoss(top, loss, Math::abs, Math::signum);
    }

    static LossStage huber(Stage top, Loss.Huber loss) {
        double delta = loss.delta();
        return new DifferenceLoss(top, loss,
                d -> Math.abs(d) > delta ? delta * (Math.abs(d) - delta / 2) : d * d / 2,
                d -> Math.clamp(d, -delta, delta));
    }

    @Override
    void loadTargets(Batch batch) {
        loadRows(batch.values(outputSteps(), values.columns()), values);
    }

    @Override
    void forward(int from, int to) {
        double share = share() / y.columns();
        for (int r = from; r < to; r++) {
            double sum = 0;
            for (int j = 0; j < y.columns(); j++) {
                double d = (double) y.get(r, j) - values.get(r, j);
                sum += function.applyAsDouble(d);
                y.set(r, j, (float) (slope.applyAsDouble(d) * share));
            }
            losses.set(r, 0, (float) (sum / y.columns()));
        }
    }
}
