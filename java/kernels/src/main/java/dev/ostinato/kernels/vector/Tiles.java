package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.in;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.splat;
import static dev.ostinato.kernels.vector.Lanes.store;

import jdk.incubator.vector.FloatVector;

/**
 * Tiles of a product held in registers: {@code c[i][j] += sum over n of a[n][i] * b[n][j]}, one fma per term, n in the order given.
 * Every product and weight gradient is made of these; they differ in the strides alone.
 *
 * <p>All strides are in bytes; steps may be negative. The rows of a lie side by side, so that each is at a constant distance from
 * one address: with a stride of their own they would take a register each. The columns of a tile are whole vectors. Five rows of two
 * vectors make ten independent sums: enough to hide the latency of an fma (four cycles, two a cycle), and as many as sixteen registers hold
 * when the compiler loads all five rows first, as it does. A row alone takes as many vectors as its panel has, up to eight.
 *
 * <p>The rows are written out because the compiler keeps named variables in registers, and arrays of vectors not. The loops end at an
 * address because the compiler would unroll a counted loop and spill the sums; two steps per iteration by hand make a method too large
 * to inline the operations in, which then are forty times slower.
 */
final class Tiles {
    private Tiles() {
    }

    /** One row of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows1(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = load(c);
        FloatVector t0 = load(c + cNext);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = load(q);
            FloatVector b1 = load(q + next);
            FloatVector a0 = splat(p);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            a += aStep;
        }
        store(s0, c);
        store(t0, c + cNext);
    }

    /** Two rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows2(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = load(c);
        FloatVector t0 = load(c + cNext);
        FloatVector s1 = load(c + cRow);
        FloatVector t1 = load(c + cRow + cNext);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = load(q);
            FloatVector b1 = load(q + next);
            FloatVector a0 = splat(p);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = splat(p + Float.BYTES);
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            a += aStep;
        }
        store(s0, c);
        store(t0, c + cNext);
        store(s1, c + cRow);
        store(t1, c + cRow + cNext);
    }

    /** Three rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows3(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = load(c);
        FloatVector t0 = load(c + cNext);
        FloatVector s1 = load(c + cRow);
        FloatVector t1 = load(c + cRow + cNext);
        FloatVector s2 = load(c + 2 * cRow);
        FloatVector t2 = load(c + 2 * cRow + cNext);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = load(q);
            FloatVector b1 = load(q + next);
            FloatVector a0 = splat(p);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = splat(p + Float.BYTES);
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = splat(p + 2 * Float.BYTES);
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            a += aStep;
        }
        store(s0, c);
        store(t0, c + cNext);
        store(s1, c + cRow);
        store(t1, c + cRow + cNext);
        store(s2, c + 2 * cRow);
        store(t2, c + 2 * cRow + cNext);
    }

    /** Four rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows4(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = load(c);
        FloatVector t0 = load(c + cNext);
        FloatVector s1 = load(c + cRow);
        FloatVector t1 = load(c + cRow + cNext);
        FloatVector s2 = load(c + 2 * cRow);
        FloatVector t2 = load(c + 2 * cRow + cNext);
        FloatVector s3 = load(c + 3 * cRow);
        FloatVector t3 = load(c + 3 * cRow + cNext);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = load(q);
            FloatVector b1 = load(q + next);
            FloatVector a0 = splat(p);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = splat(p + Float.BYTES);
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = splat(p + 2 * Float.BYTES);
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = splat(p + 3 * Float.BYTES);
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            a += aStep;
        }
        store(s0, c);
        store(t0, c + cNext);
        store(s1, c + cRow);
        store(t1, c + cRow + cNext);
        store(s2, c + 2 * cRow);
        store(t2, c + 2 * cRow + cNext);
        store(s3, c + 3 * cRow);
        store(t3, c + 3 * cRow + cNext);
    }

    /** Five rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows5(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = load(c);
        FloatVector t0 = load(c + cNext);
        FloatVector s1 = load(c + cRow);
        FloatVector t1 = load(c + cRow + cNext);
        FloatVector s2 = load(c + 2 * cRow);
        FloatVector t2 = load(c + 2 * cRow + cNext);
        FloatVector s3 = load(c + 3 * cRow);
        FloatVector t3 = load(c + 3 * cRow + cNext);
        FloatVector s4 = load(c + 4 * cRow);
        FloatVector t4 = load(c + 4 * cRow + cNext);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = load(q);
            FloatVector b1 = load(q + next);
            FloatVector a0 = splat(p);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = splat(p + Float.BYTES);
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = splat(p + 2 * Float.BYTES);
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = splat(p + 3 * Float.BYTES);
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            FloatVector a4 = splat(p + 4 * Float.BYTES);
            s4 = a4.fma(b0, s4);
            t4 = a4.fma(b1, t4);
            a += aStep;
        }
        store(s0, c);
        store(t0, c + cNext);
        store(s1, c + cRow);
        store(t1, c + cRow + cNext);
        store(s2, c + 2 * cRow);
        store(t2, c + 2 * cRow + cNext);
        store(s3, c + 3 * cRow);
        store(t3, c + 3 * cRow + cNext);
        store(s4, c + 4 * cRow);
        store(t4, c + 4 * cRow + cNext);
    }

    /** One row of eight vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowEight(long a, long b, long bStep, int count, long c0, long c1, long c2, long c3, long c4, long c5,
            long c6, long c7) {
        FloatVector s0 = load(c0);
        FloatVector s1 = load(c1);
        FloatVector s2 = load(c2);
        FloatVector s3 = load(c3);
        FloatVector s4 = load(c4);
        FloatVector s5 = load(c5);
        FloatVector s6 = load(c6);
        FloatVector s7 = load(c7);
        for (long end = b + count * bStep; b != end; b += bStep) {
            FloatVector x = splat(in(a));
            long q = in(b);
            s0 = x.fma(load(q), s0);
            s1 = x.fma(load(q + BYTES), s1);
            s2 = x.fma(load(q + 2 * BYTES), s2);
            s3 = x.fma(load(q + 3 * BYTES), s3);
            s4 = x.fma(load(q + 4 * BYTES), s4);
            s5 = x.fma(load(q + 5 * BYTES), s5);
            s6 = x.fma(load(q + 6 * BYTES), s6);
            s7 = x.fma(load(q + 7 * BYTES), s7);
            a += Float.BYTES;
        }
        store(s0, c0);
        store(s1, c1);
        store(s2, c2);
        store(s3, c3);
        store(s4, c4);
        store(s5, c5);
        store(s6, c6);
        store(s7, c7);
    }

    /** One row of six vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowSix(long a, long b, long bStep, int count, long c0, long c1, long c2, long c3, long c4, long c5) {
        FloatVector s0 = load(c0);
        FloatVector s1 = load(c1);
        FloatVector s2 = load(c2);
        FloatVector s3 = load(c3);
        FloatVector s4 = load(c4);
        FloatVector s5 = load(c5);
        for (long end = b + count * bStep; b != end; b += bStep) {
            FloatVector x = splat(in(a));
            long q = in(b);
            s0 = x.fma(load(q), s0);
            s1 = x.fma(load(q + BYTES), s1);
            s2 = x.fma(load(q + 2 * BYTES), s2);
            s3 = x.fma(load(q + 3 * BYTES), s3);
            s4 = x.fma(load(q + 4 * BYTES), s4);
            s5 = x.fma(load(q + 5 * BYTES), s5);
            a += Float.BYTES;
        }
        store(s0, c0);
        store(s1, c1);
        store(s2, c2);
        store(s3, c3);
        store(s4, c4);
        store(s5, c5);
    }

    /** One row of four vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowFour(long a, long b, long bStep, int count, long c0, long c1, long c2, long c3) {
        FloatVector s0 = load(c0);
        FloatVector s1 = load(c1);
        FloatVector s2 = load(c2);
        FloatVector s3 = load(c3);
        for (long end = b + count * bStep; b != end; b += bStep) {
            FloatVector x = splat(in(a));
            long q = in(b);
            s0 = x.fma(load(q), s0);
            s1 = x.fma(load(q + BYTES), s1);
            s2 = x.fma(load(q + 2 * BYTES), s2);
            s3 = x.fma(load(q + 3 * BYTES), s3);
            a += Float.BYTES;
        }
        store(s0, c0);
        store(s1, c1);
        store(s2, c2);
        store(s3, c3);
    }

    /** One row of three vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowThree(long a, long b, long bStep, int count, long c0, long c1, long c2) {
        FloatVector s0 = load(c0);
        FloatVector s1 = load(c1);
        FloatVector s2 = load(c2);
        for (long end = b + count * bStep; b != end; b += bStep) {
            FloatVector x = splat(in(a));
            long q = in(b);
            s0 = x.fma(load(q), s0);
            s1 = x.fma(load(q + BYTES), s1);
            s2 = x.fma(load(q + 2 * BYTES), s2);
            a += Float.BYTES;
        }
        store(s0, c0);
        store(s1, c1);
        store(s2, c2);
    }

    /** One row of one vector. */
    static void row(long a, long aStep, long b, long bStep, long c, int count) {
        FloatVector s = load(c);
        for (long end = b + count * bStep; b != end; b += bStep) {
            s = splat(in(a)).fma(load(in(b)), s);
            a += aStep;
        }
        store(s, c);
    }
}
