package dev.ostinato.nn;

import java.util.BitSet;

/**
 * Draws distinct classes with the probabilities {@code P(c) = log((c + 2) / (c + 1)) / log(V + 1)}: Zipf's law for a vocabulary whose
 * frequent words come first. Again and again until there are enough.
 */
final class LogUniformSampler {
    private final int classes;
    private final int[] drawn;
    private final BitSet seen;
    private long draws;

    /** @param samples how many classes to draw; less than {@code classes} */
    LogUniformSampler(int classes, int samples) {
        this.classes = classes;
        this.drawn = new int[samples];
        this.seen = new BitSet(classes);
    }

    /** Draws, by a key of {@link CounterRandom} alone. */
    void draw(long key) {
        seen.clear();
        draws = 0;
        for (int found = 0; found < drawn.length;) {
            double uniform = (CounterRandom.bits(key, draws++) >>> 11) * 0x1p-53;
            int index = (int) StrictMath.exp(uniform * StrictMath.log(classes + 1.0)) - 1;
            int inside = Math.min(index, classes - 1);
            if (!seen.get(inside)) {
                seen.set(inside);
                drawn[found++] = inside;
            }
        }
    }

    /** Returns the classes of the last draw, in the order in which they came. */
    int[] drawn() {
        return drawn;
    }

    /** Returns the logarithm of how often a class is expected among so many draws, at most once. */
    double logExpected(int index) {
        double probability = StrictMath.log((index + 2.0) / (index + 1.0)) / StrictMath.log(classes + 1.0);
        return StrictMath.log(-StrictMath.expm1(draws * StrictMath.log1p(-probability)));
    }
}
