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
    /** The bits of 2/3, and of {@link #ROUND}. */
    public static final int TWO_THIRDS = 0x3f2aaaab;
    public static final int ROUND_BITS = 0x4b400000;

    private Elementary() {
    }

    /** Returns v, or +0 where |v| < 2^-126: a subnormal costs some processors a hundred cycles in every later operation. */
    public static float flush(float v) {
        return Math.abs(v) < Float.MIN_NORMAL ? 0f : v;
    }

    /**
     * Returns e^x within 0.90 ULP, monotone but for 1 ULP. x = n ln 2 + r; e^r by a polynomial; 2^n in two factors, so that results may be subnormal.
     */
    public static float exp(float x) {
        x = x > 89f ? 89f : x;
        x = x < -104f ? -104f : x;
        float t = Math.fma(x, LOG2_E, ROUND + 254); // n + 254 in the low bits
        float n = t - (ROUND + 254);
        float r = Math.fma(n, -LN2_HIGH, x); // exact
        r = Math.fma(n, LN2_REST, r);
        float p = Math.fma(EXP_6, r, EXP_5);
        p = Math.fma(p, r, EXP_4);
        p = Math.fma(p, r, EXP_3);
        p = Math.fma(p, r, EXP_2);
        p = Math.fma(p, r, 1f);
        p = Math.fma(p, r, 1f);
        int bits = Float.floatToRawIntBits(t);
        int half = bits >>> 1; // low byte: 127 + floor(n / 2)
        int rest = bits - half; // low byte: 127 + ceil(n / 2)
        p = p * Float.intBitsToFloat(half << 23);
        return p * Float.intBitsToFloat(rest << 23);
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
        float q = Math.fma(LOG_10, f, LOG_9);
        q = Math.fma(q, f, LOG_8);
        q = Math.fma(q, f, LOG_7);
        q = Math.fma(q, f, LOG_6);
        q = Math.fma(q, f, LOG_5);
        q = Math.fma(q, f, LOG_4);
        q = Math.fma(q, f, LOG_3);
        q = Math.fma(q, f, -0.5f);
        q = Math.fma(q, f * f, f);
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
     * Returns 1 / (1 + e^-x) within 2.00 ULP, both tails included, monotone but for 2 ULP. Computed as 2^-32 / (2^-32 + 2^(n-32) e^-r), so that
     * the division underflows gradually and rounds once.
     */
    public static float sigmoid(float x) {
        x = x > 20f ? 20f : x;
        x = x < -104f ? -104f : x;
        float t = Math.fma(x, -LOG2_E, ROUND + 95); // n + 95 in the low bits
        float n = t - (ROUND + 95);
        float r = Math.fma(n, LN2_HIGH, x); // exact; minus the reduced argument
        r = Math.fma(n, -LN2_REST, r);
        float s = Float.intBitsToFloat(Float.floatToRawIntBits(t) << 23); // 2^(n-32)
        float p = Math.fma(EXP_6, r, -EXP_5);
        p = Math.fma(p, r, EXP_4);
        p = Math.fma(p, r, -EXP_3);
        p = Math.fma(p, r, EXP_2);
        p = Math.fma(p, r, -1f);
        p = p * r; // e^-r - 1
        p = Math.fma(s, p, 0x1p-32f);
        p = p + s;
        return 0x1p-32f / p;
    }
}
