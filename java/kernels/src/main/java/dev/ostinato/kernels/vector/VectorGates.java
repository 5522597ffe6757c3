package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import jdk.incubator.vector.FloatVector;

/**
 * The forward passes of cells over one row, as sweeps over whole vectors: {@code bytes} is a multiple of a block.
 *
 * <p>Nothing here calls a method of ours with a vector, for the reason that {@link VectorFunctions} gives.
 */
final class VectorGates {
    private VectorGates() {
    }

    /** The state of a simple cell, from pre-activations; h may be z. */
    static void rnn(Activation f, long z, long h, long bytes) {
        VectorActivations.apply(f, z, h, bytes);
        flush(h, h, bytes);
    }

    /**
     * Gates i f g o, coupled i g o, and the cell state, from pre-activations; h is overwritten.
     *
     * @param first the byte in a row of peepholes where these units are
     */
    static void lstm(LstmVariant v, Matrix peepholes, long first, long gates, long cPrevious, long c, long h,
            long bytes) {
        boolean coupled = v.forget() == LstmVariant.Forget.COUPLED;
        boolean seeing = peepholes.rows() > 0;
        long candidate = gates + (coupled ? bytes : 2 * bytes);
        long output = candidate + bytes;
        if (seeing) {
            addProduct(peepholes.rowAddress(0) + first, cPrevious, gates, bytes);
            if (!coupled) {
                addProduct(peepholes.rowAddress(1) + first, cPrevious, gates + bytes, bytes);
            }
        }
        VectorActivations.apply(v.gates(), gates, gates, candidate - gates);
        VectorActivations.apply(v.candidate(), candidate, candidate, bytes);
        if (coupled) {
            coupledCell(gates, cPrevious, c, bytes);
        } else {
            cell(gates, cPrevious, c, bytes);
        }
        if (v.cellClip() < Float.POSITIVE_INFINITY) {
            VectorActivations.clip(c, c, v.cellClip(), bytes);
        }
        if (seeing) {
            addProduct(peepholes.rowAddress(peepholes.rows() - 1) + first, c, output, bytes);
        }
        VectorActivations.apply(v.gates(), output, output, bytes);
        VectorActivations.apply(v.output(), c, h, bytes);
        multiply(output, h, bytes);
    }

    /** Gates i f g o and the cell state, from pre-activations. */
    static void lstmCell(long gates, long cPrevious, long c, long bytes) {
        VectorFunctions.sigmoid(gates, gates, 2 * bytes);
        VectorFunctions.tanh(gates + 2 * bytes, gates + 2 * bytes, bytes);
        VectorFunctions.sigmoid(gates + 3 * bytes, gates + 3 * bytes, bytes);
        cell(gates, cPrevious, c, bytes);
    }

    /** {@code h = flush(o * tanh(m))}; h may be m. */
    static void lstmOutput(long gates, long m, long h, long bytes) {
        VectorFunctions.tanh(m, h, bytes);
        multiply(gates + 3 * bytes, h, bytes);
    }

    /** Slots n r u m, from pre-activations. */
    static void gru(GruVariant v, long slots, long hPrevious, long h, long bytes) {
        VectorActivations.apply(v.gates(), slots + bytes, slots + bytes, 2 * bytes);
        addProduct(slots + bytes, slots + 3 * bytes, slots, bytes);
        VectorActivations.apply(v.candidate(), slots, slots, bytes);
        mix(slots + 2 * bytes, hPrevious, slots, h, bytes);
    }

    /** {@code c = flush(f * cPrevious + i * g)}. */
    private static void cell(long gates, long cPrevious, long c, long bytes) {
        for (long end = gates + bytes; gates < end; gates += BYTES) {
            FloatVector i = fromMemorySegment(SPECIES, ALL, gates, ORDER);
            FloatVector f = fromMemorySegment(SPECIES, ALL, gates + bytes, ORDER);
            FloatVector g = fromMemorySegment(SPECIES, ALL, gates + 2 * bytes, ORDER);
            FloatVector v = f.fma(fromMemorySegment(SPECIES, ALL, cPrevious, ORDER), i.mul(g));
            v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, c, ORDER);
            cPrevious += BYTES;
            c += BYTES;
        }
    }

    /** {@code c = flush((1 - i) * cPrevious + i * g)}. */
    private static void coupledCell(long gates, long cPrevious, long c, long bytes) {
        for (long end = gates + bytes; gates < end; gates += BYTES) {
            FloatVector i = fromMemorySegment(SPECIES, ALL, gates, ORDER);
            FloatVector g = fromMemorySegment(SPECIES, ALL, gates + bytes, ORDER);
            FloatVector v = broadcast(SPECIES, 1f).sub(i)
                    .fma(fromMemorySegment(SPECIES, ALL, cPrevious, ORDER), i.mul(g));
            v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, c, ORDER);
            cPrevious += BYTES;
            c += BYTES;
        }
    }

    /** {@code h = flush(o * h)}. */
    private static void multiply(long o, long h, long bytes) {
        for (long end = h + bytes; h < end; h += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, o, ORDER)
                    .mul(fromMemorySegment(SPECIES, ALL, h, ORDER));
            v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, h, ORDER);
            o += BYTES;
        }
    }

    /** {@code s = r * h}. */
    static void product(long r, long h, long s, long bytes) {
        for (long end = s + bytes; s < end; s += BYTES) {
            fromMemorySegment(SPECIES, ALL, r, ORDER).mul(fromMemorySegment(SPECIES, ALL, h, ORDER))
                    .intoMemorySegment(ALL, s, ORDER);
            r += BYTES;
            h += BYTES;
        }
    }

    /** {@code n = r * m + n}. */
    static void addProduct(long r, long m, long n, long bytes) {
        for (long end = n + bytes; n < end; n += BYTES) {
            fromMemorySegment(SPECIES, ALL, r, ORDER)
                    .fma(fromMemorySegment(SPECIES, ALL, m, ORDER),
                            fromMemorySegment(SPECIES, ALL, n, ORDER))
                    .intoMemorySegment(ALL, n, ORDER);
            r += BYTES;
            m += BYTES;
        }
    }

    /** {@code h = flush(u * (hPrevious - n) + n)}. */
    static void mix(long u, long hPrevious, long n, long h, long bytes) {
        for (long end = h + bytes; h < end; h += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, n, ORDER);
            FloatVector difference = fromMemorySegment(SPECIES, ALL, hPrevious, ORDER).sub(v);
            v = fromMemorySegment(SPECIES, ALL, u, ORDER).fma(difference, v);
            v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, h, ORDER);
            u += BYTES;
            hPrevious += BYTES;
            n += BYTES;
        }
    }

    /** {@code h = flush(z)}. */
    private static void flush(long z, long h, long bytes) {
        for (long end = z + bytes; z < end; z += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, z, ORDER);
            v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, h, ORDER);
            h += BYTES;
        }
    }
}
