package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import java.util.List;

/** The weights and the bias of a dense layer. */
record DenseTensors(int inputs, int outputs, long offset) implements LayerTensors {
    /** @throws ClassCastException if the layer is not dense */
    static DenseTensors of(Blueprint.Place place) {
        Layer.Dense layer = (Layer.Dense) place.layer();
        return new DenseTensors(layer.inputs(), layer.outputs(), place.offset());
    }

    /** Returns the weights of a block. */
    PackedMatrix weights(Memory block) {
        return PackedMatrix.view(block, offset, inputs, 1, outputs);
    }

    /** Returns the bias of a block, (1, padded outputs). */
    Matrix bias(Memory block) {
        int columns = Matrix.padded(outputs);
        return Matrix.wrap(block, biasOffset(), 1, columns, columns);
    }

    private long biasOffset() {
        return offset + PackedMatrix.floats(inputs, 1, outputs);
    }

    @Override
    public long floats() {
        return PackedMatrix.floats(inputs, 1, outputs) + Matrix.padded(outputs);
    }

    @Override
    public List<TensorShape> shapes() {
        return List.of(TensorShape.of("weight", outputs, inputs), TensorShape.of("bias", outputs));
    }

    @Override
    public List<Parameter> parameters(Memory block) {
        PackedMatrix w = weights(block);
        return List.of(Parameter.matrix("weight", outputs, inputs, (r, c) -> w.index(c, 0, r)),
                Parameter.vector("bias", outputs, (r, c) -> biasOffset() + r));
    }
}
