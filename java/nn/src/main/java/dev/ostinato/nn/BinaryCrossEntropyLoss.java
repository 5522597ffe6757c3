package dev.ostinato.nn;

import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;

/**
 * Binary cross-entropy of logits x against targets t, with p the weight of a yes: <pre>
 * loss = p t softplus(-x) + (1 - t) softplus(x)
 * dx   = (1 - t + p t) sigmoid(x) - p t</pre>
 * Both softplus are that of -|x|, plus |x| for the one whose argument is positive: nothing cancels.
 */
final class BinaryCrossEntropyLoss extends LossStage {
    private final Matrix values;
    /** (all, outputs): softplus(-|x|). */
    private final Matrix tails;
    private final double[] positiveWeights;

    BinaryCrossEntropyLoss(Stage top, Loss.BinaryCrossEntropy loss) {
        super(top, loss);
        this.values = setup.matrix(setup.all(), y.columns());
        this.tails = setup.matrix(setup.all(), y.columns());
        this.positiveWeights = weights(loss.positiveWeights(), y.columns());
    }

    @Override
    void loadTargets(Batch batch) {
        float[] all = batch.values(outputSteps(), values.columns());
        loadRows(all, values);
        for (int r = 0; r < values.rows(); r++) {
            for (int j = 0; j < values.columns(); j++) {
                float value = values.get(r, j);
                if (!(value >= 0 && value <= 1)) {
                    int at = setup.sequences().element(r) * values.columns() + j;
                    throw new IllegalArgumentException("value " + at + ": expected in [0, 1], got " + value);
                }
            }
        }
    }

    @Override
    void forward(int from, int to) {
        for (int r = from; r < to; r++) {
            for (int j = 0; j < y.columns(); j++) {
                tails.set(r, j, -Math.abs(y.get(r, j)));
            }
        }
        Matrix rows = tails.rows(from, to);
        setup.kernels().apply(Function.SOFTPLUS, rows, rows);
        for (int r = from; r < to; r++) {
            double sum = 0;
            for (int j = 0; j < y.columns(); j++) {
                double tail = tails.get(r, j);
                double x = y.get(r, j);
                double t = values.get(r, j);
                sum += positiveWeights[j] * t * (Math.max(-x, 0) + tail) + (1 - t) * (Math.max(x, 0) + tail);
            }
            losses.set(r, 0, (float) (sum / y.columns()));
        }
    }

    @Override
    void backward(int from, int to) {
        Kernels k = setup.kernels();
        k.apply(Function.SIGMOID, y.rows(from, to), y.rows(from, to));
        double share = share() / y.columns();
        for (int r = from; r < to; r++) {
            for (int j = 0; j < y.columns(); j++) {
                double t = values.get(r, j);
                double yes = positiveWeights[j] * t;
                y.set(r, j, (float) (((1 - t + yes) * y.get(r, j) - yes) * share));
            }
        }
    }
}
