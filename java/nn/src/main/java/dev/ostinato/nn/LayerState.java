package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a recurrent layer remembers of B streams. There are two of h: a call reads one and writes the other, and the next call the other
 * way round. What lies behind the H units in a row is zero and stays so.
 *
 * @param h (B, Hp) twice
 * @param c (B, Hp), or null without a cell state
 */
record LayerState(Blueprint.Place place, Cell cell, List<Matrix> h, @Nullable Matrix c) {
    static LayerState of(Blueprint.Place place, int rows) {
        Cell cell = place.cell();
        return new LayerState(place, cell, List.of(Matrix.of(rows, cell.padded), Matrix.of(rows, cell.padded)),
                cell.hasCellState() ? Matrix.of(rows, cell.padded) : null);
    }

    /** Returns the name that a file gives to h or c. */
    String name(String state) {
        return place.module() + "." + state + place.suffix();
    }
}
