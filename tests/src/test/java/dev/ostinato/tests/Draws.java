package dev.ostinato.tests;

/**
 * The random numbers of dropout and its relatives, written from their definition: number n of a key is what SplitMix64's finaliser makes of
 * {@code key + n * golden ratio}, and a key for a purpose is made of two of them.
 */
record Draws(long key) {
    /** Nothing is drawn: masks are what they are expected to be. */
    static final Draws NONE = new Draws(0);

    /** Returns those of a step of training, the first being 1. */
    static Draws ofStep(long seed, long step) {
        return new Draws(new Draws(seed).purpose(step) | 1);
    }

    /** Returns those of a layer, of a direction in it, or of what they are for. */
    Draws of(long purpose) {
        return key == 0 ? NONE : new Draws(purpose(purpose));
    }

    private long purpose(long purpose) {
        return new Draws(bits(purpose)).bits(-1 - purpose);
    }

    private long bits(long number) {
        long z = key + number * -7046029254386353131L;
        z = (z ^ z >>> 30) * -4658895280553007687L;
        z = (z ^ z >>> 27) * -7723592293110705685L;
        return z ^ z >>> 31;
    }

    private boolean below(float rate, long number) {
        return Math.scalb((double) (bits(number) >>> 40), -24) < rate;
    }

    /** Returns what dropout multiplies with. */
    double dropout(float rate, long number) {
        return key == 0 ? 1 : below(rate, number) ? 0 : 1 / (1 - rate);
    }

    /** Returns whether a unit keeps its value, as 1 or 0; or with which probability. */
    double keeps(float rate, long number) {
        return key == 0 ? rate : below(rate, number) ? 1 : 0;
    }
}
