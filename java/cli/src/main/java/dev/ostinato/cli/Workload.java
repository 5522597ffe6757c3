package dev.ostinato.cli;

import dev.ostinato.nn.Model;
import dev.ostinato.nn.State;
import java.util.SplittableRandom;

/** Calls of a model, one like the other: random inputs, which take turns, and a state that goes on. One thread at a time. */
final class Workload {
    /** A power of two. */
    private static final int INPUTS = 8;

    private final Model model;
    private final int steps;
    private final State state;
    private final int[][] tokens = new int[INPUTS][];
    private final float[][] x = new float[INPUTS][];
    private final float[] y;
    private int turn;

    Workload(Model model, State state, int steps) {
        this.model = model;
        this.steps = steps;
        this.state = state;
        int all = Math.multiplyExact(state.rows(), steps);
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < INPUTS; i++) {
            if (model.takesTokens()) {
                tokens[i] = random.ints(all, 0, model.inputs()).toArray();
            } else {
                x[i] = new float[Math.multiplyExact(all, model.inputs())];
                for (int j = 0; j < x[i].length; j++) {
                    x[i][j] = (float) random.nextDouble(-1, 1);
                }
            }
        }
        this.y = new float[Math.multiplyExact(model.pools() ? state.rows() : all, model.outputs())];
    }

    /** One step, or one sequence of steps. */
    void call() {
        turn = (turn + 1) & (INPUTS - 1);
        boolean single = steps == 1 && model.streams();
        if (model.takesTokens()) {
            if (single) {
                model.step(tokens[turn], state, y);
            } else {
                model.run(tokens[turn], state, y);
            }
        } else if (single) {
            model.step(x[turn], state, y);
        } else {
            model.run(x[turn], state, y);
        }
    }
}
