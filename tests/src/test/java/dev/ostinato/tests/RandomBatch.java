package dev.ostinato.tests;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Sequences;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

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
    /** (T, B): whether there is a step, and whether the state begins anew before it. */
    final boolean[] mask;
    final boolean[] resets;

    /** Draws inputs and targets for a model. */
    RandomBatch(Model model, int steps, int rows, RandomGenerator random) {
        int all = steps * rows;
        this.steps = steps;
        this.rows = rows;
        this.tokens = model.takesTokens() ? integers(all, model.inputs(), random) : new int[0];
        this.features = model.takesTokens() ? new float[0] : floats(all * model.inputs(), random);
        this.classes = integers(all, model.outputs(), random);
        this.values = floats(all * model.outputs(), random);
        this.mask = new boolean[all];
        this.resets = new boolean[all];
        Arrays.fill(mask, true);
    }

    private RandomBatch(int steps, int rows, int[] tokens, float[] features, int[] classes, float[] values,
            boolean[] mask, boolean[] resets) {
        this.steps = steps;
        this.rows = rows;
        this.tokens = tokens;
        this.features = features;
        this.classes = classes;
        this.values = values;
        this.mask = mask;
        this.resets = resets;
    }

    /** Returns the same with streams of different lengths: the second has all steps, the third none. */
    RandomBatch shortened(RandomGenerator random) {
        boolean[] thinner = new boolean[mask.length];
        for (int b = 0; b < rows; b++) {
            int length = b == 1 ? steps : b == 2 ? 0 : random.nextInt(steps + 1);
            for (int t = 0; t < length; t++) {
                thinner[t * rows + b] = true;
            }
        }
        return new RandomBatch(steps, rows, tokens, features, classes, values, thinner, resets);
    }

    /** Returns the same with some steps left out and some states begun anew. */
    RandomBatch thinned(RandomGenerator random) {
        boolean[] thinner = new boolean[mask.length];
        boolean[] anew = new boolean[mask.length];
        for (int i = 0; i < thinner.length; i++) {
            thinner[i] = random.nextInt(3) > 0;
            anew[i] = random.nextInt(5) == 0;
        }
        thinner[0] = true;
        return new RandomBatch(steps, rows, tokens, features, classes, values, thinner, anew);
    }

    Sequences sequences() {
        return Sequences.of(rows, mask, resets);
    }

    /** Returns the steps from {@code from} to {@code to}. */
    RandomBatch steps(int from, int to) {
        return new RandomBatch(to - from, rows, part(tokens, from, to), part(features, from, to),
                part(classes, from, to), part(values, from, to), part(mask, from, to), part(resets, from, to));
    }

    /** Returns a stream alone. */
    RandomBatch row(int row) {
        return new RandomBatch(steps, 1, row(tokens, row), row(features, row), row(classes, row), row(values, row),
                row(mask, row), row(resets, row));
    }

    private int[] row(int[] all, int row) {
        int[] part = new int[all.length / rows];
        copyRow(all, part, part.length / steps, row);
        return part;
    }

    private float[] row(float[] all, int row) {
        float[] part = new float[all.length / rows];
        copyRow(all, part, part.length / steps, row);
        return part;
    }

    private boolean[] row(boolean[] all, int row) {
        boolean[] part = new boolean[all.length / rows];
        copyRow(all, part, part.length / steps, row);
        return part;
    }

    private void copyRow(Object all, Object part, int size, int row) {
        for (int t = 0; t < steps; t++) {
            System.arraycopy(all, (t * rows + row) * size, part, t * size, size);
        }
    }

    private boolean[] part(boolean[] all, int from, int to) {
        return Arrays.copyOfRange(all, rows * from, rows * to);
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
        return batch(loss, classes, values);
    }

    /** Returns the batch with the targets that a loss takes, and what an encoder reads. */
    Batch batch(Loss loss, RandomBatch source) {
        return source.tokens.length > 0 ? batch(loss).withSource(source.sequences(), source.tokens)
                : batch(loss).withSource(source.sequences(), source.features);
    }

    /** Returns the batch for a model that pools: the targets of the first step are those of the streams. */
    Batch pooled(Loss loss) {
        return batch(loss, Arrays.copyOf(classes, rows), part(values, 0, 1));
    }

    private Batch batch(Loss loss, int[] classes, float[] values) {
        return switch (loss) {
            case Loss.CrossEntropy _ -> withClasses(classes);
            case Loss.SampledSoftmax _ -> withClasses(classes);
            case Loss.Ctc ctc -> withLabels(labels(ctc.blank()));
            case Loss.BinaryCrossEntropy _ -> withValues(probabilities(values));
            case Loss.SquaredError _ -> withValues(values);
            case Loss.AbsoluteError _ -> withValues(values);
            case Loss.Huber _ -> withValues(values);
        };
    }

    private Batch withClasses(int[] classes) {
        return tokens.length > 0 ? Batch.tokensToClasses(sequences(), tokens, classes)
                : Batch.featuresToClasses(sequences(), features, classes);
    }

    private Batch withValues(float[] values) {
        return tokens.length > 0 ? Batch.tokensToValues(sequences(), tokens, values)
                : Batch.featuresToValues(sequences(), features, values);
    }

    private Batch withLabels(int[][] labels) {
        return tokens.length > 0 ? Batch.tokensToLabels(sequences(), tokens, labels)
                : Batch.featuresToLabels(sequences(), features, labels);
    }

    /** Returns the classes of the first steps of each stream, the blank left out: as many as half its steps, which can say them. */
    int[][] labels(int blank) {
        int[][] labels = new int[rows][];
        for (int b = 0; b < rows; b++) {
            int stream = b;
            long there = IntStream.range(0, steps).filter(t -> mask[t * rows + stream]).count();
            labels[b] = IntStream.range(0, steps).map(t -> classes[t * rows + stream]).filter(c -> c != blank)
                    .limit(there / 2).toArray();
        }
        return labels;
    }

    /** Returns (T, B, outputs): the targets of losses that take probabilities, some of them certain. */
    float[] probabilities() {
        return probabilities(values);
    }

    private static float[] probabilities(float[] values) {
        float[] probabilities = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            probabilities[i] = Math.clamp(values[i] + 0.5f, 0f, 1f);
        }
        return probabilities;
    }
}
