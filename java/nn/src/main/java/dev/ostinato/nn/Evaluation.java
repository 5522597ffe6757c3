package dev.ostinato.nn;

import dev.ostinato.kernels.Memory;

/**
 * How well a language model predicts a text.
 *
 * @param tokens number of predicted tokens
 * @param nats mean negative log-probability of a token
 */
public record Evaluation(long tokens, double nats) {
    private static final int STEPS = 64;

    /** Returns the mean in bits. */
    public double bits() {
        return nats / StrictMath.log(2);
    }

    /** Returns e to the mean: the number of equally likely tokens that would be as hard to predict. */
    public double perplexity() {
        return StrictMath.exp(nats);
    }

    /** Returns the log-probability of the whole text in nats. */
    public double logProbability() {
        return -nats * tokens;
    }

    /**
     * Predicts each token of a text from those before it. The text is cut into {@code streams} pieces of equal length that begin with a zero
     * state and run side by side; 1 is exact, more are faster. What does not fill the last steps of all streams is left out when there is
     * more than one.
     *
     * @throws IllegalArgumentException if the text has no token to predict, the model does not map tokens to tokens, or a count is not
     *     positive
     */
    public static Evaluation of(Model model, int[] text, int streams, int threads) {
        if (!model.takesTokens() || model.inputs() != model.outputs()) {
            throw new IllegalArgumentException("evaluation: expected a model of tokens, got " + model.layers());
        }
        if (streams < 1) {
            throw new IllegalArgumentException("streams: expected >= 1, got " + streams);
        }
        int length = (text.length - 1) / streams;
        if (length < 1) {
            throw new IllegalArgumentException(
                    "text: expected at least " + (streams + 1) + " tokens, got " + text.length);
        }
        double sum = 0;
        try (Team team = new Team(threads)) {
            Memory unused = Memory.ofFloats(model.blueprint().floats());
            Network network = null;
            for (int from = 0; from < length; from += STEPS) {
                Batch batch = TokenStreams.batch(text, streams, length, from, Math.min(STEPS, length - from));
                if (network == null || !network.fits(batch)) {
                    Network next = new Network(model.blueprint(), model.weights(), unused, model.kernels(), team,
                            Loss.crossEntropy(),
                            batch.steps(), streams);
                    if (network != null) {
                        next.restoreStates(network.states());
                    }
                    network = next;
                }
                sum += network.forward(batch, 0) * batch.steps() * streams;
            }
        }
        long predicted = (long) length * streams;
        return new Evaluation(predicted, sum / predicted);
    }
}
