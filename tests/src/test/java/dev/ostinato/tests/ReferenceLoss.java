package dev.ostinato.tests;

import dev.ostinato.nn.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/** Losses in double precision, by the formulas of the textbooks. */
final class ReferenceLoss {
    private ReferenceLoss() {
    }

    /**
     * Returns the loss of a batch.
     *
     * @param y (T * B) rows of outputs, null where there is no step; behind a pooling layer (B)
     */
    static double of(RandomBatch batch, Loss loss, double[][] y) {
        if (loss instanceof Loss.Ctc ctc) {
            return ctc(batch, ctc, y);
        }
        double sum = 0;
        double weight = 0;
        for (int row = 0; row < y.length; row++) {
            if (y[row] != null) {
                sum += row(batch, loss, row, y[row]);
                weight += weight(batch, loss, row);
            }
        }
        return sum / (loss.reduction() == Loss.Reduction.SUM ? batch.rows : weight);
    }

    private static double row(RandomBatch batch, Loss loss, int row, double[] y) {
        return switch (loss) {
            case Loss.CrossEntropy entropy -> crossEntropy(entropy, y, batch.classes[row]);
            case Loss.SquaredError squared -> squared.factor() * difference(batch, row, y, d -> d * d);
            case Loss.AbsoluteError _ -> difference(batch, row, y, Math::abs);
            case Loss.Huber huber -> difference(batch, row, y,
                    d -> Math.abs(d) <= huber.delta() ? 0.5 * d * d : huber.delta() * Math.abs(d)
                            - 0.5 * huber.delta() * huber.delta());
            case Loss.Ctc _ -> throw new AssertionError(loss);
            case Loss.SampledSoftmax _ -> throw new AssertionError(loss);
            case Loss.BinaryCrossEntropy binary -> binary(binary, y, batch.probabilities(), row * y.length);
        };
    }

    /** Returns what divides the sum for a row. */
    private static double weight(RandomBatch batch, Loss loss, int row) {
        if (loss instanceof Loss.CrossEntropy entropy) {
            int index = batch.classes[row];
            return ignored(entropy, index) ? 0 : weight(entropy.classWeights(), index);
        }
        return 1;
    }

    private static boolean ignored(Loss.CrossEntropy loss, int index) {
        return loss.ignoredClass().isPresent() && loss.ignoredClass().getAsInt() == index;
    }

    private static double weight(List<Double> weights, int index) {
        return weights.isEmpty() ? 1 : weights.get(index);
    }

    private static double crossEntropy(Loss.CrossEntropy loss, double[] y, int index) {
        if (ignored(loss, index)) {
            return 0;
        }
        double[] logs = logSoftmax(y);
        double smooth = 0;
        for (int c = 0; c < y.length; c++) {
            smooth -= weight(loss.classWeights(), c) * logs[c] / y.length;
        }
        return (1 - loss.labelSmoothing()) * weight(loss.classWeights(), index) * -logs[index]
                + loss.labelSmoothing() * smooth;
    }

    private static double[] logSoftmax(double[] y) {
        double sum = Arrays.stream(y).map(Math::exp).sum();
        return Arrays.stream(y).map(v -> v - Math.log(sum)).toArray();
    }

    private static double difference(RandomBatch batch, int row, double[] y, DoubleUnaryOperator function) {
        double sum = 0;
        for (int j = 0; j < y.length; j++) {
            sum += function.applyAsDouble(y[j] - batch.values[row * y.length + j]);
        }
        return sum / y.length;
    }

    private static double binary(Loss.BinaryCrossEntropy loss, double[] y, float[] targets, int from) {
        double sum = 0;
        for (int j = 0; j < y.length; j++) {
            double yes = 1 / (1 + Math.exp(-y[j]));
            double t = targets[from + j];
            sum -= weight(loss.positiveWeights(), j) * t * Math.log(yes) + (1 - t) * Math.log(1 - yes);
        }
        return sum / y.length;
    }

    private static double ctc(RandomBatch batch, Loss.Ctc loss, double[][] y) {
        int[][] labels = batch.labels(loss.blank());
        double sum = 0;
        for (int b = 0; b < batch.rows; b++) {
            List<double[]> logs = new ArrayList<>();
            for (int row = b; row < y.length; row += batch.rows) {
                if (y[row] != null) {
                    logs.add(logSoftmax(y[row]));
                }
            }
            double nats = -Math.log(ways(logs, 0, loss.blank(), labels[b], 0, loss.blank()));
            sum += nats / (loss.reduction() == Loss.Reduction.SUM ? 1 : Math.max(1, labels[b].length));
        }
        return sum / batch.rows;
    }

    /**
     * Returns the probability of all ways through the classes, one at a step, that go on from a step and say the labels from one on.
     *
     * @param last the class of the step before, or the blank
     */
    private static double ways(List<double[]> logs, int step, int blank, int[] labels, int label, int last) {
        if (step == logs.size()) {
            return label == labels.length ? 1 : 0;
        }
        double sum = 0;
        for (int c = 0; c < logs.get(step).length; c++) {
            boolean says = c != blank && c != last;
            if (!says || (label < labels.length && labels[label] == c)) {
                sum += Math.exp(logs.get(step)[c]) * ways(logs, step + 1, blank, labels, says ? label + 1 : label, c);
            }
        }
        return sum;
    }
}
