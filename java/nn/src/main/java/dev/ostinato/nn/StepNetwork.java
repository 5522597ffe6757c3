package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import java.util.ArrayList;
import java.util.List;

/** A model laid out for single steps of B rows: every view made in advance, so that a step only computes. */
final class StepNetwork {
    /** One layer's share of a step. */
    private interface Operation {
        void run();
    }

    private final Kernels kernels;
    private final int rows;
    private final Indices tokens;
    private final Matrix input;
    private final List<Operation> operations = new ArrayList<>();
    private final List<Matrix> states = new ArrayList<>();
    private final List<String> stateNames = new ArrayList<>();
    private final List<Integer> stateSizes = new ArrayList<>();
    private final Matrix output;

    StepNetwork(Model model, int rows) {
        this.kernels = model.kernels();
        this.rows = rows;
        this.tokens = Indices.of(rows);
        Blueprint blueprint = model.blueprint();
        this.input = Matrix.of(rows,
                blueprint.layers().getFirst() instanceof Layer.OneHot ? 0 : blueprint.layers().getFirst().outputs());
        Matrix x = input;
        for (Blueprint.Place place : blueprint.places()) {
            x = add(model, place, x);
        }
        this.output = x;
    }

    /** Adds a layer and returns its output. */
    private Matrix add(Model model, Blueprint.Place place, Matrix x) {
        return switch (place.layer()) {
            case Layer.Embedding ignored -> {
                Matrix table = model.blueprint().embedding(model.weights(), place);
                operations.add(() -> kernels.gather(table, tokens, x));
                yield x;
            }
            case Layer.OneHot ignored -> x;
            case Layer.Features ignored -> x;
            case Layer.Dropout ignored -> x;
            case Layer.Recurrent recurrent -> addRecurrent(model, place, recurrent, x);
            case Layer.Dense dense -> {
                PackedMatrix w = model.blueprint().denseWeights(model.weights(), place);
                Matrix bias = model.blueprint().denseBias(model.weights(), place);
                Matrix y = Matrix.of(rows, bias.columns());
                operations.add(() -> {
                    kernels.fillRows(bias, y);
                    kernels.multiplyAdd(x, w, y);
                });
                yield y.columns(0, dense.outputs());
            }
        };
    }

    private Matrix addRecurrent(Model model, Blueprint.Place place, Layer.Recurrent recurrent, Matrix x) {
        Cell cell = place.cell();
        CellWeights w = cell.weights(model.weights(), place.offset());
        Matrix bias = model.biasRow(place);
        Matrix z = Matrix.of(rows, bias.columns());
        Matrix inputSlots = cell.inputSlots(z);
        Matrix h = addState("h", place, cell);
        Matrix c = cell.hasCellState() ? addState("c", place, cell) : h;
        Cell.Step step = cell.step(new Cell.Views(z, h, h, c, c));
        boolean oneHot = x.columns() == 0;
        operations.add(() -> {
            kernels.fillRows(bias, z);
            if (oneHot) {
                kernels.addInputs(w.input(), tokens, inputSlots);
            } else {
                kernels.multiplyAdd(x, w.input(), inputSlots);
            }
            step.forward(kernels, w);
        });
        return h.columns(0, recurrent.hidden());
    }

    private Matrix addState(String name, Blueprint.Place place, Cell cell) {
        Matrix state = Matrix.of(rows, cell.padded);
        states.add(state);
        stateNames.add(place.module() + "." + name + place.suffix());
        stateSizes.add(cell.hidden);
        return state;
    }

    List<Matrix> states() {
        return states;
    }

    List<String> stateNames() {
        return stateNames;
    }

    List<Integer> stateSizes() {
        return stateSizes;
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
        for (int i = 0; i < operations.size(); i++) { // no iterator: a step allocates nothing
            operations.get(i).run();
        }
        for (int r = 0; r < rows; r++) {
            output.getRow(r, y, r * output.columns());
        }
    }
}
