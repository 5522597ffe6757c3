package dev.ostinato.kernels;

/** An elementwise function. Largest errors are over all 2^32 floats; subnormal results included. */
public enum Function {
    /** e^x within 0.90 ULP, monotone but for 1 ULP; too small for a float it is 0, too large infinite. */
    EXP,
    /** The natural logarithm within 0.94 ULP, monotone; of 0 it is -infinity, of a negative number NaN. */
    LOG,
    /** The hyperbolic tangent: within 2.07 ULP, exactly odd, never beyond 1, monotone but for 2 ULP. */
    TANH,
    /** 1 / (1 + e^-x) within 2.00 ULP, accurate in both tails, monotone but for 2 ULP. */
    SIGMOID
}
