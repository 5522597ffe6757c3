package dev.ostinato.nn;

/**
 * Random numbers without a state: a number is a function of a key and a counter, so that any thread can draw any of them, in any
 * order. The function is the finaliser of SplitMix64 (Steele, Lea and Flood 2014) over counter * golden ratio + key.
 */
final class CounterRandom {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private CounterRandom() {
    }

    /** Returns 64 random bits. */
    static long bits(long key, long counter) {
        long z = key + counter * GOLDEN;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** Returns a key of its own for a purpose under this key. */
    static long key(long key, long purpose) {
        return bits(bits(key, purpose), ~purpose);
    }

    /** Returns a multiple of 2^-24 in [0, 1). */
    static float uniform(long key, long counter) {
        return (bits(key, counter) >>> 40) * 0x1p-24f;
    }

    /** Returns a normal deviate with mean 0 and variance 1 (Box and Muller 1958). */
    static float normal(long key, long counter) {
        // StrictMath: the same bits everywhere.
        double u = ((bits(key, 2 * counter) >>> 11) + 1) * 0x1p-53;
        double v = (bits(key, 2 * counter + 1) >>> 11) * 0x1p-53;
        return (float) (StrictMath.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(2 * Math.PI * v));
    }
}
