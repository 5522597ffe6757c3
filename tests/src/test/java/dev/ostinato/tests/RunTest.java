package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.Slice;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.State;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A run over a sequence has the bits of its single steps, however it is cut, and wherever the caller's memory is. */
final class RunTest {
    private static final int INPUTS = 3;
    /** A vocabulary so large that a layer fed by it keeps no table of it. */
    private static final int HUGE = 40_000;
    private static final int[] LENGTHS = {0, 1, 2, 5, 37, 71};

    private final Random random = new Random(11);

    private static Stream<Arguments> backendsAndCells() {
        return ExactBackends.names()
                .flatMap(backend -> CellType.all().stream().map(cell -> Arguments.of(backend, cell)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    @AtEveryWidth
    void aRunOverFeaturesIsItsSteps(String backend, CellType cell) {
        Model.Builder layers = Model.builder().features(INPUTS).recurrent(cell, 35).dropout(0.5).recurrent(cell, 19);
        Model model = RandomModels.randomised(layers.dense(4).backend(backend).build(), random);
        for (int rows : new int[] {1, 3, 7}) {
            for (int length : LENGTHS) {
                float[] x = floats(length * rows * INPUTS);
                State steps = model.newState(rows);
                float[] expected = steps(model, steps, x);
                State whole = model.newState(rows);
                float[] y = new float[expected.length];
                model.run(x, whole, y);
                assertArrayEquals(expected, y, backend + " " + rows + " x " + length);
                assertArrayEquals(steps.save(), whole.save());
                assertArrayEquals(expected, inPieces(model, rows, x));
            }
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    @AtEveryWidth
    void aRunOverTokensIsItsSteps(String backend, CellType cell) {
        List<Model.Builder> inputs = List.of(Model.builder().embedding(17, 9), Model.builder().oneHot(17),
                Model.builder().embedding(17, 9).dropout(0.1));
        for (Model.Builder input : inputs) {
            Model model = RandomModels.randomised(
                    input.recurrent(cell, 35).recurrent(cell, 5).dense(4).backend(backend).build(), random);
            sameAsSteps(model, 1, 37);
            sameAsSteps(model, 5, 12);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void aTableOfTokensChangesNoBit(CellType cell) {
        // The same tokens as rows of the embedding, so that no table is made.
        Model tokens = RandomModels.randomised(Model.builder().embedding(17, 9).recurrent(cell, 35).build(), random);
        List<NamedArray> weights = tokens.tensors();
        Model features = Model.of(Model.builder().features(9).recurrent(cell, 35).build().layers(), weights);
        int[] text = random.ints(23, 0, 17).toArray();
        float[] table = weights.stream().filter(t -> t.name().startsWith("embedding")).findFirst().orElseThrow().data();
        float[] x = new float[text.length * 9];
        for (int t = 0; t < text.length; t++) {
            System.arraycopy(table, text[t] * 9, x, t * 9, 9);
        }
        float[] expected = new float[text.length * 35];
        features.run(x, features.newState(), expected);
        float[] actual = new float[expected.length];
        tokens.run(text, tokens.newState(), actual);
        assertArrayEquals(expected, actual);
    }

    @Test
    void aHugeVocabularyHasNoTable() {
        for (Model.Builder input : List.of(Model.builder().embedding(HUGE, 3), Model.builder().oneHot(HUGE))) {
            Model model = RandomModels.randomised(input.lstm(64).dense(2).build(), random);
            sameAsSteps(model, 1, 9);
            sameAsSteps(model, 3, 2);
        }
    }

    @Test
    void aModelWithoutRecurrenceRuns() {
        Model model = RandomModels.randomised(Model.builder().embedding(7, 5).dense(3).dense(2).build(), random);
        sameAsSteps(model, 2, 9);
    }

    private void sameAsSteps(Model model, int rows, int length) {
        int[] tokens = random.ints((long) rows * length, 0, model.inputs()).toArray();
        State steps = model.newState(rows);
        float[] expected = new float[tokens.length * model.outputs()];
        float[] one = new float[rows * model.outputs()];
        for (int t = 0; t < length; t++) {
            model.step(Arrays.copyOfRange(tokens, t * rows, (t + 1) * rows), steps, one);
            System.arraycopy(one, 0, expected, t * one.length, one.length);
        }
        State whole = model.newState(rows);
        float[] y = new float[expected.length];
        model.run(tokens, whole, y);
        assertArrayEquals(expected, y, model.layers() + " " + rows + " x " + length);
        assertArrayEquals(steps.save(), whole.save());
    }

    @Test
    void rowsAreWhereverTheCallerHasThem() {
        Model model = model();
        float[] x = floats(9 * 2 * INPUTS);
        float[] expected = steps(model, model.newState(2), x);

        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_FLOAT, x);
            MemorySegment to = arena.allocate(4L * expected.length, 4);
            model.run(Slice.of(from), model.newState(2), Slice.of(to));
            assertArrayEquals(expected, to.toArray(ValueLayout.JAVA_FLOAT));
        }
        FloatBuffer direct = ByteBuffer.allocateDirect(4 * (x.length + 3)).order(ByteOrder.nativeOrder())
                .asFloatBuffer().position(3).put(x).position(3);
        FloatBuffer heap = FloatBuffer.allocate(expected.length + 1).position(1);
        model.run(Slice.of(direct), model.newState(2), Slice.of(heap));
        assertEquals(FloatBuffer.wrap(expected), heap);

        // Rows of their own length, with something behind each that must stay.
        float[] spread = new float[18 * 5];
        for (int r = 0; r < 18; r++) {
            System.arraycopy(x, r * INPUTS, spread, r * 5, INPUTS);
        }
        float[] y = new float[18 * 7];
        Arrays.fill(y, -7f);
        model.run(Slice.of(spread, 0, 18, INPUTS, 5), model.newState(2), Slice.of(y, 0, 18, 4, 7));
        for (int i = 0; i < y.length; i++) {
            assertEquals(i % 7 < 4 ? expected[i / 7 * 4 + i % 7] : -7f, y[i], "float " + i);
        }
        // Elements are counted row by row, whatever the rows.
        model.run(Slice.of(x, 0, 27, 2, 2), model.newState(2), Slice.of(y, 0, 36, 2, 3));
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], y[i / 2 * 3 + i % 2], "float " + i);
        }
    }

    @Test
    void stepsAreMadeInAnyMemoryToo() {
        Model model = model();
        float[] x = floats(2 * INPUTS);
        float[] expected = steps(model, model.newState(2), x);
        float[] y = new float[expected.length];
        model.step(Slice.of(x), model.newState(2), Slice.of(y));
        assertArrayEquals(expected, y);
        Model tokens = RandomModels.randomised(Model.builder().embedding(7, 5).gru(9).build(), random);
        float[] one = new float[9];
        tokens.step(3, tokens.newState(), one);
        float[] other = new float[9];
        tokens.step(new int[] {3}, tokens.newState(), Slice.of(other));
        assertArrayEquals(one, other);
        tokens.run(new int[] {3}, tokens.newState(), Slice.of(other));
        assertArrayEquals(one, other);
    }

    @Test
    void whatDoesNotFitIsRefusedAndNothingChanges() {
        Model model = model();
        State state = model.newState(2);
        steps(model, state, floats(2 * INPUTS));
        byte[] before = state.save();
        refused(() -> model.run(new float[7], state, new float[8]), "x: expected a multiple of 2 x 3, got 7");
        refused(() -> model.run(new float[12], state, new float[8]), "y: expected 2 x 2 x 4, got 8");
        refused(() -> model.run(new int[2], state, new float[8]), "input: expected rows of 3 floats, got tokens");
        refused(() -> model().run(new float[6], state, new float[8]), "state: expected one of this model");
        refused(() -> model.step(new float[12], state, new float[16]), "x: expected 2 x 3, got 12");
        float[] both = new float[16 + 12];
        refused(() -> model.run(Slice.of(both, 0, 12), state, Slice.of(both, 11, 16)), "y: expected memory apart");
        refused(() -> model.run(Slice.of(new float[6]), state,
                Slice.of(MemorySegment.ofArray(new float[8]).asReadOnly())), "y: expected memory that can be written");
        refused(() -> Slice.of(ByteBuffer.allocateDirect(8).order(ByteOrder.BIG_ENDIAN).asFloatBuffer()),
                "buffer: expected the byte order LITTLE_ENDIAN, got BIG_ENDIAN");
        Arena arena = Arena.ofConfined();
        Slice closed = Slice.of(arena.allocate(24, 4));
        arena.close();
        assertThrows(IllegalStateException.class, () -> model.run(closed, state, Slice.of(new float[8])));
        assertArrayEquals(before, state.save());
    }

    @Test
    void aTokenOutsideTheVocabularyChangesNothing() {
        Model model = RandomModels.randomised(Model.builder().embedding(7, 5).lstm(9).build(), random);
        State state = model.newState();
        model.run(new int[] {1, 2, 3}, state, new float[27]);
        byte[] before = state.save();
        for (int bad : new int[] {-1, 7}) {
            String message = assertThrows(IndexOutOfBoundsException.class,
                    () -> model.run(new int[] {1, 2, bad}, state, new float[27])).getMessage();
            assertEquals("token 2: expected 0..6, got " + bad, message);
        }
        assertArrayEquals(before, state.save());
    }

    @Test
    void statesAreSetByName() {
        Model model = model();
        State state = model.newState(2);
        steps(model, state, floats(4 * INPUTS));
        State other = model.newState(2);
        other.setTensors(state.tensors());
        assertArrayEquals(state.save(), other.save());
        byte[] before = other.save();
        refused(() -> other
                .setTensors(List.of(state.tensors().getFirst(), new NamedArray("rnn.x", List.of(1), new float[1]))),
                "state: expected one of [rnn.h_l0, rnn.c_l0], got rnn.x");
        refused(() -> other.setTensors(List.of(new NamedArray("rnn.h_l0", List.of(1, 35), new float[35]))),
                "rnn.h_l0: expected shape [2, 35], got [1, 35]");
        assertArrayEquals(before, other.save());
    }

    private Model model() {
        return RandomModels.randomised(Model.builder().features(INPUTS).lstm(35).dense(4).build(), random);
    }

    private static float[] steps(Model model, State state, float[] x) {
        int row = state.rows() * INPUTS;
        float[] y = new float[x.length / INPUTS * model.outputs()];
        float[] one = new float[state.rows() * model.outputs()];
        for (int t = 0; t < x.length / row; t++) {
            model.step(Arrays.copyOfRange(x, t * row, (t + 1) * row), state, one);
            System.arraycopy(one, 0, y, t * one.length, one.length);
        }
        return y;
    }

    /** Runs over a sequence in pieces of 1, 2, 3, ... steps. */
    private static float[] inPieces(Model model, int rows, float[] x) {
        State state = model.newState(rows);
        float[] y = new float[x.length / INPUTS * model.outputs()];
        int done = 0;
        for (int piece = 1; done * rows * INPUTS < x.length; piece++) {
            int to = Math.min(done + piece, x.length / (rows * INPUTS));
            float[] part = new float[(to - done) * rows * model.outputs()];
            model.run(Arrays.copyOfRange(x, done * rows * INPUTS, to * rows * INPUTS), state, part);
            System.arraycopy(part, 0, y, done * rows * model.outputs(), part.length);
            done = to;
        }
        return y;
    }

    private float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat(-2, 2);
        }
        return values;
    }

    private static void refused(Runnable call, String message) {
        String actual = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(actual.contains(message), actual);
    }
}
