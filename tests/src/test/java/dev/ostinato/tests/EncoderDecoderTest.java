package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Decoding;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import dev.ostinato.nn.Validation;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** However rows, steps and work are cut, and whoever computes, an encoder and a decoder have the same bits; what does not fit is refused. */
final class EncoderDecoderTest {
    private static final int LETTERS = 7;
    private static final int PHONEMES = 6;
    private static final int START = 5;
    private static final int END = 4;
    private static final int HIDDEN = 9;

    private final RandomGenerator random = new SplittableRandom(Conformance.SEED);

    private static Stream<String> backends() {
        return ExactBackends.names();
    }

    private EncoderDecoder attending(String backend) {
        return randomised(
                Model.builder().embedding(LETTERS, 5).bidirectional(CellType.LSTM, HIDDEN, Layer.Merge.CONCAT)
                        .dropout(0.2).lstm(2 * HIDDEN).backend(backend),
                Model.builder().embedding(PHONEMES, 5).lstm(2 * HIDDEN).dropout(0.2).lstm(2 * HIDDEN).attention()
                        .dense(PHONEMES).backend(backend));
    }

    private EncoderDecoder randomised(Model.Builder encoder, Model.Builder decoder) {
        return new EncoderDecoder(RandomModels.randomised(encoder.build(), random),
                RandomModels.randomised(decoder.build(), random));
    }

    /** Returns rows of 0 to {@code most} tokens, the first with the most, the second with none. */
    private int[][] rows(int count, int most, int vocabulary) {
        int[][] rows = new int[count][];
        Arrays.setAll(rows, b -> random.ints(b == 0 ? most : b == 1 ? 0 : random.nextInt(most + 1), 0, vocabulary)
                .toArray());
        return rows;
    }

    private static Sequences sequences(int[][] rows) {
        return Sequences.ofLengths(rows[0].length, Arrays.stream(rows).mapToInt(row -> row.length).toArray());
    }

    /** Returns rows as (T, B), with what is no token where there is no step. */
    private static int[] padded(int[][] rows) {
        int[] all = new int[rows[0].length * rows.length];
        Arrays.fill(all, -1);
        for (int b = 0; b < rows.length; b++) {
            for (int t = 0; t < rows[b].length; t++) {
                all[t * rows.length + b] = rows[b][t];
            }
        }
        return all;
    }

    private static void assertBits(float[] expected, float[] actual) {
        assertArrayEquals(bits(expected), bits(actual), () -> "seed " + Conformance.SEED);
    }

    private static int[] bits(float[] floats) {
        int[] bits = new int[floats.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(floats[i]));
        return bits;
    }

    private static float[] run(EncoderDecoder model, int[][] sources, int[][] targets) {
        float[] y = new float[targets[0].length * targets.length * PHONEMES];
        model.decoder().run(padded(targets), sequences(targets), model.encode(padded(sources), sequences(sources)), y);
        return y;
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aRowIsItsOwnStepsAlone(String backend) {
        EncoderDecoder exact = attending(backend);
        int[][] sources = rows(5, 8, LETTERS);
        int[][] targets = rows(5, 7, PHONEMES);
        targets[1] = new int[] {2, 3};
        for (Precision precision : Precision.values()) {
            EncoderDecoder model = new EncoderDecoder(exact.encoder().withPrecision(precision),
                    exact.decoder().withPrecision(precision));
            float[] expected = new float[targets[0].length * 5 * PHONEMES];
            for (int b = 0; b < 5; b++) {
                State state = model.encode(sources[b]);
                float[] logits = new float[PHONEMES];
                for (int t = 0; t < targets[b].length; t++) {
                    model.decoder().step(targets[b][t], state, logits);
                    System.arraycopy(logits, 0, expected, (t * 5 + b) * PHONEMES, PHONEMES);
                }
            }
            assertBits(expected, run(model, sources, targets));
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void everyBackendComputesAsTheScalarOne(String backend) {
        EncoderDecoder scalar = attending("scalar");
        EncoderDecoder other = new EncoderDecoder(scalar.encoder().withBackend(backend),
                scalar.decoder().withBackend(backend));
        int[][] sources = rows(4, 9, LETTERS);
        int[][] targets = rows(4, 6, PHONEMES);
        assertBits(run(scalar, sources, targets), run(other, sources, targets));

        List<Batch> batches = List.of(pairs(sources, targets, START, END),
                pairs(rows(6, 12, LETTERS), rows(6, 3, PHONEMES), START, END),
                pairs(rows(4, 2, LETTERS), rows(4, 9, PHONEMES), START, END));
        List<NamedArray> expected = trained(scalar, batches, 1);
        for (int threads : new int[] {1, 2, 3}) {
            List<NamedArray> actual = trained(other, batches, threads);
            for (int i = 0; i < expected.size(); i++) {
                assertEquals(expected.get(i).name(), actual.get(i).name());
                assertBits(expected.get(i).data(), actual.get(i).data());
            }
        }
    }

    private static Batch pairs(int[][] sources, int[][] targets, int start, int end) {
        return Batch.teacherForcing(targets, start, end).withSource(sources);
    }

    private static List<NamedArray> trained(EncoderDecoder model, List<Batch> batches, int threads) {
        try (Trainer trainer = trainer(model, threads)) {
            batches.forEach(trainer::step);
            return trainer.encoderDecoder().tensors();
        }
    }

    private static Trainer trainer(EncoderDecoder model, int threads) {
        return Trainer.builder(model).optimizer(Optimizer.adam(1e-2)).clipGlobalNorm(0.5).threads(threads).seed(3)
                .build();
    }

    /** What inference computes is to the bit what training computes, whichever of them a team shares. */
    @Test
    void aValidationHasTheLossThatTrainingWouldSee() {
        EncoderDecoder model = randomised(
                Model.builder().embedding(LETTERS, 5).bidirectional(CellType.GRU, HIDDEN, Layer.Merge.MEAN),
                Model.builder().embedding(PHONEMES, 5).gru(HIDDEN).attention().dense(PHONEMES));
        try (Trainer trainer = Trainer.builder(model).build();
                Validation one = Validation.of(model, Loss.crossEntropy(), 1);
                Validation two = Validation.of(model, Loss.crossEntropy(), 2)) {
            for (int i = 0; i < 3; i++) {
                Batch batch = pairs(rows(5, 6 + i, LETTERS), rows(5, 7 - i, PHONEMES), START, END);
                double expected = trainer.gradients(batch);
                assertEquals(expected, one.add(batch));
                assertEquals(expected, two.add(batch));
            }
            refused("batch: expected a source for the encoder, got none",
                    () -> one.add(Batch.tokensToClasses(1, 1, new int[1], new int[1])));
        }
    }

    @Test
    void trainingGoesOnWhereItWas() {
        EncoderDecoder model = attending("auto");
        List<Batch> batches = Stream.generate(
                () -> pairs(rows(4, 5, LETTERS), rows(4, 5, PHONEMES), START, END)).limit(4).toList();
        List<NamedArray> expected = trained(model, batches, 1);
        try (Trainer first = trainer(model, 1)) {
            batches.subList(0, 2).forEach(first::step);
            try (Trainer second = trainer(first.encoderDecoder(), 1)) {
                second.resume(first.progress());
                batches.subList(2, 4).forEach(second::step);
                List<NamedArray> actual = second.encoderDecoder().tensors();
                for (int i = 0; i < expected.size(); i++) {
                    assertBits(expected.get(i).data(), actual.get(i).data());
                }
            }
        }
    }

    @Test
    void teacherForcingShiftsTheTarget() {
        EncoderDecoder model = attending("auto");
        int[][] sources = {{1, 2, 3}, {}};
        int[][] targets = {{0, 1}, {3}};
        Batch expected = Batch.tokensToClasses(Sequences.ofLengths(3, 3, 2),
                new int[] {START, START, 0, 3, 1, -1}, new int[] {0, 3, 1, END, END, -1})
                .withSource(Sequences.ofLengths(3, 3, 0), new int[] {1, -1, 2, -1, 3, -1});
        try (Trainer one = trainer(model, 1); Trainer other = trainer(model, 1)) {
            assertEquals(one.gradients(expected), other.gradients(pairs(sources, targets, START, END)));
        }
    }

    @Test
    void statesTakeWhatTheyAttendToWithThem() {
        EncoderDecoder model = attending("auto");
        State one = model.encode(1, 2, 3);
        State other = model.encode(4, 5);
        State both = State.stack(List.of(one, other));
        float[] first = step(model, one.copy());
        float[] second = step(model, other.copy());
        assertFalse(Arrays.equals(first, second));
        assertBits(first, step(model, both.row(0)));
        assertBits(concat(first, second), step(model, both.copy()));
        both.setRow(0, other);
        assertBits(concat(second, second), step(model, both.copy()));
        both.reset(0);
        assertBits(concat(step(model, model.encode()), second), step(model, both.copy()));
        both.reset();
        assertBits(concat(step(model, model.encode()), step(model, model.encode())), step(model, both));
    }

    @Test
    void savedStatesTakeWhatTheyAttendToWithThem() {
        EncoderDecoder model = attending("auto");
        State state = model.encode(new int[] {1, 4, 2, -1, 3, -1}, Sequences.ofLengths(3, 3, 1));
        assertBits(step(model, state.copy()), step(model, model.encode(new int[][] {{1, 2, 3}, {4}})));
        byte[] saved = state.save();
        State restored = model.encode(new int[2], Sequences.ofLengths(1, 1, 0));
        restored.restore(saved);
        assertBits(step(model, state), step(model, restored));
        byte[] longer = Arrays.copyOf(saved, saved.length + 4);
        assertThrows(IllegalArgumentException.class, () -> restored.restore(longer));
        assertThrows(IllegalArgumentException.class, () -> model.encode(1).restore(saved));
    }

    private static float[] step(EncoderDecoder model, State state) {
        float[] logits = new float[state.rows() * PHONEMES];
        model.decoder().step(new int[state.rows()], state, logits);
        return logits;
    }

    private static float[] concat(float[] first, float[] second) {
        float[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** With nothing but the last state to remember the digits by. */
    @Test
    void numbersAreReversedWithoutAttention() {
        RandomGenerator draws = new SplittableRandom(1);
        EncoderDecoder trained;
        try (Trainer trainer = Trainer.builder(new EncoderDecoder(Model.builder().oneHot(5).gru(64).seed(1).build(),
                Model.builder().oneHot(7).gru(64).dense(7).seed(2).build())).optimizer(Optimizer.adam(1e-2))
                .clipGlobalNorm(1).build()) {
            for (int i = 0; i < 300; i++) {
                int[][] numbers = numbers(draws);
                trainer.step(pairs(numbers, reversed(numbers), 5, 6));
            }
            trained = trainer.encoderDecoder();
        }
        int[][] numbers = numbers(draws);
        int[][] said = Decoding.of(5, 9).until(6).greedy(trained.decoder(),
                State.stack(Arrays.stream(numbers).map(trained::encode).toList()));
        int[][] expected = reversed(numbers);
        long right = IntStream.range(0, numbers.length).filter(b -> Arrays.equals(expected[b], said[b])).count();
        assertTrue(right >= 29, () -> "right: " + right + " of 32");
    }

    private static int[][] numbers(RandomGenerator draws) {
        int[][] numbers = new int[32][];
        Arrays.setAll(numbers, b -> draws.ints(draws.nextInt(1, 5), 0, 5).toArray());
        return numbers;
    }

    private static int[][] reversed(int[][] numbers) {
        return Arrays.stream(numbers).map(number -> IntStream.range(0, number.length)
                .map(i -> number[number.length - 1 - i]).toArray()).toArray(int[][]::new);
    }

    @Test
    void floatsAreEncodedToo() {
        EncoderDecoder model = randomised(Model.builder().features(3).gru(HIDDEN),
                Model.builder().features(2).gru(HIDDEN).dense(2));
        float[] x = {1, 2, 3, 4, 5, 6};
        assertBits(model.encode(x).tensors().getFirst().data(),
                model.encode(x, Sequences.of(2, 1)).tensors().getFirst().data());
        assertBits(new float[HIDDEN], model.encode(new float[0]).tensors().getFirst().data());
        State ended = model.encoder().newState();
        model.encoder().run(x, ended, new float[2 * HIDDEN]);
        assertBits(ended.tensors().getFirst().data(), model.encode(x).tensors().getFirst().data());
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Model lstm = Model.builder().embedding(7, 4).lstm(8).build();
        Model both = Model.builder().embedding(7, 4).bidirectional(CellType.LSTM, 8, Layer.Merge.CONCAT).build();
        Model attends = Model.builder().embedding(6, 4).lstm(8).attention().dense(6).build();
        refused("decoder: expected as many recurrent layers as the encoder has, and at least one, got 2 and 1",
                () -> new EncoderDecoder(lstm, Model.builder().embedding(6, 4).lstm(8).lstm(8).build()));
        refused("decoder layer 1: expected states of 8 in h and 8 in c, which ",
                () -> new EncoderDecoder(lstm, Model.builder().embedding(6, 4).gru(8).build()));
        refused("decoder layer 1: expected states of 16 in h and 16 in c, which ",
                () -> new EncoderDecoder(both, Model.builder().embedding(6, 4).lstm(8).build()));
        refused("decoder: expected layers that all go forward in time and pool nothing, got ",
                () -> new EncoderDecoder(lstm, both));
        refused("encoder: expected no attention", () -> new EncoderDecoder(attends, attends));
        refused("attention: expected rows of 5, as the encoder has outputs, got ",
                () -> new EncoderDecoder(Model.builder().embedding(7, 4).lstm(8).dense(5).build(), attends));
        refused("state: expected one that EncoderDecoder.encode returns", attends::newState);

        Batch plain = Batch.tokensToClasses(1, 1, new int[1], new int[1]);
        Batch paired = pairs(new int[][] {{1}}, new int[][] {{1}}, 0, 2);
        EncoderDecoder model = new EncoderDecoder(lstm, attends);
        try (Trainer trainer = Trainer.builder(attends).build()) {
            refused("attention: expected an encoder to attend to", () -> trainer.gradients(plain));
        }
        try (Trainer trainer = Trainer.builder(lstm).build()) {
            refused("batch: expected no source, since the model has no encoder", () -> trainer.gradients(paired));
            assertThrows(IllegalStateException.class, trainer::encoderDecoder);
        }
        try (Trainer trainer = Trainer.builder(model).build()) {
            refused("batch: expected a source for the encoder, got none", () -> trainer.gradients(plain));
            refused("source: expected 1 rows, as the batch has, got 2", () -> trainer.gradients(
                    plain.withSource(Sequences.of(1, 2), new int[2])));
            assertThrows(IllegalStateException.class, trainer::model);
            trainer.gradients(paired);
            refused("batch: expected a source for the encoder, got none", () -> trainer.gradients(plain));
        }
        refused("rows: expected >= 1, got 0", () -> Batch.teacherForcing(new int[0][], 0, 1));
        refused("batch: expected at least one step", () -> pairs(new int[1][0], new int[1][1], 0, 1));
        refused("x: expected a multiple of 7, got 3", () -> model.encode(new float[3]));
        assertThrows(IndexOutOfBoundsException.class, () -> model.encode(7));
    }

    private static void refused(String message, Runnable call) {
        String actual = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertEquals(message, actual.substring(0, Math.min(message.length(), actual.length())));
    }
}
