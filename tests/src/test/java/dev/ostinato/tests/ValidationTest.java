package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.ClassificationMetrics;
import dev.ostinato.nn.Evaluation;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.MultiLabelMetrics;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.RegressionMetrics;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import dev.ostinato.nn.Validation;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Losses of outputs and of batches, in training and without it. */
final class ValidationTest {
    private static final int OUTPUTS = 6;
    private static final double[] WEIGHTS = {0.5, 2, 1.25, 0, 3, 0.75};
    private static final Model MODEL = Model.builder().features(5).gru(7).dense(OUTPUTS).build();
    private static final Model POOLED = Model.builder().features(5).bidirectional(CellType.LSTM, 7, Layer.Merge.SUM)
            .pool(Layer.Pooling.MAX).dense(OUTPUTS).build();

    static Stream<Loss> losses() {
        Stream<Loss> losses = Stream.of(Loss.crossEntropy(), Loss.crossEntropy().classWeights(WEIGHTS).ignoring(1),
                Loss.crossEntropy().labelSmoothing(0.1), Loss.squaredError(), Loss.absoluteError(), Loss.huber(0.5),
                Loss.binaryCrossEntropy(), Loss.ctc(2));
        return losses.flatMap(loss -> Stream.of(loss, loss.summed()));
    }

    private static List<RandomBatch> batches(int count) {
        SplittableRandom random = new SplittableRandom(Conformance.BOUNDED_SEED);
        return IntStream.range(0, count).mapToObj(i -> new RandomBatch(MODEL, 7 + i, 3, random).thinned(random))
                .toList();
    }

    private static Batch batch(Model model, RandomBatch batch, Loss loss) {
        return model.pools() ? batch.pooled(loss) : batch.batch(loss);
    }

    /** From batch to batch, whose lengths differ, with the state going on. */
    @ParameterizedTest
    @MethodSource("losses")
    void aBatchHasTheLossThatTrainingWouldSee(Loss loss) {
        for (Model model : loss instanceof Loss.Ctc ? List.of(MODEL) : List.of(MODEL, POOLED)) {
            try (Trainer trainer = Trainer.builder(model).loss(loss).build();
                    Validation one = Validation.of(model, loss, 1); Validation two = Validation.of(model, loss, 2)) {
                for (RandomBatch batch : batches(3)) {
                    double expected = trainer.gradients(batch(model, batch, loss));
                    assertEquals(expected, one.add(batch(model, batch, loss)));
                    assertEquals(expected, two.add(batch(model, batch, loss)));
                }
                assertEquals(one.loss(), two.loss());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("losses")
    void theLossOfBatchesIsThatOfAllTheirOutputs(Loss loss) {
        double[] sums = new double[2];
        try (Validation validation = Validation.of(MODEL, loss, 1)) {
            for (RandomBatch batch : batches(3)) {
                double weight = weight(batch, loss);
                sums[0] += weight * validation.add(batch.batch(loss));
                sums[1] += weight;
            }
            assertEquals(sums[0] / sums[1], validation.loss(), 1e-12 * validation.loss());
        }
    }

    private static double weight(RandomBatch batch, Loss loss) {
        if (loss.reduction() == Loss.Reduction.SUM || loss instanceof Loss.Ctc) {
            return batch.rows;
        }
        return IntStream.range(0, batch.mask.length).filter(i -> batch.mask[i]).mapToDouble(i -> {
            boolean weighted = loss instanceof Loss.CrossEntropy entropy && !entropy.classWeights().isEmpty();
            return !weighted ? 1 : batch.classes[i] == 1 ? 0 : WEIGHTS[batch.classes[i]];
        }).sum();
    }

    /** The mean of what single outputs cost, in their places, is what the batch costs. */
    @ParameterizedTest
    @MethodSource("losses")
    void lossesOfOutputs(Loss loss) {
        RandomBatch batch = batches(1).getFirst();
        try (Trainer trainer = Trainer.builder(MODEL).loss(loss).build()) {
            assertArrayEquals(new float[0], trainer.losses());
            double expected = trainer.gradients(batch.batch(loss));
            float[] losses = trainer.losses();
            double sum = 0;
            for (float value : losses) {
                sum += value;
            }
            assertEquals(expected, sum / weight(batch, loss), 1e-6 * expected);
            if (loss instanceof Loss.Ctc) {
                assertEquals(batch.rows, losses.length);
            } else {
                for (int i = 0; i < losses.length; i++) {
                    assertEquals(batch.mask[i] && !ignored(loss, batch.classes[i]), losses[i] != 0, "output " + i);
                }
            }
        }
    }

    private static boolean ignored(Loss loss, int index) {
        return loss instanceof Loss.CrossEntropy entropy && (entropy.ignoredClass().equals(OptionalInt.of(index))
                || (!entropy.classWeights().isEmpty() && WEIGHTS[index] == 0));
    }

    @Test
    void theStateGoesOnUntilItIsReset() {
        Model model = Model.builder().embedding(13, 5).lstm(7).dropout(0.5).dense(13).build();
        int[] text = new SplittableRandom(1).ints(1 + 3 * 8, 0, 13).toArray();
        TokenStreams streams = new TokenStreams(text, 1, 8);
        ClassificationMetrics metrics = ClassificationMetrics.of(13);
        try (Validation validation = Validation.of(model, Loss.crossEntropy(), 1)) {
            double first = validation.add(streams.next(), metrics);
            validation.add(streams.next(), metrics);
            validation.add(streams.next(), metrics);
            assertEquals(Evaluation.of(model, text, 1, 1).nats(), validation.loss(), 1e-12);
            assertEquals(24, metrics.count());
            assertEquals(Evaluation.of(model, text, 1, 1).accuracy(), metrics.accuracy());
            assertEquals(Evaluation.of(model, text, 1, 2), Evaluation.of(model, text, 1, 1));
            validation.resetState();
            streams.seek(0);
            assertEquals(first, validation.add(streams.next()));
        }
    }

    @Test
    void metricsOfOutputs() {
        RandomBatch batch = batches(1).getFirst();
        float[] y = new float[batch.values.length];
        MODEL.run(batch.features, batch.sequences(), MODEL.newState(batch.rows), y);
        ClassificationMetrics classes = ClassificationMetrics.of(OUTPUTS);
        RegressionMetrics values = new RegressionMetrics();
        classes.add(batch.sequences(), y, batch.classes);
        values.add(batch.sequences(), y, batch.values);
        ClassificationMetrics sameClasses = ClassificationMetrics.of(OUTPUTS);
        RegressionMetrics sameValues = new RegressionMetrics();
        try (Validation ofClasses = Validation.of(MODEL, Loss.crossEntropy(), 2);
                Validation ofValues = Validation.of(MODEL, Loss.squaredError(), 2)) {
            ofClasses.add(batch.batch(Loss.crossEntropy()), sameClasses);
            double loss = ofValues.add(batch.batch(Loss.squaredError()), sameValues);
            assertEquals(loss, sameValues.meanSquaredError(), 1e-6);
        }
        assertArrayEquals(classes.confusion(), sameClasses.confusion());
        MultiLabelMetrics labels = MultiLabelMetrics.of(OUTPUTS);
        MultiLabelMetrics sameLabels = MultiLabelMetrics.of(OUTPUTS);
        labels.add(batch.sequences(), y, batch.probabilities());
        try (Validation validation = Validation.of(MODEL, Loss.binaryCrossEntropy(), 1)) {
            validation.add(batch.batch(Loss.binaryCrossEntropy()), sameLabels);
        }
        assertEquals(labels.microF1(), sameLabels.microF1());
        assertEquals(values.meanAbsoluteError(), sameValues.meanAbsoluteError());
    }

    @Test
    void sampledSoftmaxIsValidatedByTheWhole() {
        Batch batch = batches(1).getFirst().batch(Loss.crossEntropy());
        try (Validation whole = Validation.of(MODEL, Loss.crossEntropy(), 1);
                Validation sampled = Validation.of(MODEL, Loss.sampledSoftmax(3), 1)) {
            assertEquals(whole.add(batch), sampled.add(batch));
        }
    }

    /** There is one way only to say as many labels as there are steps, and its probability is no double. */
    @Test
    void labelsThatAreHardlyPossible() {
        int steps = 60;
        float[] x = new float[steps * 3];
        int[] labels = new int[steps];
        for (int t = 0; t < steps; t++) {
            x[3 * t] = 30;
            labels[t] = 1 + t % 2;
        }
        Model model = Model.of(List.of(new Layer.Features(3), new Layer.Dense(3, 3)),
                List.of(new NamedArray("head.weight", List.of(3, 3),
                        new float[] {1, 0, 0, 0, 1, 0, 0, 0, 1}),
                        new NamedArray("head.bias", List.of(3), new float[3])));
        try (Trainer trainer = Trainer.builder(model).loss(Loss.ctc(0).summed()).build()) {
            Batch batch = Batch.featuresToLabels(Sequences.of(steps, 1), x, labels);
            assertEquals(steps * (30 + Math.log1p(2 * Math.exp(-30))), trainer.gradients(batch), 1e-4);
            assertArrayEquals(new float[] {60, -30, -30}, trainer.gradients().getLast().data(), 1e-4f);
        }
    }

    @Test
    void lossesThatDoNotFitTheModel() {
        assertEquals("class weights: expected 6, as the model has outputs, got 2",
                assertThrows(IllegalArgumentException.class,
                        () -> Validation.of(MODEL, Loss.crossEntropy().classWeights(1, 2), 1)).getMessage());
    }
}
