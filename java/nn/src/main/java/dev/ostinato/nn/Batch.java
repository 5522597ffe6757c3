package dev.ostinato.nn;

import org.jspecify.annotations.Nullable;

/**
 * T steps of B streams with what the model should have said. Arrays are time-major, row {@code t * B + b} being step t of stream b, unless
 * {@link Sequences} say otherwise, and are not copied. Behind a pooling layer there is one class or row of values for each stream.
 */
public final class Batch {
    private final Sequences sequences;
    private final int @Nullable [] tokens;
    private final float @Nullable [] features;
    private final int @Nullable [] classes;
    private final float @Nullable [] values;
    private final int @Nullable [][] labels;

    private Batch(Sequences sequences, int @Nullable [] tokens, float @Nullable [] features, int @Nullable [] classes,
            float @Nullable [] values, int @Nullable [][] labels) {
        if (sequences.total() == 0) {
            throw new IllegalArgumentException("batch: expected at least one step, got " + sequences);
        }
        this.sequences = sequences;
        this.tokens = tokens;
        this.features = features;
        this.classes = classes;
        this.values = values;
        this.labels = labels;
    }

    /**
     * Tokens in, classes out: a language model.
     *
     * @param tokens (T, B)
     * @param classes (T, B)
     */
    public static Batch tokensToClasses(int steps, int rows, int[] tokens, int[] classes) {
        return tokensToClasses(Sequences.of(steps, rows), tokens, classes);
    }

    /** As {@link #tokensToClasses(int, int, int[], int[])}, for the steps that there are; what the arrays hold of others does not matter. */
    public static Batch tokensToClasses(Sequences sequences, int[] tokens, int[] classes) {
        return new Batch(sequences, tokens, null, classes, null, null);
    }

    /**
     * Tokens in, floats out.
     *
     * @param tokens (T, B)
     * @param values (T, B, outputs)
     */
    public static Batch tokensToValues(int steps, int rows, int[] tokens, float[] values) {
        return tokensToValues(Sequences.of(steps, rows), tokens, values);
    }

    /** As {@link #tokensToValues(int, int, int[], float[])}, for the steps that there are; what the arrays hold of others does not matter. */
    public static Batch tokensToValues(Sequences sequences, int[] tokens, float[] values) {
        return new Batch(sequences, tokens, null, null, values, null);
    }

    /**
     * Floats in, classes out.
     *
     * @param features (T, B, I)
     * @param classes (T, B)
     */
    public static Batch featuresToClasses(int steps, int rows, float[] features, int[] classes) {
        return featuresToClasses(Sequences.of(steps, rows), features, classes);
    }

    /** As {@link #featuresToClasses(int, int, float[], int[])}, for the steps that there are; what the arrays hold of others does not matter. */
    public static Batch featuresToClasses(Sequences sequences, float[] features, int[] classes) {
        return new Batch(sequences, null, features, classes, null, null);
    }

    /**
     * Floats in, floats out: regression, forecasting.
     *
     * @param features (T, B, I)
     * @param values (T, B, outputs)
     */
    public static Batch featuresToValues(int steps, int rows, float[] features, float[] values) {
        return featuresToValues(Sequences.of(steps, rows), features, values);
    }

    /** As {@link #featuresToValues(int, int, float[], float[])}, for the steps that there are; what the arrays hold of others does not matter. */
    public static Batch featuresToValues(Sequences sequences, float[] features, float[] values) {
        return new Batch(sequences, null, features, null, values, null);
    }

    /**
     * Tokens in, labels out that belong to no step in particular: {@link Loss#ctc}.
     *
     * @param tokens (T, B)
     * @param labels (B), of each stream as many as it has
     */
    public static Batch tokensToLabels(Sequences sequences, int[] tokens, int[]... labels) {
        return new Batch(sequences, tokens, null, null, null, labels);
    }

    /**
     * Floats in, labels out that belong to no step in particular: {@link Loss#ctc}.
     *
     * @param features (T, B, I)
     * @param labels (B), of each stream as many as it has
     */
    public static Batch featuresToLabels(Sequences sequences, float[] features, int[]... labels) {
        return new Batch(sequences, null, features, null, null, labels);
    }

    /** Returns the same with rows of floats in place of what came in. */
    Batch withFeatures(float[] rowsOfFloats) {
        return new Batch(sequences, null, rowsOfFloats, classes, values, labels);
    }

    /** Returns T. */
    public int steps() {
        return sequences.steps();
    }

    /** Returns B. */
    public int rows() {
        return sequences.rows();
    }

    /** Returns which steps there are. */
    public Sequences sequences() {
        return sequences;
    }

    int[] tokens() {
        return required("tokens", tokens, tokens == null ? 0 : tokens.length, steps(), 1);
    }

    float[] features(int width) {
        return required("features", features, features == null ? 0 : features.length, steps(), width);
    }

    /** @param outputSteps T, or 1 if there is one output for all steps */
    int[] classes(int outputSteps) {
        return required("classes", classes, classes == null ? 0 : classes.length, outputSteps, 1);
    }

    float[] values(int outputSteps, int width) {
        return required("values", values, values == null ? 0 : values.length, outputSteps, width);
    }

    /** Returns (B) labels of each stream. */
    int[][] labels() {
        return required("labels", labels, labels == null ? 0 : labels.length, 1, 1);
    }

    private <A> A required(String name, @Nullable A array, int length, int stepsOf, int width) {
        if (array == null) {
            throw new IllegalArgumentException("batch: expected " + name + ", got none");
        }
        if (length != (long) stepsOf * rows() * width) {
            throw new IllegalArgumentException(
                    name + ": expected " + stepsOf + " x " + rows() + " x " + width + ", got " + length);
        }
        return array;
    }
}
