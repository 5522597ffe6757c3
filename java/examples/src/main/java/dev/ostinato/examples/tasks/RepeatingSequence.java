package dev.ostinato.examples.tasks;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * The sequence 1.1, 2.2, 3.1, 1.3, 2.2, 3.3, again and again, with noise on every number. Near 2.2 there is no telling whether 3.1 or 3.3
 * comes next: one must remember what was before. Beside a model that sees one number and remembers nothing.
 */
public final class RepeatingSequence {
    private static final float[] CYCLE = {1.1f, 2.2f, 3.1f, 1.3f, 2.2f, 3.3f};
    private static final double NOISE = 0.05;
    private static final int STEPS = 24;
    private static final int ROWS = 16;

    private final RandomGenerator random = new SplittableRandom(1);

    /**
     * Root mean squared errors of the next number, without its noise.
     *
     * @param network of a GRU
     * @param memoryless of a network that sees the last number alone
     */
    public record Errors(double network, double memoryless) {}

    /** Trains both for so many updates. */
    public Errors compare(int updates) {
        Model.Builder gru = Model.builder().features(1).gru(16).dense(1).seed(1);
        Model.Builder memoryless = Model.builder().features(1).dense(32).dense(1).seed(1);
        return new Errors(error(gru.build(), updates), error(memoryless.build(), updates));
    }

    private double error(Model fresh, int updates) {
        try (Trainer trainer = Trainer.builder(fresh).loss(Loss.squaredError()).optimizer(Optimizer.adam(1e-2))
                .clipGlobalNorm(1).build()) {
            for (int i = 0; i < updates; i++) {
                float[] x = new float[STEPS * ROWS];
                float[] next = new float[STEPS * ROWS];
                fill(x, next);
                trainer.step(Batch.featuresToValues(STEPS, ROWS, x, next));
                trainer.resetState();
            }
            return error(trainer.model());
        }
    }

    /** Each row begins somewhere in the cycle. */
    private void fill(float[] x, float[] next) {
        for (int b = 0; b < ROWS; b++) {
            int begin = random.nextInt(CYCLE.length);
            for (int t = 0; t < STEPS; t++) {
                x[t * ROWS + b] = noisy(begin + t);
                next[t * ROWS + b] = CYCLE[(begin + t + 1) % CYCLE.length];
            }
        }
    }

    private float noisy(int position) {
        return (float) (CYCLE[position % CYCLE.length] + NOISE * random.nextGaussian());
    }

    /** Goes on and on from one number to the next. */
    private double error(Model model) {
        State state = model.newState();
        float[] y = new float[1];
        double squares = 0;
        int measured = 600;
        for (int t = 0; t < STEPS + measured; t++) {
            model.step(new float[] {noisy(t)}, state, y);
            double difference = y[0] - CYCLE[(t + 1) % CYCLE.length];
            squares += t < STEPS ? 0 : difference * difference; // the first ones are not to be known
        }
        return Math.sqrt(squares / measured);
    }

    static void main() {
        Errors errors = new RepeatingSequence().compare(1000);
        System.out.printf(Locale.ROOT, "root mean squared error: GRU %.4f, without memory %.4f%n", errors.network(),
                errors.memoryless());
    }
}
