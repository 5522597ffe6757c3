package dev.ostinato.nn;

/**
 * Cuts a text into B streams that are read side by side, T tokens at a time, so that the state of each stream can go on from batch to
 * batch. An epoch is one pass; what does not fill the last batch is left out. Not safe for several threads.
 */
public final class TokenStreams {
    private final int[] text;
    private final int streams;
    private final int steps;
    private final int length;
    private long position;

    /**
     * Begins at the first batch.
     *
     * @throws IllegalArgumentException if the text is too short for one batch; the message says how long it must be
     */
    public TokenStreams(int[] text, int streams, int steps) {
        if (streams < 1 || steps < 1) {
            throw new IllegalArgumentException("streams and steps: expected >= 1, got " + streams + " and " + steps);
        }
        this.text = text;
        this.streams = streams;
        this.steps = steps;
        this.length = (text.length - 1) / streams;
        if (length < steps) {
            throw new IllegalArgumentException(
                    "text: expected at least " + ((long) streams * steps + 1) + " tokens for " + streams
                            + " streams of " + steps + " steps, got " + text.length);
        }
    }

    /** Returns the number of batches in an epoch. */
    public int batchesPerEpoch() {
        return length / steps;
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
        int from = (int) (position++ % batchesPerEpoch()) * steps;
        return batch(text, streams, length, from, steps);
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
