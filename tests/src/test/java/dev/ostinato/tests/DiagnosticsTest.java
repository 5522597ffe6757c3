package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Diagnostics;
import dev.ostinato.nn.InitialWeights;
import dev.ostinato.nn.Initializer;
import dev.ostinato.nn.Jacobians;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.LayerDiagnostics;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Spectrum;
import dev.ostinato.nn.TensorShape;
import dev.ostinato.nn.Trainer;
import dev.ostinato.tests.ReferenceNetwork.Module;
import dev.ostinato.tests.ReferenceNetwork.Nudge;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Diagnostics of every cell against central differences of a network in double precision, and of linear layers and constant gates against
 * closed forms. Tolerances are those of {@link GradientCheck}.
 */
final class DiagnosticsTest {
    private static final int INPUTS = 4;
    private static final int OUTPUTS = 3;
    private static final int HIDDEN = 5;
    private static final int STEPS = 5;
    private static final int ROWS = 2;
    private static final double EPSILON = 1e-6;
    private static final double KINK = 1e-4;
    private static final Loss LOSS = Loss.crossEntropy().summed();

    /** A model with random weights, its double, and a batch, away from the kinks of relus. */
    private record Case(Model model, List<Module> modules, RandomBatch batch) {
        static Case of(CellType cell, int layers) {
            Model.Builder builder = Model.builder().embedding(7, INPUTS);
            for (int i = 0; i < layers; i++) {
                builder.recurrent(cell, HIDDEN);
            }
            Model plain = builder.dense(OUTPUTS).build();
            List<Module> modules = new ArrayList<>();
            modules.add(new Module(plain.layers().getFirst(), "embedding", ""));
            for (int i = 0; i < layers; i++) {
                modules.add(new Module(plain.layers().get(1 + i), "rnn", "_l" + i));
            }
            modules.add(new Module(plain.layers().getLast(), "head", ""));
            RandomGenerator random = new SplittableRandom(Conformance.BOUNDED_SEED);
            while (true) {
                Model model = RandomModels.randomised(plain, random);
                Case c = new Case(model, modules, new RandomBatch(model, STEPS, ROWS, random));
                ReferenceNetwork reference = c.reference();
                reference.loss(c.batch, LOSS);
                if (reference.nearestKink() > KINK) {
                    return c;
                }
            }
        }

        ReferenceNetwork reference() {
            return new ReferenceNetwork(modules, GradientCheck.tensors(model));
        }

        Diagnostics diagnostics() {
            return Diagnostics.of(model, batch.batch(LOSS), LOSS);
        }

        /** What step t alone, from 1 on, adds to the loss. */
        double lossAt(int t, Nudge nudge) {
            double behind = reference().nudged(nudge).loss(batch.steps(0, t), LOSS);
            return t == 1 ? behind : behind - reference().nudged(nudge).loss(batch.steps(0, t - 1), LOSS);
        }
    }

    static Stream<CellType> cells() {
        return CellType.all().stream();
    }

    private static void near(double expected, double actual, String what) {
        assertEquals(expected, actual, 1e-5 + 1e-4 * Math.abs(expected),
                () -> what + ", seed " + Conformance.BOUNDED_SEED);
    }

    // Against central differences

    @ParameterizedTest
    @MethodSource("cells")
    void gradientFlowIsTheSlopeOfTheLoss(CellType cell) {
        Case c = Case.of(cell, 2);
        Diagnostics all = c.diagnostics();
        int step = STEPS - 1;
        Diagnostics one = Diagnostics.ofLossAt(step, c.model(), c.batch().batch(LOSS), LOSS);
        assertEquals(List.of("rnn_l0", "rnn_l1"), all.layers().stream().map(LayerDiagnostics::name).toList());
        for (int layer = 0; layer < 2; layer++) {
            for (int t = 1; t <= STEPS; t++) {
                double squares = 0;
                double squaresOfOne = 0;
                for (int i = 0; i < ROWS * HIDDEN; i++) {
                    Nudge up = new Nudge(c.modules().get(1 + layer), (t - 1) * ROWS + i / HIDDEN, i % HIDDEN, EPSILON);
                    Nudge down = new Nudge(up.module(), up.row(), up.unit(), -EPSILON);
                    double slope = (c.reference().nudged(up).loss(c.batch(), LOSS)
                            - c.reference().nudged(down).loss(c.batch(), LOSS)) / (2 * EPSILON);
                    double slopeOfOne = (c.lossAt(step, up) - c.lossAt(step, down)) / (2 * EPSILON);
                    squares += slope * slope;
                    squaresOfOne += slopeOfOne * slopeOfOne;
                }
                String what = cell.label() + ", layer " + layer + ", step " + t;
                near(Math.sqrt(squares), all.layers().get(layer).gradientNorms().get(t - 1), what);
                near(Math.sqrt(squaresOfOne), one.layers().get(layer).gradientNorms().get(t - 1), what);
            }
        }
    }

    /** The weights are changed at one step alone: a network goes up to it, one with other weights over it, and the first one on. */
    @ParameterizedTest
    @MethodSource("cells")
    void contributionsAreSlopesOverTheWeightsOfOneStep(CellType cell) {
        Case c = Case.of(cell, 1);
        LayerDiagnostics layer = c.diagnostics().layers().getFirst();
        for (int t = 1; t <= STEPS; t++) {
            near(norm(slopesAt(t, "rnn.weight_ih_l0", c)), layer.inputContributions().get(t - 1),
                    cell.label() + " W " + t);
            near(norm(slopesAt(t, "rnn.weight_hh_l0", c)), layer.recurrentContributions().get(t - 1),
                    cell.label() + " U " + t);
        }
    }

    private static double[] slopesAt(int t, String tensor, Case c) {
        Map<String, double[]> weights = GradientCheck.tensors(c.model());
        double[] slopes = new double[weights.getOrDefault(tensor, new double[0]).length]; // a minGRU has no U
        for (int i = 0; i < slopes.length; i++) {
            slopes[i] = (lossWith(t, tensor, i, EPSILON, c) - lossWith(t, tensor, i, -EPSILON, c)) / (2 * EPSILON);
        }
        return slopes;
    }

    private static double lossWith(int t, String tensor, int element, double change, Case c) {
        Map<String, double[]> weights = GradientCheck.tensors(c.model());
        Map<String, double[]> changed = new HashMap<>(weights);
        changed.compute(tensor, (name, data) -> data.clone())[element] += change;
        ReferenceNetwork before = new ReferenceNetwork(c.modules(), weights);
        double loss = t == 1 ? 0 : before.loss(c.batch().steps(0, t - 1), LOSS);
        ReferenceNetwork during = new ReferenceNetwork(before, changed);
        loss += during.loss(c.batch().steps(t - 1, t), LOSS);
        ReferenceNetwork behind = new ReferenceNetwork(during, weights);
        return t == STEPS ? loss : loss + behind.loss(c.batch().steps(t, STEPS), LOSS);
    }

    private static double norm(double[] vector) {
        return Math.sqrt(Arrays.stream(vector).map(v -> v * v).sum());
    }

    @ParameterizedTest
    @MethodSource("cells")
    void jacobiansAreSlopesOfStates(CellType cell) {
        Case c = Case.of(cell, 1);
        Jacobians jacobians = c.diagnostics().layers().getFirst().jacobians(1);
        assertEquals(STEPS, jacobians.steps());
        for (int k = 1; k < STEPS; k++) {
            for (int t = k + 1; t <= STEPS; t++) {
                double[][] expected = slopesOfStates(k, t, jacobians.stateSize(), c);
                double[][] product = jacobians.product(k, t);
                for (int i = 0; i < expected.length; i++) {
                    for (int j = 0; j < expected.length; j++) {
                        near(expected[i][j], product[i][j], cell.label() + " " + k + " " + t + " " + i + " " + j);
                    }
                }
                assertEquals(Spectrum.of(product).spectralNorm(), jacobians.norms(t)[k], 1e-12);
            }
            assertArrayEquals(jacobians.step(k + 1), jacobians.product(k, k + 1));
        }
    }

    private static double[][] slopesOfStates(int k, int t, int size, Case c) {
        double[][] slopes = new double[size][size];
        for (int j = 0; j < size; j++) {
            double[] above = stateAfter(k, t, j, EPSILON, size, c);
            double[] below = stateAfter(k, t, j, -EPSILON, size, c);
            for (int i = 0; i < size; i++) {
                slopes[i][j] = (above[i] - below[i]) / (2 * EPSILON);
            }
        }
        return slopes;
    }

    /** h, and c behind it, of the second row after step t, when one element of it is changed after step k. */
    private static double[] stateAfter(int k, int t, int element, double change, int size, Case c) {
        String name = element < HIDDEN ? "rnn.h_l0" : "rnn.c_l0";
        ReferenceNetwork reference = c.reference();
        reference.loss(c.batch().steps(0, k), LOSS);
        double[] state = reference.state(name, 1);
        state[element % HIDDEN] += change;
        reference.setState(name, 1, state);
        reference.loss(c.batch().steps(k, t), LOSS);
        double[] all = Arrays.copyOf(reference.state("rnn.h_l0", 1), size);
        if (size > HIDDEN) {
            System.arraycopy(reference.state("rnn.c_l0", 1), 0, all, HIDDEN, HIDDEN);
        }
        return all;
    }

    // Closed forms

    /** dX_t/dX_k = U^(t-k), whatever the inputs. */
    @Test
    void aLinearLayerHasPowersOfItsWeights() {
        Model model = Model.builder().features(2)
                .initialWeights(InitialWeights.pytorch().withRecurrent(Initializer.normal(0.3)))
                .recurrent(CellType.RNN_IDENTITY, 40).dense(2).build();
        RandomBatch batch = new RandomBatch(model, 6, 2, new SplittableRandom(1));
        Jacobians jacobians =
                Diagnostics.of(model, batch.batch(LOSS), LOSS).layers().getFirst().jacobians(0);
        double[][] u = rows(
                model.tensors().stream().filter(t -> t.name().equals("rnn.weight_hh_l0")).findFirst().orElseThrow());
        double[] norms = jacobians.norms(6);
        double[][] power = jacobians.product(3, 3);
        for (int k = 6; k >= 0; k--) {
            double norm = Spectrum.of(power).spectralNorm();
            assertEquals(norm, norms[k], 1e-5 * norm);
            double[][] product = jacobians.product(k, 6);
            for (int i = 0; i < u.length; i++) {
                assertArrayEquals(power[i], product[i], 1e-5 * norm);
            }
            power = multiply(power, u);
        }
    }

    /** Far below what a float can hold: 0.01^150 is 1e-300. */
    @Test
    void scaledOrthogonalLayersVanishAndExplodeByTheirScale() {
        for (double scale : new double[] {0.01, 1, 1.1}) {
            Model model = Model.builder().features(1)
                    .initialWeights(InitialWeights.keras().withRecurrent(Initializer.orthogonal(scale)))
                    .recurrent(CellType.RNN_IDENTITY, 8).dense(1).build();
            int steps = 150;
            Batch batch = Batch.featuresToClasses(steps, 1, new float[steps], new int[steps]);
            Diagnostics diagnostics = Diagnostics.ofLossAt(steps, model, batch, LOSS);
            double[] norms = diagnostics.layers().getFirst().jacobians(0).norms(steps);
            for (int k = 0; k <= steps; k++) {
                assertEquals(1, norms[k] / Math.pow(scale, steps - k), 1e-4);
            }
        }
    }

    private static double[][] rows(NamedArray tensor) {
        int columns = tensor.shape().get(1);
        double[][] rows = new double[tensor.shape().getFirst()][columns];
        for (int i = 0; i < tensor.data().length; i++) {
            rows[i / columns][i % columns] = tensor.data()[i];
        }
        return rows;
    }

    private static double[][] multiply(double[][] a, double[][] b) {
        double[][] product = new double[a.length][b[0].length];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < b[0].length; j++) {
                for (int k = 0; k < b.length; k++) {
                    product[i][j] += a[i][k] * b[k][j];
                }
            }
        }
        return product;
    }

    // Directions and pooling: what they do is what a forward layer does over data that are turned round, or at the last step

    private static final int FEATURES = 3;

    private static Model head(Model.Builder builder) {
        return RandomModels.randomised(builder.dense(OUTPUTS).build(), new SplittableRandom(Conformance.BOUNDED_SEED));
    }

    /** Returns a model of other layers with the weights of this one, in their order. */
    private static Model withWeights(List<Layer> layers, float[]... weights) {
        List<TensorShape> shapes = Model.shapes(layers);
        List<NamedArray> tensors = IntStream.range(0, shapes.size())
                .mapToObj(i -> new NamedArray(shapes.get(i).name(),
                        shapes.get(i).dimensions().stream().map(Long::intValue).toList(),
                        weights[i]))
                .toList();
        return Model.of(layers, tensors);
    }

    private static Batch batch(int[] order) {
        RandomGenerator random = new SplittableRandom(Conformance.BOUNDED_SEED);
        float[] x = new float[STEPS * ROWS * FEATURES];
        int[] classes = new int[STEPS * ROWS];
        for (int t : order) {
            for (int i = 0; i < ROWS * FEATURES; i++) {
                x[t * ROWS * FEATURES + i] = (float) random.nextGaussian();
            }
            for (int i = 0; i < ROWS; i++) {
                classes[t * ROWS + i] = random.nextInt(OUTPUTS);
            }
        }
        return Batch.featuresToClasses(STEPS, ROWS, x, classes);
    }

    private static void same(LayerDiagnostics expected, LayerDiagnostics actual) {
        near(expected.gradientNorms(), actual.gradientNorms());
        near(expected.inputContributions(), actual.inputContributions());
        near(expected.recurrentContributions(), actual.recurrentContributions());
        assertEquals(expected.gates(), actual.gates());
        assertEquals(expected.deadUnits(), actual.deadUnits());
        assertArrayEquals(expected.jacobians(1).norms(STEPS), actual.jacobians(1).norms(STEPS), 1e-6);
    }

    private static void near(List<Double> expected, List<Double> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i), actual.get(i), 1e-6);
        }
    }

    @ParameterizedTest
    @MethodSource("cells")
    void aReverseLayerIsAForwardOneOverTimeTurnedRound(CellType cell) {
        Model forward = head(Model.builder().features(FEATURES).recurrent(cell, HIDDEN));
        float[][] weights = forward.tensors().stream().map(NamedArray::data).toArray(float[][]::new);
        Model reverse =
                withWeights(Model.builder().features(FEATURES).reverse(cell, HIDDEN).dense(OUTPUTS).build().layers(),
                        weights);
        Batch ahead = batch(new int[] {0, 1, 2, 3, 4});
        Batch back = batch(new int[] {4, 3, 2, 1, 0});
        same(Diagnostics.of(forward, ahead, LOSS).layers().getFirst(),
                Diagnostics.of(reverse, back, LOSS).layers().getFirst());
        LayerDiagnostics second = Diagnostics.ofLossAt(2, forward, ahead, LOSS).layers().getFirst();
        same(second, Diagnostics.ofLossAt(STEPS - 1, reverse, back, LOSS).layers().getFirst());
        assertEquals(0, second.gradientNorms().get(2));
    }

    /** A head that looks at one direction alone. */
    @Test
    void aBidirectionalLayerHasADiagnosisForEachDirection() {
        Model forward = head(Model.builder().features(FEATURES).gru(HIDDEN));
        Batch batch = batch(new int[] {0, 1, 2, 3, 4});
        LayerDiagnostics expected = Diagnostics.of(forward, batch, LOSS).layers().getFirst();
        Model plain = Model.builder().features(FEATURES).bidirectional(CellType.GRU, HIDDEN, Layer.Merge.CONCAT)
                .dense(OUTPUTS)
                .seed(3).build();
        float[][] weights = plain.tensors().stream().map(NamedArray::data).toArray(float[][]::new);
        float[][] own = forward.tensors().stream().map(NamedArray::data).toArray(float[][]::new);
        System.arraycopy(own, 0, weights, 0, 4);
        weights[8] = new float[OUTPUTS * 2 * HIDDEN];
        for (int i = 0; i < OUTPUTS * HIDDEN; i++) {
            weights[8][i / HIDDEN * 2 * HIDDEN + i % HIDDEN] = own[4][i];
        }
        weights[9] = own[5];
        Model both = withWeights(plain.layers(), weights);
        List<LayerDiagnostics> layers = Diagnostics.of(both, batch, LOSS).layers();
        assertEquals(List.of("rnn_l0", "rnn_l0_reverse"), layers.stream().map(LayerDiagnostics::name).toList());
        same(expected, layers.getFirst());
        assertEquals(List.of(0.0, 0.0, 0.0, 0.0, 0.0), layers.getLast().gradientNorms());
        var spectra = Spectrum.ofRecurrentWeights(both, 1);
        assertEquals(List.of("r", "z", "n", "r_reverse", "z_reverse", "n_reverse"),
                List.copyOf(spectra.sequencedKeySet()));
        assertEquals(Spectrum.ofRecurrentWeights(forward, 1).get("z").spectralRadius(),
                spectra.get("z").spectralRadius());
        assertTrue(spectra.get("z").spectralRadius() != spectra.get("z_reverse").spectralRadius());
    }

    @Test
    void aModelThatPoolsTheLastStepIsOneWhoseLossIsThere() {
        Model every = head(Model.builder().features(FEATURES).lstm(HIDDEN));
        Model last = withWeights(
                Model.builder().features(FEATURES).lstm(HIDDEN).pool(Layer.Pooling.LAST).dense(OUTPUTS).build()
                        .layers(),
                every.tensors().stream().map(NamedArray::data).toArray(float[][]::new));
        float[] x = {1, 2, 3, 4, 5, 6, -1, -2, -3, 0, 0.5f, 0, 1, 1, 1, 2, 0, 2};
        Batch eachStep = Batch.featuresToClasses(3, 2, x, new int[] {0, 0, 0, 0, 1, 2});
        Batch once = Batch.featuresToClasses(3, 2, x, new int[] {1, 2});
        LayerDiagnostics expected = Diagnostics.ofLossAt(3, every, eachStep, LOSS).layers().getFirst();
        for (Diagnostics diagnostics : List.of(Diagnostics.of(last, once, LOSS),
                Diagnostics.ofLossAt(3, last, once, LOSS))) {
            near(expected.gradientNorms(), diagnostics.layers().getFirst().gradientNorms());
            near(expected.recurrentContributions(), diagnostics.layers().getFirst().recurrentContributions());
        }
        refused("step: expected 3 to 3, got 1", () -> Diagnostics.ofLossAt(1, last, once, LOSS));
    }

    // Gates and units

    /** Gates that biases alone decide, by the rows of PyTorch's biases. */
    private static LayerDiagnostics ofBiases(CellType cell, int hidden, float... bias) {
        Model zero = Model.builder().features(2)
                .initialWeights(
                        InitialWeights.pytorch().withInput(Initializer.zeros()).withRecurrent(Initializer.zeros())
                                .withBias(Initializer.zeros()))
                .recurrent(cell, hidden).dense(2).build();
        List<NamedArray> tensors = zero.tensors().stream()
                .map(t -> t.name().equals("rnn.bias_ih_l0") ? new NamedArray(t.name(), t.shape(), bias) : t).toList();
        Model model = Model.of(zero.layers(), tensors);
        RandomBatch batch = new RandomBatch(model, 3, 2, new SplittableRandom(1));
        return Diagnostics.of(model, batch.batch(LOSS), LOSS).layers().getFirst();
    }

    @Test
    void saturationOfGates() {
        // sigmoid(2) = 0.88 and sigmoid(3) = 0.95; tanh(1) = 0.76 and tanh(2) = 0.96.
        LayerDiagnostics lstm = ofBiases(CellType.LSTM, 4, 3, 3, 3, 2, -3, -3, -2, 0, 2, 1, -1, -2, 0, -2, 2, -3);
        assertEquals(List.of(new LayerDiagnostics.Gate("i", 0, 0.75), new LayerDiagnostics.Gate("f", 0.5, 0),
                new LayerDiagnostics.Gate("g", 0.25, 0.25), new LayerDiagnostics.Gate("o", 0.25, 0)), lstm.gates());
        for (CellType cell : List.of(CellType.GRU, CellType.GRU_RESET_BEFORE)) {
            LayerDiagnostics gru = ofBiases(cell, 4, 3, 3, 3, 2, -3, -3, -2, 0, -2, -2, -2, 2);
            assertEquals(List.of(new LayerDiagnostics.Gate("r", 0, 0.75), new LayerDiagnostics.Gate("z", 0.5, 0),
                    new LayerDiagnostics.Gate("n", 0.75, 0.25)), gru.gates());
        }
        assertEquals(List.of(new LayerDiagnostics.Gate("h", 0.25, 0.5)),
                ofBiases(CellType.RNN_TANH, 4, 2, 2, 1, -2).gates());
        for (CellType cell : List.of(CellType.RNN_RELU, CellType.RNN_IDENTITY)) {
            assertEquals(List.of(new LayerDiagnostics.Gate("h", 0, 0)), ofBiases(cell, 4, 20, -20, 1, -2).gates());
        }
    }

    @Test
    void deadUnits() {
        Model model = Model.builder().features(3).recurrent(CellType.RNN_RELU, 6).dense(2).build();
        List<NamedArray> tensors = model.tensors().stream().map(t -> t.name().equals("rnn.bias_ih_l0")
                ? new NamedArray(t.name(), t.shape(), new float[] {9, -30, 9, 9, -30, 9})
                : t).toList();
        Model half = Model.of(model.layers(), tensors);
        RandomBatch batch = new RandomBatch(half, 7, 3, new SplittableRandom(1));
        assertEquals(List.of(1, 4), Diagnostics.of(half, batch.batch(LOSS), LOSS).layers().getFirst().deadUnits());
        // A closed output gate shows nothing of what is in the cell.
        assertEquals(List.of(2), ofBiases(CellType.LSTM, 3, 0, 0, 0, 9, 9, 9, 1, 1, 1, 0, 0, -20).deadUnits());
    }

    // Inputs of every kind

    @Test
    void theLossIsThatOfTrainingOfTokensAndRows() {
        for (Model model : List.of(Model.builder().embedding(9, 4).dropout(0.5).lstm(5).gru(3).dense(4).build(),
                Model.builder().oneHot(9).gru(20).build(),
                Model.builder().features(3).dense(5).rnn(4).dense(4).build())) {
            RandomBatch batch = new RandomBatch(model, 4, 3, new SplittableRandom(1));
            for (Loss loss : List.of(Loss.crossEntropy(), Loss.squaredError().summed())) {
                Diagnostics diagnostics = Diagnostics.of(model, batch.batch(loss), loss);
                Model still = Model.of(model.layers().stream().filter(l -> !(l instanceof Layer.Dropout)).toList(),
                        model.tensors());
                try (Trainer trainer = Trainer.builder(still).loss(loss).build()) {
                    assertEquals(trainer.gradients(batch.batch(loss)), diagnostics.loss(), 1e-6);
                }
                int[] recurrent = IntStream.range(0, model.layers().size())
                        .filter(i -> model.layers().get(i) instanceof Layer.Recurrent).toArray();
                assertArrayEquals(recurrent, diagnostics.layers().stream().mapToInt(LayerDiagnostics::index).toArray());
            }
        }
    }

    @Test
    void whatDoesNotFit() {
        Model model = Model.builder().embedding(5, 3).gru(4).dense(2).build();
        Batch batch = Batch.tokensToClasses(2, 1, new int[] {1, 2}, new int[] {0, 1});
        refused("step: expected 1 to 2, got 3", () -> Diagnostics.ofLossAt(3, model, batch, LOSS));
        refused("expected features", () -> Diagnostics.of(Model.builder().features(1).gru(4).build(), batch, LOSS));
        LayerDiagnostics layer = Diagnostics.of(model, batch, LOSS).layers().getFirst();
        refused("row: expected 0 to 0, got 1", () -> layer.jacobians(1));
        refused("t: expected 1 to 2, got 0", () -> layer.jacobians(0).step(0));
        refused("k: expected 0 to t = 1, got 2", () -> layer.jacobians(0).product(2, 1));
        assertEquals(1, layer.jacobians(0).norms(0)[0]);
        Batch wrong = Batch.tokensToClasses(2, 1, new int[] {1, 5}, new int[] {0, 1});
        assertTrue(assertThrows(IndexOutOfBoundsException.class, () -> Diagnostics.of(model, wrong, LOSS)).getMessage()
                .contains("token 1: expected 0..4, got 5"));
    }

    private static void refused(String message, Runnable call) {
        String actual = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(actual.contains(message), actual);
    }
}
