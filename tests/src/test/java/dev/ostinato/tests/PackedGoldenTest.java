package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.AssertionFailedError;

/** Stacked bidirectional layers over rows of different lengths, from given states, do what PyTorch does with packed sequences. */
final class PackedGoldenTest {
    private static final int LAYERS = 2;
    /** As in {@link GoldenTest}. */
    private static final double OUTPUT = 2e-6;
    private static final double GRADIENT = 1e-5;

    private static Stream<Arguments> backendsAndCells() {
        return ExactBackends.names()
                .flatMap(backend -> Stream.of("rnn-tanh", "lstm", "gru").map(cell -> Arguments.of(backend, cell)));
    }

    /** What {@code src/test/goldens/sequences.py} wrote. */
    private record Golden(SafeTensors file, String cell) {
        static Golden read(String cell) throws IOException {
            return new Golden(Goldens.read("bidirectional-" + cell), cell);
        }

        float[] floats(String name) throws IOException {
            return file.tensor(name).toFloats();
        }

        int size(String name, int dimension) throws IOException {
            return (int) file.tensor(name).shape()[dimension];
        }

        List<NamedArray> tensors(String kind) throws IOException {
            return Goldens.tensors(file, kind + ".");
        }

        Model model() throws IOException {
            CellType type = CellType.of(cell);
            int hidden = size("h", 2);
            return Model.of(Model.builder().features(size("x", 2)).bidirectional(type, hidden, Layer.Merge.CONCAT)
                    .bidirectional(type, hidden, Layer.Merge.CONCAT).dense(size("y", 2)).build().layers(),
                    tensors("initial"));
        }

        Sequences sequences() throws IOException {
            return Sequences.ofLengths(size("x", 0), file.tensor("lengths").toInts());
        }

        /** Returns the states before the first step with the suffix 0, or after the last: PyTorch has layer by layer both directions. */
        List<NamedArray> states(String suffix) throws IOException {
            List<NamedArray> states = new ArrayList<>();
            for (String kind : file.names().contains("c") ? List.of("h", "c") : List.of("h")) {
                float[] all = floats(kind + suffix);
                int size = all.length / (2 * LAYERS);
                for (int i = 0; i < 2 * LAYERS; i++) {
                    states.add(new NamedArray("rnn." + kind + "_l" + i / 2 + (i % 2 == 0 ? "" : "_reverse"),
                            List.of(size("h", 1), size("h", 2)), Arrays.copyOfRange(all, i * size, (i + 1) * size)));
                }
            }
            return states;
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    void packedSequencesAreThoseOfPyTorch(String backend, String cell) throws Exception {
        Golden golden = Golden.read(cell);
        compare(golden, golden.model().withBackend(backend), golden.states("0"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rnn-tanh", "lstm", "gru"})
    void swappedDirectionsAreSeen(String cell) throws Exception {
        Golden golden = Golden.read(cell);
        List<NamedArray> swapped = golden.tensors("initial").stream().map(t -> new NamedArray(
                t.name().endsWith("_reverse") ? t.name().replace("_reverse", "")
                        : t.name().startsWith("rnn") ? t.name() + "_reverse" : t.name(),
                t.shape(), t.data())).toList();
        assertThrows(AssertionFailedError.class,
                () -> compare(golden, Model.of(golden.model().layers(), swapped), golden.states("0")));
        assertThrows(AssertionFailedError.class, () -> compare(golden, golden.model(), List.of()));
    }

    private static void compare(Golden golden, Model model, List<NamedArray> states) throws IOException {
        float[] expected = golden.floats("y");
        float[] y = new float[expected.length];
        State state = model.newState(golden.sequences().rows());
        state.setTensors(states);
        model.run(golden.floats("x"), golden.sequences(), state, y);
        near("y", expected, y, OUTPUT);
        for (NamedArray after : golden.states("")) {
            near(after.name(), after.data(), named(state.tensors(), after.name()).data(), OUTPUT);
        }
        try (Trainer trainer = Trainer.builder(model).build()) {
            Trainer.Progress fresh = trainer.progress();
            if (!states.isEmpty()) {
                trainer.resume(fresh.withStates(states));
            }
            double loss = trainer.gradients(Batch.featuresToClasses(golden.sequences(), golden.floats("x"),
                    golden.file().tensor("classes").toInts()));
            assertEquals(golden.floats("loss")[0], loss, OUTPUT);
            for (NamedArray gradient : golden.tensors("gradient")) {
                near(gradient.name(), gradient.data(), named(trainer.gradients(), gradient.name()).data(), GRADIENT);
            }
        }
    }

    private static NamedArray named(List<NamedArray> arrays, String name) {
        return arrays.stream().filter(a -> a.name().equals(name)).findFirst().orElseThrow();
    }

    private static void near(String name, float[] expected, float[] actual, double tolerance) {
        assertEquals(expected.length, actual.length, name);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], tolerance * (0.1 + Math.abs(expected[i])), name + "[" + i + "]");
        }
    }
}
