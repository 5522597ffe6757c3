package dev.ostinato.kernels;

/** The nonlinearity of a simple recurrent cell; each derivative is a function of the output alone. */
public enum Activation {
    /** The hyperbolic tangent; its derivative is 1 - h^2. */
    TANH,
    /** 0 where z <= 0, else z (a NaN stays); its derivative is 1 where h > 0, else 0. */
    RELU,
    /** z itself. */
    IDENTITY
}
