package dev.ostinato.openblas;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;

/** A thread's memory for intermediate results: dead after the call, as large as the largest one, and gone with the thread. */
final class Scratch {
    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private Memory memory = Memory.ofFloats(0);
    private Memory sums = Memory.ofFloats(0);
    private Indices ascending = Indices.of(0);

    private Scratch() {
    }

    static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /** Returns packed weights of the same outputs as {@code w}, contents undefined. */
    PackedMatrix packed(int inputs, PackedMatrix w) {
        memory = atLeast((long) inputs * w.outputs(), memory);
        return PackedMatrix.view(memory, 0, inputs, w.gates(), w.units());
    }

    /** Returns a matrix in the same place, without gaps between the rows, contents undefined. */
    Matrix plain(int rows, int columns) {
        memory = atLeast((long) rows * columns, memory);
        return Matrix.wrap(memory, 0, rows, columns, columns);
    }

    /** Returns a matrix in a place of its own, contents undefined. */
    Matrix sums(int rows, int columns) {
        sums = atLeast((long) rows * columns, sums);
        return Matrix.wrap(sums, 0, rows, columns, columns);
    }

    private static Memory atLeast(long floats, Memory memory) {
        return memory.floats() < floats ? Memory.ofFloats(floats) : memory;
    }

    /** Returns 0, 1, 2 and so on. */
    Indices ascending(int length) {
        if (ascending.length() < length) {
            ascending = Indices.of(length);
            for (int i = 0; i < length; i++) {
                ascending.set(i, i);
            }
        }
        return ascending.slice(0, length);
    }
}
