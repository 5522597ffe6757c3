package dev.ostinato.kernels;

/**
 * The nonlinearity of a gate or a state: {@code y = f(z)}, of a pre-activation that is first clipped to [-clip, clip]. What each kind computes, as
 * a sequence of operations, is said at {@link Kind}; kinds and parameters are those of ONNX.
 *
 * <p>A derivative is a function of y alone, so that a backward pass needs no pre-activations. It is 0 where y is what either end of the
 * clipping range gives, so at the ends and wherever z was clipped.
 *
 * @param alpha the kind's first parameter, 0 if it has none
 * @param beta the kind's second parameter, 0 if it has none
 * @param clip infinite for none
 */
public record Activation(Kind kind, float alpha, float beta, float clip) {
    /** The hyperbolic tangent. */
    public static final Activation TANH = of(Kind.TANH, 0f, 0f);
    /** The larger of z and 0. */
    public static final Activation RELU = of(Kind.RELU, 0f, 0f);
    /** z itself. */
    public static final Activation IDENTITY = of(Kind.IDENTITY, 0f, 0f);
    /** The logistic function. */
    public static final Activation SIGMOID = of(Kind.SIGMOID, 0f, 0f);
    /** z / (1 + |z|). */
    public static final Activation SOFTSIGN = of(Kind.SOFTSIGN, 0f, 0f);
    /** log(1 + e^z). */
    public static final Activation SOFTPLUS = of(Kind.SOFTPLUS, 0f, 0f);

    /** The functions, and their derivatives from y. A NaN stays one. */
    public enum Kind {
        /** {@code tanh(z)}; {@code f' = fma(-y, y, 1)}. */
        TANH(0),
        /** {@code z <= 0 ? 0 : z}; {@code f' = y > 0 ? 1 : 0}. */
        RELU(0),
        /** {@code z}; {@code f' = 1}. */
        IDENTITY(0),
        /** {@code sigmoid(z)}; {@code f' = y * (1 - y)}. */
        SIGMOID(0),
        /** {@code z / (1 + |z|)}, NaN for an infinite z; {@code s = 1 - |y|; f' = s * s}. */
        SOFTSIGN(0),
        /** {@code softplus(z)}; {@code t = tanh(y * 0.5); f' = (t + t) / (1 + t)}, which is 1 - e^-y. */
        SOFTPLUS(0),
        /** {@code fma(alpha, z, beta)}; {@code f' = alpha}. */
        AFFINE(2),
        /** {@code z < 0 ? alpha * z : z}; {@code f' = y > 0 ? 1 : alpha}. */
        LEAKY_RELU(1),
        /** {@code z <= alpha ? 0 : z}; {@code f' = y > 0 ? 1 : 0}. */
        THRESHOLDED_RELU(1),
        /** {@code alpha * tanh(beta * z)}; {@code f' = fma(-(y * (beta / alpha)), y, alpha * beta)}. */
        SCALED_TANH(2),
        /** {@code v = fma(alpha, z, beta); v > 1 ? 1 : v < 0 ? 0 : v}; {@code f' = 0 < y and y < 1 ? alpha : 0}. */
        HARD_SIGMOID(2),
        /** {@code t = tanh(z * 0.5); z < 0 ? alpha * ((t + t) / (1 - t)) : z}, which is alpha (e^z - 1); {@code f' = y > 0 ? 1 : y + alpha}. */
        ELU(1);

        private final int parameters;

        Kind(int parameters) {
            this.parameters = parameters;
        }

        /** Returns how many parameters there are: none, alpha, or alpha and beta. */
        public int parameters() {
            return parameters;
        }
    }

    /**
     * @throws IllegalArgumentException if a parameter is not finite, is not 0 though the kind has none, or is one with which the derivative does
     *     not follow from y; or if the clip is not positive
     */
    public Activation {
        check(kind, "alpha", alpha, kind.parameters() > 0);
        check(kind, "beta", beta, kind.parameters() > 1);
        switch (kind) {
            case LEAKY_RELU, THRESHOLDED_RELU, ELU -> {
                if (alpha < 0) {
                    throw new IllegalArgumentException(
                            kind + ": expected alpha >= 0, so that the slope follows from the output, got " + alpha);
                }
            }
            case SCALED_TANH -> {
                if (alpha == 0 || !Float.isFinite(beta / alpha) || !Float.isFinite(beta * alpha)) {
                    throw new IllegalArgumentException(kind
                            + ": expected finite beta / alpha and beta * alpha, so that the slope follows from the output, got alpha "
                            + alpha + " and beta " + beta);
                }
            }
            default -> {
            }
        }
        if (!(clip > 0)) {
            throw new IllegalArgumentException("clip: expected > 0, got " + clip);
        }
    }

    private static void check(Kind kind, String name, float value, boolean used) {
        if (!Float.isFinite(value) || (!used && value != 0)) {
            throw new IllegalArgumentException(
                    kind + ": expected " + (used ? "a finite " + name : "no " + name) + ", got " + value);
        }
    }

    /** Returns a function without clipping. @throws IllegalArgumentException as the constructor does */
    public static Activation of(Kind kind, float alpha, float beta) {
        return new Activation(kind, alpha, beta, Float.POSITIVE_INFINITY);
    }

    /** Returns this function of clipped pre-activations. @throws IllegalArgumentException if the clip is not positive */
    public Activation withClip(float clip) {
        return new Activation(kind, alpha, beta, clip);
    }

    /** Returns a number that y is never below, infinite if there is none; clips not counted. */
    public float least() {
        return switch (kind) {
            case TANH, SOFTSIGN -> -1;
            case RELU, SIGMOID, SOFTPLUS, THRESHOLDED_RELU, HARD_SIGMOID -> 0;
            case SCALED_TANH -> -Math.abs(alpha);
            case ELU -> -alpha;
            case IDENTITY, AFFINE, LEAKY_RELU -> Float.NEGATIVE_INFINITY;
        };
    }

    /** Returns a number that y is never above, infinite if there is none; clips not counted. */
    public float most() {
        return switch (kind) {
            case TANH, SOFTSIGN, SIGMOID, HARD_SIGMOID -> 1;
            case SCALED_TANH -> Math.abs(alpha);
            case RELU, SOFTPLUS, THRESHOLDED_RELU, ELU, IDENTITY, AFFINE, LEAKY_RELU -> Float.POSITIVE_INFINITY;
        };
    }

    /** Returns whether y lies in [-1, 1] for every z but NaN. */
    public boolean withinOne() {
        return least() >= -1 && most() <= 1;
    }
}
