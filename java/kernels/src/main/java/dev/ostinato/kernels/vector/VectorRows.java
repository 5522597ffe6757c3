package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static dev.ostinato.kernels.vector.Lanes.VECTOR;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.zero;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.AdamStep;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Elementwise operations and reductions over one row of {@code bytes} bytes, of any length. */
final class VectorRows {
    private static final long BLOCK_BYTES = (long) Matrix.BLOCK * Float.BYTES;

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
    static void subtract(long x, float shift, float shift2, long y, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, x + j, ORDER).sub(shift).sub(shift2)
                    .intoMemorySegment(ALL, y + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            Raw.set(y + j, 0, (Raw.get(x + j) - shift) - shift2);
        }
    }

    static void divide(long y, float divisor, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, y + j, ORDER).div(divisor).intoMemorySegment(ALL, y + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            Raw.set(y + j, 0, Raw.get(y + j) / divisor);
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
            VECTOR.cast(sum).intoMemorySegment(ALL, partials + lane, ORDER);
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
            VECTOR.cast(sum).intoMemorySegment(ALL, partials + lane, ORDER);
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
    static float tree(long partials) {
        long p = Lanes.in(partials);
        float s0 = (Raw.get(p, 0) + Raw.get(p, 8)) + (Raw.get(p, 4) + Raw.get(p, 12));
        float s1 = (Raw.get(p, 1) + Raw.get(p, 9)) + (Raw.get(p, 5) + Raw.get(p, 13));
        float s2 = (Raw.get(p, 2) + Raw.get(p, 10)) + (Raw.get(p, 6) + Raw.get(p, 14));
        float s3 = (Raw.get(p, 3) + Raw.get(p, 11)) + (Raw.get(p, 7) + Raw.get(p, 15));
        return (s0 + s2) + (s1 + s3);
    }

    // Optimisers

    static void adam(long w, long dw, long m, long v, AdamStep s, long bytes) {
        long whole = Lanes.whole(bytes);
        adamSweep(w, dw, m, v, s, whole);
        if (whole < bytes) {
            VectorMask<Float> rest = Lanes.rest(bytes - whole);
            Memory stage = Lanes.STAGES.take();
            long staged = stage.address();
            Lanes.pad(w + whole, rest, staged);
            Lanes.pad(dw + whole, rest, staged + BYTES);
            Lanes.pad(m + whole, rest, staged + 2 * BYTES);
            Lanes.pad(v + whole, rest, staged + 3 * BYTES);
            adamSweep(staged, staged + BYTES, staged + 2 * BYTES, staged + 3 * BYTES, s, BYTES);
            Lanes.unpad(staged, w + whole, rest);
            Lanes.unpad(staged + 2 * BYTES, m + whole, rest);
            Lanes.unpad(staged + 3 * BYTES, v + whole, rest);
            Reference.reachabilityFence(stage);
            Lanes.STAGES.give(stage);
        }
    }

    private static void adamSweep(long w, long dw, long m, long v, AdamStep s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector d = fromMemorySegment(SPECIES, ALL, dw + j, ORDER).mul(s.gradientScale());
            FloatVector first = fromMemorySegment(SPECIES, ALL, m + j, ORDER)
                    .fma(broadcast(SPECIES, s.beta1()), d.mul(s.oneMinusBeta1()));
            first = first.blend(0f, first.abs().compare(LT, Float.MIN_NORMAL));
            FloatVector second = fromMemorySegment(SPECIES, ALL, v + j, ORDER)
                    .fma(broadcast(SPECIES, s.beta2()), d.mul(s.oneMinusBeta2()).mul(d));
            second = second.blend(0f, second.abs().compare(LT, Float.MIN_NORMAL));
            FloatVector denominator = second.sqrt()
                    .fma(broadcast(SPECIES, s.inverseRootCorrection()), broadcast(SPECIES, s.epsilon()));
            first.intoMemorySegment(ALL, m + j, ORDER);
            second.intoMemorySegment(ALL, v + j, ORDER);
            fromMemorySegment(SPECIES, ALL, w + j, ORDER).sub(first.mul(s.stepSize()).div(denominator))
                    .intoMemorySegment(ALL, w + j, ORDER);
        }
    }

    static void sgd(long w, long dw, long v, float gradientScale, float learningRate, float momentum, long bytes) {
        long whole = Lanes.whole(bytes);
        sgdSweep(w, dw, v, gradientScale, learningRate, momentum, whole);
        if (whole < bytes) {
            VectorMask<Float> rest = Lanes.rest(bytes - whole);
            Memory stage = Lanes.STAGES.take();
            long staged = stage.address();
            Lanes.pad(w + whole, rest, staged);
            Lanes.pad(dw + whole, rest, staged + BYTES);
            Lanes.pad(v + whole, rest, staged + 2 * BYTES);
            sgdSweep(staged, staged + BYTES, staged + 2 * BYTES, gradientScale, learningRate, momentum, BYTES);
            Lanes.unpad(staged, w + whole, rest);
            Lanes.unpad(staged + 2 * BYTES, v + whole, rest);
            Reference.reachabilityFence(stage);
            Lanes.STAGES.give(stage);
        }
    }

    private static void sgdSweep(long w, long dw, long v, float gradientScale, float learningRate, float momentum,
            long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector velocity = fromMemorySegment(SPECIES, ALL, v + j, ORDER).fma(broadcast(SPECIES, momentum),
                    fromMemorySegment(SPECIES, ALL, dw + j, ORDER).mul(gradientScale));
            velocity = velocity.blend(0f, velocity.abs().compare(LT, Float.MIN_NORMAL));
            velocity.intoMemorySegment(ALL, v + j, ORDER);
            velocity.fma(broadcast(SPECIES, -learningRate), fromMemorySegment(SPECIES, ALL, w + j, ORDER))
                    .intoMemorySegment(ALL, w + j, ORDER);
        }
    }
}
