package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.formats.Npz;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command gives what single steps of the library give, in PyTorch's shapes. */
class RunCommandTest {
    private static final int STEPS = 9;
    private static final int ROWS = 3;
    private static final int INPUTS = 5;
    private static final int UNITS = 6;

    @TempDir
    Path directory;

    private Path model;
    private Path in;
    private Path out;

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void outputsAndStatesAreThoseOfSingleSteps(CellType cell) throws IOException {
        Model expected = features(cell);
        float[] x = random(STEPS * ROWS * INPUTS);
        State state = expected.newState(ROWS);
        float[] y = new float[STEPS * ROWS * 2];
        float[] row = new float[ROWS * 2];
        for (int t = 0; t < STEPS; t++) {
            expected.step(Arrays.copyOfRange(x, t * ROWS * INPUTS, (t + 1) * ROWS * INPUTS), state, row);
            System.arraycopy(row, 0, y, t * row.length, row.length);
        }
        Npz result = run(expected, "auto", false, x(x, STEPS));
        assertArray(result, "y", y, STEPS, ROWS, 2);
        assertArray(result, "h", stacked(state, "h"), 2, ROWS, UNITS);
        if (state.tensors().stream().anyMatch(tensor -> tensor.name().contains(".c_"))) {
            assertEquals(List.of("y", "h", "c"), List.copyOf(result.names()));
            assertArray(result, "c", stacked(state, "c"), 2, ROWS, UNITS);
        } else {
            assertEquals(List.of("y", "h"), List.copyOf(result.names()));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void streamsAndBackendsGiveTheSameBytes(CellType cell) throws IOException {
        Tensor x = x(random(40 * ROWS * INPUTS), 40);
        run(features(cell), "auto", false, x);
        byte[] expected = Files.readAllBytes(out);
        for (String backend : List.of("auto", "vector", "scalar")) {
            for (boolean stream : new boolean[] {false, true}) {
                run(features(cell), backend, stream, x);
                assertArrayEquals(expected, Files.readAllBytes(out), backend + " " + stream);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void threadsAndStreamsGiveTheSameBytesAtEveryPrecision(Precision precision) throws IOException {
        Model lstm = features(CellType.LSTM);
        float[] values = random(40 * ROWS * INPUTS);
        Model narrow = lstm.withPrecision(precision);
        State state = narrow.newState(ROWS);
        float[] y = new float[40 * ROWS * lstm.outputs()];
        narrow.run(values, state, y);
        run(lstm, "auto", false, x(values, 40));
        for (List<String> more : List.of(List.<String>of(), List.of("--stream"), List.of("--threads", "2"))) {
            List<Object> line = new ArrayList<>(List.of("run", model, "--input", in, "--output", out, "--precision",
                    precision.name().toLowerCase(Locale.ROOT)));
            line.addAll(more);
            CommandLineRun.of(line.toArray()).succeeded();
            assertArray(Npz.read(out), "y", y, 40, ROWS, lstm.outputs());
        }
        CommandLineRun.of("run", model, "--input", in, "--output", out, "--threads", "0").failed(2,
                "--threads: expected 1 to 1024, got 0");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aRunGoesOnWhereAnotherEnded(boolean stream) throws IOException {
        float[] x = random(STEPS * ROWS * INPUTS);
        Model lstm = features(CellType.LSTM);
        Npz whole = run(lstm, "auto", stream, x(x, STEPS));
        int split = 4 * ROWS * INPUTS;
        Npz first = run(lstm, "auto", stream, x(Arrays.copyOf(x, split), 4));
        Npz second = run(lstm, "auto", stream, x(Arrays.copyOfRange(x, split, x.length), 5), renamed(first, "h", "h0"),
                renamed(first, "c", "c0"));
        assertArray(second, "h", whole.tensor("h").toFloats(), 2, ROWS, UNITS);
        assertArray(second, "c", whole.tensor("c").toFloats(), 2, ROWS, UNITS);
        float[] y = whole.tensor("y").toFloats();
        assertArray(first, "y", Arrays.copyOf(y, 4 * ROWS * 2), 4, ROWS, 2);
        assertArray(second, "y", Arrays.copyOfRange(y, 4 * ROWS * 2, y.length), 5, ROWS, 2);
    }

    @Test
    void layersOfDifferentSizesHaveTheirOwnArrays() throws IOException {
        Model mixed = Model.builder().features(INPUTS).lstm(4).gru(7).lstm(3).seed(1).build();
        float[] x = random(4 * ROWS * INPUTS);
        Npz whole = run(mixed, "auto", false, x(x, 4));
        assertEquals(List.of("y", "h_l0", "h_l1", "h_l2", "c_l0", "c_l1"), List.copyOf(whole.names()));
        int half = x.length / 2;
        Npz first = run(mixed, "auto", false, x(Arrays.copyOf(x, half), 2));
        List<Tensor> second = new ArrayList<>(List.of(x(Arrays.copyOfRange(x, half, x.length), 2)));
        for (String name : List.of("h_l0", "h_l1", "h_l2", "c_l0", "c_l1")) {
            second.add(renamed(first, name, name.charAt(0) + "0" + name.substring(1)));
        }
        Npz rest = run(mixed, "auto", true, second.toArray(Tensor[]::new));
        assertArray(rest, "h_l1", whole.tensor("h_l1").toFloats(), ROWS, 7);
        assertArray(rest, "c_l1", whole.tensor("c_l1").toFloats(), ROWS, 3);

        failed(mixed, "expected arrays x, lengths, h0_l0, h0_l1, h0_l2, c0_l0, c0_l1, got h0", x(x, 4),
                Tensor.of("h0", new long[] {3, ROWS, 4}, new float[3 * ROWS * 4]));
        failed(mixed, "h0_l1: expected F32 [3, 7], got F32 [3, 4]", x(x, 4),
                Tensor.of("h0_l1", new long[] {ROWS, 4}, new float[ROWS * 4]));
    }

    @Test
    void tokensMayBeAnyIntegers() throws IOException {
        Model tokens = Model.builder().embedding(5, 4).gru(UNITS).dense(5).seed(1).build();
        int[] ints = {0, 4, 2, 1, 3, 3};
        byte[] expected = null;
        for (Tensor x : List.of(Tensor.of("x", new long[] {3, 2}, ints),
                Tensor.of("x", new long[] {3, 2}, Arrays.stream(ints).asLongStream().toArray()))) {
            for (boolean stream : new boolean[] {false, true}) {
                Npz result = run(tokens, "auto", stream, x);
                assertArrayEquals(new long[] {3, 2, 5}, result.tensor("y").shape());
                byte[] bytes = Files.readAllBytes(out);
                assertArrayEquals(expected == null ? bytes : expected, bytes);
                expected = bytes;
            }
        }
        failed(tokens, "x: expected tokens from 0 to 4, got 5 at step 1 of row 0", Tensor.of("x", new long[] {3, 2},
                new int[] {0, 4, 5, 1, 3, 3}));
        failed(tokens, "x: expected tokens from 0 to 4, got -1", Tensor.of("x", new long[] {1, 1}, new int[] {-1}));
        failed(tokens, "expected integers of 32 bits, got 4294967296",
                Tensor.of("x", new long[] {1, 1}, new long[] {1L << 32}));
        failed(tokens, "x: expected integers [T, B] with T and B of at least 1, got F32 [1, 1]",
                Tensor.of("x", new long[] {1, 1}, new float[1]));
        failed(tokens, "got I32 [6]", Tensor.of("x", new long[] {6}, ints));
        failed(tokens, "got I32 [0, 2]", Tensor.of("x", new long[] {0, 2}, new int[0]));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rowsHaveTheirOwnLengths(boolean stream) throws IOException {
        Model lstm = features(CellType.LSTM);
        float[] x = random(STEPS * ROWS * INPUTS);
        int[] lengths = {2, 0, STEPS};
        State state = lstm.newState(ROWS);
        float[] y = new float[STEPS * ROWS * lstm.outputs()];
        lstm.run(x, Sequences.ofLengths(STEPS, lengths), state, y);
        Npz result = run(lstm, "auto", stream, x(x, STEPS), Tensor.of("lengths", new long[] {ROWS}, lengths));
        assertArray(result, "y", y, STEPS, ROWS, lstm.outputs());
        assertArray(result, "h", stacked(state, "h"), 2, ROWS, UNITS);
        failed(lstm, "lengths: expected 0 to " + STEPS + ", got " + (STEPS + 1) + " of row 1", x(x, STEPS),
                Tensor.of("lengths", new long[] {ROWS}, new int[] {0, STEPS + 1, 0}));
        failed(lstm, "lengths: expected integers [3], got I32 [2]", x(x, STEPS),
                Tensor.of("lengths", new long[] {2}, new int[2]));
    }

    @Test
    void bothDirectionsAndPooling() throws IOException {
        Model both = Model.builder().features(INPUTS).bidirectional(CellType.GRU, UNITS, Layer.Merge.CONCAT)
                .pool(Layer.Pooling.MAX).dense(2).seed(3).build();
        float[] x = random(STEPS * ROWS * INPUTS);
        float[] y = new float[ROWS * 2];
        State state = both.newState(ROWS);
        both.run(x, state, y);
        Npz result = run(both, "auto", false, x(x, STEPS));
        assertArray(result, "y", y, ROWS, 2);
        assertArray(result, "h", stacked(state, "h"), 2, ROWS, UNITS);
        CommandLineRun.of("run", model, "--input", in, "--output", out, "--stream").failed(1, "all go forward in time");
    }

    @Test
    void whatDoesNotFitIsNamed() throws IOException {
        Model lstm = features(CellType.LSTM);
        Tensor x = x(random(STEPS * ROWS * INPUTS), STEPS);
        failed(lstm, "x: expected F32 [T, B, 5] with T and B of at least 1, got F32 [3, 4]",
                Tensor.of("x", new long[] {3, 4}, new float[12]));
        failed(lstm, "got F32 [3, 2, 4]", Tensor.of("x", new long[] {3, 2, 4}, new float[24]));
        failed(lstm, "got I32 [3, 2, 5]", Tensor.of("x", new long[] {3, 2, 5}, new int[30]));
        failed(lstm, "got F32 [3, 0, 5]", Tensor.of("x", new long[] {3, 0, 5}, new float[0]));
        failed(lstm, "expected an array \"x\", got [\"y\"]", Tensor.of("y", new long[] {1}, new float[1]));
        failed(lstm, "expected arrays x, lengths, h0, c0, got h_0", x, Tensor.of("h_0", new long[] {1}, new float[1]));
        failed(lstm, "h0: expected F32 [2, 3, 6], got F32 [1, 3, 6]", x,
                Tensor.of("h0", new long[] {1, ROWS, UNITS}, new float[ROWS * UNITS]));
        failed(lstm, "c0: expected F32 [2, 3, 6], got I32 [2, 3, 6]", x,
                Tensor.of("c0", new long[] {2, ROWS, UNITS}, new int[2 * ROWS * UNITS]));
        failed(features(CellType.GRU), "expected arrays x, lengths, h0, got c0", x,
                Tensor.of("c0", new long[] {2, ROWS, UNITS}, new float[2 * ROWS * UNITS]));
    }

    @Test
    void filesAreChecked() throws IOException {
        run(features(CellType.GRU), "auto", false, x(random(ROWS * INPUTS), 1));
        byte[] before = Files.readAllBytes(out);
        CommandLineRun.of("run", model, "--input", model, "--output", out).failed(1, "expected a zip file of arrays");
        CommandLineRun.of("run", in, "--input", in, "--output", out).failed(1, "expected a file of PyTorch");
        CommandLineRun.of("run", model, "--input", directory.resolve("none"), "--output", out).failed(1,
                "there is no such file");
        CommandLineRun.of("run", model, "--input", in, "--output", directory.resolve("none/out")).failed(1,
                "cannot be written", "no directory");
        CommandLineRun.of("run", model, "--input", in, "--output", out, "--backend", "abacus").failed(1, "abacus");
        CommandLineRun.of("run", model, "--input", in).failed(2, "--output");
        assertArrayEquals(before, Files.readAllBytes(out));
    }

    private static Model features(CellType cell) {
        return Model.builder().features(INPUTS).recurrent(cell, UNITS).recurrent(cell, UNITS).dense(2).seed(3).build();
    }

    private static float[] random(int size) {
        float[] floats = new float[size];
        SplittableRandom random = new SplittableRandom(size);
        for (int i = 0; i < size; i++) {
            floats[i] = (float) random.nextDouble(-2, 2);
        }
        return floats;
    }

    private static Tensor x(float[] floats, int steps) {
        return Tensor.of("x", new long[] {steps, ROWS, INPUTS}, floats);
    }

    private static Tensor renamed(Npz arrays, String name, String to) throws IOException {
        return Tensor.of(to, arrays.tensor(name).shape(), arrays.tensor(name).toFloats());
    }

    private static float[] stacked(State state, String kind) {
        List<float[]> arrays = state.tensors().stream().filter(array -> array.name().contains("." + kind))
                .map(NamedArray::data).toList();
        float[] all = new float[arrays.size() * arrays.getFirst().length];
        for (int i = 0; i < arrays.size(); i++) {
            System.arraycopy(arrays.get(i), 0, all, i * arrays.get(i).length, arrays.get(i).length);
        }
        return all;
    }

    private CommandLineRun start(Model toRun, String backend, boolean stream, Tensor... arrays) throws IOException {
        model = directory.resolve("model.safetensors");
        in = directory.resolve("in.npz");
        out = directory.resolve("out.npz");
        ModelFile.write(model, toRun, null);
        Npz.write(in, List.of(arrays));
        List<Object> line =
                new ArrayList<>(List.of("run", model, "--input", in, "--output", out, "--backend", backend));
        if (stream) {
            line.add("--stream");
        }
        return CommandLineRun.of(line.toArray());
    }

    private Npz run(Model toRun, String backend, boolean stream, Tensor... arrays) throws IOException {
        start(toRun, backend, stream, arrays).succeeded();
        return Npz.read(out);
    }

    private void failed(Model toRun, String message, Tensor... arrays) throws IOException {
        start(toRun, "auto", false, arrays).failed(1, message);
    }

    private static void assertArray(Npz arrays, String name, float[] expected, long... shape) throws IOException {
        Tensor tensor = arrays.tensor(name);
        assertEquals(DType.F32, tensor.dtype());
        assertArrayEquals(shape, tensor.shape(), name);
        assertArrayEquals(expected, tensor.toFloats(), name);
        float[] zeros = new float[expected.length];
        assertTrue(!Arrays.equals(zeros, expected), "nothing was computed");
    }
}
