package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Team;
import java.io.IOException;
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
import org.opentest4j.AssertionFailedError;

/** The states after each step of a run: those of single steps, to the bit, and those of PyTorch's cells in a loop. */
final class TraceTest {
    private static final int INPUTS = 5;
    private static final int HIDDEN = 19;
    private static final int STEPS = 7;
    private static final int ROWS = 5;
    /** As in {@link GoldenTest}. */
    private static final double OUTPUT = 2e-6;

    private final RandomGenerator random = new SplittableRandom(Conformance.SEED);

    private static Stream<Arguments> backendsAndCells() {
        List<CellType> cells = new ArrayList<>(CellType.all());
        cells.add(CellType.of("lstm(peepholes,projection=7)"));
        return ExactBackends.names().flatMap(backend -> cells.stream().map(cell -> Arguments.of(backend, cell)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    void statesAreThoseOfSingleSteps(String backend, CellType cell) {
        Model exact = RandomModels.randomised(Model.builder().features(INPUTS).recurrent(cell, HIDDEN)
                .recurrent(cell, HIDDEN).dense(3).backend(backend).build(), random);
        for (Precision precision : Precision.values()) {
            Model model = exact.withPrecision(precision);
            RandomBatch all = new RandomBatch(model, STEPS, ROWS, random);
            for (RandomBatch batch : List.of(all.shortened(random), all.thinned(random))) {
                List<State> streams = new ArrayList<>();
                for (int b = 0; b < ROWS; b++) {
                    streams.add(model.newState());
                }
                State state = model.newState(ROWS);
                float[] y = new float[STEPS * ROWS * 3];
                List<NamedArray> expected = stepped(model, batch, streams);
                assertSame(expected, model.trace(batch.features, batch.sequences(), state, y));
                assertSame(State.stack(streams).tensors(), state.tensors());
                float[] untraced = new float[y.length];
                model.run(batch.features, batch.sequences(), model.newState(ROWS), untraced);
                assertArrayEquals(untraced, y);
            }
        }
    }

    /** Returns what the states say after each step of each stream, (T, B, H), zero where there is none. */
    private static List<NamedArray> stepped(Model model, RandomBatch batch, List<State> streams) {
        List<NamedArray> trace = streams.getFirst().tensors().stream().map(t -> {
            int size = t.data().length;
            return new NamedArray(t.name(), List.of(batch.steps, batch.rows, size),
                    new float[batch.steps * batch.rows * size]);
        }).toList();
        int width = model.inputs();
        for (int row = 0; row < batch.mask.length; row++) {
            State stream = streams.get(row % batch.rows);
            if (batch.resets[row]) {
                stream.reset();
            }
            if (batch.mask[row]) {
                model.step(Arrays.copyOfRange(batch.features, row * width, (row + 1) * width), stream,
                        new float[model.outputs()]);
                for (int i = 0; i < trace.size(); i++) {
                    float[] after = stream.tensors().get(i).data();
                    System.arraycopy(after, 0, trace.get(i).data(), row * after.length, after.length);
                }
            }
        }
        return trace;
    }

    private static void assertSame(List<NamedArray> expected, List<NamedArray> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).name(), actual.get(i).name());
            assertEquals(expected.get(i).shape(), actual.get(i).shape());
            assertArrayEquals(expected.get(i).data(), actual.get(i).data(), () -> "seed " + Conformance.SEED);
        }
    }

    @Test
    void aTeamAndTheOrderOfArraysChangeNoBit() {
        Model model = RandomModels.randomised(Model.builder().features(INPUTS)
                .bidirectional(CellType.LSTM, HIDDEN, Layer.Merge.SUM).pool(Layer.Pooling.MEAN).lstm(3).build(),
                random);
        float[] x = new RandomBatch(model, STEPS, ROWS, random).features;
        Sequences sequences = Sequences.ofLengths(STEPS, 7, 3, 0, 5, 1);
        List<NamedArray> expected = model.trace(x, sequences, model.newState(ROWS), new float[ROWS * 3]);
        assertEquals(List.of("rnn.h_l0", "rnn.c_l0", "rnn.h_l0_reverse", "rnn.c_l0_reverse", "rnn2.h_l0", "rnn2.c_l0"),
                expected.stream().map(NamedArray::name).toList());
        assertEquals(List.of(STEPS, ROWS, HIDDEN), expected.getFirst().shape());
        assertEquals(List.of(1, ROWS, 3), expected.getLast().shape());
        try (Team team = Team.of(2)) {
            assertSame(expected, model.trace(x, sequences, model.newState(ROWS, team), new float[ROWS * 3]));
        }
        float[] turned = transposed(x, STEPS, ROWS);
        List<NamedArray> batchFirst =
                model.trace(turned, sequences.batchFirst(), model.newState(ROWS), new float[ROWS * 3]);
        assertEquals(List.of(ROWS, STEPS, HIDDEN), batchFirst.getFirst().shape());
        assertArrayEquals(expected.getFirst().data(), transposed(batchFirst.getFirst().data(), ROWS, STEPS));
    }

    /** From (first, second, size) to (second, first, size). */
    private static float[] transposed(float[] x, int first, int second) {
        int size = x.length / first / second;
        float[] turned = new float[x.length];
        for (int i = 0; i < first; i++) {
            for (int j = 0; j < second; j++) {
                System.arraycopy(x, (i * second + j) * size, turned, (j * first + i) * size, size);
            }
        }
        return turned;
    }

    @Test
    void tokensAreTracedAsTheirRows() {
        Model tokens = Model.builder().embedding(11, 4).lstm(HIDDEN).seed(3).build();
        int[] x = random.ints(STEPS * ROWS, 0, 11).toArray();
        float[] table = tokens.tensors().getFirst().data();
        float[] rows = new float[x.length * 4];
        for (int i = 0; i < x.length; i++) {
            System.arraycopy(table, x[i] * 4, rows, i * 4, 4);
        }
        Model features = Model.of(Model.builder().features(4).lstm(HIDDEN).build().layers(), tokens.tensors());
        float[] y = new float[x.length * HIDDEN];
        Sequences sequences = Sequences.of(STEPS, ROWS);
        List<NamedArray> trace = tokens.trace(x, sequences, tokens.newState(ROWS), y);
        assertSame(features.trace(rows, sequences, features.newState(ROWS), y), trace);
        assertArrayEquals(y, trace.getFirst().data()); // the outputs of a layer are its h
    }

    private static Stream<String> backends() {
        return ExactBackends.names();
    }

    @ParameterizedTest
    @MethodSource("backends")
    void statesAreThoseOfPyTorchsCells(String backend) throws Exception {
        SafeTensors golden = golden();
        compare(golden, model(golden).withBackend(backend));
    }

    @Test
    void swappedDirectionsAreSeen() throws Exception {
        SafeTensors golden = golden();
        Model model = model(golden);
        List<NamedArray> swapped = model.tensors().stream().map(t -> new NamedArray(
                t.name().endsWith("_reverse") ? t.name().replace("_reverse", "")
                        : t.name().startsWith("rnn.") ? t.name() + "_reverse" : t.name(),
                t.shape(), t.data())).toList();
        assertThrows(AssertionFailedError.class, () -> compare(golden, Model.of(model.layers(), swapped)));
    }

    /** Returns what {@code src/test/goldens/cell_states.py} wrote. */
    private static SafeTensors golden() throws Exception {
        return Goldens.read("cell-states");
    }

    private static Model model(SafeTensors golden) throws IOException {
        int hidden = (int) golden.tensor("state.rnn.h_l0").shape()[2];
        return Model.of(Model.builder().features((int) golden.tensor("x").shape()[2])
                .bidirectional(CellType.LSTM, hidden, Layer.Merge.CONCAT).lstm(hidden).build().layers(),
                Goldens.tensors(golden, "initial."));
    }

    private static void compare(SafeTensors golden, Model model) throws IOException {
        int[] lengths = golden.tensor("lengths").toInts();
        int steps = (int) golden.tensor("x").shape()[0];
        State state = model.newState(lengths.length);
        state.setTensors(Goldens.tensors(golden, "begin."));
        List<NamedArray> trace = model.trace(golden.tensor("x").toFloats(), Sequences.ofLengths(steps, lengths), state,
                new float[steps * lengths.length * model.outputs()]);
        for (NamedArray actual : trace) {
            float[] expected = golden.tensor("state." + actual.name()).toFloats();
            assertEquals(expected.length, actual.data().length);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], actual.data()[i], OUTPUT, actual.name() + "[" + i + "]");
            }
        }
        assertEquals(Goldens.tensors(golden, "state.").size(), trace.size());
    }
}
