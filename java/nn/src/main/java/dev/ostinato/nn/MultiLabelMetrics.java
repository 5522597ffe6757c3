package dev.ostinato.nn;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * How often outputs that are yes-or-no questions of their own are answered right: an output above 0, the logit of a half, says yes, and so does a
 * target of a half or more. Definitions are those of scikit-learn: a quotient with nothing below it is 0.
 */
public final class MultiLabelMetrics extends Metrics {
    /** Of each label how often it was there and found, found, and there. */
    private final long[] hits;
    private final long[] found;
    private final long[] there;
    private long rows;
    private long exactRows;

    private MultiLabelMetrics(int labels) {
        if (labels < 1) {
            throw new IllegalArgumentException("labels: expected >= 1, got " + labels);
        }
        this.hits = new long[labels];
        this.found = new long[labels];
        this.there = new long[labels];
    }

    /** Returns metrics of so many labels that begin with nothing. @throws IllegalArgumentException if there is none */
    public static MultiLabelMetrics of(int labels) {
        return new MultiLabelMetrics(labels);
    }

    /**
     * Adds rows of logits and targets.
     *
     * @param outputs (N, labels)
     * @param targets (N, labels)
     * @throws IllegalArgumentException if the lengths differ or are no multiple of the labels, or an output is not a number
     */
    public void add(float[] outputs, float[] targets) {
        if (outputs.length % hits.length != 0) {
            throw new IllegalArgumentException(
                    "outputs: expected a multiple of " + hits.length + ", got " + outputs.length);
        }
        length("targets", outputs.length, targets.length);
        for (int row = 0; row < outputs.length / hits.length; row++) {
            add(outputs, targets, row);
        }
    }

    /**
     * Adds the rows of the steps that there are; throws as {@link #add(float[], float[])} does.
     *
     * @param outputs (T, B, labels)
     * @param targets (T, B, labels)
     */
    public void add(Sequences sequences, float[] outputs, float[] targets) {
        int all = Math.multiplyExact(sequences.steps() * sequences.rows(), hits.length);
        length("outputs", all, outputs.length);
        length("targets", all, targets.length);
        for (int r = 0; r < sequences.total(); r++) {
            add(outputs, targets, sequences.element(r));
        }
    }

    @Override
    void add(Batch batch, Sequences outputs, float[] y) {
        add(outputs, y, batch.values(outputs.steps(), hits.length));
    }

    private void add(float[] outputs, float[] targets, int row) {
        int right = 0;
        for (int i = 0; i < hits.length; i++) {
            float output = outputs[row * hits.length + i];
            if (Float.isNaN(output)) {
                throw new IllegalArgumentException("output " + i + " of row " + row + ": expected a number, got NaN");
            }
            boolean says = output > 0;
            boolean is = targets[row * hits.length + i] >= 0.5f;
            hits[i] += says && is ? 1 : 0;
            found[i] += says ? 1 : 0;
            there[i] += is ? 1 : 0;
            right += says == is ? 1 : 0;
        }
        exactRows += right == hits.length ? 1 : 0;
        rows++;
    }

    /** Returns the number of rows so far. */
    public long count() {
        return rows;
    }

    /** Returns the share of rows of which every label is right. */
    public double accuracy() {
        return (double) exactRows / rows;
    }

    /** Returns how often a label is there of the times that it is found. */
    public double precision(int label) {
        return share(hits[label], found[label]);
    }

    /** Returns how often a label is found of the times that it is there. */
    public double recall(int label) {
        return share(hits[label], there[label]);
    }

    /** Returns the harmonic mean of precision and recall of a label. */
    public double f1(int label) {
        return share(2 * hits[label], found[label] + there[label]);
    }

    /** Returns the mean F1 of all labels. */
    public double macroF1() {
        return IntStream.range(0, hits.length).mapToDouble(this::f1).average().orElseThrow();
    }

    /** Returns the F1 of all labels together. */
    public double microF1() {
        return share(2 * Arrays.stream(hits).sum(), Arrays.stream(found).sum() + Arrays.stream(there).sum());
    }
}
