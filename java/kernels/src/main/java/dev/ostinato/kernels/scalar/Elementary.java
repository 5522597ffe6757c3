package dev.ostinato.kernels.scalar;

/**
 * Elementary functions as fixed sequences of IEEE-754 operations without branches, the definition for every backend. Largest errors
 * are over all 2^32 floats, in units in the last place of the exact result, subnormal results included.
 */
public final class Elementary {
    /** 1.5 * 2^23: adding it to a float of small magnitude rounds that to an integer in the low bits, to nearest even. */
    public static final float ROUND = 0x1.8p23f;

    // Minimax coefficients, rounded to float together; the vector backend uses the same.
    public static final float LOG2_E = 0x1.715476p0f;
    public static final float LN2_HIGH = 0x1.62e43p-1f;
    /** LN2_HIGH - ln 2. */
    public static final float LN2_REST = 0x1.05c61p-29f;
    public static final float EXP_2 = 0x1.fffffcp-2f;
    public static final float EXP_3 = 0x1.555492p-3f;
    public static final float EXP_4 = 0x1.5558aap-5f;
    public static final float EXP_5 = 0x1.12396ep-7f;
    public static final float EXP_6 = 0x1.6a523ep-10f;
    public static final float LOG_3 = 0x1.555506p-2f;
    public static final float LOG_4 = -0x1.fffefcp-3f;
    public static final float LOG_5 = 0x1.99d044p-3f;
    public static final float LOG_6 = -0x1.559c44p-3f;
    public static final float LOG_7 = 0x1.1ed662p-3f;
    public static final float LOG_8 = -0x1.f332f8p-4f;
    public static final float LOG_9 = 0x1.1e678cp-3f;
    public static final float LOG_10 = -0x1.07c894p-3f;
    public static final float COTH_1 = 0x1.555536p-2f;
    public static final float COTH_2 = -0x1.6a96e4p-6f;
    public static final float ERF_0 = 0x1.20dd76p0f;
    /** 2 / sqrt(pi) - ERF_0. */
    public static final float ERF_0_REST = -0x1.f7ac92p-25f;
    public static final float ERF_1 = 0x1.45f2fep-1f;
    public static final float ERF_2 = 0x1.a4f94ap-4f;
    public static final float ERF_3 = -0x1.39bf3ap-6f;
    public static final float ERF_4 = -0x1.5ce0d2p-13f;
    public static final float ERF_5 = 0x1.b679c8p-10f;
    public static final float ERF_6 = -0x1.4d5356p-11f;
    public static final float ERF_7 = 0x1.f0ba14p-14f;
    public static final float ERF_8 = -0x1.396f5cp-17f;
    public static final float TAIL_P1 = 0x1.c11b7p-2f;
    public static final float TAIL_P2 = 0x1.77a514p-3f;
    public static final float TAIL_P3 = 0x1.4d507cp-5f;
    public static final float TAIL_P4 = 0x1.0e23cp-8f;
    public static final float TAIL_Q1 = 0x1.accfe6p0f;
    public static final float TAIL_Q2 = 0x1.340d8p0f;
    public static final float TAIL_Q3 = 0x1.e13b2cp-2f;
    public static final float TAIL_Q4 = 0x1.a1c5fp-4f;
    public static final float TAIL_Q5 = 0x1.5290ecp-7f;
    /** 1 / sqrt(2 pi). */
    public static final float NORMAL_DENSITY = 0x1.988454p-2f;
    public static final float THIRD = 0x1.555556p-2f;
    /** From here on the tail of GELU, and its gradient's, are less than half of the smallest float. */
    public static final float GELU_END = 14.75f;
    /** The bits of 2/3, and of {@link #ROUND}. */
    public static final int TWO_THIRDS = 0x3f2aaaab;
    public static final int ROUND_BITS = 0x4b400000;

    private Elementary() {
    }

    /** Returns v, or +0 where |v| < 2^-126: a subnormal costs some processors a hundred cycles in every later operation. */
    public static float flush(float v) {
        return Math.abs(v) < Float.MIN_NORMAL ? 0f : v;
    }

    /** Returns -|v|. */
    static float negativeAbsolute(float v) {
        return Float.intBitsToFloat(Float.floatToRawIntBits(v) | 0x80000000);
    }

    // e^x, where x = n ln 2 + r. Larger functions scale by 2^n last, so that a subnormal result is rounded once.

    /** Returns a sum with n + 254 in its low bits. */
    static float expSteps(float x) {
        return Math.fma(x, LOG2_E, ROUND + 254);
    }

    /** Returns r, of the sum t. */
    static float expRest(float x, float t) {
        float n = t - (ROUND + 254);
        float r = Math.fma(n, -LN2_HIGH, x); // exact
        return Math.fma(n, LN2_REST, r);
    }

    /** Returns e^r for |r| up to about ln 2 / 2. */
    static float expOfRest(float r) {
        float p = Math.fma(EXP_6, r, EXP_5);
        p = Math.fma(p, r, EXP_4);
        p = Math.fma(p, r, EXP_3);
        p = Math.fma(p, r, EXP_2);
        p = Math.fma(p, r, 1f);
        return Math.fma(p, r, 1f);
    }

    /** Returns p 2^n, of the sum t: in two factors, so that the result may be subnormal. */
    static float expScaled(float p, float t) {
        int bits = Float.floatToRawIntBits(t);
        int half = bits >>> 1; // low byte: 127 + floor(n / 2)
        int rest = bits - half; // low byte: 127 + ceil(n / 2)
        p = p * Float.intBitsToFloat(half << 23);
        return p * Float.intBitsToFloat(rest << 23);
    }

    /** Returns e^x within 0.90 ULP, monotone but for 1 ULP. */
    public static float exp(float x) {
        x = x > 89f ? 89f : x;
        x = x < -104f ? -104f : x;
        float t = expSteps(x);
        return expScaled(expOfRest(expRest(x, t)), t);
    }

    /** Returns log(1 + f) for f in [-1/3, 1/3). */
    static float logOnePlus(float f) {
        float q = Math.fma(LOG_10, f, LOG_9);
        q = Math.fma(q, f, LOG_8);
        q = Math.fma(q, f, LOG_7);
        q = Math.fma(q, f, LOG_6);
        q = Math.fma(q, f, LOG_5);
        q = Math.fma(q, f, LOG_4);
        q = Math.fma(q, f, LOG_3);
        q = Math.fma(q, f, -0.5f);
        return Math.fma(q, f * f, f);
    }

    /**
     * Returns the natural logarithm within 0.94 ULP, monotone. x = 2^e m with m in [2/3, 4/3); log m by a polynomial in m - 1.
     */
    public static float log(float x) {
        boolean subnormal = x < Float.MIN_NORMAL;
        float y = subnormal ? x * 0x1p23f : x;
        float bias = subnormal ? ROUND + 23 : ROUND;
        int bits = Float.floatToRawIntBits(y);
        int offset = bits - TWO_THIRDS;
        int mantissa = bits - (offset & 0xff800000);
        float e = Float.intBitsToFloat((offset >> 23) + ROUND_BITS) - bias;
        float f = Float.intBitsToFloat(mantissa) - 1f;
        float q = logOnePlus(f);
        q = Math.fma(e, LN2_HIGH, q);
        q = x < Float.POSITIVE_INFINITY ? q : x; // +infinity and NaN
        q = x < 0f ? Float.NaN : q;
        return x == 0f ? Float.NEGATIVE_INFINITY : q;
    }

    /**
     * Returns tanh x within 2.07 ULP: exactly odd, never beyond 1, 1 from 9.02 on, monotone but for
     * 2 ULP. With e^2x = 2^n e^2r and v = r coth r,
     * e^2r = (v + r) / (v - r), so that one division serves both.
     */
    public static float tanh(float x) {
        int sign = Float.floatToRawIntBits(x) & 0x80000000;
        float a = Math.abs(x);
        a = a > 10f ? 10f : a;
        float t = Math.fma(a, 2 * LOG2_E, ROUND + 127); // n + 127 in the low bits
        float n = t - (ROUND + 127);
        float r = Math.fma(n, -LN2_HIGH / 2, a); // exact
        float s = Float.intBitsToFloat(Float.floatToRawIntBits(t) << 23); // 2^n
        float g = Math.fma(s, 0.5f, -0.5f);
        float u = r * r;
        float v = Math.fma(u, COTH_2, COTH_1);
        v = Math.fma(v, u, 1f);
        float d = v - r;
        float m = s * r; // exact
        m = Math.fma(g, d, m);
        d = m + d;
        m = m / d;
        return Float.intBitsToFloat(Float.floatToRawIntBits(m) | sign);
    }

    /**
     * Returns scale (1 + e^-x), where scale is a power of two and the bias of n is that of the scale: 2^-32 keeps e^-x from overflowing, and
     * lets a division by the result underflow gradually and round once.
     */
    private static float logisticDivisor(float x, float bias, float scale) {
        float t = Math.fma(x, -LOG2_E, bias); // n in the low bits, and what the scale adds
        float n = t - bias;
        float r = Math.fma(n, LN2_HIGH, x); // exact; minus the reduced argument
        r = Math.fma(n, -LN2_REST, r);
        float s = Float.intBitsToFloat(Float.floatToRawIntBits(t) << 23); // scale 2^n
        float p = Math.fma(EXP_6, r, -EXP_5);
        p = Math.fma(p, r, EXP_4);
        p = Math.fma(p, r, -EXP_3);
        p = Math.fma(p, r, EXP_2);
        p = Math.fma(p, r, -1f);
        p = p * r; // e^-r - 1
        p = Math.fma(s, p, scale);
        return p + s;
    }

    /** Returns 1 / (1 + e^-x) within 2.00 ULP, both tails included, monotone but for 2 ULP. */
    public static float sigmoid(float x) {
        x = x > 20f ? 20f : x;
        x = x < -104f ? -104f : x;
        return 0x1p-32f / logisticDivisor(x, ROUND + 95, 0x1p-32f);
    }

    /** Returns x / (1 + e^-x). Only the far tail is scaled: a tiny x would lose its last bits. */
    public static float silu(float x) {
        x = x < -110f ? -110f : x;
        boolean far = x < -64f;
        float scale = far ? 0x1p-32f : 1f;
        float bias = far ? ROUND + 95 : ROUND + 127;
        return (x * scale) / logisticDivisor(x > 20f ? 20f : x, bias, scale);
    }

    /** Returns log(1 + e^x) as the larger of 0 and x, and log(1 + e^-|x|). */
    public static float softplus(float x) {
        float e = exp(negativeAbsolute(x));
        boolean large = e > THIRD;
        float f = large ? Math.fma(e, 0.5f, -0.5f) : e; // 1 + e = 2 (1 + f) or 1 + f
        float q = logOnePlus(f);
        q = large ? q + LN2_HIGH : q;
        return (x < 0f ? 0f : x) + q;
    }

    /** Returns the error function as 1 - e^-w, where w = -log(1 - erf |x|) is |x| times a polynomial. */
    public static float erf(float x) {
        int sign = Float.floatToRawIntBits(x) & 0x80000000;
        float a = Math.abs(x);
        a = a > 4f ? 4f : a;
        float w = Math.fma(ERF_8, a, ERF_7);
        w = Math.fma(w, a, ERF_6);
        w = Math.fma(w, a, ERF_5);
        w = Math.fma(w, a, ERF_4);
        w = Math.fma(w, a, ERF_3);
        w = Math.fma(w, a, ERF_2);
        w = Math.fma(w, a, ERF_1);
        w = Math.fma(w, a, ERF_0_REST);
        w = Math.fma(a, ERF_0, w * a);
        float t = Math.fma(w, -LOG2_E, ROUND + 127); // n + 127 in the low bits
        float n = t - (ROUND + 127);
        float r = Math.fma(n, LN2_HIGH, w); // minus the reduced argument
        r = Math.fma(n, -LN2_REST, r);
        float s = Float.intBitsToFloat(Float.floatToRawIntBits(t) << 23); // 2^n
        float p = Math.fma(EXP_6, r, -EXP_5);
        p = Math.fma(p, r, EXP_4);
        p = Math.fma(p, r, -EXP_3);
        p = Math.fma(p, r, EXP_2);
        p = Math.fma(p, r * r, -r); // e^-r - 1
        p = Math.fma(-s, p, 1f - s);
        return Float.intBitsToFloat(Float.floatToRawIntBits(p) | sign);
    }

    // The normal distribution behind a >= 0 is e^(-a^2/2) P(a) / Q(a): a Mills ratio over the root of 2 pi.

    static float tailNumerator(float a) {
        float p = Math.fma(TAIL_P4, a, TAIL_P3);
        p = Math.fma(p, a, TAIL_P2);
        p = Math.fma(p, a, TAIL_P1);
        return Math.fma(p, a, 0.5f);
    }

    static float tailDivisor(float a) {
        float q = Math.fma(TAIL_Q5, a, TAIL_Q4);
        q = Math.fma(q, a, TAIL_Q3);
        q = Math.fma(q, a, TAIL_Q2);
        q = Math.fma(q, a, TAIL_Q1);
        return Math.fma(q, a, 1f);
    }

    /** Returns r of the exponential of -ab, of the sum t, with what the rounding of the product left out. */
    static float expRestOfProduct(float a, float b, float t) {
        float x = -(a * b);
        return expRest(x, t) - Math.fma(a, b, x);
    }

    /** Returns x times the normal distribution function of x: the larger of 0 and x, less |x| times the distribution behind |x|. */
    public static float gelu(float x) {
        float a = Math.abs(x);
        a = a > GELU_END ? GELU_END : a;
        float b = 0.5f * a;
        float t = expSteps(-(a * b));
        float p = expOfRest(expRestOfProduct(a, b, t));
        float tail = expScaled(p * (a * tailNumerator(a)) / tailDivisor(a), t);
        return (x < 0f ? 0f : x) - tail;
    }
}
