package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;

/**
 * How the states of a recurrent layer depend on earlier ones while its inputs stay: with X_t the state after step t, which is h_t, or h_t and
 * behind it c_t where there is a cell state, the Jacobians {@code J_t = dX_t/dX_{t-1}} and their products {@code dX_t/dX_k = J_t ... J_{k+1}}.
 * X_0 is the state before the first step. A gradient goes back from X_t to X_k by the transpose.
 *
 * <p>J_t is found by carrying unit vectors back through the cell's own step, in float, to about 1e-6 of its largest element; products are
 * taken in double. Immutable, for all threads.
 */
public final class Jacobians {
    private final List<double[][]> steps;

    private Jacobians(List<double[][]> steps) {
        this.steps = steps;
    }

    static Jacobians of(RecurrentTrace trace, int row, Kernels kernels) {
        UnitStep unitStep = new UnitStep(trace, kernels);
        List<double[][]> steps = new ArrayList<>();
        for (int t = 1; t <= trace.steps(); t++) {
            steps.add(unitStep.jacobian(t, row));
        }
        return new Jacobians(steps);
    }

    /** One step of as many rows as the state has elements, all the same forward, each with a unit vector backward. */
    private static final class UnitStep {
        private final RecurrentTrace trace;
        private final Kernels kernels;
        private final int outputs;
        private final Matrix bias;
        private final Matrix z;
        private final Matrix hPrevious;
        private final Matrix cPrevious;
        private final Matrix dh;
        private final Matrix dhPrevious;
        private final Matrix dc;
        private final Cell.Step step;
        private final Cell.Gradients gradients;
        private final CellWeights.Transposed transposed;

        UnitStep(RecurrentTrace trace, Kernels kernels) {
            Cell cell = trace.cell();
            int size = trace.stateSize();
            this.trace = trace;
            this.kernels = kernels;
            this.outputs = cell.stateSize;
            this.bias = Matrix.of(1, cell.startSlots() * cell.padded);
            this.z = Matrix.of(size, cell.slots() * cell.padded);
            this.hPrevious = Matrix.of(size, cell.paddedState);
            this.cPrevious = cell.hasCellState() ? Matrix.of(size, cell.padded) : hPrevious;
            this.dh = Matrix.of(size, cell.paddedState);
            this.dhPrevious = Matrix.of(size, cell.paddedState);
            this.dc = Matrix.of(size, cell.padded);
            Matrix h = Matrix.of(size, cell.paddedState);
            Matrix c = cell.hasCellState() ? Matrix.of(size, cell.padded) : h;
            this.step = cell.step(
                    new Cell.Views(z, hPrevious, h, cPrevious, c, Matrix.of(size, cell.scratchColumns())));
            this.gradients = new Cell.Gradients(dh, dhPrevious, dc);
            this.transposed = trace.weights().transposed();
            trace.weights().transposeInto(transposed);
            cell.biasRow(trace.weights(), bias);
            cell.drawMasks(Masks.NONE, r -> 0, r -> 0, z);
        }

        double[][] jacobian(int t, int row) {
            Matrix start = z.columns(0, bias.columns());
            Matrix first = start.rows(0, 1);
            kernels.fillRows(bias, first);
            kernels.multiplyAdd(trace.now(trace.x(), t).rows(row, row + 1), trace.weights().input(),
                    trace.cell().inputSlots(first));
            kernels.fillRows(first, start.rows(1, start.rows()));
            kernels.fillRows(trace.state(trace.h(), t - 1).rows(row, row + 1), hPrevious);
            if (trace.cell().hasCellState()) {
                kernels.fillRows(trace.state(trace.c(), t - 1).rows(row, row + 1), cPrevious);
            }
            step.forward(kernels, trace.weights());

            dh.clear();
            dhPrevious.clear();
            dc.clear();
            for (int i = 0; i < z.rows(); i++) {
                (i < outputs ? dh : dc).set(i, i < outputs ? i : i - outputs, 1);
            }
            step.backward(kernels, transposed, gradients);
            double[][] jacobian = new double[z.rows()][z.rows()];
            for (int i = 0; i < z.rows(); i++) {
                for (int j = 0; j < z.rows(); j++) {
                    jacobian[i][j] = (j < outputs ? dhPrevious : dc).get(i, j < outputs ? j : j - outputs);
                }
            }
            return jacobian;
        }
    }

    /** Returns T. */
    public int steps() {
        return steps.size();
    }

    /** Returns the elements of a state: H, or 2H with a cell state. */
    public int stateSize() {
        return steps.getFirst().length;
    }

    /**
     * Returns J_t, element (i, j) being the slope of element i of X_t over element j of X_(t-1).
     *
     * @param t from 1 to T
     */
    public double[][] step(int t) {
        check("t", t, 1);
        return DoubleMatrices.copy(steps.get(t - 1));
    }

    /**
     * Returns dX_t/dX_k, the identity for k = t.
     *
     * @param k from 0 to t
     * @param t from 0 to T
     */
    public double[][] product(int k, int t) {
        check("t", t, 0);
        if (k < 0 || k > t) {
            throw new IllegalArgumentException("k: expected 0 to t = " + t + ", got " + k);
        }
        double[][] product = DoubleMatrices.identity(stateSize());
        for (int s = t; s > k; s--) {
            product = DoubleMatrices.product(product, steps.get(s - 1));
        }
        return product;
    }

    /**
     * Returns the spectral norms {@code ||dX_t/dX_k||}, the most by which a gradient can grow from X_t back to X_k, for k from 0 to t; the last is
     * 1. To about ten digits, in O(t n^3) for states of n elements.
     *
     * @param t from 0 to T
     */
    public double[] norms(int t) {
        check("t", t, 0);
        double[] norms = new double[t + 1];
        double[][] product = DoubleMatrices.identity(stateSize());
        norms[t] = 1;
        for (int k = t - 1; k >= 0; k--) {
            product = DoubleMatrices.product(product, steps.get(k));
            norms[k] = SingularValues.largest(product);
        }
        return norms;
    }

    private void check(String name, int step, int least) {
        if (step < least || step > steps.size()) {
            throw new IllegalArgumentException(name + ": expected " + least + " to " + steps.size() + ", got " + step);
        }
    }
}
