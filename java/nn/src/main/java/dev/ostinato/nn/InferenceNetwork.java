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
 * A model laid out for the steps of some sequences: every view made in advance, so that a call only computes. Rows are the packed ones of
 * {@link Sequences}: (T * B), time first, if all have the same steps.
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
    private final Sequences sequences;
    private final Indices tokens;
    private final Matrix input;
    private final List<Operation> operations = new ArrayList<>();
    private final Matrix[] output;
    /** Of the rows of the layer that is laid out, and at last of the output: those of all, or one for each stream behind a pooling layer. */
    private Sequences current;

    /**
     * @param states of all passes, a row for each sequence; behind a pooling layer for each stream
     * @param attended of each stream
     */
    InferenceNetwork(Model model, List<LayerState> states, Attended attended, Team team, Sequences sequences) {
        this.kernels = model.kernels();
        this.weights = model.inferenceWeights();
        this.team = team;
        this.sequences = sequences;
        this.current = sequences;
        this.tokens = Indices.of(sequences.total());
        Layer first = model.layers().getFirst();
        this.input = Matrix.of(sequences.total(), first instanceof Layer.OneHot ? 0 : first.outputs());
        List<LayerState> remaining = new ArrayList<>(states);
        Matrix[] x = both(input);
        List<Matrix[]> outputs = new ArrayList<>();
        for (Blueprint.Place place : model.blueprint().places()) {
            x = switch (place.layer()) {
                case Layer.Embedding ignored -> embedding(model, place, x);
                case Layer.OneHot ignored -> x;
                case Layer.Features ignored -> x;
                case Layer.Dropout ignored -> x;
                case Layer.Residual ignored -> sum(x, outputs.get(model.blueprint().sourceOf(place).index()));
                case Layer.Recurrent ignored -> recurrent(model, remaining.removeFirst(), x);
                case Layer.Bidirectional layer ->
                        merged(layer, recurrent(model, remaining.removeFirst(), x),
                                recurrent(model, remaining.removeFirst(), x));
                case Layer.Pool layer -> pooled(layer, x);
                case Layer.LayerNorm layer ->
                        layerNorm(layer, NormTensors.of(place).weights(model.weights()), x);
                case Layer.BatchNorm layer ->
                        batchNorm(layer, NormTensors.of(place).weights(model.weights()), x);
                case Layer.Attention layer -> attention(layer, attended, x);
                case Layer.Dense dense -> dense(place, dense, x);
            };
            outputs.add(x);
        }
        this.output = x;
    }

    private Matrix[] embedding(Model model, Blueprint.Place place, Matrix[] x) {
        boolean inTable = model.blueprint().places().stream()
                .flatMap(p -> p.passes().stream()).anyMatch(pass -> weights.recurrent(pass).table() != null);
        if (!inTable || model.blueprint().isSource(place)) {
            Matrix table = EmbeddingTensors.of(place).table(model.weights());
            operations.add(turn -> kernels.gather(table, tokens, input));
        }
        return x;
    }

    private Matrix[] layerNorm(Layer.LayerNorm layer, NormWeights norm, Matrix[] x) {
        Matrix y = Matrix.of(x[0].rows(), layer.size());
        Matrix statistics = Matrix.of(x[0].rows(), 2);
        operations.add(turn -> kernels.layerNormForward(x[turn], norm.gain(), norm.bias(), layer.epsilon(), y,
                statistics));
        return both(y);
    }

    private Matrix[] batchNorm(Layer.BatchNorm layer, NormWeights norm, Matrix[] x) {
        Matrix minusMean = Matrix.of(1, layer.size());
        Matrix scale = Matrix.of(1, layer.size());
        norm.running(layer.epsilon(), minusMean, Matrix.of(1, layer.size()), scale);
        Matrix d = Matrix.of(x[0].rows(), layer.size());
        Matrix y = Matrix.of(x[0].rows(), layer.size());
        operations.add(turn -> norm.normalise(kernels, minusMean, scale, x[turn], d, y));
        return both(y);
    }

    private Matrix[] dense(Blueprint.Place place, Layer.Dense layer, Matrix[] x) {
        InferenceWeights.Dense dense = weights.dense(place);
        Matrix y = Matrix.of(x[0].rows(), dense.bias().columns());
        product(x, dense.weights(), dense.bias(), y, y);
        return both(y.columns(0, layer.outputs()));
    }

    private Matrix[] attention(Layer.Attention layer, Attended attended, Matrix[] x) {
        int all = x[0].rows();
        Matrix y = Matrix.of(all, layer.outputs());
        Matrix own = y.columns(layer.size(), layer.outputs());
        int[] streams = new int[all];
        Matrix[] contexts = new Matrix[all];
        Matrix[][] h = new Matrix[TURNS][all];
        for (int r = 0; r < all; r++) {
            streams[r] = current.streamOf(r);
            contexts[r] = y.rows(r, r + 1).columns(0, layer.size());
            for (int turn = 0; turn < TURNS; turn++) {
                h[turn][r] = x[turn].rows(r, r + 1);
            }
        }
        operations.add(turn -> {
            for (int r = 0; r < streams.length; r++) {
                attended.attend(kernels, streams[r], h[turn][r], contexts[r]);
            }
            own.copyFrom(x[turn]);
        });
        return both(y);
    }

    private Matrix[] pooled(Layer.Pool layer, Matrix[] x) {
        PooledRows rows = new PooledRows(layer.pooling(), sequences);
        current = Sequences.of(1, sequences.rows());
        Matrix y = Matrix.of(sequences.rows(), layer.size());
        operations.add(turn -> rows.forward(kernels, x[turn], y));
        return both(y);
    }

    private Matrix[] merged(Layer.Bidirectional layer, Matrix[] forward, Matrix[] reverse) {
        Matrix y = Matrix.of(current.total(), layer.outputs());
        Merging[] mergings = new Merging[TURNS];
        for (int turn = 0; turn < TURNS; turn++) {
            mergings[turn] = Merging.of(layer.merge(), List.of(forward[turn], reverse[turn]), y);
        }
        operations.add(turn -> mergings[turn].forward(kernels));
        return both(y);
    }

    private Matrix[] sum(Matrix[] x, Matrix[] source) {
        Matrix y = Matrix.of(x[0].rows(), x[0].columns());
        operations.add(turn -> add(x[turn], source[turn], y));
        return both(y);
    }

    private void add(Matrix a, Matrix b, Matrix sum) {
        sum.copyFrom(a);
        kernels.axpy(1, b, sum);
    }

    private Matrix[] recurrent(Model model, LayerState state, Matrix[] x) {
        Cell cell = state.cell();
        InferenceWeights.Recurrent layer = weights.recurrent(state.pass());
        boolean oneHot = model.blueprint().inputOf(state.pass().place()).layer() instanceof Layer.OneHot;
        Cell.StepWeights w = layer.weights();
        Matrix start = layer.bias();
        Matrix[] below = x;
        if (layer.table() != null || oneHot || !cell.fused()
                || (current.longest() > 1 && current.sequences() <= MOST_HOISTED)) {
            start = Matrix.of(current.total(), start.columns());
            hoist(layer, cell, x, start);
            w = w.withoutInputs();
            below = both(x[0].columns(0, 0));
        }
        boolean oneStep = current.longest() == 1 && current.count(0) == current.sequences();
        Matrix[] h = oneStep ? new Matrix[] {state.h().get(1), state.h().get(0)}
                : both(Matrix.of(current.total(), cell.paddedState));
        Steps steps = new Steps(state, w, start, below, h);
        if (oneStep) {
            steps.add(0, 1, turn -> state.h().get(turn));
        } else if (state.pass().reverse()) {
            steps.addReverse();
        } else {
            steps.addForward();
        }
        if (state.trace() != null) {
            Matrix traced = state.trace().h();
            operations.add(turn -> traced.copyFrom(h[turn]));
        }
        return new Matrix[] {h[0].columns(0, cell.stateSize), h[1].columns(0, cell.stateSize)};
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

    /** Returns the states before a step, at least as many as it has rows. */
    private interface Before {
        Matrix of(int turn);
    }

    /** All steps of one pass. */
    private final class Steps {
        private final LayerState state;
        private final Cell.StepWeights w;
        private final Matrix start;
        private final Matrix[] x;
        private final Matrix[] h;
        private final Sequences rows = current;

        Steps(LayerState state, Cell.StepWeights w, Matrix start, Matrix[] x, Matrix[] h) {
            this.state = state;
            this.w = w;
            this.start = start;
            this.x = x;
            this.h = h;
        }

        /** As many steps at a time as have the same sequences; whoever is done leaves its state. */
        void addForward() {
            copyState(count(0), rows.sequences(), turn -> state.h().get(turn));
            int end;
            for (int step = 0; step < rows.longest(); step = end) {
                int count = rows.count(step);
                end = step + 1;
                while (count(end) == count) {
                    end++;
                }
                int first = step;
                add(step, end, turn -> first == 0 ? state.h().get(turn) : after(first - 1, turn));
                int last = end - 1;
                int remaining = count(end);
                copyState(remaining, count, turn -> after(last, turn));
            }
        }

        /** One step at a time, the last first; whoever ends with a step begins with it. */
        void addReverse() {
            copyState(count(0), rows.sequences(), turn -> state.h().get(turn));
            Matrix joined = Matrix.of(rows.sequences(), state.cell().paddedState);
            for (int step = rows.longest() - 1; step >= 0; step--) {
                int later = step + 1;
                int before = count(later);
                int count = rows.count(step);
                if (before == 0) {
                    add(step, later, turn -> state.h().get(turn));
                } else if (before == count) {
                    add(step, later, turn -> after(later, turn));
                } else {
                    Matrix went = joined.rows(0, before);
                    Matrix begins = joined.rows(before, count);
                    Matrix[] beginnings = {state.h().get(0).rows(before, count), state.h().get(1).rows(before, count)};
                    Matrix[] ends = {after(later, 0), after(later, 1)};
                    operations.add(turn -> {
                        went.copyFrom(ends[turn]);
                        begins.copyFrom(beginnings[turn]);
                    });
                    add(step, later, turn -> joined);
                }
            }
            copyState(0, count(0), turn -> after(0, turn));
        }

        /** Returns the number of sequences that have a step, 0 behind the last. */
        private int count(int step) {
            return step < rows.longest() ? rows.count(step) : 0;
        }

        private Matrix after(int step, int turn) {
            return h[turn].rows(rows.offset(step), rows.offset(step + 1));
        }

        /** Makes some rows the final states of their sequences. */
        private void copyState(int from, int to, Before states) {
            if (from == to) {
                return;
            }
            Matrix[] sources = new Matrix[TURNS];
            Matrix[] targets = new Matrix[TURNS];
            for (int turn = 0; turn < TURNS; turn++) {
                sources[turn] = states.of(turn).rows(from, to);
                targets[turn] = state.h().get(1 - turn).rows(from, to);
            }
            operations.add(turn -> targets[turn].copyFrom(sources[turn]));
        }

        /**
         * Steps with the same rows: of one thread in one call, of several in one for each step, at which each has its share of the panels. Who
         * asks for c after each step has a call for each as well, and a cell of two sweeps two.
         */
        void add(int first, int end, Before before) {
            Cell cell = state.cell();
            int parts = cell.fused() ? team.threads() : 1;
            Matrix cells = state.trace() == null ? null : state.trace().c();
            int together = parts == 1 && cells == null && !cell.hasSecondSweep() ? end - first : 1;
            Matrix between = Matrix.of(cell.hasSecondSweep() ? rows.count(first) : 0, cell.padded);
            for (int step = first; step < end; step += together) {
                int now = step;
                int from = rows.offset(step);
                int to = rows.offset(step + together);
                int count = rows.count(step);
                boolean odd = step % 2 != 0;
                shared(parts, (turn, part) -> {
                    Matrix previous = (now == first ? before.of(turn) : after(now - 1, turn)).rows(0, count);
                    Matrix next = h[turn].rows(from, to);
                    Matrix startRows = start.rows() == 1 ? start : start.rows(from, to);
                    Matrix c = state.c() == null ? next : state.c().rows(0, count);
                    Matrix made = cell.hasSecondSweep() ? between : next;
                    Cell.Inference inference = cell.inference(w, startRows, x[turn].rows(from, to), previous, c, made);
                    Sweep sweep = new Sweep((turn == 1) != odd, part, parts);
                    return () -> inference.run(kernels, sweep);
                });
                if (cell.hasSecondSweep()) {
                    shared(parts, (turn, part) -> {
                        Cell.Inference inference = cell.secondSweep(w, between, h[turn].rows(from, to));
                        Sweep sweep = new Sweep((turn == 1) != odd, part, parts);
                        return () -> inference.run(kernels, sweep);
                    });
                }
                if (cells != null && state.c() != null) {
                    Matrix reached = state.c().rows(0, count);
                    Matrix traced = cells.rows(from, to);
                    operations.add(turn -> traced.copyFrom(reached));
                }
            }
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

    /** Returns the sequences whose packed rows the inputs are. */
    Sequences sequences() {
        return sequences;
    }

    /** Returns the sequences whose packed rows the outputs are. */
    Sequences outputSequences() {
        return current;
    }

    /** Returns (all), to be filled before {@link #run} by who has tokens. */
    Indices tokens() {
        return tokens;
    }

    /** Returns (all, inputs), to be filled before {@link #run} by who has no tokens. */
    Matrix input() {
        return input;
    }

    /** Goes on from h number {@code turn} of each layer to the other one, and returns the outputs, valid until the next call. */
    Matrix run(int turn) {
        for (int i = 0; i < operations.size(); i++) { // no iterator: a step allocates nothing
            operations.get(i).run(turn);
        }
        return output[turn];
    }
}
