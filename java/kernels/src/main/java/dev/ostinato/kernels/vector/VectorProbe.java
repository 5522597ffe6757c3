package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.COUNT;
import static dev.ostinato.kernels.vector.Lanes.INTS;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.broadcast;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.store;

import dev.ostinato.kernels.raw.Probe;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** The probes on the Vector API, with local variables for the chains: arrays of vectors do not stay in registers. */
final class VectorProbe implements Probe {
    private static final int BLOCK_VECTORS = 16 / COUNT;

    @Override
    public void reads(int rounds, long x, int floats, long sums) {
        IntVector s0 = IntVector.zero(INTS);
        IntVector s1 = IntVector.zero(INTS);
        IntVector s2 = IntVector.zero(INTS);
        IntVector s3 = IntVector.zero(INTS);
        IntVector s4 = IntVector.zero(INTS);
        IntVector s5 = IntVector.zero(INTS);
        IntVector s6 = IntVector.zero(INTS);
        IntVector s7 = IntVector.zero(INTS);
        for (int r = 0; r < rounds; r++) {
            long end = x + (long) floats * Float.BYTES;
            for (long q = x; q < end; q += 8 * BYTES) {
                long p = Lanes.in(q);
                s0 = ints(p).add(s0);
                s1 = ints(p + BYTES).add(s1);
                s2 = ints(p + 2 * BYTES).add(s2);
                s3 = ints(p + 3 * BYTES).add(s3);
                s4 = ints(p + 4 * BYTES).add(s4);
                s5 = ints(p + 5 * BYTES).add(s5);
                s6 = ints(p + 6 * BYTES).add(s6);
                s7 = ints(p + 7 * BYTES).add(s7);
            }
        }
        add(s0, sums + 0 % BLOCK_VECTORS * BYTES);
        add(s1, sums + 1 % BLOCK_VECTORS * BYTES);
        add(s2, sums + 2 % BLOCK_VECTORS * BYTES);
        add(s3, sums + 3 % BLOCK_VECTORS * BYTES);
        add(s4, sums + 4 % BLOCK_VECTORS * BYTES);
        add(s5, sums + 5 % BLOCK_VECTORS * BYTES);
        add(s6, sums + 6 % BLOCK_VECTORS * BYTES);
        add(s7, sums + 7 % BLOCK_VECTORS * BYTES);
    }

    private static IntVector ints(long address) {
        return IntVector.fromMemorySegment(INTS, ALL, address, ORDER);
    }

    private static void add(IntVector v, long address) {
        ints(address).add(v).intoMemorySegment(ALL, address, ORDER);
    }

    @Override
    public void products(int rounds, float factor, long x) {
        for (long from = 0; from < PRODUCT_FLOATS * Float.BYTES; from += 12 * BYTES) {
            chains(rounds, factor, Lanes.in(x + from));
        }
    }

    private static void chains(int rounds, float factor, long x) {
        FloatVector f = broadcast(factor);
        FloatVector v0 = load(x);
        FloatVector v1 = load(x + BYTES);
        FloatVector v2 = load(x + 2 * BYTES);
        FloatVector v3 = load(x + 3 * BYTES);
        FloatVector v4 = load(x + 4 * BYTES);
        FloatVector v5 = load(x + 5 * BYTES);
        FloatVector v6 = load(x + 6 * BYTES);
        FloatVector v7 = load(x + 7 * BYTES);
        FloatVector v8 = load(x + 8 * BYTES);
        FloatVector v9 = load(x + 9 * BYTES);
        FloatVector v10 = load(x + 10 * BYTES);
        FloatVector v11 = load(x + 11 * BYTES);
        for (int r = 0; r < rounds; r++) {
            v0 = f.fma(v0, f);
            v1 = f.fma(v1, f);
            v2 = f.fma(v2, f);
            v3 = f.fma(v3, f);
            v4 = f.fma(v4, f);
            v5 = f.fma(v5, f);
            v6 = f.fma(v6, f);
            v7 = f.fma(v7, f);
            v8 = f.fma(v8, f);
            v9 = f.fma(v9, f);
            v10 = f.fma(v10, f);
            v11 = f.fma(v11, f);
        }
        store(v0, x);
        store(v1, x + BYTES);
        store(v2, x + 2 * BYTES);
        store(v3, x + 3 * BYTES);
        store(v4, x + 4 * BYTES);
        store(v5, x + 5 * BYTES);
        store(v6, x + 6 * BYTES);
        store(v7, x + 7 * BYTES);
        store(v8, x + 8 * BYTES);
        store(v9, x + 9 * BYTES);
        store(v10, x + 10 * BYTES);
        store(v11, x + 11 * BYTES);
    }
}
