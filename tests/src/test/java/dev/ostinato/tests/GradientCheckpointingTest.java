package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.DivergedException;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Layer.Dropout.Scope;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A batch gone through in segments of its steps has the bits of the batch in one piece, and takes memory for the square root of its steps. */
final class GradientCheckpointingTest {
    private static final Regularization ALL =
            Regularization.NONE.withRecurrentDropout(0.3).withDropConnect(0.25);
    private static final int ROWS = 5;

    // The same bits

    private static Stream<Model> cells() {
        return CellType.all().stream().flatMap(cell -> Stream.of(
                Model.builder().embedding(23, 11).recurrent(cell, 19).dropout(0.25).recurrent(cell, 17).dense(9),
                Model.builder().features(7).regularization(disturbed(cell)).recurrent(cell, 19).recurrent(cell, 19)
                        .dense(9)))
                .map(builder -> builder.seed(3).build());
    }

    /** Returns everything that a cell can be disturbed by. */
    private static Regularization disturbed(CellType cell) {
        boolean multiplies = !cell.label().startsWith("ind-rnn") && !cell.label().startsWith("min-gru");
        return (multiplies ? ALL : Regularization.NONE).withZoneout(0.2, cell.label().contains("lstm") ? 0.3 : 0);
    }

    private static Stream<Model> models() {
        CellType projected = CellType.LSTM.withProjection(11);
        return Stream.of(
                Model.builder().oneHot(23).lstm(19).dense(9),
                Model.builder().embedding(23, 19).gru(19).residual().dense(9),
                Model.builder().embedding(23, 5).dense(7).dropout(0.2, Scope.STREAM).gru(19).dense(9).dense(9)
                        .residual(),
                Model.builder().features(7).recurrent(projected, 19).recurrent(projected, 19).residual().dense(9),
                Model.builder().oneHot(23).regularization(disturbed(projected)).recurrent(projected, 19).dense(9),
                Model.builder().features(7).recurrent(CellType.of("lstm(peepholes,projection=17,cell-clip=1)"), 19)
                        .layerNorm()
                        .recurrent(CellType.of("gru(clip=1)"), 9),
                Model.builder().features(7).dense(9))
                .map(builder -> builder.seed(3).build());
    }

    /** What a training leaves. */
    private record Result(List<Double> losses, List<float[]> byOutput, List<List<NamedArray>> tensors) {}

    /** Steps over batches of changing lengths, whose states go on, in windows too. */
    private static Result trained(Trainer.Builder builder, Loss loss) {
        Result result = new Result(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        try (Trainer trainer = builder.loss(loss).optimizer(Optimizer.adam(1e-2)).clipGlobalNorm(1).seed(5).build()) {
            for (Batch batch : batches(trainer.model(), loss)) {
                result.losses.add(trainer.step(batch));
                result.byOutput.add(trainer.losses());
                result.tensors.add(trainer.gradients());
                result.tensors.add(trainer.progress().states());
            }
            result.tensors.add(trainer.model().tensors());
        }
        return result;
    }

    private static List<Batch> batches(Model model, Loss loss) {
        SplittableRandom random = new SplittableRandom(Conformance.SEED);
        RandomBatch whole = new RandomBatch(model, 23, ROWS, random);
        return List.of(whole.batch(loss), new RandomBatch(model, 23, ROWS, random).batch(loss),
                new RandomBatch(model, 14, ROWS, random).shortened(random).batch(loss),
                new RandomBatch(model, 14, ROWS, random).thinned(random).batch(loss), whole.batch(loss).advancing(7),
                whole.shortened(random).batch(loss).countingFrom(10).advancing(15),
                new RandomBatch(model, 9, ROWS, random).batch(loss),
                new RandomBatch(model, 1, ROWS, random).batch(loss),
                whole.batch(loss));
    }

    private static void same(Supplier<Trainer.Builder> options, Loss loss) {
        Result expected = trained(options.get(), loss);
        Result actual = trained(options.get().gradientCheckpointing(), loss);
        for (int i = 0; i < expected.losses.size(); i++) {
            assertEquals(expected.losses.get(i), actual.losses.get(i), "batch " + i);
            assertArrayEquals(expected.byOutput.get(i), actual.byOutput.get(i), "batch " + i);
        }
        for (int i = 0; i < expected.tensors.size(); i++) {
            same("batch " + i / 2, expected.tensors.get(i), actual.tensors.get(i));
        }
    }

    private static void same(String where, List<NamedArray> expected, List<NamedArray> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).name(), actual.get(i).name());
            assertArrayEquals(bits(expected.get(i).data()), bits(actual.get(i).data()),
                    where + ", " + expected.get(i).name());
        }
    }

    private static int[] bits(float[] floats) {
        int[] bits = new int[floats.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(floats[i]));
        return bits;
    }

    @ParameterizedTest
    @MethodSource({"cells", "models"})
    void everyModelTrainsAsInOnePiece(Model model) {
        same(() -> Trainer.builder(model), Loss.crossEntropy());
        same(() -> Trainer.builder(model).threads(2), Loss.crossEntropy());
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.tests.ExactBackends#names")
    void everyBackendTrainsAsInOnePiece(String backend) {
        Model model = Model.builder().embedding(23, 11).lstm(19).gru(19).dense(9).build();
        same(() -> Trainer.builder(model).backend(backend), Loss.crossEntropy());
    }

    private static Stream<Loss> losses() {
        return Stream.of(Loss.crossEntropy().labelSmoothing(0.1).ignoring(2),
                Loss.crossEntropy().classWeights(1, 2, 3, 0, 0.5, 1, 1, 1, 1), Loss.squaredError(),
                Loss.absoluteError(), Loss.huber(0.5), Loss.binaryCrossEntropy())
                .flatMap(loss -> Stream.of(loss, loss.summed()));
    }

    @ParameterizedTest
    @MethodSource("losses")
    void everyLossIsThatInOnePiece(Loss loss) {
        Model model = Model.builder().features(7).gru(19).dense(9).build();
        same(() -> Trainer.builder(model), loss);
    }

    @Test
    void theMeanOfSeveralBatchesIsThatInOnePiece() {
        Model model = Model.builder().features(7).lstm(19).dense(9).build();
        Loss loss = Loss.crossEntropy();
        try (Trainer whole = Trainer.builder(model).build();
                Trainer segments = Trainer.builder(model).gradientCheckpointing().build()) {
            assertEquals(whole.step(batches(model, loss)), segments.step(batches(model, loss)));
            same("mean", whole.model().tensors(), segments.model().tensors());
        }
    }

    @Test
    void aResumedTrainingGoesOn() {
        Model model = Model.builder().features(7).lstm(19).dense(9).build();
        Loss loss = Loss.crossEntropy();
        List<Batch> batches = batches(model, loss);
        try (Trainer whole = Trainer.builder(model).build();
                Trainer first = Trainer.builder(model).gradientCheckpointing().build()) {
            batches.forEach(whole::step);
            batches.subList(0, 5).forEach(first::step);
            try (Trainer second = Trainer.builder(first.model()).gradientCheckpointing().build()) {
                second.resume(first.progress());
                batches.subList(5, batches.size()).forEach(second::step);
                same("resumed", whole.model().tensors(), second.model().tensors());
            }
        }
    }

    @Test
    void divergenceIsFoundWhereItBegan() {
        Model model = Model.builder().features(3).lstm(5).gru(5).dense(4).build();
        float[] features = new float[20 * 2 * 3];
        features[7 * 6] = Float.NaN;
        Batch batch = Batch.featuresToClasses(20, 2, features, new int[40]);
        try (Trainer whole = Trainer.builder(model).build();
                Trainer segments = Trainer.builder(model).gradientCheckpointing().build()) {
            DivergedException expected = assertThrows(DivergedException.class, () -> whole.step(batch));
            DivergedException actual = assertThrows(DivergedException.class, () -> segments.step(batch));
            assertEquals(expected.getMessage(), actual.getMessage());
        }
    }

    // Memory

    /** Floats held for a batch of T steps behind which nothing grows with T but what is kept of them. */
    private static long floats(Model model, int steps, boolean checkpointing) {
        Trainer.Builder builder = Trainer.builder(model);
        try (Trainer trainer = (checkpointing ? builder.gradientCheckpointing() : builder).build()) {
            trainer.step(new RandomBatch(model, steps, 2, new SplittableRandom(1)).batch(Loss.crossEntropy()));
            return trainer.activationFloats();
        }
    }

    private static Stream<Model> ofTokensAndFeatures() {
        return Stream.of(Model.builder().oneHot(5).lstm(17).dropout(0.2).recurrent(CellType.LAYER_NORM_GRU, 17)
                .dense(5).build(), Model.builder().features(5).gru(17).layerNorm().dense(5).build());
    }

    /** Four times the steps take at most twice the memory, where they take four times without. */
    @ParameterizedTest
    @MethodSource("ofTokensAndFeatures")
    void memoryGrowsAsTheRootOfTheSteps(Model model) {
        long none = floats(model, 1, true); // what does not depend on T, such as weights turned round
        long[] segments = new long[4];
        long[] whole = new long[4];
        for (int i = 0; i < 4; i++) {
            segments[i] = floats(model, 64 << (2 * i), true) - none;
            whole[i] = floats(model, 64 << (2 * i), false) - none;
        }
        for (int i = 1; i < 4; i++) {
            assertTrue(segments[i] <= 2.1 * segments[i - 1], () -> Arrays.toString(segments));
            assertTrue(whole[i] >= 3.9 * whole[i - 1], () -> Arrays.toString(whole));
        }
        assertTrue(segments[3] < whole[3] / 20, () -> Arrays.toString(segments) + " of " + Arrays.toString(whole));
    }

    // Errors

    private static void refused(Executable call, String... parts) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "expected \"" + part + "\" in \"" + message + "\"");
        }
    }

    @Test
    void whatTakesAllStepsAtOnceIsRefused() {
        Layer.Merge sum = Layer.Merge.SUM;
        for (Model.Builder layers : List.of(Model.builder().features(3).bidirectional(CellType.GRU, 5, sum).dense(4),
                Model.builder().features(3).reverse(CellType.GRU, 5).dense(4),
                Model.builder().features(3).gru(5).pool(Layer.Pooling.MAX).dense(4),
                Model.builder().features(3).gru(5).batchNorm().dense(4))) {
            refused(() -> Trainer.builder(layers.build()).gradientCheckpointing().build(),
                    "gradient checkpointing: expected layers that take one step after another, got layer");
        }
        Model model = Model.builder().oneHot(5).gru(5).dense(5).build();
        for (Loss loss : List.of(Loss.ctc(1), Loss.sampledSoftmax(2))) {
            refused(() -> Trainer.builder(model).loss(loss).gradientCheckpointing().build(),
                    "gradient checkpointing: expected a loss of one step after another, got");
        }
        EncoderDecoder pair = new EncoderDecoder(Model.builder().oneHot(5).gru(5).build(), model);
        refused(() -> Trainer.builder(pair).gradientCheckpointing().build(),
                "gradient checkpointing: expected a model, got an encoder and a decoder");
    }

    /** What a later segment alone would meet. */
    @Test
    void aBatchThatDoesNotFitChangesNothing() {
        Model model = Model.builder().oneHot(5).gru(5).dense(4).build();
        int[] tokens = new int[20];
        int[] classes = new int[20];
        try (Trainer trainer = Trainer.builder(model).gradientCheckpointing().build()) {
            trainer.step(Batch.tokensToClasses(20, 1, tokens, classes));
            List<NamedArray> states = trainer.progress().states();
            int[] wrong = tokens.clone();
            wrong[18] = 5;
            assertThrows(IndexOutOfBoundsException.class,
                    () -> trainer.step(Batch.tokensToClasses(20, 1, wrong, classes)));
            assertThrows(IndexOutOfBoundsException.class,
                    () -> trainer.step(Batch.tokensToClasses(20, 1, tokens, wrong)));
            same("states", states, trainer.progress().states());
            assertEquals(1, trainer.steps());
        }
    }
}
