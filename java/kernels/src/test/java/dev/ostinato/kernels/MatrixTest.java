package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Views, bounds and copies of {@link Matrix}. */
final class MatrixTest {
    private static Matrix numbered(int rows, int columns) {
        Matrix matrix = Matrix.of(rows, columns);
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < columns; j++) {
                matrix.set(r, j, 10 * r + j);
            }
        }
        return matrix;
    }

    private static void rejects(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    private static void outside(Runnable call, int... numbers) {
        String message = assertThrows(IndexOutOfBoundsException.class, call::run).getMessage();
        for (int number : numbers) {
            assertTrue(message.contains(Integer.toString(number)), message);
        }
    }

    @Test
    void rowsArePaddedWithZeros() {
        Matrix matrix = Matrix.of(new float[][] {{1, 2, 3}, {4, 5, 6}});
        assertEquals(16, matrix.stride());
        assertEquals(0, matrix.address() % Memory.ALIGNMENT);
        assertEquals(0f, matrix.memory().getFloat(3));
        assertEquals(4f, matrix.memory().getFloat(16));
        assertEquals(0, Matrix.padded(0));
        assertEquals(16, Matrix.padded(1));
        assertEquals(16, Matrix.padded(16));
        assertEquals(32, Matrix.padded(17));
        assertEquals(0, Matrix.of(new float[0][]).rows());
    }

    @Test
    void viewsShareContents() {
        Matrix matrix = numbered(5, 7);
        Matrix view = matrix.rows(1, 4).columns(2, 6).rows(1, 3);
        assertEquals("(2, 4)", view.shape());
        assertArrayEquals(new float[][] {{22, 23, 24, 25}, {32, 33, 34, 35}}, view.toArray());
        view.set(0, 0, -1f);
        assertEquals(-1f, matrix.get(2, 2));
        view.clear();
        assertArrayEquals(new float[] {20, 21, 0, 0, 0, 0, 26}, matrix.row(2));
        assertArrayEquals(new float[] {40, 41, 42, 43, 44, 45, 46}, matrix.row(4));
        assertEquals(0, matrix.rows(5, 5).rows());
    }

    @Test
    void wrapChecksTheBlock() {
        Memory memory = Memory.ofFloats(32);
        assertEquals("(3, 4)", Matrix.wrap(memory, 5, 3, 4, 11).shape());
        assertEquals("(3, 4)", Matrix.wrap(memory, 6, 3, 4, 11).shape());
        outside(() -> Matrix.wrap(memory, 7, 3, 4, 11), 7, 26, 32);
        outside(() -> Matrix.wrap(memory, -1, 3, 4, 11), -1, 26, 32);
        outside(() -> Matrix.wrap(memory, 0, Integer.MAX_VALUE, 4, Integer.MAX_VALUE), 32);
        rejects("matrix: expected rows, columns >= 0 and stride >= columns, got rows 3, columns 4, stride 3",
                () -> Matrix.wrap(memory, 0, 3, 4, 3));
        rejects("matrix: expected rows, columns >= 0 and stride >= columns, got rows -1, columns 4, stride 4",
                () -> Matrix.wrap(memory, 0, -1, 4, 4));
        rejects("matrix: expected sizes >= 0, got (2, -1)", () -> Matrix.of(2, -1));
    }

    @Test
    void elementsAreChecked() {
        Matrix matrix = numbered(5, 7);
        outside(() -> matrix.get(5, 0), 5);
        outside(() -> matrix.get(-1, 0), -1, 5);
        outside(() -> matrix.get(0, 7), 7);
        outside(() -> matrix.set(0, -1, 1f), -1, 7);
        outside(() -> matrix.row(5), 5);
        outside(() -> matrix.rows(0, 6), 6, 5);
        outside(() -> matrix.rows(3, 2), 3, 2);
        outside(() -> matrix.columns(-1, 2), -1, 2);
    }

    @Test
    void rowsAreCopied() {
        Matrix matrix = numbered(3, 4);
        matrix.setRow(1, new float[] {9, 8, 7, 6, 5}, 1);
        float[] row = new float[6];
        matrix.getRow(1, row, 2);
        assertArrayEquals(new float[] {0, 0, 8, 7, 6, 5}, row);
        outside(() -> matrix.setRow(3, new float[4]), 3);
        outside(() -> matrix.setRow(1, new float[4], 1));
        outside(() -> matrix.getRow(1, new float[4], 1));
    }

    @Test
    void aRowOfTheWrongLengthChangesNothing() {
        Matrix matrix = numbered(3, 4);
        rejects("values: expected 4 floats, got 5", () -> matrix.setRow(1, new float[5]));
        rejects("values: expected 4 floats, got 3", () -> matrix.setRow(1, new float[3]));
        assertArrayEquals(new float[] {10, 11, 12, 13}, matrix.row(1));
        rejects("values: expected 2 floats, got 3", () -> Matrix.of(new float[][] {{1, 2}, {1, 2, 3}}));
    }

    @Test
    void copyWantsTheSameShape() {
        Matrix matrix = Matrix.of(3, 4);
        matrix.copyFrom(numbered(5, 7).rows(1, 4).columns(3, 7));
        assertArrayEquals(new float[][] {{13, 14, 15, 16}, {23, 24, 25, 26}, {33, 34, 35, 36}}, matrix.toArray());
        rejects("copy: expected (3, 4), got (4, 3)", () -> matrix.copyFrom(Matrix.of(4, 3)));
    }
}
