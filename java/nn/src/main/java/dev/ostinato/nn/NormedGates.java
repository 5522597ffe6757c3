package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;

/**
 * The norm of one of the two products of a {@link LayerNormCell}, laid out for some rows: {@code slots += norm(values) * gain + bias}. In
 * the values the units of all gates lie side by side, in the slots each gate begins a block.
 */
final class NormedGates {
    private final Matrix values;
    private final Matrix statistics;
    private final Matrix y;
    private final List<Matrix> yRuns;
    private final List<Matrix> slotRuns;

    /**
     * @param values (rows, G H)
     * @param statistics (rows, 2) kept from forward to backward
     * @param slots (rows, G Hp)
     * @param y (rows, G H) dead after a call; may be the values where there is no backward
     */
    NormedGates(int hidden, Matrix values, Matrix statistics, Matrix slots, Matrix y) {
        this.values = values;
        this.statistics = statistics;
        this.y = y;
        this.yRuns = runs(hidden, y, hidden);
        this.slotRuns = runs(hidden, slots, Matrix.padded(hidden));
    }

    /** Views the units of each gate, {@code distance} columns from one to the next; all at once where nothing lies between. */
    private static List<Matrix> runs(int hidden, Matrix matrix, int distance) {
        if (hidden == Matrix.padded(hidden)) {
            return List.of(matrix);
        }
        List<Matrix> runs = new ArrayList<>();
        for (int from = 0; from < matrix.columns(); from += distance) {
            runs.add(matrix.columns(from, from + hidden));
        }
        return runs;
    }

    void forward(Kernels k, Matrix gain, Matrix bias) {
        k.layerNormForward(values, gain, bias, LayerNormCell.EPSILON, y, statistics);
        for (int i = 0; i < yRuns.size(); i++) {
            k.axpy(1f, yRuns.get(i), slotRuns.get(i));
        }
    }

    /** From the gradients that the slots hold to those of the values, {@code dx}, which may be the values. */
    void backward(Kernels k, Matrix gain, Matrix dx, Matrix dGain, Matrix dBias) {
        for (int i = 0; i < yRuns.size(); i++) {
            yRuns.get(i).copyFrom(slotRuns.get(i));
        }
        k.layerNormBackward(values, gain, statistics, y, dx, dGain, dBias);
    }
}
