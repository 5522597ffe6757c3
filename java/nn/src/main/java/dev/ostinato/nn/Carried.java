package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;

/** Copies rows of a state out of and into padded matrices. */
final class Carried {
    private Carried() {
    }

    /** Returns the first {@code size} columns of every row. */
    static NamedArray read(String name, Matrix matrix, int size) {
        float[] data = new float[matrix.rows() * size];
        for (int r = 0; r < matrix.rows(); r++) {
            matrix.columns(0, size).getRow(r, data, r * size);
        }
        return new NamedArray(name, List.of(matrix.rows(), size), data);
    }

    /** Overwrites the first {@code size} columns of every row. @throws IllegalArgumentException if the shape differs */
    static void write(NamedArray array, Matrix matrix, int size) {
        if (!array.shape().equals(List.of(matrix.rows(), size))) {
            throw new IllegalArgumentException(
                    array.name() + ": expected shape [" + matrix.rows() + ", " + size + "], got " + array.shape());
        }
        for (int r = 0; r < matrix.rows(); r++) {
            matrix.columns(0, size).setRow(r, array.data(), r * size);
        }
    }
}
