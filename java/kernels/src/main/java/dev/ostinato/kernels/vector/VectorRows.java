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
import static dev.ostinato.kernels.vector.Lanes.first;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.store;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.zero;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.AdamStep;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.raw.Raw;
import dev.ostinato.kernels.scalar.Elementary;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Elementwise operations and reductions over one row of {@code bytes} bytes, of any length. */
final class VectorRows {
    private static final long BLOCK_BYTES = (long) Matrix.BLOCK * Float.BYTES;
    private static final int EXPONENT = 23;

    private VectorRows() {
    }

    static void scale(long x, float factor, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, x + j, ORDER).mul(factor).intoMemorySegment(ALL, x + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            Raw.set(x + j, 0, Raw.get(x + j) * factor);
        }
    }

    /** {@code x *= y}. */
    static void multiply(long x, long y, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, x + j, ORDER).mul(fromMemorySegment(SPECIES, ALL, y + j, ORDER))
                    .intoMemorySegment(ALL, x + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            Raw.set(x + j, 0, Raw.get(x + j) * Raw.get(y + j));
        }
    }

    /** {@code to += from}. */
    static void add(long from, long to, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, to + j, ORDER).add(fromMemorySegment(SPECIES, ALL, from + j, ORDER))
                    .intoMemorySegment(ALL, to + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            Raw.set(to + j, 0, Raw.get(to + j) + Raw.get(from + j));
        }
    }

    /** {@code y = fma(factor, x, y)}. */
    static void addMultiple(float factor, long x, long y, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, x + j, ORDER)
                    .fma(broadcast(SPECIES, factor), fromMemorySegment(SPECIES, ALL, y + j, ORDER))
                    .intoMemorySegment(ALL, y + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            Raw.set(y + j, 0, Math.fma(Raw.get(x + j), factor, Raw.get(y + j)));
        }
    }

    /** {@code y = (x - shift) - shift2}. */
    private static void subtract(long x, float shift, float shift2, long y, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, x + j, ORDER).sub(shift).sub(shift2)
                    .intoMemorySegment(ALL, y + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            Raw.set(y + j, 0, (Raw.get(x + j) - shift) - shift2);
        }
    }

    private static void divide(long y, float divisor, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, y + j, ORDER).div(divisor).intoMemorySegment(ALL, y + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            Raw.set(y + j, 0, Raw.get(y + j) / divisor);
        }
    }

    // Softmax

    /** Writes the softmax of x to y and returns the sum of its exponentials. */
    static float softmax(long x, float max, long y, long bytes) {
        float sum = expSum(x, max, y, BLOCK_BYTES, bytes);
        divide(y, sum, bytes);
        return sum;
    }

    static void logSoftmax(long x, long y, long bytes) {
        float max = max(x, bytes);
        Memory last = Lanes.STAGES.take();
        float sum = expSum(x, max, last.address(), 0, bytes);
        Reference.reachabilityFence(last);
        Lanes.STAGES.give(last);
        subtract(x, max, Elementary.log(sum), y, bytes);
    }

    /** Returns the largest element; NaNs do not count. No order changes it, so there are four independent maxima, which hide their latency. */
    static float max(long x, long bytes) {
        long four = bytes & -4 * BYTES;
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
        m0 = m0.blend(m1, m1.compare(GT, m0));
        m2 = m2.blend(m3, m3.compare(GT, m2));
        m0 = m0.blend(m2, m2.compare(GT, m0));
        float max = m0.reduceLanes(VectorOperators.MAX);
        for (long j = four; j < bytes; j += Float.BYTES) {
            max = Raw.get(x + j) > max ? Raw.get(x + j) : max;
        }
        return max;
    }

    /** Writes {@code y = exp(x - max)}, a block {@code yStep} bytes behind the one before, and returns the sum. */
    private static float expSum(long x, float max, long y, long yStep, long bytes) {
        Memory scratch = Lanes.STAGES.take();
        long partials = scratch.address();
        Raw.zero(partials, Matrix.BLOCK);
        long whole = bytes & -BLOCK_BYTES;
        expSum(x, max, y, yStep, whole, partials);
        if (whole < bytes) {
            long rest = (bytes - whole) / Float.BYTES;
            long stage = partials + BLOCK_BYTES;
            for (int i = 0; i < Matrix.BLOCK; i++) {
                Raw.set(stage, i, Float.NEGATIVE_INFINITY); // adds 0
            }
            Raw.copy(x + whole, stage, rest);
            expSum(stage, max, stage, 0, BLOCK_BYTES, partials);
            if (yStep != 0) {
                Raw.copy(stage, y + whole, rest);
            }
        }
        float sum = tree(partials);
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
        return sum;
    }

    /** As in {@link VectorFunctions#exp}, of whole blocks. */
    private static void expSum(long x, float max, long y, long yStep, long bytes, long partials) {
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

    // Sums of squares

    static float sumOfSquares(long x, long bytes) {
        Memory scratch = Lanes.STAGES.take();
        long partials = scratch.address();
        long whole = bytes & -BLOCK_BYTES;
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            for (long j = lane; j < whole; j += BLOCK_BYTES) {
                FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
                sum = v.fma(v, sum);
            }
            sum.intoMemorySegment(ALL, partials + lane, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            float v = Raw.get(x + j);
            Raw.set(partials + j - whole, 0, Math.fma(v, v, Raw.get(partials + j - whole)));
        }
        float sum = tree(partials);
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
        return sum;
    }

    /** Overwrites y with {@code (y - target) * factor} and returns the sum of the squared differences. */
    static float squaredError(long y, long target, float factor, long bytes) {
        Memory scratch = Lanes.STAGES.take();
        long partials = scratch.address();
        long whole = bytes & -BLOCK_BYTES;
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            for (long j = lane; j < whole; j += BLOCK_BYTES) {
                FloatVector d = fromMemorySegment(SPECIES, ALL, y + j, ORDER)
                        .sub(fromMemorySegment(SPECIES, ALL, target + j, ORDER));
                d.mul(factor).intoMemorySegment(ALL, y + j, ORDER);
                sum = d.fma(d, sum);
            }
            sum.intoMemorySegment(ALL, partials + lane, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            float d = Raw.get(y + j) - Raw.get(target + j);
            Raw.set(y + j, 0, d * factor);
            Raw.set(partials + j - whole, 0, Math.fma(d, d, Raw.get(partials + j - whole)));
        }
        float sum = tree(partials);
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
        return sum;
    }

    /** The tree over sixteen partials. Written out, it stays in registers. */
    static float tree(long p) {
        float s0 = (Raw.get(p, 0) + Raw.get(p, 8)) + (Raw.get(p, 4) + Raw.get(p, 12));
        float s1 = (Raw.get(p, 1) + Raw.get(p, 9)) + (Raw.get(p, 5) + Raw.get(p, 13));
        float s2 = (Raw.get(p, 2) + Raw.get(p, 10)) + (Raw.get(p, 6) + Raw.get(p, 14));
        float s3 = (Raw.get(p, 3) + Raw.get(p, 11)) + (Raw.get(p, 7) + Raw.get(p, 15));
        return (s0 + s2) + (s1 + s3);
    }

    // Optimisers

    static void adam(long w, long dw, long m, long v, AdamStep s, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            FloatVector d = load(dw + j).mul(s.gradientScale());
            FloatVector first =
                    VectorElementary.flush(load(m + j).fma(broadcast(SPECIES, s.beta1()), d.mul(s.oneMinusBeta1())));
            FloatVector second =
                    VectorElementary
                            .flush(load(v + j).fma(broadcast(SPECIES, s.beta2()), d.mul(s.oneMinusBeta2()).mul(d)));
            FloatVector denominator =
                    second.sqrt().fma(broadcast(SPECIES, s.inverseRootCorrection()), broadcast(SPECIES, s.epsilon()));
            store(first, m + j);
            store(second, v + j);
            store(load(w + j).sub(first.mul(s.stepSize()).div(denominator)), w + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector d = load(dw + j, rest).mul(s.gradientScale());
            FloatVector first =
                    VectorElementary
                            .flush(load(m + j, rest).fma(broadcast(SPECIES, s.beta1()), d.mul(s.oneMinusBeta1())));
            FloatVector second = VectorElementary
                    .flush(load(v + j, rest).fma(broadcast(SPECIES, s.beta2()), d.mul(s.oneMinusBeta2()).mul(d)));
            FloatVector denominator =
                    second.sqrt().fma(broadcast(SPECIES, s.inverseRootCorrection()), broadcast(SPECIES, s.epsilon()));
            store(first, m + j, rest);
            store(second, v + j, rest);
            store(load(w + j, rest).sub(first.mul(s.stepSize()).div(denominator)), w + j, rest);
        }
    }

    static void sgd(long w, long dw, long v, float gradientScale, float learningRate, float momentum, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            FloatVector velocity =
                    VectorElementary
                            .flush(load(v + j).fma(broadcast(SPECIES, momentum), load(dw + j).mul(gradientScale)));
            store(velocity, v + j);
            store(velocity.fma(broadcast(SPECIES, -learningRate), load(w + j)), w + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector velocity = VectorElementary
                    .flush(load(v + j, rest).fma(broadcast(SPECIES, momentum), load(dw + j, rest).mul(gradientScale)));
            store(velocity, v + j, rest);
            store(velocity.fma(broadcast(SPECIES, -learningRate), load(w + j, rest)), w + j, rest);
        }
    }

    static VectorMask<Float> rest(long bytes) {
        return first((int) (bytes / Float.BYTES));
    }
}
