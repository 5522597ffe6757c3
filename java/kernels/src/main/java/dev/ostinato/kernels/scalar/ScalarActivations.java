package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Activation;

/** The functions of {@link Activation}. */
public final class ScalarActivations {
    private ScalarActivations() {
    }

    /** Returns y. */
    public static float of(Activation f, float z) {
        return unclipped(f, clip(z, f.clip()));
    }

    /** Returns v clipped to [-clip, clip]; NaN stays. */
    static float clip(float v, float clip) {
        v = v > clip ? clip : v;
        return v < -clip ? -clip : v;
    }

    private static float unclipped(Activation f, float z) {
        return switch (f.kind()) {
            case TANH -> Elementary.tanh(z);
            case RELU -> z <= 0f ? 0f : z;
            case IDENTITY -> z;
            case SIGMOID -> Elementary.sigmoid(z);
            case SOFTSIGN -> z / (1f + Math.abs(z));
            case SOFTPLUS -> Elementary.softplus(z);
            case AFFINE -> Math.fma(f.alpha(), z, f.beta());
            case LEAKY_RELU -> z < 0f ? f.alpha() * z : z;
            case THRESHOLDED_RELU -> z <= f.alpha() ? 0f : z;
            case SCALED_TANH -> f.alpha() * Elementary.tanh(f.beta() * z);
            case HARD_SIGMOID -> {
                float v = Math.fma(f.alpha(), z, f.beta());
                v = v > 1f ? 1f : v;
                yield v < 0f ? 0f : v;
            }
            case ELU -> {
                float t = Elementary.tanh(z * 0.5f);
                yield z < 0f ? f.alpha() * ((t + t) / (1f - t)) : z;
            }
        };
    }

    /** Returns what the lower end of the clipping range gives, NaN if nothing is clipped: no y equals it. */
    public static float low(Activation f) {
        return Float.isInfinite(f.clip()) ? Float.NaN : unclipped(f, -f.clip());
    }

    /** Returns what the upper end of the clipping range gives, NaN if nothing is clipped. */
    public static float high(Activation f) {
        return Float.isInfinite(f.clip()) ? Float.NaN : unclipped(f, f.clip());
    }

    /** Returns the derivative, from y. */
    static float slope(Activation f, float y) {
        return y == low(f) || y == high(f) ? 0f : slopeInside(f, y);
    }

    private static float slopeInside(Activation f, float y) {
        return switch (f.kind()) {
            case TANH -> Math.fma(-y, y, 1f);
            case RELU, THRESHOLDED_RELU -> y > 0f ? 1f : 0f;
            case IDENTITY -> 1f;
            case SIGMOID -> y * (1f - y);
            case SOFTSIGN -> {
                float s = 1f - Math.abs(y);
                yield s * s;
            }
            case SOFTPLUS -> {
                float t = Elementary.tanh(y * 0.5f);
                yield (t + t) / (1f + t);
            }
            case AFFINE -> f.alpha();
            case LEAKY_RELU -> y > 0f ? 1f : f.alpha();
            case SCALED_TANH -> Math.fma(-(y * (f.beta() / f.alpha())), y, f.alpha() * f.beta());
            case HARD_SIGMOID -> 0f < y && y < 1f ? f.alpha() : 0f;
            case ELU -> y > 0f ? 1f : y + f.alpha();
        };
    }
}
