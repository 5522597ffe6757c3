package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one or more streams of a model remember between two steps: h of every recurrent layer, of each of its directions, and c of every LSTM. It also holds the
 * memory in which a step computes, so that a step allocates nothing.
 *
 * <p>Used by one thread at a time; different states may be used by different threads at once.
 */
public final class State {
    private static final int MOST_CHUNK_BYTES = 1 << 18;
    private static final int MOST_CHUNK_STEPS = 1 << 8;

    private final Model model;
    private final int rows;
    private final Team team;
    private final List<LayerState> layers;
    /** In both turns h of every recurrent layer, and c after it where there is one, without padding, which stays zero. */
    private final List<List<Matrix>> states;
    private final Attended attended;
    /** Networks for 1, 2, 4, ... steps, made when first needed. */
    private final @Nullable InferenceNetwork[] networks;
    /** For the sequences of the last call that had some. */
    private final @Nullable SequenceRun[] sequenceRuns = new SequenceRun[2];
    private int turn;
    private final Call call;

    State(Model model, int rows, Team team) {
        this.model = model;
        this.rows = rows;
        this.team = team;
        this.layers = model.blueprint().places().stream().flatMap(place -> place.passes().stream())
                .map(pass -> LayerState.of(pass, rows)).toList();
        this.states = Stream.of(0, 1)
                .map(t -> layers.stream().flatMap(layer -> layer.values(t).stream()).toList()).toList();
        this.attended = new Attended(rows);
        this.networks = new InferenceNetwork[lengths()];
        this.call = new Call(this, model);
        if (model.blueprint().streams()) {
            network(1);
        }
    }

    /**
     * Returns the state of a decoder behind that of an encoder.
     *
     * @param attended of each row the outputs that attention layers look at, (S, N), which nobody changes; none without such layers
     */
    static State behind(State ended, List<Handover> handovers, Model decoder, Team team, List<Matrix> attended) {
        State state = new State(decoder, ended.rows, team);
        for (Handover handover : handovers) {
            List<List<Matrix>> ends =
                    handover.from().stream().map(pass -> ended.layers.get(pass).values(ended.turn)).toList();
            List<Matrix> begins = state.layers.get(handover.to()).values(state.turn);
            for (int i = 0; i < begins.size(); i++) {
                int kind = i;
                handover.of(ends.stream().map(end -> end.get(kind)).toList(), begins.get(i)).forward(decoder.kernels());
            }
        }
        for (int b = 0; b < attended.size(); b++) {
            state.attended.set(b, attended.get(b));
        }
        return state;
    }

    /** Returns how many powers of two of steps there may be: as many as keep the pre-activations of a layer in the nearer caches. */
    private int lengths() {
        int columns = layers.stream().mapToInt(layer -> layer.cell().slots() * layer.cell().padded).max().orElse(1);
        long steps = MOST_CHUNK_BYTES / Math.multiplyFull(rows, columns * Float.BYTES);
        return Long.SIZE - Long.numberOfLeadingZeros(Math.clamp(steps, 1, MOST_CHUNK_STEPS));
    }

    /** Returns the number of streams. */
    public int rows() {
        return rows;
    }

    /** Sets everything to zero, as a new state is. */
    public void reset() {
        for (int b = 0; b < rows; b++) {
            reset(b);
        }
    }

    /** Sets one row to zero: another stream takes its place. @throws IndexOutOfBoundsException if there is no such row */
    public void reset(int row) {
        Objects.checkIndex(row, rows);
        states().forEach(state -> state.rows(row, row + 1).clear());
        attended.reset(row);
    }

    /** Returns a state of its own with the same contents: the stream forks. */
    public State copy() {
        State copy = new State(model, rows, team);
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
        State stack = new State(model, states.stream().mapToInt(State::rows).reduce(0, Math::addExact), Team.ALONE);
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
        State stream = new State(model, 1, Team.ALONE);
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
        return StateBytes.write(model, rows, states(), model.blueprint().attends() ? attended.outputs() : List.of());
    }

    /**
     * Overwrites this with what {@link #save} returned, to the bit.
     *
     * @throws IllegalArgumentException if the bytes are no saved state, of another version, damaged, or of other layers or rows; this is
     *     then unchanged
     */
    public void restore(byte[] bytes) {
        List<Matrix> outputs = StateBytes.read(bytes, model, rows, states());
        for (int b = 0; b < outputs.size(); b++) {
            attended.set(b, outputs.get(b));
        }
    }

    /** Returns copies of h, and of c after it, layer by layer, each (B, H). */
    public List<NamedArray> tensors() {
        List<NamedArray> tensors = new ArrayList<>();
        for (LayerState layer : layers) {
            tensors.add(Carried.read(layer.name("h"), layer.h().get(turn), layer.cell().stateSize));
            if (layer.c() != null) {
                tensors.add(Carried.read(layer.name("c"), layer.c(), layer.cell().hidden));
            }
        }
        return tensors;
    }

    /**
     * Overwrites h and c of layers.
     *
     * @param tensors with names and shapes as those of {@link #tensors}; what is not among them stays as it is
     * @throws IllegalArgumentException if there is no state of a name, or it has another shape; this is then unchanged
     */
    public void setTensors(List<NamedArray> tensors) {
        List<NamedArray> known = tensors();
        for (NamedArray tensor : tensors) {
            NamedArray current = known.stream().filter(t -> t.name().equals(tensor.name())).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("state: expected one of "
                            + known.stream().map(NamedArray::name).toList() + ", got " + tensor.name()));
            if (!current.shape().equals(tensor.shape())) {
                throw new IllegalArgumentException(
                        tensor.name() + ": expected shape " + current.shape() + ", got " + tensor.shape());
            }
        }
        for (NamedArray tensor : tensors) {
            for (LayerState layer : layers) {
                if (tensor.name().equals(layer.name("h"))) {
                    Carried.write(tensor, layer.h().get(turn), layer.cell().stateSize);
                } else if (layer.c() != null && tensor.name().equals(layer.name("c"))) {
                    Carried.write(tensor, layer.c(), layer.cell().hidden);
                }
            }
        }
    }

    /**
     * Overwrites one of {@link #tensors}. Allocates nothing.
     *
     * @param number its place among them
     * @param values (B, H)
     * @throws IndexOutOfBoundsException if there is no such tensor
     * @throws IllegalArgumentException if it has another number of elements
     */
    public void set(int number, float[] values) {
        Matrix state = tensor(number, values);
        for (int b = 0; b < rows; b++) {
            state.setRow(b, values, b * state.columns());
        }
    }

    /** Copies one of {@link #tensors}, otherwise as {@link #set}. */
    public void get(int number, float[] values) {
        Matrix state = tensor(number, values);
        for (int b = 0; b < rows; b++) {
            state.getRow(b, values, b * state.columns());
        }
    }

    private Matrix tensor(int number, float[] values) {
        Matrix state = states().get(number);
        if (values.length != rows * state.columns()) {
            throw new IllegalArgumentException("tensor " + number + ": expected " + rows + " x " + state.columns()
                    + " elements, got " + values.length);
        }
        return state;
    }

    /** Returns where a call of this model puts its arguments. @throws IllegalArgumentException if it is another model */
    Call call(Model expected) {
        if (expected != model) {
            throw new IllegalArgumentException("state: expected one of this model, got another model's");
        }
        return call;
    }

    /** Makes the steps of a network, and returns what it does. */
    Matrix advance(InferenceNetwork network) {
        Matrix output = network.run(turn);
        turn = 1 - turn;
        return output;
    }

    /** Returns the network for the most steps that are a power of two, not more than {@code most}, and fit. */
    InferenceNetwork network(int most) {
        int length = Math.min(networks.length, Integer.SIZE - Integer.numberOfLeadingZeros(most)) - 1;
        InferenceNetwork network = networks[length];
        if (network == null) {
            network = new InferenceNetwork(model, layers, attended, team, Sequences.of(1 << length, rows));
            networks[length] = network;
        }
        return network;
    }

    /** Returns what makes all steps of some sequences in one call. */
    SequenceRun sequenceRun(Sequences sequences) {
        SequenceRun run = sequenceRuns[turn];
        if (run == null || !run.sequences().equals(sequences)) {
            run = SequenceRun.of(model, layers, attended, turn, team, sequences);
            sequenceRuns[turn] = run;
        }
        return run;
    }

    /** As {@link #sequenceRun(Sequences)}, keeping the states after each step. */
    SequenceRun tracedRun(Sequences sequences) {
        return SequenceRun.traced(model, layers, attended, turn, team, sequences);
    }

    /** Returns what makes so many steps of every stream in one call. */
    SequenceRun sequenceRun(int steps) {
        SequenceRun run = sequenceRuns[turn];
        return run != null && run.sequences().isPlain() && run.sequences().steps() == steps ? run
                : sequenceRun(Sequences.of(steps, rows));
    }

    private List<Matrix> states() {
        return states.get(turn);
    }

    private void checkSame(State other, int expectedRows) {
        if (other.model != model || other.rows != expectedRows) {
            throw new IllegalArgumentException("state: expected one of the same model with " + expectedRows
                    + " rows, got " + (other.model != model ? "another model's" : other.rows + " rows"));
        }
    }

    /** Overwrites some rows with those of another state of the same model. */
    void copyRows(State from, int fromRow, int toRow, int count) {
        List<Matrix> sources = from.states();
        List<Matrix> targets = states();
        for (int i = 0; i < targets.size(); i++) {
            targets.get(i).rows(toRow, toRow + count).copyFrom(sources.get(i).rows(fromRow, fromRow + count));
        }
        attended.copyRows(from.attended, fromRow, toRow, count);
    }
}
