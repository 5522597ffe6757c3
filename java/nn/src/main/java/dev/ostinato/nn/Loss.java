package dev.ostinato.nn;

/**
 * What training makes small. The loss of a batch is the mean over all its outputs, or the sum over the outputs of each stream, of which
 * the mean over the streams is taken. There is an output for each step that a stream has, or one behind a pooling layer.
 */
public sealed interface Loss {
    /** Whether steps are summed rather than averaged. */
    boolean summedOverTime();

    /** Returns the negative logarithm, in nats, of the probability that the softmax gives to the right class. */
    static Loss crossEntropy() {
        return new CrossEntropy(false);
    }

    /** Returns the mean over the outputs of the squared difference. */
    static Loss squaredError() {
        return new SquaredError(false, false);
    }

    /** Returns half of {@link #squaredError}, whose gradient is the difference itself. */
    static Loss halfSquaredError() {
        return new SquaredError(true, false);
    }

    /** Returns this loss with the steps of a stream summed. */
    Loss summed();

    /** Softmax cross-entropy against classes. */
    record CrossEntropy(boolean summedOverTime) implements Loss {
        @Override
        public Loss summed() {
            return new CrossEntropy(true);
        }
    }

    /** Squared error against values, halved or not. */
    record SquaredError(boolean half, boolean summedOverTime) implements Loss {
        @Override
        public Loss summed() {
            return new SquaredError(half, true);
        }
    }
}
