package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;

/** The table of an embedding. */
record EmbeddingTensors(int vocabulary, int size, long offset) implements LayerTensors {
    /** @throws ClassCastException if the layer is no embedding */
    static EmbeddingTensors of(Blueprint.Place place) {
        Layer.Embedding layer = (Layer.Embedding) place.layer();
        return new EmbeddingTensors(layer.vocabulary(), layer.size(), place.offset());
    }

    /** Returns (vocabulary, size) of a block. */
    Matrix table(Memory block) {
        return Matrix.wrap(block, offset, vocabulary, size, Matrix.padded(size));
    }

    @Override
    public long floats() {
        return (long) vocabulary * Matrix.padded(size);
    }

    @Override
    public List<TensorShape> shapes() {
        return List.of(TensorShape.of("weight", vocabulary, size));
    }

    @Override
    public List<Parameter> parameters(Memory block) {
        int stride = Matrix.padded(size);
        return List.of(Parameter.matrix("weight", vocabulary, size, (r, c) -> offset + (long) r * stride + c));
    }
}
