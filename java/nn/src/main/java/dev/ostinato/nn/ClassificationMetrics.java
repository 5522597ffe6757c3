package dev.ostinato.nn;

import java.util.Arrays;
import java.util.OptionalInt;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * How often the largest output is that of the right class, by class. Of equal outputs the first is the largest. Definitions are those of
 * scikit-learn: a quotient with nothing below it is 0, and a macro average is that over the classes that were right or predicted at least once.
 *
 * <p>The confusion matrix takes memory for each pair of a class that occurs and any other.
 */
public final class ClassificationMetrics extends Metrics {
    private final int classes;
    private final OptionalInt ignored;
    /** Of each right class that has occurred how often each was predicted. */
    private final long[][] confusion;
    /** How often so many outputs were larger than that of the right class. */
    private final long[] ranks;
    private long count;

    private ClassificationMetrics(int classes, OptionalInt ignored) {
        if (classes < 1) {
            throw new IllegalArgumentException("classes: expected >= 1, got " + classes);
        }
        this.classes = classes;
        this.ignored = ignored;
        this.confusion = new long[classes][];
        this.ranks = new long[classes];
    }

    /** Returns metrics of so many classes that begin with nothing. @throws IllegalArgumentException if there is none */
    public static ClassificationMetrics of(int classes) {
        return new ClassificationMetrics(classes, OptionalInt.empty());
    }

    /** Returns metrics that begin with nothing and leave out the rows whose class this is. */
    public ClassificationMetrics ignoring(int index) {
        return new ClassificationMetrics(classes, OptionalInt.of(index));
    }

    /**
     * Adds rows of outputs, which may be logits or probabilities, and the right classes.
     *
     * @param outputs (N, classes)
     * @param right (N)
     * @throws IllegalArgumentException if the lengths do not fit or an output is not a number
     * @throws IndexOutOfBoundsException if a class is outside the outputs
     */
    public void add(float[] outputs, int[] right) {
        length("outputs", Math.multiplyExact(right.length, classes), outputs.length);
        for (int row = 0; row < right.length; row++) {
            add(outputs, right, row);
        }
    }

    /**
     * Adds the rows of the steps that there are; throws as {@link #add(float[], int[])} does.
     *
     * @param outputs (T, B, classes)
     * @param right (T, B)
     */
    public void add(Sequences sequences, float[] outputs, int[] right) {
        length("classes", sequences.steps() * sequences.rows(), right.length);
        length("outputs", Math.multiplyExact(right.length, classes), outputs.length);
        for (int r = 0; r < sequences.total(); r++) {
            add(outputs, right, sequences.element(r));
        }
    }

    @Override
    void add(Batch batch, Sequences outputs, float[] y) {
        add(outputs, y, batch.classes(outputs.steps()));
    }

    private void add(float[] outputs, int[] right, int row) {
        if (ignored.isPresent() && ignored.getAsInt() == right[row]) {
            return;
        }
        int index = LossStage.checked(right, row, classes);
        int from = row * classes;
        float own = outputs[from + index];
        int predicted = 0;
        int larger = 0;
        for (int c = 0; c < classes; c++) {
            float output = outputs[from + c];
            if (Float.isNaN(output)) {
                throw new IllegalArgumentException("output " + c + " of row " + row + ": expected a number, got NaN");
            }
            predicted = output > outputs[from + predicted] ? c : predicted;
            larger += output > own || (output == own && c < index) ? 1 : 0;
        }
        if (confusion[index] == null) {
            confusion[index] = new long[classes];
        }
        confusion[index][predicted]++;
        ranks[larger]++;
        count++;
    }

    /** Returns the number of rows so far. */
    public long count() {
        return count;
    }

    /** Returns the share of rows whose right class has the largest output. */
    public double accuracy() {
        return topKAccuracy(1);
    }

    /** Returns the share of rows whose right class has one of the k largest outputs. @throws IllegalArgumentException if k is not positive */
    public double topKAccuracy(int k) {
        if (k < 1) {
            throw new IllegalArgumentException("k: expected >= 1, got " + k);
        }
        return (double) Arrays.stream(ranks, 0, Math.min(k, classes)).sum() / count;
    }

    /** Returns how often a class was predicted when another, or the same, was right. */
    public long confusion(int right, int predicted) {
        return confusion[right] == null ? 0 : confusion[right][predicted];
    }

    /** Returns (classes, classes): rows by what was right, columns by what was predicted. */
    public long[][] confusion() {
        return IntStream.range(0, classes)
                .mapToObj(c -> confusion[c] == null ? new long[classes] : confusion[c].clone()).toArray(long[][]::new);
    }

    /** Returns the share of a class among the rows for which it was predicted. */
    public double precision(int index) {
        return share(confusion(index, index), predicted(index));
    }

    /** Returns the share of the rows of a class for which it was predicted. */
    public double recall(int index) {
        return share(confusion(index, index), right(index));
    }

    /** Returns the harmonic mean of precision and recall of a class. */
    public double f1(int index) {
        return share(2 * confusion(index, index), right(index) + predicted(index));
    }

    /** Returns the mean F1 of the classes that occurred or were predicted. */
    public double macroF1() {
        return mean(this::f1);
    }

    /** Returns the F1 of all rows together, which for rows with one class each is the accuracy. */
    public double microF1() {
        return accuracy();
    }

    private double mean(IntToDoubleFunction ofClass) {
        return IntStream.range(0, classes).filter(c -> right(c) + predicted(c) > 0).mapToDouble(ofClass).average()
                .orElse(Double.NaN);
    }

    private long right(int index) {
        return confusion[index] == null ? 0 : Arrays.stream(confusion[index]).sum();
    }

    private long predicted(int index) {
        return IntStream.range(0, classes).mapToLong(c -> confusion(c, index)).sum();
    }
}
