package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * The layer-normalised LSTM (Ba et al. 2016). Slots and gates i f g o, PyTorch's order:
 *
 * <pre>
 * z = norm(W x) * gain_ih + bias_ih + norm(U h) * gain_hh + bias_hh
 * i, f, o = sigmoid(z)      g = tanh(z)
 * c' = f * c + i * g        m = norm(c') * gain_c + bias_c      h' = o * tanh(m)</pre>
 *
 * The cell state that goes on is c', as in the paper; there are implementations in which m goes on.
 */
final class LayerNormLstmCell extends LayerNormCell {
    private static final int GATES = 4;
    private static final int[] ORDER = {0, 1, 2, 3};

    LayerNormLstmCell(int inputs, int hidden) {
        super(GATES, inputs, hidden, 0, ORDER, ORDER);
    }

    /** Two slots: a copy of c', which lies elsewhere in another order, and m, which becomes its gradient. */
    @Override
    int keptSlots() {
        return 2;
    }

    private Matrix cell(Matrix kept) {
        return kept.columns(0, hidden);
    }

    @Override
    Part part(PartViews v) {
        Matrix slots = v.slots();
        Matrix c = v.states().c();
        Matrix cell = cell(v.kept());
        Matrix paddedM = v.kept().columns(padded, 2 * padded);
        Matrix m = paddedM.columns(0, hidden);
        Matrix statistics = Norm.CELL.of(v.statistics());
        return new Part() {
            private final Matrix units = c.columns(0, hidden);

            @Override
            public void forward(Kernels k, List<Matrix> vectors) {
                k.lstmCellForward(slots, v.states().cPrevious(), c);
                cell.copyFrom(units);
                k.layerNormForward(cell, Norm.CELL.gain(vectors), Norm.CELL.bias(vectors), EPSILON, m, statistics);
                k.lstmOutputForward(slots, paddedM, v.states().h());
            }

            @Override
            public void backward(Kernels k, List<Matrix> vectors, Gradients g) {
                Matrix through = v.scratch().columns(0, hidden);
                Matrix noSums = v.scratch().columns(hidden, 3 * hidden).rows(0, 1);
                k.lstmOutputBackward(slots, paddedM, g.dh(), paddedM);
                k.layerNormBackward(cell, Norm.CELL.gain(vectors), statistics, m, through, noSums.columns(0, hidden),
                        noSums.columns(hidden, 2 * hidden));
                k.axpy(1f, through, g.dc().columns(0, hidden));
                k.lstmCellBackward(slots, v.states().cPrevious(), g.dc());
            }
        };
    }

    @Override
    List<Reduction> reductions(Matrix z, Buffers buffers) {
        List<Reduction> reductions = new ArrayList<>(super.reductions(z, buffers));
        Matrix cell = cell(kept(z));
        Matrix dm = kept(z).columns(padded, padded + hidden);
        reductions.add((k, w, gradients) -> k.layerNormBackward(cell, Norm.CELL.gain(w.vectors()),
                Norm.CELL.of(statistics(z)), dm, cell, Norm.CELL.gain(gradients.vectors()),
                Norm.CELL.bias(gradients.vectors())));
        return reductions;
    }

    @Override
    boolean hasCellState() {
        return true;
    }

    @Override
    List<Gate> gateList() {
        return List.of(sigmoid("i", partSlot(0)), sigmoid("f", partSlot(1)), tanh("g", partSlot(2)),
                sigmoid("o", partSlot(3)));
    }

    @Override
    OptionalInt forgetGate() {
        return OptionalInt.of(1);
    }
}
