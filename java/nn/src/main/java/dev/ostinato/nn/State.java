package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;

/**
 * What one or more streams of a model remember between two steps: h of every recurrent layer, and c of every LSTM. It also holds the
 * memory in which a step computes, so that a step allocates nothing.
 *
 * <p>Used by one thread at a time; different states may be used by different threads at once.
 */
public final class State {
    private final Model model;
    private final int rows;
    private final StepNetwork network;

    State(Model model, int rows) {
        this.model = model;
        this.rows = rows;
        this.network = new StepNetwork(model, rows);
    }

    /** Returns the number of streams. */
    public int rows() {
        return rows;
    }

    /** Sets everything to zero, as a new state is. */
    public void reset() {
        network.states().forEach(Matrix::clear);
    }

    /** Returns a state of its own with the same contents: the stream forks. */
    public State copy() {
        State copy = new State(model, rows);
        copy.copyFrom(this);
        return copy;
    }

    /** Overwrites this with another state of the same model. @throws IllegalArgumentException if the model or the rows differ */
    public void copyFrom(State other) {
        if (other.model != model || other.rows != rows) {
            throw new IllegalArgumentException("state: expected one of the same model with " + rows + " rows, got "
                    + (other.model != model ? "another model's" : other.rows + " rows"));
        }
        List<Matrix> states = network.states();
        List<Matrix> from = other.network.states();
        for (int i = 0; i < states.size(); i++) {
            states.get(i).copyFrom(from.get(i));
        }
    }

    /** Returns copies of h, and of c after it, layer by layer, each (B, H). */
    public List<NamedArray> tensors() {
        return network.tensors();
    }

    StepNetwork network() {
        return network;
    }

    void check(Model expected, boolean kind, String name, int length, int width, int outputs) {
        if (expected != model) {
            throw new IllegalArgumentException("state: expected one of this model, got another model's");
        }
        if (!kind) {
            throw new IllegalArgumentException(
                    "input: expected " + (model.takesTokens() ? "tokens" : "rows of " + model.inputs() + " floats")
                            + ", got " + name);
        }
        if (length != rows * width) {
            throw new IllegalArgumentException(name + ": expected " + rows + " x " + width + ", got " + length);
        }
        if (outputs != rows * model.outputs()) {
            throw new IllegalArgumentException("y: expected " + rows + " x " + model.outputs() + ", got " + outputs);
        }
    }
}
