package dev.ostinato.tests;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/** T steps of B streams of random inputs and targets of every kind, row {@code t * B + b} being step t of stream b. */
final class RandomBatch {
    final int steps;
    final int rows;
    /** (T, B), empty for a model of features. */
    final int[] tokens;
    /** (T, B, I), empty for a model of tokens. */
    final float[] features;
    /** (T, B). */
    final int[] classes;
    /** (T, B, outputs). */
    final float[] values;

    /** Draws inputs and targets for a model. */
    RandomBatch(Model model, int steps, int rows, RandomGenerator random) {
        int all = steps * rows;
        this.steps = steps;
        this.rows = rows;
        this.tokens = model.takesTokens() ? integers(all, model.inputs(), random) : new int[0];
        this.features = model.takesTokens() ? new float[0] : floats(all * model.inputs(), random);
        this.classes = integers(all, model.outputs(), random);
        this.values = floats(all * model.outputs(), random);
    }

    private RandomBatch(int steps, int rows, int[] tokens, float[] features, int[] classes, float[] values) {
        this.steps = steps;
        this.rows = rows;
        this.tokens = tokens;
        this.features = features;
        this.classes = classes;
        this.values = values;
    }

    /** Returns the steps from {@code from} to {@code to}. */
    RandomBatch steps(int from, int to) {
        return new RandomBatch(to - from, rows, part(tokens, from, to), part(features, from, to),
                part(classes, from, to), part(values, from, to));
    }

    private int[] part(int[] all, int from, int to) {
        return Arrays.copyOfRange(all, all.length / steps * from, all.length / steps * to);
    }

    private float[] part(float[] all, int from, int to) {
        return Arrays.copyOfRange(all, all.length / steps * from, all.length / steps * to);
    }

    private static int[] integers(int count, int bound, RandomGenerator random) {
        return random.ints(count, 0, bound).toArray();
    }

    private static float[] floats(int count, RandomGenerator random) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }

    /** Returns the batch with the targets that a loss takes. */
    Batch batch(Loss loss) {
        boolean byTokens = tokens.length > 0;
        return switch (loss) {
            case Loss.CrossEntropy ignored -> byTokens
                    ? Batch.tokensToClasses(steps, rows, tokens, classes)
                    : Batch.featuresToClasses(steps, rows, features, classes);
            case Loss.SquaredError ignored -> byTokens
                    ? Batch.tokensToValues(steps, rows, tokens, values)
                    : Batch.featuresToValues(steps, rows, features, values);
        };
    }
}
