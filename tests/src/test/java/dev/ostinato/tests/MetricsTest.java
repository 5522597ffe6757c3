package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.ClassificationMetrics;
import dev.ostinato.nn.MultiLabelMetrics;
import dev.ostinato.nn.RegressionMetrics;
import dev.ostinato.nn.Sequences;
import org.junit.jupiter.api.Test;

/** Metrics against numbers worked out by hand, from the definitions of scikit-learn. */
final class MetricsTest {
    private static final int[] RIGHT = {0, 0, 0, 1, 1, 2, 2, 2, 0, 1};
    private static final int[] PREDICTED = {0, 1, 0, 1, 1, 2, 0, 2, 0, 2};

    /** Returns rows whose largest output is that of a class. */
    private static float[] rows(int classes, int... predicted) {
        float[] outputs = new float[predicted.length * classes];
        for (int row = 0; row < predicted.length; row++) {
            outputs[row * classes + predicted[row]] = 1;
        }
        return outputs;
    }

    @Test
    void classesByWhatWasPredicted() {
        ClassificationMetrics metrics = ClassificationMetrics.of(4);
        metrics.add(rows(4, PREDICTED), RIGHT);
        assertArrayEquals(new long[][] {{3, 1, 0, 0}, {0, 2, 1, 0}, {1, 0, 2, 0}, {0, 0, 0, 0}}, metrics.confusion());
        assertEquals(1, metrics.confusion(2, 0));
        assertEquals(10, metrics.count());
        assertEquals(0.7, metrics.accuracy(), 1e-15);
        assertEquals(0.7, metrics.microF1(), 1e-15);
        assertEquals(3 / 4.0, metrics.precision(0), 1e-15);
        assertEquals(2 / 3.0, metrics.recall(1), 1e-15);
        assertEquals(2 / 3.0, metrics.f1(2), 1e-15);
        assertEquals(0, metrics.f1(3));
        assertEquals((0.75 + 2 / 3.0 + 2 / 3.0) / 3, metrics.macroF1(), 1e-15);
        metrics.add(rows(4, 3), new int[] {0}); // a class that was only predicted counts
        assertEquals((6 / 9.0 + 2 / 3.0 + 2 / 3.0 + 0) / 4, metrics.macroF1(), 1e-15);
    }

    @Test
    void precisionAndRecallAreNotTheSame() {
        ClassificationMetrics metrics = ClassificationMetrics.of(2);
        metrics.add(rows(2, 1, 1, 1, 0), new int[] {1, 0, 0, 1});
        assertEquals(1 / 3.0, metrics.precision(1), 1e-15);
        assertEquals(1 / 2.0, metrics.recall(1), 1e-15);
        assertEquals(0.4, metrics.f1(1), 1e-15);
    }

    @Test
    void theLargestOutputs() {
        ClassificationMetrics metrics = ClassificationMetrics.of(4);
        metrics.add(new float[] {0.1f, 0.4f, 0.3f, 0.2f, -1, -1, -1, -1, 2, 2, 3, 1}, new int[] {3, 2, 1});
        assertEquals(0, metrics.accuracy()); // of four equal ones the first is the largest
        assertEquals(0, metrics.topKAccuracy(2));
        assertEquals(1, metrics.topKAccuracy(3));
        assertEquals(1, metrics.topKAccuracy(9));
        metrics.add(new float[] {-1, -1, -1, -1, 2, 2, 3, 1}, new int[] {0, 0});
        assertEquals(1 / 5.0, metrics.accuracy());
        assertEquals(2 / 5.0, metrics.topKAccuracy(2));
    }

    @Test
    void stepsThatThereAreNot() {
        Sequences sequences = Sequences.ofLengths(3, 1, 3);
        ClassificationMetrics metrics = ClassificationMetrics.of(2).ignoring(-1);
        float[] outputs = rows(2, 0, 0, 1, 0, 1, 1);
        int[] right = {0, 1, 99, -1, 99, 1};
        outputs[4] = Float.NaN;
        metrics.add(sequences, outputs, right);
        assertArrayEquals(new long[][] {{1, 0}, {1, 1}}, metrics.confusion());

        RegressionMetrics errors = new RegressionMetrics();
        errors.add(sequences, new float[] {1, 2, Float.NaN, 4, Float.NaN, 6}, new float[] {1, 1, 0, 6, 0, 6});
        assertEquals(4, errors.count());
        assertEquals(3 / 4.0, errors.meanAbsoluteError());
        assertEquals(5 / 4.0, errors.meanSquaredError());
        RegressionMetrics streams = new RegressionMetrics();
        streams.add(sequences.batchFirst(), new float[] {1, Float.NaN, Float.NaN, 2, 4, 6},
                new float[] {1, 0, 0, 1, 6, 6});
        assertEquals(errors.meanSquaredError(), streams.meanSquaredError());
    }

    @Test
    void questionsOfTheirOwn() {
        float[] targets = {1, 0, 0, 1, 1, 0, 0, 0, 0, 0.5f, 0.4f, 0};
        float[] outputs = {2, -1, -3, 1, -1, 0, 1, 1, -1, 5, -5, -1};
        MultiLabelMetrics metrics = MultiLabelMetrics.of(3);
        metrics.add(outputs, targets);
        assertEquals(4, metrics.count());
        assertEquals(2 / 4.0, metrics.accuracy());
        assertEquals(3 / 4.0, metrics.precision(0));
        assertEquals(1, metrics.recall(0));
        assertEquals(6 / 7.0, metrics.f1(0), 1e-15);
        assertEquals(0, metrics.f1(1)); // there once, and found another time
        assertEquals(0, metrics.f1(2)); // never there, never found
        assertEquals(2 / 7.0, metrics.macroF1(), 1e-15);
        assertEquals(6 / 9.0, metrics.microF1(), 1e-15);
        MultiLabelMetrics some = MultiLabelMetrics.of(3);
        some.add(Sequences.ofLengths(2, 1, 2), outputs, targets);
        assertEquals(3, some.count());
        assertEquals(1, some.precision(0));
        refused("outputs: expected a multiple of 3, got 4", () -> metrics.add(new float[4], new float[4]));
        refused("targets: expected 3, got 6", () -> metrics.add(new float[3], new float[6]));
    }

    @Test
    void nothingYet() {
        assertTrue(Double.isNaN(ClassificationMetrics.of(3).accuracy()));
        assertTrue(Double.isNaN(ClassificationMetrics.of(3).macroF1()));
        assertTrue(Double.isNaN(new RegressionMetrics().meanAbsoluteError()));
    }

    @Test
    void whatDoesNotFit() {
        ClassificationMetrics metrics = ClassificationMetrics.of(2);
        refused("outputs: expected 4, got 3", () -> metrics.add(new float[3], new int[2]));
        refused("classes: expected 6, got 5",
                () -> metrics.add(Sequences.of(3, 2), new float[12], new int[5]));
        refused("output 1 of row 0: expected a number, got NaN",
                () -> metrics.add(new float[] {0, Float.NaN}, new int[1]));
        refused("classes: expected >= 1, got 0", () -> ClassificationMetrics.of(0));
        refused("k: expected >= 1, got 0", () -> metrics.topKAccuracy(0));
        refused("values: expected 3, got 2", () -> new RegressionMetrics().add(new float[3], new float[2]));
        refused("outputs: expected a multiple of 6, got 7",
                () -> new RegressionMetrics().add(Sequences.of(3, 2), new float[7], new float[7]));
        assertEquals("class 1: expected 0..1, got 2", assertThrows(IndexOutOfBoundsException.class,
                () -> metrics.add(new float[4], new int[] {0, 2})).getMessage());
    }

    private static void refused(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }
}
