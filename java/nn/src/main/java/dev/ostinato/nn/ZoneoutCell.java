package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.function.IntToLongFunction;

/**
 * A cell whose units keep what they had now and then (Krueger et al. 2017). With h~ and c~ the new states of the cell, which sees its own c~
 * alone:
 *
 * <pre>
 * h' = d_h * h + (1 - d_h) * h~      c' = d_c * c + (1 - d_c) * c~</pre>
 *
 * In training d is 0 or 1, drawn for each step and unit, in inference its expectation. Own slots: h~, d_h and 1 - d_h, then those of c. There is no
 * kernel for whole steps.
 */
final class ZoneoutCell extends RegularizedCell {
    /** Slots of each state: what the cell makes of it, d and 1 - d. */
    private static final int SLOTS = 3;
    private static final long PURPOSE = 2;
    private static final long CELL_PURPOSE = 3;

    private final float rate;
    private final float cellRate;

    ZoneoutCell(Cell cell, float rate, float cellRate) {
        super(cell, cell.hasCellState() ? 2 * SLOTS : SLOTS, 3);
        this.rate = rate;
        this.cellRate = cellRate;
    }

    @Override
    void drawMasks(long key, IntToLongFunction stream, IntToLongFunction step, Matrix z) {
        super.drawMasks(key, stream, step, z);
        draw(Masks.key(key, PURPOSE), rate, step, ofState(z, 1).columns(0, stateSize),
                ofState(z, 2).columns(0, stateSize));
        if (hasCellState()) {
            draw(Masks.key(key, CELL_PURPOSE), cellRate, step, ofUnits(z, SLOTS + 1).columns(0, hidden),
                    ofUnits(z, SLOTS + 2).columns(0, hidden));
        }
    }

    private static void draw(long key, float rate, IntToLongFunction step, Matrix keeps, Matrix moves) {
        Masks.choice(key, rate, step, keeps);
        for (int r = 0; r < keeps.rows(); r++) {
            for (int j = 0; j < keeps.columns(); j++) {
                moves.set(r, j, 1 - keeps.get(r, j));
            }
        }
    }

    /**
     * A state between what it was and what the cell makes of it.
     *
     * @param fresh what the cell makes of it
     * @param keeps d
     * @param moves 1 - d
     * @param scratch dead after each call
     */
    private record Mix(Matrix previous, Matrix fresh, Matrix keeps, Matrix moves, Matrix state, Matrix scratch) {
        void forward(Kernels k) {
            state.copyFrom(fresh);
            k.multiply(state, moves);
            addKept(k, previous, state);
            k.rnnForward(Activation.IDENTITY, state, state); // flushes
        }

        /** {@code target += d * x}. */
        void addKept(Kernels k, Matrix x, Matrix target) {
            scratch.copyFrom(x);
            k.multiply(scratch, keeps);
            k.axpy(1, scratch, target);
        }
    }

    @Override
    Step step(Views v) {
        Matrix z = v.z();
        Mix h = new Mix(v.hPrevious(), ofState(z, 0), ofState(z, 1), ofState(z, 2), v.h(),
                scratchOfState(v.scratch(), 0));
        Mix c = hasCellState()
                ? new Mix(v.cPrevious(), ofUnits(z, SLOTS), ofUnits(z, SLOTS + 1), ofUnits(z, SLOTS + 2), v.c(),
                        scratchOfUnits(v.scratch(), 0))
                : h;
        Matrix dFresh = scratchOfState(v.scratch(), 1);
        Matrix dKept = scratchOfUnits(v.scratch(), 2);
        Step step = inner.step(new Views(innerSlots(z), v.hPrevious(), v.hSeen(), h.fresh(), v.cPrevious(), c.fresh(),
                innerScratch(v.scratch())));
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                step.forward(k, w);
                h.forward(k);
                if (hasCellState()) {
                    c.forward(k);
                }
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                dFresh.copyFrom(g.dh());
                k.multiply(dFresh, h.moves());
                if (hasCellState()) {
                    dKept.copyFrom(g.dc());
                    k.multiply(dKept, c.keeps());
                    k.multiply(g.dc(), c.moves());
                }
                step.backward(k, w, new Gradients(dFresh, g.dhPrevious(), g.dhSeen(), g.dc()));
                if (hasCellState()) {
                    k.axpy(1, dKept, g.dc());
                }
                h.addKept(k, g.dh(), g.dhPrevious());
            }
        };
    }

    // Inference

    @Override
    boolean fused() {
        return false;
    }

    @Override
    boolean hasSecondSweep() {
        return false;
    }

    @Override
    Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        int rows = hPrevious.rows();
        Matrix noInputs = x.rows(0, rows);
        Matrix cPrevious = Matrix.of(hasCellState() ? rows : 0, padded);
        return eachStep(start, hPrevious, h, (z, before, after) -> {
            Inference step =
                    inner.allSweeps(w, z, noInputs, before, hasCellState() ? c : after, after);
            return (k, sweep) -> {
                if (hasCellState()) {
                    cPrevious.copyFrom(c);
                }
                step.run(k, sweep);
                mix(k, rate, before, after);
                if (hasCellState()) {
                    mix(k, cellRate, cPrevious, c);
                }
            };
        });
    }

    /** {@code state = rate * previous + (1 - rate) * state}. */
    private static void mix(Kernels k, float rate, Matrix previous, Matrix state) {
        k.scale(state, 1 - rate);
        k.axpy(rate, previous, state);
        k.rnnForward(Activation.IDENTITY, state, state); // flushes
    }
}
