package dev.ostinato.cli;

import java.util.Arrays;

/**
 * A language model that counts: it predicts a token from the {@code order} tokens before it. The estimates of all orders are
 * interpolated as Witten and Bell (1991) do, down to the uniform distribution over V tokens:
 *
 * <pre>
 * p_k(w | h) = (n(h w) + d(h) p_{k-1}(w | h without its first token)) / (n(h) + d(h))      p_{-1}(w) = 1 / V</pre>
 *
 * with n(h w) the times that w followed h, n(h) its sum over w, and d(h) the number of different w. Order 0 is the distribution of
 * the single tokens.
 */
final class MarkovModel {
    private static final int ROOT = 0;
    private static final int NONE = -1;
    private static final long EMPTY = -1;

    private final int order;
    private final int vocabulary;
    /** Of a sequence of up to order + 1 tokens: the times it was seen, was followed, and by how many different tokens. */
    private int[] seen = new int[1 << 10];
    private int[] followed = new int[1 << 10];
    private int[] followers = new int[1 << 10];
    private int sequences = 1;
    /** Open addressing from a sequence and the token behind it to the longer sequence. */
    private long[] keys = new long[1 << 11];
    private int[] values = new int[1 << 11];

    private MarkovModel(int order, int vocabulary) {
        this.order = order;
        this.vocabulary = vocabulary;
        Arrays.fill(keys, EMPTY);
    }

    /**
     * Counts a text.
     *
     * @param vocabulary number of different tokens there may be, V
     */
    static MarkovModel fit(int[] text, int vocabulary, int order) {
        MarkovModel model = new MarkovModel(order, vocabulary);
        int[] suffixes = model.noSuffixes();
        for (int token : text) {
            model.count(token, suffixes);
        }
        return model;
    }

    /** Returns the mean of -log2 p over all tokens of a text but the first, each given those before it in this text. */
    double bits(int[] text) {
        if (text.length < 2) {
            throw new IllegalArgumentException("text: expected at least 2 tokens, got " + text.length);
        }
        int[] suffixes = noSuffixes();
        advance(text[0], suffixes);
        double sum = 0;
        for (int i = 1; i < text.length; i++) {
            sum -= Math.log(estimate(text[i], suffixes));
            advance(text[i], suffixes);
        }
        return sum / (text.length - 1) / Math.log(2);
    }

    /** Returns the probability of a token behind others, of which the last {@code order} count. */
    double probability(int token, int... before) {
        int[] suffixes = noSuffixes();
        for (int previous : before) {
            advance(previous, suffixes);
        }
        return estimate(token, suffixes);
    }

    /** Returns (order + 1): at k the sequence of the last k tokens, or NONE if there are fewer or it was never seen. */
    private int[] noSuffixes() {
        int[] suffixes = new int[order + 1];
        Arrays.fill(suffixes, NONE);
        suffixes[0] = ROOT;
        return suffixes;
    }

    private void count(int token, int[] suffixes) {
        for (int k = order; k >= 0; k--) {
            int suffix = suffixes[k];
            if (suffix == NONE) {
                continue;
            }
            int longer = follow(suffix, token);
            if (longer == NONE) {
                longer = add(suffix, token);
                followers[suffix]++;
            }
            seen[longer]++;
            followed[suffix]++;
            if (k < order) {
                suffixes[k + 1] = longer;
            }
        }
    }

    private void advance(int token, int[] suffixes) {
        for (int k = order - 1; k >= 0; k--) {
            suffixes[k + 1] = suffixes[k] == NONE ? NONE : follow(suffixes[k], token);
        }
    }

    private double estimate(int token, int[] suffixes) {
        double p = 1.0 / vocabulary;
        for (int suffix : suffixes) {
            if (suffix != NONE && followed[suffix] > 0) {
                int longer = follow(suffix, token);
                double n = longer == NONE ? 0 : seen[longer];
                p = (n + followers[suffix] * p) / (followed[suffix] + followers[suffix]);
            }
        }
        return p;
    }

    private int follow(int sequence, int token) {
        int slot = slot(key(sequence, token));
        return keys[slot] == EMPTY ? NONE : values[slot];
    }

    private int add(int sequence, int token) {
        if (sequences == seen.length) {
            seen = Arrays.copyOf(seen, 2 * sequences);
            followed = Arrays.copyOf(followed, 2 * sequences);
            followers = Arrays.copyOf(followers, 2 * sequences);
            rehash();
        }
        int slot = slot(key(sequence, token));
        keys[slot] = key(sequence, token);
        values[slot] = sequences;
        return sequences++;
    }

    /** Keeps the table at most half full. */
    private void rehash() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[2 * oldKeys.length];
        values = new int[2 * oldKeys.length];
        Arrays.fill(keys, EMPTY);
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != EMPTY) {
                int slot = slot(oldKeys[i]);
                keys[slot] = oldKeys[i];
                values[slot] = oldValues[i];
            }
        }
    }

    private static long key(int sequence, int token) {
        return (long) sequence << 32 | token;
    }

    private int slot(long key) {
        long mixed = key * 0x9E3779B97F4A7C15L;
        int slot = (int) (mixed >>> 32) & (keys.length - 1);
        while (keys[slot] != EMPTY && keys[slot] != key) {
            slot = (slot + 1) & (keys.length - 1);
        }
        return slot;
    }
}
