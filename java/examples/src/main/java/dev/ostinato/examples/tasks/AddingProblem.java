package dev.ostinato.examples.tasks;

import dev.ostinato.nn.Batch;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * The adding problem (Hochreiter and Schmidhuber 1997): at each of T steps come a random number in [0, 1) and a mark, which is 1 at one step
 * of the first half and one of the second, and 0 elsewhere. Behind the last step a model has to tell the sum of the two marked numbers. Who
 * always says 1 has a mean squared error of 1/6; to do better one has to remember.
 */
public final class AddingProblem {
    /** Numbers in a step. */
    public static final int INPUTS = 2;
    /** The squared error of the best answer that looks at nothing. */
    public static final double BASELINE = 1.0 / 6;

    private static final int ROWS = 32;

    private final int steps;
    private final RandomGenerator random;

    /** The same seed gives the same rows. */
    public AddingProblem(int steps, long seed) {
        this.steps = steps;
        this.random = new SplittableRandom(seed);
    }

    /** Returns 32 rows that nobody has seen before. */
    public Batch next() {
        float[] x = new float[steps * ROWS * INPUTS];
        float[] sums = new float[ROWS];
        for (int b = 0; b < ROWS; b++) {
            int first = random.nextInt(steps / 2);
            int second = random.nextInt(steps / 2, steps);
            for (int t = 0; t < steps; t++) {
                float number = (float) random.nextDouble();
                boolean marked = t == first || t == second;
                x[(t * ROWS + b) * INPUTS] = number;
                x[(t * ROWS + b) * INPUTS + 1] = marked ? 1 : 0;
                sums[b] += marked ? number : 0;
            }
        }
        return Batch.featuresToValues(steps, ROWS, x, sums);
    }
}
