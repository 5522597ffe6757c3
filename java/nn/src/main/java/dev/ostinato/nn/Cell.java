package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.Sweep;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.BinaryOperator;
import java.util.function.IntToLongFunction;

/**
 * The equations of a recurrent cell. A row of pre-activations z consists of slots of Hp columns; W x fills some of them and U h others,
 * overlapping where the two are summed. A step turns z into the new state, and its backward turns z into the gradients of the
 * pre-activations.
 */
abstract class Cell {
    final int gates;
    final int inputs;
    final int hidden;
    /** Hp. */
    final int padded;
    /** The size P of h, H without a projection, and padded to whole blocks. */
    final int stateSize;
    final int paddedState;

    private final CellType.Bias bias;

    Cell(int gates, int inputs, int hidden) {
        this(gates, inputs, hidden, hidden, CellType.Bias.BOTH);
    }

    Cell(int gates, int inputs, int hidden, int stateSize, CellType.Bias bias) {
        this.stateSize = stateSize;
        this.paddedState = Matrix.padded(stateSize);
        this.bias = bias;
        this.gates = gates;
        this.inputs = inputs;
        this.hidden = hidden;
        this.padded = Matrix.padded(hidden);
    }

    /** Returns the equations of a cell at a size. */
    static Cell of(CellType type, int inputs, int hidden) {
        return switch (type) {
            case CellType.Rnn rnn -> new RnnCell(rnn, inputs, hidden);
            case CellType.Lstm lstm -> new LstmCell(lstm, inputs, hidden);
            case CellType.Gru gru -> switch (gru.reset()) {
                case AFTER -> new GruCell(gru, inputs, hidden);
                case BEFORE -> new GruResetBeforeCell(gru, inputs, hidden);
            };
            case CellType.IndRnn rnn -> new IndRnnCell(rnn.activation(), inputs, hidden);
            case CellType.MinGru ignored -> new MinGruCell(inputs, hidden);
            case CellType.LayerNormLstm ignored -> new LayerNormLstmCell(inputs, hidden);
            case CellType.LayerNormGru ignored -> new LayerNormGruCell(inputs, hidden);
        };
    }

    /** Returns the number of slots in a row of z. */
    abstract int slots();

    /** Returns how many of the slots of z, the first ones, W x and the biases fill. The others are the cell's own. */
    int startSlots() {
        return slots();
    }

    /** Returns the columns of {@link Views#scratch}. */
    int scratchColumns() {
        return padded;
    }

    /** Returns names and shapes of what {@link #parameters} returns. */
    List<TensorShape> shapes(String suffix) {
        long rows = Math.multiplyFull(gates, hidden);
        List<TensorShape> shapes = new ArrayList<>(List.of(TensorShape.of("weight_ih" + suffix, rows, inputs),
                TensorShape.of("weight_hh" + suffix, rows, stateSize)));
        if (bias == CellType.Bias.BOTH) {
            shapes.add(TensorShape.of("bias_ih" + suffix, rows));
            shapes.add(TensorShape.of("bias_hh" + suffix, rows));
        }
        return shapes;
    }

    /** Returns those of some tensors that there are: without biases their place in a block stays zero. */
    final List<Parameter> present(List<Parameter> parameters) {
        return bias == CellType.Bias.BOTH ? parameters
                : parameters.stream().filter(p -> !p.name().startsWith("bias")).toList();
    }

    /** Returns PyTorch's tensors, with names that end in {@code suffix}, such as {@code _l0}. */
    abstract List<Parameter> parameters(Memory block, long offset, String suffix);

    /** Lays out one step of training for some rows. */
    abstract Step step(Views views);

    /** Returns whether steps of training need masks, which {@link #drawMasks} puts into slots of z. */
    boolean masked() {
        return false;
    }

    /**
     * Draws the masks of some rows before a forward of training.
     *
     * @param key of the layer's own draws in this step of training, {@link Masks#NONE} for what is expected of them
     * @param stream returns the stream of a row of z
     * @param step returns the step of a row of z, unlike those of any other row
     * @param z some rows
     */
    void drawMasks(long key, IntToLongFunction stream, IntToLongFunction step, Matrix z) {
    }

    /** Returns whether there is a kernel for whole steps. Without one, inference gets the product with the inputs in {@code start}. */
    boolean fused() {
        return true;
    }

    /**
     * Lays out T steps of inference for B rows.
     *
     * @param start (T * B, {@link #startSlots} * Hp) or one row for all: the biases, or what else the pre-activations start from; if not {@link #fused}
     *     all rows, which are overwritten
     * @param x (T * B, inputs of W)
     * @param hPrevious (B, Pp), and without a projection (B, Hp)
     * @param c (B, Hp) updated, and without a cell state h
     * @param h (T * B, Pp) overwritten; of a cell with a second sweep (B, Hp), what that one makes the state of
     */
    abstract Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h);

    /** Returns whether a step of inference is two sweeps over weights, of which the second begins when all shares of the first are done. */
    boolean hasSecondSweep() {
        return false;
    }

    /**
     * Lays out the second sweep of one step of inference for B rows.
     *
     * @param between (B, Hp) what the first one made
     * @param h (B, Pp) overwritten
     */
    Inference secondSweep(StepWeights w, Matrix between, Matrix h) {
        throw new UnsupportedOperationException("one sweep");
    }

    /** As {@link #inference}, of one step with all its sweeps: h (B, Pp). */
    final Inference allSweeps(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        if (!hasSecondSweep()) {
            return inference(w, start, x, hPrevious, c, h);
        }
        Matrix between = Matrix.of(hPrevious.rows(), padded);
        Inference first = inference(w, start, x, hPrevious, c, between);
        Inference second = secondSweep(w, between, h);
        return (k, sweep) -> {
            first.run(k, sweep);
            second.run(k, sweep);
        };
    }

    /** Lays out one step of inference for B rows of z, h before and h after. */
    @FunctionalInterface
    interface OneStep {
        Inference of(Matrix z, Matrix hPrevious, Matrix h);
    }

    /** Lays out T steps one by one, for {@link #inference} of cells that are not {@link #fused}. */
    static Inference eachStep(Matrix start, Matrix hPrevious, Matrix h, OneStep layout) {
        int rows = hPrevious.rows();
        Inference[] steps = new Inference[h.rows() / rows];
        for (int t = 0; t < steps.length; t++) {
            int from = t * rows;
            Matrix before = t == 0 ? hPrevious : h.rows(from - rows, from);
            steps[t] = layout.of(start.rows(from, from + rows), before, h.rows(from, from + rows));
        }
        return (k, sweep) -> {
            for (Inference step : steps) {
                step.run(k, sweep);
            }
        };
    }

    /** Returns whether there is a cell state besides h. */
    boolean hasCellState() {
        return false;
    }

    /** Returns the gates in PyTorch's order, as diagnostics read them. */
    abstract List<Gate> gateList();

    /** Returns a gate in a slot of z. */
    final Gate gate(String name, Activation f, int slot) {
        boolean bounded = f.least() > Float.NEGATIVE_INFINITY && f.most() < Float.POSITIVE_INFINITY;
        return new Gate(name, bounded ? f.least() : Double.NEGATIVE_INFINITY,
                bounded ? f.most() : Double.POSITIVE_INFINITY, (z, h) -> slot(z, slot));
    }

    /** Returns a gate that is a sigmoid, in a slot of z. */
    final Gate sigmoid(String name, int slot) {
        return new Gate(name, 0, 1, (z, h) -> slot(z, slot));
    }

    /** Returns a gate that is a tanh, in a slot of z. */
    final Gate tanh(String name, int slot) {
        return new Gate(name, -1, 1, (z, h) -> slot(z, slot));
    }

    /** Returns the output of an activation, in place of the gates that a simple cell does not have. */
    final Gate output(Activation f) {
        double bound = f.equals(Activation.TANH) ? 1 : Double.POSITIVE_INFINITY;
        return new Gate("h", -bound, bound, (z, h) -> h.columns(0, hidden));
    }

    final Matrix slot(Matrix z, int slot) {
        return z.columns(slot * padded, slot * padded + hidden);
    }

    /** Returns which of PyTorch's gates forgets, if one does. */
    OptionalInt forgetGate() {
        return OptionalInt.empty();
    }

    /** Returns the number of floats that the weights take. */
    long floats() {
        return GateLayout.floats(inputs, hidden, gates);
    }

    /** Views a block of weights, or of their gradients, from float {@code offset} on. */
    CellWeights weights(Memory block, long offset) {
        PackedMatrix[] pair = PackedMatrix.pair(block, offset, inputs, hidden, gates, hidden);
        return new CellWeights(pair[0], List.of(pair[1]), GateLayout.bias(block, offset, inputs, hidden, gates, 0),
                GateLayout.bias(block, offset, inputs, hidden, gates, 1));
    }

    /** Returns the weights at a precision. */
    StepWeights stepWeights(CellWeights w, Precision precision) {
        PackedWeights[] pair = precision.pair(w.input(), w.recurrent().getFirst());
        return new StepWeights(pair[0], List.of(pair[1]), w.vectors());
    }

    /** Returns the weights at a precision, of W none, for a layer that never multiplies it. */
    final StepWeights recurrentWeights(CellWeights w, Precision precision) {
        List<PackedWeights> recurrent = w.recurrent().stream().map(precision::of).toList();
        PackedWeights some = recurrent.isEmpty() ? w.input() : recurrent.getFirst();
        return new StepWeights(some.withoutInputs(), recurrent, w.vectors());
    }

    /** Returns the columns of z that W x is added to. */
    Matrix inputSlots(Matrix z) {
        return z.columns(0, gates * padded);
    }

    /** Returns the columns of z that the biases of U h are gradients of. */
    Matrix recurrentSlots(Matrix z) {
        return z.columns(0, gates * padded);
    }

    /** Adds the gradients of the recurrent weights, for inputs of U in the share {@code part} of {@code parts}. */
    void recurrentGradient(Kernels k, Matrix hPrevious, Matrix z, CellWeights gradients, int part, int parts) {
        gradientShare(k, hPrevious, recurrentSlots(z), gradients.recurrent().getFirst(), part, parts);
    }

    /**
     * Returns what is left to do for all steps at once when the last one has gone back, such as gradients that all rows add to.
     *
     * @param z of all steps
     */
    List<Reduction> reductions(Matrix z, Buffers buffers) {
        return List.of();
    }

    /** Adds to the gradient of the bias that joins W x, from the gradients of the pre-activations of all steps. */
    void inputBiasGradient(Kernels k, Matrix z, CellWeights gradients) {
        if (bias == CellType.Bias.BOTH && gradients.biasInput().columns() > 0) {
            k.columnSums(inputSlots(z), gradients.biasInput());
        }
    }

    /** Adds to the gradient of the bias that joins U h, from the gradients of the pre-activations of all steps. */
    void recurrentBiasGradient(Kernels k, Matrix z, CellWeights gradients) {
        if (bias == CellType.Bias.BOTH && gradients.biasRecurrent().columns() > 0) {
            k.columnSums(recurrentSlots(z), gradients.biasRecurrent());
        }
    }

    /** Overwrites {@code row}, the {@link #startSlots} of a row of z, with the sum of both biases, each element rounded once. */
    void biasRow(CellWeights weights, Matrix row) {
        row.clear();
        if (weights.biasInput().columns() > 0) {
            addRow(weights.biasInput(), inputSlots(row));
        }
        if (weights.biasRecurrent().columns() > 0) {
            addRow(weights.biasRecurrent(), recurrentSlots(row));
        }
    }

    private static void addRow(Matrix from, Matrix to) {
        for (int j = 0; j < from.columns(); j++) {
            to.set(0, j, to.get(0, j) + from.get(0, j));
        }
    }

    /** Rounds up to whole cache lines, where the next tensor begins. */
    static long aligned(long floats) {
        return Math.ceilDiv(floats, Matrix.BLOCK) * Matrix.BLOCK;
    }

    /** The share of the inputs of dw that a part of the work has: whole tiles, nothing where there are too few. */
    static void gradientShare(Kernels k, Matrix a, Matrix dz, PackedMatrix dw, int part, int parts) {
        int from = share(dw.inputs(), part, parts);
        int to = share(dw.inputs(), part + 1, parts);
        if (from < to) {
            k.weightGradient(a.columns(from, to), dz, dw.inputs(from, to));
        }
    }

    static int share(int size, int part, int parts) {
        return (int) ((long) size * part / parts);
    }

    /**
     * A gate after a forward of training.
     *
     * @param low the least that an activation can be, infinite where there is none
     * @param high the most
     * @param activations from z (rows, slots * Hp) and h (rows, Hp) to the view (rows, H) that holds them
     */
    record Gate(String name, double low, double high, BinaryOperator<Matrix> activations) {}

    /**
     * What one step of some rows reads and writes.
     *
     * @param z (rows, slots * Hp) pre-activations, then activations, then gradients of the pre-activations
     * @param hPrevious (rows, Pp), and without a projection (rows, Hp)
     * @param hSeen (rows, Pp) what U multiplies: hPrevious, or what recurrent dropout leaves of it
     * @param h (rows, Pp); at inference the same as {@code hPrevious}
     * @param cPrevious (rows, Hp), and without a cell state h
     * @param c (rows, Hp), and without a cell state h
     * @param scratch (rows, {@link #scratchColumns}) dead after each call
     */
    record Views(Matrix z, Matrix hPrevious, Matrix hSeen, Matrix h, Matrix cPrevious, Matrix c, Matrix scratch) {
        /** U multiplies h itself. */
        Views(Matrix z, Matrix hPrevious, Matrix h, Matrix cPrevious, Matrix c, Matrix scratch) {
            this(z, hPrevious, hPrevious, h, cPrevious, c, scratch);
        }
    }

    /**
     * Gradients of one step.
     *
     * @param dh (rows, Pp) of h, complete
     * @param dhPrevious (rows, Pp) of h before the step, accumulated into
     * @param dhSeen (rows, Pp) of what U multiplies, accumulated into; may be {@code dhPrevious}
     * @param dc (rows, Hp) of c, overwritten with that of c before the step
     */
    record Gradients(Matrix dh, Matrix dhPrevious, Matrix dhSeen, Matrix dc) {
        /** U multiplies h itself. */
        Gradients(Matrix dh, Matrix dhPrevious, Matrix dc) {
            this(dh, dhPrevious, dhPrevious, dc);
        }
    }

    /**
     * The weights of a layer as steps of inference read them.
     *
     * @param input W
     * @param recurrent U, in as many matrices as a step has sweeps
     * @param vectors as in {@link CellWeights}
     */
    record StepWeights(PackedWeights input, List<PackedWeights> recurrent, List<Matrix> vectors) {
        /** Returns the weights for steps whose products with the inputs are in what they start from. */
        StepWeights withoutInputs() {
            return new StepWeights(input.withoutInputs(), recurrent, vectors);
        }
    }

    /** Some steps of inference laid out in memory; {@code sweep} as in {@link Kernels#rnnSteps}, the whole if not {@link #fused}. */
    @FunctionalInterface
    interface Inference {
        void run(Kernels k, Sweep sweep);
    }

    /** Something to do for all steps at once; different ones may run at once. */
    @FunctionalInterface
    interface Reduction {
        void run(Kernels k, CellWeights weights, CellWeights gradients);
    }

    /** One step of training laid out in memory. */
    interface Step {
        /** Adds U h to z, which holds W x and the biases, and makes the new state. */
        void forward(Kernels k, CellWeights w);

        /** Turns z from activations into gradients of the pre-activations, and carries the gradient back to the state before. */
        void backward(Kernels k, CellWeights.Transposed w, Gradients g);
    }
}
