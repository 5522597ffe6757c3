package dev.ostinato.nn;

import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;

/** The weights of all inputs to one output, {@code stride} floats apart. */
record PackedColumn(Memory memory, long first, long stride) {
    /** Returns a column of a matrix with one gate. */
    static PackedColumn of(PackedMatrix w, int output) {
        long first = w.index(0, 0, output);
        return new PackedColumn(w.memory(), first, w.inputs() == 1 ? 0 : w.index(1, 0, output) - first);
    }

    float get(int input) {
        return memory.getFloat(first + input * stride);
    }

    void set(int input, float value) {
        memory.setFloat(first + input * stride, value);
    }
}
