package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.in;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.loadInts;
import static dev.ostinato.kernels.vector.Lanes.splat;
import static dev.ostinato.kernels.vector.Lanes.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** {@link Tiles} of one row by bfloat16 weights, two inputs to a word: {@code count} words, each multiplied by two floats of a. */
final class Bf16Tiles {
    private static final int UPPER = 0xffff0000;

    private Bf16Tiles() {
    }

    /** The weights of the even inputs. */
    static FloatVector even(IntVector words) {
        return words.lanewise(VectorOperators.LSHL, Short.SIZE).reinterpretAsFloats();
    }

    /** The weights of the odd inputs. */
    static FloatVector odd(IntVector words) {
        return words.lanewise(VectorOperators.AND, UPPER).reinterpretAsFloats();
    }

    /** Eight vectors side by side in {@code b}; each has an address of its own in {@code c}. */
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
            long p = in(a);
            FloatVector x = splat(p);
            FloatVector y = splat(p + Float.BYTES);
            long q = in(b);
            IntVector w = loadInts(q);
            s0 = y.fma(odd(w), x.fma(even(w), s0));
            w = loadInts(q + BYTES);
            s1 = y.fma(odd(w), x.fma(even(w), s1));
            w = loadInts(q + 2 * BYTES);
            s2 = y.fma(odd(w), x.fma(even(w), s2));
            w = loadInts(q + 3 * BYTES);
            s3 = y.fma(odd(w), x.fma(even(w), s3));
            w = loadInts(q + 4 * BYTES);
            s4 = y.fma(odd(w), x.fma(even(w), s4));
            w = loadInts(q + 5 * BYTES);
            s5 = y.fma(odd(w), x.fma(even(w), s5));
            w = loadInts(q + 6 * BYTES);
            s6 = y.fma(odd(w), x.fma(even(w), s6));
            w = loadInts(q + 7 * BYTES);
            s7 = y.fma(odd(w), x.fma(even(w), s7));
            a += 2 * Float.BYTES;
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

    /** Four vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowFour(long a, long b, long bStep, int count, long c0, long c1, long c2, long c3) {
        FloatVector s0 = load(c0);
        FloatVector s1 = load(c1);
        FloatVector s2 = load(c2);
        FloatVector s3 = load(c3);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            FloatVector x = splat(p);
            FloatVector y = splat(p + Float.BYTES);
            long q = in(b);
            IntVector w = loadInts(q);
            s0 = y.fma(odd(w), x.fma(even(w), s0));
            w = loadInts(q + BYTES);
            s1 = y.fma(odd(w), x.fma(even(w), s1));
            w = loadInts(q + 2 * BYTES);
            s2 = y.fma(odd(w), x.fma(even(w), s2));
            w = loadInts(q + 3 * BYTES);
            s3 = y.fma(odd(w), x.fma(even(w), s3));
            a += 2 * Float.BYTES;
        }
        store(s0, c0);
        store(s1, c1);
        store(s2, c2);
        store(s3, c3);
    }

    /** Three vectors side by side in {@code b}; each has an address of its own in {@code c}. */
    static void rowThree(long a, long b, long bStep, int count, long c0, long c1, long c2) {
        FloatVector s0 = load(c0);
        FloatVector s1 = load(c1);
        FloatVector s2 = load(c2);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            FloatVector x = splat(p);
            FloatVector y = splat(p + Float.BYTES);
            long q = in(b);
            IntVector w = loadInts(q);
            s0 = y.fma(odd(w), x.fma(even(w), s0));
            w = loadInts(q + BYTES);
            s1 = y.fma(odd(w), x.fma(even(w), s1));
            w = loadInts(q + 2 * BYTES);
            s2 = y.fma(odd(w), x.fma(even(w), s2));
            a += 2 * Float.BYTES;
        }
        store(s0, c0);
        store(s1, c1);
        store(s2, c2);
    }

    /** One vector. */
    static void row(long a, long b, long bStep, int count, long c) {
        FloatVector s = load(c);
        for (long end = b + count * bStep; b != end; b += bStep) {
            long p = in(a);
            IntVector w = loadInts(in(b));
            s = splat(p + Float.BYTES).fma(odd(w), splat(p).fma(even(w), s));
            a += 2 * Float.BYTES;
        }
        store(s, c);
    }

    /** One vector, the even input of one word. */
    static void last(long a, long b, long c) {
        store(splat(a).fma(even(loadInts(b)), load(c)), c);
    }

    /** Widens two columns of words, {@code next} apart, to floats {@code [input][2][lane]}, or one column, then to itself twice. */
    static void widen(long words, long step, long next, int inputs, long to) {
        for (int k = 0; k + 1 < inputs; k += 2) {
            IntVector w0 = loadInts(in(words));
            IntVector w1 = loadInts(in(words + next));
            long p = in(to);
            store(even(w0), p);
            store(even(w1), p + BYTES);
            store(odd(w0), p + 2 * BYTES);
            store(odd(w1), p + 3 * BYTES);
            words += step;
            to += 4 * BYTES;
        }
        if (inputs % 2 == 1) {
            store(even(loadInts(words)), to);
            store(even(loadInts(words + next)), to + BYTES);
        }
    }
}
