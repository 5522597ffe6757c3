package dev.ostinato.kernels;

/** How {@link Kernels#quantize} finds the scale of a row. */
public enum Scaling {
    /** From the largest magnitude in the row. */
    ROW,
    /** Always 1/127, for values that lie in [-1, 1], such as the outputs of a tanh. */
    UNIT
}
