package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static dev.ostinato.kernels.vector.VectorRows.tree;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.zero;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;

/** Layer norm of one row of {@code columns} floats. Sums are of whole blocks in vectors, and of the rest one by one. */
final class VectorLayerNorm {
    private static final long BLOCK_BYTES = (long) Matrix.BLOCK * Float.BYTES;

    private VectorLayerNorm() {
    }

    static void forward(long x, long gain, long bias, float epsilon, long y, long statistics, int columns) {
        long bytes = (long) columns * Float.BYTES;
        Memory partials = Lanes.STAGES.take();
        float first = Raw.get(x);
        float mean = deviations(x, first, 0f, bytes, partials.address()) / columns;
        mean += deviations(x, first, mean, bytes, partials.address()) / columns;
        float variance = squares(x, first, mean, bytes, partials.address()) / columns;
        Reference.reachabilityFence(partials);
        Lanes.STAGES.give(partials);
        float inverse = 1f / (float) Math.sqrt(variance + epsilon);
        normalise(x, first, mean, inverse, gain, bias, y, bytes);
        Raw.set(statistics, 0, mean);
        Raw.set(statistics, 1, inverse);
    }

    private static void normalise(long x, float first, float mean, float inverse, long gain, long bias, long y,
            long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, x + j, ORDER).sub(first).sub(mean).mul(inverse)
                    .fma(fromMemorySegment(SPECIES, ALL, gain + j, ORDER),
                            fromMemorySegment(SPECIES, ALL, bias + j, ORDER))
                    .intoMemorySegment(ALL, y + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            float n = ((Raw.get(x + j) - first) - mean) * inverse;
            Raw.set(y + j, 0, Math.fma(n, Raw.get(gain + j), Raw.get(bias + j)));
        }
    }

    static void backward(long x, long gain, long statistics, long dy, long dx, long dGain, long dBias, int columns) {
        long bytes = (long) columns * Float.BYTES;
        Memory partials = Lanes.STAGES.take();
        float first = Raw.get(x);
        float mean = Raw.get(statistics, 0);
        float inverse = Raw.get(statistics, 1);
        float a = products(dy, gain, bytes, partials.address()) / columns;
        float b = weighted(x, first, mean, inverse, dy, gain, bytes, partials.address()) / columns;
        Reference.reachabilityFence(partials);
        Lanes.STAGES.give(partials);
        gradients(x, first, mean, inverse, gain, dy, a, b, dx, dGain, dBias, bytes);
    }

    private static void gradients(long x, float first, float mean, float inverse, long gain, long dy, float a, float b,
            long dx, long dGain, long dBias, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            FloatVector n = fromMemorySegment(SPECIES, ALL, x + j, ORDER).sub(first).sub(mean).mul(inverse);
            FloatVector d = fromMemorySegment(SPECIES, ALL, dy + j, ORDER);
            FloatVector scaled = d.mul(fromMemorySegment(SPECIES, ALL, gain + j, ORDER)).sub(a);
            d.fma(n, fromMemorySegment(SPECIES, ALL, dGain + j, ORDER)).intoMemorySegment(ALL, dGain + j, ORDER);
            fromMemorySegment(SPECIES, ALL, dBias + j, ORDER).add(d).intoMemorySegment(ALL, dBias + j, ORDER);
            n.mul(-1f).fma(broadcast(SPECIES, b), scaled).mul(inverse)
                    .intoMemorySegment(ALL, dx + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            float n = ((Raw.get(x + j) - first) - mean) * inverse;
            float d = Raw.get(dy + j);
            float scaled = d * Raw.get(gain + j) - a;
            Raw.set(dGain + j, 0, Math.fma(d, n, Raw.get(dGain + j)));
            Raw.set(dBias + j, 0, Raw.get(dBias + j) + d);
            Raw.set(dx + j, 0, Math.fma(-n, b, scaled) * inverse);
        }
    }

    /** Returns the sum of {@code (x - first) - mean}. */
    private static float deviations(long x, float first, float mean, long bytes, long partials) {
        long whole = bytes & -BLOCK_BYTES;
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            for (long j = lane; j < whole; j += BLOCK_BYTES) {
                sum = sum.add(fromMemorySegment(SPECIES, ALL, x + j, ORDER).sub(first).sub(mean));
            }
            sum.intoMemorySegment(ALL, partials + lane, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            long p = partials + j - whole;
            Raw.set(p, 0, Raw.get(p) + ((Raw.get(x + j) - first) - mean));
        }
        return tree(partials);
    }

    /** Returns the sum of the squares of {@code (x - first) - mean}. */
    private static float squares(long x, float first, float mean, long bytes, long partials) {
        long whole = bytes & -BLOCK_BYTES;
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            for (long j = lane; j < whole; j += BLOCK_BYTES) {
                FloatVector d = fromMemorySegment(SPECIES, ALL, x + j, ORDER).sub(first).sub(mean);
                sum = d.fma(d, sum);
            }
            sum.intoMemorySegment(ALL, partials + lane, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            long p = partials + j - whole;
            float d = (Raw.get(x + j) - first) - mean;
            Raw.set(p, 0, Math.fma(d, d, Raw.get(p)));
        }
        return tree(partials);
    }

    /** Returns the sum of {@code dy * gain}. */
    private static float products(long dy, long gain, long bytes, long partials) {
        long whole = bytes & -BLOCK_BYTES;
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            for (long j = lane; j < whole; j += BLOCK_BYTES) {
                sum = sum.add(fromMemorySegment(SPECIES, ALL, dy + j, ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, gain + j, ORDER)));
            }
            sum.intoMemorySegment(ALL, partials + lane, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            long p = partials + j - whole;
            Raw.set(p, 0, Raw.get(p) + Raw.get(dy + j) * Raw.get(gain + j));
        }
        return tree(partials);
    }

    /** Returns the sum of {@code (dy * gain) * n}, where n is the normalised x. */
    private static float weighted(long x, float first, float mean, float inverse, long dy, long gain, long bytes,
            long partials) {
        long whole = bytes & -BLOCK_BYTES;
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            for (long j = lane; j < whole; j += BLOCK_BYTES) {
                FloatVector n = fromMemorySegment(SPECIES, ALL, x + j, ORDER).sub(first).sub(mean).mul(inverse);
                sum = fromMemorySegment(SPECIES, ALL, dy + j, ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, gain + j, ORDER)).fma(n, sum);
            }
            sum.intoMemorySegment(ALL, partials + lane, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            long p = partials + j - whole;
            float n = ((Raw.get(x + j) - first) - mean) * inverse;
            Raw.set(p, 0, Math.fma(Raw.get(dy + j) * Raw.get(gain + j), n, Raw.get(p)));
        }
        return tree(partials);
    }
}
