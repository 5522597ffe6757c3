package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static dev.ostinato.kernels.vector.Lanes.VECTOR;
import static dev.ostinato.kernels.vector.Lanes.in;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import jdk.incubator.vector.FloatVector;

/**
 * Tiles of a product held in registers: {@code c[i][j] += sum over n of a[n][i] * b[n][j]}, one fma per term, n in the order given.
 * Every product and weight gradient is made of these; they differ in the strides alone.
 *
 * <p>All strides are in bytes; steps may be negative. The rows of a lie side by side, so that each is at a constant distance from
 * one address: with a stride of their own they would take a register each. The columns of a tile are whole vectors. Five rows of two
 * vectors make ten independent sums: enough to hide the latency of an fma (four cycles, two a cycle), and as many as sixteen registers hold
 * when the compiler loads all five rows first, as it does; eight rows are what 32 registers hold. A row alone takes as many vectors as its
 * panel has, up to eight.
 *
 * <p>The rows are written out because the compiler keeps named variables in registers, and arrays of vectors not. The loops end at an
 * address because the compiler would unroll a counted loop and spill the sums. They call the Vector API without helpers in between, for the
 * reason that {@link VectorGates} gives. For the same reason no method here is small enough to be inlined (FreqInlineSize, 325 bytes of code):
 * the smaller ones take several terms at a time. Inlined behind one another in a caller, the last of them would have objects for vectors.
 */
final class Tiles {
    private Tiles() {
    }

    /** One row of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows1(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c, ORDER);
        FloatVector t0 = fromMemorySegment(SPECIES, ALL, c + cNext, ORDER);
        long end = b + count * bStep;
        for (long fours = b + (count - count % 4) * bStep; b != fours; b += 4 * bStep) {
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a)));
            s0 = a0.fma(fromMemorySegment(SPECIES, ALL, in(b), ORDER), s0);
            t0 = a0.fma(fromMemorySegment(SPECIES, ALL, in(b) + next, ORDER), t0);
            FloatVector a1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + aStep)));
            s0 = a1.fma(fromMemorySegment(SPECIES, ALL, in(b + bStep), ORDER), s0);
            t0 = a1.fma(fromMemorySegment(SPECIES, ALL, in(b + bStep) + next, ORDER), t0);
            FloatVector a2 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + 2 * aStep)));
            s0 = a2.fma(fromMemorySegment(SPECIES, ALL, in(b + 2 * bStep), ORDER), s0);
            t0 = a2.fma(fromMemorySegment(SPECIES, ALL, in(b + 2 * bStep) + next, ORDER), t0);
            FloatVector a3 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + 3 * aStep)));
            s0 = a3.fma(fromMemorySegment(SPECIES, ALL, in(b + 3 * bStep), ORDER), s0);
            t0 = a3.fma(fromMemorySegment(SPECIES, ALL, in(b + 3 * bStep) + next, ORDER), t0);
            a += 4 * aStep;
        }
        for (; b != end; b += bStep) {
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a)));
            s0 = a0.fma(fromMemorySegment(SPECIES, ALL, in(b), ORDER), s0);
            t0 = a0.fma(fromMemorySegment(SPECIES, ALL, in(b) + next, ORDER), t0);
            a += aStep;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c, ORDER);
        VECTOR.cast(t0).intoMemorySegment(ALL, c + cNext, ORDER);
    }

    /** Two rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows2(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c, ORDER);
        FloatVector t0 = fromMemorySegment(SPECIES, ALL, c + cNext, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
        FloatVector t1 = fromMemorySegment(SPECIES, ALL, c + cRow + cNext, ORDER);
        long end = b + count * bStep;
        for (long pairs = b + (count - count % 2) * bStep; b != pairs; b += 2 * bStep) {
            long p0 = in(a);
            long q0 = in(b);
            FloatVector b0 = fromMemorySegment(SPECIES, ALL, q0, ORDER);
            FloatVector b1 = fromMemorySegment(SPECIES, ALL, q0 + next, ORDER);
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p0));
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p0 + Float.BYTES));
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            long p1 = in(a + aStep);
            long q1 = in(b + bStep);
            FloatVector b2 = fromMemorySegment(SPECIES, ALL, q1, ORDER);
            FloatVector b3 = fromMemorySegment(SPECIES, ALL, q1 + next, ORDER);
            FloatVector a2 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p1));
            s0 = a2.fma(b2, s0);
            t0 = a2.fma(b3, t0);
            FloatVector a3 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p1 + Float.BYTES));
            s1 = a3.fma(b2, s1);
            t1 = a3.fma(b3, t1);
            a += 2 * aStep;
        }
        if (b != end) {
            long p0 = in(a);
            long q0 = in(b);
            FloatVector b0 = fromMemorySegment(SPECIES, ALL, q0, ORDER);
            FloatVector b1 = fromMemorySegment(SPECIES, ALL, q0 + next, ORDER);
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p0));
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p0 + Float.BYTES));
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c, ORDER);
        VECTOR.cast(t0).intoMemorySegment(ALL, c + cNext, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c + cRow, ORDER);
        VECTOR.cast(t1).intoMemorySegment(ALL, c + cRow + cNext, ORDER);
    }

    /** Three rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows3(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c, ORDER);
        FloatVector t0 = fromMemorySegment(SPECIES, ALL, c + cNext, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
        FloatVector t1 = fromMemorySegment(SPECIES, ALL, c + cRow + cNext, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow, ORDER);
        FloatVector t2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow + cNext, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = fromMemorySegment(SPECIES, ALL, q, ORDER);
            FloatVector b1 = fromMemorySegment(SPECIES, ALL, q + next, ORDER);
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p));
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + Float.BYTES));
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 2 * Float.BYTES));
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            a += aStep;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c, ORDER);
        VECTOR.cast(t0).intoMemorySegment(ALL, c + cNext, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c + cRow, ORDER);
        VECTOR.cast(t1).intoMemorySegment(ALL, c + cRow + cNext, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        VECTOR.cast(t2).intoMemorySegment(ALL, c + 2 * cRow + cNext, ORDER);
    }

    /** Four rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows4(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c, ORDER);
        FloatVector t0 = fromMemorySegment(SPECIES, ALL, c + cNext, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
        FloatVector t1 = fromMemorySegment(SPECIES, ALL, c + cRow + cNext, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow, ORDER);
        FloatVector t2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow + cNext, ORDER);
        FloatVector s3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow, ORDER);
        FloatVector t3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow + cNext, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = fromMemorySegment(SPECIES, ALL, q, ORDER);
            FloatVector b1 = fromMemorySegment(SPECIES, ALL, q + next, ORDER);
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p));
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + Float.BYTES));
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 2 * Float.BYTES));
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 3 * Float.BYTES));
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            a += aStep;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c, ORDER);
        VECTOR.cast(t0).intoMemorySegment(ALL, c + cNext, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c + cRow, ORDER);
        VECTOR.cast(t1).intoMemorySegment(ALL, c + cRow + cNext, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        VECTOR.cast(t2).intoMemorySegment(ALL, c + 2 * cRow + cNext, ORDER);
        VECTOR.cast(s3).intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        VECTOR.cast(t3).intoMemorySegment(ALL, c + 3 * cRow + cNext, ORDER);
    }

    /** Five rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows5(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c, ORDER);
        FloatVector t0 = fromMemorySegment(SPECIES, ALL, c + cNext, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
        FloatVector t1 = fromMemorySegment(SPECIES, ALL, c + cRow + cNext, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow, ORDER);
        FloatVector t2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow + cNext, ORDER);
        FloatVector s3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow, ORDER);
        FloatVector t3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow + cNext, ORDER);
        FloatVector s4 = fromMemorySegment(SPECIES, ALL, c + 4 * cRow, ORDER);
        FloatVector t4 = fromMemorySegment(SPECIES, ALL, c + 4 * cRow + cNext, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = fromMemorySegment(SPECIES, ALL, q, ORDER);
            FloatVector b1 = fromMemorySegment(SPECIES, ALL, q + next, ORDER);
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p));
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + Float.BYTES));
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 2 * Float.BYTES));
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 3 * Float.BYTES));
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            FloatVector a4 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 4 * Float.BYTES));
            s4 = a4.fma(b0, s4);
            t4 = a4.fma(b1, t4);
            a += aStep;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c, ORDER);
        VECTOR.cast(t0).intoMemorySegment(ALL, c + cNext, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c + cRow, ORDER);
        VECTOR.cast(t1).intoMemorySegment(ALL, c + cRow + cNext, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        VECTOR.cast(t2).intoMemorySegment(ALL, c + 2 * cRow + cNext, ORDER);
        VECTOR.cast(s3).intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        VECTOR.cast(t3).intoMemorySegment(ALL, c + 3 * cRow + cNext, ORDER);
        VECTOR.cast(s4).intoMemorySegment(ALL, c + 4 * cRow, ORDER);
        VECTOR.cast(t4).intoMemorySegment(ALL, c + 4 * cRow + cNext, ORDER);
    }

    /** Six rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows6(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c, ORDER);
        FloatVector t0 = fromMemorySegment(SPECIES, ALL, c + cNext, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
        FloatVector t1 = fromMemorySegment(SPECIES, ALL, c + cRow + cNext, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow, ORDER);
        FloatVector t2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow + cNext, ORDER);
        FloatVector s3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow, ORDER);
        FloatVector t3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow + cNext, ORDER);
        FloatVector s4 = fromMemorySegment(SPECIES, ALL, c + 4 * cRow, ORDER);
        FloatVector t4 = fromMemorySegment(SPECIES, ALL, c + 4 * cRow + cNext, ORDER);
        FloatVector s5 = fromMemorySegment(SPECIES, ALL, c + 5 * cRow, ORDER);
        FloatVector t5 = fromMemorySegment(SPECIES, ALL, c + 5 * cRow + cNext, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = fromMemorySegment(SPECIES, ALL, q, ORDER);
            FloatVector b1 = fromMemorySegment(SPECIES, ALL, q + next, ORDER);
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p));
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + Float.BYTES));
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 2 * Float.BYTES));
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 3 * Float.BYTES));
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            FloatVector a4 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 4 * Float.BYTES));
            s4 = a4.fma(b0, s4);
            t4 = a4.fma(b1, t4);
            FloatVector a5 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 5 * Float.BYTES));
            s5 = a5.fma(b0, s5);
            t5 = a5.fma(b1, t5);
            a += aStep;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c, ORDER);
        VECTOR.cast(t0).intoMemorySegment(ALL, c + cNext, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c + cRow, ORDER);
        VECTOR.cast(t1).intoMemorySegment(ALL, c + cRow + cNext, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        VECTOR.cast(t2).intoMemorySegment(ALL, c + 2 * cRow + cNext, ORDER);
        VECTOR.cast(s3).intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        VECTOR.cast(t3).intoMemorySegment(ALL, c + 3 * cRow + cNext, ORDER);
        VECTOR.cast(s4).intoMemorySegment(ALL, c + 4 * cRow, ORDER);
        VECTOR.cast(t4).intoMemorySegment(ALL, c + 4 * cRow + cNext, ORDER);
        VECTOR.cast(s5).intoMemorySegment(ALL, c + 5 * cRow, ORDER);
        VECTOR.cast(t5).intoMemorySegment(ALL, c + 5 * cRow + cNext, ORDER);
    }

    /** Seven rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows7(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c, ORDER);
        FloatVector t0 = fromMemorySegment(SPECIES, ALL, c + cNext, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
        FloatVector t1 = fromMemorySegment(SPECIES, ALL, c + cRow + cNext, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow, ORDER);
        FloatVector t2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow + cNext, ORDER);
        FloatVector s3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow, ORDER);
        FloatVector t3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow + cNext, ORDER);
        FloatVector s4 = fromMemorySegment(SPECIES, ALL, c + 4 * cRow, ORDER);
        FloatVector t4 = fromMemorySegment(SPECIES, ALL, c + 4 * cRow + cNext, ORDER);
        FloatVector s5 = fromMemorySegment(SPECIES, ALL, c + 5 * cRow, ORDER);
        FloatVector t5 = fromMemorySegment(SPECIES, ALL, c + 5 * cRow + cNext, ORDER);
        FloatVector s6 = fromMemorySegment(SPECIES, ALL, c + 6 * cRow, ORDER);
        FloatVector t6 = fromMemorySegment(SPECIES, ALL, c + 6 * cRow + cNext, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = fromMemorySegment(SPECIES, ALL, q, ORDER);
            FloatVector b1 = fromMemorySegment(SPECIES, ALL, q + next, ORDER);
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p));
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + Float.BYTES));
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 2 * Float.BYTES));
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 3 * Float.BYTES));
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            FloatVector a4 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 4 * Float.BYTES));
            s4 = a4.fma(b0, s4);
            t4 = a4.fma(b1, t4);
            FloatVector a5 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 5 * Float.BYTES));
            s5 = a5.fma(b0, s5);
            t5 = a5.fma(b1, t5);
            FloatVector a6 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 6 * Float.BYTES));
            s6 = a6.fma(b0, s6);
            t6 = a6.fma(b1, t6);
            a += aStep;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c, ORDER);
        VECTOR.cast(t0).intoMemorySegment(ALL, c + cNext, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c + cRow, ORDER);
        VECTOR.cast(t1).intoMemorySegment(ALL, c + cRow + cNext, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        VECTOR.cast(t2).intoMemorySegment(ALL, c + 2 * cRow + cNext, ORDER);
        VECTOR.cast(s3).intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        VECTOR.cast(t3).intoMemorySegment(ALL, c + 3 * cRow + cNext, ORDER);
        VECTOR.cast(s4).intoMemorySegment(ALL, c + 4 * cRow, ORDER);
        VECTOR.cast(t4).intoMemorySegment(ALL, c + 4 * cRow + cNext, ORDER);
        VECTOR.cast(s5).intoMemorySegment(ALL, c + 5 * cRow, ORDER);
        VECTOR.cast(t5).intoMemorySegment(ALL, c + 5 * cRow + cNext, ORDER);
        VECTOR.cast(s6).intoMemorySegment(ALL, c + 6 * cRow, ORDER);
        VECTOR.cast(t6).intoMemorySegment(ALL, c + 6 * cRow + cNext, ORDER);
    }

    /** Eight rows of two vectors, {@code bNext} and {@code cNext} apart. */
    static void rows8(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext, int count) {
        long next = in(bNext);
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c, ORDER);
        FloatVector t0 = fromMemorySegment(SPECIES, ALL, c + cNext, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c + cRow, ORDER);
        FloatVector t1 = fromMemorySegment(SPECIES, ALL, c + cRow + cNext, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow, ORDER);
        FloatVector t2 = fromMemorySegment(SPECIES, ALL, c + 2 * cRow + cNext, ORDER);
        FloatVector s3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow, ORDER);
        FloatVector t3 = fromMemorySegment(SPECIES, ALL, c + 3 * cRow + cNext, ORDER);
        FloatVector s4 = fromMemorySegment(SPECIES, ALL, c + 4 * cRow, ORDER);
        FloatVector t4 = fromMemorySegment(SPECIES, ALL, c + 4 * cRow + cNext, ORDER);
        FloatVector s5 = fromMemorySegment(SPECIES, ALL, c + 5 * cRow, ORDER);
        FloatVector t5 = fromMemorySegment(SPECIES, ALL, c + 5 * cRow + cNext, ORDER);
        FloatVector s6 = fromMemorySegment(SPECIES, ALL, c + 6 * cRow, ORDER);
        FloatVector t6 = fromMemorySegment(SPECIES, ALL, c + 6 * cRow + cNext, ORDER);
        FloatVector s7 = fromMemorySegment(SPECIES, ALL, c + 7 * cRow, ORDER);
        FloatVector t7 = fromMemorySegment(SPECIES, ALL, c + 7 * cRow + cNext, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            long q = in(b);
            FloatVector b0 = fromMemorySegment(SPECIES, ALL, q, ORDER);
            FloatVector b1 = fromMemorySegment(SPECIES, ALL, q + next, ORDER);
            FloatVector a0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p));
            s0 = a0.fma(b0, s0);
            t0 = a0.fma(b1, t0);
            FloatVector a1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + Float.BYTES));
            s1 = a1.fma(b0, s1);
            t1 = a1.fma(b1, t1);
            FloatVector a2 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 2 * Float.BYTES));
            s2 = a2.fma(b0, s2);
            t2 = a2.fma(b1, t2);
            FloatVector a3 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 3 * Float.BYTES));
            s3 = a3.fma(b0, s3);
            t3 = a3.fma(b1, t3);
            FloatVector a4 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 4 * Float.BYTES));
            s4 = a4.fma(b0, s4);
            t4 = a4.fma(b1, t4);
            FloatVector a5 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 5 * Float.BYTES));
            s5 = a5.fma(b0, s5);
            t5 = a5.fma(b1, t5);
            FloatVector a6 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 6 * Float.BYTES));
            s6 = a6.fma(b0, s6);
            t6 = a6.fma(b1, t6);
            FloatVector a7 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + 7 * Float.BYTES));
            s7 = a7.fma(b0, s7);
            t7 = a7.fma(b1, t7);
            a += aStep;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c, ORDER);
        VECTOR.cast(t0).intoMemorySegment(ALL, c + cNext, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c + cRow, ORDER);
        VECTOR.cast(t1).intoMemorySegment(ALL, c + cRow + cNext, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c + 2 * cRow, ORDER);
        VECTOR.cast(t2).intoMemorySegment(ALL, c + 2 * cRow + cNext, ORDER);
        VECTOR.cast(s3).intoMemorySegment(ALL, c + 3 * cRow, ORDER);
        VECTOR.cast(t3).intoMemorySegment(ALL, c + 3 * cRow + cNext, ORDER);
        VECTOR.cast(s4).intoMemorySegment(ALL, c + 4 * cRow, ORDER);
        VECTOR.cast(t4).intoMemorySegment(ALL, c + 4 * cRow + cNext, ORDER);
        VECTOR.cast(s5).intoMemorySegment(ALL, c + 5 * cRow, ORDER);
        VECTOR.cast(t5).intoMemorySegment(ALL, c + 5 * cRow + cNext, ORDER);
        VECTOR.cast(s6).intoMemorySegment(ALL, c + 6 * cRow, ORDER);
        VECTOR.cast(t6).intoMemorySegment(ALL, c + 6 * cRow + cNext, ORDER);
        VECTOR.cast(s7).intoMemorySegment(ALL, c + 7 * cRow, ORDER);
        VECTOR.cast(t7).intoMemorySegment(ALL, c + 7 * cRow + cNext, ORDER);
    }

    /** One row of eight vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowEight(long a, long b, long bStep, int count, long c0, long c1, long c2, long c3, long c4, long c5,
            long c6, long c7) {
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c0, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c1, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c2, ORDER);
        FloatVector s3 = fromMemorySegment(SPECIES, ALL, c3, ORDER);
        FloatVector s4 = fromMemorySegment(SPECIES, ALL, c4, ORDER);
        FloatVector s5 = fromMemorySegment(SPECIES, ALL, c5, ORDER);
        FloatVector s6 = fromMemorySegment(SPECIES, ALL, c6, ORDER);
        FloatVector s7 = fromMemorySegment(SPECIES, ALL, c7, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            FloatVector x = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a)));
            long q = in(b);
            s0 = x.fma(fromMemorySegment(SPECIES, ALL, q, ORDER), s0);
            s1 = x.fma(fromMemorySegment(SPECIES, ALL, q + BYTES, ORDER), s1);
            s2 = x.fma(fromMemorySegment(SPECIES, ALL, q + 2 * BYTES, ORDER), s2);
            s3 = x.fma(fromMemorySegment(SPECIES, ALL, q + 3 * BYTES, ORDER), s3);
            s4 = x.fma(fromMemorySegment(SPECIES, ALL, q + 4 * BYTES, ORDER), s4);
            s5 = x.fma(fromMemorySegment(SPECIES, ALL, q + 5 * BYTES, ORDER), s5);
            s6 = x.fma(fromMemorySegment(SPECIES, ALL, q + 6 * BYTES, ORDER), s6);
            s7 = x.fma(fromMemorySegment(SPECIES, ALL, q + 7 * BYTES, ORDER), s7);
            a += Float.BYTES;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c0, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c1, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c2, ORDER);
        VECTOR.cast(s3).intoMemorySegment(ALL, c3, ORDER);
        VECTOR.cast(s4).intoMemorySegment(ALL, c4, ORDER);
        VECTOR.cast(s5).intoMemorySegment(ALL, c5, ORDER);
        VECTOR.cast(s6).intoMemorySegment(ALL, c6, ORDER);
        VECTOR.cast(s7).intoMemorySegment(ALL, c7, ORDER);
    }

    /** One row of six vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowSix(long a, long b, long bStep, int count, long c0, long c1, long c2, long c3, long c4, long c5) {
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c0, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c1, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c2, ORDER);
        FloatVector s3 = fromMemorySegment(SPECIES, ALL, c3, ORDER);
        FloatVector s4 = fromMemorySegment(SPECIES, ALL, c4, ORDER);
        FloatVector s5 = fromMemorySegment(SPECIES, ALL, c5, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            FloatVector x = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a)));
            long q = in(b);
            s0 = x.fma(fromMemorySegment(SPECIES, ALL, q, ORDER), s0);
            s1 = x.fma(fromMemorySegment(SPECIES, ALL, q + BYTES, ORDER), s1);
            s2 = x.fma(fromMemorySegment(SPECIES, ALL, q + 2 * BYTES, ORDER), s2);
            s3 = x.fma(fromMemorySegment(SPECIES, ALL, q + 3 * BYTES, ORDER), s3);
            s4 = x.fma(fromMemorySegment(SPECIES, ALL, q + 4 * BYTES, ORDER), s4);
            s5 = x.fma(fromMemorySegment(SPECIES, ALL, q + 5 * BYTES, ORDER), s5);
            a += Float.BYTES;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c0, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c1, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c2, ORDER);
        VECTOR.cast(s3).intoMemorySegment(ALL, c3, ORDER);
        VECTOR.cast(s4).intoMemorySegment(ALL, c4, ORDER);
        VECTOR.cast(s5).intoMemorySegment(ALL, c5, ORDER);
    }

    /** One row of four vectors side by side in {@code b}; each has an address of its own in {@code c}. Two inputs at a time. */
    static void rowFour(long a, long b, long bStep, int count, long c0, long c1, long c2, long c3) {
        long next = in(bStep);
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c0, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c1, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c2, ORDER);
        FloatVector s3 = fromMemorySegment(SPECIES, ALL, c3, ORDER);
        for (long end = b + (count & -2) * bStep; b != end; b += 2 * bStep) {
            long p = in(a);
            long q = in(b);
            long r = q + next;
            FloatVector x = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p));
            FloatVector y = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, p + Float.BYTES));
            s0 = x.fma(fromMemorySegment(SPECIES, ALL, q, ORDER), s0);
            s1 = x.fma(fromMemorySegment(SPECIES, ALL, q + BYTES, ORDER), s1);
            s2 = x.fma(fromMemorySegment(SPECIES, ALL, q + 2 * BYTES, ORDER), s2);
            s3 = x.fma(fromMemorySegment(SPECIES, ALL, q + 3 * BYTES, ORDER), s3);
            s0 = y.fma(fromMemorySegment(SPECIES, ALL, r, ORDER), s0);
            s1 = y.fma(fromMemorySegment(SPECIES, ALL, r + BYTES, ORDER), s1);
            s2 = y.fma(fromMemorySegment(SPECIES, ALL, r + 2 * BYTES, ORDER), s2);
            s3 = y.fma(fromMemorySegment(SPECIES, ALL, r + 3 * BYTES, ORDER), s3);
            a += 2 * Float.BYTES;
        }
        if (count % 2 != 0) {
            FloatVector x = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, a));
            s0 = x.fma(fromMemorySegment(SPECIES, ALL, b, ORDER), s0);
            s1 = x.fma(fromMemorySegment(SPECIES, ALL, b + BYTES, ORDER), s1);
            s2 = x.fma(fromMemorySegment(SPECIES, ALL, b + 2 * BYTES, ORDER), s2);
            s3 = x.fma(fromMemorySegment(SPECIES, ALL, b + 3 * BYTES, ORDER), s3);
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c0, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c1, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c2, ORDER);
        VECTOR.cast(s3).intoMemorySegment(ALL, c3, ORDER);
    }

    /** One row of three vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowThree(long a, long b, long bStep, int count, long c0, long c1, long c2) {
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c0, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c1, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c2, ORDER);
        long end = b + count * bStep;
        for (long pairs = b + (count - count % 2) * bStep; b != pairs; b += 2 * bStep) {
            FloatVector x0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a)));
            long q0 = in(b);
            s0 = x0.fma(fromMemorySegment(SPECIES, ALL, q0, ORDER), s0);
            s1 = x0.fma(fromMemorySegment(SPECIES, ALL, q0 + BYTES, ORDER), s1);
            s2 = x0.fma(fromMemorySegment(SPECIES, ALL, q0 + 2 * BYTES, ORDER), s2);
            FloatVector x1 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + Float.BYTES)));
            long q1 = in(b + bStep);
            s0 = x1.fma(fromMemorySegment(SPECIES, ALL, q1, ORDER), s0);
            s1 = x1.fma(fromMemorySegment(SPECIES, ALL, q1 + BYTES, ORDER), s1);
            s2 = x1.fma(fromMemorySegment(SPECIES, ALL, q1 + 2 * BYTES, ORDER), s2);
            a += 2 * Float.BYTES;
        }
        if (b != end) {
            FloatVector x0 = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a)));
            long q0 = in(b);
            s0 = x0.fma(fromMemorySegment(SPECIES, ALL, q0, ORDER), s0);
            s1 = x0.fma(fromMemorySegment(SPECIES, ALL, q0 + BYTES, ORDER), s1);
            s2 = x0.fma(fromMemorySegment(SPECIES, ALL, q0 + 2 * BYTES, ORDER), s2);
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c0, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c1, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c2, ORDER);
    }

    /** One row of one vector. */
    static void row(long a, long aStep, long b, long bStep, long c, int count) {
        FloatVector s = fromMemorySegment(SPECIES, ALL, c, ORDER);
        long end = b + count * bStep;
        for (long eights = b + (count - count % 8) * bStep; b != eights; b += 8 * bStep) {
            s = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a)))
                    .fma(fromMemorySegment(SPECIES, ALL, in(b), ORDER), s);
            s = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + aStep)))
                    .fma(fromMemorySegment(SPECIES, ALL, in(b + bStep), ORDER), s);
            s = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + 2 * aStep)))
                    .fma(fromMemorySegment(SPECIES, ALL, in(b + 2 * bStep), ORDER), s);
            s = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + 3 * aStep)))
                    .fma(fromMemorySegment(SPECIES, ALL, in(b + 3 * bStep), ORDER), s);
            s = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + 4 * aStep)))
                    .fma(fromMemorySegment(SPECIES, ALL, in(b + 4 * bStep), ORDER), s);
            s = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + 5 * aStep)))
                    .fma(fromMemorySegment(SPECIES, ALL, in(b + 5 * bStep), ORDER), s);
            s = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + 6 * aStep)))
                    .fma(fromMemorySegment(SPECIES, ALL, in(b + 6 * bStep), ORDER), s);
            s = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a + 7 * aStep)))
                    .fma(fromMemorySegment(SPECIES, ALL, in(b + 7 * bStep), ORDER), s);
            a += 8 * aStep;
        }
        for (; b != end; b += bStep) {
            s = broadcast(SPECIES, ALL.get(JAVA_FLOAT_UNALIGNED, in(a)))
                    .fma(fromMemorySegment(SPECIES, ALL, in(b), ORDER), s);
            a += aStep;
        }
        VECTOR.cast(s).intoMemorySegment(ALL, c, ORDER);
    }
}
