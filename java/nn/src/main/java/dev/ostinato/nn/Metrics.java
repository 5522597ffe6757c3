package dev.ostinato.nn;

/**
 * Counts how well outputs meet their targets, batch after batch; {@link Validation#add} feeds them too. What they say before anything was added
 * is not a number. Not safe for several threads.
 */
public abstract sealed class Metrics permits ClassificationMetrics, MultiLabelMetrics, RegressionMetrics {
    Metrics() {
    }

    /**
     * Adds the outputs of a model for a batch.
     *
     * @param outputs which of the rows of y there are
     * @param y (T, B, outputs), behind a pooling layer (B, outputs)
     */
    abstract void add(Batch batch, Sequences outputs, float[] y);

    static void length(String name, int expected, int length) {
        if (length != expected) {
            throw new IllegalArgumentException(name + ": expected " + expected + ", got " + length);
        }
    }

    static double share(long part, long whole) {
        return whole == 0 ? 0 : (double) part / whole;
    }
}
