package dev.ostinato.examples.tasks;

import dev.ostinato.nn.Batch;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Copying (Hochreiter and Schmidhuber 1997, as in Arjovsky et al. 2016): ten of eight symbols, T - 1 blanks, then a sign upon which the ten are to be
 * repeated; until then the answer is a blank at every step. Who remembers nothing knows the blanks and guesses the symbols, with a
 * cross-entropy of {@link #baseline}.
 */
public final class CopyMemory {
    /** Different inputs: the symbols, a blank and a sign. */
    public static final int TOKENS = 10;

    private static final int ROWS = 32;
    private static final int SYMBOLS = 8;
    private static final int BLANK = 8;
    private static final int SIGN = 9;
    private static final int LENGTH = 10;

    private final int delay;
    private final RandomGenerator random;

    /** The same seed gives the same rows. */
    public CopyMemory(int delay, long seed) {
        this.delay = delay;
        this.random = new SplittableRandom(seed);
    }

    /** Returns the loss of the best answer that remembers nothing, in nats for each of the T + 20 steps. */
    public double baseline() {
        return LENGTH * Math.log(SYMBOLS) / steps();
    }

    private int steps() {
        return delay + 2 * LENGTH;
    }

    /** Returns 32 rows that nobody has seen before. */
    public Batch next() {
        int[] tokens = new int[steps() * ROWS];
        int[] answers = new int[steps() * ROWS];
        for (int b = 0; b < ROWS; b++) {
            for (int t = 0; t < steps(); t++) {
                tokens[t * ROWS + b] = t == delay + LENGTH - 1 ? SIGN : BLANK;
                answers[t * ROWS + b] = BLANK;
            }
            for (int i = 0; i < LENGTH; i++) {
                int symbol = random.nextInt(SYMBOLS);
                tokens[i * ROWS + b] = symbol;
                answers[(delay + LENGTH + i) * ROWS + b] = symbol;
            }
        }
        return Batch.tokensToClasses(steps(), ROWS, tokens, answers);
    }
}
