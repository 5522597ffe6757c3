package dev.ostinato.bench;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Team;

/**
 * Streams through one recurrent layer with as many inputs as units and no head, so that a call is the cell's steps and nothing else.
 * The inputs change from call to call, so that the state does not settle.
 */
final class CellCalls {
    /** What is computed: T steps of B streams at a time. */
    record Shape(CellType cell, int hidden, int steps, int rows) {
        /** Returns a single step of a single stream. */
        static Shape step(CellType cell, int hidden) {
            return new Shape(cell, hidden, 1, 1);
        }

        /** Returns the weights that everyone has, on any backend. */
        Model model() {
            return Model.builder().features(hidden).recurrent(cell, hidden).seed(1).build();
        }

        /** Returns the inputs that everyone reads, an even number of calls, round and round: each (T, B, H). */
        float[][] inputs() {
            return new Sequence(2).rows(Math.max(2, 64 / (steps * rows) / 2 * 2), floats());
        }

        /** Returns the floats in the inputs, and in the outputs, of a call. */
        int floats() {
            return steps * rows * hidden;
        }
    }

    private final Model model;
    private final State state;
    private final boolean single;
    private final float[][] inputs;
    private final float[] output;
    private int next;

    CellCalls(Shape shape, String backend) {
        this(shape, shape.model().withBackend(backend), Team.of(1));
    }

    /** @param model that of the shape, at any precision and on any backend */
    CellCalls(Shape shape, Model model, Team team) {
        this.model = model;
        this.state = model.newState(shape.rows(), team);
        this.single = shape.steps() == 1;
        this.inputs = shape.inputs();
        this.output = new float[shape.floats()];
    }

    /** Returns h after each step of the next inputs; the array is always the same. */
    float[] call() {
        if (single) {
            model.step(inputs[next], state, output);
        } else {
            model.run(inputs[next], state, output);
        }
        next = (next + 1) % inputs.length;
        return output;
    }

    /** Makes some calls beside other streams of the same weights. @throws IllegalStateException if an h has other bits */
    void checkAgainst(CellCalls expected, int calls) {
        for (int i = 0; i < calls; i++) {
            Checks.sameBits("h after call " + i, expected.call(), call());
        }
    }
}
