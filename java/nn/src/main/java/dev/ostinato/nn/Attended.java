package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.Arrays;
import java.util.List;

/** What attention layers look at: of each of B streams the outputs of an encoder. Without any, a stream attends to nothing. */
final class Attended {
    private static final Matrix NOTHING = Matrix.of(0, 0);

    /** Of each stream (S, N). Shared with other states, and never changed. */
    private final Matrix[] outputs;
    /** Of each stream (1, S), dead after each call. */
    private final Matrix[] weights;

    Attended(int rows) {
        this.outputs = new Matrix[rows];
        this.weights = new Matrix[rows];
        Arrays.fill(outputs, NOTHING);
        Arrays.fill(weights, NOTHING);
    }

    /** @param newOutputs (S, N), which nobody changes from now on */
    void set(int row, Matrix newOutputs) {
        outputs[row] = newOutputs;
        if (weights[row].columns() != newOutputs.rows()) {
            weights[row] = Matrix.of(1, newOutputs.rows());
        }
    }

    /** Returns of each stream (S, N). */
    List<Matrix> outputs() {
        return List.of(outputs);
    }

    /** Makes a stream attend to nothing. */
    void reset(int row) {
        set(row, NOTHING);
    }

    void copyRows(Attended from, int fromRow, int toRow, int count) {
        for (int i = 0; i < count; i++) {
            set(toRow + i, from.outputs[fromRow + i]);
        }
    }

    /** Attends with h, (1, N), of a stream, and overwrites c, (1, N). */
    void attend(Kernels k, int row, Matrix h, Matrix c) {
        AttentionStage.attend(k, h, outputs[row], weights[row], c);
    }
}
