package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.tests.RowAccuracy.Operation;
import dev.ostinato.tests.RowAccuracy.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Softmax, log-softmax and layer norm stay as accurate as {@code docs/accuracy.md} says, on easy and on hard rows. */
final class RowAccuracyTest {
    private final Kernels kernels = Backends.kernels("scalar");

    @ParameterizedTest
    @EnumSource
    void softmax(Row row) {
        assertWithin(32, Operation.SOFTMAX, row);
        assertWithin(4, Operation.LOG_SOFTMAX, row);
    }

    @ParameterizedTest
    @EnumSource
    void layerNorm(Row row) {
        assertWithin(32, Operation.LAYER_NORM, row);
        assertWithin(100, Operation.LAYER_NORM_GRADIENT, row);
    }

    private void assertWithin(double units, Operation operation, Row row) {
        for (int length : RowAccuracy.LENGTHS) {
            double error = RowAccuracy.error(kernels, operation, row, length);
            assertTrue(error <= units, operation + " of " + length + ": " + error);
        }
    }

    /** The measure itself. */
    @Test
    void errorsAreRelativeToTheLargestResult() {
        assertEquals(1, RowAccuracy.error(new double[] {2, 0}, new float[] {2, 0x1p-23f}));
        assertEquals(0, RowAccuracy.error(new double[] {0}, new float[] {0}));
        assertEquals(Double.POSITIVE_INFINITY, RowAccuracy.error(new double[] {0}, new float[] {1}));
        assertEquals(Double.POSITIVE_INFINITY, RowAccuracy.error(new double[] {1}, new float[] {Float.NaN}));
    }
}
