package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/**
 * What a recurrent layer did in one direction over T steps of B rows. Steps are counted as the pass makes them, from 1 to T: of a reverse one the
 * last step in time comes first.
 *
 * @param x (T * B, I) its inputs, first step in time first
 * @param z (T * B, slots * Hp) likewise: activations of gates after forward, gradients of the pre-activations after backward
 * @param h ((T + 1) * B, Hp) of what lies before, between and after the steps, likewise
 * @param dh the gradient of h after backward
 * @param c as h; without a cell state h itself
 */
record RecurrentTrace(Blueprint.Pass pass, CellWeights weights, Matrix x, Matrix z, Matrix h, Matrix dh, Matrix c,
        int steps, int rows) {
    Cell cell() {
        return pass.cell();
    }

    /** Returns the name of its tensors. */
    String name() {
        return pass.place().module() + pass.suffix();
    }

    /** Returns the rows (B, ...) of x or z that belong to a step of the pass. */
    Matrix now(Matrix all, int step) {
        int time = pass.reverse() ? steps - step : step - 1;
        return all.rows(time * rows, (time + 1) * rows);
    }

    /** Returns the rows (B, Hp) of h, dh or c after a step of the pass; after step 0 those with which it began. */
    Matrix state(Matrix states, int step) {
        int time = pass.reverse() ? steps - step : step;
        return states.rows(time * rows, (time + 1) * rows);
    }

    /** Returns the rows of h after each step, (T * B, Hp), first step in time first. */
    Matrix outputs() {
        return pass.reverse() ? h.rows(0, steps * rows) : h.rows(rows, h.rows());
    }

    /** Returns the numbers of the state that a step carries on: H, with a cell state twice. */
    int stateSize() {
        return cell().hasCellState() ? cell().stateSize + cell().hidden : cell().stateSize;
    }
}
