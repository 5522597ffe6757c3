package dev.ostinato.kernels.jni;

import dev.ostinato.kernels.raw.Probe;

/** The probes of the library. */
final class NativeProbe implements Probe {
    private static final int BLOCK = 16;

    private final long kernels;

    /** Takes what {@link NativeCalls#kernels} returned, and not 0. */
    NativeProbe(long kernels) {
        this.kernels = kernels;
    }

    @Override
    public void reads(int rounds, long x, int floats, long sums) {
        NativeCalls.probeReads(kernels, rounds, x, 1, floats, floats, sums, 1, BLOCK, BLOCK);
    }

    @Override
    public void products(int rounds, float factor, long x) {
        NativeCalls.probeProducts(kernels, rounds, factor, x, 1, PRODUCT_FLOATS, PRODUCT_FLOATS);
    }
}
