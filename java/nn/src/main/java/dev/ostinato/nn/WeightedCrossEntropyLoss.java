package dev.ostinato.nn;

import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;

/**
 * Softmax cross-entropy with smoothed labels, weights of classes or an ignored class. A row whose class is y costs
 * {@code -sum of q[c] log p[c]} with {@code q[c] = w[c] ((c == y ? 1 - e : 0) + e / V)}, so that its gradient is
 * {@code p[c] * sum(q) - q[c]}.
 */
final class WeightedCrossEntropyLoss extends LossStage {
    private static final int IGNORED = -1;

    private final Loss.CrossEntropy loss;
    private final Indices classes;
    private final double[] classWeights;
    /** (1, V): the part of q that does not depend on y; and its sum. */
    private final Matrix spread;
    private final double spreadSum;
    private double weight;

    WeightedCrossEntropyLoss(Stage top, Loss.CrossEntropy loss) {
        super(top, loss);
        this.loss = loss;
        this.classes = Indices.of(setup.all());
        this.classWeights = weights(loss.classWeights(), y.columns());
        this.spread = Matrix.of(1, y.columns());
        double sum = 0;
        for (int c = 0; c < classWeights.length; c++) {
            double share = classWeights[c] * loss.labelSmoothing() / classWeights.length;
            spread.set(0, c, (float) share);
            sum += share;
        }
        this.spreadSum = sum;
    }

    @Override
    void loadTargets(Batch batch) {
        int[] all = batch.classes(outputSteps());
        for (int r = 0; r < classes.length(); r++) {
            classes.set(r, index(all, setup.sequences(), r));
        }
    }

    @Override
    void loadWeight(Batch batch) {
        int[] all = batch.classes(outputSteps());
        weight = 0;
        for (int r = 0; r < whole().total(); r++) {
            int index = index(all, whole(), r);
            weight += index == IGNORED ? 0 : classWeights[index];
        }
    }

    private int index(int[] all, Sequences sequences, int row) {
        int at = sequences.element(row);
        boolean ignored = !counts(sequences, row)
                || (loss.ignoredClass().isPresent() && loss.ignoredClass().getAsInt() == all[at]);
        return ignored ? IGNORED : checked(all, at, y.columns());
    }

    @Override
    double weight() {
        return loss.reduction() == Loss.Reduction.SUM ? super.weight() : weight;
    }

    @Override
    void forward(int from, int to) {
        Kernels k = setup.kernels();
        k.logSoftmax(y.rows(from, to), y.rows(from, to));
        for (int r = from; r < to; r++) {
            losses.set(r, 0, classes.get(r) == IGNORED ? 0 : (float) rowLoss(k, r, classes.get(r)));
        }
    }

    private double rowLoss(Kernels k, int row, int index) {
        double right = rightShare(index) * -y.get(row, index);
        return spreadSum == 0 ? right : right - k.dot(spread, y.rows(row, row + 1));
    }

    /** The part of q that the right class alone has. */
    private double rightShare(int index) {
        return (1 - loss.labelSmoothing()) * classWeights[index];
    }

    @Override
    void backward(int from, int to) {
        Kernels k = setup.kernels();
        k.apply(Function.EXP, y.rows(from, to), y.rows(from, to));
        double share = share();
        for (int r = from; r < to; r++) {
            Matrix row = y.rows(r, r + 1);
            int index = classes.get(r);
            if (index == IGNORED) {
                row.clear();
                continue;
            }
            k.scale(row, (float) ((rightShare(index) + spreadSum) * share));
            if (spreadSum != 0) {
                k.axpy((float) -share, spread, row);
            }
            row.set(0, index, (float) (row.get(0, index) - rightShare(index) * share));
        }
    }
}
