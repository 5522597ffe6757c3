package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.scalar.Elementary.ERF_0;
import static dev.ostinato.kernels.scalar.Elementary.EXP_2;
import static dev.ostinato.kernels.scalar.Elementary.EXP_3;
import static dev.ostinato.kernels.scalar.Elementary.EXP_4;
import static dev.ostinato.kernels.scalar.Elementary.EXP_5;
import static dev.ostinato.kernels.scalar.Elementary.EXP_6;
import static dev.ostinato.kernels.scalar.Elementary.GELU_END;
import static dev.ostinato.kernels.scalar.Elementary.LN2_HIGH;
import static dev.ostinato.kernels.scalar.Elementary.LN2_REST;
import static dev.ostinato.kernels.scalar.Elementary.LOG2_E;
import static dev.ostinato.kernels.scalar.Elementary.NORMAL_DENSITY;
import static dev.ostinato.kernels.scalar.Elementary.ROUND;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_P1;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_P2;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_P3;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_P4;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q1;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q2;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q3;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q4;
import static dev.ostinato.kernels.scalar.Elementary.TAIL_Q5;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.scalar.ElementaryGradients;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/**
 * Gradients of the functions, {@code dx = dy * f'} from v, which is x or y: the sequences of {@link ElementaryGradients}, as sweeps like
 * those of {@link VectorFunctions}. dx may be v or dy.
 */
final class VectorGradients {
    private static final int EXPONENT = 23;

    private VectorGradients() {
    }

    /** {@code dx = dy * f'}, rows of any length. */
    static void apply(Function f, Matrix v, Matrix dy, Matrix dx) {
        long bytes = (long) v.columns() * Float.BYTES;
        long whole = Lanes.whole(bytes);
        for (int r = 0; r < v.rows(); r++) {
            apply(f, v.rowAddress(r), dy.rowAddress(r), dx.rowAddress(r), whole);
        }
        if (whole < bytes) {
            rests(f, v, dy, dx, whole, Lanes.rest(bytes - whole));
        }
    }

    private static void rests(Function f, Matrix v, Matrix dy, Matrix dx, long whole, VectorMask<Float> rest) {
        Memory stage = Lanes.STAGES.take();
        long staged = stage.address();
        long gradients = staged + Lanes.STAGE_ROWS * BYTES;
        for (int first = 0; first < v.rows(); first += Lanes.STAGE_ROWS) {
            int rows = Math.min(Lanes.STAGE_ROWS, v.rows() - first);
            for (int r = 0; r < rows; r++) {
                Lanes.pad(v.rowAddress(first + r) + whole, rest, staged + r * BYTES);
                Lanes.pad(dy.rowAddress(first + r) + whole, rest, gradients + r * BYTES);
            }
            apply(f, staged, gradients, gradients, rows * BYTES);
            for (int r = 0; r < rows; r++) {
                Lanes.unpad(gradients + r * BYTES, dx.rowAddress(first + r) + whole, rest);
            }
        }
        Reference.reachabilityFence(stage);
        Lanes.STAGES.give(stage);
    }

    private static void apply(Function f, long v, long dy, long dx, long bytes) {
        switch (f) {
            case EXP -> exp(v, dy, dx, bytes);
            case LOG -> log(v, dy, dx, bytes);
            case TANH -> tanh(v, dy, dx, bytes);
            case SIGMOID -> sigmoid(v, dy, dx, bytes);
            case SOFTPLUS -> softplus(v, dy, dx, bytes);
            case ERF -> erf(v, dy, dx, bytes);
            case GELU -> gelu(v, dy, dx, bytes);
            case SILU -> silu(v, dy, dx, bytes);
        }
    }

    private static void exp(long y, long dy, long dx, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, y + j, ORDER);
            FloatVector d = fromMemorySegment(SPECIES, ALL, dy + j, ORDER);
            d.mul(v).intoMemorySegment(ALL, dx + j, ORDER);
        }
    }

    private static void log(long x, long dy, long dx, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            FloatVector d = fromMemorySegment(SPECIES, ALL, dy + j, ORDER);
            d.div(v).intoMemorySegment(ALL, dx + j, ORDER);
        }
    }

    private static void tanh(long y, long dy, long dx, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, y + j, ORDER);
            FloatVector d = fromMemorySegment(SPECIES, ALL, dy + j, ORDER);
            d.mul(v.mul(-1f).fma(v, broadcast(SPECIES, 1f))).intoMemorySegment(ALL, dx + j, ORDER);
        }
    }

    private static void sigmoid(long y, long dy, long dx, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, y + j, ORDER);
            FloatVector d = fromMemorySegment(SPECIES, ALL, dy + j, ORDER);
            d.mul(v.mul(broadcast(SPECIES, 1f).sub(v))).intoMemorySegment(ALL, dx + j, ORDER);
        }
    }

    private static void softplus(long x, long dy, long dx, long bytes) {
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
            p = broadcast(SPECIES, 0x1p-32f).div(p.add(s));
            fromMemorySegment(SPECIES, ALL, dy + j, ORDER).mul(p).intoMemorySegment(ALL, dx + j, ORDER);
        }
    }

    private static void erf(long x, long dy, long dx, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector a = fromMemorySegment(SPECIES, ALL, x + j, ORDER).abs();
            a = a.blend(10.25f, a.compare(GT, 10.25f));
            FloatVector minusAa = a.mul(a).neg();
            FloatVector t = minusAa.fma(broadcast(SPECIES, LOG2_E), broadcast(SPECIES, ROUND + 254));
            FloatVector n = t.sub(ROUND + 254);
            FloatVector r = n.fma(broadcast(SPECIES, -LN2_HIGH), minusAa);
            r = n.fma(broadcast(SPECIES, LN2_REST), r).sub(a.fma(a, minusAa));
            FloatVector p = r.fma(broadcast(SPECIES, EXP_6), broadcast(SPECIES, EXP_5));
            p = p.fma(r, broadcast(SPECIES, EXP_4));
            p = p.fma(r, broadcast(SPECIES, EXP_3));
            p = p.fma(r, broadcast(SPECIES, EXP_2));
            p = p.fma(r, broadcast(SPECIES, 1f));
            p = p.fma(r, broadcast(SPECIES, 1f));
            p = p.mul(ERF_0);
            IntVector bits = t.reinterpretAsInts();
            IntVector half = bits.lanewise(LSHR, 1);
            p = p.mul(half.lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            p = p.mul(bits.sub(half).lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            fromMemorySegment(SPECIES, ALL, dy + j, ORDER).mul(p).intoMemorySegment(ALL, dx + j, ORDER);
        }
    }

    private static void gelu(long x, long dy, long dx, long bytes) {
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
            p = p.mul(a.mul(-NORMAL_DENSITY).fma(q, numerator)).div(q);
            IntVector bits = t.reinterpretAsInts();
            IntVector half = bits.lanewise(LSHR, 1);
            p = p.mul(half.lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            p = p.mul(bits.sub(half).lanewise(LSHL, EXPONENT).reinterpretAsFloats());
            p = broadcast(SPECIES, 1f).sub(p).blend(p, v.compare(LT, 0f));
            fromMemorySegment(SPECIES, ALL, dy + j, ORDER).mul(p).intoMemorySegment(ALL, dx + j, ORDER);
        }
    }

    private static void silu(long x, long dy, long dx, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            FloatVector minusA = v.reinterpretAsInts().or(0x80000000).reinterpretAsFloats();
            minusA = minusA.blend(-110f, minusA.compare(LT, -110f));
            FloatVector t = minusA.fma(broadcast(SPECIES, LOG2_E), broadcast(SPECIES, ROUND + 254));
            FloatVector n = t.sub(ROUND + 254);
            FloatVector r = n.fma(broadcast(SPECIES, -LN2_HIGH), minusA);
            r = n.fma(broadcast(SPECIES, LN2_REST), r);
            FloatVector p = r.fma(broadcast(SPECIES, EXP_6), broadcast(SPECIES, EXP_5));
            p = p.fma(r, broadcast(SPECIES, EXP_4));
            p = p.fma(r, broadcast(SPECIES, EXP_3));
            p = p.fma(r, broadcast(SPECIES, EXP_2));
            p = p.fma(r, broadcast(SPECIES, 1f));
            p = p.fma(r, broadcast(SPECIES, 1f));
            IntVector bits = t.reinterpretAsInts();
            IntVector half = bits.lanewise(LSHR, 1);
            FloatVector first = half.lanewise(LSHL, EXPONENT).reinterpretAsFloats();
            FloatVector second = bits.sub(half).lanewise(LSHL, EXPONENT).reinterpretAsFloats();
            FloatVector u = p.mul(first).mul(second).add(1f);
            p = p.mul(u.add(minusA)).div(u.mul(u)).mul(first).mul(second);
            p = broadcast(SPECIES, 1f).sub(p).blend(p, v.compare(LT, 0f));
            fromMemorySegment(SPECIES, ALL, dy + j, ORDER).mul(p).intoMemorySegment(ALL, dx + j, ORDER);
        }
    }
}
