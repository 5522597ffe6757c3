package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.function.IntToLongFunction;

/**
 * A cell whose U multiplies {@code m * h}, m being a mask of a stream (Gal and Ghahramani 2016). What else a step does with h it does with h
 * itself. Own slots: m, and {@code m * h}. In inference it is the cell itself.
 */
final class RecurrentDropoutCell extends RegularizedCell {
    private static final long PURPOSE = 1;

    private final float rate;

    RecurrentDropoutCell(Cell cell, float rate) {
        super(cell, 2, 1);
        this.rate = rate;
    }

    private Matrix mask(Matrix z) {
        return ofState(z, 0);
    }

    private Matrix seen(Matrix z) {
        return ofState(z, 1);
    }

    @Override
    void drawMasks(long key, IntToLongFunction stream, IntToLongFunction step, Matrix z) {
        super.drawMasks(key, stream, step, z);
        Masks.dropout(Masks.key(key, PURPOSE), rate, stream, mask(z).columns(0, stateSize));
    }

    @Override
    Step step(Views v) {
        Matrix mask = mask(v.z());
        Matrix hSeen = seen(v.z());
        Matrix dhSeen = scratchOfState(v.scratch(), 0);
        Step step = inner.step(new Views(innerSlots(v.z()), v.hPrevious(), hSeen, v.h(), v.cPrevious(), v.c(),
                innerScratch(v.scratch())));
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                hSeen.copyFrom(v.hPrevious());
                k.multiply(hSeen, mask);
                step.forward(k, w);
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                dhSeen.clear();
                step.backward(k, w, new Gradients(g.dh(), g.dhPrevious(), dhSeen, g.dc()));
                k.multiply(dhSeen, mask);
                k.axpy(1, dhSeen, g.dhPrevious());
            }
        };
    }

    @Override
    void recurrentGradient(Kernels k, Matrix hPrevious, Matrix z, CellWeights gradients, int part, int parts) {
        super.recurrentGradient(k, seen(z).columns(0, stateSize), z, gradients, part, parts);
    }
}
