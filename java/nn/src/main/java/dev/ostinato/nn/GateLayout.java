package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import java.util.List;

/**
 * How the weights of a cell with G gates lie in its block: W and U, then {@code b_ih}, then {@code b_hh}, each bias G slots of Hp.
 * An order says for each gate of PyTorch where it stands among ours.
 */
final class GateLayout {
    private GateLayout() {
    }

    static long floats(int inputs, int hidden, int gates) {
        return PackedMatrix.floats(inputs + hidden, gates, hidden) + 2L * gates * Matrix.padded(hidden);
    }

    /** Returns the index of bias {@code which}: 0 joins W x, 1 joins U h. */
    private static long biasOffset(long offset, int inputs, int hidden, int gates, int which) {
        return offset + PackedMatrix.floats(inputs + hidden, gates, hidden)
                + (long) which * gates * Matrix.padded(hidden);
    }

    static Matrix bias(Memory block, long offset, int inputs, int hidden, int gates, int which) {
        return row(block, biasOffset(offset, inputs, hidden, gates, which), gates * Matrix.padded(hidden));
    }

    /** Views {@code columns} floats of a block from {@code offset} on as one row. */
    static Matrix row(Memory block, long offset, int columns) {
        return Matrix.wrap(block, offset, 1, columns, columns);
    }

    /** Returns the four tensors of a cell whose W and U are one matrix each. */
    static List<Parameter> parameters(CellWeights w, long offset, int inputs, int hidden, int[] inputOrder,
            int[] recurrentOrder,
            String suffix) {
        PackedMatrix recurrent = w.recurrent().getFirst();
        return List.of(input(w, inputs, hidden, inputOrder, suffix),
                Parameter.matrix("weight_hh" + suffix, recurrentOrder.length * hidden, hidden,
                        (r, c) -> recurrent.index(c, recurrentOrder[r / hidden], r % hidden)),
                bias(offset, inputs, hidden, inputOrder, 0, "bias_ih" + suffix),
                bias(offset, inputs, hidden, recurrentOrder, 1, "bias_hh" + suffix));
    }

    static Parameter input(CellWeights w, int inputs, int hidden, int[] order, String suffix) {
        return Parameter.matrix("weight_ih" + suffix, order.length * hidden, inputs,
                (r, c) -> w.input().index(c, order[r / hidden], r % hidden));
    }

    static Parameter bias(long offset, int inputs, int hidden, int[] order, int which, String name) {
        long first = biasOffset(offset, inputs, hidden, order.length, which);
        return Parameter.vector(name, order.length * hidden,
                (r, c) -> first + (long) order[r / hidden] * Matrix.padded(hidden) + r % hidden);
    }
}
