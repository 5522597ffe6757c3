package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.scalar.Elementary.COTH_1;
import static dev.ostinato.kernels.scalar.Elementary.COTH_2;
import static dev.ostinato.kernels.scalar.Elementary.ERF_0;
import static dev.ostinato.kernels.scalar.Elementary.ERF_0_REST;
import static dev.ostinato.kernels.scalar.Elementary.ERF_1;
import static dev.ostinato.kernels.scalar.Elementary.ERF_2;
import static dev.ostinato.kernels.scalar.Elementary.ERF_3;
import static dev.ostinato.kernels.scalar.Elementary.ERF_4;
import static dev.ostinato.kernels.scalar.Elementary.ERF_5;
import static dev.ostinato.kernels.scalar.Elementary.ERF_6;
import static dev.ostinato.kernels.scalar.Elementary.ERF_7;
import static dev.ostinato.kernels.scalar.Elementary.ERF_8;
import static dev.ostinato.kernels.scalar.Elementary.EXP_2;
import static dev.ostinato.kernels.scalar.Elementary.EXP_3;
import static dev.ostinato.kernels.scalar.Elementary.EXP_4;
import static dev.ostinato.kernels.scalar.Elementary.EXP_5;
import static dev.ostinato.kernels.scalar.Elementary.EXP_6;
import static dev.ostinato.kernels.scalar.Elementary.GELU_END;
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
import static dev.ostinato.kernels.scalar.Elementary.TAIL_P1;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_P2;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_P3;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_P4;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q1;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q2;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q3;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q4;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q5;
import static dev.ostinato.kernels.scalar.Elementary.THIRD;
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

    static FloatVector negativeAbsolute(FloatVector v) {
        return v.reinterpretAsInts().or(0x80000000).reinterpretAsFloats();
    }

    static FloatVector expSteps(FloatVector x) {
        return x.fma(broadcast(LOG2_E), broadcast(ROUND + 254));
    }

    static FloatVector expRest(FloatVector x, FloatVector t) {
        FloatVector n = t.sub(ROUND + 254);
        FloatVector r = n.fma(broadcast(-LN2_HIGH), x);
        return n.fma(broadcast(LN2_REST), r);
    }

    static FloatVector expOfRest(FloatVector r) {
        FloatVector p = r.fma(broadcast(EXP_6), broadcast(EXP_5));
        p = p.fma(r, broadcast(EXP_4));
        p = p.fma(r, broadcast(EXP_3));
        p = p.fma(r, broadcast(EXP_2));
        p = p.fma(r, broadcast(1f));
        return p.fma(r, broadcast(1f));
    }

    static FloatVector expScaled(FloatVector p, FloatVector t) {
        IntVector bits = t.reinterpretAsInts();
        IntVector half = bits.lanewise(LSHR, 1);
        IntVector rest = bits.sub(half);
        p = p.mul(half.lanewise(LSHL, EXPONENT).reinterpretAsFloats());
        return p.mul(rest.lanewise(LSHL, EXPONENT).reinterpretAsFloats());
    }

    static FloatVector exp(FloatVector x) {
        x = atLeast(atMost(x, 89f), -104f);
        FloatVector t = expSteps(x);
        return expScaled(expOfRest(expRest(x, t)), t);
    }

    private static FloatVector logOnePlus(FloatVector f) {
        FloatVector q = f.fma(broadcast(LOG_10), broadcast(LOG_9));
        q = q.fma(f, broadcast(LOG_8));
        q = q.fma(f, broadcast(LOG_7));
        q = q.fma(f, broadcast(LOG_6));
        q = q.fma(f, broadcast(LOG_5));
        q = q.fma(f, broadcast(LOG_4));
        q = q.fma(f, broadcast(LOG_3));
        q = q.fma(f, broadcast(-0.5f));
        return q.fma(f.mul(f), f);
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
        FloatVector q = logOnePlus(f);
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

    private static FloatVector logisticDivisor(FloatVector x, FloatVector bias, FloatVector scale) {
        FloatVector t = x.fma(broadcast(-LOG2_E), bias);
        FloatVector n = t.sub(bias);
        FloatVector r = n.fma(broadcast(LN2_HIGH), x);
        r = n.fma(broadcast(-LN2_REST), r);
        FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
        FloatVector p = expMinusOne(r);
        p = p.fma(r, broadcast(-1f));
        p = p.mul(r);
        p = s.fma(p, scale);
        return p.add(s);
    }

    /** Returns the quadratic and higher part of e^-r - 1, divided by r^2. */
    private static FloatVector expMinusOne(FloatVector r) {
        FloatVector p = r.fma(broadcast(EXP_6), broadcast(-EXP_5));
        p = p.fma(r, broadcast(EXP_4));
        p = p.fma(r, broadcast(-EXP_3));
        return p.fma(r, broadcast(EXP_2));
    }

    static FloatVector sigmoid(FloatVector x) {
        x = atLeast(atMost(x, 20f), -104f);
        FloatVector scale = broadcast(0x1p-32f);
        return scale.div(logisticDivisor(x, broadcast(ROUND + 95), scale));
    }

    static FloatVector silu(FloatVector x) {
        x = atLeast(x, -110f);
        VectorMask<Float> far = x.compare(LT, -64f);
        FloatVector scale = broadcast(1f).blend(0x1p-32f, far);
        FloatVector bias = broadcast(ROUND + 127).blend(ROUND + 95, far);
        return x.mul(scale).div(logisticDivisor(atMost(x, 20f), bias, scale));
    }

    static FloatVector softplus(FloatVector x) {
        FloatVector e = exp(negativeAbsolute(x));
        VectorMask<Float> large = e.compare(GT, THIRD);
        FloatVector f = e.blend(e.fma(broadcast(0.5f), broadcast(-0.5f)), large);
        FloatVector q = logOnePlus(f);
        q = q.blend(q.add(LN2_HIGH), large);
        return atLeast(x, 0f).add(q);
    }

    static FloatVector erf(FloatVector x) {
        IntVector sign = x.reinterpretAsInts().and(0x80000000);
        FloatVector a = atMost(x.abs(), 4f);
        FloatVector w = a.fma(broadcast(ERF_8), broadcast(ERF_7));
        w = w.fma(a, broadcast(ERF_6));
        w = w.fma(a, broadcast(ERF_5));
        w = w.fma(a, broadcast(ERF_4));
        w = w.fma(a, broadcast(ERF_3));
        w = w.fma(a, broadcast(ERF_2));
        w = w.fma(a, broadcast(ERF_1));
        w = w.fma(a, broadcast(ERF_0_REST));
        w = a.fma(broadcast(ERF_0), w.mul(a));
        FloatVector t = w.fma(broadcast(-LOG2_E), broadcast(ROUND + 127));
        FloatVector n = t.sub(ROUND + 127);
        FloatVector r = n.fma(broadcast(LN2_HIGH), w);
        r = n.fma(broadcast(-LN2_REST), r);
        FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
        FloatVector p = expMinusOne(r).fma(r.mul(r), r.neg());
        p = s.neg().fma(p, broadcast(1f).sub(s));
        return p.reinterpretAsInts().or(sign).reinterpretAsFloats();
    }

    static FloatVector tailNumerator(FloatVector a) {
        FloatVector p = a.fma(broadcast(TAIL_P4), broadcast(TAIL_P3));
        p = p.fma(a, broadcast(TAIL_P2));
        p = p.fma(a, broadcast(TAIL_P1));
        return p.fma(a, broadcast(0.5f));
    }

    static FloatVector tailDivisor(FloatVector a) {
        FloatVector q = a.fma(broadcast(TAIL_Q5), broadcast(TAIL_Q4));
        q = q.fma(a, broadcast(TAIL_Q3));
        q = q.fma(a, broadcast(TAIL_Q2));
        q = q.fma(a, broadcast(TAIL_Q1));
        return q.fma(a, broadcast(1f));
    }

    static FloatVector expRestOfProduct(FloatVector a, FloatVector b, FloatVector t) {
        FloatVector x = a.mul(b).neg();
        return expRest(x, t).sub(a.fma(b, x));
    }

    static FloatVector gelu(FloatVector x) {
        FloatVector a = atMost(x.abs(), GELU_END);
        FloatVector b = a.mul(0.5f);
        FloatVector t = expSteps(a.mul(b).neg());
        FloatVector p = expOfRest(expRestOfProduct(a, b, t));
        FloatVector tail = expScaled(p.mul(a.mul(tailNumerator(a))).div(tailDivisor(a)), t);
        return atLeast(x, 0f).sub(tail);
    }

    // Compare and select, so that a NaN stays.

    static FloatVector atMost(FloatVector x, float high) {
        return x.blend(high, x.compare(GT, high));
    }

    static FloatVector atLeast(FloatVector x, float low) {
        return x.blend(low, x.compare(LT, low));
    }
}
