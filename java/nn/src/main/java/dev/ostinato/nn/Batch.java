package dev.ostinato.nn;

import org.jspecify.annotations.Nullable;

/**
 * T steps of B streams with what the model should have said. Arrays are time-major, row {@code t * B + b} being step t of stream b,
 * and are not copied.
 */
public final class Batch {
    private final int steps;
    private final int rows;
    private final int @Nullable [] tokens;
    private final float @Nullable [] features;
    private final int @Nullable [] classes;
    private final float @Nullable [] values;

    private Batch(int steps, int rows, int @Nullable [] tokens, float @Nullable [] features, int @Nullable [] classes,
            float @Nullable [] values) {
        if (steps < 1 || rows < 1) {
            throw new IllegalArgumentException("batch: expected steps and rows >= 1, got " + steps + " and " + rows);
        }
        this.steps = steps;
        this.rows = rows;
        this.tokens = tokens;
        this.features = features;
        this.classes = classes;
        this.values = values;
    }

    /**
     * Tokens in, classes out: a language model.
     *
     * @param tokens (T, B)
     * @param classes (T, B)
     */
    public static Batch tokensToClasses(int steps, int rows, int[] tokens, int[] classes) {
        return new Batch(steps, rows, tokens, null, classes, null);
    }

    /**
     * Tokens in, floats out.
     *
     * @param tokens (T, B)
     * @param values (T, B, outputs)
     */
    public static Batch tokensToValues(int steps, int rows, int[] tokens, float[] values) {
        return new Batch(steps, rows, tokens, null, null, values);
    }

    /**
     * Floats in, classes out.
     *
     * @param features (T, B, I)
     * @param classes (T, B)
     */
    public static Batch featuresToClasses(int steps, int rows, float[] features, int[] classes) {
        return new Batch(steps, rows, null, features, classes, null);
    }

    /**
     * Floats in, floats out: regression, forecasting.
     *
     * @param features (T, B, I)
     * @param values (T, B, outputs)
     */
    public static Batch featuresToValues(int steps, int rows, float[] features, float[] values) {
        return new Batch(steps, rows, null, features, null, values);
    }

    /** Returns the same with rows of floats in place of what came in. */
    Batch withFeatures(float[] rowsOfFloats) {
        return new Batch(steps, rows, null, rowsOfFloats, classes, values);
    }

    /** Returns T. */
    public int steps() {
        return steps;
    }

    /** Returns B. */
    public int rows() {
        return rows;
    }

    int[] tokens() {
        return required("tokens", tokens, tokens == null ? 0 : tokens.length, 1);
    }

    float[] features(int width) {
        return required("features", features, features == null ? 0 : features.length, width);
    }

    int[] classes() {
        return required("classes", classes, classes == null ? 0 : classes.length, 1);
    }

    float[] values(int width) {
        return required("values", values, values == null ? 0 : values.length, width);
    }

    private <A> A required(String name, @Nullable A array, int length, int width) {
        if (array == null) {
            throw new IllegalArgumentException("batch: expected " + name + ", got none");
        }
        if (length != (long) steps * rows * width) {
            throw new IllegalArgumentException(
                    name + ": expected " + steps + " x " + rows + " x " + width + ", got " + length);
        }
        return array;
    }
}
