package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.broadcast;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.store;
import static dev.ostinato.kernels.vector.VectorRows.BLOCK_VECTORS;
import static dev.ostinato.kernels.vector.VectorRows.rest;
import static dev.ostinato.kernels.vector.VectorRows.tree;

import dev.ostinato.kernels.raw.Raw;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Layer norm of one row of {@code columns} floats. */
final class VectorLayerNorm {
    private VectorLayerNorm() {
    }

    static void forward(long x, long gain, long bias, float epsilon, long y, long statistics, int columns) {
        long bytes = (long) columns * Float.BYTES;
        float first = Raw.get(x);
        float mean = deviations(x, first, 0f, bytes) / columns;
        mean += deviations(x, first, mean, bytes) / columns;
        float inverse = 1f / (float) Math.sqrt(squares(x, first, mean, bytes) / columns + epsilon);
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            FloatVector n = load(x + j).sub(first).sub(mean).mul(inverse);
            store(n.fma(load(gain + j), load(bias + j)), y + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector n = load(x + j, rest).sub(first).sub(mean).mul(inverse);
            store(n.fma(load(gain + j, rest), load(bias + j, rest)), y + j, rest);
        }
        Raw.set(statistics, 0, mean);
        Raw.set(statistics, 1, inverse);
    }

    static void backward(long x, long gain, long statistics, long dy, long dx, long dGain, long dBias, int columns) {
        long bytes = (long) columns * Float.BYTES;
        float first = Raw.get(x);
        float mean = Raw.get(statistics, 0);
        float inverse = Raw.get(statistics, 1);
        float a = products(dy, gain, bytes) / columns;
        float b = weighted(x, first, mean, inverse, dy, gain, bytes) / columns;
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            FloatVector n = load(x + j).sub(first).sub(mean).mul(inverse);
            FloatVector d = load(dy + j);
            store(d.fma(n, load(dGain + j)), dGain + j);
            store(load(dBias + j).add(d), dBias + j);
            store(n.neg().fma(broadcast(b), d.mul(load(gain + j)).sub(a)).mul(inverse), dx + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector n = load(x + j, rest).sub(first).sub(mean).mul(inverse);
            FloatVector d = load(dy + j, rest);
            store(d.fma(n, load(dGain + j, rest)), dGain + j, rest);
            store(load(dBias + j, rest).add(d), dBias + j, rest);
            store(n.neg().fma(broadcast(b), d.mul(load(gain + j, rest)).sub(a)).mul(inverse), dx + j, rest);
        }
    }

    /** Returns the sum of {@code (x - first) - mean}. */
    private static float deviations(long x, float first, float mean, long bytes) {
        FloatVector p0 = deviationsEach(x, first, mean, 0, bytes);
        FloatVector p1 = BLOCK_VECTORS > 1 ? deviationsEach(x, first, mean, 1, bytes) : p0;
        if (BLOCK_VECTORS == 4) {
            p0 = p0.add(deviationsEach(x, first, mean, 2, bytes));
            p1 = p1.add(deviationsEach(x, first, mean, 3, bytes));
        }
        return tree(p0, p1);
    }

    private static FloatVector deviationsEach(long x, float first, float mean, int vector, long bytes) {
        FloatVector p = broadcast(0f);
        long j = (long) vector * BYTES;
        for (; j + BYTES <= bytes; j += (long) BLOCK_VECTORS * BYTES) {
            p = p.add(load(x + j).sub(first).sub(mean));
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            p = p.add(load(x + j, rest).sub(first).sub(mean), rest);
        }
        return p;
    }

    /** Returns the sum of the squares of {@code (x - first) - mean}. */
    private static float squares(long x, float first, float mean, long bytes) {
        FloatVector p0 = squaresEach(x, first, mean, 0, bytes);
        FloatVector p1 = BLOCK_VECTORS > 1 ? squaresEach(x, first, mean, 1, bytes) : p0;
        if (BLOCK_VECTORS == 4) {
            p0 = p0.add(squaresEach(x, first, mean, 2, bytes));
            p1 = p1.add(squaresEach(x, first, mean, 3, bytes));
        }
        return tree(p0, p1);
    }

    private static FloatVector squaresEach(long x, float first, float mean, int vector, long bytes) {
        FloatVector p = broadcast(0f);
        long j = (long) vector * BYTES;
        for (; j + BYTES <= bytes; j += (long) BLOCK_VECTORS * BYTES) {
            FloatVector d = load(x + j).sub(first).sub(mean);
            p = d.fma(d, p);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector d = load(x + j, rest).sub(first).sub(mean);
            p = p.blend(d.fma(d, p), rest);
        }
        return p;
    }

    /** Returns the sum of {@code dy * gain}. */
    private static float products(long dy, long gain, long bytes) {
        FloatVector p0 = productsEach(dy, gain, 0, bytes);
        FloatVector p1 = BLOCK_VECTORS > 1 ? productsEach(dy, gain, 1, bytes) : p0;
        if (BLOCK_VECTORS == 4) {
            p0 = p0.add(productsEach(dy, gain, 2, bytes));
            p1 = p1.add(productsEach(dy, gain, 3, bytes));
        }
        return tree(p0, p1);
    }

    private static FloatVector productsEach(long dy, long gain, int vector, long bytes) {
        FloatVector p = broadcast(0f);
        long j = (long) vector * BYTES;
        for (; j + BYTES <= bytes; j += (long) BLOCK_VECTORS * BYTES) {
            p = p.add(load(dy + j).mul(load(gain + j)));
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j); // 0 beyond the end adds nothing
            p = p.add(load(dy + j, rest).mul(load(gain + j, rest)));
        }
        return p;
    }

    /** Returns the sum of {@code (dy * gain) * n}, where n is the normalised x. */
    private static float weighted(long x, float first, float mean, float inverse, long dy, long gain, long bytes) {
        FloatVector p0 = weightedEach(x, first, mean, inverse, dy, gain, 0, bytes);
        FloatVector p1 = BLOCK_VECTORS > 1 ? weightedEach(x, first, mean, inverse, dy, gain, 1, bytes) : p0;
        if (BLOCK_VECTORS == 4) {
            p0 = p0.add(weightedEach(x, first, mean, inverse, dy, gain, 2, bytes));
            p1 = p1.add(weightedEach(x, first, mean, inverse, dy, gain, 3, bytes));
        }
        return tree(p0, p1);
    }

    private static FloatVector weightedEach(long x, float first, float mean, float inverse, long dy, long gain,
            int vector, long bytes) {
        FloatVector p = broadcast(0f);
        long j = (long) vector * BYTES;
        for (; j + BYTES <= bytes; j += (long) BLOCK_VECTORS * BYTES) {
            FloatVector n = load(x + j).sub(first).sub(mean).mul(inverse);
            p = load(dy + j).mul(load(gain + j)).fma(n, p);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            FloatVector n = load(x + j, rest).sub(first).sub(mean).mul(inverse);
            p = p.blend(load(dy + j, rest).mul(load(gain + j, rest)).fma(n, p), rest);
        }
        return p;
    }
}
