package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Sweep;
import java.util.ArrayList;
import java.util.List;

/**
 * A model laid out for T steps of B rows of a state: every view made in advance, so that a call only computes. Rows are (T * B), time
 * first.
 *
 * <p>Calls take turns: one reads h number 0 of each layer and writes number 1, the next the other way round, and also goes through the
 * weights in the other direction (see {@link Kernels#rnnSteps}).
 */
final class InferenceNetwork {
    private static final int TURNS = 2;
    /**
     * The most streams for which the product with the inputs of several steps is computed in advance: it then reads W once for all of them.
     * With more streams a step uses each weight so often that reading it does not count.
     */
    private static final int MOST_HOISTED = 4;

    /** One layer's share of a call. */
    private interface Operation {
        void run(int turn);
    }

    private final Kernels kernels;
    private final InferenceWeights weights;
    private final int steps;
    private final int rows;
    private final Indices tokens;
    private final Matrix input;
    private final List<Operation> operations = new ArrayList<>();
    private final Matrix[] output;

    /** @param states of all recurrent layers, for {@code rows} streams */
    InferenceNetwork(Model model, List<LayerState> states, int steps, int rows) {
        this.kernels = model.kernels();
        this.weights = model.inferenceWeights();
        this.steps = steps;
        this.rows = rows;
        this.tokens = Indices.of(Math.multiplyExact(steps, rows));
        Layer first = model.layers().getFirst();
        this.input = Matrix.of(steps * rows, first instanceof Layer.OneHot ? 0 : first.outputs());
        List<LayerState> remaining = new ArrayList<>(states);
        Matrix[] x = {input, input};
        for (Blueprint.Place place : model.blueprint().places()) {
            x = switch (place.layer()) {
                case Layer.Embedding ignored -> embedding(model, place, x);
                case Layer.OneHot ignored -> x;
                case Layer.Features ignored -> x;
                case Layer.Dropout ignored -> x;
                case Layer.Recurrent ignored -> recurrent(model, remaining.removeFirst(), x);
                case Layer.Dense dense -> dense(place, dense, x);
            };
        }
        this.output = x;
    }

    private Matrix[] embedding(Model model, Blueprint.Place place, Matrix[] x) {
        boolean inTable = model.blueprint().places().stream()
                .anyMatch(p -> p.layer() instanceof Layer.Recurrent && weights.recurrent(p).table() != null);
        if (!inTable) {
            Matrix table = model.blueprint().embedding(model.weights(), place);
            operations.add(turn -> kernels.gather(table, tokens, input));
        }
        return x;
    }

    private Matrix[] dense(Blueprint.Place place, Layer.Dense layer, Matrix[] x) {
        InferenceWeights.Dense dense = weights.dense(place);
        Matrix y = Matrix.of(x[0].rows(), dense.bias().columns());
        operations.add(turn -> {
            kernels.fillRows(dense.bias(), y);
            kernels.multiplyAdd(x[turn], dense.weights(), y);
        });
        Matrix outputs = y.columns(0, layer.outputs());
        return new Matrix[] {outputs, outputs};
    }

    private Matrix[] recurrent(Model model, LayerState state, Matrix[] x) {
        Cell cell = state.cell();
        InferenceWeights.Recurrent layer = weights.recurrent(state.place());
        boolean tokensBelow = model.blueprint().inputOf(state.place()).layer() instanceof Layer.OneHot;
        CellWeights w = layer.weights();
        Matrix start = layer.bias();
        Matrix[] below = x;
        if (layer.table() != null || tokensBelow || !cell.fused() || (steps > 1 && rows <= MOST_HOISTED)) {
            start = Matrix.of(steps * rows, start.columns());
            inputProduct(layer, cell, x, start);
            w = new CellWeights(w.input().inputs(0, 0), w.recurrent(), w.biasInput(), w.biasRecurrent());
            Matrix none = x[0].columns(0, 0);
            below = new Matrix[] {none, none};
        }
        Matrix[] h = new Matrix[TURNS];
        Matrix all = steps == 1 ? start : Matrix.of(steps * rows, cell.padded);
        Cell.Inference[] sweeps = new Cell.Inference[TURNS];
        for (int turn = 0; turn < TURNS; turn++) {
            Matrix next = steps == 1 ? state.h().get(1 - turn) : all;
            sweeps[turn] = cell.inference(w, start, below[turn], state.h().get(turn),
                    state.c() == null ? next : state.c(), next);
            h[turn] = next.columns(0, cell.hidden);
        }
        operations.add(turn -> sweeps[turn].run(kernels, turn == 1 ? Sweep.DESCENDING : Sweep.ASCENDING));
        if (steps > 1) {
            Matrix last = all.rows((steps - 1) * rows, steps * rows);
            operations.add(turn -> state.h().get(1 - turn).copyFrom(last));
        }
        return h;
    }

    /** Everything that the pre-activations consist of but U h, into {@code z}. */
    private void inputProduct(InferenceWeights.Recurrent layer, Cell cell, Matrix[] x, Matrix z) {
        Matrix table = layer.table();
        if (table != null) {
            operations.add(turn -> kernels.gather(table, tokens, z));
            return;
        }
        Matrix slots = cell.inputSlots(z);
        operations.add(turn -> {
            kernels.fillRows(layer.bias(), z);
            if (x[turn].columns() == 0) { // one-hot tokens: a column of W each instead of a product
                kernels.addInputs(layer.weights().input(), tokens, slots);
            } else {
                kernels.multiplyAdd(x[turn], layer.weights().input(), slots);
            }
        });
    }

    /** Returns T. */
    int steps() {
        return steps;
    }

    /** Returns (T * B), to be filled before {@link #run} by who has tokens. */
    Indices tokens() {
        return tokens;
    }

    /** Returns (T * B, inputs), to be filled before {@link #run} by who has no tokens. */
    Matrix input() {
        return input;
    }

    /** Goes on from h number {@code turn} of each layer to the other one, and returns (T * B, outputs), valid until the next call. */
    Matrix run(int turn) {
        for (int i = 0; i < operations.size(); i++) { // no iterator: a step allocates nothing
            operations.get(i).run(turn);
        }
        return output[turn];
    }
}
