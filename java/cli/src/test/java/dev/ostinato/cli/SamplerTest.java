package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final int DRAWS = 200_000;

    private static double[] frequencies(Sampler sampler, float... logits) {
        double[] frequencies = new double[logits.length];
        for (int i = 0; i < DRAWS; i++) {
            frequencies[sampler.pick(logits)] += 1.0 / DRAWS;
        }
        return frequencies;
    }

    @Test
    void frequenciesAreTheSoftmaxOfLogitsOverTemperature() {
        float[] logits = {0.5f, -1, 2, 1.25f};
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit / 0.8);
        }
        double[] frequencies = frequencies(new Sampler(0.8, 0, 11), logits);
        for (int i = 0; i < logits.length; i++) {
            assertEquals(Math.exp(logits[i] / 0.8) / sum, frequencies[i], 5 * Math.sqrt(0.25 / DRAWS));
        }
    }

    @Test
    void topKLeavesOutTheRest() {
        double[] frequencies = frequencies(new Sampler(1, 2, 12), 1, 3, -2, 2);
        assertEquals(0, frequencies[0]);
        assertEquals(0, frequencies[2]);
        assertEquals(1 / (1 + Math.exp(-1)), frequencies[1], 5 * Math.sqrt(0.25 / DRAWS));
    }

    @Test
    void impossibleTokensAreNeverPicked() {
        double[] frequencies =
                frequencies(new Sampler(100, 0, 13), Float.NEGATIVE_INFINITY, 0, Float.NEGATIVE_INFINITY);
        assertEquals(1, frequencies[1], 1e-9);
    }

    @Test
    void amongEqualsTheFirstIsTheMostLikely() {
        assertEquals(1, new Sampler(0, 0, 0).pick(new float[] {0, 2, 2, 1}));
    }
}
