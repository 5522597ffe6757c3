package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One way through time of a recurrent layer, over the packed steps of a batch. The product with the inputs is one for all steps; the
 * recurrence is shared out by sequences, each thread going through time with its own; the gradients of the weights are one product over
 * all steps.
 */
final class Recurrence {
    private final Stage.Setup setup;
    private final Kernels k;
    private final Stage below;
    private final Blueprint.Pass pass;
    private final Cell cell;
    private final CellWeights weights;
    private final CellWeights gradients;
    private final CellWeights.Transposed transposed;
    private final Matrix bias;
    private final Sequences sequences;
    /** (all, slots * Hp), and the slots of it that W x and the biases fill. */
    private final Matrix z;
    private final Matrix start;
    /** (state rows of the sequences, Hp) of h, its gradient, and of c where there is one. */
    private final Matrix h;
    private final Matrix dh;
    private final Matrix c;
    /** (sequences, Hp). */
    private final Matrix dc;
    private final Cell.Step[][] steps;
    private final Cell.Gradients[][] stepGradients;
    private final List<Cell.Reduction> reductions;
    /** (all, Hp) h before each step; a copy where it does not lie like that. */
    private final Matrix hPrevious;
    private final boolean copied;
    private final @Nullable TokenTable table;
    private final @Nullable DropConnect dropConnect;

    Recurrence(Stage.Setup setup, Blueprint.Pass pass, Stage below) {
        this.setup = setup;
        this.k = setup.kernels();
        this.below = below;
        this.pass = pass;
        this.cell = pass.cell();
        float dropped = pass.regularization().dropConnect();
        this.dropConnect = dropped > 0 ? new DropConnect(setup, pass, dropped) : null;
        this.weights = dropConnect == null ? cell.weights(setup.weights(), pass.offset())
                : cell.weights(dropConnect.block(), 0);
        this.gradients = cell.weights(setup.gradients(), pass.offset());
        this.transposed = weights.transposed();
        this.bias = Matrix.of(1, cell.startSlots() * cell.padded);
        this.sequences = setup.sequences();
        this.z = setup.matrix(setup.all(), cell.slots() * cell.padded);
        this.start = z.columns(0, bias.columns());
        this.h = setup.matrix(sequences.stateRows(), cell.paddedState);
        this.dh = setup.matrix(sequences.stateRows(), cell.paddedState);
        this.c = cell.hasCellState() ? setup.matrix(sequences.stateRows(), cell.padded) : h;
        this.dc = setup.matrix(sequences.sequences(), cell.padded);
        this.copied = !pass.reverse() && !sequences.sameLengths();
        this.hPrevious = copied ? setup.matrix(setup.all(), cell.paddedState)
                : h.rows(before(0), before(0) + setup.all());
        int[] ranges = sequences.ranges(setup.team().threads());
        this.steps = new Cell.Step[ranges.length - 1][];
        this.stepGradients = new Cell.Gradients[ranges.length - 1][];
        layOut(ranges);
        this.reductions = cell.reductions(z);
        this.table = below instanceof TokenStage tokens ? new TokenTable(tokens) : null;
    }

    private void layOut(int[] ranges) {
        Matrix scratch = setup.matrix(sequences.sequences(), cell.scratchColumns());
        for (int part = 0; part < steps.length; part++) {
            List<Cell.Step> forward = new ArrayList<>();
            List<Cell.Gradients> backward = new ArrayList<>();
            for (int i = 0; i < sequences.longest(); i++) {
                int step = pass.reverse() ? sequences.longest() - 1 - i : i;
                int from = ranges[part];
                int to = Math.min(ranges[part + 1], sequences.count(step));
                if (from < to) {
                    Matrix zNow = z.rows(sequences.offset(step) + from, sequences.offset(step) + to);
                    int previous = before(step);
                    int next = after(step);
                    forward.add(cell.step(new Cell.Views(zNow, h.rows(previous + from, previous + to),
                            h.rows(next + from, next + to), c.rows(previous + from, previous + to),
                            c.rows(next + from, next + to), scratch.rows(from, to))));
                    backward.add(new Cell.Gradients(dh.rows(next + from, next + to),
                            dh.rows(previous + from, previous + to), dc.rows(from, to)));
                }
            }
            steps[part] = forward.toArray(Cell.Step[]::new);
            stepGradients[part] = backward.toArray(Cell.Gradients[]::new);
        }
    }

    /** Returns the row of the first state before a step, in the direction of the pass. */
    private int before(int step) {
        return sequences.boundary(pass.reverse() ? step + 1 : step);
    }

    private int after(int step) {
        return sequences.boundary(pass.reverse() ? step : step + 1);
    }

    /** Returns the state with which a sequence begins. */
    private Matrix first(Matrix states, int sequence) {
        return state(states, sequence, pass.reverse() ? sequences.length(sequence) : 0);
    }

    /** Returns the state of a stream that goes on to the next batch. */
    private Matrix last(Matrix states, int stream) {
        int sequence = sequences.lastOf(stream);
        return state(states, sequence, pass.reverse() ? 0 : sequences.carried(sequence));
    }

    private Matrix state(Matrix states, int sequence, int boundary) {
        int row = sequences.boundary(boundary) + sequence;
        return states.rows(row, row + 1);
    }

    /** Computes h of every step. {@code dropoutKey} as in {@link Stage#forward}. */
    void forward(long dropoutKey) {
        drawMasks(Masks.key(Masks.key(dropoutKey, pass.place().index()), pass.reverse() ? 1 : 0));
        cell.biasRow(weights, bias);
        if (table != null) {
            table.forward();
        } else {
            setup.eachChunk((from, to) -> {
                k.fillRows(bias, start.rows(from, to));
                k.multiplyAdd(below.output().rows(from, to), weights.input(), cell.inputSlots(start.rows(from, to)));
            });
        }
        setup.team().run(steps.length, part -> {
            for (Cell.Step step : steps[part]) {
                step.forward(k, weights);
            }
        });
    }

    private void drawMasks(long key) {
        if (dropConnect != null) {
            dropConnect.forward(k, key);
        }
        if (cell.masked()) {
            setup.eachChunk((from, to) -> cell.drawMasks(key, r -> sequences.step(from + r) % sequences.rows(),
                    r -> sequences.step(from + r), z.rows(from, to)));
        }
    }

    /** Adds to the gradients of the weights and of the stage below, from the gradient of h. */
    void backward() {
        weights.transposeInto(transposed);
        setup.team().run(steps.length, part -> {
            for (int i = steps[part].length - 1; i >= 0; i--) {
                steps[part][i].backward(k, transposed, stepGradients[part][i]);
            }
        });
        setup.team().run(reductions.size(), i -> reductions.get(i).run(k, weights, gradients));
        int parts = setup.team().threads();
        if (copied) {
            eachStep((step, from, to) -> hPrevious.rows(from, to)
                    .copyFrom(h.rows(before(step), before(step) + to - from)));
        }
        Matrix before = hPrevious.columns(0, cell.stateSize);
        setup.team().run(parts, part -> cell.recurrentGradient(k, before, z, gradients, part, parts));
        if (table != null) {
            table.backward();
        } else {
            inputGradients(parts);
        }
        if (dropConnect != null) {
            dropConnect.backward(k);
        }
    }

    private void inputGradients(int parts) {
        Matrix dz = cell.inputSlots(z);
        setup.team().run(parts + 2, piece -> {
            if (piece < parts) {
                Cell.gradientShare(k, below.output(), dz, gradients.input(), piece, parts);
            } else if (piece == parts) {
                cell.inputBiasGradient(k, z, gradients);
            } else {
                cell.recurrentBiasGradient(k, z, gradients);
            }
        });
        if (below.wantsGradient()) {
            setup.eachChunk((from, to) -> k.multiplyAdd(dz.rows(from, to), transposed.input(),
                    below.outputGradient().rows(from, to)));
        }
    }

    /**
     * The input product of a layer fed by tokens: one row of z per different token of the batch, from which the rows of z are copied; and
     * gradients summed per token before they go on.
     */
    private final class TokenTable {
        private final TokenStage tokens;
        /** (distinct tokens, start slots * Hp), and their gradient. */
        private final Matrix rows;
        private final Matrix dRows;
        /** (distinct tokens, E), and (distinct tokens, padded E). */
        private final Matrix x;
        private final Matrix dx;

        TokenTable(TokenStage tokens) {
            this.tokens = tokens;
            this.rows = setup.matrix(tokens.capacity(), start.columns());
            this.dRows = setup.matrix(tokens.capacity(), start.columns());
            this.x = setup.matrix(tokens.capacity(), cell.inputs);
            this.dx = setup.matrix(tokens.capacity(), Matrix.padded(cell.inputs));
        }

        void forward() {
            int count = tokens.distinct().length();
            Matrix table = tokens.table();
            setup.eachChunk(count, (first, last) -> {
                Matrix part = rows.rows(first, last);
                k.fillRows(bias, part);
                if (table == null) {
                    k.addInputs(weights.input(), tokens.distinct().slice(first, last), cell.inputSlots(part));
                } else {
                    k.gather(table, tokens.distinct().slice(first, last), x.rows(first, last));
                    k.multiplyAdd(x.rows(first, last), weights.input(), cell.inputSlots(part));
                }
            });
            Matrix used = rows.rows(0, count);
            setup.eachChunk(
                    (first, last) -> k.gather(used, tokens.places().slice(first, last), start.rows(first, last)));
        }

        void backward() {
            int count = tokens.distinct().length();
            Matrix sums = dRows.rows(0, count);
            sums.clear();
            int slot = cell.padded;
            setup.team().run(cell.startSlots(), i -> k.scatterAdd(z.columns(i * slot, (i + 1) * slot), tokens.places(),
                    sums.columns(i * slot, (i + 1) * slot)));
            cell.inputBiasGradient(k, sums, gradients);
            cell.recurrentBiasGradient(k, sums, gradients);
            Matrix dz = cell.inputSlots(sums);
            Matrix dTable = tokens.tableGradient();
            if (dTable == null) {
                k.scatterAddInputs(dz, tokens.distinct(), gradients.input());
                return;
            }
            int parts = setup.team().threads();
            setup.team().run(parts,
                    part -> Cell.gradientShare(k, x.rows(0, count), dz, gradients.input(), part, parts));
            setup.eachChunk(count, (first, last) -> {
                Matrix part = dx.rows(first, last);
                part.clear();
                k.multiplyAdd(dz.rows(first, last), transposed.input(), part);
            });
            k.scatterAdd(dx.rows(0, count).columns(0, cell.inputs), tokens.distinct(), dTable);
        }
    }

    /** Returns h of all steps, (all, H), of a pass that goes forward in time. */
    Matrix output() {
        return h.rows(sequences.sequences(), h.rows()).columns(0, cell.stateSize);
    }

    /** Returns the gradient of {@link #output}, (all, Hp). */
    Matrix outputGradient() {
        return dh.rows(sequences.sequences(), dh.rows());
    }

    /** Returns what diagnostics look at, of streams that all have the same steps. */
    RecurrentTrace trace() {
        return new RecurrentTrace(pass, weights, below.output(), z, h, dh, c, sequences.longest(), sequences.rows());
    }

    /** Copies h of all steps to (all, H). */
    void copyOutput(Matrix y) {
        eachStep((step, from, to) -> y.rows(from, to)
                .copyFrom(h.rows(after(step), after(step) + to - from).columns(0, cell.stateSize)));
    }

    /** Adds to the gradients of h of all steps from (all, H). */
    void addOutputGradient(Matrix dy) {
        eachStep((step, from, to) -> k.axpy(1, dy.rows(from, to),
                dh.rows(after(step), after(step) + to - from).columns(0, cell.stateSize)));
    }

    /** Something to do for a step and its packed rows. */
    private interface StepRows {
        void accept(int step, int from, int to);
    }

    private void eachStep(StepRows body) {
        for (int step = 0; step < sequences.longest(); step++) {
            body.accept(step, sequences.offset(step), sequences.offset(step + 1));
        }
    }

    /** Zeroes the gradients of h and of c at the end. */
    void clearGradient() {
        setup.eachChunk(dh.rows(), (from, to) -> dh.rows(from, to).clear());
        dc.clear();
    }

    /**
     * What a stream remembers at a moment.
     *
     * @param values (1, H) h, and (1, H) c behind it where there is a cell state
     * @param gradients of these
     */
    record StreamState(List<Matrix> values, List<Matrix> gradients) {}

    /** Returns the state with which a stream begins; its gradients are there after {@link #backward}. */
    StreamState begin(int stream) {
        int sequence = sequences.firstOf(stream);
        return streamState(first(h, sequence), first(dh, sequence), first(c, sequence), sequence);
    }

    /** Returns the state with which a stream ends; to its gradients others may add before {@link #backward}. */
    StreamState end(int stream) {
        return streamState(last(h, stream), last(dh, stream), last(c, stream), sequences.lastOf(stream));
    }

    private StreamState streamState(Matrix hRow, Matrix dhRow, Matrix cRow, int sequence) {
        List<Matrix> values = new ArrayList<>(List.of(hRow.columns(0, cell.stateSize)));
        List<Matrix> gradients = new ArrayList<>(List.of(dhRow.columns(0, cell.stateSize)));
        if (cell.hasCellState()) {
            values.add(cRow.columns(0, cell.hidden));
            gradients.add(dc.rows(sequence, sequence + 1).columns(0, cell.hidden));
        }
        return new StreamState(values, gradients);
    }

    /** Makes the state of each stream that goes on from the last forward the one at the beginning of the next. */
    void carryState() {
        carry(h);
        if (cell.hasCellState()) {
            carry(c);
        }
    }

    private void carry(Matrix states) {
        // No beginning is the end of another stream: only a stream without steps has both in one row.
        for (int i = 0; i < sequences.sequences(); i++) {
            if (sequences.goesOn(i)) {
                first(states, i).copyFrom(last(states, sequences.stream(i)));
            } else {
                first(states, i).clear();
            }
        }
    }

    /** Makes the state at the beginning of the next forward zero. */
    void resetState() {
        for (int b = 0; b < sequences.rows(); b++) {
            last(h, b).clear();
            last(c, b).clear();
        }
    }

    /** Returns copies of the states that go on from the last forward. */
    List<NamedArray> states() {
        NamedArray hidden = read("h", h, cell.stateSize);
        return cell.hasCellState() ? List.of(hidden, read("c", c, cell.hidden)) : List.of(hidden);
    }

    private NamedArray read(String name, Matrix states, int size) {
        return Carried.read(pass.stateName(name), sequences.rows(), size, b -> last(states, b));
    }

    /** Takes from {@code states} what {@link #states} returned, as those that go on. */
    void restoreStates(List<NamedArray> states) {
        restore(states, "h", h, cell.stateSize);
        if (cell.hasCellState()) {
            restore(states, "c", c, cell.hidden);
        }
    }

    private void restore(List<NamedArray> arrays, String state, Matrix target, int size) {
        String name = pass.stateName(state);
        NamedArray array = arrays.stream().filter(a -> a.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("state: expected a tensor " + name));
        Carried.write(array, sequences.rows(), size, b -> last(target, b));
    }
}
