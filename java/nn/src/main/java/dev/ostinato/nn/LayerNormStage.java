package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/** Layer norm of every row (Ba et al. 2016). */
final class LayerNormStage extends OutputStage {
    private final Stage below;
    private final NormWeights weights;
    private final NormWeights gradients;
    private final float epsilon;
    private final Matrix dx;
    private final Matrix statistics;

    LayerNormStage(Setup setup, Blueprint.Place place, Stage below) {
        super(setup, place.layer().outputs());
        Layer.LayerNorm layer = (Layer.LayerNorm) place.layer();
        this.below = below;
        NormTensors tensors = NormTensors.of(place);
        this.weights = tensors.weights(setup.weights());
        this.gradients = tensors.weights(setup.gradients());
        this.epsilon = layer.epsilon();
        this.dx = setup.matrix(setup.all(), layer.size());
        this.statistics = setup.matrix(setup.all(), 2);
    }

    @Override
    void forward(long dropoutKey) {
        eachChunk((from, to) -> k.layerNormForward(below.output().rows(from, to), weights.gain(), weights.bias(),
                epsilon, y.rows(from, to), statistics.rows(from, to)));
    }

    /** By one thread: all rows add to the gradients of gain and bias, the last one first. */
    @Override
    void backward() {
        k.layerNormBackward(below.output(), weights.gain(), statistics, dy.columns(0, y.columns()), dx,
                gradients.gain(), gradients.bias());
        if (below.wantsGradient()) {
            eachChunk((from, to) -> k.axpy(1f, dx.rows(from, to),
                    below.outputGradient().rows(from, to).columns(0, dx.columns())));
        }
    }
}
