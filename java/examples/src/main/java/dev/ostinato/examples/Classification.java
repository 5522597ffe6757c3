package dev.ostinato.examples;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** One answer for a whole row of numbers, however long: whether it ends higher than it began. */
public final class Classification {
    private static final int ROWS = 32;
    private static final int MOST_STEPS = 20;

    private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);

    /** Trains on random rows; returns the share of right answers on rows that were not seen. */
    public double learn(int batches) {
        // readme: classification
        Model model = Model.builder().features(1).bidirectional(CellType.GRU, 16, Layer.Merge.CONCAT)
                .pool(Layer.Pooling.MEAN).dense(2).seed(1).build();
        Model trained;
        try (Trainer trainer = Trainer.builder(model).optimizer(Optimizer.adam(1e-2)).clipGlobalNorm(1).build()) {
            for (int i = 0; i < batches; i++) {
                int[] lengths = lengths(); // of 32 rows, 2 to 20 steps each
                float[] x = numbers(); // (20, 32, 1); what is behind the end of a row does not matter
                Sequences sequences = Sequences.ofLengths(MOST_STEPS, lengths);
                trainer.step(Batch.featuresToClasses(sequences, x, classes(x, lengths)));
                trainer.resetState(); // the next rows have nothing to do with these
            }
            trained = trainer.model();
        }
        int[] lengths = lengths();
        float[] x = numbers();
        float[] logits = new float[ROWS * 2];
        State state = trained.newState(ROWS);
        trained.run(x, Sequences.ofLengths(MOST_STEPS, lengths), state, logits); // computes the steps that there are
        // readme: end
        int[] classes = classes(x, lengths);
        int right = 0;
        for (int b = 0; b < ROWS; b++) {
            right += (logits[2 * b + 1] > logits[2 * b] ? 1 : 0) == classes[b] ? 1 : 0;
        }
        return (double) right / ROWS;
    }

    private int[] lengths() {
        return random.ints(ROWS, 2, MOST_STEPS + 1).toArray();
    }

    private float[] numbers() {
        float[] numbers = new float[MOST_STEPS * ROWS];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }

    private static int[] classes(float[] x, int[] lengths) {
        int[] classes = new int[ROWS];
        Arrays.setAll(classes, b -> x[(lengths[b] - 1) * ROWS + b] > x[b] ? 1 : 0);
        return classes;
    }

    static void main() {
        System.out.printf("%.0f %% right%n", 100 * new Classification().learn(1_000));
    }
}
