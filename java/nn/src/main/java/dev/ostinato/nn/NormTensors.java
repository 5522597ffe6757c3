package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;
import java.util.stream.IntStream;

/** The tensors of a layer that normalises, all of its size, with PyTorch's names. */
record NormTensors(List<String> names, int size, long offset) implements LayerTensors {
    private static final String GAIN = "weight";
    private static final String BIAS = "bias";
    private static final String RUNNING_MEAN = "running_mean";
    private static final String RUNNING_VARIANCE = "running_var";

    /** @throws ClassCastException if the layer does not normalise */
    static NormTensors of(Blueprint.Place place) {
        return place.layer() instanceof Layer.LayerNorm norm
                ? new NormTensors(List.of(GAIN, BIAS), norm.size(), place.offset())
                : new NormTensors(List.of(GAIN, BIAS, RUNNING_MEAN, RUNNING_VARIANCE),
                        ((Layer.BatchNorm) place.layer()).size(), place.offset());
    }

    /** Returns what every element of a tensor is before training. */
    static float initial(String name) {
        return name.equals(GAIN) || name.equals(RUNNING_VARIANCE) ? 1 : 0;
    }

    /** Returns those of a block. */
    NormWeights weights(Memory block) {
        return new NormWeights(
                IntStream.range(0, names.size()).mapToObj(i -> GateLayout.row(block, offset(i), size)).toList());
    }

    private long offset(int tensor) {
        return offset + (long) tensor * Matrix.padded(size);
    }

    @Override
    public long floats() {
        return (long) names.size() * Matrix.padded(size);
    }

    @Override
    public List<TensorShape> shapes() {
        return names.stream().map(name -> TensorShape.of(name, size)).toList();
    }

    @Override
    public List<Parameter> parameters(Memory block) {
        return IntStream.range(0, names.size())
                .mapToObj(i -> Parameter.vector(names.get(i), size, (r, c) -> offset(i) + r)).toList();
    }
}
