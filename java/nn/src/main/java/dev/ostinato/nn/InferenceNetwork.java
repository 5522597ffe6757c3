package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.Sweep;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

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

    /** The fewest rows of a product that are worth another thread. */
    private static final int ROWS_OF_A_PART = 8;

    /** One layer's share of a call. */
    private interface Operation {
        void run(int turn);
    }

    private final Kernels kernels;
    private final InferenceWeights weights;
    private final Team team;
    private final int steps;
    private final int rows;
    private final Indices tokens;
    private final Matrix input;
    private final List<Operation> operations = new ArrayList<>();
    private final Matrix[] output;

    /** @param states of all recurrent layers, for {@code rows} streams */
    InferenceNetwork(Model model, List<LayerState> states, Team team, int steps, int rows) {
        this.kernels = model.kernels();
        this.weights = model.inferenceWeights();
        this.team = team;
        this.steps = steps;
        this.rows = rows;
        this.tokens = Indices.of(Math.multiplyExact(steps, rows));
        Layer first = model.layers().getFirst();
        this.input = Matrix.of(steps * rows, first instanceof Layer.OneHot ? 0 : first.outputs());
        List<LayerState> remaining = new ArrayList<>(states);
        Matrix[] x = both(input);
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
        product(x, dense.weights(), dense.bias(), y, y);
        return both(y.columns(0, layer.outputs()));
    }

    private Matrix[] recurrent(Model model, LayerState state, Matrix[] x) {
        Cell cell = state.cell();
        InferenceWeights.Recurrent layer = weights.recurrent(state.place());
        boolean oneHot = model.blueprint().inputOf(state.place()).layer() instanceof Layer.OneHot;
        Cell.StepWeights w = layer.weights();
        Matrix start = layer.bias();
        Matrix[] below = x;
        if (layer.table() != null || oneHot || !cell.fused() || (steps > 1 && rows <= MOST_HOISTED)) {
            start = Matrix.of(steps * rows, start.columns());
            hoist(layer, cell, x, start);
            w = w.withoutInputs();
            below = both(x[0].columns(0, 0));
        }
        Matrix all = steps == 1 ? start : Matrix.of(steps * rows, cell.padded);
        Matrix[] h = steps == 1 ? new Matrix[] {state.h().get(1), state.h().get(0)} : both(all);
        sweeps(state, w, start, below, h);
        if (steps > 1) {
            Matrix last = all.rows((steps - 1) * rows, steps * rows);
            operations.add(turn -> state.h().get(1 - turn).copyFrom(last));
        }
        return new Matrix[] {h[0].columns(0, cell.hidden), h[1].columns(0, cell.hidden)};
    }

    /** Everything that the pre-activations consist of but U h, into {@code z}. */
    private void hoist(InferenceWeights.Recurrent layer, Cell cell, Matrix[] x, Matrix z) {
        Matrix table = layer.table();
        Matrix slots = cell.inputSlots(z);
        if (table != null) {
            operations.add(turn -> kernels.gather(table, tokens, z));
        } else if (x[0].columns() == 0) { // one-hot tokens: a column of W each instead of a product
            operations.add(turn -> {
                kernels.fillRows(layer.bias(), z);
                kernels.addInputs(layer.columns(), tokens, slots);
            });
        } else {
            product(x, layer.weights().input(), layer.bias(), z, slots);
        }
    }

    /** {@code y = bias}, {@code slots += x w}, where the slots are columns of y; many rows are shared out. */
    private void product(Matrix[] x, PackedWeights w, Matrix bias, Matrix y, Matrix slots) {
        int parts = Math.clamp(y.rows() / ROWS_OF_A_PART, 1, team.threads());
        shared(parts, (turn, part) -> {
            int from = Cell.share(y.rows(), part, parts);
            int to = Cell.share(y.rows(), part + 1, parts);
            Matrix rowsOfY = y.rows(from, to);
            Product product = new Product(x[turn].rows(from, to), w, Scaling.ROW, slots.rows(from, to));
            return () -> {
                kernels.fillRows(bias, rowsOfY);
                product.run(kernels);
            };
        });
    }

    /** The steps of a cell: of one thread in one call, of several in one for each step, at which each has its share of the panels. */
    private void sweeps(LayerState state, Cell.StepWeights w, Matrix start, Matrix[] x, Matrix[] h) {
        int parts = state.cell().fused() ? team.threads() : 1;
        int calls = parts == 1 ? 1 : steps;
        for (int t = 0; t < calls; t++) {
            int from = t * rows;
            int to = calls == 1 ? steps * rows : from + rows;
            boolean odd = t % 2 != 0;
            shared(parts, (turn, part) -> {
                Matrix previous = from == 0 ? state.h().get(turn) : h[turn].rows(from - rows, from);
                Matrix next = h[turn].rows(from, to);
                Matrix startRows = start.rows() == 1 ? start : start.rows(from, to);
                Cell.Inference inference = state.cell().inference(w, startRows, x[turn].rows(from, to), previous,
                        state.c() == null ? next : state.c(), next);
                Sweep sweep = new Sweep((turn == 1) != odd, part, parts);
                return () -> inference.run(kernels, sweep);
            });
        }
    }

    /** What one thread does in one of the turns. */
    private interface Layout {
        Runnable of(int turn, int part);
    }

    /** Adds an operation of {@code parts} parts that may run at once. */
    private void shared(int parts, Layout layout) {
        Runnable[][] work = new Runnable[TURNS][parts];
        IntConsumer[] turns = new IntConsumer[TURNS];
        for (int turn = 0; turn < TURNS; turn++) {
            Runnable[] now = work[turn];
            for (int part = 0; part < parts; part++) {
                now[part] = layout.of(turn, part);
            }
            turns[turn] = part -> now[part].run();
        }
        operations.add(parts == 1 ? turn -> work[turn][0].run() : turn -> team.run(parts, turns[turn]));
    }

    private static Matrix[] both(Matrix matrix) {
        return new Matrix[] {matrix, matrix};
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
