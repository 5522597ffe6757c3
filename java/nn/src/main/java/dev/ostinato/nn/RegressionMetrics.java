package dev.ostinato.nn;

/** Mean errors of outputs against values, over all outputs of all rows. */
public final class RegressionMetrics extends Metrics {
    private long count;
    private double absolute;
    private double squared;

    /** Begins with nothing. */
    public RegressionMetrics() {
    }

    /** Adds outputs and as many values. @throws IllegalArgumentException if the lengths differ */
    public void add(float[] outputs, float[] values) {
        length("values", outputs.length, values.length);
        add(outputs, values, 0, outputs.length);
    }

    /**
     * Adds the rows of the steps that there are.
     *
     * @param outputs (T, B, N)
     * @param values (T, B, N)
     * @throws IllegalArgumentException if a length is not that of the sequences
     */
    public void add(Sequences sequences, float[] outputs, float[] values) {
        length("values", outputs.length, values.length);
        int rows = sequences.steps() * sequences.rows();
        if (outputs.length % rows != 0) {
            throw new IllegalArgumentException(
                    "outputs: expected a multiple of " + rows + ", got " + outputs.length);
        }
        int width = outputs.length / rows;
        for (int r = 0; r < sequences.total(); r++) {
            add(outputs, values, sequences.element(r) * width, width);
        }
    }

    private void add(float[] outputs, float[] values, int from, int width) {
        for (int i = from; i < from + width; i++) {
            double difference = (double) outputs[i] - values[i];
            absolute += Math.abs(difference);
            squared += difference * difference;
        }
        count += width;
    }

    @Override
    void add(Batch batch, Sequences outputs, float[] y) {
        int rows = outputs.steps() * outputs.rows();
        add(outputs, y, batch.values(outputs.steps(), y.length / rows));
    }

    /** Returns the number of outputs so far. */
    public long count() {
        return count;
    }

    /** Returns the mean absolute error. */
    public double meanAbsoluteError() {
        return absolute / count;
    }

    /** Returns the mean squared error. */
    public double meanSquaredError() {
        return squared / count;
    }
}
