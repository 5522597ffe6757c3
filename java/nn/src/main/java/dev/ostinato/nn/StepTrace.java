package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a way through time of a recurrent layer remembered after each step, in packed rows.
 *
 * @param h (all, Pp)
 * @param c (all, Hp), or null without a cell state
 */
record StepTrace(Blueprint.Pass pass, Sequences sequences, Matrix h, @Nullable Matrix c) {
    static StepTrace of(Blueprint.Pass pass, Sequences sequences) {
        Cell cell = pass.cell();
        return new StepTrace(pass, sequences, Matrix.of(sequences.total(), cell.paddedState),
                cell.hasCellState() ? Matrix.of(sequences.total(), cell.padded) : null);
    }

    /** Returns h, and c after it, with zeros for steps that there are not. */
    List<NamedArray> tensors() {
        List<NamedArray> tensors = new ArrayList<>();
        tensors.add(tensor("h", h, pass.cell().stateSize));
        if (c != null) {
            tensors.add(tensor("c", c, pass.cell().hidden));
        }
        return tensors;
    }

    private NamedArray tensor(String name, Matrix states, int size) {
        int steps = sequences.steps();
        int rows = sequences.rows();
        float[] data = new float[Math.multiplyExact(Math.multiplyExact(steps, rows), size)];
        for (int r = 0; r < states.rows(); r++) {
            states.columns(0, size).getRow(r, data, sequences.element(r) * size);
        }
        List<Integer> shape = sequences.isBatchFirst() ? List.of(rows, steps, size) : List.of(steps, rows, size);
        return new NamedArray(pass.stateName(name), shape, data);
    }
}
