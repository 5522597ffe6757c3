package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.INTS;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static dev.ostinato.kernels.vector.Lanes.VECTOR;
import static dev.ostinato.kernels.vector.Lanes.in;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.AND;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.ostinato.kernels.raw.Raw;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * {@link Tiles} of one row by bfloat16 weights, two inputs to a word: {@code count} words, each multiplied by two floats of a. A shift
 * widens the weights of even inputs, a mask those of odd ones. They call the Vector API without helpers in between, for the reason that
 * {@link VectorGates} gives.
 */
final class Bf16Tiles {
    private static final int HALF = Short.SIZE;
    private static final int UPPER = 0xffff0000;

    private Bf16Tiles() {
    }

    /** Eight vectors side by side in {@code b}; each has an address of its own in {@code c}. */
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
            long p = in(a);
            FloatVector x = broadcast(SPECIES, Raw.get(p));
            FloatVector y = broadcast(SPECIES, Raw.get(p + Float.BYTES));
            long q = in(b);
            IntVector w = IntVector.fromMemorySegment(INTS, ALL, q, ORDER);
            s0 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s0);
            s0 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s0);
            w = IntVector.fromMemorySegment(INTS, ALL, q + BYTES, ORDER);
            s1 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s1);
            s1 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s1);
            w = IntVector.fromMemorySegment(INTS, ALL, q + 2 * BYTES, ORDER);
            s2 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s2);
            s2 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s2);
            w = IntVector.fromMemorySegment(INTS, ALL, q + 3 * BYTES, ORDER);
            s3 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s3);
            s3 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s3);
            w = IntVector.fromMemorySegment(INTS, ALL, q + 4 * BYTES, ORDER);
            s4 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s4);
            s4 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s4);
            w = IntVector.fromMemorySegment(INTS, ALL, q + 5 * BYTES, ORDER);
            s5 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s5);
            s5 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s5);
            w = IntVector.fromMemorySegment(INTS, ALL, q + 6 * BYTES, ORDER);
            s6 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s6);
            s6 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s6);
            w = IntVector.fromMemorySegment(INTS, ALL, q + 7 * BYTES, ORDER);
            s7 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s7);
            s7 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s7);
            a += 2 * Float.BYTES;
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

    /** Four vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowFour(long a, long b, long bStep, int count, long c0, long c1, long c2, long c3) {
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c0, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c1, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c2, ORDER);
        FloatVector s3 = fromMemorySegment(SPECIES, ALL, c3, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            FloatVector x = broadcast(SPECIES, Raw.get(p));
            FloatVector y = broadcast(SPECIES, Raw.get(p + Float.BYTES));
            long q = in(b);
            IntVector w = IntVector.fromMemorySegment(INTS, ALL, q, ORDER);
            s0 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s0);
            s0 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s0);
            w = IntVector.fromMemorySegment(INTS, ALL, q + BYTES, ORDER);
            s1 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s1);
            s1 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s1);
            w = IntVector.fromMemorySegment(INTS, ALL, q + 2 * BYTES, ORDER);
            s2 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s2);
            s2 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s2);
            w = IntVector.fromMemorySegment(INTS, ALL, q + 3 * BYTES, ORDER);
            s3 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s3);
            s3 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s3);
            a += 2 * Float.BYTES;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c0, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c1, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c2, ORDER);
        VECTOR.cast(s3).intoMemorySegment(ALL, c3, ORDER);
    }

    /** Three vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowThree(long a, long b, long bStep, int count, long c0, long c1, long c2) {
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c0, ORDER);
        FloatVector s1 = fromMemorySegment(SPECIES, ALL, c1, ORDER);
        FloatVector s2 = fromMemorySegment(SPECIES, ALL, c2, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            FloatVector x = broadcast(SPECIES, Raw.get(p));
            FloatVector y = broadcast(SPECIES, Raw.get(p + Float.BYTES));
            long q = in(b);
            IntVector w = IntVector.fromMemorySegment(INTS, ALL, q, ORDER);
            s0 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s0);
            s0 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s0);
            w = IntVector.fromMemorySegment(INTS, ALL, q + BYTES, ORDER);
            s1 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s1);
            s1 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s1);
            w = IntVector.fromMemorySegment(INTS, ALL, q + 2 * BYTES, ORDER);
            s2 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s2);
            s2 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s2);
            a += 2 * Float.BYTES;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c0, ORDER);
        VECTOR.cast(s1).intoMemorySegment(ALL, c1, ORDER);
        VECTOR.cast(s2).intoMemorySegment(ALL, c2, ORDER);
    }

    /** One vector. */
    static void row(long a, long b, long bStep, int count, long c0) {
        FloatVector s0 = fromMemorySegment(SPECIES, ALL, c0, ORDER);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            FloatVector x = broadcast(SPECIES, Raw.get(p));
            FloatVector y = broadcast(SPECIES, Raw.get(p + Float.BYTES));
            long q = in(b);
            IntVector w = IntVector.fromMemorySegment(INTS, ALL, q, ORDER);
            s0 = x.fma(w.lanewise(LSHL, HALF).reinterpretAsFloats(), s0);
            s0 = y.fma(w.lanewise(AND, UPPER).reinterpretAsFloats(), s0);
            a += 2 * Float.BYTES;
        }
        VECTOR.cast(s0).intoMemorySegment(ALL, c0, ORDER);
    }

    /** One vector, the even input of one word. */
    static void last(long a, long b, long c) {
        FloatVector even = IntVector.fromMemorySegment(INTS, ALL, b, ORDER).lanewise(LSHL, HALF).reinterpretAsFloats();
        FloatVector s = fromMemorySegment(SPECIES, ALL, c, ORDER);
        broadcast(SPECIES, Raw.get(a)).fma(even, s).intoMemorySegment(ALL, c, ORDER);
    }

    /** Widens two columns of words, {@code next} apart, to floats {@code [input][2][lane]}; of one column alone next is 0. */
    static void widen(long words, long step, long next, int inputs, long to) {
        for (int k = 0; k < inputs; k += 2) {
            long q = in(words);
            IntVector w0 = IntVector.fromMemorySegment(INTS, ALL, q, ORDER);
            IntVector w1 = IntVector.fromMemorySegment(INTS, ALL, q + in(next), ORDER);
            long p = in(to);
            w0.lanewise(LSHL, HALF).intoMemorySegment(ALL, p, ORDER);
            w1.lanewise(LSHL, HALF).intoMemorySegment(ALL, p + BYTES, ORDER);
            w0.lanewise(AND, UPPER).intoMemorySegment(ALL, p + 2 * BYTES, ORDER);
            w1.lanewise(AND, UPPER).intoMemorySegment(ALL, p + 3 * BYTES, ORDER);
            words += step;
            to += 4 * BYTES;
        }
    }
}
