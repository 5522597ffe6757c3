package dev.ostinato.bench;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.State;

/**
 * A stream through one recurrent layer with as many inputs as units and no head, so that a step is the cell's step and nothing else.
 * The inputs change from step to step, so that the state does not settle.
 */
final class CellSteps {
    private static final int INPUTS = 64;

    private final Model model;
    private final State state;
    private final float[][] inputs;
    private final float[] output;
    private int next;

    CellSteps(CellType cell, int hidden, String backend) {
        this.model = model(cell, hidden).withBackend(backend);
        this.state = model.newState();
        this.inputs = inputs(hidden);
        this.output = new float[hidden];
    }

    /** Returns the weights that everyone has, on any backend. */
    static Model model(CellType cell, int hidden) {
        return Model.builder().features(hidden).recurrent(cell, hidden).seed(1).build();
    }

    /** Returns the inputs that everyone reads, an even number of rows, round and round. */
    static float[][] inputs(int size) {
        return new Sequence(2).rows(INPUTS, size);
    }

    /** Returns h after the next input; the array is always the same. */
    float[] step() {
        model.step(inputs[next], state, output);
        next = (next + 1) % INPUTS;
        return output;
    }

    /** Takes some steps beside another stream of the same weights. @throws IllegalStateException if an h has other bits */
    void checkAgainst(CellSteps expected, int steps) {
        for (int t = 0; t < steps; t++) {
            Checks.sameBits("h after step " + t, expected.step(), step());
        }
    }
}
