package dev.ostinato.nn;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * What training makes small. The loss of a batch is the mean over all its outputs, or the sum over the outputs of each stream, of which
 * the mean over the streams is taken. There is an output for each step that a stream has, or one behind a pooling layer.
 *
 * <p>A value: factories and options return losses, and change none. Which losses fit which models is checked when a {@link Trainer} is
 * built.
 */
public sealed interface Loss {
    /** What becomes of the outputs of a stream. */
    enum Reduction {
        /** Averaged, over all outputs of all streams. */
        MEAN,
        /** Summed over the outputs of each stream; averaged over the streams. */
        SUM
    }

    /** Returns what becomes of the outputs of a stream. */
    Reduction reduction();

    /** Returns this loss with the outputs of a stream summed. */
    Loss summed();

    /** Returns the negative logarithm, in nats, of the probability that the softmax gives to the right class. */
    static CrossEntropy crossEntropy() {
        return new CrossEntropy(0, List.of(), OptionalInt.empty(), Reduction.MEAN);
    }

    /** Returns the mean over the outputs of the squared difference. */
    static Loss squaredError() {
        return new SquaredError(1, Reduction.MEAN);
    }

    /** Returns half of {@link #squaredError}, whose gradient is the difference itself. */
    static Loss halfSquaredError() {
        return new SquaredError(0.5, Reduction.MEAN);
    }

    /** Returns the mean over the outputs of the absolute difference; its gradient at no difference is 0. */
    static Loss absoluteError() {
        return new AbsoluteError(Reduction.MEAN);
    }

    /**
     * Returns the mean over the outputs of half the squared difference d, and of {@code delta * (|d| - delta / 2)} where {@code |d| > delta}:
     * far off targets pull no harder than those {@code delta} off (Huber 1964).
     *
     * @throws IllegalArgumentException if {@code delta} is not positive and finite
     */
    static Loss huber(double delta) {
        return new Huber(delta, Reduction.MEAN);
    }

    /**
     * Returns the cross-entropy of independent yes-or-no questions, one to an output x, which is the logit of yes:
     * {@code -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x))} for a target t in [0, 1], the mean over the outputs.
     */
    static BinaryCrossEntropy binaryCrossEntropy() {
        return new BinaryCrossEntropy(List.of(), Reduction.MEAN);
    }

    /**
     * Returns connectionist temporal classification (Graves et al. 2006): the negative log-probability of the labels of a stream, summed over all
     * ways to place them among its steps. Each step says a class; those that say the same in a row count once, and those that say the blank
     * do not count. Divided by the number of labels, unless {@link #summed}; the mean over the streams.
     *
     * <p>Steps that a stream does not have are left out. A stream with more labels than its steps can say is refused: between two equal labels
     * there has to be a blank.
     *
     * @param blank the class that stands for no label
     * @throws IllegalArgumentException if it is negative
     */
    static Loss ctc(int blank) {
        return new Ctc(blank, Reduction.MEAN);
    }

    /**
     * Returns cross-entropy for large vocabularies, over the right class and a sample of others (Jean et al. 2015): only their rows of the last
     * layer, which is dense, take part, forward and backward. For each batch distinct classes are drawn with the probabilities
     * {@code P(c) = log((c + 2) / (c + 1)) / log(V + 1)}: frequent classes come first. From every output the logarithm of how often its class is
     * expected among the samples is subtracted, {@code -expm1(draws * log1p(-P(c)))}; a sample that is the right class of a row does not count for
     * it. Validation takes the whole softmax.
     *
     * @param samples how many, less than there are classes
     * @throws IllegalArgumentException if it is not positive
     */
    static Loss sampledSoftmax(int samples) {
        return new SampledSoftmax(samples, Reduction.MEAN);
    }

    /**
     * Softmax cross-entropy against classes, with PyTorch's options. With w the weights of the classes, p the softmax of V outputs and e the
     * smoothing, class y costs {@code -(1 - e) w[y] log p[y] - e / V * sum of w[c] log p[c]}. The mean over a batch divides by the sum of
     * {@code w[y]}; of a batch in which nothing counts it is 0.
     *
     * @param labelSmoothing e, from 0 to 1 (Szegedy et al. 2016)
     * @param classWeights w, one for each class; empty for all 1
     * @param ignoredClass the class, inside or outside the outputs, whose rows do not count
     */
    record CrossEntropy(double labelSmoothing, List<Double> classWeights, OptionalInt ignoredClass,
            Reduction reduction) implements Loss {
        public CrossEntropy {
            if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
                throw new IllegalArgumentException("label smoothing: expected in [0, 1], got " + labelSmoothing);
            }
            classWeights = weights("class weight", classWeights);
        }

        /** Returns this loss with a share of the probability spread evenly over all classes. */
        public CrossEntropy labelSmoothing(double share) {
            return new CrossEntropy(share, classWeights, ignoredClass, reduction);
        }

        /** Returns this loss with these weights, finite and not negative. */
        public CrossEntropy classWeights(double... weights) {
            return new CrossEntropy(labelSmoothing, list(weights), ignoredClass, reduction);
        }

        /** Returns this loss without the rows whose class this is. */
        public CrossEntropy ignoring(int index) {
            return new CrossEntropy(labelSmoothing, classWeights, OptionalInt.of(index), reduction);
        }

        @Override
        public CrossEntropy summed() {
            return new CrossEntropy(labelSmoothing, classWeights, ignoredClass, Reduction.SUM);
        }
    }

    /** Squared error against values, times a factor. */
    record SquaredError(double factor, Reduction reduction) implements Loss {
        public SquaredError {
            positive("factor", factor);
        }

        @Override
        public Loss summed() {
            return new SquaredError(factor, Reduction.SUM);
        }
    }

    /** Absolute error against values. */
    record AbsoluteError(Reduction reduction) implements Loss {
        @Override
        public Loss summed() {
            return new AbsoluteError(Reduction.SUM);
        }
    }

    /** Huber's loss against values. */
    record Huber(double delta, Reduction reduction) implements Loss {
        public Huber {
            positive("delta", delta);
        }

        @Override
        public Loss summed() {
            return new Huber(delta, Reduction.SUM);
        }
    }

    /**
     * Binary cross-entropy of logits against values in [0, 1].
     *
     * @param positiveWeights factors on what a yes costs, one for each output; empty for all 1
     */
    record BinaryCrossEntropy(List<Double> positiveWeights, Reduction reduction) implements Loss {
        public BinaryCrossEntropy {
            positiveWeights = weights("positive weight", positiveWeights);
        }

        /** Returns this loss with these factors on {@code -t log(sigmoid(x))}, finite and not negative. */
        public BinaryCrossEntropy positiveWeights(double... weights) {
            return new BinaryCrossEntropy(list(weights), reduction);
        }

        @Override
        public BinaryCrossEntropy summed() {
            return new BinaryCrossEntropy(positiveWeights, Reduction.SUM);
        }
    }

    /** Connectionist temporal classification. */
    record Ctc(int blank, Reduction reduction) implements Loss {
        public Ctc {
            if (blank < 0) {
                throw new IllegalArgumentException("blank: expected a class, got " + blank);
            }
        }

        @Override
        public Loss summed() {
            return new Ctc(blank, Reduction.SUM);
        }
    }

    /** Cross-entropy over the right class and so many others. */
    record SampledSoftmax(int samples, Reduction reduction) implements Loss {
        public SampledSoftmax {
            if (samples < 1) {
                throw new IllegalArgumentException("samples: expected >= 1, got " + samples);
            }
        }

        @Override
        public Loss summed() {
            return new SampledSoftmax(samples, Reduction.SUM);
        }
    }

    private static List<Double> list(double... values) {
        return Arrays.stream(values).boxed().toList();
    }

    private static List<Double> weights(String name, List<Double> weights) {
        for (int i = 0; i < weights.size(); i++) {
            if (!(weights.get(i) >= 0 && weights.get(i) < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        name + " " + i + ": expected finite and >= 0, got " + weights.get(i));
            }
        }
        return List.copyOf(weights);
    }

    private static void positive(String name, double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(name + ": expected > 0 and finite, got " + value);
        }
    }
}
