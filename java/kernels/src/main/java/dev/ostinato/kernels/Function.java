package dev.ostinato.kernels;

/**
 * An elementwise function and its gradient {@code dx = dy * f'}.
 *
 * <p>Errors are the largest over all 2^32 floats, in units in the last place (ULP) of the exact result, subnormal results included;
 * those of a gradient are for {@code dy = 1}. A NaN stays a NaN. {@code docs/accuracy.md} has the measurement and says how to repeat it.
 */
public enum Function {
    /** e^x within 0.90 ULP, monotone but for 1 ULP; too small for a float it is 0, too large infinite. */
    EXP,
    /** The natural logarithm within 0.94 ULP, monotone; of 0 it is -infinity, of a negative number NaN. */
    LOG,
    /** The hyperbolic tangent: within 2.07 ULP, exactly odd, never beyond 1, monotone but for 2 ULP. */
    TANH,
    /** 1 / (1 + e^-x) within 2.00 ULP, accurate in both tails, monotone but for 2 ULP. */
    SIGMOID,
    /** log(1 + e^x) within 2.00 ULP, accurate in both tails, monotone but for 1 ULP. Its gradient is SIGMOID. */
    SOFTPLUS,
    /**
     * The error function, the integral of 2 / sqrt(pi) e^(-t^2) over [0, x]: within 1.73 ULP, exactly odd, never beyond 1, monotone but for
     * 1 ULP. The gradient is within 2.35 ULP.
     */
    ERF,
    /**
     * x times the normal distribution function of x, {@code x (1 + erf(x / sqrt(2))) / 2} (Hendrycks and Gimpel 2016): within 6.35 ULP, the
     * far left tail included, monotone on either side of its minimum but for 4 ULP. The gradient is within 7.94 ULP, where it crosses 0
     * between -2 and -1/2 in units of 2^-4.
     */
    GELU,
    /**
     * x times the sigmoid of x, also called swish (Elfwing et al. 2017): within 2.00 ULP, the far left tail included, monotone on either side
     * of its minimum but for 2 ULP. The gradient is within 5.85 ULP, where it crosses 0 between -2 and -1/2 in units of 2^-4.
     */
    SILU;

    /**
     * Returns whether the gradient is computed from the function's result y; otherwise it is from its argument x. Those of EXP, TANH and
     * SIGMOID follow from y with few operations; those of the others do not.
     */
    public boolean gradientTakesResult() {
        return this == EXP || this == TANH || this == SIGMOID;
    }
}
