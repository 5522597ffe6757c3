package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory that one layout of a model after another uses, so that batches of changing lengths do not allocate theirs anew. Asked for matrices
 * in the same order by each.
 */
final class Buffers {
    private final List<Memory> blocks = new ArrayList<>();
    private int next;

    /** Takes everything back from the layout that has it. */
    void reuse() {
        next = 0;
    }

    /** Returns a matrix of zeros. */
    Matrix matrix(int rows, int columns) {
        long floats = Matrix.floats(rows, columns);
        if (next == blocks.size()) {
            blocks.add(Memory.ofFloats(floats));
        } else if (blocks.get(next).byteSize() < floats * Float.BYTES) {
            blocks.set(next, Memory.ofFloats(floats));
        } else {
            int size = Math.toIntExact(floats);
            Matrix.wrap(blocks.get(next), 0, 1, size, size).clear();
        }
        return Matrix.of(blocks.get(next++), rows, columns);
    }
}
