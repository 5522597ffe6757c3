package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.InitialWeights;
import dev.ostinato.nn.Initializer;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import dev.ostinato.tests.ReferenceNetwork.Module;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Layer norm and batch norm as layers: against PyTorch, against slopes, and the same bits however the work is shared out. */
final class NormLayersTest {
    private static final int STEPS = 5;
    private static final int ROWS = 3;

    private static Stream<String> backends() {
        return ExactBackends.names();
    }

    /** Tolerances as those of {@link GoldenTest}; the statistics of few rows make a little more of every error. */
    @ParameterizedTest
    @MethodSource("backends")
    @AtEveryWidth
    void asInPyTorch(String backend) throws IOException {
        Golden golden = Golden.read("norm-layers");
        Model model = Model.of(Model.builder().features(7).layerNorm().lstm(19).batchNorm().dense(4).build().layers(),
                golden.tensors("initial")).withBackend(backend);
        float[] losses = golden.floats("losses");
        try (Trainer trainer =
                Trainer.builder(model).loss(Loss.squaredError()).optimizer(new Optimizer.Sgd(0.2, 0)).build()) {
            for (int i = 0; i < losses.length; i++) {
                Batch batch = Batch.featuresToValues(STEPS, ROWS, part(golden.floats("features"), i, losses.length),
                        part(golden.floats("values"), i, losses.length));
                assertEquals(losses[i], trainer.step(batch), 1e-5 * losses[i]);
                if (i == 0) {
                    near(golden.tensors("gradient"), trainer.gradients());
                }
            }
            Model trained = trainer.model();
            near(golden.tensors("final"), trained.tensors());
            float[] y = new float[STEPS * ROWS * 4];
            trained.run(golden.floats("inputs"), trained.newState(ROWS), y);
            assertArrayEquals(golden.floats("outputs"), y, 1e-5f);
        }
    }

    private static float[] part(float[] all, int index, int count) {
        int size = all.length / count;
        return Arrays.copyOfRange(all, index * size, (index + 1) * size);
    }

    private static void near(List<NamedArray> expected, List<NamedArray> actual) {
        for (NamedArray tensor : expected) {
            NamedArray found = actual.stream().filter(a -> a.name().equals(tensor.name())).findFirst().orElseThrow();
            assertArrayEquals(tensor.data(), found.data(), 1e-5f, tensor.name());
        }
    }

    /** A first layer, a last one, and behind every kind of layer. */
    private static Stream<Model> models() {
        return Stream.of(Model.builder().features(5).batchNorm().lstm(7).layerNorm().dense(6),
                Model.builder().features(5).layerNorm().gru(7).batchNorm().gru(7).dense(6),
                Model.builder().embedding(6, 5).batchNorm().rnn(17).dense(6).layerNorm(),
                Model.builder().embedding(6, 5).layerNorm().rnn(7).dense(6).batchNorm()).map(Model.Builder::build);
    }

    @ParameterizedTest
    @MethodSource("models")
    void gradientsAreTheSlopesOfTheLoss(Model layers) {
        RandomGenerator random = new SplittableRandom(Conformance.BOUNDED_SEED);
        Model model = RandomModels.randomised(layers, random);
        Loss loss = Loss.crossEntropy();
        RandomBatch first = new RandomBatch(model, STEPS, ROWS, random).shortened(random);
        RandomBatch second = new RandomBatch(model, STEPS, ROWS, random);
        try (Trainer trainer = Trainer.builder(model).loss(loss).build()) {
            trainer.gradients(first.batch(loss));
            trainer.gradients(second.batch(loss));
            var slopes = GradientCheck.slopes(modules(model), model, loss, first, second);
            assertEquals("", String.join("\n", GradientCheck.differences(slopes, trainer.gradients())),
                    () -> "seed " + Conformance.BOUNDED_SEED);
            slopes.keySet().removeIf(name -> name.contains("running_"));
            // What all rows have in common is no slope behind a softmax, or behind another norm.
            assertEquals(List.of(), GradientCheck.invisible(slopes).stream()
                    .filter(name -> name.contains("weight")).toList());
        }
    }

    private static List<Module> modules(Model model) {
        List<NamedArray> tensors = model.tensors();
        Module[] modules = new Module[model.layers().size()];
        int[] next = new int[1];
        Arrays.setAll(modules, i -> module(model.layers().get(i), tensors, next));
        return List.of(modules);
    }

    /** Tensors are in the order of the layers. */
    private static Module module(Layer layer, List<NamedArray> tensors, int[] next) {
        if (layer instanceof Layer.Features) {
            return new Module(layer, "", "");
        }
        String name = tensors.get(next[0]).name();
        int dot = name.indexOf('.');
        int layerNumber = name.indexOf("_l", dot);
        next[0] += switch (layer) {
            case Layer.Embedding ignored -> 1;
            case Layer.Recurrent ignored -> 4;
            case Layer.BatchNorm ignored -> 4;
            default -> 2;
        };
        return new Module(layer, name.substring(0, dot), layerNumber < 0 ? "" : name.substring(layerNumber));
    }

    @ParameterizedTest
    @MethodSource("models")
    void threadsChangeNoBit(Model model) {
        RandomGenerator random = new SplittableRandom(3);
        List<RandomBatch> batches = Stream.generate(() -> new RandomBatch(model, 50, 7, random)).limit(3).toList();
        List<NamedArray> alone = trained(model, batches, 1, Optimizer.adam(0.01));
        List<NamedArray> together = trained(model, batches, 3, Optimizer.adam(0.01));
        for (int i = 0; i < alone.size(); i++) {
            assertArrayEquals(alone.get(i).data(), together.get(i).data(), alone.get(i).name());
        }
    }

    private static List<NamedArray> trained(Model model, List<RandomBatch> batches, int threads, Optimizer optimizer) {
        try (Trainer trainer =
                Trainer.builder(model).loss(Loss.crossEntropy()).optimizer(optimizer).threads(threads).build()) {
            batches.forEach(batch -> trainer.step(batch.batch(Loss.crossEntropy())));
            return trainer.model().tensors();
        }
    }

    /** They are what the forward makes of them, whatever the optimiser does. */
    @Test
    void optimisersLeaveRunningStatisticsAlone() {
        Model model = Model.builder().features(3).batchNorm().dense(2).build();
        List<RandomBatch> batches = List.of(new RandomBatch(model, STEPS, ROWS, new SplittableRandom(4)));
        List<NamedArray> adam = trained(model, batches, 1, Optimizer.adam(0.1));
        List<NamedArray> momentum = trained(model, batches, 1, new Optimizer.Sgd(0.1, 0.9));
        assertEquals(List.of("batch_norm.weight", "batch_norm.bias", "batch_norm.running_mean",
                "batch_norm.running_var", "head.weight", "head.bias"), adam.stream().map(NamedArray::name).toList());
        assertArrayEquals(adam.get(2).data(), momentum.get(2).data());
        assertArrayEquals(adam.get(3).data(), momentum.get(3).data());
    }

    @ParameterizedTest
    @MethodSource("models")
    void stepsAreARun(Model model) {
        RandomGenerator random = new SplittableRandom(5);
        RandomBatch batch = new RandomBatch(model, STEPS, 1, random);
        float[] run = new float[STEPS * model.outputs()];
        State state = model.newState();
        State stepping = model.newState();
        float[] y = new float[model.outputs()];
        if (model.takesTokens()) {
            model.run(batch.tokens, state, run);
        } else {
            model.run(batch.features, state, run);
        }
        for (int t = 0; t < STEPS; t++) {
            if (model.takesTokens()) {
                model.step(batch.tokens[t], stepping, y);
            } else {
                model.step(part(batch.features, t, STEPS), stepping, y);
            }
            assertArrayEquals(part(run, t, STEPS), y);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void filesKeepEverything(Model layers, @TempDir Path folder) throws IOException {
        Model model = RandomModels.randomised(layers, new SplittableRandom(6));
        Path file = folder.resolve("model.safetensors");
        ModelFile.write(file, model, null);
        Model read = ModelFile.read(file).model();
        assertEquals(model.layers(), read.layers());
        for (int i = 0; i < model.tensors().size(); i++) {
            assertEquals(model.tensors().get(i).name(), read.tensors().get(i).name());
            assertArrayEquals(model.tensors().get(i).data(), read.tensors().get(i).data());
        }
    }

    @Test
    void beginsAsTheIdentityOfNormalisedRows() {
        InitialWeights ones =
                InitialWeights.pytorch().withInput(Initializer.constant(3)).withBias(Initializer.constant(3));
        Model model = Model.builder().features(2).initialWeights(ones).batchNorm().layerNorm().build();
        assertEquals(List.of(1f, 0f, 0f, 1f, 1f, 0f), model.tensors().stream().map(t -> t.data()[1]).toList());
    }

    @Test
    void arguments() {
        refused("epsilon: expected a positive number, got 0.0", () -> new Layer.LayerNorm(3, 0));
        refused("epsilon: expected a positive number, got NaN", () -> new Layer.BatchNorm(3, 0.1f, Float.NaN));
        refused("momentum: expected a number in [0, 1], got 1.5", () -> new Layer.BatchNorm(3, 1.5f, 1e-5f));
        refused("size: expected >= 1, got 0", () -> new Layer.LayerNorm(0, 1e-5f));
        Model model = Model.builder().features(3).batchNorm().dense(2).build();
        Batch one = new RandomBatch(model, 1, 1, new SplittableRandom(1)).batch(Loss.crossEntropy());
        try (Trainer trainer = Trainer.builder(model).loss(Loss.crossEntropy()).build()) {
            refused("batch norm: expected at least 2 rows to train on, got 1", () -> trainer.step(one));
        }
    }

    private static void refused(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }
}
