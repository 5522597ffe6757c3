package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
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

/**
 * The same weights and batches give what PyTorch gets: outputs and states of single steps; ten losses, with clipping and the state carried
 * from batch to batch; the first gradients; the weights after ten updates.
 *
 * <p>Error model. The goldens are exact to a float's rounding. Outputs are sums of some twenty float products behind twelve steps of
 * functions that err by a few units in the last place: several 1e-7. A loss is a mean of those, a gradient a sum of products of them.
 * Adam divides by the root of the mean square, so that a weight is off by the learning rate times the <em>relative</em> error of its
 * gradient, which is large where the gradient nearly vanishes: most weights keep all digits but the last, a few lose half of them.
 * Therefore a tensor's error is the root mean square of its elements', relative to theirs. A layer norm divides by deviations of some tenths,
 * at every step what it made of the step before: outputs err by several times as much.
 */
final class GoldenTest {
    private static final double OUTPUT = 2e-6;
    private static final double OUTPUT_OF_NORMS = 8e-6;
    private static final double LOSS = 2e-6;
    private static final double GRADIENT = 1e-5;
    private static final double WEIGHT = 2e-5;
    /** Streams that go on from given states. */
    private static final int ROWS = 3;

    private static final List<String> NAMES = List.of("rnn-tanh-1", "rnn-tanh-2", "rnn-relu-1", "rnn-relu-2", "lstm-1",
            "lstm-2", "gru-1", "gru-2", "gru-reset-before-1", "gru-reset-before-2", "lstm-features", "lstm-momentum",
            "lstm-projection-2",
            "ind-rnn-relu-2", "min-gru-2", "layer-norm-lstm-2", "layer-norm-gru-2");

    private static Stream<Arguments> backendsAndNames() {
        return ExactBackends.names().flatMap(backend -> NAMES.stream().map(name -> arguments(backend, name)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndNames")
    @AtEveryWidth
    void theModelDoesAsPyTorch(String backend, String name) throws IOException {
        Golden golden = Golden.read(name);
        Model model = golden.model().withBackend(backend);
        assertEquals("", String.join("\n", stepDifferences(golden, model)));
        assertEquals("", String.join("\n", trainingDifferences(golden, model)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndNames")
    @AtEveryWidth
    void wholeSequencesGoOnFromGivenStates(String backend, String name) throws IOException {
        Golden golden = Golden.read(name);
        Model model = golden.model().withBackend(backend);
        float[] expected = golden.floats("going.outputs");
        State state = model.newState(ROWS);
        state.setTensors(states(golden, "0"));
        float[] y = new float[expected.length];
        if (golden.takesTokens()) {
            model.run(golden.integers("going.tokens"), state, y);
        } else {
            model.run(golden.floats("going.features"), state, y);
        }
        List<String> found = new ArrayList<>();
        double tolerance = tolerance(golden);
        compareAll("outputs", expected, y, tolerance, found);
        for (NamedArray after : states(golden, "")) {
            compareAll(after.name(), after.data(), named(state.tensors(), after.name()).data(), tolerance, found);
        }
        assertEquals("", String.join("\n", found));
    }

    /** Returns h, and c, of every layer, before the first step with the suffix 0, or after the last. */
    private static List<NamedArray> states(Golden golden, String suffix) throws IOException {
        List<NamedArray> states = new ArrayList<>();
        for (String kind : golden.hasCellState() ? List.of("h", "c") : List.of("h")) {
            float[] all = golden.floats("going." + kind + suffix);
            int size = all.length / golden.layers();
            for (int layer = 0; layer < golden.layers(); layer++) {
                states.add(new NamedArray("rnn." + kind + "_l" + layer, List.of(ROWS, size / ROWS),
                        Arrays.copyOfRange(all, layer * size, (layer + 1) * size)));
            }
        }
        return states;
    }

    private static double tolerance(Golden golden) {
        return golden.cell().label().startsWith("layer-norm") ? OUTPUT_OF_NORMS : OUTPUT;
    }

    private static void compareAll(String what, float[] expected, float[] actual, double tolerance,
            List<String> found) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            compare(what + "[" + i + "]", expected[i], actual[i], tolerance * Math.max(1, Math.abs(expected[i])),
                    found);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstm-1", "lstm-2", "gru-1", "gru-2", "gru-reset-before-1", "gru-reset-before-2",
        "min-gru-2", "layer-norm-lstm-2", "layer-norm-gru-2"})
    void swappedGatesAreSeen(String name) throws IOException {
        Golden golden = Golden.read(name);
        for (int gate = 1; gate < golden.cell().gates(); gate++) {
            for (int other = 0; other < gate; other++) {
                Model swapped = golden.model(Gates.swapped(golden.tensors("initial"), golden.cell(), gate, other));
                assertFalse(stepDifferences(golden, swapped).isEmpty(), "steps, gates " + gate + " and " + other);
                assertFalse(trainingDifferences(golden, swapped).isEmpty(),
                        "training, gates " + gate + " and " + other);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rnn-tanh-1", "rnn-relu-2"})
    void transposedRecurrentWeightsAreSeen(String name) throws IOException {
        Golden golden = Golden.read(name);
        List<NamedArray> weights = golden.tensors("initial").stream()
                .map(t -> t.name().contains("weight_hh") ? transposed(t) : t).toList();
        assertFalse(stepDifferences(golden, golden.model(weights)).isEmpty());
        assertFalse(trainingDifferences(golden, golden.model(weights)).isEmpty());
    }

    private static NamedArray transposed(NamedArray square) {
        int size = square.shape().getFirst();
        float[] data = new float[size * size];
        for (int i = 0; i < data.length; i++) {
            data[i] = square.data()[i % size * size + i / size];
        }
        return new NamedArray(square.name(), square.shape(), data);
    }

    /** Steps one stream; returns where outputs or last states are not the golden's. */
    private static List<String> stepDifferences(Golden golden, Model model) throws IOException {
        List<String> found = new ArrayList<>();
        State state = model.newState();
        float[] expected = golden.floats("forward.outputs");
        int steps = expected.length / model.outputs();
        float[] y = new float[model.outputs()];
        for (int t = 0; t < steps; t++) {
            step(golden, model, state, t, y);
            for (int j = 0; j < y.length; j++) {
                compare("step " + t + ", output " + j, expected[t * y.length + j], y[j], tolerance(golden), found);
            }
        }
        compareStates(golden, "h", state, found);
        if (golden.hasCellState()) {
            compareStates(golden, "c", state, found);
        }
        return found;
    }

    private static void step(Golden golden, Model model, State state, int t, float[] y) throws IOException {
        if (golden.takesTokens()) {
            model.step(golden.integers("forward.tokens")[t], state, y);
        } else {
            int size = model.inputs();
            float[] all = golden.floats("forward.features");
            model.step(Arrays.copyOfRange(all, t * size, (t + 1) * size), state, y);
        }
    }

    /** Compares h, or c, of every layer. */
    private static void compareStates(Golden golden, String kind, State state, List<String> found) throws IOException {
        float[] expected = golden.floats("forward." + kind);
        int size = expected.length / golden.layers();
        for (int layer = 0; layer < golden.layers(); layer++) {
            NamedArray actual = named(state.tensors(), "rnn." + kind + "_l" + layer);
            for (int j = 0; j < size; j++) {
                compare(actual.name() + "[" + j + "]", expected[layer * size + j], actual.data()[j], tolerance(golden),
                        found);
            }
        }
    }

    /** Trains for ten steps; returns where losses, norms, first gradients or last weights are not the golden's. */
    private static List<String> trainingDifferences(Golden golden, Model model) throws IOException {
        List<String> found = new ArrayList<>();
        float[] losses = golden.floats("losses");
        float[] norms = golden.floats("norms");
        try (Trainer trainer = Trainer.builder(model).loss(golden.loss()).optimizer(golden.optimizer())
                .clipGlobalNorm(golden.clip()).build()) {
            for (int i = 0; i < losses.length; i++) {
                compare("loss " + i, losses[i], trainer.step(golden.batch(i)), LOSS * losses[i], found);
                compare("norm " + i, norms[i], trainer.gradientNorm(), GRADIENT * norms[i], found);
                if (i == 0) {
                    compareGradients(golden, trainer.gradients(), found);
                }
            }
            compareWeights(golden, trainer.model().tensors(), found);
        }
        return found;
    }

    private static void compareGradients(Golden golden, List<NamedArray> gradients, List<String> found)
            throws IOException {
        for (NamedArray expected : golden.tensors("gradient")) {
            NamedArray actual = named(gradients, expected.name());
            for (int i = 0; i < expected.data().length; i++) {
                double tolerance = GRADIENT * (0.1 + Math.abs(expected.data()[i]));
                compare("gradient of " + expected.name() + "[" + i + "]", expected.data()[i], actual.data()[i],
                        tolerance, found);
            }
        }
    }

    private static void compareWeights(Golden golden, List<NamedArray> weights, List<String> found)
            throws IOException {
        for (NamedArray expected : golden.tensors("final")) {
            NamedArray actual = named(weights, expected.name());
            double error = 0;
            double magnitude = 0;
            for (int i = 0; i < expected.data().length; i++) {
                double difference = (double) actual.data()[i] - expected.data()[i];
                error += difference * difference;
                magnitude += (double) expected.data()[i] * expected.data()[i];
            }
            compare("relative error of " + expected.name(), 0, Math.sqrt(error / magnitude), WEIGHT, found);
        }
    }

    private static NamedArray named(List<NamedArray> arrays, String name) {
        return arrays.stream().filter(a -> a.name().equals(name)).findFirst().orElseThrow();
    }

    private static void compare(String what, double expected, double actual, double tolerance, List<String> found) {
        if (!(Math.abs(actual - expected) <= tolerance)) {
            found.add(what + ": expected " + expected + " within " + tolerance + ", got " + actual);
        }
    }
}
