package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a way through time of a recurrent layer remembers of B streams. There are two of h: a call reads one and writes the other, and the
 * next call the other way round. What lies behind the H units in a row is zero and stays so.
 *
 * @param h (B, Pp) twice
 * @param c (B, Hp), or null without a cell state
 * @param trace where a call leaves the states after each step, or null if nobody asks for them
 */
record LayerState(Blueprint.Pass pass, List<Matrix> h, @Nullable Matrix c, @Nullable StepTrace trace) {
    static LayerState of(Blueprint.Pass pass, int rows) {
        return of(pass, rows, null);
    }

    static LayerState of(Blueprint.Pass pass, int rows, @Nullable StepTrace trace) {
        Cell cell = pass.cell();
        return new LayerState(pass, List.of(Matrix.of(rows, cell.paddedState), Matrix.of(rows, cell.paddedState)),
                cell.hasCellState() ? Matrix.of(rows, cell.padded) : null, trace);
    }

    Cell cell() {
        return pass.cell();
    }

    /** Returns views of h number {@code turn}, (B, P), and of c behind it where there is one, (B, H). */
    List<Matrix> values(int turn) {
        Matrix hidden = h.get(turn).columns(0, cell().stateSize);
        return c == null ? List.of(hidden) : List.of(hidden, c.columns(0, cell().hidden));
    }

    /** Returns the name that a file gives to h or c. */
    String name(String state) {
        return pass.stateName(state);
    }
}
