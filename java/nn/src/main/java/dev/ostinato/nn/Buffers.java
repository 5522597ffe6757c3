package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
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
        reuse(0);
    }

    /** Returns how much is in use, for {@link #reuse(int)}. */
    int used() {
        return next;
    }

    /** Takes back what was not in use then. */
    void reuse(int used) {
        next = used;
    }

    /** Returns the number of floats that are held. */
    long floats() {
        return blocks.stream().mapToLong(Memory::floats).sum();
    }

    /** Returns a matrix of zeros. */
    Matrix matrix(int rows, int columns) {
        return Matrix.of(block(Matrix.floats(rows, columns)), rows, columns);
    }

    /** Returns a packed matrix of zeros. */
    PackedMatrix packed(int inputs, int gates, int units) {
        return PackedMatrix.view(block(PackedMatrix.floats(inputs, gates, units)), 0, inputs, gates, units);
    }

    private Memory block(long floats) {
        if (next == blocks.size()) {
            blocks.add(Memory.ofFloats(floats));
        } else if (blocks.get(next).floats() < floats) {
            blocks.set(next, Memory.ofFloats(floats));
        } else {
            int size = Math.toIntExact(floats);
            Matrix.wrap(blocks.get(next), 0, 1, size, size).clear();
        }
        return blocks.get(next++);
    }
}
