package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One way through time of a recurrent layer, over the packed steps of a segment of a batch. The product with the inputs is one for all steps;
 * the recurrence is shared out by sequences, each thread going through time with its own; the gradients of the weights are one product over
 * all steps.
 *
 * <p>Going back, the state between two segments gets its gradient from above, with the earlier segment, before it gets that of the step behind
 * it, which belongs to the later one. That is the order of every other state, and the bits depend on it; so that step goes back twice, see
 * {@link PassStates.Edge}.
 */
final class Recurrence {
    private final Stage.Setup setup;
    private final Kernels k;
    private final Stage below;
    private final Blueprint.Pass pass;
    private final Cell cell;
    private final PassWeights weights;
    private final PassStates states;
    private final Segment segment;
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
    /** Where the sequences of each part of the work begin, and where the last ends. */
    private final int[] ranges;
    private final Cell.Step[][] steps;
    private final Cell.Gradients[][] stepGradients;
    /** Of each part the step behind the segment, if it has one. */
    private final @Nullable Behind[] behind;
    private final List<Cell.Reduction> reductions;
    /** (all, Hp) h before each step; a copy where it does not lie like that. */
    private final Matrix hPrevious;
    private final boolean copied;
    private final @Nullable TokenStage tokens;

    Recurrence(Stage.Setup setup, Shared.Pass shared, Stage below) {
        this.setup = setup;
        this.k = setup.kernels();
        this.below = below;
        this.weights = shared.weights();
        this.states = shared.states();
        this.pass = weights.pass();
        this.cell = pass.cell();
        this.segment = setup.segment();
        this.sequences = setup.sequences();
        this.z = setup.matrix(setup.all(), cell.slots() * cell.padded);
        this.start = z.columns(0, weights.bias().columns());
        this.h = setup.matrix(sequences.stateRows(), cell.paddedState);
        this.dh = setup.matrix(sequences.stateRows(), cell.paddedState);
        this.c = cell.hasCellState() ? setup.matrix(sequences.stateRows(), cell.padded) : h;
        this.dc = setup.matrix(sequences.sequences(), cell.padded);
        this.copied = !pass.reverse() && !segment.whole().sameLengths();
        this.hPrevious = copied ? setup.matrix(setup.all(), cell.paddedState)
                : h.rows(before(0), before(0) + setup.all());
        this.ranges = sequences.ranges(setup.team().threads());
        this.steps = new Cell.Step[ranges.length - 1][];
        this.stepGradients = new Cell.Gradients[ranges.length - 1][];
        this.behind = new Behind[ranges.length - 1];
        layOut();
        this.reductions = cell.reductions(z, setup.buffers());
        this.tokens = below instanceof TokenStage stage ? stage : null;
    }

    private void layOut() {
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
            int to = Math.min(ranges[part + 1], segment.behind());
            behind[part] = ranges[part] < to ? new Behind(ranges[part], to, scratch) : null;
        }
    }

    /** The step behind the segment, of some sequences, on its way back to the last state of the segment. */
    private final class Behind {
        private final Cell.Step step;
        private final Cell.Gradients gradients;
        private final Matrix dcKept;

        Behind(int from, int to, Matrix scratch) {
            PassStates.Edge edge = states.edge();
            int end = after(sequences.longest() - 1);
            Matrix hAfter = edge.after().h().rows(from, to);
            this.step = cell.step(new Cell.Views(edge.z().rows(from, to), h.rows(end + from, end + to), hAfter,
                    c.rows(end + from, end + to), cell.hasCellState() ? edge.after().c().rows(from, to) : hAfter,
                    scratch.rows(from, to)));
            this.gradients = new Cell.Gradients(edge.dAfter().h().rows(from, to), dh.rows(end + from, end + to),
                    dc.rows(from, to));
            this.dcKept = cell.hasCellState() ? edge.dAfter().c().rows(from, to) : gradients.dc();
        }

        void backward() {
            if (cell.hasCellState()) {
                gradients.dc().copyFrom(dcKept);
            }
            step.backward(k, weights.transposed(), gradients);
        }
    }

    /** Keeps the first step of some sequences, which is about to go back. */
    private void keepEdge(int part) {
        int from = ranges[part];
        int to = Math.min(ranges[part + 1], sequences.count(0));
        PassStates.Edge edge = states.edge();
        int next = after(0);
        edge.z().rows(from, to).copyFrom(z.rows(from, to));
        edge.after().h().rows(from, to).copyFrom(h.rows(next + from, next + to));
        edge.dAfter().h().rows(from, to).copyFrom(dh.rows(next + from, next + to));
        if (cell.hasCellState()) {
            edge.after().c().rows(from, to).copyFrom(c.rows(next + from, next + to));
            edge.dAfter().c().rows(from, to).copyFrom(dc.rows(from, to));
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
    private Matrix first(Matrix all, int sequence) {
        return state(all, sequence, pass.reverse() ? sequences.length(sequence) : 0);
    }

    /** Returns the state with which a sequence ends. */
    private Matrix last(Matrix all, int sequence) {
        return state(all, sequence, pass.reverse() ? 0 : sequences.length(sequence));
    }

    private Matrix state(Matrix all, int sequence, int boundary) {
        int row = sequences.boundary(boundary) + sequence;
        return all.rows(row, row + 1);
    }

    /** Computes h of every step. {@code dropoutKey} as in {@link Stage#forward}. */
    void forward(long dropoutKey) {
        drawMasks(weights.key(dropoutKey));
        if (tokens != null && weights.table() != null) {
            TokenTable table = weights.table();
            setup.eachChunk((from, to) -> table.copyTo(start.rows(from, to), tokens.places().slice(from, to)));
        } else {
            setup.eachChunk((from, to) -> {
                k.fillRows(weights.bias(), start.rows(from, to));
                k.multiplyAdd(below.output().rows(from, to), weights.weights().input(),
                        cell.inputSlots(start.rows(from, to)));
            });
        }
        setup.team().run(steps.length, part -> {
            for (Cell.Step step : steps[part]) {
                step.forward(k, weights.weights());
            }
        });
    }

    private void drawMasks(long key) {
        if (cell.masked()) {
            setup.eachChunk((from, to) -> cell.drawMasks(key, r -> sequences.step(from + r) % sequences.rows(),
                    r -> sequences.step(from + r), z.rows(from, to)));
        }
    }

    /** Adds to the gradients of the weights and of the stage below, from the gradient of h. */
    void backward() {
        setup.team().run(steps.length, this::backwardThroughTime);
        setup.team().run(reductions.size(),
                i -> reductions.get(i).run(k, weights.weights(), weights.gradients()));
        int parts = setup.team().threads();
        if (copied) {
            eachStep((step, from, to) -> hPrevious.rows(from, to)
                    .copyFrom(h.rows(before(step), before(step) + to - from)));
        }
        Matrix before = hPrevious.columns(0, cell.stateSize);
        setup.team().run(parts,
                part -> cell.recurrentGradient(k, before, z, weights.gradients(), part, parts));
        if (tokens != null && weights.table() != null) {
            TokenTable table = weights.table();
            int slot = cell.padded;
            setup.team().run(cell.startSlots(),
                    i -> table.addGradient(z.columns(i * slot, (i + 1) * slot), i, tokens.places()));
        } else {
            inputGradients(parts);
        }
    }

    private void backwardThroughTime(int part) {
        Behind last = behind[part];
        if (last != null) {
            last.backward();
        }
        for (int i = steps[part].length - 1; i >= 0; i--) {
            if (i == 0 && !segment.isFirst()) {
                keepEdge(part);
            }
            steps[part][i].backward(k, weights.transposed(), stepGradients[part][i]);
        }
    }

    private void inputGradients(int parts) {
        Matrix dz = cell.inputSlots(z);
        setup.team().run(parts + 2, piece -> {
            if (piece < parts) {
                Cell.gradientShare(k, below.output(), dz, weights.gradients().input(), piece, parts);
            } else if (piece == parts) {
                cell.inputBiasGradient(k, z, weights.gradients());
            } else {
                cell.recurrentBiasGradient(k, z, weights.gradients());
            }
        });
        if (below.wantsGradient()) {
            setup.eachChunk((from, to) -> k.multiplyAdd(dz.rows(from, to), weights.transposed().input(),
                    below.outputGradient().rows(from, to)));
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
        return new RecurrentTrace(pass, weights.weights(), below.output(), z, h, dh, c, sequences.longest(),
                sequences.rows());
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
        int sequence = sequences.lastOf(stream);
        return streamState(last(h, sequence), last(dh, sequence), last(c, sequence), sequence);
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

    /** Begins with the states that went on from the last batch. */
    void beginBatch() {
        begin(h, states.carried().h());
        if (cell.hasCellState()) {
            begin(c, states.carried().c());
        }
        if (!segment.isAll()) {
            eachSequence(states.begin(0), (all, kept, i) -> kept.copyFrom(first(all, i)));
        }
    }

    private void begin(Matrix all, Matrix carried) {
        for (int i = 0; i < sequences.sequences(); i++) {
            if (sequences.goesOn(i)) {
                first(all, i).copyFrom(carried.rows(sequences.stream(i), sequences.stream(i) + 1));
            } else {
                first(all, i).clear();
            }
        }
    }

    /** Begins with the states with which the segment before has ended. */
    void beginSegment() {
        eachSequence(states.begin(segment.number()), (all, kept, i) -> first(all, i).copyFrom(kept));
    }

    /** Keeps what goes on to the next batch or segment. */
    void keepStates() {
        carry(h, states.carried().h());
        if (cell.hasCellState()) {
            carry(c, states.carried().c());
        }
        if (!segment.isLast()) {
            eachSequence(states.begin(segment.number() + 1), (all, kept, i) -> kept.copyFrom(last(all, i)));
        }
    }

    private void carry(Matrix all, Matrix carried) {
        for (int b = 0; b < sequences.rows(); b++) {
            int sequence = sequences.lastOf(b);
            if (sequences.carries(sequence)) {
                carried.rows(b, b + 1)
                        .copyFrom(state(all, sequence, pass.reverse() ? 0 : sequences.carried(sequence)));
            }
        }
    }

    /** Something to do for a sequence, of all states of a kind, and the one that is kept of it. */
    private interface SequenceStates {
        void accept(Matrix all, Matrix kept, int sequence);
    }

    private void eachSequence(PassStates.States kept, SequenceStates body) {
        for (int i = 0; i < sequences.sequences(); i++) {
            body.accept(h, kept.h().rows(i, i + 1), i);
            if (cell.hasCellState()) {
                body.accept(c, kept.c().rows(i, i + 1), i);
            }
        }
    }
}
