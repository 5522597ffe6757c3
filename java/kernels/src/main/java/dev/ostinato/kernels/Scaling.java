package dev.ostinato.kernels;

/** How {@link Kernels#quantize} finds the scale of a row. */
public enum Scaling {
    /** From the largest magnitude in the row. */
    ROW,
    /** 1/127 whenever all values lie in [-1, 1], as the outputs of a tanh do; otherwise as by {@link #ROW}. */
    UNIT;

    /** Returns how a step scales the state before: as a value of its cell, unless U has fewer inputs than units, which is something else. */
    public Scaling ofState(PackedWeights u) {
        return u.inputs() < u.units() ? ROW : this;
    }
}
