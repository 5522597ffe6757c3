package dev.ostinato.examples;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.ClassificationMetrics;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.Trainer;
import dev.ostinato.nn.Validation;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** Alarms are rare: a row of numbers is one if two in a row are large. Who always says no is right in nine of ten rows, and useless. */
public final class RareEvents {
    private static final int ROWS = 32;
    private static final int STEPS = 20;
    private static final double LARGE = 1.4;

    private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);

    /** Trains on random rows; returns what the model does on rows that were not seen. */
    public ClassificationMetrics learn(int batches) {
        // readme: losses
        Model model = Model.builder().features(1).gru(16).pool(Layer.Pooling.MAX).dense(2).seed(1).build();
        Loss loss = Loss.crossEntropy().classWeights(1, 8).labelSmoothing(0.02); // class 1 is rare, and matters
        Model trained;
        try (Trainer trainer = Trainer.builder(model).loss(loss).optimizer(Optimizer.adam(1e-2)).build()) {
            for (int i = 0; i < batches; i++) {
                trainer.step(next()); // 32 rows of 20 numbers, a class for each row
                trainer.resetState();
            }
            trained = trainer.model();
        }
        ClassificationMetrics metrics = ClassificationMetrics.of(2);
        try (Validation validation = Validation.of(trained, Loss.crossEntropy(), 1)) {
            for (int i = 0; i < 30; i++) {
                validation.add(next(), metrics);
                validation.resetState();
            }
            System.out.printf("loss %.3f, right %.3f, F1 of class 1 %.3f%n", validation.loss(), metrics.accuracy(),
                    metrics.f1(1));
        }
        // readme: end
        return metrics;
    }

    private Batch next() {
        float[] x = new float[STEPS * ROWS];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        int[] classes = new int[ROWS];
        for (int i = ROWS; i < x.length; i++) {
            if (x[i] > LARGE && x[i - ROWS] > LARGE) {
                classes[i % ROWS] = 1;
            }
        }
        return Batch.featuresToClasses(Sequences.of(STEPS, ROWS), x, classes);
    }

    static void main() {
        new RareEvents().learn(2_000);
    }
}
