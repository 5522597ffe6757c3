package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.COUNT;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static dev.ostinato.kernels.vector.Lanes.broadcast;
import static dev.ostinato.kernels.vector.Lanes.first;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.store;

import dev.ostinato.kernels.AdamStep;
import dev.ostinato.kernels.Matrix;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Elementwise operations and reductions over one row of {@code bytes} bytes, of any length. */
final class VectorRows {
    /** Vectors in a block of sixteen floats. */
    static final int BLOCK_VECTORS = Matrix.BLOCK / COUNT;

    private VectorRows() {
    }

    static void scale(long x, float factor, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(load(x + j).mul(factor), x + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(load(x + j, rest).mul(factor), x + j, rest);
        }
    }

    static void multiply(long x, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(load(x + j).mul(load(y + j)), x + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(load(x + j, rest).mul(load(y + j, rest)), x + j, rest);
        }
    }

    /** {@code to += from}. */
    static void add(long from, long to, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            FloatVector.fromMemorySegment(SPECIES, ALL, to + j, ORDER)
                    .add(FloatVector.fromMemorySegment(SPECIES, ALL, from + j, ORDER))
                    .intoMemorySegment(ALL, to + j, ORDER);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector.fromMemorySegment(SPECIES, ALL, to + j, ORDER, rest)
                    .add(FloatVector.fromMemorySegment(SPECIES, ALL, from + j, ORDER, rest))
                    .intoMemorySegment(ALL, to + j, ORDER, rest);
        }
    }

    /** {@code y = (x - shift) - shift2}. */
    static void subtract(long x, float shift, float shift2, long y, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(load(x + j).sub(shift).sub(shift2), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(load(x + j, rest).sub(shift).sub(shift2), y + j, rest);
        }
    }

    static void divide(long y, float divisor, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(load(y + j).div(divisor), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(load(y + j, rest).div(divisor), y + j, rest);
        }
    }

    // Reductions. The sixteen partials are BLOCK_VECTORS vectors; each loop runs over every BLOCK_VECTORS-th vector, once for each
    // of them, so that the same code serves every width.

    /** Returns the largest element; NaNs do not count. */
    static float max(long x, long bytes) {
        FloatVector p0 = maxEach(x, 0, bytes);
        FloatVector p1 = BLOCK_VECTORS > 1 ? maxEach(x, 1, bytes) : p0;
        if (BLOCK_VECTORS == 4) {
            p0 = larger(maxEach(x, 2, bytes), p0);
            p1 = larger(maxEach(x, 3, bytes), p1);
        }
        FloatVector p = BLOCK_VECTORS > 1 ? larger(p1, p0) : p0;
        for (int half = COUNT / 2; half > 0; half /= 2) {
            p = larger(upper(p, half), p);
        }
        return p.lane(0);
    }

    private static FloatVector maxEach(long x, int vector, long bytes) {
        FloatVector p = broadcast(Float.NEGATIVE_INFINITY);
        long j = (long) vector * BYTES;
        for (; j + BYTES <= bytes; j += (long) BLOCK_VECTORS * BYTES) {
            p = larger(load(x + j), p);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector v = load(x + j, rest);
            p = p.blend(v, v.compare(VectorOperators.GT, p).and(rest));
        }
        return p;
    }

    private static FloatVector larger(FloatVector a, FloatVector b) {
        return b.blend(a, a.compare(VectorOperators.GT, b));
    }

    /** Writes {@code y = exp(x - max)} and returns the sum. */
    static float expSum(long x, float max, long y, long bytes) {
        FloatVector p0 = expSumEach(x, max, y, 0, bytes);
        FloatVector p1 = BLOCK_VECTORS > 1 ? expSumEach(x, max, y, 1, bytes) : p0;
        if (BLOCK_VECTORS == 4) {
            p0 = p0.add(expSumEach(x, max, y, 2, bytes));
            p1 = p1.add(expSumEach(x, max, y, 3, bytes));
        }
        return tree(p0, p1);
    }

    private static FloatVector expSumEach(long x, float max, long y, int vector, long bytes) {
        FloatVector p = broadcast(0f);
        long j = (long) vector * BYTES;
        for (; j + BYTES <= bytes; j += (long) BLOCK_VECTORS * BYTES) {
            FloatVector e = VectorElementary.exp(load(x + j).sub(max));
            store(e, y + j);
            p = p.add(e);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector e = VectorElementary.exp(load(x + j, rest).sub(max));
            store(e, y + j, rest);
            p = p.add(e, rest);
        }
        return p;
    }

    /** Returns the sum of {@code exp(x - max)}. */
    static float expSum(long x, float max, long bytes) {
        FloatVector p0 = expSumEach(x, max, 0, bytes);
        FloatVector p1 = BLOCK_VECTORS > 1 ? expSumEach(x, max, 1, bytes) : p0;
        if (BLOCK_VECTORS == 4) {
            p0 = p0.add(expSumEach(x, max, 2, bytes));
            p1 = p1.add(expSumEach(x, max, 3, bytes));
        }
        return tree(p0, p1);
    }

    private static FloatVector expSumEach(long x, float max, int vector, long bytes) {
        FloatVector p = broadcast(0f);
        long j = (long) vector * BYTES;
        for (; j + BYTES <= bytes; j += (long) BLOCK_VECTORS * BYTES) {
            p = p.add(VectorElementary.exp(load(x + j).sub(max)));
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            p = p.add(VectorElementary.exp(load(x + j, rest).sub(max)), rest);
        }
        return p;
    }

    static float sumOfSquares(long x, long bytes) {
        FloatVector p0 = squaresEach(x, 0, bytes);
        FloatVector p1 = BLOCK_VECTORS > 1 ? squaresEach(x, 1, bytes) : p0;
        if (BLOCK_VECTORS == 4) {
            p0 = p0.add(squaresEach(x, 2, bytes));
            p1 = p1.add(squaresEach(x, 3, bytes));
        }
        return tree(p0, p1);
    }

    private static FloatVector squaresEach(long x, int vector, long bytes) {
        FloatVector p = broadcast(0f);
        long j = (long) vector * BYTES;
        for (; j + BYTES <= bytes; j += (long) BLOCK_VECTORS * BYTES) {
            FloatVector v = load(x + j);
            p = v.fma(v, p);
        }
        if (j < bytes) {
            FloatVector v = load(x + j, rest(bytes - j)); // 0 beyond the end adds nothing
            p = v.fma(v, p);
        }
        return p;
    }

    /** Overwrites y with {@code (y - target) * factor} and returns the sum of the squared differences. */
    static float squaredError(long y, long target, float factor, long bytes) {
        FloatVector p0 = squaredErrorEach(y, target, factor, 0, bytes);
        FloatVector p1 = BLOCK_VECTORS > 1 ? squaredErrorEach(y, target, factor, 1, bytes) : p0;
        if (BLOCK_VECTORS == 4) {
            p0 = p0.add(squaredErrorEach(y, target, factor, 2, bytes));
            p1 = p1.add(squaredErrorEach(y, target, factor, 3, bytes));
        }
        return tree(p0, p1);
    }

    private static FloatVector squaredErrorEach(long y, long target, float factor, int vector, long bytes) {
        FloatVector p = broadcast(0f);
        long j = (long) vector * BYTES;
        for (; j + BYTES <= bytes; j += (long) BLOCK_VECTORS * BYTES) {
            FloatVector d = load(y + j).sub(load(target + j));
            store(d.mul(factor), y + j);
            p = d.fma(d, p);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector d = load(y + j, rest).sub(load(target + j, rest));
            store(d.mul(factor), y + j, rest);
            p = d.fma(d, p);
        }
        return p;
    }

    /** The tree over sixteen partials: the even and the odd vectors have been added, then these two, then halves of one. */
    static float tree(FloatVector p0, FloatVector p1) {
        FloatVector p = BLOCK_VECTORS > 1 ? p0.add(p1) : p0;
        for (int half = COUNT / 2; half > 0; half /= 2) {
            p = p.add(upper(p, half));
        }
        return p.lane(0);
    }

    /** Moves the lanes from {@code half} on to the front. */
    private static FloatVector upper(FloatVector p, int half) {
        return p.slice(half);
    }

    // Optimisers

    static void adam(long w, long dw, long m, long v, AdamStep s, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            FloatVector d = load(dw + j).mul(s.gradientScale());
            FloatVector first = VectorElementary.flush(load(m + j).fma(broadcast(s.beta1()), d.mul(s.oneMinusBeta1())));
            FloatVector second =
                    VectorElementary.flush(load(v + j).fma(broadcast(s.beta2()), d.mul(s.oneMinusBeta2()).mul(d)));
            FloatVector denominator = second.sqrt().fma(broadcast(s.inverseRootCorrection()), broadcast(s.epsilon()));
            store(first, m + j);
            store(second, v + j);
            store(load(w + j).sub(first.mul(s.stepSize()).div(denominator)), w + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector d = load(dw + j, rest).mul(s.gradientScale());
            FloatVector first =
                    VectorElementary.flush(load(m + j, rest).fma(broadcast(s.beta1()), d.mul(s.oneMinusBeta1())));
            FloatVector second = VectorElementary
                    .flush(load(v + j, rest).fma(broadcast(s.beta2()), d.mul(s.oneMinusBeta2()).mul(d)));
            FloatVector denominator = second.sqrt().fma(broadcast(s.inverseRootCorrection()), broadcast(s.epsilon()));
            store(first, m + j, rest);
            store(second, v + j, rest);
            store(load(w + j, rest).sub(first.mul(s.stepSize()).div(denominator)), w + j, rest);
        }
    }

    static void sgd(long w, long dw, long v, float gradientScale, float learningRate, float momentum, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            FloatVector velocity =
                    VectorElementary.flush(load(v + j).fma(broadcast(momentum), load(dw + j).mul(gradientScale)));
            store(velocity, v + j);
            store(velocity.fma(broadcast(-learningRate), load(w + j)), w + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector velocity = VectorElementary
                    .flush(load(v + j, rest).fma(broadcast(momentum), load(dw + j, rest).mul(gradientScale)));
            store(velocity, v + j, rest);
            store(velocity.fma(broadcast(-learningRate), load(w + j, rest)), w + j, rest);
        }
    }

    static VectorMask<Float> rest(long bytes) {
        return first((int) (bytes / Float.BYTES));
    }
}
