package dev.ostinato.examples.tasks;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What comes after the last n - 1 tokens, by counting: interpolated Kneser-Ney (Ney et al. 1994), the best of the models that only count. What is
 * learned of long contexts is mixed with what is learned of shorter ones, where a token counts as often as it has different tokens before it.
 */
public final class KneserNey {
    private final int vocabulary;
    /** Of contexts of 0, 1, .. n - 1 tokens. */
    private final List<Order> orders = new ArrayList<>();

    /** What is counted of one length. Keys are the numbers that tokens make as digits in base V. */
    private static final class Order {
        private final Map<Long, Integer> grams = new HashMap<>();
        private final Map<Long, Integer> totals = new HashMap<>();
        private final Map<Long, Integer> kinds = new HashMap<>();
        private double discount;

        void finish(int vocabulary) {
            int once = 0;
            int twice = 0;
            for (Map.Entry<Long, Integer> gram : grams.entrySet()) {
                long context = gram.getKey() / vocabulary;
                totals.merge(context, gram.getValue(), Integer::sum);
                kinds.merge(context, 1, Integer::sum);
                once += gram.getValue() == 1 ? 1 : 0;
                twice += gram.getValue() == 2 ? 1 : 0;
            }
            discount = once == 0 ? 0.5 : once / (once + 2.0 * twice);
        }
    }

    /**
     * Counts.
     *
     * @param vocabulary V, how many tokens there are
     * @param length n of the longest sequences that are counted; 1 is how often each token occurs
     * @throws IllegalArgumentException if {@code V^n} is beyond a long
     */
    public KneserNey(int[] text, int vocabulary, int length) {
        if (length < 1 || length * Math.log(vocabulary) > Math.log(Long.MAX_VALUE)) {
            throw new IllegalArgumentException("length: expected >= 1, with " + vocabulary + "^length a long, got "
                    + length);
        }
        this.vocabulary = vocabulary;
        for (int n = 1; n <= length; n++) {
            orders.add(new Order());
        }
        for (int end = length; end <= text.length; end++) {
            orders.getLast().grams.merge(key(text, end - length, end), 1, Integer::sum);
        }
        long span = power(length - 1);
        for (int n = length - 1; n >= 1; n--) {
            Order shorter = orders.get(n - 1);
            for (long gram : orders.get(n).grams.keySet()) {
                shorter.grams.merge(gram % span, 1, Integer::sum);
            }
            span /= vocabulary;
        }
        orders.forEach(order -> order.finish(vocabulary));
    }

    private long power(int exponent) {
        long power = 1;
        for (int i = 0; i < exponent; i++) {
            power *= vocabulary;
        }
        return power;
    }

    private long key(int[] text, int from, int to) {
        long key = 0;
        for (int i = from; i < to; i++) {
            key = key * vocabulary + text[i];
        }
        return key;
    }

    /** Returns the probability of a token of a text, given those before it. */
    public double probability(int[] text, int at) {
        double probability = 1.0 / vocabulary;
        for (int n = 1; n <= Math.min(orders.size(), at + 1); n++) {
            Order order = orders.get(n - 1);
            long context = key(text, at - n + 1, at);
            int total = order.totals.getOrDefault(context, 0);
            if (total == 0) { // never seen, and so are all longer ones
                break;
            }
            int count = order.grams.getOrDefault(context * vocabulary + text[at], 0);
            double kept = Math.max(0, count - order.discount);
            probability = (kept + order.discount * order.kinds.getOrDefault(context, 0) * probability) / total;
        }
        return probability;
    }

    /** Returns the mean negative log-probability of the tokens behind the first, in nats. */
    public double nats(int[] text) {
        double sum = 0;
        for (int i = 1; i < text.length; i++) {
            sum -= Math.log(probability(text, i));
        }
        return sum / (text.length - 1);
    }
}
