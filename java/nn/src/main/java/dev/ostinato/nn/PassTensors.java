package dev.ostinato.nn;

import dev.ostinato.kernels.Memory;
import java.util.List;

/** The tensors of a recurrent layer: those of its cell, once for each of its ways through time. */
record PassTensors(List<Blueprint.Pass> passes) implements LayerTensors {
    @Override
    public long floats() {
        return passes.stream().mapToLong(pass -> Cell.aligned(pass.cell().floats())).sum();
    }

    @Override
    public List<TensorShape> shapes() {
        return passes.stream().flatMap(pass -> pass.cell().shapes(pass.suffix()).stream()).toList();
    }

    @Override
    public List<Parameter> parameters(Memory block) {
        return passes.stream().flatMap(pass -> pass.cell().parameters(block, pass.offset(), pass.suffix()).stream())
                .toList();
    }
}
