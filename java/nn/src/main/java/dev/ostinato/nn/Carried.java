package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;
import java.util.function.IntFunction;

/** Copies the states of B streams, a padded row each, out of and into tensors (B, size). */
final class Carried {
    private Carried() {
    }

    /** Of streams whose states are the rows of a matrix. */
    static NamedArray read(String name, Matrix matrix, int size) {
        return read(name, matrix.rows(), size, b -> matrix.rows(b, b + 1));
    }

    /** @param row returns the row of a stream */
    static NamedArray read(String name, int rows, int size, IntFunction<Matrix> row) {
        float[] data = new float[rows * size];
        for (int b = 0; b < rows; b++) {
            row.apply(b).columns(0, size).getRow(0, data, b * size);
        }
        return new NamedArray(name, List.of(rows, size), data);
    }

    /** Of streams whose states are the rows of a matrix. @throws IllegalArgumentException if the shape differs */
    static void write(NamedArray array, Matrix matrix, int size) {
        write(array, matrix.rows(), size, b -> matrix.rows(b, b + 1));
    }

    /** @throws IllegalArgumentException if the shape differs */
    static void write(NamedArray array, int rows, int size, IntFunction<Matrix> row) {
        if (!array.shape().equals(List.of(rows, size))) {
            throw new IllegalArgumentException(
                    array.name() + ": expected shape [" + rows + ", " + size + "], got " + array.shape());
        }
        for (int b = 0; b < rows; b++) {
            row.apply(b).columns(0, size).setRow(0, array.data(), b * size);
        }
    }
}
