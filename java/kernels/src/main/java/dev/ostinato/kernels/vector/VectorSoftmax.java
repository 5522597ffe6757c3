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
import static dev.ostinato.kernels.vector.Lanes.VECTOR;
import static dev.ostinato.kernels.vector.Lanes.in;
import static dev.ostinato.kernels.vector.VectorRows.tree;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.zero;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.MAX;
import static jdk.incubator.vector.VectorOperators.XOR;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.raw.Raw;
import dev.ostinato.kernels.scalar.Elementary;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;

/** Softmax, its logarithm and the loss that goes with it, row by row: maximum, exponentials and their sum, result. */
final class VectorSoftmax {
    private static final long BLOCK_BYTES = (long) Matrix.BLOCK * Float.BYTES;
    private static final int EXPONENT = 23;

    private VectorSoftmax() {
    }

    static void softmax(Matrix x, Matrix y) {
        Memory scratch = Lanes.STAGES.take();
        for (int r = 0; r < x.rows(); r++) {
            long row = x.rowAddress(r);
            softmax(row, max(row, bytes(x), scratch.address()), y.rowAddress(r), bytes(x), scratch.address());
        }
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
    }

    static void logSoftmax(Matrix x, Matrix y) {
        Memory scratch = Lanes.STAGES.take();
        for (int r = 0; r < x.rows(); r++) {
            long row = x.rowAddress(r);
            float max = max(row, bytes(x), scratch.address());
            float sum = expSum(row, max, scratch.address() + 2 * BLOCK_BYTES, 0, bytes(x), scratch.address());
            VectorRows.subtract(row, max, Elementary.log(sum), y.rowAddress(r), bytes(x));
        }
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
    }

    static void crossEntropyForward(Matrix x, Indices targets, Matrix losses) {
        Memory scratch = Lanes.STAGES.take();
        for (int r = 0; r < x.rows(); r++) {
            long row = x.rowAddress(r);
            float max = max(row, bytes(x), scratch.address());
            float target = Raw.get(row, Raw.getInt(targets.address(), r)) - max;
            float sum = softmax(row, max, row, bytes(x), scratch.address());
            Raw.set(losses.rowAddress(r), 0, Elementary.log(sum) - target);
        }
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
    }

    /** Writes the softmax of x to y, from its maximum and the staged rest, and returns the sum of the exponentials. */
    private static float softmax(long x, float max, long y, long bytes, long stage) {
        float sum = expSum(x, max, y, -1, bytes, stage);
        long whole = bytes & -BLOCK_BYTES;
        VectorRows.divide(y, sum, whole);
        if (whole < bytes) {
            VectorRows.divide(stage, sum, BLOCK_BYTES);
        }
        for (long j = whole; j < bytes; j += BYTES) {
            Lanes.unpad(stage + j - whole, y + j, Lanes.rest(bytes - j));
        }
        return sum;
    }

    /**
     * Returns the largest element; NaNs do not count. Stages what is left of the row behind its last whole block, filled up with what adds
     * nothing. No order changes the maximum, so there are four independent ones, which hide their latency.
     */
    private static float max(long x, long bytes, long stage) {
        long four = bytes & -4 * BYTES;
        long whole = bytes & -BLOCK_BYTES;
        FloatVector m0 = broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector m1 = m0;
        FloatVector m2 = m0;
        FloatVector m3 = m0;
        for (long j = 0; j < four; j += 4 * BYTES) {
            FloatVector v0 = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            FloatVector v1 = fromMemorySegment(SPECIES, ALL, x + j + BYTES, ORDER);
            FloatVector v2 = fromMemorySegment(SPECIES, ALL, x + j + 2 * BYTES, ORDER);
            FloatVector v3 = fromMemorySegment(SPECIES, ALL, x + j + 3 * BYTES, ORDER);
            m0 = VECTOR.cast(m0).blend(v0, v0.compare(GT, m0));
            m1 = VECTOR.cast(m1).blend(v1, v1.compare(GT, m1));
            m2 = VECTOR.cast(m2).blend(v2, v2.compare(GT, m2));
            m3 = VECTOR.cast(m3).blend(v3, v3.compare(GT, m3));
        }
        for (long j = four; j < whole; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            m1 = VECTOR.cast(m1).blend(v, v.compare(GT, m1));
        }
        for (long j = whole; j < bytes; j += BYTES) {
            VectorMask<Float> rest = Lanes.rest(bytes - j);
            FloatVector v = broadcast(SPECIES, Float.NEGATIVE_INFINITY)
                    .blend(fromMemorySegment(SPECIES, ALL, x + j, ORDER, rest), rest);
            v.intoMemorySegment(ALL, stage + j - whole, ORDER);
            m2 = VECTOR.cast(m2).blend(v, v.compare(GT, m2));
        }
        m0 = VECTOR.cast(m0).blend(m1, VECTOR.cast(m1).compare(GT, m0));
        m2 = VECTOR.cast(m2).blend(m3, VECTOR.cast(m3).compare(GT, m2));
        m0 = VECTOR.cast(m0).blend(m2, m2.compare(GT, m0));
        // As ints that are in the same order as the floats; the compiler takes many times as long for the maximum of floats.
        IntVector bits = m0.reinterpretAsInts();
        int largest = bits.lanewise(ASHR, 31).and(Integer.MAX_VALUE).lanewise(XOR, bits).reduceLanes(MAX);
        return Float.intBitsToFloat(largest ^ (largest >> 31 & Integer.MAX_VALUE));
    }

    /**
     * Returns the sum of {@code exp(x - max)}, with the exponentials of {@link VectorFunctions#exp}. They go to y, or if {@code yMask} is 0
     * all to its first block; those of the staged rest go back there.
     */
    private static float expSum(long x, float max, long y, long yMask, long bytes, long stage) {
        long partials = stage + BLOCK_BYTES;
        long whole = bytes & -BLOCK_BYTES;
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            for (long j = lane; j < bytes; j += BLOCK_BYTES) {
                long from = in(j < whole ? x + j : stage + lane);
                long to = in(j < whole ? y + (j & yMask) : stage + lane);
                FloatVector v = fromMemorySegment(SPECIES, ALL, from, ORDER).sub(max);
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
                sum = p.add(sum);
            }
            VECTOR.cast(sum).intoMemorySegment(ALL, partials + lane, ORDER);
        }
        return tree(partials);
    }

    private static long bytes(Matrix matrix) {
        return (long) matrix.columns() * Float.BYTES;
    }
}
