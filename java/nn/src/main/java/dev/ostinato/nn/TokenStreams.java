package dev.ostinato.nn;

/**
 * Cuts a text into B streams that are read side by side, T tokens at a time, so that the state of each stream can go on from batch to
 * batch. An epoch is one pass; what does not fill the last batch is left out. Not safe for several threads.
 *
 * <p>Batches follow each other, or are windows that overlap, for truncated backpropagation through time with a step every k1 tokens and a way
 * back of k2 = T (Williams and Peng 1990, BPTT(k2; k1); Sutskever 2013, TBPTT(k1, k2)): each begins k1 tokens after the one before and counts
 * its last k1 outputs, the first of an epoch all of them, so that every output counts once. The others are computed anew, with the weights of
 * the moment, from the state that the window before has had there.
 */
public final class TokenStreams {
    private final int[] text;
    private final int streams;
    private final int steps;
    private final int advance;
    private final int length;
    private long position;

    /** Begins at the first of batches that follow each other; throws as the other. */
    public TokenStreams(int[] text, int streams, int steps) {
        this(text, streams, steps, steps);
    }

    /**
     * Begins at the first batch.
     *
     * @param text of which nothing is copied
     * @param streams B
     * @param steps T, or k2
     * @param advance k1, at most k2: how many tokens further the next batch begins
     * @throws IllegalArgumentException if the text is too short for one batch; the message says how long it must be; or an advance is out of range
     */
    public TokenStreams(int[] text, int streams, int steps, int advance) {
        if (streams < 1 || steps < 1) {
            throw new IllegalArgumentException("streams and steps: expected >= 1, got " + streams + " and " + steps);
        }
        this.text = text;
        this.streams = streams;
        this.steps = steps;
        this.advance = advance;
        if (advance < 1 || advance > steps) {
            throw new IllegalArgumentException(
                    "advance: expected 1.." + steps + ", as there are steps, got " + advance);
        }
        this.length = (text.length - 1) / streams;
        if (length < steps) {
            throw new IllegalArgumentException(
                    "text: expected at least " + ((long) streams * steps + 1) + " tokens for " + streams
                            + " streams of " + steps + " steps, got " + text.length);
        }
    }

    /** Returns the number of batches in an epoch. */
    public int batchesPerEpoch() {
        return 1 + (length - steps) / advance;
    }

    /** Returns the number of batches handed out since the very beginning. */
    public long position() {
        return position;
    }

    /** Goes to where {@link #position} was this. */
    public void seek(long position) {
        if (position < 0) {
            throw new IllegalArgumentException("position: expected >= 0, got " + position);
        }
        this.position = position;
    }

    /** Returns whether the next batch is the first of an epoch, so that states should begin anew. */
    public boolean atEpochStart() {
        return position % batchesPerEpoch() == 0;
    }

    /** Returns the next batch: at each step the token that was read and, as class, the one that follows. */
    public Batch next() {
        int number = (int) (position++ % batchesPerEpoch());
        Batch batch = batch(text, streams, length, number * advance, steps);
        if (advance == steps) {
            return batch;
        }
        return batch.countingFrom(number == 0 ? 0 : steps - advance).advancing(advance);
    }

    /** Returns the steps from {@code from} on of streams of {@code length} tokens each. */
    static Batch batch(int[] text, int streams, int length, int from, int steps) {
        int[] tokens = new int[steps * streams];
        int[] next = new int[steps * streams];
        for (int t = 0; t < steps; t++) {
            for (int b = 0; b < streams; b++) {
                int at = b * length + from + t;
                tokens[t * streams + b] = text[at];
                next[t * streams + b] = text[at + 1];
            }
        }
        return Batch.tokensToClasses(steps, streams, tokens, next);
    }
}
