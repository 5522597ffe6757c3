package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;

/**
 * The weights of a pass with some elements of U zero and the others scaled (Wan et al. 2013; Merity et al. 2018): a copy of the block, times a
 * mask that is 1 everywhere but at U. Gradients are masked alike. Element (r, c) of {@code weight_hh} is drawn by the counter
 * {@code r * columns + c}.
 */
final class DropConnect {
    /** The tensor that is masked. */
    static final String TENSOR = "weight_hh";

    private static final long PURPOSE = 4;

    private final Stage.Setup setup;
    private final float rate;
    private final Parameter tensor;
    private final Matrix mask;
    private final Matrix masked;
    private final Matrix weights;
    private final Matrix gradients;

    DropConnect(Stage.Setup setup, Blueprint.Pass pass, float rate) {
        int floats = Math.toIntExact(pass.cell().floats());
        this.setup = setup;
        this.rate = rate;
        this.mask = setup.matrix(1, floats);
        this.masked = setup.matrix(1, floats);
        this.weights = Matrix.wrap(setup.weights(), pass.offset(), 1, floats, floats);
        this.gradients = Matrix.wrap(setup.gradients(), pass.offset(), 1, floats, floats);
        this.tensor = pass.cell().parameters(block(), 0, "").stream().filter(p -> p.name().equals(TENSOR)).findFirst()
                .orElseThrow();
        for (int i = 0; i < floats; i++) {
            mask.set(0, i, 1);
        }
    }

    /** Returns the block of masked weights, in which those of the pass come first. */
    Memory block() {
        return masked.memory();
    }

    /** Masks the weights as they are now. {@code key} is {@link Masks#NONE} for no mask. */
    void forward(Kernels k, long key) {
        long own = Masks.key(key, PURPOSE);
        float kept = 1 / (1 - rate);
        setup.eachChunk(tensor.rows(), (from, to) -> {
            for (int r = from; r < to; r++) {
                for (int c = 0; c < tensor.columns(); c++) {
                    long counter = (long) r * tensor.columns() + c;
                    float drawn = CounterRandom.uniform(own, counter) < rate ? 0 : kept;
                    mask.memory().setFloat(tensor.position().index(r, c), own == Masks.NONE ? 1 : drawn);
                }
            }
        });
        masked.copyFrom(weights);
        k.multiply(masked, mask);
    }

    /** Masks the gradients of the weights, which are those of the masked ones. */
    void backward(Kernels k) {
        k.multiply(gradients, mask);
    }
}
