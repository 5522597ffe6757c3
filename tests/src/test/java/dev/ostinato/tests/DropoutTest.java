package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Dropout zeroes the share that was asked for, scales the rest, is new in every step, and backward masks what forward masked. */
final class DropoutTest {
    private static final int SIZE = 10_000;
    private static final double RATE = 0.25;

    /** Reads the mask off a gradient: with all inputs and weights 1 and target 0, {@code dw = 2 y mask}. */
    private static double[] mask(Trainer trainer) {
        float[] ones = new float[SIZE];
        Arrays.fill(ones, 1);
        trainer.gradients(Batch.featuresToValues(1, 1, ones, new float[1]));
        float[] gradient = trainer.gradients().getFirst().data();
        double sum = 0;
        for (float element : gradient) {
            sum += element; // 2 y * y
        }
        double y = Math.sqrt(sum / 2);
        return Arrays.stream(doubles(gradient)).map(element -> element / (2 * y)).toArray();
    }

    private static double[] doubles(float[] floats) {
        double[] doubles = new double[floats.length];
        Arrays.setAll(doubles, i -> floats[i]);
        return doubles;
    }

    private static Trainer trainer() {
        Model model = Model.builder().features(SIZE).dropout(RATE).dense(1).build();
        List<NamedArray> ones = model.tensors().stream().map(t -> {
            float[] data = new float[t.data().length];
            Arrays.fill(data, t.name().equals("head.weight") ? 1 : 0);
            return new NamedArray(t.name(), t.shape(), data);
        }).toList();
        return Trainer.builder(Model.of(model.layers(), ones)).loss(Loss.squaredError()).build();
    }

    @Test
    void theRightShareIsZeroAndTheRestIsScaled() {
        try (Trainer trainer = trainer()) {
            double[] mask = mask(trainer);
            long zeros = Arrays.stream(mask).filter(m -> m == 0).count();
            double deviation = Math.sqrt(SIZE * RATE * (1 - RATE));
            assertEquals(SIZE * RATE, (double) zeros, 4 * deviation); // the same every time, so that this cannot fail by chance
            for (double m : mask) {
                assertEquals(m == 0 ? 0 : 1 / (1 - RATE), m, 1e-4);
            }
        }
    }

    @Test
    void everyStepHasAMaskOfItsOwn() {
        try (Trainer trainer = trainer()) {
            double[] mask = mask(trainer);
            assertArrayEquals(mask, mask(trainer), "the same step again");
            trainer.step(Batch.featuresToValues(1, 1, new float[SIZE], new float[1]));
            assertFalse(Arrays.equals(mask, mask(trainer)), "the next step");
        }
    }

    /** What two masks of their own both drop has no gradient. */
    @Test
    void everyBatchOfAStepHasAMaskOfItsOwn() {
        float[] ones = new float[SIZE];
        Arrays.fill(ones, 1);
        Batch batch = Batch.featuresToValues(1, 1, ones, new float[1]);
        try (Trainer trainer = trainer()) {
            trainer.step(List.of(batch, batch));
            float[] gradient = trainer.gradients().getFirst().data();
            long zeros = IntStream.range(0, SIZE).filter(i -> gradient[i] == 0).count();
            assertEquals(SIZE * RATE * RATE, (double) zeros, 4 * Math.sqrt(SIZE * RATE * RATE * (1 - RATE * RATE)));
        }
    }

    @Test
    void everyRowHasAMaskOfItsOwn() {
        Model model = Model.builder().features(40).dropout(0.5).dense(40).build();
        float[] x = new float[6 * 40];
        Arrays.fill(x, 1);
        try (Trainer trainer = Trainer.builder(model).loss(Loss.squaredError()).build()) {
            trainer.gradients(Batch.featuresToValues(3, 2, x, new float[6 * 40]));
            // If all six rows had one mask, half of the inputs would have no gradient at all.
            float[] gradient = trainer.gradients().getFirst().data();
            long dead = IntStream.range(0, 40).filter(input -> gradient[input] == 0).count();
            assertTrue(dead <= 5, () -> dead + " inputs without a gradient");
        }
    }

    /**
     * The loss of the engine itself, in single precision: a slope is good to 1e-3, and a mask that one direction forgets is off by the
     * gradient.
     */
    @Test
    void gradientsAreTheSlopesOfTheLossUnderTheSameMask() {
        Model layers = Model.builder().embedding(5, 3).dropout(0.3).lstm(5).dropout(0.5).gru(6).dropout(0.5).dense(5)
                .build();
        SplittableRandom random = new SplittableRandom(4);
        Model model = RandomModels.randomised(layers, random);
        Loss loss = Loss.crossEntropy().summed();
        Batch batch = new RandomBatch(model, 4, 3, random).batch(loss);
        try (Trainer trainer = Trainer.builder(model).loss(loss).build()) {
            trainer.gradients(batch);
            List<String> found = new ArrayList<>();
            for (NamedArray gradient : trainer.gradients()) {
                for (int i = 0; i < gradient.data().length; i++) {
                    double expected = slope(model, loss, batch, gradient.name(), i);
                    if (Math.abs(expected - gradient.data()[i]) > 2e-3 + 1e-2 * Math.abs(expected)) {
                        found.add(
                                gradient.name() + "[" + i + "]: expected " + expected + ", got " + gradient.data()[i]);
                    }
                }
            }
            assertEquals("", String.join("\n", found));
        }
    }

    private static double slope(Model model, Loss loss, Batch batch, String tensor, int index) {
        float epsilon = 0x1p-9f;
        double above = lossAt(model, loss, batch, tensor, index, epsilon);
        double below = lossAt(model, loss, batch, tensor, index, -epsilon);
        return (above - below) / (2 * epsilon);
    }

    private static double lossAt(Model model, Loss loss, Batch batch, String tensor, int index, float change) {
        List<NamedArray> weights = model.tensors();
        for (NamedArray array : weights) {
            if (array.name().equals(tensor)) {
                array.data()[index] += change;
            }
        }
        try (Trainer trainer = Trainer.builder(Model.of(model.layers(), weights)).loss(loss).build()) {
            return trainer.gradients(batch);
        }
    }
}
