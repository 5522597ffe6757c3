package dev.ostinato.nn;

import java.util.concurrent.TimeUnit;

/** Makes calls until they no longer get faster. */
final class WarmUp {
    static final int MOST_SECONDS = 5;

    /** As many calls as make the compiler optimise a method that is not called from a loop inside. */
    private static final int FEWEST_CALLS = 20_000;
    private static final int FEWEST_MILLISECONDS = 200;
    private static final int CALLS_IN_A_ROUND = 200;
    /** Rounds without a new best time after which there is nothing more to gain. */
    private static final int ROUNDS_AT_THE_BEST = 20;

    private final Model model;
    private final State state;
    private final int[] tokens;
    private final float[] x;
    private final float[] y;

    private WarmUp(Model model, int rows, int steps) {
        if (steps < 1) {
            throw new IllegalArgumentException("steps: expected >= 1, got " + steps);
        }
        this.model = model;
        this.state = model.newState(rows);
        int all = Math.multiplyExact(rows, steps);
        this.tokens = new int[model.takesTokens() ? all : 0];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = i % model.inputs();
        }
        this.x = new float[model.takesTokens() ? 0 : Math.multiplyExact(all, model.inputs())];
        for (int i = 0; i < x.length; i++) {
            x[i] = i % 7 - 3;
        }
        this.y = new float[Math.multiplyExact(model.pools() ? rows : all, model.outputs())];
    }

    static void of(Model model, int rows, int steps) {
        WarmUp warmUp = new WarmUp(model, rows, steps);
        long start = System.nanoTime();
        long best = Long.MAX_VALUE;
        int calls = 0;
        int rounds = 0;
        int bestRound = 0;
        while (milliseconds(start) < TimeUnit.SECONDS.toMillis(MOST_SECONDS)) {
            long began = System.nanoTime();
            for (int i = 0; i < CALLS_IN_A_ROUND && milliseconds(start) < TimeUnit.SECONDS.toMillis(MOST_SECONDS);
                    i++) {
                warmUp.call(steps);
                calls++;
            }
            rounds++;
            long taken = System.nanoTime() - began;
            if (taken < best - best / 50) {
                best = taken;
                bestRound = rounds;
            }
            if (calls >= FEWEST_CALLS && milliseconds(start) >= FEWEST_MILLISECONDS
                    && rounds - bestRound >= ROUNDS_AT_THE_BEST) {
                return;
            }
        }
    }

    private static long milliseconds(long start) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    }

    private void call(int steps) {
        boolean single = steps == 1 && model.streams();
        if (model.takesTokens() && single) {
            model.step(tokens, state, y);
        } else if (model.takesTokens()) {
            model.run(tokens, state, y);
        } else if (single) {
            model.step(x, state, y);
        } else {
            model.run(x, state, y);
        }
    }
}
