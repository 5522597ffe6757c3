package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.scalar.Elementary.EXP_2;
import static dev.ostinato.kernels.scalar.Elementary.EXP_3;
import static dev.ostinato.kernels.scalar.Elementary.EXP_4;
import static dev.ostinato.kernels.scalar.Elementary.EXP_5;
import static dev.ostinato.kernels.scalar.Elementary.EXP_6;
import static dev.ostinato.kernels.scalar.Elementary.LN2_HIGH;
import static dev.ostinato.kernels.scalar.Elementary.LN2_REST;
import static dev.ostinato.kernels.scalar.Elementary.LOG2_E;
import static dev.ostinato.kernels.scalar.Elementary.ROUND;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static dev.ostinato.kernels.vector.VectorRows.tree;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.zero;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.raw.Raw;
import dev.ostinato.kernels.scalar.Elementary;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Softmax, its logarithm and the loss that goes with it, row by row: maximum, exponentials and their sum, result. */
final class VectorSoftmax {
    private static final long BLOCK_BYTES = (long) Matrix.BLOCK * Float.BYTES;
    private static final int EXPONENT = 23;

    private VectorSoftmax() {
    }

    static void softmax(Matrix x, Matrix y) {
        long bytes = bytes(x);
        Memory scratch = Lanes.STAGES.take();
        for (int r = 0; r < x.rows(); r++) {
            long row = x.rowAddress(r);
            softmax(row, max(row, bytes), y.rowAddress(r), bytes, scratch.address());
        }
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
    }

    static void logSoftmax(Matrix x, Matrix y) {
        long bytes = bytes(x);
        Memory scratch = Lanes.STAGES.take();
        for (int r = 0; r < x.rows(); r++) {
            long row = x.rowAddress(r);
            float max = max(row, bytes);
            float sum = expSum(row, max, scratch.address() + 2 * BLOCK_BYTES, 0, bytes, scratch.address());
            VectorRows.subtract(row, max, Elementary.log(sum), y.rowAddress(r), bytes);
        }
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
    }

    static void crossEntropyForward(Matrix x, Indices targets, Matrix losses) {
        long bytes = bytes(x);
        Memory scratch = Lanes.STAGES.take();
        for (int r = 0; r < x.rows(); r++) {
            long row = x.rowAddress(r);
            float max = max(row, bytes);
            float target = Raw.get(row, Raw.getInt(targets.address(), r)) - max;
            float sum = softmax(row, max, row, bytes, scratch.address());
            Raw.set(losses.rowAddress(r), 0, Elementary.log(sum) - target);
        }
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
    }

    /** Writes the softmax of x to y and returns the sum of the exponentials. */
    private static float softmax(long x, float max, long y, long bytes, long scratch) {
        float sum = expSum(x, max, y, BLOCK_BYTES, bytes, scratch);
        VectorRows.divide(y, sum, bytes);
        return sum;
    }

    /** Returns the largest element; NaNs do not count. No order changes it, so there are four independent maxima, which hide their latency. */
    private static float max(long x, long bytes) {
        long four = bytes & -4 * BYTES;
        long whole = Lanes.whole(bytes);
        FloatVector m0 = broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector m1 = m0;
        FloatVector m2 = m0;
        FloatVector m3 = m0;
        for (long j = 0; j < four; j += 4 * BYTES) {
            FloatVector v0 = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            FloatVector v1 = fromMemorySegment(SPECIES, ALL, x + j + BYTES, ORDER);
            FloatVector v2 = fromMemorySegment(SPECIES, ALL, x + j + 2 * BYTES, ORDER);
            FloatVector v3 = fromMemorySegment(SPECIES, ALL, x + j + 3 * BYTES, ORDER);
            m0 = m0.blend(v0, v0.compare(GT, m0));
            m1 = m1.blend(v1, v1.compare(GT, m1));
            m2 = m2.blend(v2, v2.compare(GT, m2));
            m3 = m3.blend(v3, v3.compare(GT, m3));
        }
        for (long j = four; j < whole; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            m1 = m1.blend(v, v.compare(GT, m1));
        }
        if (whole < bytes) {
            VectorMask<Float> rest = Lanes.rest(bytes - whole);
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + whole, ORDER, rest);
            m2 = m2.blend(v, v.compare(GT, m2).and(rest));
        }
        m0 = m0.blend(m1, m1.compare(GT, m0));
        m2 = m2.blend(m3, m3.compare(GT, m2));
        m0 = m0.blend(m2, m2.compare(GT, m0));
        return m0.reduceLanes(VectorOperators.MAX);
    }

    /** Writes {@code y = exp(x - max)}, a block {@code yStep} bytes behind the one before, and returns the sum. */
    private static float expSum(long x, float max, long y, long yStep, long bytes, long scratch) {
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            zero(SPECIES).intoMemorySegment(ALL, scratch + lane, ORDER);
        }
        long whole = bytes & -BLOCK_BYTES;
        expSumSweep(x, max, y, yStep, whole, scratch);
        if (whole < bytes) {
            expSumRest(x + whole, max, y + whole, yStep, bytes - whole, scratch);
        }
        return tree(scratch);
    }

    /** Less than a block, filled up with what adds 0. */
    private static void expSumRest(long x, float max, long y, long yStep, long bytes, long scratch) {
        long stage = scratch + BLOCK_BYTES;
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            VectorMask<Float> rest = Lanes.rest(bytes - lane);
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + lane, ORDER, rest);
            broadcast(SPECIES, Float.NEGATIVE_INFINITY).blend(v, rest).intoMemorySegment(ALL, stage + lane, ORDER);
        }
        expSumSweep(stage, max, stage, 0, BLOCK_BYTES, scratch);
        for (long lane = 0; lane < BLOCK_BYTES && yStep != 0; lane += BYTES) {
            Lanes.unpad(stage + lane, y + lane, Lanes.rest(bytes - lane));
        }
    }

    /** As in {@link VectorFunctions#exp}, of whole blocks less max; a block of y is {@code yStep} bytes behind the one before. Adds to the partial sums. */
    private static void expSumSweep(long x, float max, long y, long yStep, long bytes, long partials) {
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = fromMemorySegment(SPECIES, ALL, partials + lane, ORDER);
            long to = y + lane;
            for (long j = lane; j < bytes; j += BLOCK_BYTES) {
                FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER).sub(max);
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
                p.intoMemorySegment(ALL, to, ORDER);
                sum = sum.add(p);
                to += yStep;
            }
            sum.intoMemorySegment(ALL, partials + lane, ORDER);
        }
    }

    private static long bytes(Matrix matrix) {
        return (long) matrix.columns() * Float.BYTES;
    }
}
