package dev.ostinato.kernels.scalar;

/** Derivatives of those {@link Elementary} functions whose gradient is computed from x. */
public final class ElementaryGradients {
    private ElementaryGradients() {
    }

    /** Returns 2 / sqrt(pi) e^(-x^2). */
    public static float erf(float x) {
        float a = Math.abs(x);
        a = a > 10.25f ? 10.25f : a;
        float t = Elementary.expSteps(-(a * a));
        float p = Elementary.expOfRest(Elementary.expRestOfProduct(a, a, t));
        return Elementary.expScaled(p * Elementary.ERF_0, t);
    }

    /** Returns D(|x|) for x < 0 and 1 - D(|x|) otherwise, where D(a) is the normal distribution behind a, less a times its density. */
    public static float gelu(float x) {
        float a = Math.abs(x);
        a = a > Elementary.GELU_END ? Elementary.GELU_END : a;
        float b = 0.5f * a;
        float t = Elementary.expSteps(-(a * b));
        float p = Elementary.expOfRest(Elementary.expRestOfProduct(a, b, t));
        float q = Elementary.tailDivisor(a);
        float left = Math.fma(a * -Elementary.NORMAL_DENSITY, q, Elementary.tailNumerator(a));
        float d = Elementary.expScaled(p * left / q, t);
        return x < 0f ? d : 1f - d;
    }

    /** Returns D(|x|) for x < 0 and 1 - D(|x|) otherwise, where D(a) = e^-a (1 + e^-a - a) / (1 + e^-a)^2. */
    public static float silu(float x) {
        float minusA = Elementary.negativeAbsolute(x);
        minusA = minusA < -110f ? -110f : minusA;
        float t = Elementary.expSteps(minusA);
        float p = Elementary.expOfRest(Elementary.expRest(minusA, t));
        float u = 1f + Elementary.expScaled(p, t);
        float d = Elementary.expScaled(p * (u + minusA) / (u * u), t);
        return x < 0f ? d : 1f - d;
    }
}
