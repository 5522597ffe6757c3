package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Team;
import dev.ostinato.nn.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows of different lengths, masked steps and states that begin anew: each row gets the bits that its own steps alone would give it. */
final class SequencesTest {
    private static final int INPUTS = 5;
    private static final int HIDDEN = 19;
    private static final int STEPS = 9;
    private static final int ROWS = 7;

    private final RandomGenerator random = new SplittableRandom(Conformance.SEED);

    private static Stream<Arguments> backendsAndCells() {
        return ExactBackends.names()
                .flatMap(backend -> CellType.all().stream().map(cell -> Arguments.of(backend, cell)));
    }

    private Model model(String backend, CellType cell) {
        return RandomModels.randomised(
                Model.builder().features(INPUTS).recurrent(cell, HIDDEN).recurrent(cell, HIDDEN).dense(3)
                        .backend(backend).build(),
                random);
    }

    private Stream<RandomBatch> batches(Model model) {
        return Stream.of(new RandomBatch(model, STEPS, ROWS, random).shortened(random),
                new RandomBatch(model, STEPS, ROWS, random).thinned(random),
                new RandomBatch(model, 1, ROWS, random).thinned(random),
                new RandomBatch(model, STEPS, 1, random).thinned(random));
    }

    private State randomState(Model model, int rows) {
        State state = model.newState(rows);
        state.setTensors(state.tensors().stream().map(t -> {
            float[] data = new float[t.data().length];
            for (int i = 0; i < data.length; i++) {
                data[i] = random.nextFloat() - 0.5f;
            }
            return new NamedArray(t.name(), t.shape(), data);
        }).toList());
        return state;
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    void aRowIsItsOwnStepsAlone(String backend, CellType cell) {
        Model exact = model(backend, cell);
        for (Precision precision : Precision.values()) {
            Model model = exact.withPrecision(precision);
            batches(model).forEach(batch -> {
                State state = randomState(model, batch.rows);
                List<State> streams = new ArrayList<>();
                for (int b = 0; b < batch.rows; b++) {
                    streams.add(state.row(b));
                }
                float[] y = filled(batch.steps * batch.rows * model.outputs());
                model.run(batch.features, batch.sequences(), state, y);
                assertBits(stepped(model, batch, streams), y);
                assertSame(State.stack(streams), state);
            });
        }
    }

    /** What the outputs hold before; nothing of it may be left. */
    private static float[] filled(int size) {
        float[] y = new float[size];
        Arrays.fill(y, Float.NaN);
        return y;
    }

    /** Steps every stream by itself; returns (T, B, outputs) with zeros where there is no step. */
    private static float[] stepped(Model model, RandomBatch batch, List<State> streams) {
        float[] y = new float[batch.steps * batch.rows * model.outputs()];
        for (int row = 0; row < batch.mask.length; row++) {
            State stream = streams.get(row % batch.rows);
            if (batch.resets[row]) {
                stream.reset();
            }
            if (batch.mask[row]) {
                float[] own = new float[model.outputs()];
                model.step(features(batch, row), stream, own);
                System.arraycopy(own, 0, y, row * own.length, own.length);
            }
        }
        return y;
    }

    private static float[] features(RandomBatch batch, int row) {
        int size = batch.features.length / batch.mask.length;
        return Arrays.copyOfRange(batch.features, row * size, (row + 1) * size);
    }

    private static void assertBits(float[] expected, float[] actual) {
        assertArrayEquals(bits(expected), bits(actual), () -> "seed " + Conformance.SEED);
    }

    private static int[] bits(float[] floats) {
        int[] bits = new int[floats.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(floats[i]));
        return bits;
    }

    private static void assertSame(State expected, State actual) {
        for (int i = 0; i < expected.tensors().size(); i++) {
            assertEquals(expected.tensors().get(i).name(), actual.tensors().get(i).name());
            assertBits(expected.tensors().get(i).data(), actual.tensors().get(i).data());
        }
    }

    /** The layer in reverse has the outputs that the same weights forward have on the steps of each row turned round. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    void inReverseIsForwardTurnedRound(String backend, CellType cell) {
        Model reverse = RandomModels.randomised(
                Model.builder().features(INPUTS).reverse(cell, HIDDEN).dense(3).backend(backend).build(), random);
        Model forward = Model.of(Model.builder().features(INPUTS).recurrent(cell, HIDDEN).dense(3).build().layers(),
                reverse.tensors()).withBackend(backend);
        batches(reverse).forEach(batch -> {
            State state = randomState(reverse, batch.rows);
            State turned = forward.newState(batch.rows);
            turned.setTensors(state.tensors());
            float[] y = filled(batch.steps * batch.rows * 3);
            reverse.run(batch.features, batch.sequences(), state, y);
            float[] expected = new float[y.length];
            for (int b = 0; b < batch.rows; b++) {
                State stream = turned.row(b);
                for (List<Integer> run : runs(batch, b)) {
                    if (run.getFirst() < 0) {
                        stream.reset();
                    }
                    for (int row : run.reversed()) {
                        if (row >= 0) {
                            float[] own = new float[3];
                            forward.step(features(batch, row), stream, own);
                            System.arraycopy(own, 0, expected, row * 3, 3);
                        }
                    }
                }
                turned.setRow(b, stream);
            }
            assertBits(expected, y);
            assertSame(turned, state);
        });
    }

    /** Returns the steps of a stream from one beginning to the next; a run whose first number is negative begins with a zero state. */
    private static List<List<Integer>> runs(RandomBatch batch, int stream) {
        List<List<Integer>> runs = new ArrayList<>();
        runs.add(new ArrayList<>());
        for (int row = stream; row < batch.mask.length; row += batch.rows) {
            if (batch.resets[row]) {
                runs.add(new ArrayList<>(List.of(-1)));
            }
            if (batch.mask[row]) {
                runs.getLast().add(row);
            }
        }
        runs.removeIf(List::isEmpty);
        return runs;
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    void bothDirectionsAreEachByItself(String backend, CellType cell) {
        for (Layer.Merge merge : Layer.Merge.values()) {
            Model both = RandomModels.randomised(
                    Model.builder().features(INPUTS).bidirectional(cell, HIDDEN, merge).backend(backend).build(),
                    random);
            Model forward = Model.of(Model.builder().features(INPUTS).recurrent(cell, HIDDEN).build().layers(),
                    both.tensors()).withBackend(backend);
            Model reverse = Model.of(Model.builder().features(INPUTS).reverse(cell, HIDDEN).build().layers(),
                    both.tensors().stream().filter(t -> t.name().endsWith("_reverse"))
                            .map(t -> new NamedArray(t.name().replace("_reverse", ""), t.shape(), t.data())).toList())
                    .withBackend(backend);
            batches(both).forEach(batch -> {
                int all = batch.steps * batch.rows;
                float[] y = filled(all * both.outputs());
                float[] one = new float[all * HIDDEN];
                float[] other = new float[all * HIDDEN];
                both.run(batch.features, batch.sequences(), both.newState(batch.rows), y);
                forward.run(batch.features, batch.sequences(), forward.newState(batch.rows), one);
                reverse.run(batch.features, batch.sequences(), reverse.newState(batch.rows), other);
                float[] expected = new float[y.length];
                for (int i = 0; i < y.length; i++) {
                    int unit = i / both.outputs() * HIDDEN + i % both.outputs() % HIDDEN;
                    expected[i] = switch (merge) {
                        case CONCAT -> i % both.outputs() < HIDDEN ? one[unit] : other[unit];
                        case SUM -> one[unit] + other[unit];
                        case MEAN -> (one[unit] + other[unit]) * 0.5f;
                    };
                }
                assertBits(expected, y);
            });
        }
    }

    @Test
    void withoutSequencesABidirectionalModelRunsOverAllSteps() {
        Model model = bidirectional();
        RandomBatch batch = new RandomBatch(model, STEPS, ROWS, random);
        float[] expected = new float[STEPS * ROWS * 3];
        float[] actual = new float[expected.length];
        State first = model.newState(ROWS);
        State second = model.newState(ROWS);
        for (int i = 0; i < 3; i++) { // the states go on
            model.run(batch.features, Sequences.of(STEPS, ROWS), first, expected);
            model.run(batch.features, second, actual);
            assertBits(expected, actual);
            assertSame(first, second);
        }
        assertThrows(IllegalArgumentException.class,
                () -> model.step(new float[ROWS * INPUTS], second, new float[ROWS * 3]));
    }

    private Model bidirectional() {
        return RandomModels.randomised(Model.builder().features(INPUTS)
                .bidirectional(CellType.LSTM, HIDDEN, Layer.Merge.CONCAT).reverse(CellType.GRU, HIDDEN).dense(3)
                .build(), random);
    }

    @Test
    void aTeamChangesNoBit() {
        Model model = bidirectional();
        RandomBatch batch = new RandomBatch(model, STEPS, ROWS, random).thinned(random);
        float[] expected = new float[STEPS * ROWS * 3];
        model.run(batch.features, batch.sequences(), model.newState(ROWS), expected);
        try (Team team = Team.of(2)) {
            float[] actual = filled(expected.length);
            model.run(batch.features, batch.sequences(), model.newState(ROWS, team), actual);
            assertBits(expected, actual);
        }
    }

    @Test
    void batchFirstIsTimeFirstTransposed() {
        Model model = bidirectional();
        RandomBatch batch = new RandomBatch(model, STEPS, ROWS, random).thinned(random);
        float[] expected = new float[STEPS * ROWS * 3];
        model.run(batch.features, batch.sequences(), model.newState(ROWS), expected);
        float[] actual = filled(expected.length);
        model.run(transposed(batch.features, STEPS, INPUTS), batch.sequences().batchFirst(), model.newState(ROWS),
                actual);
        assertBits(transposed(expected, STEPS, 3), actual);
    }

    private static float[] transposed(float[] x, int steps, int size) {
        float[] turned = new float[x.length];
        int rows = x.length / steps / size;
        for (int t = 0; t < steps; t++) {
            for (int b = 0; b < rows; b++) {
                System.arraycopy(x, (t * rows + b) * size, turned, (b * steps + t) * size, size);
            }
        }
        return turned;
    }

    @Test
    void aPooledRowIsMadeOfItsSteps() {
        for (Layer.Pooling pooling : Layer.Pooling.values()) {
            Model pooled = RandomModels.randomised(
                    Model.builder().features(INPUTS).bidirectional(CellType.GRU, HIDDEN, Layer.Merge.SUM).pool(pooling)
                            .lstm(4).build(),
                    random);
            Model steps = Model.of(pooled.layers().subList(0, 2), pooled.tensors());
            Model behind = Model.of(Model.builder().features(HIDDEN).lstm(4).build().layers(),
                    pooled.tensors().stream().filter(t -> t.name().startsWith("rnn2"))
                            .map(t -> new NamedArray(t.name().replace("rnn2", "rnn"), t.shape(), t.data())).toList());
            batches(pooled).forEach(batch -> {
                float[] all = new float[batch.steps * batch.rows * HIDDEN];
                steps.run(batch.features, batch.sequences(), steps.newState(batch.rows), all);
                float[] x = new float[batch.rows * HIDDEN];
                for (int i = 0; i < x.length; i++) {
                    x[i] = pooled(pooling, batch, all, i / HIDDEN, i % HIDDEN);
                }
                float[] expected = new float[batch.rows * 4];
                behind.step(x, behind.newState(batch.rows), expected);
                float[] y = filled(expected.length);
                pooled.run(batch.features, batch.sequences(), pooled.newState(batch.rows), y);
                assertBits(expected, y);
            });
        }
    }

    private static float pooled(Layer.Pooling pooling, RandomBatch batch, float[] all, int stream, int unit) {
        float sum = 0;
        float max = Float.NEGATIVE_INFINITY;
        float last = 0;
        int count = 0;
        for (int row = stream; row < batch.mask.length; row += batch.rows) {
            if (batch.mask[row]) {
                last = all[row * HIDDEN + unit];
                sum += last;
                max = Math.max(max, last);
                count++;
            }
        }
        return count == 0 ? 0 : switch (pooling) {
            case LAST -> last;
            case MEAN -> sum * (1f / count);
            case MAX -> max;
        };
    }

    // Training

    /** Batches of every kind one after another: the memory of one layout serves the next, and the state goes on. */
    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void threadsAndBackendsTrainAlike(CellType cell) {
        Model model = RandomModels.randomised(Model.builder().features(INPUTS)
                .bidirectional(cell, HIDDEN, Layer.Merge.CONCAT).dropout(0.2).recurrent(cell, HIDDEN)
                .pool(Layer.Pooling.MEAN).dense(3).backend("scalar").build(), random);
        Loss loss = Loss.crossEntropy();
        List<RandomBatch> batches = List.of(new RandomBatch(model, STEPS, ROWS, random).shortened(random),
                new RandomBatch(model, 2 * STEPS, ROWS, random).thinned(random),
                new RandomBatch(model, STEPS, ROWS, random), new RandomBatch(model, 3, ROWS, random).thinned(random));
        List<NamedArray> expected = trained(model, loss, batches, 1);
        ExactBackends.names().forEach(backend -> {
            for (int threads : new int[] {1, 3}) {
                List<NamedArray> actual = trained(model.withBackend(backend), loss, batches, threads);
                for (int i = 0; i < expected.size(); i++) {
                    assertBits(expected.get(i).data(), actual.get(i).data());
                }
            }
        });
    }

    private static List<NamedArray> trained(Model model, Loss loss, List<RandomBatch> batches, int threads) {
        try (Trainer trainer = Trainer.builder(model).optimizer(Optimizer.adam(1e-2)).loss(loss).threads(threads)
                .build()) {
            for (RandomBatch batch : batches) {
                trainer.step(batch.pooled(loss));
            }
            return Stream.concat(trainer.model().tensors().stream(), trainer.progress().states().stream()).toList();
        }
    }

    /** The states that training leaves are those of inference. */
    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void trainingLeavesTheStatesOfInference(CellType cell) {
        Model model = RandomModels.randomised(
                Model.builder().features(INPUTS).bidirectional(cell, HIDDEN, Layer.Merge.MEAN).dense(3).build(),
                random);
        State state = model.newState(ROWS);
        try (Trainer trainer = Trainer.builder(model).build()) {
            for (int i = 0; i < 3; i++) {
                RandomBatch batch = new RandomBatch(model, STEPS, ROWS, random).thinned(random);
                model.run(batch.features, batch.sequences(), state, new float[STEPS * ROWS * 3]);
                trainer.gradients(batch.batch(Loss.crossEntropy()));
                List<NamedArray> trained = trainer.progress().states();
                for (int j = 0; j < trained.size(); j++) {
                    assertEquals(state.tensors().get(j).name(), trained.get(j).name());
                    assertBits(state.tensors().get(j).data(), trained.get(j).data());
                }
            }
        }
    }

    // Arguments

    @Test
    void whatDoesNotFitIsRefused() {
        Model model = bidirectional();
        State state = model.newState(2);
        refused(() -> Sequences.of(0, 1), "steps: expected >= 1, got 0");
        refused(() -> Sequences.ofLengths(3), "rows: expected >= 1, got 0");
        refused(() -> Sequences.ofLengths(3, 1, 4), "length 1: expected 0..3, got 4");
        refused(() -> Sequences.ofLengths(3, -1), "length 0: expected 0..3, got -1");
        refused(() -> Sequences.ofMask(2, new boolean[3]), "mask: expected a multiple of 2, got 3");
        refused(() -> Sequences.of(2, new boolean[4], new boolean[2]), "resets: expected 4, got 2");
        refused(() -> model.run(new float[3 * INPUTS], Sequences.of(3, 1), state, new float[9]),
                "sequences: expected 2 rows, as the state has, got 1");
        refused(() -> model.run(new float[3 * INPUTS], Sequences.of(3, 2), state, new float[18]),
                "x: expected 3 x 2 x 5, got 15");
        refused(() -> model.run(new float[6 * INPUTS], Sequences.of(3, 2), state, new float[9]),
                "y: expected 3 x 2 x 3, got 9");
        refused(() -> Model.builder().features(3).pool(Layer.Pooling.LAST).pool(Layer.Pooling.MEAN).build(),
                "model: expected at most one pooling layer");
    }

    private static void refused(Runnable call, String message) {
        String actual = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertEquals(message, actual.substring(0, Math.min(message.length(), actual.length())));
    }

    @Test
    void allStepsAreEveryLengthTheGreatest() {
        assertEquals(Sequences.ofLengths(4, 4, 4, 4), Sequences.of(4, 3));
        assertEquals(Sequences.ofLengths(4, 4, 4, 4).batchFirst(), Sequences.of(4, 3).batchFirst());
        assertNotEquals(Sequences.ofLengths(4, 4, 3, 4), Sequences.of(4, 3));
    }

    @Test
    void withoutAnyStepTheStatesStay() {
        Model model = bidirectional();
        State state = randomState(model, 2);
        State before = state.copy();
        float[] y = filled(3 * 2 * 3);
        model.run(new float[3 * 2 * INPUTS], Sequences.ofLengths(3, 0, 0), state, y);
        assertBits(new float[y.length], y);
        assertSame(before, state);
    }

    @Test
    void aTokenOfAStepThatThereIsNotDoesNotMatter() {
        Model model = Model.builder().embedding(7, 3).gru(5).build();
        float[] y = filled(4 * 5);
        model.run(new int[] {6, 2, 1, -1}, Sequences.ofLengths(2, 2, 1), model.newState(2), y);
        assertArrayEquals(new float[5], Arrays.copyOfRange(y, 15, 20));
        assertThrows(IndexOutOfBoundsException.class, () -> model.run(new int[] {6, 7, 1, -1},
                Sequences.ofLengths(2, 2, 1), model.newState(2), y));
    }
}
