package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.scalar.Elementary.COTH_1;
import static dev.ostinato.kernels.scalar.Elementary.COTH_2;
import static dev.ostinato.kernels.scalar.Elementary.EXP_2;
import static dev.ostinato.kernels.scalar.Elementary.EXP_3;
import static dev.ostinato.kernels.scalar.Elementary.EXP_4;
import static dev.ostinato.kernels.scalar.Elementary.EXP_5;
import static dev.ostinato.kernels.scalar.Elementary.EXP_6;
import static dev.ostinato.kernels.scalar.Elementary.LN2_HIGH;
import static dev.ostinato.kernels.scalar.Elementary.LN2_REST;
import static dev.ostinato.kernels.scalar.Elementary.LOG2_E;
import static dev.ostinato.kernels.scalar.Elementary.LOG_10;
import static dev.ostinato.kernels.scalar.Elementary.LOG_3;
import static dev.ostinato.kernels.scalar.Elementary.LOG_4;
import static dev.ostinato.kernels.scalar.Elementary.LOG_5;
import static dev.ostinato.kernels.scalar.Elementary.LOG_6;
import static dev.ostinato.kernels.scalar.Elementary.LOG_7;
import static dev.ostinato.kernels.scalar.Elementary.LOG_8;
import static dev.ostinato.kernels.scalar.Elementary.LOG_9;
import static dev.ostinato.kernels.scalar.Elementary.ROUND;
import static dev.ostinato.kernels.scalar.Elementary.ROUND_BITS;
import static dev.ostinato.kernels.scalar.Elementary.TWO_THIRDS;
import static dev.ostinato.kernels.vector.Lanes.broadcast;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.scalar.Elementary;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/** The sequences of {@link Elementary}, operation by operation, on whole vectors. */
final class VectorElementary {
    private static final int EXPONENT = 23;

    private VectorElementary() {
    }

    static FloatVector flush(FloatVector v) {
        return v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL));
    }

    static FloatVector exp(FloatVector x) {
        x = clamp(x, -104f, 89f);
        FloatVector t = x.fma(broadcast(LOG2_E), broadcast(ROUND + 254));
        FloatVector n = t.sub(ROUND + 254);
        FloatVector r = n.fma(broadcast(-LN2_HIGH), x);
        r = n.fma(broadcast(LN2_REST), r);
        FloatVector p = r.fma(broadcast(EXP_6), broadcast(EXP_5));
        p = p.fma(r, broadcast(EXP_4));
        p = p.fma(r, broadcast(EXP_3));
        p = p.fma(r, broadcast(EXP_2));
        p = p.fma(r, broadcast(1f));
        p = p.fma(r, broadcast(1f));
        IntVector bits = t.reinterpretAsInts();
        IntVector half = bits.lanewise(LSHR, 1);
        IntVector rest = bits.sub(half);
        p = p.mul(half.lanewise(LSHL, EXPONENT).reinterpretAsFloats());
        return p.mul(rest.lanewise(LSHL, EXPONENT).reinterpretAsFloats());
    }

    static FloatVector log(FloatVector x) {
        VectorMask<Float> subnormal = x.compare(LT, Float.MIN_NORMAL);
        FloatVector y = x.blend(x.mul(0x1p23f), subnormal);
        FloatVector bias = broadcast(ROUND).blend(ROUND + 23, subnormal);
        IntVector bits = y.reinterpretAsInts();
        IntVector offset = bits.sub(TWO_THIRDS);
        IntVector mantissa = bits.sub(offset.and(0xff800000));
        FloatVector e = offset.lanewise(ASHR, EXPONENT).add(ROUND_BITS).reinterpretAsFloats().sub(bias);
        FloatVector f = mantissa.reinterpretAsFloats().sub(1f);
        FloatVector q = f.fma(broadcast(LOG_10), broadcast(LOG_9));
        q = q.fma(f, broadcast(LOG_8));
        q = q.fma(f, broadcast(LOG_7));
        q = q.fma(f, broadcast(LOG_6));
        q = q.fma(f, broadcast(LOG_5));
        q = q.fma(f, broadcast(LOG_4));
        q = q.fma(f, broadcast(LOG_3));
        q = q.fma(f, broadcast(-0.5f));
        q = q.fma(f.mul(f), f);
        q = e.fma(broadcast(LN2_HIGH), q);
        q = x.blend(q, x.compare(LT, Float.POSITIVE_INFINITY));
        q = q.blend(Float.NaN, x.compare(LT, 0f));
        return q.blend(Float.NEGATIVE_INFINITY, x.compare(EQ, 0f));
    }

    static FloatVector tanh(FloatVector x) {
        IntVector sign = x.reinterpretAsInts().and(0x80000000);
        FloatVector a = x.abs();
        a = a.blend(10f, a.compare(GT, 10f));
        FloatVector t = a.fma(broadcast(2 * LOG2_E), broadcast(ROUND + 127));
        FloatVector n = t.sub(ROUND + 127);
        FloatVector r = n.fma(broadcast(-LN2_HIGH / 2), a);
        FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
        FloatVector g = s.fma(broadcast(0.5f), broadcast(-0.5f));
        FloatVector u = r.mul(r);
        FloatVector v = u.fma(broadcast(COTH_2), broadcast(COTH_1));
        v = v.fma(u, broadcast(1f));
        FloatVector d = v.sub(r);
        FloatVector m = s.mul(r);
        m = g.fma(d, m);
        d = m.add(d);
        m = m.div(d);
        return m.reinterpretAsInts().or(sign).reinterpretAsFloats();
    }

    static FloatVector sigmoid(FloatVector x) {
        x = clamp(x, -104f, 20f);
        FloatVector t = x.fma(broadcast(-LOG2_E), broadcast(ROUND + 95));
        FloatVector n = t.sub(ROUND + 95);
        FloatVector r = n.fma(broadcast(LN2_HIGH), x);
        r = n.fma(broadcast(-LN2_REST), r);
        FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
        FloatVector p = r.fma(broadcast(EXP_6), broadcast(-EXP_5));
        p = p.fma(r, broadcast(EXP_4));
        p = p.fma(r, broadcast(-EXP_3));
        p = p.fma(r, broadcast(EXP_2));
        p = p.fma(r, broadcast(-1f));
        p = p.mul(r);
        p = s.fma(p, broadcast(0x1p-32f));
        p = p.add(s);
        return broadcast(0x1p-32f).div(p);
    }

    /** Compares and selects, so that a NaN stays. */
    private static FloatVector clamp(FloatVector x, float low, float high) {
        x = x.blend(high, x.compare(GT, high));
        return x.blend(low, x.compare(LT, low));
    }
}
