package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Decoding;
import dev.ostinato.nn.Decoding.Hypothesis;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.State;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** A model goes on by itself: with the likeliest tokens, or the likeliest sequences. */
final class DecodingTest {
    private static final int VOCABULARY = 4;
    private static final int START = 3;
    private static final int END = 2;

    private final RandomGenerator random = new SplittableRandom(Conformance.BOUNDED_SEED);

    private Model model() {
        return RandomModels.randomised(
                Model.builder().embedding(VOCABULARY, 5).lstm(9).dense(VOCABULARY).build(), random);
    }

    private static float[] logits(Model model, int... tokens) {
        State state = model.newState();
        float[] logits = new float[VOCABULARY];
        for (int token : tokens) {
            model.step(token, state, logits);
        }
        return logits;
    }

    @Test
    void greedyFollowsTheLikeliest() {
        for (int i = 0; i < 20; i++) {
            Model model = model();
            int[] answers = Decoding.of(START, 6).until(END).greedy(model, model.newState())[0];
            int[] read = {START};
            for (int answer : answers) {
                assertEquals(likeliest(logits(model, read)), answer);
                read = appended(read, answer);
            }
            assertTrue(answers.length == 6 || likeliest(logits(model, read)) == END);
            assertEquals(6, Decoding.of(START, 6).greedy(model, model.newState())[0].length);
        }
    }

    private static int likeliest(float[] logits) {
        int best = 0;
        for (int j = 0; j < logits.length; j++) {
            best = logits[j] > logits[best] ? j : best;
        }
        return best;
    }

    private static int[] appended(int[] tokens, int token) {
        int[] longer = Arrays.copyOf(tokens, tokens.length + 1);
        longer[tokens.length] = token;
        return longer;
    }

    @Test
    void aRowAnswersAsItWouldAlone() {
        EncoderDecoder model = new EncoderDecoder(
                RandomModels.randomised(Model.builder().embedding(5, 4).gru(8).build(), random),
                RandomModels.randomised(
                        Model.builder().embedding(VOCABULARY, 4).gru(8).attention().dense(VOCABULARY).build(), random));
        int[][] sources = {{1, 2, 3}, {}, {4}, {0, 0, 1, 2, 3}};
        List<State> states = Arrays.stream(sources).map(model::encode).toList();
        Decoding decoding = Decoding.of(START, 7).until(END);
        int[][] together = decoding.greedy(model.decoder(), State.stack(states));
        for (int b = 0; b < sources.length; b++) {
            assertArrayEquals(decoding.greedy(model.decoder(), states.get(b).copy())[0], together[b]);
            Hypothesis one = decoding.beam(model.decoder(), states.get(b), 1).getFirst();
            assertArrayEquals(together[b], one.tokens());
        }
    }

    @Test
    void aBeamOfOneIsGreedy() {
        for (int i = 0; i < 20; i++) {
            Model model = model();
            Decoding decoding = Decoding.of(START, 5).until(END);
            List<Hypothesis> found = decoding.beam(model, model.newState(), 1);
            assertEquals(1, found.size());
            assertArrayEquals(decoding.greedy(model, model.newState())[0], found.getFirst().tokens());
        }
    }

    /** A beam wide enough for all beginnings finds what looking at every sequence finds. */
    @Test
    void aWideBeamFindsTheLikeliestOfAll() {
        int surprises = 0;
        for (int i = 0; i < 20; i++) {
            Model model = model();
            List<Hypothesis> all = new ArrayList<>();
            enumerate(model, new int[] {START}, 0, 4, all);
            Hypothesis best =
                    all.stream().max(Comparator.comparingDouble(Hypothesis::logProbability)).orElseThrow();
            State state = model.newState();
            Decoding decoding = Decoding.of(START, 4).until(END);
            List<Hypothesis> found = decoding.beam(model, state, 100);
            assertArrayEquals(best.tokens(), found.getFirst().tokens());
            assertEquals(best.logProbability(), found.getFirst().logProbability(), 1e-5);
            assertEquals(found, found.stream().sorted(Comparator.comparingDouble(h -> -h.logProbability())).toList());
            assertArrayEquals(new float[9], state.tensors().getFirst().data()); // the caller's state stays as it is
            surprises += Arrays.equals(best.tokens(), decoding.greedy(model, state)[0]) ? 0 : 1;
        }
        assertTrue(surprises > 0, "greedy found all, so that nothing was searched for");
    }

    /** Adds every sequence of at most so many answers that ends. */
    private static void enumerate(Model model, int[] read, double logProbability, int steps, List<Hypothesis> all) {
        if (steps == 0) {
            return;
        }
        float[] logits = logits(model, read);
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        for (int token = 0; token < VOCABULARY; token++) {
            double longer = logProbability + logits[token] - Math.log(sum);
            if (token == END) {
                all.add(new Hypothesis(Arrays.copyOfRange(read, 1, read.length), longer));
            } else {
                enumerate(model, appended(read, token), longer, steps - 1, all);
            }
        }
    }

    @Test
    void withoutAnEndTheCutOffAreReturned() {
        Model model = model();
        List<Hypothesis> found = Decoding.of(START, 3).beam(model, model.newState(), 2);
        assertEquals(2, found.size());
        assertEquals(3, found.getFirst().tokens().length);
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Model model = model();
        Model features = Model.builder().features(VOCABULARY).lstm(9).dense(VOCABULARY).build();
        Decoding decoding = Decoding.of(START, 3);
        refused("steps: expected >= 1, got 0", () -> Decoding.of(START, 0));
        refused("width: expected >= 1, got 0", () -> decoding.beam(model, model.newState(), 0));
        refused("state: expected one row, got 2", () -> decoding.beam(model, model.newState(2), 1));
        refused("decoding: expected a model that steps from tokens to tokens, got ",
                () -> decoding.greedy(features, features.newState()));
        assertThrows(IndexOutOfBoundsException.class,
                () -> Decoding.of(VOCABULARY, 1).greedy(model, model.newState()));
    }

    private static void refused(String message, Runnable call) {
        String actual = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertEquals(message, actual.substring(0, Math.min(message.length(), actual.length())));
    }
}
