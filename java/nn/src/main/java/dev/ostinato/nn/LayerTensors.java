package dev.ostinato.nn;

import dev.ostinato.kernels.Memory;
import java.util.List;

/** The tensors of a layer, and where they lie in a block that is shaped like the weights. */
interface LayerTensors {
    /** Of a layer without weights. */
    LayerTensors NONE = new LayerTensors() {
        @Override
        public long floats() {
            return 0;
        }

        @Override
        public List<TensorShape> shapes() {
            return List.of();
        }

        @Override
        public List<Parameter> parameters(Memory block) {
            return List.of();
        }
    };

    /** Returns those of the layer at a place. */
    static LayerTensors of(Blueprint.Place place) {
        return switch (place.layer()) {
            case Layer.Unweighted ignored -> NONE;
            case Layer.Embedding ignored -> EmbeddingTensors.of(place);
            case Layer.WithCell ignored -> new PassTensors(place.passes());
            case Layer.LayerNorm _ -> NormTensors.of(place);
            case Layer.BatchNorm _ -> NormTensors.of(place);
            case Layer.Dense ignored -> DenseTensors.of(place);
        };
    }

    /** Returns the floats of a block that they take. */
    long floats();

    /** Returns names, without that of the module, and shapes, in the order of {@link #parameters}. */
    List<TensorShape> shapes();

    /** Returns the tensors in a block, without the name of their module. */
    List<Parameter> parameters(Memory block);
}
