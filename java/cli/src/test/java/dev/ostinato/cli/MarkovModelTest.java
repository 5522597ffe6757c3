package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MarkovModelTest {
    private static final double EXACT = 1e-15;

    /** The text a b a b a c, worked out by hand. */
    @Test
    void smallTextGivesTheFractionsOnPaper() {
        int a = 0;
        int b = 1;
        int c = 2;
        MarkovModel model = MarkovModel.fit(new int[] {a, b, a, b, a, c}, 4, 1);
        // 6 tokens of 3 kinds over 4 possible ones: a 3 times, b twice, c once.
        assertEquals((3 + 3 * 0.25) / 9, model.probability(a), EXACT);
        assertEquals((2 + 3 * 0.25) / 9, model.probability(b), EXACT);
        assertEquals((1 + 3 * 0.25) / 9, model.probability(c), EXACT);
        assertEquals(3 * 0.25 / 9, model.probability(3), EXACT);
        // Behind a: b twice, c once. Behind b: a twice. Behind c and the unknown: nothing.
        assertEquals((2 + 2 * 2.75 / 9) / 5, model.probability(b, a), EXACT);
        assertEquals((0 + 2 * 3.75 / 9) / 5, model.probability(a, a), EXACT);
        assertEquals((2 + 1 * 3.75 / 9) / 3, model.probability(a, b), EXACT);
        assertEquals(3.75 / 9, model.probability(a, c), EXACT);
        assertEquals(3.75 / 9, model.probability(a, 3), EXACT);
        // The first token is given.
        assertEquals(-(log2((2 + 2 * 2.75 / 9) / 5) + log2((2 + 1 * 3.75 / 9) / 3)) / 2,
                model.bits(new int[] {a, b, a}),
                1e-12);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 5})
    void probabilitiesSumToOne(int order) {
        int vocabulary = 7;
        SplittableRandom random = new SplittableRandom(order);
        int[] text = random.ints(500, 0, vocabulary - 1).toArray();
        MarkovModel model = MarkovModel.fit(text, vocabulary, order);
        for (int trial = 0; trial < 100; trial++) {
            int[] before = random.ints(trial % 7, 0, vocabulary).toArray();
            double sum = 0;
            for (int token = 0; token < vocabulary; token++) {
                double p = model.probability(token, before);
                assertTrue(p > 0);
                sum += p;
            }
            assertEquals(1, sum, 1e-12, Arrays.toString(before));
        }
    }

    @Test
    void tokensFarFromOneAnotherAreKeptApart() {
        int vocabulary = Character.MAX_CODE_POINT;
        int[] text = new SplittableRandom(1).ints(200_000, 0, vocabulary).toArray();
        MarkovModel model = MarkovModel.fit(text, vocabulary, 3);
        assertTrue(model.bits(Arrays.copyOf(text, 1000)) < 3);
        assertTrue(model.bits(new SplittableRandom(2).ints(1000, 0, vocabulary).toArray()) > 15);
    }

    @Test
    void longerContextPredictsARuleThatNeedsIt() {
        int[] text = new int[30_000];
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < text.length; i++) {
            text[i] = i % 3 == 2 ? text[i - 1] ^ text[i - 2] : random.nextInt(2);
        }
        double one = MarkovModel.fit(text, 2, 1).bits(text);
        double three = MarkovModel.fit(text, 2, 3).bits(text);
        assertEquals(1, one, 0.01);
        assertTrue(three < 0.99, "got " + three);
    }

    @Test
    void textWithoutAnythingToPredictIsRefused() {
        MarkovModel model = MarkovModel.fit(new int[0], 2, 3);
        assertEquals(0.5, model.probability(1, 0));
        assertThrows(IllegalArgumentException.class, () -> model.bits(new int[] {1}));
    }

    private static double log2(double x) {
        return Math.log(x) / Math.log(2);
    }
}
