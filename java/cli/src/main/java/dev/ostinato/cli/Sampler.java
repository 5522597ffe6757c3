package dev.ostinato.cli;

import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Picks tokens by the probabilities that a model gives them. The same seed picks the same everywhere. Not safe for several threads. */
final class Sampler {
    private final double temperature;
    private final int topK;
    private final SplittableRandom random;

    /**
     * @param temperature divides the logits; 0 always picks the most likely token
     * @param topK considers only so many most likely tokens; 0 considers all
     */
    Sampler(double temperature, int topK, long seed) {
        this.temperature = temperature;
        this.topK = topK;
        this.random = new SplittableRandom(seed);
    }

    /**
     * Returns a token.
     *
     * @param logits (V), not NaN; minus infinity excludes a token
     */
    int pick(float[] logits) {
        int[] candidates = mostLikelyFirst(logits);
        if (temperature == 0) {
            return candidates[0];
        }
        double[] weights = new double[topK == 0 ? candidates.length : Math.min(topK, candidates.length)];
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = StrictMath.exp(((double) logits[candidates[i]] - logits[candidates[0]]) / temperature);
            sum += weights[i];
        }
        double left = random.nextDouble() * sum;
        int chosen = 0;
        // Rounding may leave a little at the end; it never goes to what has no probability.
        while (chosen < weights.length - 1 && left >= weights[chosen] && weights[chosen + 1] > 0) {
            left -= weights[chosen++];
        }
        return candidates[chosen];
    }

    /** Equal ones keep their order, so that the answer is one. */
    private static int[] mostLikelyFirst(float[] logits) {
        return IntStream.range(0, logits.length).boxed().sorted((a, b) -> Float.compare(logits[b], logits[a]))
                .mapToInt(Integer::intValue).toArray();
    }
}
