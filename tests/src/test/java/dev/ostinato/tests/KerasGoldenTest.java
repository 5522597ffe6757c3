package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer.Merge;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.opentest4j.AssertionFailedError;

/**
 * Masked rows from given states, forward, backwards and in both directions, do what Keras does: outputs, last states, gradients.
 * {@code src/test/goldens/keras_cells.py} says how.
 *
 * <p>A step that is masked leaves the state as it is, with both. Its output is zero with Ostinato; Keras repeats the output of the step
 * that it computed before, or zero if there was none. The outputs of {@code go_backwards} come in the order in which they were computed.
 */
final class KerasGoldenTest {
    /** As in {@link GoldenTest}. */
    private static final double OUTPUT = 2e-6;
    private static final double GRADIENT = 1e-5;

    private static SafeTensors file;
    private static List<Case> cases;
    private static boolean[] mask;
    private static int rows;
    private static int steps;

    @BeforeAll
    static void read() throws IOException {
        file = Goldens.read("keras-cells");
        cases = new ArrayList<>();
        for (String label : List.of(file.metadata().get("cases").split(" "))) {
            int slash = label.indexOf('/');
            cases.add(new Case(cases.size(), CellType.of(label.substring(0, slash)), label.substring(slash + 1)));
        }
        Tensor there = file.tensor("mask");
        steps = (int) there.shape()[0];
        rows = (int) there.shape()[1];
        int[] ones = there.toInts();
        mask = new boolean[ones.length];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = ones[i] == 1;
        }
    }

    /** A layer of Keras; its way is forward, backwards, or how both are merged. */
    private record Case(int number, CellType cell, String way) {
        boolean backwards() {
            return way.equals("backwards");
        }

        boolean inBothDirections() {
            return !backwards() && !way.equals("forward");
        }

        float[] floats(String name) throws IOException {
            return file.tensor(number + "." + name).toFloats();
        }

        /** Returns what is under a name and a dot: weights, gradients, or states before and after. */
        List<NamedArray> arrays(String kind) throws IOException {
            return Goldens.tensors(file, number + "." + kind + ".");
        }

        Model model(List<NamedArray> weights) throws IOException {
            int hidden = arrays("before").getFirst().shape().getLast();
            Model.Builder builder = Model.builder().features(floats("x").length / mask.length);
            switch (way) {
                case "forward" -> builder.recurrent(cell, hidden);
                case "backwards" -> builder.reverse(cell, hidden);
                case "concat" -> builder.bidirectional(cell, hidden, Merge.CONCAT);
                case "sum" -> builder.bidirectional(cell, hidden, Merge.SUM);
                case "ave" -> builder.bidirectional(cell, hidden, Merge.MEAN);
                default -> throw new AssertionError(way);
            }
            return Model.of(builder.build().layers(), weights);
        }

        /** Returns steps (T, B, ...) that Keras ordered as it went in the order of the inputs. */
        float[] inOrder(float[] array) {
            if (!backwards()) {
                return array;
            }
            float[] turned = new float[array.length];
            int size = array.length / steps;
            for (int t = 0; t < steps; t++) {
                System.arraycopy(array, t * size, turned, (steps - 1 - t) * size, size);
            }
            return turned;
        }
    }

    @Test
    void everyBackendComputesWhatKerasDoes() throws IOException {
        assertEquals(18, cases.size());
        for (String backend : ExactBackends.names().toList()) {
            for (Case c : cases) {
                Model model = c.model(c.arrays("weights")).withBackend(backend);
                compareRun(c, model, c.arrays("before"));
                compareGradients(c, model, c.arrays("before"));
            }
        }
    }

    @Test
    void swappedGatesAreSeen() throws IOException {
        for (Case c : cases) {
            for (int gate = 1; gate < c.cell().gates(); gate++) {
                for (int other = 0; other < gate; other++) {
                    differs(c, Gates.swapped(c.arrays("weights"), c.cell(), gate, other), c.arrays("before"));
                }
            }
            differs(c, c.arrays("weights"), List.of());
        }
    }

    /** The two biases of the GRU that resets after are not the same. */
    @Test
    void swappedBiasesAreSeen() throws IOException {
        for (Case c : cases) {
            if (c.cell().equals(CellType.GRU)) {
                List<NamedArray> swapped = c.arrays("weights").stream().map(w -> new NamedArray(
                        w.name().startsWith("rnn.bias_ih") ? w.name().replace("_ih", "_hh")
                                : w.name().replace("bias_hh", "bias_ih"),
                        w.shape(), w.data())).toList();
                differs(c, swapped, c.arrays("before"));
            }
        }
    }

    private static void differs(Case c, List<NamedArray> weights, List<NamedArray> states) throws IOException {
        Model model = c.model(weights);
        assertThrows(AssertionFailedError.class, () -> compareRun(c, model, states));
        assertThrows(AssertionFailedError.class, () -> compareGradients(c, model, states));
    }

    private static void compareRun(Case c, Model model, List<NamedArray> states) throws IOException {
        State state = model.newState(rows);
        state.setTensors(states);
        float[] y = new float[mask.length * model.outputs()];
        model.run(c.floats("x"), Sequences.ofMask(rows, mask), state, y);
        float[] expected = c.inOrder(c.floats("y"));
        if (c.inBothDirections()) {
            near(c, "y", onlyThere(expected), y, OUTPUT);
        } else {
            near(c, "y", expected, repeated(y, c.backwards()), OUTPUT);
        }
        for (NamedArray after : c.arrays("after")) {
            near(c, after.name(), after.data(), named(state.tensors(), after.name()).data(), OUTPUT);
        }
    }

    /** Returns outputs with zeros at the steps that there are not. */
    private static float[] onlyThere(float[] y) {
        float[] there = new float[y.length];
        int size = y.length / mask.length;
        for (int row = 0; row < mask.length; row++) {
            System.arraycopy(y, row * size, there, row * size, mask[row] ? size : 0);
        }
        return there;
    }

    /** Returns outputs with those of the step computed before at the steps that there are not. */
    private static float[] repeated(float[] y, boolean backwards) {
        float[] repeated = y.clone();
        int size = y.length / mask.length;
        for (int i = 0; i < mask.length; i++) {
            int row = backwards ? mask.length - 1 - i : i;
            int before = backwards ? row + rows : row - rows;
            if (!mask[row] && before >= 0 && before < mask.length) {
                System.arraycopy(repeated, before * size, repeated, row * size, size);
            }
        }
        return repeated;
    }

    private static void compareGradients(Case c, Model model, List<NamedArray> states) throws IOException {
        try (Trainer trainer = Trainer.builder(model).loss(Loss.squaredError()).build()) {
            if (!states.isEmpty()) {
                Trainer.Progress fresh = trainer.progress();
                trainer.resume(fresh.withStates(states));
            }
            trainer.gradients(Batch.featuresToValues(Sequences.ofMask(rows, mask), c.floats("x"),
                    c.inOrder(c.floats("values"))));
            List<NamedArray> gradients = trainer.gradients();
            assertEquals(gradients.size(), c.arrays("gradients").size());
            for (NamedArray gradient : c.arrays("gradients")) {
                near(c, gradient.name(), gradient.data(), named(gradients, gradient.name()).data(), GRADIENT);
            }
        }
    }

    private static NamedArray named(List<NamedArray> arrays, String name) {
        return arrays.stream().filter(a -> a.name().equals(name)).findFirst().orElseThrow();
    }

    private static void near(Case c, String name, float[] expected, float[] actual, double tolerance) {
        assertEquals(expected.length, actual.length, name);
        for (int i = 0; i < expected.length; i++) {
            int place = i;
            assertEquals(expected[i], actual[i], tolerance * (0.1 + Math.abs(expected[i])),
                    () -> c + ", " + name + "[" + place + "]");
        }
    }
}
