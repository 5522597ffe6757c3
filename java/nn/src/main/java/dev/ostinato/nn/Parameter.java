package dev.ostinato.nn;

import dev.ostinato.kernels.Memory;
import java.util.List;

/**
 * A named tensor inside a block of weights: where each of its elements lies. The same parameter reads the weights, their
 * gradients or an optimiser's moments, because all of these blocks have one layout.
 *
 * @param shape one or two dimensions, as PyTorch has them
 */
record Parameter(String name, List<Integer> shape, Position position) {
    /** Where an element lies. */
    @FunctionalInterface
    interface Position {
        /** Returns the index in the block, in floats, of the element at a row and column; a vector has one column. */
        long index(int row, int column);
    }

    static Parameter vector(String name, int size, Position position) {
        return new Parameter(name, List.of(size), position);
    }

    static Parameter matrix(String name, int rows, int columns, Position position) {
        return new Parameter(name, List.of(rows, columns), position);
    }

    int rows() {
        return shape.getFirst();
    }

    int columns() {
        return shape.size() > 1 ? shape.get(1) : 1;
    }

    NamedArray read(Memory block, String prefix) {
        float[] data = new float[Math.multiplyExact(rows(), columns())];
        for (int r = 0; r < rows(); r++) {
            for (int c = 0; c < columns(); c++) {
                data[r * columns() + c] = block.getFloat(position.index(r, c));
            }
        }
        return new NamedArray(prefix + name, shape, data);
    }

    void write(Memory block, NamedArray array) {
        if (!array.shape().equals(shape)) {
            throw new IllegalArgumentException(array.name() + ": expected shape " + shape + ", got " + array.shape());
        }
        for (int r = 0; r < rows(); r++) {
            for (int c = 0; c < columns(); c++) {
                block.setFloat(position.index(r, c), array.data()[r * columns() + c]);
            }
        }
    }
}
