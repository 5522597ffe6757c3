package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model laid out for single steps of B rows: every view made in advance, so that a step only computes.
 *
 * <p>Every h exists twice. A step reads one and writes the other, and the next step the other way round; hence two turns, each with
 * operations of its own, which also go through the weights in opposite directions (see {@link Kernels#rnnSteps}).
 */
final class StepNetwork {
    /** One layer's share of a step. */
    private interface Operation {
        void run();
    }

    /** A step that reads h number {@code from} and writes the other one. */
    private record Turn(int from, List<Operation> operations, Matrix output) {}

    /**
     * What a recurrent layer remembers.
     *
     * @param h (B, Hp) twice
     * @param c (B, Hp), or null without a cell state
     */
    private record Memories(Blueprint.Place place, Cell cell, List<Matrix> h, @Nullable Matrix c) {}

    private final Kernels kernels;
    private final Model model;
    private final int rows;
    private final Indices tokens;
    private final Matrix input;
    private final List<Memories> memories = new ArrayList<>();
    private final Turn[] turns = new Turn[2];
    private int turn;

    StepNetwork(Model model, int rows) {
        this.kernels = model.kernels();
        this.model = model;
        this.rows = rows;
        this.tokens = Indices.of(rows);
        Layer first = model.blueprint().layers().getFirst();
        this.input = Matrix.of(rows, first instanceof Layer.OneHot ? 0 : first.outputs());
        for (Blueprint.Place place : model.blueprint().places()) {
            if (place.layer() instanceof Layer.Recurrent) {
                memories.add(memories(place, place.cell()));
            }
        }
        turns[0] = turn(0);
        turns[1] = turn(1);
    }

    private Memories memories(Blueprint.Place place, Cell cell) {
        List<Matrix> h = List.of(Matrix.of(rows, cell.padded), Matrix.of(rows, cell.padded));
        return new Memories(place, cell, h, cell.hasCellState() ? Matrix.of(rows, cell.padded) : null);
    }

    private Turn turn(int from) {
        List<Operation> operations = new ArrayList<>();
        List<Memories> remaining = new ArrayList<>(memories);
        Matrix x = input;
        for (Blueprint.Place place : model.blueprint().places()) {
            x = switch (place.layer()) {
                case Layer.Embedding ignored -> embedding(operations, place, x);
                case Layer.OneHot ignored -> x;
                case Layer.Features ignored -> x;
                case Layer.Dropout ignored -> x;
                case Layer.Recurrent ignored -> recurrent(operations, remaining.removeFirst(), x, from);
                case Layer.Dense dense -> dense(operations, place, dense, x);
            };
        }
        return new Turn(from, operations, x);
    }

    private Matrix embedding(List<Operation> operations, Blueprint.Place place, Matrix x) {
        Matrix table = model.blueprint().embedding(model.weights(), place);
        operations.add(() -> kernels.gather(table, tokens, x));
        return x;
    }

    private Matrix dense(List<Operation> operations, Blueprint.Place place, Layer.Dense dense, Matrix x) {
        PackedMatrix w = model.blueprint().denseWeights(model.weights(), place);
        Matrix bias = model.blueprint().denseBias(model.weights(), place);
        Matrix y = Matrix.of(rows, bias.columns());
        operations.add(() -> {
            kernels.fillRows(bias, y);
            kernels.multiplyAdd(x, w, y);
        });
        return y.columns(0, dense.outputs());
    }

    private Matrix recurrent(List<Operation> operations, Memories layer, Matrix x, int from) {
        Cell cell = layer.cell;
        CellWeights w = cell.weights(model.weights(), layer.place.offset());
        Matrix bias = model.biasRow(layer.place);
        Matrix start = bias;
        if (x.columns() == 0) { // one-hot tokens: a column of W each instead of a product
            start = Matrix.of(rows, bias.columns());
            Matrix z = start;
            Matrix inputSlots = cell.inputSlots(z);
            PackedMatrix columns = w.input();
            operations.add(() -> {
                kernels.fillRows(bias, z);
                kernels.addInputs(columns, tokens, inputSlots);
            });
            w = new CellWeights(columns.inputs(0, 0), w.recurrent(), w.biasInput(), w.biasRecurrent());
        }
        Matrix h = layer.h.get(1 - from);
        Cell.Inference step = cell.inference(w, start, x, layer.h.get(from), layer.c == null ? h : layer.c, h);
        operations.add(() -> step.run(kernels, from == 1));
        return h.columns(0, cell.hidden);
    }

    /** Returns views of h of every recurrent layer, and of c after it where there is one, without padding, which stays zero. */
    List<Matrix> states() {
        List<Matrix> states = new ArrayList<>();
        for (Memories layer : memories) {
            states.add(layer.h.get(turn).columns(0, layer.cell.hidden));
            if (layer.c != null) {
                states.add(layer.c.columns(0, layer.cell.hidden));
            }
        }
        return states;
    }

    /** Returns copies of {@link #states}, named and without padding. */
    List<NamedArray> tensors() {
        List<NamedArray> tensors = new ArrayList<>();
        for (Memories layer : memories) {
            String name = layer.place.module() + ".%s" + layer.place.suffix();
            tensors.add(Carried.read(name.formatted("h"), layer.h.get(turn), layer.cell.hidden));
            if (layer.c != null) {
                tensors.add(Carried.read(name.formatted("c"), layer.c, layer.cell.hidden));
            }
        }
        return tensors;
    }

    void step(int token, float[] y) {
        tokens.set(0, token);
        run(y);
    }

    void step(int[] tokens, float[] y) {
        this.tokens.copyFrom(tokens, 0);
        run(y);
    }

    void step(float[] x, float[] y) {
        for (int r = 0; r < rows; r++) {
            input.setRow(r, x, r * input.columns());
        }
        run(y);
    }

    private void run(float[] y) {
        Turn now = turns[turn];
        List<Operation> operations = now.operations;
        for (int i = 0; i < operations.size(); i++) { // no iterator: a step allocates nothing
            operations.get(i).run();
        }
        Matrix output = now.output;
        for (int r = 0; r < rows; r++) {
            output.getRow(r, y, r * output.columns());
        }
        turn = 1 - turn;
    }
}
