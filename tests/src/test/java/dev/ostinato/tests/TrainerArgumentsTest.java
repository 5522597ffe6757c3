package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Clipping;
import dev.ostinato.nn.DivergedException;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Patience;
import dev.ostinato.nn.Plateau;
import dev.ostinato.nn.Schedule;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What does not fit a training is refused, with what was expected and what came, and leaves the weights as they were. */
final class TrainerArgumentsTest {
    private static final Model TOKENS = Model.builder().embedding(17, 3).lstm(5).dense(4).build();
    private static final Model FEATURES = Model.builder().features(3).gru(5).dense(4).build();

    private static String refused(Executable call, String... parts) {
        return refused(IllegalArgumentException.class, call, parts);
    }

    private static String refused(Class<? extends Exception> type, Executable call, String... parts) {
        String message = assertThrows(type, call).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "expected \"" + part + "\" in \"" + message + "\"");
        }
        return message;
    }

    // Options

    @Test
    void options() {
        refused(() -> Trainer.builder(TOKENS).threads(0).build(), "threads: expected >= 1, got 0");
        refused(() -> Trainer.builder(TOKENS).threads(-1).build(), "threads: expected >= 1, got -1");
        refused(() -> Trainer.builder(TOKENS).clipGlobalNorm(0), "clip: expected > 0, got 0.0");
        refused(() -> Trainer.builder(TOKENS).clipGlobalNorm(Double.NaN), "clip: expected > 0, got NaN");
        refused(() -> Trainer.builder(TOKENS).backend("gpu").build(), "vector", "got gpu");
    }

    @Test
    void optimizers() {
        for (double rate : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused(() -> Optimizer.adam(rate), "learning rate: expected > 0", "got " + rate);
            refused(() -> Optimizer.sgd(rate), "learning rate: expected > 0", "got " + rate);
        }
        refused(() -> new Optimizer.Sgd(1, 1), "momentum: expected in [0, 1), got 1.0");
        refused(() -> new Optimizer.Sgd(1, -0.1), "momentum: expected in [0, 1), got -0.1");
        refused(() -> new Optimizer.Adam(1, 1, 0.9, 1e-8), "beta1: expected in [0, 1), got 1.0");
        refused(() -> new Optimizer.Adam(1, 0.9, Double.NaN, 1e-8), "beta2: expected in [0, 1), got NaN");
        refused(() -> new Optimizer.Adam(1, 0.9, 0.9, 0), "epsilon: expected > 0, got 0.0");
        refused(() -> Optimizer.adamW(1, -1), "weight decay: expected >= 0, got -1.0");
        refused(() -> new Optimizer.Nesterov(1, 1), "momentum: expected in [0, 1), got 1.0");
        refused(() -> new Optimizer.RmsProp(1, 1, 1), "decay: expected in [0, 1), got 1.0");
        refused(() -> new Optimizer.Adagrad(1, -1), "epsilon: expected > 0, got -1.0");
    }

    @Test
    void clippingPenaltiesAndAverages() {
        refused(() -> Clipping.byValue(0), "clip: expected > 0, got 0.0");
        refused(() -> Clipping.byNorm(-1), "clip: expected > 0, got -1.0");
        refused(() -> Clipping.rescale(Double.POSITIVE_INFINITY), "clip: expected a finite norm, got Infinity");
        refused(() -> Trainer.builder(TOKENS).l1(-1), "l1: expected >= 0, got -1.0");
        refused(() -> Trainer.builder(TOKENS).l2(Double.NaN), "l2: expected >= 0, got NaN");
        refused(() -> Trainer.builder(TOKENS).averageWeights(1), "average: expected a decay in (0, 1), got 1.0");
    }

    @Test
    void schedules() {
        refused(() -> Schedule.steps(0, 0.5), "steps: expected >= 1, got 0");
        refused(() -> Schedule.exponential(0), "factor: expected > 0, got 0.0");
        refused(() -> Schedule.cosineRestarts(4, 0, 0), "growth: expected >= 1, got 0");
        refused(() -> Schedule.constant().warmedUp(0), "steps: expected >= 1, got 0");
        refused(() -> Patience.of(0), "patience: expected >= 1, got 0");
        refused(() -> Patience.of(1).withMargin(-1), "margin: expected >= 0, got -1.0");
        refused(() -> Plateau.of(1, Patience.of(1)), "factor: expected in (0, 1), got 1.0");
    }

    @Test
    void losses() {
        refused(() -> Loss.crossEntropy().labelSmoothing(1.5), "label smoothing: expected in [0, 1], got 1.5");
        refused(() -> Loss.crossEntropy().labelSmoothing(Double.NaN), "label smoothing: expected in [0, 1], got NaN");
        refused(() -> Loss.crossEntropy().classWeights(1, -1), "class weight 1: expected finite and >= 0, got -1.0");
        refused(() -> Loss.huber(0), "delta: expected > 0 and finite, got 0.0");
        refused(() -> Loss.binaryCrossEntropy().positiveWeights(Double.POSITIVE_INFINITY),
                "positive weight 0: expected finite and >= 0, got Infinity");
        refused(() -> Trainer.builder(TOKENS).loss(Loss.crossEntropy().classWeights(1, 2, 3)).build(),
                "class weights: expected 4, as the model has outputs, got 3");
        refused(() -> Trainer.builder(TOKENS).loss(Loss.binaryCrossEntropy().positiveWeights(1, 2, 3, 4, 5)).build(),
                "positive weights: expected 4, as the model has outputs, got 5");
    }

    @Test
    void lossesThatDoNotFitTheModel() {
        refused(() -> Loss.ctc(-1), "blank: expected a class, got -1");
        refused(() -> Trainer.builder(TOKENS).loss(Loss.ctc(4)).build(), "blank: expected 0..3, got 4");
        Model pooled = Model.builder().features(3).gru(5).pool(Layer.Pooling.LAST).dense(4).build();
        refused(() -> Trainer.builder(pooled).loss(Loss.ctc(0)).build(),
                "ctc: expected an output for each step, got a model that pools");
        refused(() -> Loss.sampledSoftmax(0), "samples: expected >= 1, got 0");
        refused(() -> Trainer.builder(TOKENS).loss(Loss.sampledSoftmax(4)).build(), "samples: expected 1..3, got 4");
        Model headless = Model.builder().features(3).gru(5).build();
        refused(() -> Trainer.builder(headless).loss(Loss.sampledSoftmax(2)).build(),
                "sampled softmax: expected a dense layer at the end, got Recurrent");
    }

    // Batches

    @Test
    void sizesOfBatches() {
        refused(() -> Batch.tokensToClasses(0, 2, new int[0], new int[0]), "steps: expected >= 1, got 0");
        refused(() -> Batch.tokensToClasses(2, -1, new int[0], new int[0]),
                "rows: expected >= 1, got -1");
        unchanged(TOKENS, Loss.crossEntropy(), Batch.tokensToClasses(2, 3, new int[5], new int[6]),
                "tokens: expected 2 x 3 x 1, got 5");
        unchanged(TOKENS, Loss.crossEntropy(), Batch.tokensToClasses(2, 3, new int[6], new int[7]),
                "classes: expected 2 x 3 x 1, got 7");
        unchanged(TOKENS, Loss.squaredError(), Batch.tokensToValues(2, 3, new int[6], new float[23]),
                "values: expected 2 x 3 x 4, got 23");
        unchanged(FEATURES, Loss.crossEntropy(), Batch.featuresToClasses(2, 3, new float[17], new int[6]),
                "features: expected 2 x 3 x 3, got 17");
    }

    @Test
    void batchesWithoutWhatIsNeeded() {
        unchanged(TOKENS, Loss.crossEntropy(), Batch.tokensToValues(1, 1, new int[1], new float[4]),
                "expected classes, got none");
        unchanged(TOKENS, Loss.squaredError(), Batch.tokensToClasses(1, 1, new int[1], new int[1]),
                "expected values, got none");
        unchanged(TOKENS, Loss.crossEntropy(), Batch.featuresToClasses(1, 1, new float[3], new int[1]),
                "expected tokens, got none");
        unchanged(FEATURES, Loss.crossEntropy(), Batch.tokensToClasses(1, 1, new int[1], new int[1]),
                "expected features, got none");
    }

    @Test
    void tokensAndClassesOutsideTheirRange() {
        for (int index : new int[] {-1, 17, Integer.MAX_VALUE}) {
            unchanged(IndexOutOfBoundsException.class, TOKENS, Loss.crossEntropy(),
                    Batch.tokensToClasses(1, 2, new int[] {0, index}, new int[2]), "0..16", "got " + index);
        }
        for (int index : new int[] {-1, 4}) {
            unchanged(IndexOutOfBoundsException.class, TOKENS, Loss.crossEntropy(),
                    Batch.tokensToClasses(1, 2, new int[2], new int[] {0, index}), "0..3", "got " + index);
        }
    }

    @Test
    void targetsOfLosses() {
        unchanged(IndexOutOfBoundsException.class, TOKENS, Loss.crossEntropy().ignoring(-1),
                Batch.tokensToClasses(1, 3, new int[3], new int[] {0, -1, 4}), "class 2: expected 0..3, got 4");
        for (float value : new float[] {-0.1f, 1.5f, Float.NaN}) {
            unchanged(FEATURES, Loss.binaryCrossEntropy(),
                    Batch.featuresToValues(1, 1, new float[3], new float[] {0, 1, value, 1}),
                    "value 2: expected in [0, 1], got " + value);
        }
        unchanged(TOKENS, Loss.binaryCrossEntropy(), Batch.tokensToClasses(1, 1, new int[1], new int[1]),
                "expected values, got none");
    }

    @Test
    void labelsOfStreams() {
        Sequences sequences = Sequences.ofLengths(4, 4, 2);
        float[] x = new float[4 * 2 * 3];
        unchanged(FEATURES, Loss.ctc(0), Batch.featuresToLabels(sequences, x, new int[] {1}),
                "labels: expected 1 x 2 x 1, got 1");
        unchanged(FEATURES, Loss.ctc(0), Batch.featuresToLabels(sequences, x, new int[] {1, 1, 1}, new int[0]),
                "labels of stream 0: expected no more than its 4 steps can say, got 3, which take 5");
        unchanged(FEATURES, Loss.ctc(0), Batch.featuresToLabels(sequences, x, new int[] {1, 1, 2}, new int[] {1, 2, 3}),
                "labels of stream 1: expected no more than its 2 steps can say, got 3, which take 3");
        for (int label : new int[] {-1, 4, 0}) {
            unchanged(IndexOutOfBoundsException.class, FEATURES, Loss.ctc(0),
                    Batch.featuresToLabels(sequences, x, new int[0], new int[] {3, label}),
                    "label 1 of stream 1: expected 0..3 without the blank 0, got " + label);
        }
        unchanged(FEATURES, Loss.ctc(0), Batch.featuresToClasses(sequences, x, new int[8]),
                "expected labels, got none");
        unchanged(IndexOutOfBoundsException.class, FEATURES, Loss.sampledSoftmax(2),
                Batch.featuresToClasses(1, 1, new float[3], new int[] {4}), "class 0: expected 0..3, got 4");
    }

    /** Nothing counts: there is nothing to learn, and nothing to divide by. */
    @Test
    void aBatchOfIgnoredRows() {
        Loss loss = Loss.crossEntropy().ignoring(-100);
        try (Trainer trainer = Trainer.builder(TOKENS).loss(loss).build()) {
            assertEquals(0, trainer.step(Batch.tokensToClasses(1, 2, new int[2], new int[] {-100, -100})));
            same(TOKENS.tensors(), trainer.model().tensors());
        }
    }

    private static void unchanged(Model model, Loss loss, Batch batch, String... parts) {
        unchanged(IllegalArgumentException.class, model, loss, batch, parts);
    }

    /** Fails to step, and then goes on as a trainer that never tried, with a state that an earlier batch left. */
    private static void unchanged(Class<? extends Exception> type, Model model, Loss loss, Batch batch,
            String... parts) {
        Batch good = new RandomBatch(model, batch.steps(), batch.rows(), new SplittableRandom(1)).batch(loss);
        for (int threads : new int[] {1, 2}) {
            try (Trainer tried = Trainer.builder(model).loss(loss).threads(threads).build();
                    Trainer other = Trainer.builder(model).loss(loss).build()) {
                tried.step(good);
                other.step(good);
                refused(type, () -> tried.step(batch), parts);
                assertEquals(1, tried.steps());
                same(other.model().tensors(), tried.model().tensors());
                assertEquals(other.step(good), tried.step(good));
                same(other.model().tensors(), tried.model().tensors());
            }
        }
    }

    private static void same(List<NamedArray> expected, List<NamedArray> actual) {
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i).data(), actual.get(i).data(), expected.get(i).name());
        }
    }

    // Divergence

    @Test
    void aHugeLearningRateLeavesTheWeightsOfTheLastFiniteStep() {
        Model model = Model.builder().features(3).recurrent(CellType.RNN_IDENTITY, 5).dense(4).build();
        Batch batch = new RandomBatch(model, 9, 2, new SplittableRandom(1)).batch(Loss.squaredError());
        try (Trainer trainer = Trainer.builder(model).loss(Loss.squaredError()).optimizer(Optimizer.sgd(1e6)).build()) {
            DivergedException failure = diverge(trainer, batch);
            assertEquals(trainer.steps() + 1, failure.step());
            assertTrue(failure.getMessage().contains("at step " + failure.step()), failure::getMessage);
            assertTrue(failure.getMessage().contains("became"), failure::getMessage);
            for (NamedArray tensor : trainer.model().tensors()) {
                for (float weight : tensor.data()) {
                    assertTrue(Float.isFinite(weight), tensor::name);
                }
            }
        }
    }

    /** Steps until it fails; the weights are those before the step that failed. */
    private static DivergedException diverge(Trainer trainer, Batch batch) {
        for (int i = 0; i < 100; i++) {
            List<NamedArray> before = trainer.model().tensors();
            try {
                trainer.step(batch);
            } catch (DivergedException e) {
                same(before, trainer.model().tensors());
                return e;
            }
        }
        throw new AssertionError("100 steps without divergence");
    }

    @Test
    void aNotANumberInTheInputIsADivergence() {
        float[] x = new float[3];
        x[1] = Float.NaN;
        try (Trainer trainer = Trainer.builder(FEATURES).build()) {
            Batch batch = Batch.featuresToClasses(1, 1, x, new int[1]);
            DivergedException failure = assertThrows(DivergedException.class, () -> trainer.step(batch));
            assertEquals(1, failure.step());
            assertTrue(failure.getMessage().contains("first in layer 0 (features)"), failure::getMessage);
            same(FEATURES.tensors(), trainer.model().tensors());
        }
    }

    @Test
    void theLayerWhereItBegan() {
        Model model = Model.builder().features(3).rnn(5).lstm(4).dense(6).dense(2).build();
        List<NamedArray> weights = new ArrayList<>();
        for (NamedArray tensor : model.tensors()) {
            float[] data = tensor.data().clone();
            if (tensor.name().equals("dense.weight")) {
                data[0] = Float.NaN;
            }
            weights.add(new NamedArray(tensor.name(), tensor.shape(), data));
        }
        Model damaged = Model.of(model.layers(), weights);
        Batch batch = new RandomBatch(damaged, 3, 2, new SplittableRandom(1)).batch(Loss.crossEntropy());
        try (Trainer trainer = Trainer.builder(damaged).build()) {
            DivergedException failure = assertThrows(DivergedException.class, () -> trainer.step(batch));
            assertTrue(failure.getMessage().contains("first in layer 3 (dense, dense)"), failure::getMessage);
        }
    }

    // Resuming

    @Test
    void progressOfAnotherModel() {
        try (Trainer trainer = Trainer.builder(TOKENS).build(); Trainer other = Trainer.builder(FEATURES).build()) {
            Trainer.Progress before = trainer.progress();
            refused(() -> trainer.resume(other.progress()), "expected a tensor embedding.weight", "rnn.weight_ih_l0");
            assertEquals(before.step(), trainer.steps());
        }
    }

    @Test
    void statesOfAnotherNumberOfStreams() {
        Batch three = new RandomBatch(TOKENS, 2, 3, new SplittableRandom(1)).batch(Loss.crossEntropy());
        Batch two = new RandomBatch(TOKENS, 2, 2, new SplittableRandom(1)).batch(Loss.crossEntropy());
        try (Trainer first = Trainer.builder(TOKENS).build(); Trainer second = Trainer.builder(TOKENS).build()) {
            first.step(three);
            second.resume(first.progress());
            refused(() -> second.step(two), "rnn.h_l0: expected shape [2, 5], got [3, 5]");
        }
    }

    // Texts and schedules

    @Test
    void tokenStreams() {
        refused(() -> new TokenStreams(new int[9], 0, 2), "streams and steps: expected >= 1, got 0 and 2");
        refused(() -> new TokenStreams(new int[9], 2, 0), "streams and steps: expected >= 1, got 2 and 0");
        refused(() -> new TokenStreams(new int[12], 3, 4),
                "expected at least 13 tokens for 3 streams of 4 steps, got 12");
        assertEquals(1, new TokenStreams(new int[13], 3, 4).batchesPerEpoch());
        refused(() -> new TokenStreams(new int[13], 3, 4).seek(-1), "position: expected >= 0, got -1");
    }

    @Test
    void theCosineEndsAtItsLastFactor() {
        Schedule schedule = Schedule.cosine(100, 0.1);
        assertEquals(1, schedule.factor(1));
        assertEquals(0.55, schedule.factor(51), 1e-12);
        assertEquals(0.1, schedule.factor(100));
        assertEquals(0.1, schedule.factor(1_000_000));
        double[] factors = LongStream.rangeClosed(1, 100).mapToDouble(schedule::factor).toArray();
        for (int i = 1; i < factors.length; i++) {
            assertTrue(factors[i] < factors[i - 1], Arrays.toString(factors));
        }
    }
}
