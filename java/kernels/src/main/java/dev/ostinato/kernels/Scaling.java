package dev.ostinato.kernels;

/** How {@link Kernels#quantize} finds the scale of a row. */
public enum Scaling {
    /** From the largest magnitude in the row. */
    ROW,
    /** 1/127 whenever all values lie in [-1, 1], as the outputs of a tanh do; otherwise as by {@link #ROW}. */
    UNIT
}
