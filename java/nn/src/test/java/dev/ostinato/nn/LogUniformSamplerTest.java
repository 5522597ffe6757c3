package dev.ostinato.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What sampled softmax draws, against the distribution that its correction assumes. */
final class LogUniformSamplerTest {
    private static final int DRAWS = 20_000;

    /** A single draw has the probabilities of its definition: within five standard deviations, for keys that are always the same. */
    @Test
    void oneDrawFollowsZipf() {
        int classes = 7;
        LogUniformSampler sampler = new LogUniformSampler(classes, 1);
        int[] counts = new int[classes];
        for (int key = 0; key < DRAWS; key++) {
            sampler.draw(CounterRandom.key(1, key));
            counts[sampler.drawn()[0]]++;
        }
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            double probability = Math.log((c + 2.0) / (c + 1)) / Math.log(classes + 1);
            double deviation = Math.sqrt(DRAWS * probability * (1 - probability));
            assertEquals(DRAWS * probability, counts[c], 5 * deviation, "class " + c);
            assertEquals(Math.log(probability), sampler.logExpected(c), 1e-12);
            sum += probability;
        }
        assertEquals(1, sum, 1e-12);
    }

    /** As often as a class is among the samples it is expected to be. */
    @Test
    void samplesAreDistinctAndAsOftenAsExpected() {
        int classes = 40;
        LogUniformSampler sampler = new LogUniformSampler(classes, 12);
        double[] found = new double[classes];
        double[] expected = new double[classes];
        for (int key = 0; key < DRAWS; key++) {
            sampler.draw(CounterRandom.key(2, key));
            assertEquals(12, Arrays.stream(sampler.drawn()).distinct().count());
            for (int c : sampler.drawn()) {
                found[c]++;
            }
            for (int c = 0; c < classes; c++) {
                expected[c] += Math.exp(sampler.logExpected(c));
            }
        }
        for (int c = 0; c < classes; c++) {
            // The number of draws depends on what is drawn, so that the expectation is not exact; it is within 2 %.
            assertEquals(expected[c], found[c], 0.02 * expected[c] + 5 * Math.sqrt(expected[c]), "class " + c);
        }
    }

    @Test
    void aKeyDecides() {
        LogUniformSampler one = new LogUniformSampler(1000, 20);
        LogUniformSampler other = new LogUniformSampler(1000, 20);
        one.draw(5);
        other.draw(6);
        assertFalse(Arrays.equals(one.drawn(), other.drawn()));
        other.draw(5);
        assertArrayEquals(one.drawn(), other.drawn());
        assertEquals(one.logExpected(3), other.logExpected(3));
    }
}
