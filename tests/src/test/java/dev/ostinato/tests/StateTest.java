package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.Backend;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.State;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is done to a state between steps, to the bit: on every backend, with two layers whose units do not fill their blocks. */
class StateTest {
    private static final int INPUTS = 3;
    private static final int ROWS = 5;

    private final RandomGenerator random = new Random(7);

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void aSavedStateGoesOnAsIfNothingHadHappened(CellType cell) {
        forEachBackend(cell, model -> {
            State state = model.newState(ROWS);
            for (int steps = 0; steps < 4; steps++) { // both turns of the buffers
                byte[] saved = state.save();
                State restored = model.newState(ROWS);
                step(model, restored, rows(ROWS)); // an odd step, and contents to overwrite
                restored.restore(saved);
                assertArrayEquals(saved, restored.save());
                float[] x = rows(ROWS);
                assertArrayEquals(step(model, state, x), step(model, restored, x));
                assertArrayEquals(state.save(), restored.save());
            }
        });
    }

    @Test
    void aSavedStateIsRestoredOnAnotherBackend() {
        Model model = model(CellType.LSTM);
        State state = stepped(model, 2, 3);
        ExactBackends.all().map(Backend::name).forEach(name -> {
            State restored = model.withBackend(name).newState(2);
            restored.restore(state.save());
            assertArrayEquals(state.save(), restored.save(), name);
        });
    }

    @Test
    void everyDamageIsRefused() {
        Model model = model(CellType.LSTM);
        byte[] saved = stepped(model, 2, 3).save();
        State state = stepped(model, 2, 2);
        byte[] before = state.save();
        for (int i = 0; i < saved.length; i++) {
            byte[] damaged = saved.clone();
            damaged[i] ^= (byte) (1 << random.nextInt(8));
            assertThrows(IllegalArgumentException.class, () -> state.restore(damaged), "byte " + i);
            byte[] truncated = Arrays.copyOf(saved, i);
            assertThrows(IllegalArgumentException.class, () -> state.restore(truncated), "length " + i);
        }
        refused(state, Arrays.copyOf(saved, saved.length + 4), "expected checksum 0x00000000, damaged or cut off, got");
        assertArrayEquals(before, state.save());
    }

    @Test
    void whatIsNoStateOfThisModelIsRefused() {
        Model model = model(CellType.LSTM);
        State state = stepped(model, 2, 3);
        byte[] before = state.save();
        refused(state, new byte[0], "state: expected at least 20 bytes, got 0");
        refused(state, new byte[100], "expected a saved state, which begins with 0x5453534f, got 0x00000000");
        refused(state, changed(before, 4, 2), "expected version 1, got 2");
        refused(state, changed(before, 8, Integer.MAX_VALUE), "bytes of layers, got 2147483647");
        refused(state, changed(before, 8, -1), "bytes of layers, got -1");
        refused(state, changed(Arrays.copyOf(before, before.length + 8), 4, 1),
                "expected " + before.length + " bytes, got " + (before.length + 8));
        refused(state, model.newState(3).save(), "expected 2 rows, got 3");
        refused(state, model(CellType.GRU).newState(2).save(),
                "expected one of a model of features 3>3, lstm 3>19, lstm 19>5, dense 5>4,"
                        + " got features 3>3, gru 3>19, gru 19>5, dense 5>4");
        assertArrayEquals(before, state.save());
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void rowsStackAndUnstack(CellType cell) {
        forEachBackend(cell, model -> {
            // Streams after even and after odd numbers of steps, which have their h in different buffers.
            List<State> streams = IntStream.range(0, ROWS).mapToObj(i -> stepped(model, 1, i)).toList();
            State batch = State.stack(streams);
            float[] x = rows(ROWS);
            float[] together = step(model, batch, x);
            for (int r = 0; r < ROWS; r++) {
                float[] alone = step(model, streams.get(r), Arrays.copyOfRange(x, r * INPUTS, (r + 1) * INPUTS));
                int outputs = model.outputs();
                assertArrayEquals(alone, Arrays.copyOfRange(together, r * outputs, (r + 1) * outputs));
                assertArrayEquals(streams.get(r).save(), batch.row(r).save());
            }
        });
    }

    @Test
    void aStackKeepsTheOrderOfItsRows() {
        Model model = model(CellType.LSTM);
        State pair = stepped(model, 2, 3);
        State single = stepped(model, 1, 2);
        State stack = State.stack(List.of(pair, single));
        assertEquals(3, stack.rows());
        assertArrayEquals(pair.row(0).save(), stack.row(0).save());
        assertArrayEquals(pair.row(1).save(), stack.row(1).save());
        assertArrayEquals(single.save(), stack.row(2).save());
    }

    @Test
    void aRowChangesWithoutTheOthers() {
        Model model = model(CellType.LSTM);
        State batch = stepped(model, 3, 3);
        State before = batch.copy();
        State stream = stepped(model, 1, 2);
        batch.setRow(1, stream);
        assertArrayEquals(State.stack(List.of(before.row(0), stream, before.row(2))).save(), batch.save());
        batch.reset(1);
        assertArrayEquals(State.stack(List.of(before.row(0), model.newState(), before.row(2))).save(), batch.save());
        batch.reset();
        assertArrayEquals(model.newState(3).save(), batch.save());
    }

    @Test
    void aForkGoesItsOwnWay() {
        Model model = model(CellType.GRU);
        State state = stepped(model, 1, 3);
        State fork = state.copy();
        byte[] saved = state.save();
        step(model, fork, rows(1));
        assertArrayEquals(saved, state.save());
        assertFalse(Arrays.equals(saved, fork.save()));
    }

    @Test
    void statesThatDoNotFitAreRefused() {
        Model model = model(CellType.LSTM);
        State other = model(CellType.LSTM).newState();
        State state = model.newState(2);
        refused(() -> State.stack(List.of()), "states: expected at least one, got none");
        refused(() -> State.stack(List.of(state, other)), "same model with 1 rows, got another model's");
        refused(() -> state.setRow(0, other), "same model with 1 rows, got another model's");
        refused(() -> state.setRow(0, model.newState(2)), "same model with 1 rows, got 2 rows");
        for (int row : new int[] {-1, 2}) {
            assertThrows(IndexOutOfBoundsException.class, () -> state.reset(row));
            assertThrows(IndexOutOfBoundsException.class, () -> state.row(row));
            assertThrows(IndexOutOfBoundsException.class, () -> state.setRow(row, model.newState()));
        }
    }

    private interface Check {
        void run(Model model);
    }

    private void forEachBackend(CellType cell, Check check) {
        Model model = model(cell);
        ExactBackends.all().forEach(backend -> check.run(model.withBackend(backend.name())));
    }

    private Model model(CellType cell) {
        Model model = Model.builder().features(INPUTS).recurrent(cell, 19).recurrent(cell, 5).dense(4).build();
        return RandomModels.randomised(model, random);
    }

    private State stepped(Model model, int rows, int steps) {
        State state = model.newState(rows);
        for (int t = 0; t < steps; t++) {
            step(model, state, rows(rows));
        }
        return state;
    }

    private static float[] step(Model model, State state, float[] x) {
        float[] y = new float[state.rows() * model.outputs()];
        model.step(x, state, y);
        return y;
    }

    private float[] rows(int rows) {
        float[] x = new float[rows * INPUTS];
        for (int i = 0; i < x.length; i++) {
            x[i] = random.nextFloat(-2, 2);
        }
        return x;
    }

    /** Returns a copy with another int at an offset, and the checksum that goes with it. */
    private static byte[] changed(byte[] bytes, int offset, int value) {
        byte[] copy = bytes.clone();
        ByteBuffer buffer = ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).putInt(offset, value);
        CRC32C checksum = new CRC32C();
        checksum.update(copy, 0, copy.length - Integer.BYTES);
        buffer.putInt(copy.length - Integer.BYTES, (int) checksum.getValue());
        return copy;
    }

    private static void refused(State state, byte[] bytes, String message) {
        refused(() -> state.restore(bytes), message);
    }

    private static void refused(Runnable call, String message) {
        String actual = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(actual.contains(message), actual);
    }
}
