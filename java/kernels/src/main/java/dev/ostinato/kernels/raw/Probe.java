package dev.ostinato.kernels.raw;

/**
 * Loops that do nothing but read, or nothing but multiply and add, as fast as the instructions of a backend allow: the limits that its
 * kernels are compared with. Results are defined to the bit, so that a test can tell that the work is done.
 */
public interface Probe {
    /** What {@link #reads} goes through at a time: a buffer holds a multiple of it. */
    int READ_FLOATS = 256;

    /** What {@link #products} updates: twelve vectors at once or a multiple of twelve. */
    int PRODUCT_FLOATS = 192;

    /**
     * Adds the bits of every {@code x[16 i + j]} to those of {@code sums[j]}, as ints that wrap, {@code rounds} times.
     *
     * @param x address of {@code floats} floats, 64-byte aligned
     * @param sums address of 16 floats
     */
    void reads(int rounds, long x, int floats, long sums);

    /**
     * x = fma(x, factor, factor), {@code rounds} times.
     *
     * @param x address of {@link #PRODUCT_FLOATS} floats, 64-byte aligned
     */
    void products(int rounds, float factor, long x);

    /** A backend that has a probe. */
    interface Source {
        /** Returns the probe. @throws IllegalStateException if the backend is not available; the message is the reason */
        Probe probe();
    }
}
