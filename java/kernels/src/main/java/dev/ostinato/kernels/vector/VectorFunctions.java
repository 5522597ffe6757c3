package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
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
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.scalar.Elementary;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/**
 * The functions of {@link Elementary}, operation by operation, as sweeps over whole vectors: {@code bytes} is a multiple of a vector, and y
 * may be x.
 *
 * <p>Nothing here calls a method of ours with a vector; what functions have in common is written out in each. Once a compilation has
 * grown large the compiler inlines what the Vector API forces it to and nothing else; a vector that is passed to anything else then
 * becomes an object, which costs more than all of its arithmetic. One softplus is large enough, and a step of a whole model all the more.
 *
 * <p>The loops count bytes up from 0: of {@code j < bytes} the compiler checks all addresses before the first, and unrolls short bodies; of
 * {@code j + BYTES <= bytes}, or a loop over addresses, it does not.
 */
final class VectorFunctions {
    private static final int EXPONENT = 23;

    private VectorFunctions() {
    }

    /** {@code y = f(x)}, rows of any length. */
    static void apply(Function f, Matrix x, Matrix y) {
        long bytes = (long) x.columns() * Float.BYTES;
        long whole = Lanes.whole(bytes);
        for (int r = 0; r < x.rows(); r++) {
            apply(f, x.rowAddress(r), y.rowAddress(r), whole);
        }
        if (whole < bytes) {
            rests(f, x, y, whole, Lanes.rest(bytes - whole));
        }
    }

    /** What is left of rows behind their last whole vector: vectors of their own, some rows at a time. */
    private static void rests(Function f, Matrix x, Matrix y, long whole, VectorMask<Float> rest) {
        Memory stage = Lanes.STAGES.take();
        long staged = stage.address();
        for (int first = 0; first < x.rows(); first += Lanes.STAGE_ROWS) {
            int rows = Math.min(Lanes.STAGE_ROWS, x.rows() - first);
            for (int r = 0; r < rows; r++) {
                Lanes.pad(x.rowAddress(first + r) + whole, rest, staged + r * BYTES);
            }
            apply(f, staged, staged, rows * BYTES);
            for (int r = 0; r < rows; r++) {
                Lanes.unpad(staged + r * BYTES, y.rowAddress(first + r) + whole, rest);
            }
        }
        Reference.reachabilityFence(stage);
        Lanes.STAGES.give(stage);
    }

    private static void apply(Function f, long x, long y, long bytes) {
        switch (f) {
            case EXP -> exp(x, y, bytes);
            case LOG -> log(x, y, bytes);
            case TANH -> tanh(x, y, bytes);
            case SIGMOID -> sigmoid(x, y, bytes);
            case SOFTPLUS -> softplus(x, y, bytes);
            case ERF -> erf(x, y, bytes);
            case GELU -> gelu(x, y, bytes);
            case SILU -> silu(x, y, bytes);
        }
    }

    static void exp(long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            v = v.blend(89f, v.compare(GT, 89f));
            v = v.blend(-104f, v.compare(LT, -104f));
            FloatVector t = v.fma(broadcast(SPECIES, LOG2_E), broadcast(SPECIES, ROUND + 254));
            FloatVector n = t.sub(ROUND + 254);
            FloatVector r = n.fma(broadcast(SPECIES, -LN2_HIGH), v);
            r = n.fma(broadcast(SPECIES, LN2_REST), r);
            FloatVector p = r.fma(broadcast(SPECIES, EXP_6), broadcast(SPECIES, EXP_5));
            p = p.fma(r, broadcast(SPECIES, EXP_4));
            p = p.fma(r, broadcast(SPECIES, EXP_3));
            p = p.fma(r, broadcast(SPECIES, EXP_2));
            p = p.fma(r, broadcast(SPECIES, 1f));
            p = p.fma(r, broadcast(SPECIES, 1f));
            IntVector bits = t.reinterpretAsInts();
            IntVector half = bits.lanewise(LSHR, 1);
            p = p.mul(half.lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            p = p.mul(bits.sub(half).lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            p.intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    static void log(long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            VectorMask<Float> subnormal = v.compare(LT, Float.MIN_NORMAL);
            IntVector bits = v.blend(v.mul(0x1p23f), subnormal).reinterpretAsInts();
            FloatVector bias = broadcast(SPECIES, ROUND).blend(ROUND + 23, subnormal);
            IntVector offset = bits.sub(TWO_THIRDS);
            IntVector mantissa = bits.sub(offset.and(0xff800000));
            FloatVector e = offset.lanewise(ASHR, EXPONENT).add(ROUND_BITS).reinterpretAsFloats().sub(bias);
            FloatVector f = mantissa.reinterpretAsFloats().sub(1f);
            FloatVector q = f.fma(broadcast(SPECIES, LOG_10), broadcast(SPECIES, LOG_9));
            q = q.fma(f, broadcast(SPECIES, LOG_8));
            q = q.fma(f, broadcast(SPECIES, LOG_7));
            q = q.fma(f, broadcast(SPECIES, LOG_6));
            q = q.fma(f, broadcast(SPECIES, LOG_5));
            q = q.fma(f, broadcast(SPECIES, LOG_4));
            q = q.fma(f, broadcast(SPECIES, LOG_3));
            q = q.fma(f, broadcast(SPECIES, -0.5f));
            q = q.fma(f.mul(f), f);
            q = e.fma(broadcast(SPECIES, LN2_HIGH), q);
            q = v.blend(q, v.compare(LT, Float.POSITIVE_INFINITY));
            q = q.blend(Float.NaN, v.compare(LT, 0f));
            q.blend(Float.NEGATIVE_INFINITY, v.compare(EQ, 0f)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    static void tanh(long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            IntVector sign = v.reinterpretAsInts().and(0x80000000);
            FloatVector a = v.abs();
            a = a.blend(10f, a.compare(GT, 10f));
            FloatVector t = a.fma(broadcast(SPECIES, 2 * LOG2_E), broadcast(SPECIES, ROUND + 127));
            FloatVector n = t.sub(ROUND + 127);
            FloatVector r = n.fma(broadcast(SPECIES, -LN2_HIGH / 2), a);
            FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
            FloatVector g = s.fma(broadcast(SPECIES, 0.5f), broadcast(SPECIES, -0.5f));
            FloatVector u = r.mul(r);
            FloatVector d = u.fma(broadcast(SPECIES, COTH_2), broadcast(SPECIES, COTH_1));
            d = d.fma(u, broadcast(SPECIES, 1f)).sub(r);
            FloatVector m = g.fma(d, s.mul(r));
            m = m.div(m.add(d));
            m.reinterpretAsInts().or(sign).reinterpretAsFloats().intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    static void sigmoid(long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            v = v.blend(20f, v.compare(GT, 20f));
            v = v.blend(-104f, v.compare(LT, -104f));
            FloatVector t = v.fma(broadcast(SPECIES, -LOG2_E), broadcast(SPECIES, ROUND + 95));
            FloatVector n = t.sub(ROUND + 95);
            FloatVector r = n.fma(broadcast(SPECIES, LN2_HIGH), v);
            r = n.fma(broadcast(SPECIES, -LN2_REST), r);
            FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
            FloatVector p = r.fma(broadcast(SPECIES, EXP_6), broadcast(SPECIES, -EXP_5));
            p = p.fma(r, broadcast(SPECIES, EXP_4));
            p = p.fma(r, broadcast(SPECIES, -EXP_3));
            p = p.fma(r, broadcast(SPECIES, EXP_2));
            p = p.fma(r, broadcast(SPECIES, -1f));
            p = s.fma(p.mul(r), broadcast(SPECIES, 0x1p-32f));
            broadcast(SPECIES, 0x1p-32f).div(p.add(s)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    static void softplus(long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            FloatVector a = v.reinterpretAsInts().or(0x80000000).reinterpretAsFloats();
            a = a.blend(-104f, a.compare(LT, -104f));
            FloatVector t = a.fma(broadcast(SPECIES, LOG2_E), broadcast(SPECIES, ROUND + 254));
            FloatVector n = t.sub(ROUND + 254);
            FloatVector r = n.fma(broadcast(SPECIES, -LN2_HIGH), a);
            r = n.fma(broadcast(SPECIES, LN2_REST), r);
            FloatVector p = r.fma(broadcast(SPECIES, EXP_6), broadcast(SPECIES, EXP_5));
            p = p.fma(r, broadcast(SPECIES, EXP_4));
            p = p.fma(r, broadcast(SPECIES, EXP_3));
            p = p.fma(r, broadcast(SPECIES, EXP_2));
            p = p.fma(r, broadcast(SPECIES, 1f));
            p = p.fma(r, broadcast(SPECIES, 1f));
            IntVector bits = t.reinterpretAsInts();
            IntVector half = bits.lanewise(LSHR, 1);
            p = p.mul(half.lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            p = p.mul(bits.sub(half).lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            VectorMask<Float> large = p.compare(GT, THIRD);
            FloatVector f = p.blend(p.fma(broadcast(SPECIES, 0.5f), broadcast(SPECIES, -0.5f)), large);
            FloatVector q = f.fma(broadcast(SPECIES, LOG_10), broadcast(SPECIES, LOG_9));
            q = q.fma(f, broadcast(SPECIES, LOG_8));
            q = q.fma(f, broadcast(SPECIES, LOG_7));
            q = q.fma(f, broadcast(SPECIES, LOG_6));
            q = q.fma(f, broadcast(SPECIES, LOG_5));
            q = q.fma(f, broadcast(SPECIES, LOG_4));
            q = q.fma(f, broadcast(SPECIES, LOG_3));
            q = q.fma(f, broadcast(SPECIES, -0.5f));
            q = q.fma(f.mul(f), f);
            q = q.blend(q.add(LN2_HIGH), large);
            v.blend(0f, v.compare(LT, 0f)).add(q).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    static void erf(long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            IntVector sign = v.reinterpretAsInts().and(0x80000000);
            FloatVector a = v.abs();
            a = a.blend(4f, a.compare(GT, 4f));
            FloatVector w = a.fma(broadcast(SPECIES, ERF_8), broadcast(SPECIES, ERF_7));
            w = w.fma(a, broadcast(SPECIES, ERF_6));
            w = w.fma(a, broadcast(SPECIES, ERF_5));
            w = w.fma(a, broadcast(SPECIES, ERF_4));
            w = w.fma(a, broadcast(SPECIES, ERF_3));
            w = w.fma(a, broadcast(SPECIES, ERF_2));
            w = w.fma(a, broadcast(SPECIES, ERF_1));
            w = w.fma(a, broadcast(SPECIES, ERF_0_REST));
            w = a.fma(broadcast(SPECIES, ERF_0), w.mul(a));
            FloatVector t = w.fma(broadcast(SPECIES, -LOG2_E), broadcast(SPECIES, ROUND + 127));
            FloatVector n = t.sub(ROUND + 127);
            FloatVector r = n.fma(broadcast(SPECIES, LN2_HIGH), w);
            r = n.fma(broadcast(SPECIES, -LN2_REST), r);
            FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
            FloatVector p = r.fma(broadcast(SPECIES, EXP_6), broadcast(SPECIES, -EXP_5));
            p = p.fma(r, broadcast(SPECIES, EXP_4));
            p = p.fma(r, broadcast(SPECIES, -EXP_3));
            p = p.fma(r, broadcast(SPECIES, EXP_2));
            p = p.fma(r.mul(r), r.neg());
            p = s.neg().fma(p, broadcast(SPECIES, 1f).sub(s));
            p.reinterpretAsInts().or(sign).reinterpretAsFloats().intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    static void gelu(long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            FloatVector a = v.abs();
            a = a.blend(GELU_END, a.compare(GT, GELU_END));
            FloatVector b = a.mul(0.5f);
            FloatVector minusAb = a.mul(b).neg();
            FloatVector t = minusAb.fma(broadcast(SPECIES, LOG2_E), broadcast(SPECIES, ROUND + 254));
            FloatVector n = t.sub(ROUND + 254);
            FloatVector r = n.fma(broadcast(SPECIES, -LN2_HIGH), minusAb);
            r = n.fma(broadcast(SPECIES, LN2_REST), r).sub(a.fma(b, minusAb));
            FloatVector p = r.fma(broadcast(SPECIES, EXP_6), broadcast(SPECIES, EXP_5));
            p = p.fma(r, broadcast(SPECIES, EXP_4));
            p = p.fma(r, broadcast(SPECIES, EXP_3));
            p = p.fma(r, broadcast(SPECIES, EXP_2));
            p = p.fma(r, broadcast(SPECIES, 1f));
            p = p.fma(r, broadcast(SPECIES, 1f));
            FloatVector numerator = a.fma(broadcast(SPECIES, TAIL_P4), broadcast(SPECIES, TAIL_P3));
            numerator = numerator.fma(a, broadcast(SPECIES, TAIL_P2));
            numerator = numerator.fma(a, broadcast(SPECIES, TAIL_P1));
            numerator = numerator.fma(a, broadcast(SPECIES, 0.5f));
            FloatVector q = a.fma(broadcast(SPECIES, TAIL_Q5), broadcast(SPECIES, TAIL_Q4));
            q = q.fma(a, broadcast(SPECIES, TAIL_Q3));
            q = q.fma(a, broadcast(SPECIES, TAIL_Q2));
            q = q.fma(a, broadcast(SPECIES, TAIL_Q1));
            q = q.fma(a, broadcast(SPECIES, 1f));
            p = p.mul(a.mul(numerator)).div(q);
            IntVector bits = t.reinterpretAsInts();
            IntVector half = bits.lanewise(LSHR, 1);
            p = p.mul(half.lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            p = p.mul(bits.sub(half).lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            v.blend(0f, v.compare(LT, 0f)).sub(p).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    static void silu(long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            v = v.blend(-110f, v.compare(LT, -110f));
            VectorMask<Float> far = v.compare(LT, -64f);
            FloatVector scale = broadcast(SPECIES, 1f).blend(0x1p-32f, far);
            FloatVector bias = broadcast(SPECIES, ROUND + 127).blend(ROUND + 95, far);
            FloatVector a = v.blend(20f, v.compare(GT, 20f));
            FloatVector t = a.fma(broadcast(SPECIES, -LOG2_E), bias);
            FloatVector n = t.sub(bias);
            FloatVector r = n.fma(broadcast(SPECIES, LN2_HIGH), a);
            r = n.fma(broadcast(SPECIES, -LN2_REST), r);
            FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
            FloatVector p = r.fma(broadcast(SPECIES, EXP_6), broadcast(SPECIES, -EXP_5));
            p = p.fma(r, broadcast(SPECIES, EXP_4));
            p = p.fma(r, broadcast(SPECIES, -EXP_3));
            p = p.fma(r, broadcast(SPECIES, EXP_2));
            p = p.fma(r, broadcast(SPECIES, -1f));
            p = s.fma(p.mul(r), scale);
            v.mul(scale).div(p.add(s)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }
}
