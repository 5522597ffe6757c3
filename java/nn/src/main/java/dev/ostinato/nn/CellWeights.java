package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import java.util.List;

/**
 * The weights of a recurrent layer as views of one block, or their gradients, in the same layout.
 *
 * @param input W
 * @param recurrent U, in as many matrices as a step has sweeps
 * @param biasInput (1, gates of W) the bias that joins W x
 * @param biasRecurrent (1, gates of U) the bias that joins U h; no columns where there is none
 * @param vectors what else a cell has, in rows: which, only the cell knows
 */
record CellWeights(PackedMatrix input, List<PackedMatrix> recurrent, Matrix biasInput, Matrix biasRecurrent,
        List<Matrix> vectors) {
    /** Without other vectors. */
    CellWeights(PackedMatrix input, List<PackedMatrix> recurrent, Matrix biasInput, Matrix biasRecurrent) {
        this(input, recurrent, biasInput, biasRecurrent, List.of());
    }

    /**
     * The matrices turned round, for carrying gradients back. Overwritten after every change of the weights.
     *
     * @param vectors those of the weights themselves
     */
    record Transposed(PackedMatrix input, List<PackedMatrix> recurrent, List<Matrix> vectors) {}

    /** Allocates room for the transposed matrices. */
    Transposed transposed() {
        return new Transposed(transposed(input), recurrent.stream().map(CellWeights::transposed).toList(), vectors);
    }

    private static PackedMatrix transposed(PackedMatrix w) {
        return PackedMatrix.of(w.outputs(), 1, w.inputs());
    }

    void transposeInto(Transposed transposed) {
        input.transposeInto(transposed.input());
        for (int i = 0; i < recurrent.size(); i++) {
            recurrent.get(i).transposeInto(transposed.recurrent().get(i));
        }
    }
}
