package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static dev.ostinato.kernels.vector.Lanes.VECTOR;
import static dev.ostinato.kernels.vector.Lanes.in;
import static dev.ostinato.kernels.vector.VectorRows.tree;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.zero;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;

/**
 * Layer norm of one row of {@code columns} floats. Sums are of whole blocks in vectors, and of the rest one by one.
 *
 * <p>The loops take several vectors at a time so that, as in {@link Tiles}, none of the methods with loops is small enough to be inlined behind
 * another, where the compiler would run out of nodes and leave objects for vectors.
 */
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
        FloatVector origin = broadcast(SPECIES, first);
        FloatVector center = broadcast(SPECIES, mean);
        FloatVector scale = broadcast(SPECIES, inverse);
        long j = 0;
        for (; j < (bytes & -2 * BYTES); j += 2 * BYTES) {
            fromMemorySegment(SPECIES, ALL, in(x + j), ORDER).sub(origin).sub(center).mul(scale)
                    .fma(fromMemorySegment(SPECIES, ALL, in(gain + j), ORDER),
                            fromMemorySegment(SPECIES, ALL, in(bias + j), ORDER))
                    .intoMemorySegment(ALL, in(y + j), ORDER);
            fromMemorySegment(SPECIES, ALL, in(x + j + BYTES), ORDER).sub(origin).sub(center).mul(scale)
                    .fma(fromMemorySegment(SPECIES, ALL, in(gain + j + BYTES), ORDER),
                            fromMemorySegment(SPECIES, ALL, in(bias + j + BYTES), ORDER))
                    .intoMemorySegment(ALL, in(y + j + BYTES), ORDER);
        }
        for (; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, in(x + j), ORDER).sub(origin).sub(center).mul(scale)
                    .fma(fromMemorySegment(SPECIES, ALL, in(gain + j), ORDER),
                            fromMemorySegment(SPECIES, ALL, in(bias + j), ORDER))
                    .intoMemorySegment(ALL, in(y + j), ORDER);
        }
        for (; j < bytes; j += Float.BYTES) {
            float n = ((Raw.get(in(x + j)) - first) - mean) * inverse;
            Raw.set(in(y + j), 0, Math.fma(n, Raw.get(in(gain + j)), Raw.get(in(bias + j))));
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
            FloatVector n = fromMemorySegment(SPECIES, ALL, in(x + j), ORDER).sub(first).sub(mean).mul(inverse);
            FloatVector d = fromMemorySegment(SPECIES, ALL, in(dy + j), ORDER);
            FloatVector scaled = d.mul(fromMemorySegment(SPECIES, ALL, in(gain + j), ORDER)).sub(a);
            d.fma(n, fromMemorySegment(SPECIES, ALL, in(dGain + j), ORDER)).intoMemorySegment(ALL, in(dGain + j),
                    ORDER);
            fromMemorySegment(SPECIES, ALL, in(dBias + j), ORDER).add(d).intoMemorySegment(ALL, in(dBias + j), ORDER);
            n.mul(-1f).fma(broadcast(SPECIES, b), scaled).mul(inverse)
                    .intoMemorySegment(ALL, in(dx + j), ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            float n = ((Raw.get(in(x + j)) - first) - mean) * inverse;
            float d = Raw.get(in(dy + j));
            float scaled = d * Raw.get(in(gain + j)) - a;
            Raw.set(in(dGain + j), 0, Math.fma(d, n, Raw.get(in(dGain + j))));
            Raw.set(in(dBias + j), 0, Raw.get(in(dBias + j)) + d);
            Raw.set(in(dx + j), 0, Math.fma(-n, b, scaled) * inverse);
        }
    }

    /** Returns the sum of {@code (x - first) - mean}. */
    private static float deviations(long x, float first, float mean, long bytes, long partials) {
        long whole = bytes & -BLOCK_BYTES;
        FloatVector origin = broadcast(SPECIES, first);
        FloatVector center = broadcast(SPECIES, mean);
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            long j = lane;
            for (long unrolled = lane + (bytes & -4 * BLOCK_BYTES); j < unrolled; j += 4 * BLOCK_BYTES) {
                sum = fromMemorySegment(SPECIES, ALL, in(x + j), ORDER).sub(origin).sub(center).add(sum);
                sum = fromMemorySegment(SPECIES, ALL, in(x + j + BLOCK_BYTES), ORDER).sub(origin).sub(center).add(sum);
                sum = fromMemorySegment(SPECIES, ALL, in(x + j + 2 * BLOCK_BYTES), ORDER).sub(origin).sub(center)
                        .add(sum);
                sum = fromMemorySegment(SPECIES, ALL, in(x + j + 3 * BLOCK_BYTES), ORDER).sub(origin).sub(center)
                        .add(sum);
            }
            for (; j < whole; j += BLOCK_BYTES) {
                sum = fromMemorySegment(SPECIES, ALL, in(x + j), ORDER).sub(origin).sub(center).add(sum);
            }
            VECTOR.cast(sum).intoMemorySegment(ALL, in(partials + lane), ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            long p = in(partials + j - whole);
            Raw.set(p, 0, Raw.get(p) + ((Raw.get(in(x + j)) - first) - mean));
        }
        return tree(partials);
    }

    /** Returns the sum of the squares of {@code (x - first) - mean}. */
    private static float squares(long x, float first, float mean, long bytes, long partials) {
        long whole = bytes & -BLOCK_BYTES;
        FloatVector origin = broadcast(SPECIES, first);
        FloatVector center = broadcast(SPECIES, mean);
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            long j = lane;
            for (long unrolled = lane + (bytes & -4 * BLOCK_BYTES); j < unrolled; j += 4 * BLOCK_BYTES) {
                FloatVector d0 = fromMemorySegment(SPECIES, ALL, in(x + j), ORDER).sub(origin).sub(center);
                sum = d0.fma(d0, sum);
                FloatVector d1 =
                        fromMemorySegment(SPECIES, ALL, in(x + j + BLOCK_BYTES), ORDER).sub(origin).sub(center);
                sum = d1.fma(d1, sum);
                FloatVector d2 =
                        fromMemorySegment(SPECIES, ALL, in(x + j + 2 * BLOCK_BYTES), ORDER).sub(origin).sub(center);
                sum = d2.fma(d2, sum);
                FloatVector d3 =
                        fromMemorySegment(SPECIES, ALL, in(x + j + 3 * BLOCK_BYTES), ORDER).sub(origin).sub(center);
                sum = d3.fma(d3, sum);
            }
            for (; j < whole; j += BLOCK_BYTES) {
                FloatVector d0 = fromMemorySegment(SPECIES, ALL, in(x + j), ORDER).sub(origin).sub(center);
                sum = d0.fma(d0, sum);
            }
            VECTOR.cast(sum).intoMemorySegment(ALL, in(partials + lane), ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            long p = in(partials + j - whole);
            float d = (Raw.get(in(x + j)) - first) - mean;
            Raw.set(p, 0, Math.fma(d, d, Raw.get(p)));
        }
        return tree(partials);
    }

    /** Returns the sum of {@code dy * gain}. */
    private static float products(long dy, long gain, long bytes, long partials) {
        long whole = bytes & -BLOCK_BYTES;
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            long j = lane;
            for (long unrolled = lane + (bytes & -4 * BLOCK_BYTES); j < unrolled; j += 4 * BLOCK_BYTES) {
                sum = fromMemorySegment(SPECIES, ALL, in(dy + j), ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, in(gain + j), ORDER)).add(sum);
                sum = fromMemorySegment(SPECIES, ALL, in(dy + j + BLOCK_BYTES), ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, in(gain + j + BLOCK_BYTES), ORDER)).add(sum);
                sum = fromMemorySegment(SPECIES, ALL, in(dy + j + 2 * BLOCK_BYTES), ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, in(gain + j + 2 * BLOCK_BYTES), ORDER)).add(sum);
                sum = fromMemorySegment(SPECIES, ALL, in(dy + j + 3 * BLOCK_BYTES), ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, in(gain + j + 3 * BLOCK_BYTES), ORDER)).add(sum);
            }
            for (; j < whole; j += BLOCK_BYTES) {
                sum = fromMemorySegment(SPECIES, ALL, in(dy + j), ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, in(gain + j), ORDER)).add(sum);
            }
            VECTOR.cast(sum).intoMemorySegment(ALL, in(partials + lane), ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            long p = in(partials + j - whole);
            Raw.set(p, 0, Raw.get(p) + Raw.get(in(dy + j)) * Raw.get(in(gain + j)));
        }
        return tree(partials);
    }

    /** Returns the sum of {@code (dy * gain) * n}, where n is the normalised x. */
    private static float weighted(long x, float first, float mean, float inverse, long dy, long gain, long bytes,
            long partials) {
        long whole = bytes & -BLOCK_BYTES;
        FloatVector origin = broadcast(SPECIES, first);
        FloatVector center = broadcast(SPECIES, mean);
        FloatVector scale = broadcast(SPECIES, inverse);
        for (long lane = 0; lane < BLOCK_BYTES; lane += BYTES) {
            FloatVector sum = zero(SPECIES);
            long j = lane;
            for (long unrolled = lane + (bytes & -2 * BLOCK_BYTES); j < unrolled; j += 2 * BLOCK_BYTES) {
                FloatVector n0 = fromMemorySegment(SPECIES, ALL, in(x + j), ORDER).sub(origin).sub(center).mul(scale);
                sum = fromMemorySegment(SPECIES, ALL, in(dy + j), ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, in(gain + j), ORDER)).fma(n0, sum);
                FloatVector n1 = fromMemorySegment(SPECIES, ALL, in(x + j + BLOCK_BYTES), ORDER).sub(origin).sub(center)
                        .mul(scale);
                sum = fromMemorySegment(SPECIES, ALL, in(dy + j + BLOCK_BYTES), ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, in(gain + j + BLOCK_BYTES), ORDER)).fma(n1, sum);
            }
            for (; j < whole; j += BLOCK_BYTES) {
                FloatVector n0 = fromMemorySegment(SPECIES, ALL, in(x + j), ORDER).sub(origin).sub(center).mul(scale);
                sum = fromMemorySegment(SPECIES, ALL, in(dy + j), ORDER)
                        .mul(fromMemorySegment(SPECIES, ALL, in(gain + j), ORDER)).fma(n0, sum);
            }
            VECTOR.cast(sum).intoMemorySegment(ALL, in(partials + lane), ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            long p = in(partials + j - whole);
            float n = ((Raw.get(in(x + j)) - first) - mean) * inverse;
            Raw.set(p, 0, Math.fma(Raw.get(in(dy + j)) * Raw.get(in(gain + j)), n, Raw.get(p)));
        }
        return tree(partials);
    }
}
