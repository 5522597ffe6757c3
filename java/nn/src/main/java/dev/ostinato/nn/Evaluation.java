package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.Slice;
import java.util.Arrays;

/**
 * How well a language model predicts a text.
 *
 * @param tokens number of predicted tokens
 * @param nats mean negative log-probability of a token
 * @param right how many of them were the most probable ones
 */
public record Evaluation(long tokens, double nats, long right) {
    private static final int STEPS = 64;

    /** Returns the mean in bits. */
    public double bits() {
        return nats / StrictMath.log(2);
    }

    /** Returns e to the mean: the number of equally likely tokens that would be as hard to predict. */
    public double perplexity() {
        return StrictMath.exp(nats);
    }

    /** Returns the share of tokens that were the most probable ones. */
    public double accuracy() {
        return (double) right / tokens;
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
     * @throws IndexOutOfBoundsException if a token is outside the vocabulary
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
        double[] sums = new double[streams]; // so that the threads make no difference
        long[] rights = new long[streams];
        int parts = Math.min(threads, streams);
        try (Team team = Team.sleeping(threads)) {
            team.run(parts, part -> {
                int first = Cell.share(streams, part, parts);
                int end = Cell.share(streams, part + 1, parts);
                new Streams(model, text, length, first, end - first).addTo(sums, rights);
            });
        }
        long predicted = (long) length * streams;
        return new Evaluation(predicted, Arrays.stream(sums).sum() / predicted, Arrays.stream(rights).sum());
    }

    /** Some of the streams of a text, read side by side. */
    private static final class Streams {
        private final Model model;
        private final int[] text;
        private final int length;
        private final int first;
        private final int rows;
        private final State state;
        private final Memory logits;
        private final Memory losses;

        Streams(Model model, int[] text, int length, int first, int rows) {
            this.model = model;
            this.text = text;
            this.length = length;
            this.first = first;
            this.rows = rows;
            this.state = model.newState(rows);
            this.logits = Memory.ofFloats((long) STEPS * rows * model.outputs());
            this.losses = Memory.ofFloats((long) STEPS * rows);
        }

        void addTo(double[] sums, long[] rights) {
            for (int from = 0; from < length; from += STEPS) {
                int[] next = predict(from, Math.min(STEPS, length - from));
                Matrix y = Matrix.wrap(logits, 0, next.length, model.outputs(), model.outputs());
                for (int r = 0; r < next.length; r++) {
                    rights[first + r % rows] += model.kernels().argMax(y.rows(r, r + 1)) == next[r] ? 1 : 0;
                }
                Matrix found = Matrix.wrap(losses, 0, next.length, 1, 1);
                model.kernels().crossEntropyForward(y, Indices.of(next), found);
                for (int r = 0; r < next.length; r++) {
                    sums[first + r % rows] += found.get(r, 0);
                }
            }
        }

        /** Overwrites the logits, and returns what they should have predicted. */
        private int[] predict(int from, int steps) {
            int[] tokens = new int[steps * rows];
            int[] next = new int[steps * rows];
            for (int r = 0; r < tokens.length; r++) {
                int at = (first + r % rows) * length + from + r / rows;
                tokens[r] = text[at];
                next[r] = text[at + 1];
            }
            long bytes = (long) next.length * model.outputs() * Float.BYTES;
            model.run(tokens, state, Slice.of(logits.segment().asSlice(0, bytes)));
            return next;
        }
    }
}
