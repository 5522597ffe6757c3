package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/**
 * Dropout (Srivastava et al. 2014), scaled in training, with a mask for each step of a stream or for all of them. A mask is a function of
 * seed, step of training, layer, row and unit, so that threads have no influence on it.
 */
final class DropoutStage extends Stage {
    private final Stage below;
    private final Layer.Dropout layer;
    private final int index;
    private final Matrix mask;
    private final Matrix y;
    private boolean active;

    DropoutStage(Setup setup, Blueprint.Place place, Stage below) {
        super(setup);
        this.below = below;
        this.layer = (Layer.Dropout) place.layer();
        this.index = place.index();
        this.mask = setup.matrix(setup.all(), Matrix.padded(place.layer().outputs()));
        this.y = setup.matrix(setup.all(), place.layer().outputs());
    }

    @Override
    void forward(long dropoutKey) {
        active = dropoutKey != Masks.NONE;
        eachChunk((from, to) -> {
            y.rows(from, to).copyFrom(below.output().rows(from, to));
            if (active) {
                Matrix drawn = mask.rows(from, to).columns(0, y.columns());
                Masks.dropout(Masks.key(dropoutKey, index), layer.rate(), r -> number(from + r), drawn);
                k.multiply(y.rows(from, to), drawn);
            }
        });
    }

    /** Returns what a row has its mask for. */
    private long number(int row) {
        int step = setup.sequences().step(row);
        return switch (layer.scope()) {
            case STEP -> step;
            case STREAM -> step % setup.sequences().rows();
        };
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
