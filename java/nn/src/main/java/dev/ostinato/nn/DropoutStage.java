package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/**
 * Dropout (Srivastava et al. 2014), scaled in training. The mask is a function of seed, step, layer, row and unit, so that threads have no
 * influence on it.
 */
final class DropoutStage extends Stage {
    private final Stage below;
    private final float rate;
    private final long layer;
    private final Matrix mask;
    private final Matrix y;
    private boolean active;

    DropoutStage(Setup setup, Blueprint.Place place, Stage below) {
        super(setup);
        this.below = below;
        this.rate = ((Layer.Dropout) place.layer()).rate();
        this.layer = place.index();
        this.mask = setup.matrix(setup.all(), Matrix.padded(place.layer().outputs()));
        this.y = setup.matrix(setup.all(), place.layer().outputs());
    }

    @Override
    void forward(long dropoutKey) {
        active = dropoutKey != 0;
        eachChunk((from, to) -> {
            y.rows(from, to).copyFrom(below.output().rows(from, to));
            if (active) {
                drawMask(CounterRandom.key(dropoutKey, layer), from, to);
                k.multiply(y.rows(from, to), mask.rows(from, to).columns(0, y.columns()));
            }
        });
    }

    private void drawMask(long key, int from, int to) {
        float kept = 1 / (1 - rate);
        for (int r = from; r < to; r++) {
            for (int j = 0; j < y.columns(); j++) {
                long unit = (long) setup.sequences().step(r) * y.columns() + j;
                mask.set(r, j, CounterRandom.uniform(key, unit) < rate ? 0f : kept);
            }
        }
    }

    @Override
    void backward() {
        if (active && wantsGradient()) {
            eachChunk((from, to) -> k.multiply(outputGradient().rows(from, to), mask.rows(from, to)));
        }
    }

    @Override
    Matrix output() {
        return y;
    }

    /** The gradient of the stage below is the same memory: it is masked in place. */
    @Override
    Matrix outputGradient() {
        return below.outputGradient();
    }

    @Override
    boolean wantsGradient() {
        return below.wantsGradient();
    }

    @Override
    void clearGradient() {
    }
}
