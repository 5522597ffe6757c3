package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ostinato.formats.Checkpoint;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.formats.SafeTensors;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Diagnostics;
import dev.ostinato.nn.Jacobians;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Layer.Dropout.Scope;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import dev.ostinato.tests.ReferenceNetwork.Module;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Dropout of streams, recurrent dropout, DropConnect, zoneout and residual connections: against PyTorch with masks of its own making, the same
 * bits however the work is done, and what there is to say about masks. {@link GradientCheckTest} has their slopes.
 */
final class RegularizationTest {
    private static final Regularization ALL = Regularization.NONE.withRecurrentDropout(0.3).withDropConnect(0.25);
    private static final Loss LOSS = Loss.squaredError();
    private static final int STEPS = 5;
    private static final int ROWS = 3;

    /** Of sizes that no block divides, behind every kind of input, in both directions. */
    private static Stream<Model> models() {
        CellType projected = CellType.LSTM.withProjection(11);
        return Stream.of(
                Model.builder().features(19).dropout(0.2, Scope.STREAM).regularization(ALL.withZoneout(0.2, 0.35))
                        .lstm(19).residual().regularization(ALL).gru(7).dense(3),
                Model.builder().embedding(23, 19).regularization(ALL.withZoneout(0.3, 0)).gru(19).residual()
                        .recurrent(CellType.GRU_RESET_BEFORE, 17).dropout(0.3, Scope.STREAM).dense(3).dense(3)
                        .residual(),
                Model.builder().oneHot(23).regularization(ALL.withZoneout(0, 0.4)).recurrent(projected, 19)
                        .recurrent(projected, 19).residual().recurrent(CellType.LAYER_NORM_LSTM, 11).residual(3)
                        .dense(3),
                Model.builder().features(5).dense(34).regularization(ALL.withZoneout(0.1, 0.1))
                        .bidirectional(CellType.LSTM, 17, Layer.Merge.CONCAT).dropout(0.2).residual()
                        .regularization(Regularization.NONE.withZoneout(0.1, 0)).reverse(CellType.MIN_GRU, 7)
                        .recurrent(CellType.IND_RNN_TANH, 7).residual().dense(3))
                .map(builder -> builder.seed(3).build());
    }

    // Oracles

    /** Tolerances as those of {@link GoldenTest}. */
    @ParameterizedTest
    @ValueSource(strings = {"lstm", "gru", "rnn-tanh"})
    void asInPyTorch(String label) throws IOException {
        SafeTensors golden = Goldens.read("regularization");
        CellType cell = CellType.of(label);
        Model layers = Model.builder().features(9).dropout(0.2, Scope.STREAM)
                .regularization(ALL.withZoneout(0.2, label.equals("lstm") ? 0.35 : 0)).recurrent(cell, 9).residual()
                .dense(4).build();
        Model initial = Model.of(layers.layers(), Goldens.tensors(golden, label + ".initial."));
        float[] losses = golden.tensor(label + ".losses").toFloats();
        for (String backend : ExactBackends.names().toList()) {
            try (Trainer trainer = Trainer.builder(initial).backend(backend).loss(LOSS)
                    .optimizer(new Optimizer.Sgd(0.1, 0.5)).seed(7).build()) {
                for (int i = 0; i < losses.length; i++) {
                    Batch batch = Batch.featuresToValues(STEPS, ROWS,
                            part(golden, label + ".features", i), part(golden, label + ".values", i));
                    assertEquals(losses[i], trainer.step(batch), 1e-5 * losses[i], backend);
                    if (i == 0) {
                        near(Goldens.tensors(golden, label + ".gradient."), trainer.gradients());
                    }
                }
                Model trained = trainer.model();
                near(Goldens.tensors(golden, label + ".final."), trained.tensors());
                float[] y = new float[STEPS * ROWS * 4];
                trained.run(golden.tensor(label + ".inputs").toFloats(), trained.newState(ROWS), y);
                assertArrayEquals(golden.tensor(label + ".outputs").toFloats(), y, 1e-5f, backend);
            }
        }
    }

    private static float[] part(SafeTensors golden, String name, int index) throws IOException {
        Tensor tensor = golden.tensor(name);
        int size = tensor.toFloats().length / (int) tensor.shape()[0];
        return Arrays.copyOfRange(tensor.toFloats(), index * size, (index + 1) * size);
    }

    private static void near(List<NamedArray> expected, List<NamedArray> actual) {
        assertEquals(expected.size(), actual.size());
        for (NamedArray tensor : expected) {
            NamedArray found = actual.stream().filter(a -> a.name().equals(tensor.name())).findFirst().orElseThrow();
            assertArrayEquals(tensor.data(), found.data(), 1e-5f, tensor.name());
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void inferenceTakesWhatIsExpected(Model layers) {
        RandomGenerator random = new SplittableRandom(Conformance.BOUNDED_SEED);
        Model model = RandomModels.randomised(layers, random);
        RandomBatch batch = new RandomBatch(model, STEPS, ROWS, random).thinned(random);
        double[][] expected = new ReferenceNetwork(modules(model), GradientCheck.tensors(model)).inferring()
                .forward(batch);
        for (Precision precision : Precision.values()) {
            float[] y = run(model.withPrecision(precision), batch);
            double tolerance = precision == Precision.F32 ? 1e-5 : 0.1;
            for (int i = 0; i < y.length; i++) {
                double[] row = expected[i / model.outputs()];
                assertEquals(row == null ? 0 : row[i % model.outputs()], y[i], tolerance, precision.name());
            }
        }
    }

    private static List<Module> modules(Model model) {
        return IntStream.range(0, model.layers().size()).mapToObj(i -> {
            Layer layer = model.layers().get(i);
            if (model.tensors(i).isEmpty()) {
                return new Module(layer, "", "");
            }
            String name = model.tensors(i).getFirst().name();
            int dot = name.indexOf('.');
            int number = name.indexOf("_l", dot);
            return new Module(layer, name.substring(0, dot), number < 0 ? "" : name.substring(number));
        }).toList();
    }

    private static float[] run(Model model, RandomBatch batch) {
        float[] y = new float[batch.steps * batch.rows * model.outputs()];
        if (model.takesTokens()) {
            model.run(batch.tokens, batch.sequences(), model.newState(batch.rows), y);
        } else {
            model.run(batch.features, batch.sequences(), model.newState(batch.rows), y);
        }
        return y;
    }

    // The same bits

    private static List<NamedArray> trained(Model model, UnaryOperator<Trainer.Builder> options) {
        RandomGenerator random = new SplittableRandom(4);
        RandomBatch ragged = new RandomBatch(model, 12, 15, random).thinned(random); // more rows than are drawn at once
        RandomBatch full = new RandomBatch(model, 3, 15, random);
        try (Trainer trainer =
                options.apply(Trainer.builder(model).loss(LOSS).clipGlobalNorm(0.3).seed(5)).build()) {
            for (RandomBatch batch : List.of(ragged, full)) {
                trainer.step(batch.batch(LOSS));
            }
            return trainer.model().tensors();
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void backendsAndThreadsTrainTheSame(Model model) {
        List<NamedArray> expected = trained(model, trainer -> trainer.backend("scalar"));
        for (String backend : ExactBackends.names().toList()) {
            same(expected, trained(model, trainer -> trainer.backend(backend).threads(3)));
        }
        List<NamedArray> otherwise = trained(model, trainer -> trainer.seed(6));
        assertFalse(Arrays.equals(expected.getFirst().data(), otherwise.getFirst().data()), "another seed");
    }

    private static void same(List<NamedArray> expected, List<NamedArray> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).name(), actual.get(i).name());
            assertArrayEquals(expected.get(i).data(), actual.get(i).data(), expected.get(i).name());
        }
    }

    /** By a file that another trainer reads: it has what disturbs the training, and draws the same masks. */
    @ParameterizedTest
    @MethodSource("models")
    void resumedTrainingGoesOnAsIfNeverStopped(Model model, @TempDir Path folder) throws IOException {
        SplittableRandom random = new SplittableRandom(4);
        List<Batch> batches =
                Stream.generate(() -> new RandomBatch(model, 4, 3, random).batch(LOSS)).limit(4).toList();
        Path file = folder.resolve("checkpoint");
        List<NamedArray> expected;
        try (Trainer trainer = Trainer.builder(model).loss(LOSS).seed(5).build()) {
            for (int i = 0; i < batches.size(); i++) {
                if (i == 2) {
                    new Checkpoint(new ModelFile(trainer.model(), Optional.empty()), trainer.progress(), i,
                            new LinkedHashMap<>()).write(file);
                }
                trainer.step(batches.get(i));
            }
            expected = trainer.model().tensors();
        }
        Checkpoint read = Checkpoint.read(file);
        assertEquals(model.layers(), read.model().model().layers());
        try (Trainer trainer = Trainer.builder(read.model().model()).loss(LOSS).seed(5).build()) {
            trainer.resume(read.progress());
            batches.subList(2, 4).forEach(trainer::step);
            same(expected, trainer.model().tensors());
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void aRowIsItsOwnStepsAlone(Model model) {
        RandomGenerator random = new SplittableRandom(Conformance.SEED);
        RandomBatch batch = new RandomBatch(model, 9, 5, random).thinned(random);
        for (Precision precision : Precision.values()) {
            Model rounded = model.withPrecision(precision);
            float[] together = run(rounded, batch);
            for (int b = 0; b < batch.rows; b++) {
                float[] alone = run(rounded, batch.row(b));
                for (int i = 0; i < alone.length; i++) {
                    int step = i / model.outputs();
                    float expected = together[(step * batch.rows + b) * model.outputs() + i % model.outputs()];
                    assertEquals(Float.floatToIntBits(expected), Float.floatToIntBits(alone[i]), "row " + b);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void aRunIsSingleSteps(Model model) {
        if (!model.streams()) {
            return;
        }
        RandomBatch batch = new RandomBatch(model, 9, 1, new SplittableRandom(Conformance.SEED));
        float[] run = run(model, batch);
        State state = model.newState();
        float[] y = new float[model.outputs()];
        for (int t = 0; t < batch.steps; t++) {
            RandomBatch step = batch.steps(t, t + 1);
            if (model.takesTokens()) {
                model.step(step.tokens, state, y);
            } else {
                model.step(step.features, state, y);
            }
            assertArrayEquals(Arrays.copyOfRange(run, t * y.length, (t + 1) * y.length), y);
        }
    }

    /** Zoneout alone is seen in inference. */
    @Test
    void inferenceKnowsNothingOfMasks() {
        Model plain = Model.builder().features(9).lstm(19).gru(7).seed(2).build();
        Model dropping =
                Model.builder().features(9).regularization(ALL).lstm(19).gru(7).dropout(0.5).seed(2).build();
        Model zoning = Model.builder().features(9).regularization(ALL.withZoneout(0.1, 0)).lstm(19).gru(7).seed(2)
                .build();
        RandomBatch batch = new RandomBatch(plain, 9, 3, new SplittableRandom(1));
        same(plain.tensors(), dropping.tensors());
        assertArrayEquals(run(plain, batch), run(dropping, batch));
        assertFalse(Arrays.equals(run(plain, batch), run(zoning, batch)));
    }

    // Masks. The draws are the same every time, so that nothing fails by chance.

    private static final int UNITS = 200;
    private static final double RATE = 0.3;

    /** A linear layer of one row, in whose gradient of U an element is zero where it or the state that it multiplies has been dropped. */
    private static float[] recurrentGradient(Regularization regularization, int steps) {
        Model model = Model.builder().features(1).regularization(regularization)
                .recurrent(CellType.RNN_IDENTITY, UNITS).seed(1).build();
        RandomBatch batch = new RandomBatch(model, steps, 1, new SplittableRandom(2));
        try (Trainer trainer = Trainer.builder(model).loss(LOSS).build()) {
            trainer.gradients(batch.batch(LOSS));
            return trainer.gradients().stream().filter(t -> t.name().contains("weight_hh")).findFirst().orElseThrow()
                    .data();
        }
    }

    private static void share(double expected, long found, int of) {
        assertEquals(of * expected, (double) found, 4 * Math.sqrt(of * expected * (1 - expected)));
    }

    @Test
    void dropConnectDropsTheRightShareOfTheWeights() {
        float[] gradient = recurrentGradient(Regularization.NONE.withDropConnect(RATE), 5);
        long zeros = IntStream.range(0, gradient.length).filter(i -> gradient[i] == 0).count();
        share(RATE, zeros, gradient.length);
    }

    /** A unit that is dropped is so at every step: a column of zeros. */
    @Test
    void recurrentDropoutDropsUnitsForAllSteps() {
        float[] gradient = recurrentGradient(Regularization.NONE.withRecurrentDropout(RATE), 5);
        long zeros = IntStream.range(0, UNITS)
                .filter(j -> IntStream.range(0, UNITS).allMatch(i -> gradient[i * UNITS + j] == 0)).count();
        long anyZeros = IntStream.range(0, gradient.length).filter(i -> gradient[i] == 0).count();
        assertEquals(zeros * UNITS, anyZeros);
        share(RATE, zeros, UNITS);
    }

    /** Units that keep their zero after one step. */
    @Test
    void zoneoutKeepsTheRightShareOfBothStates() {
        Model model = Model.builder().features(1).regularization(Regularization.NONE.withZoneout(RATE, 0.6))
                .lstm(UNITS).seed(1).build();
        RandomBatch batch = new RandomBatch(model, 1, 10, new SplittableRandom(2));
        try (Trainer trainer = Trainer.builder(model).loss(LOSS).build()) {
            trainer.step(batch.batch(LOSS));
            float[] h = trainer.progress().states().getFirst().data();
            float[] c = trainer.progress().states().getLast().data();
            share(RATE, zeros(h), h.length);
            share(0.6, zeros(c), c.length);
            int both = (int) IntStream.range(0, h.length).filter(i -> h[i] == 0 && c[i] == 0).count();
            share(RATE * 0.6, both, h.length); // they are drawn apart
            trainer.resetState();
            trainer.step(batch.batch(LOSS));
            float[] next = trainer.progress().states().getFirst().data();
            long again = IntStream.range(0, h.length).filter(i -> h[i] == 0 && next[i] == 0).count();
            share(RATE * RATE, again, h.length); // and anew in the next step of training
        }
    }

    private static long zeros(float[] values) {
        return IntStream.range(0, values.length).filter(i -> values[i] == 0).count();
    }

    /** Of a linear layer dX_t/dX_(t-1) is {@code p + (1 - p) U}: diagnostics see what is expected of zoneout, and no masks. */
    @Test
    void diagnosticsSeeWhatIsExpected() {
        Model model = Model.builder().features(2).regularization(ALL.withZoneout(0.25, 0))
                .recurrent(CellType.RNN_IDENTITY, 3).seed(1).build();
        RandomBatch batch = new RandomBatch(model, 4, 1, new SplittableRandom(2));
        Diagnostics diagnostics = Diagnostics.of(model, batch.batch(LOSS), LOSS);
        Jacobians jacobians = diagnostics.layers().getFirst().jacobians(0);
        float[] u = model.tensors().get(1).data();
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                assertEquals((i == j ? 0.25 : 0) + 0.75 * u[i * 3 + j], jacobians.step(2)[i][j], 1e-6);
            }
        }
        double expected = new ReferenceNetwork(modules(model), GradientCheck.tensors(model)).inferring()
                .loss(batch, LOSS);
        assertEquals(expected, diagnostics.loss(), 1e-6);
    }

    // What does not fit

    @Test
    void arguments() {
        refused("recurrent dropout: expected a rate in [0, 1), got 1.0", () -> ALL.withRecurrentDropout(1));
        refused("DropConnect: expected a rate in [0, 1), got -0.5", () -> ALL.withDropConnect(-0.5));
        refused("zoneout: expected a rate in [0, 1), got NaN", () -> ALL.withZoneout(Double.NaN, 0));
        refused("zoneout of the cell state: expected a rate in [0, 1), got 1.5", () -> ALL.withZoneout(0, 1.5));
        refused("zoneout of the cell state: expected a cell that has one, got gru and a rate of 0.1",
                () -> Model.builder().features(3).regularization(ALL.withZoneout(0.1, 0.1)).gru(3));
        refused("recurrent dropout: expected a cell that multiplies its state with a matrix, got min-gru and a rate of 0.3",
                () -> Model.builder().features(3).regularization(ALL).recurrent(CellType.MIN_GRU, 3));
        refused("DropConnect: expected a cell that multiplies its state with a matrix, got ind-rnn-tanh and a rate of 0.5",
                () -> new Layer.Bidirectional(CellType.IND_RNN_TANH, 3, 3, Layer.Merge.SUM,
                        Regularization.NONE.withDropConnect(0.5)));
        refused("dropout: expected a rate in [0, 1), got 1.0", () -> new Layer.Dropout(3, 1, Scope.STREAM));
    }

    @Test
    void residualConnectionsThatDoNotFit() {
        refused("span: expected >= 1, got 0", () -> Model.builder().features(3).gru(3).residual(0));
        refused("layer 2: expected 3 inputs, as Features[size=3] has outputs, which it adds to them, got Residual[size=5, span=1]",
                () -> Model.builder().features(3).gru(5).residual().build());
        refused("layer 3: expected a span of at most 1 layers, got Residual[size=3, span=2]",
                () -> Model.builder().features(3).gru(3).dropout(0.1).residual(2).build());
        refused("layer 2: expected rows of floats to add to its input, got OneHot[vocabulary=3]",
                () -> Model.builder().oneHot(3).gru(3).residual().build());
        refused("layer 3: expected layers with as many rows as before, to be skipped, got Pool[size=3, pooling=LAST] before "
                + "Residual[size=3, span=2]",
                () -> Model.builder().features(3).gru(3).pool(Layer.Pooling.LAST).residual(2).build());
    }

    private static void refused(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    /** Layers with a connection past them are no stack of PyTorch's. */
    @Test
    void namesOfLayers() {
        Model model = Model.builder().features(3).gru(3).dropout(0.1, Scope.STREAM).gru(3).residual(2).gru(3).build();
        assertEquals(List.of("features", "gru", "dropout 0.1 of streams", "gru", "residual over 2", "gru"),
                model.layers().stream().map(Layer::label).toList());
        assertEquals(List.of("rnn.bias_hh_l0", "rnn.bias_hh_l1", "rnn2.bias_hh_l0"),
                model.tensors().stream().map(NamedArray::name).filter(name -> name.contains("bias_hh")).toList());
        assertEquals("recurrent dropout 0.3, DropConnect 0.25, zoneout 0.1 and 0.2",
                ALL.withZoneout(0.1, 0.2).label());
        assertNotEquals(ALL, Regularization.NONE);
    }
}
