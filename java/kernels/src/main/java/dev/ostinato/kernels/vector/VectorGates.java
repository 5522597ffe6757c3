package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.scalar.Elementary.COTH_1;
import static dev.ostinato.kernels.scalar.Elementary.COTH_2;
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
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The forward passes of cells over one row, as sweeps over whole vectors: {@code bytes} is a multiple of a block.
 *
 * <p>Nothing here calls a method of ours with a vector, not even {@link VectorElementary}, whose sigmoid and tanh are therefore written out
 * once more. Once a compilation has grown large the compiler inlines what the Vector API forces it to and nothing else; a vector that is
 * passed to anything else then becomes an object, which costs more than all of its arithmetic. And a step of a whole model is a large
 * compilation.
 */
final class VectorGates {
    private static final int EXPONENT = 23;
    private static final FloatVector ONE = broadcast(SPECIES, 1f);
    private static final FloatVector MINUS_ONE = broadcast(SPECIES, -1f);

    private VectorGates() {
    }

    /** The state of a simple cell, from pre-activations; h may be z. */
    static void rnn(Activation f, long z, long h, long bytes) {
        switch (f) {
            case TANH -> {
                tanh(z, h, bytes);
                flush(h, h, bytes);
            }
            case RELU -> relu(z, h, bytes);
            case IDENTITY -> flush(z, h, bytes);
        }
    }

    /** Gates i f g o and the cell state, from pre-activations; h is overwritten. */
    static void lstm(long gates, long cPrevious, long c, long h, long bytes) {
        sigmoid(gates, 2 * bytes);
        tanh(gates + 2 * bytes, gates + 2 * bytes, bytes);
        sigmoid(gates + 3 * bytes, bytes);
        cell(gates, cPrevious, c, bytes);
        tanh(c, h, bytes);
        multiply(gates + 3 * bytes, h, bytes);
    }

    /** Slots n r u m, from pre-activations. */
    static void gru(long slots, long hPrevious, long h, long bytes) {
        sigmoid(slots + bytes, 2 * bytes);
        addProduct(slots + bytes, slots + 3 * bytes, slots, bytes);
        tanh(slots, slots, bytes);
        mix(slots + 2 * bytes, hPrevious, slots, h, bytes);
    }

    /** As in {@link VectorElementary#sigmoid}, in place. */
    static void sigmoid(long z, long bytes) {
        for (long end = z + bytes; z < end; z += BYTES) {
            FloatVector x = fromMemorySegment(SPECIES, ALL, z, ORDER);
            x = x.blend(20f, x.compare(GT, 20f));
            x = x.blend(-104f, x.compare(LT, -104f));
            FloatVector t = x.fma(broadcast(SPECIES, -LOG2_E), broadcast(SPECIES, ROUND + 95));
            FloatVector n = t.sub(ROUND + 95);
            FloatVector r = n.fma(broadcast(SPECIES, LN2_HIGH), x);
            r = n.fma(broadcast(SPECIES, -LN2_REST), r);
            IntVector exponent = t.reinterpretAsInts().lanewise(LSHL, EXPONENT);
            FloatVector s = exponent.reinterpretAsFloats();
            FloatVector p = r.fma(broadcast(SPECIES, EXP_6), broadcast(SPECIES, -EXP_5));
            p = p.fma(r, broadcast(SPECIES, EXP_4));
            p = p.fma(r, broadcast(SPECIES, -EXP_3));
            p = p.fma(r, broadcast(SPECIES, EXP_2));
            p = p.fma(r, MINUS_ONE);
            p = p.mul(r);
            p = s.fma(p, broadcast(SPECIES, 0x1p-32f));
            p = p.add(s);
            broadcast(SPECIES, 0x1p-32f).div(p).intoMemorySegment(ALL, z, ORDER);
        }
    }

    /** As in {@link VectorElementary#tanh}. */
    static void tanh(long from, long to, long bytes) {
        for (long end = from + bytes; from < end; from += BYTES) {
            FloatVector x = fromMemorySegment(SPECIES, ALL, from, ORDER);
            IntVector sign = x.reinterpretAsInts().and(0x80000000);
            FloatVector a = x.abs();
            a = a.blend(10f, a.compare(GT, 10f));
            FloatVector t =
                    a.fma(broadcast(SPECIES, 2 * LOG2_E), broadcast(SPECIES, ROUND + 127));
            FloatVector n = t.sub(ROUND + 127);
            FloatVector r = n.fma(broadcast(SPECIES, -LN2_HIGH / 2), a);
            IntVector exponent = t.reinterpretAsInts().lanewise(LSHL, EXPONENT);
            FloatVector s = exponent.reinterpretAsFloats();
            FloatVector g = s.fma(broadcast(SPECIES, 0.5f), broadcast(SPECIES, -0.5f));
            FloatVector u = r.mul(r);
            FloatVector v = u.fma(broadcast(SPECIES, COTH_2), broadcast(SPECIES, COTH_1));
            v = v.fma(u, ONE);
            FloatVector d = v.sub(r);
            FloatVector m = s.mul(r);
            m = g.fma(d, m);
            d = m.add(d);
            m = m.div(d);
            m.reinterpretAsInts().or(sign).reinterpretAsFloats().intoMemorySegment(ALL, to, ORDER);
            to += BYTES;
        }
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
    private static void addProduct(long r, long m, long n, long bytes) {
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

    /** {@code h = flush(max(z, 0))}. */
    private static void relu(long z, long h, long bytes) {
        for (long end = z + bytes; z < end; z += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, z, ORDER);
            v = v.blend(0f, v.compare(LE, 0f));
            v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, h, ORDER);
            h += BYTES;
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
