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
 * @param biasRecurrent (1, gates of U) the bias that joins U h
 */
record CellWeights(PackedMatrix input, List<PackedMatrix> recurrent, Matrix biasInput, Matrix biasRecurrent) {
    /** The matrices turned round, for carrying gradients back. Overwritten after every change of the weights. */
    record Transposed(PackedMatrix input, List<PackedMatrix> recurrent) {}

    /** Allocates room for the transposed matrices. */
    Transposed transposed() {
        return new Transposed(transposed(input), recurrent.stream().map(CellWeights::transposed).toList());
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
