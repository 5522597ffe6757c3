package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.Slice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;

/**
 * How a model of tokens goes on by itself: from a start token, each answer being the next input, until it answers the end token or has made the
 * most steps. With the state that {@link EncoderDecoder#encode} returns it is what the decoder makes of a source; with any other, a sequence
 * from one token.
 *
 * <pre>{@code
 * int[] melody = Decoding.of(firstNote, 64).greedy(model, model.newState())[0];
 * }</pre>
 *
 * @param start the first input, which is not among the answers
 * @param end the answer that ends a sequence, and is left out
 * @param mostSteps the greatest number of answers, the end included
 */
public record Decoding(int start, OptionalInt end, int mostSteps) {
    public Decoding {
        if (mostSteps < 1) {
            throw new IllegalArgumentException("steps: expected >= 1, got " + mostSteps);
        }
    }

    /** Goes on for so many steps. @throws IllegalArgumentException if they are not positive */
    public static Decoding of(int start, int mostSteps) {
        return new Decoding(start, OptionalInt.empty(), mostSteps);
    }

    /** Returns the same with a token that ends a sequence. */
    public Decoding until(int endToken) {
        return new Decoding(start, OptionalInt.of(endToken), mostSteps);
    }

    /**
     * A sequence and its probability.
     *
     * @param logProbability of all answers, the end included, in nats
     */
    @SuppressWarnings("ArrayRecordComponent") // a result; nobody compares it
    public record Hypothesis(int[] tokens, double logProbability) {}

    /**
     * Answers with the likeliest token at every step; of equals the first. Steps allocate nothing.
     *
     * @param state B rows of the model; updated. A row that has ended goes on reading the end token until all have
     * @return for each row its answers
     * @throws IllegalArgumentException if the model does not map tokens to tokens, or the state is another model's
     * @throws IndexOutOfBoundsException if the start token is outside the vocabulary
     */
    public int[][] greedy(Model model, State state) {
        check(model);
        int rows = state.rows();
        int[][] answers = new int[rows][mostSteps];
        int[] lengths = new int[rows];
        Arrays.fill(lengths, -1); // not known yet
        int[] tokens = new int[rows];
        Arrays.fill(tokens, start);
        float[] logits = new float[Math.multiplyExact(rows, model.outputs())];
        int open = rows;
        for (int step = 0; step < mostSteps && open > 0; step++) {
            model.step(tokens, state, logits);
            for (int b = 0; b < rows; b++) {
                if (lengths[b] < 0) {
                    tokens[b] = likeliest(logits, b * model.outputs(), model.outputs());
                    answers[b][step] = tokens[b];
                    if (isEnd(tokens[b])) {
                        lengths[b] = step;
                        open--;
                    }
                }
            }
        }
        for (int b = 0; b < rows; b++) {
            answers[b] = lengths[b] < 0 ? answers[b] : Arrays.copyOf(answers[b], lengths[b]);
        }
        return answers;
    }

    private static int likeliest(float[] logits, int from, int size) {
        int best = 0;
        for (int j = 1; j < size; j++) {
            best = logits[from + j] > logits[from + best] ? j : best;
        }
        return best;
    }

    private boolean isEnd(int token) {
        return end.isPresent() && end.getAsInt() == token;
    }

    private void check(Model model) {
        if (!model.takesTokens() || model.inputs() != model.outputs() || !model.streams()) {
            throw new IllegalArgumentException(
                    "decoding: expected a model that steps from tokens to tokens, got " + model.layers());
        }
    }

    /**
     * Searches for likely sequences: keeps the {@code width} likeliest beginnings at every step, and ends when none of them can become likelier than
     * the best that has ended. A width of 1 is {@link #greedy}. Probabilities of a sequence are multiplied, so that short ones have an advantage.
     *
     * @param state one row of the model, which stays as it is
     * @return the likeliest sequences that were found, at most {@code width}, the likeliest first; if none has ended, those that were cut off
     * @throws IllegalArgumentException if the width is not positive, the state has several rows, or as {@link #greedy} does
     */
    public List<Hypothesis> beam(Model model, State state, int width) {
        check(model);
        if (width < 1) {
            throw new IllegalArgumentException("width: expected >= 1, got " + width);
        }
        if (state.rows() != 1) {
            throw new IllegalArgumentException("state: expected one row, got " + state.rows());
        }
        return new Beam(model, state, width).search();
    }

    /** The beginnings that are being looked at, one in each row of a state. */
    private final class Beam {
        private final Model model;
        private final int width;
        private final Matrix logits;
        private final Slice slice;
        private final Matrix logProbabilities;
        private State state;
        private State next;
        private List<Hypothesis> open;
        private final List<Hypothesis> ended = new ArrayList<>();

        /** An answer to a beginning. */
        private record Candidate(int row, int token, double logProbability) {}

        Beam(Model model, State first, int width) {
            this.model = model;
            this.width = width;
            Memory memory = Memory.ofFloats(Math.multiplyFull(width, model.outputs()));
            this.logits = Matrix.wrap(memory, 0, width, model.outputs(), model.outputs());
            this.slice = Slice.of(memory.segment().asSlice(0, Math.multiplyFull(width, model.outputs()) * Float.BYTES));
            this.logProbabilities = Matrix.of(width, model.outputs());
            this.state = State.stack(Collections.nCopies(width, first));
            this.next = state.copy();
            this.open = List.of(new Hypothesis(new int[0], 0));
        }

        List<Hypothesis> search() {
            for (int step = 0; step < mostSteps && !open.isEmpty() && !isDecided(); step++) {
                step();
            }
            List<Hypothesis> found = ended.isEmpty() ? open : ended;
            return found.stream().sorted(Comparator.comparingDouble(h -> -h.logProbability())).limit(width).toList();
        }

        private boolean isDecided() {
            double best = ended.stream().mapToDouble(Hypothesis::logProbability).max().orElse(Double.NEGATIVE_INFINITY);
            return open.stream().noneMatch(beginning -> beginning.logProbability() > best);
        }

        private void step() {
            int[] tokens = new int[width];
            Arrays.fill(tokens, start);
            for (int r = 0; r < open.size(); r++) {
                int[] answers = open.get(r).tokens();
                tokens[r] = answers.length == 0 ? start : answers[answers.length - 1];
            }
            model.step(tokens, state, slice);
            model.kernels().logSoftmax(logits, logProbabilities);
            List<Hypothesis> continued = new ArrayList<>();
            for (Candidate candidate : likeliest()) {
                Hypothesis beginning = open.get(candidate.row());
                if (isEnd(candidate.token())) {
                    ended.add(new Hypothesis(beginning.tokens(), candidate.logProbability()));
                } else {
                    next.copyRows(state, candidate.row(), continued.size(), 1);
                    int length = beginning.tokens().length;
                    int[] longer = Arrays.copyOf(beginning.tokens(), length + 1);
                    longer[length] = candidate.token();
                    continued.add(new Hypothesis(longer, candidate.logProbability()));
                }
            }
            open = continued;
            State last = state;
            state = next;
            next = last;
        }

        /** Returns the likeliest of all answers, the likeliest first; of equals those to earlier beginnings, and smaller tokens, first. */
        private List<Candidate> likeliest() {
            List<Candidate> best = new ArrayList<>();
            for (int r = 0; r < open.size(); r++) {
                float[] x = logits.row(r);
                int first = Decoding.likeliest(x, 0, x.length);
                // In doubles from the logits, since rounded log-probabilities may be equal where logits are not.
                double most = open.get(r).logProbability() + logProbabilities.get(r, first);
                for (int token = 0; token < x.length; token++) {
                    double logProbability = most - ((double) x[first] - x[token]);
                    if (best.size() < width || logProbability > best.getLast().logProbability()) {
                        insert(new Candidate(r, token, logProbability), best);
                    }
                }
            }
            return best;
        }

        private void insert(Candidate candidate, List<Candidate> best) {
            if (best.size() == width) {
                best.removeLast();
            }
            int at = best.size();
            while (at > 0 && candidate.logProbability() > best.get(at - 1).logProbability()) {
                at--;
            }
            best.add(at, candidate);
        }
    }
}
