package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * What a recurrent layer did, in one direction, over a batch of T steps of B rows; see {@link Diagnostics}. Lists over time have T elements,
 * element t - 1 belonging to step t; a reverse direction counts its steps as it makes them, from the last in time. Norms are Frobenius norms over all rows, summed in double from gradients in float, in which magnitudes below
 * 1.2e-38 are zero.
 */
public final class LayerDiagnostics {
    /** Activations so near to an end of their range count as saturated. */
    static final double SATURATION = 0.1;
    /** A unit whose output varies by less is dead. */
    static final double DEAD = 1e-3;

    private final RecurrentTrace trace;
    private final LayerActivity activity;
    private final Kernels kernels;
    private final List<Double> gradientNorms;
    private final List<Double> inputContributions;
    private final List<Double> recurrentContributions;

    /** @param trace after backward */
    LayerDiagnostics(RecurrentTrace trace, LayerActivity activity, Kernels kernels) {
        this.trace = trace;
        this.activity = activity;
        this.kernels = kernels;
        Contributions contributions = new Contributions();
        this.gradientNorms = each(t -> norm(trace.state(trace.dh(), t)));
        this.inputContributions = each(contributions::ofInput);
        this.recurrentContributions = each(contributions::ofState);
    }

    private List<Double> each(StepNorm norm) {
        return IntStream.rangeClosed(1, trace.steps()).mapToObj(t -> (Double) norm.of(t)).toList();
    }

    private static double norm(Matrix matrix) {
        double sum = 0;
        for (int r = 0; r < matrix.rows(); r++) {
            for (int j = 0; j < matrix.columns(); j++) {
                sum += (double) matrix.get(r, j) * matrix.get(r, j);
            }
        }
        return Math.sqrt(sum);
    }

    /** Something to measure at step t, from 1 to T. */
    private interface StepNorm {
        double of(int t);
    }

    /** The gradients of W and U from single steps. */
    private final class Contributions {
        private final Cell cell = trace.cell();
        private final Memory block = Memory.ofFloats(cell.floats());
        private final CellWeights gradients = cell.weights(block, 0);

        double ofInput(int t) {
            return norm("weight_ih", t,
                    z -> Cell.gradientShare(kernels, trace.now(trace.x(), t), cell.inputSlots(z), gradients.input(), 0,
                            1));
        }

        double ofState(int t) {
            Matrix hPrevious = trace.state(trace.h(), t - 1).columns(0, cell.stateSize);
            return norm("weight_hh", t, z -> cell.recurrentGradient(kernels, hPrevious, z, gradients, 0, 1));
        }

        private double norm(String tensor, int t, Consumer<Matrix> addGradient) {
            block.clear();
            addGradient.accept(trace.now(trace.z(), t));
            double sum = 0;
            for (Parameter parameter : cell.parameters(block, 0, "")) {
                if (parameter.name().equals(tensor)) {
                    for (float v : parameter.read(block, "").data()) {
                        sum += (double) v * v;
                    }
                }
            }
            return Math.sqrt(sum);
        }
    }

    /** Returns the layer's index in {@link Model#layers}. */
    public int index() {
        return trace.pass().place().index();
    }

    /** Returns the name of its tensors, such as {@code rnn_l0} or {@code rnn_l0_reverse}. */
    public String name() {
        return trace.name();
    }

    /** Returns the elements of a state: H, with a cell state 2H. */
    public int stateSize() {
        return trace.stateSize();
    }

    /** Returns the gradient flow (T): {@code ||dL/dh_t||}, the gradient of the loss with respect to all outputs (B, H) of a step. */
    public List<Double> gradientNorms() {
        return gradientNorms;
    }

    /**
     * Returns what each step adds to the gradient of the recurrent weights (T): {@code ||dz_t h_{t-1}^T||} with dz the gradient of the
     * pre-activations, summed over rows. The gradient of U is the sum of these matrices; the first is 0, since h_0 is.
     */
    public List<Double> recurrentContributions() {
        return recurrentContributions;
    }

    /** Returns what each step adds to the gradient of the input weights (T): {@code ||dz_t x_t^T||}, summed over rows. */
    public List<Double> inputContributions() {
        return inputContributions;
    }

    /** Returns how often each gate was at an end of its range, in PyTorch's order of gates; of a simple cell its output {@code h}. */
    public List<Gate> gates() {
        return activity.gates();
    }

    /** Returns the units whose output stayed the same, to less than 0.001, over all steps and rows. */
    public List<Integer> deadUnits() {
        return activity.deadUnits();
    }

    /**
     * Returns how the state of one row depended on its earlier states.
     *
     * @param row from 0 to B - 1
     * @throws IllegalArgumentException if there is no such row
     */
    public Jacobians jacobians(int row) {
        if (row < 0 || row >= trace.rows()) {
            throw new IllegalArgumentException("row: expected 0 to " + (trace.rows() - 1) + ", got " + row);
        }
        return Jacobians.of(trace, row, kernels);
    }

    /**
     * How often the activations of a gate were saturated (Karpathy, Johnson and Fei-Fei 2015): fractions of all T * B * H of them.
     *
     * @param name i f g o of an LSTM, r z n of a GRU, z n of a minGRU, h of a simple cell
     * @param low below 0.1, for a tanh below -0.9; 0 for what has no bounds
     * @param high above 0.9; 0 for what has no bounds
     */
    public record Gate(String name, double low, double high) {}
}
