package dev.ostinato.nn;

import java.util.Arrays;
import java.util.Optional;
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
    /** What an encoder reads. */
    private final @Nullable Batch source;
    /** The first step whose outputs have a loss. */
    private final int counted;

    private Batch(Sequences sequences, int @Nullable [] tokens, float @Nullable [] features, int @Nullable [] classes,
            float @Nullable [] values, int @Nullable [][] labels) {
        this(sequences, tokens, features, classes, values, labels, null, 0);
    }

    private Batch(Sequences sequences, int @Nullable [] tokens, float @Nullable [] features, int @Nullable [] classes,
            float @Nullable [] values, int @Nullable [][] labels, @Nullable Batch source, int counted) {
        if (sequences.total() == 0) {
            throw new IllegalArgumentException("batch: expected at least one step, got " + sequences);
        }
        this.sequences = sequences;
        this.tokens = tokens;
        this.features = features;
        this.classes = classes;
        this.values = values;
        this.labels = labels;
        this.source = source;
        this.counted = counted;
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

    /**
     * Tokens that a decoder should say, with teacher forcing: it reads {@code start} and then the target, whatever it would have said itself, and
     * should say the target and then {@code end}. {@link #withSource(int[][])} says what an encoder reads before.
     *
     * @param targets of each row its tokens, which may be none
     * @throws IllegalArgumentException if there are no rows
     */
    public static Batch teacherForcing(int[][] targets, int start, int end) {
        int[][] inputs = new int[targets.length][];
        int[][] outputs = new int[targets.length][];
        for (int b = 0; b < targets.length; b++) {
            int length = targets[b].length;
            inputs[b] = new int[length + 1];
            inputs[b][0] = start;
            System.arraycopy(targets[b], 0, inputs[b], 1, length);
            outputs[b] = Arrays.copyOf(targets[b], length + 1);
            outputs[b][length] = end;
        }
        return tokensToClasses(Sequences.ofRows(inputs), Sequences.padded(inputs), Sequences.padded(outputs));
    }

    /**
     * Returns the same with what the encoder of an {@link EncoderDecoder} reads; this is then what the decoder reads and should say.
     *
     * @param sources of each row of this the tokens that the encoder reads, which may be none
     * @throws IllegalArgumentException if none of them has any
     */
    public Batch withSource(int[][] sources) {
        return withSource(Sequences.ofRows(sources), Sequences.padded(sources));
    }

    /** As {@link #withSource(int[][])}, with tokens (S, B); what they are where there is no step does not matter. */
    public Batch withSource(Sequences sourceSequences, int[] sourceTokens) {
        return withSource(new Batch(sourceSequences, sourceTokens, null, null, null, null));
    }

    /** As {@link #withSource(Sequences, int[])}, for an encoder of rows of floats (S, B, I). */
    public Batch withSource(Sequences sourceSequences, float[] sourceFeatures) {
        return withSource(new Batch(sourceSequences, null, sourceFeatures, null, null, null));
    }

    private Batch withSource(Batch newSource) {
        return new Batch(sequences, tokens, features, classes, values, labels, newSource, counted);
    }

    /**
     * Returns the same, of which the outputs of the first so many steps have no loss: they are there for the state. Means are over the others.
     * Together with {@link #advancing} this is a window of truncated backpropagation through time, which {@link TokenStreams} makes of a text.
     *
     * @param step the first step that counts; what the targets of earlier ones are does not matter, but they must be such as the loss takes
     * @throws IllegalArgumentException if there is no such step
     */
    public Batch countingFrom(int step) {
        if (step < 0 || step >= steps()) {
            throw new IllegalArgumentException("counting from: expected 0.." + (steps() - 1) + ", got " + step);
        }
        return new Batch(sequences, tokens, features, classes, values, labels, source, step);
    }

    /**
     * Returns the same for a {@link Trainer} whose next batch begins so many steps after this one, and repeats the others: the state that goes on
     * is that after them, as the weights of this batch made it.
     *
     * @param steps from 1 to T, which is what a batch does otherwise
     * @throws IllegalArgumentException if there are not so many, or a stream begins anew within the batch
     */
    public Batch advancing(int steps) {
        return new Batch(sequences.advancing(steps), tokens, features, classes, values, labels, source, counted);
    }

    /** Returns the first step whose outputs have a loss. */
    int counted() {
        return counted;
    }

    /** @throws IllegalArgumentException if outputs do not count, or the next batch begins before the end of this one */
    void checkNoWindow() {
        if (counted > 0 || !sequences.carriesTheEnd()) {
            throw new IllegalArgumentException(
                    "batch: expected one that counts all its steps and goes on behind them, got a window");
        }
    }

    /** Returns what an encoder reads, if there is anything. */
    Optional<Batch> source() {
        return Optional.ofNullable(source);
    }

    /** Returns what an encoder reads. @throws IllegalArgumentException if there is not as much as there are rows */
    Batch sourceOfEach() {
        if (source == null) {
            throw new IllegalArgumentException(
                    "batch: expected a source for the encoder, got none; see Batch.withSource");
        }
        if (source.rows() != rows()) {
            throw new IllegalArgumentException(
                    "source: expected " + rows() + " rows, as the batch has, got " + source.rows());
        }
        return source;
    }

    /** @throws IllegalArgumentException if there is something for an encoder to read */
    void checkNoSource() {
        if (source != null) {
            throw new IllegalArgumentException("batch: expected no source, since the model has no encoder, got one");
        }
    }

    /** Returns the same with rows of floats in place of what came in. */
    Batch withFeatures(float[] rowsOfFloats) {
        return new Batch(sequences, null, rowsOfFloats, classes, values, labels, source, counted);
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
