package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A recurrent layer over T steps. The product with the inputs is one for all steps; the recurrence is shared out by streams, each
 * thread going through time with its own; the gradients of the weights are one product over all steps.
 *
 * <p>States have T + 1 groups of B rows: group 0 is the state before the first step.
 */
final class RecurrentStage extends Stage {
    private final Stage below;
    private final Cell cell;
    private final CellWeights weights;
    private final CellWeights gradients;
    private final CellWeights.Transposed transposed;
    private final String stateSuffix;
    private final Matrix bias;
    /** (T * B, slots * Hp). */
    private final Matrix z;
    /** ((T + 1) * B, Hp), and their gradient. */
    private final Matrix h;
    private final Matrix dh;
    /** ((T + 1) * B, Hp); without a cell state h. */
    private final Matrix c;
    /** (B, Hp). */
    private final Matrix dc;
    private final Cell.Step[][] steps;
    private final Cell.Gradients[][] stepGradients;
    private final @Nullable TokenTable table;

    RecurrentStage(Setup setup, Blueprint.Place place, Stage below) {
        super(setup);
        this.below = below;
        this.cell = place.cell();
        this.weights = cell.weights(setup.weights(), place.offset());
        this.gradients = cell.weights(setup.gradients(), place.offset());
        this.transposed = weights.transposed();
        this.stateSuffix = place.module() + ".%s" + place.suffix();
        int groups = (setup.steps() + 1) * setup.rows();
        this.bias = Matrix.of(1, cell.slots() * cell.padded);
        this.z = Matrix.of(setup.all(), bias.columns());
        this.h = Matrix.of(groups, cell.padded);
        this.dh = Matrix.of(groups, cell.padded);
        this.c = cell.hasCellState() ? Matrix.of(groups, cell.padded) : h;
        this.dc = Matrix.of(setup.rows(), cell.padded);
        int parts = Math.min(setup.team().threads(), setup.rows());
        this.steps = new Cell.Step[parts][setup.steps()];
        this.stepGradients = new Cell.Gradients[parts][setup.steps()];
        layOut(parts);
        this.table = below instanceof TokenStage tokens ? new TokenTable(tokens) : null;
    }

    private void layOut(int parts) {
        Matrix scratch = Matrix.of(setup.rows(), cell.padded);
        for (int part = 0; part < parts; part++) {
            int from = Cell.share(setup.rows(), part, parts);
            int to = Cell.share(setup.rows(), part + 1, parts);
            for (int t = 0; t < setup.steps(); t++) {
                int now = t * setup.rows();
                int next = now + setup.rows();
                steps[part][t] = cell.step(new Cell.Views(z.rows(now + from, now + to), h.rows(now + from, now + to),
                        h.rows(next + from, next + to), c.rows(now + from, now + to), c.rows(next + from, next + to)));
                stepGradients[part][t] =
                        new Cell.Gradients(dh.rows(next + from, next + to), dh.rows(now + from, now + to),
                                dc.rows(from, to), scratch.rows(from, to));
            }
        }
    }

    @Override
    void forward(long dropoutKey) {
        cell.biasRow(weights, bias);
        if (table != null) {
            table.forward();
        } else {
            eachChunk((from, to) -> {
                k.fillRows(bias, z.rows(from, to));
                k.multiplyAdd(below.output().rows(from, to), weights.input(), cell.inputSlots(z.rows(from, to)));
            });
        }
        setup.team().run(steps.length, part -> {
            for (int t = 0; t < setup.steps(); t++) {
                steps[part][t].forward(k, weights);
            }
        });
    }

    @Override
    void backward() {
        weights.transposeInto(transposed);
        dc.clear();
        setup.team().run(steps.length, part -> {
            for (int t = setup.steps() - 1; t >= 0; t--) {
                steps[part][t].backward(k, transposed, stepGradients[part][t]);
            }
        });
        int parts = setup.team().threads();
        Matrix hPrevious = h.rows(0, setup.all()).columns(0, cell.hidden);
        setup.team().run(parts, part -> cell.recurrentGradient(k, hPrevious, z, gradients, part, parts));
        if (table != null) {
            table.backward();
        } else {
            inputGradients(parts);
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
            eachChunk((from, to) -> k.multiplyAdd(dz.rows(from, to), transposed.input(),
                    below.outputGradient().rows(from, to)));
        }
    }

    /**
     * The input product of a layer fed by tokens: one row of z per different token of the batch, from which the rows of z are copied; and
     * gradients summed per token before they go on.
     */
    private final class TokenTable {
        private final TokenStage tokens;
        /** (distinct tokens, slots * Hp), and their gradient. */
        private final Matrix rows;
        private final Matrix dRows;
        /** (distinct tokens, E), and (distinct tokens, padded E). */
        private final Matrix x;
        private final Matrix dx;

        TokenTable(TokenStage tokens) {
            this.tokens = tokens;
            this.rows = Matrix.of(tokens.capacity(), z.columns());
            this.dRows = Matrix.of(tokens.capacity(), z.columns());
            this.x = Matrix.of(tokens.capacity(), cell.inputs);
            this.dx = Matrix.of(tokens.capacity(), Matrix.padded(cell.inputs));
        }

        void forward() {
            int count = tokens.distinct().length();
            Matrix table = tokens.table();
            eachChunk(count, (first, last) -> {
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
            eachChunk((first, last) -> k.gather(used, tokens.places().slice(first, last), z.rows(first, last)));
        }

        void backward() {
            int count = tokens.distinct().length();
            Matrix sums = dRows.rows(0, count);
            sums.clear();
            int slot = cell.padded;
            setup.team().run(cell.slots(), i -> k.scatterAdd(z.columns(i * slot, (i + 1) * slot), tokens.places(),
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
            eachChunk(count, (first, last) -> {
                Matrix part = dx.rows(first, last);
                part.clear();
                k.multiplyAdd(dz.rows(first, last), transposed.input(), part);
            });
            k.scatterAdd(dx.rows(0, count).columns(0, cell.inputs), tokens.distinct(), dTable);
        }
    }

    /** Returns what diagnostics look at. */
    RecurrentTrace trace() {
        return new RecurrentTrace(cell, weights, below.output(), z, h, dh, c, setup.steps(), setup.rows());
    }

    @Override
    Matrix output() {
        return h.rows(setup.rows(), h.rows()).columns(0, cell.hidden);
    }

    @Override
    Matrix outputGradient() {
        return dh.rows(setup.rows(), dh.rows());
    }

    @Override
    void clearGradient() {
        super.clearGradient();
        first(dh).clear();
    }

    @Override
    void carryState() {
        first(h).copyFrom(last(h));
        if (cell.hasCellState()) {
            first(c).copyFrom(last(c));
        }
    }

    @Override
    void resetState() {
        last(h).clear();
        last(c).clear();
    }

    @Override
    List<NamedArray> states() {
        NamedArray hidden = Carried.read(stateSuffix.formatted("h"), last(h), cell.hidden);
        return cell.hasCellState()
                ? List.of(hidden, Carried.read(stateSuffix.formatted("c"), last(c), cell.hidden))
                : List.of(hidden);
    }

    @Override
    void restoreStates(List<NamedArray> states) {
        restore(states, stateSuffix.formatted("h"), last(h));
        if (cell.hasCellState()) {
            restore(states, stateSuffix.formatted("c"), last(c));
        }
    }

    private void restore(List<NamedArray> states, String name, Matrix target) {
        NamedArray array = states.stream().filter(a -> a.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("state: expected a tensor " + name));
        Carried.write(array, target, cell.hidden);
    }

    private Matrix first(Matrix states) {
        return states.rows(0, setup.rows());
    }

    private Matrix last(Matrix states) {
        return states.rows(states.rows() - setup.rows(), states.rows());
    }
}
