package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/**
 * What a recurrent layer did over T steps of B rows, row {@code t * B + b} being step t of stream b.
 *
 * @param x (T * B, I) its inputs
 * @param z (T * B, slots * Hp) activations of gates after forward, gradients of the pre-activations after backward
 * @param h ((T + 1) * B, Hp) from the state before the first step on
 * @param dh the gradient of h after backward
 * @param c as h; without a cell state h itself
 */
record RecurrentTrace(Cell cell, CellWeights weights, Matrix x, Matrix z, Matrix h, Matrix dh, Matrix c, int steps,
        int rows) {
    /** Returns the rows of h after each step, (T * B, Hp). */
    Matrix outputs() {
        return h.rows(rows, h.rows());
    }

    /** Returns the numbers of the state that a step carries on: H, with a cell state twice. */
    int stateSize() {
        return cell.hasCellState() ? 2 * cell.hidden : cell.hidden;
    }
}
