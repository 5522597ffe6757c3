package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.splat;
import static dev.ostinato.kernels.vector.Lanes.store;

import jdk.incubator.vector.FloatVector;

/**
 * Tiles of a product held in registers: {@code c[i][j] += sum over n of a[i, n] * b[n][j]}, one fma per term, n in the order given.
 * Every product and weight gradient is made of these; they differ in the strides alone.
 *
 * <p>All strides are in bytes and may be negative. The columns of a tile are whole vectors at the distances given. Six rows of two
 * vectors make twelve independent sums: enough to hide the latency of an fma (four cycles, two a cycle), with as few loads
 * per fma as sixteen registers allow. A row alone takes eight vectors, or six.
 *
 * <p>The rows are written out because the compiler keeps named variables in registers, and arrays of vectors not.
 */
final class Tiles {
    private Tiles() {
    }

    /** One row of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows1(long a, long aRow, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext,
            int count) {
        FloatVector s0 = load(c);
        FloatVector t0 = load(c + cNext);
        for (int n = 0; n < count; n++) {
            FloatVector b0 = load(b);
            FloatVector b1 = load(b + bNext);
            FloatVector a0 = splat(a);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            a += aStep;
            b += bStep;
        }
        store(s0, c);
        store(t0, c + cNext);
    }

    /** Two rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows2(long a, long aRow, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext,
            int count) {
        FloatVector s0 = load(c);
        FloatVector t0 = load(c + cNext);
        FloatVector s1 = load(c + cRow);
        FloatVector t1 = load(c + cRow + cNext);
        for (int n = 0; n < count; n++) {
            FloatVector b0 = load(b);
            FloatVector b1 = load(b + bNext);
            FloatVector a0 = splat(a);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = splat(a + aRow);
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            a += aStep;
            b += bStep;
        }
        store(s0, c);
        store(t0, c + cNext);
        store(s1, c + cRow);
        store(t1, c + cRow + cNext);
    }

    /** Three rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows3(long a, long aRow, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext,
            int count) {
        long row2 = 2 * aRow;
        FloatVector s0 = load(c);
        FloatVector t0 = load(c + cNext);
        FloatVector s1 = load(c + cRow);
        FloatVector t1 = load(c + cRow + cNext);
        FloatVector s2 = load(c + 2 * cRow);
        FloatVector t2 = load(c + 2 * cRow + cNext);
        for (int n = 0; n < count; n++) {
            FloatVector b0 = load(b);
            FloatVector b1 = load(b + bNext);
            FloatVector a0 = splat(a);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = splat(a + aRow);
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = splat(a + row2);
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            a += aStep;
            b += bStep;
        }
        store(s0, c);
        store(t0, c + cNext);
        store(s1, c + cRow);
        store(t1, c + cRow + cNext);
        store(s2, c + 2 * cRow);
        store(t2, c + 2 * cRow + cNext);
    }

    /** Four rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows4(long a, long aRow, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext,
            int count) {
        long row2 = 2 * aRow;
        long row3 = 3 * aRow;
        FloatVector s0 = load(c);
        FloatVector t0 = load(c + cNext);
        FloatVector s1 = load(c + cRow);
        FloatVector t1 = load(c + cRow + cNext);
        FloatVector s2 = load(c + 2 * cRow);
        FloatVector t2 = load(c + 2 * cRow + cNext);
        FloatVector s3 = load(c + 3 * cRow);
        FloatVector t3 = load(c + 3 * cRow + cNext);
        for (int n = 0; n < count; n++) {
            FloatVector b0 = load(b);
            FloatVector b1 = load(b + bNext);
            FloatVector a0 = splat(a);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = splat(a + aRow);
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = splat(a + row2);
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = splat(a + row3);
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            a += aStep;
            b += bStep;
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
    static void rows5(long a, long aRow, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext,
            int count) {
        long row2 = 2 * aRow;
        long row3 = 3 * aRow;
        long row4 = 4 * aRow;
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
        for (int n = 0; n < count; n++) {
            FloatVector b0 = load(b);
            FloatVector b1 = load(b + bNext);
            FloatVector a0 = splat(a);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = splat(a + aRow);
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = splat(a + row2);
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = splat(a + row3);
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            FloatVector a4 = splat(a + row4);
            s4 = a4.fma(b0, s4);
            t4 = a4.fma(b1, t4);
            a += aStep;
            b += bStep;
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

    /** Six rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows6(long a, long aRow, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext,
            int count) {
        long row2 = 2 * aRow;
        long row3 = 3 * aRow;
        long row4 = 4 * aRow;
        long row5 = 5 * aRow;
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
        FloatVector s5 = load(c + 5 * cRow);
        FloatVector t5 = load(c + 5 * cRow + cNext);
        for (int n = 0; n < count; n++) {
            FloatVector b0 = load(b);
            FloatVector b1 = load(b + bNext);
            FloatVector a0 = splat(a);
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = splat(a + aRow);
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = splat(a + row2);
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = splat(a + row3);
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            FloatVector a4 = splat(a + row4);
            s4 = a4.fma(b0, s4);
            t4 = a4.fma(b1, t4);
            FloatVector a5 = splat(a + row5);
            s5 = a5.fma(b0, s5);
            t5 = a5.fma(b1, t5);
            a += aStep;
            b += bStep;
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
        store(s5, c + 5 * cRow);
        store(t5, c + 5 * cRow + cNext);
    }

    /** One row of eight vectors: two runs of 4 in {@code b}, {@code bNext} apart; each has an address of its own in {@code c}. */
    static void rowEight(long a, long aStep, long b, long bStep, long bNext, int count, long c0, long c1, long c2,
            long c3, long c4, long c5, long c6, long c7) {
        FloatVector s0 = load(c0);
        FloatVector s1 = load(c1);
        FloatVector s2 = load(c2);
        FloatVector s3 = load(c3);
        FloatVector s4 = load(c4);
        FloatVector s5 = load(c5);
        FloatVector s6 = load(c6);
        FloatVector s7 = load(c7);
        for (int n = 0; n < count; n++) {
            FloatVector x = splat(a);
            s0 = x.fma(load(b), s0);
            s1 = x.fma(load(b + BYTES), s1);
            s2 = x.fma(load(b + 2 * BYTES), s2);
            s3 = x.fma(load(b + 3 * BYTES), s3);
            s4 = x.fma(load(b + bNext), s4);
            s5 = x.fma(load(b + bNext + BYTES), s5);
            s6 = x.fma(load(b + bNext + 2 * BYTES), s6);
            s7 = x.fma(load(b + bNext + 3 * BYTES), s7);
            a += aStep;
            b += bStep;
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

    /** One row of six vectors: two runs of 3 in {@code b}, {@code bNext} apart; each has an address of its own in {@code c}. */
    static void rowSix(long a, long aStep, long b, long bStep, long bNext, int count, long c0, long c1, long c2,
            long c3, long c4, long c5) {
        FloatVector s0 = load(c0);
        FloatVector s1 = load(c1);
        FloatVector s2 = load(c2);
        FloatVector s3 = load(c3);
        FloatVector s4 = load(c4);
        FloatVector s5 = load(c5);
        for (int n = 0; n < count; n++) {
            FloatVector x = splat(a);
            s0 = x.fma(load(b), s0);
            s1 = x.fma(load(b + BYTES), s1);
            s2 = x.fma(load(b + 2 * BYTES), s2);
            s3 = x.fma(load(b + bNext), s3);
            s4 = x.fma(load(b + bNext + BYTES), s4);
            s5 = x.fma(load(b + bNext + 2 * BYTES), s5);
            a += aStep;
            b += bStep;
        }
        store(s0, c0);
        store(s1, c1);
        store(s2, c2);
        store(s3, c3);
        store(s4, c4);
        store(s5, c5);
    }

    /** One row of one vector. */
    static void row(long a, long aStep, long b, long bStep, long c, int count) {
        FloatVector s = load(c);
        for (int n = 0; n < count; n++) {
            s = splat(a).fma(load(b), s);
            a += aStep;
            b += bStep;
        }
        store(s, c);
    }
}
