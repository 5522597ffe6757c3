package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;
import java.util.Objects;

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

    /** Sets one row to zero: another stream takes its place. @throws IndexOutOfBoundsException if there is no such row */
    public void reset(int row) {
        Objects.checkIndex(row, rows);
        network.states().forEach(state -> state.rows(row, row + 1).clear());
    }

    /** Returns a state of its own with the same contents: the stream forks. */
    public State copy() {
        State copy = new State(model, rows);
        copy.copyFrom(this);
        return copy;
    }

    /** Overwrites this with another state of the same model. @throws IllegalArgumentException if the model or the rows differ */
    public void copyFrom(State other) {
        checkSame(other, rows);
        copyRows(other, 0, 0, rows);
    }

    /**
     * Returns the rows of several states as one state, in their order; the states stay as they are.
     *
     * @param states at least one, all of one model
     * @throws IllegalArgumentException if there are none, or a state is of another model than the first
     */
    public static State stack(List<State> states) {
        if (states.isEmpty()) {
            throw new IllegalArgumentException("states: expected at least one, got none");
        }
        Model model = states.getFirst().model;
        State stack = model.newState(states.stream().mapToInt(State::rows).reduce(0, Math::addExact));
        int row = 0;
        for (State state : states) {
            stack.checkSame(state, state.rows);
            stack.copyRows(state, 0, row, state.rows);
            row += state.rows;
        }
        return stack;
    }

    /** Returns a copy of one row as a state of its own. @throws IndexOutOfBoundsException if there is no such row */
    public State row(int row) {
        Objects.checkIndex(row, rows);
        State stream = model.newState();
        stream.copyRows(this, row, 0, 1);
        return stream;
    }

    /**
     * Overwrites one row with a copy of a stream.
     *
     * @param stream of the same model, with one row
     * @throws IndexOutOfBoundsException if there is no such row
     * @throws IllegalArgumentException if the model differs, or the stream has more than one row
     */
    public void setRow(int row, State stream) {
        Objects.checkIndex(row, rows);
        checkSame(stream, 1);
        copyRows(stream, 0, row, 1);
    }

    /**
     * Returns everything as bytes, for {@link #restore} on any machine and backend, with a checksum. They name the layers of the model and
     * their sizes, but not its weights.
     */
    public byte[] save() {
        return StateBytes.write(model, rows, network.states());
    }

    /**
     * Overwrites this with what {@link #save} returned, to the bit.
     *
     * @throws IllegalArgumentException if the bytes are no saved state, of another version, damaged, or of other layers or rows; this is
     *     then unchanged
     */
    public void restore(byte[] bytes) {
        StateBytes.read(bytes, model, rows, network.states());
    }

    /** Returns copies of h, and of c after it, layer by layer, each (B, H). */
    public List<NamedArray> tensors() {
        return network.tensors();
    }

    StepNetwork network() {
        return network;
    }

    private void checkSame(State other, int expectedRows) {
        if (other.model != model || other.rows != expectedRows) {
            throw new IllegalArgumentException("state: expected one of the same model with " + expectedRows
                    + " rows, got " + (other.model != model ? "another model's" : other.rows + " rows"));
        }
    }

    private void copyRows(State from, int fromRow, int toRow, int count) {
        List<Matrix> sources = from.network.states();
        List<Matrix> targets = network.states();
        for (int i = 0; i < targets.size(); i++) {
            targets.get(i).rows(toRow, toRow + count).copyFrom(sources.get(i).rows(fromRow, fromRow + count));
        }
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
