package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.List;

/**
 * The layer-normalised GRU, reset after the product. PyTorch's gates r z n of both products; we call z u:
 *
 * <pre>
 * a = norm(W x) * gain_ih + bias_ih      b = norm(U h) * gain_hh + bias_hh
 * r, u = sigmoid(a + b)      n = tanh(a + r * b)      h' = (1 - u) * n + u * h</pre>
 *
 * Slots n r u m as those of {@link GruCell}: a goes to n r u, and b to r u m.
 */
final class LayerNormGruCell extends LayerNormCell {
    private static final int GATES = 3;
    /** Where r z n stand in a, n r u, and in b, r u m. */
    private static final int[] INPUT_ORDER = {1, 2, 0};
    private static final int[] STATE_ORDER = {0, 1, 2};

    LayerNormGruCell(int inputs, int hidden) {
        super(GATES, inputs, hidden, 1, INPUT_ORDER, STATE_ORDER);
    }

    @Override
    Part part(PartViews v) {
        Matrix hPrevious = v.states().hPrevious();
        return new Part() {
            @Override
            public void forward(Kernels k, List<Matrix> vectors) {
                k.gruForward(v.slots(), hPrevious, v.states().h());
            }

            @Override
            public void backward(Kernels k, List<Matrix> vectors, Gradients g) {
                k.gruBackward(v.slots(), hPrevious, g.dh(), g.dhPrevious());
            }
        };
    }

    @Override
    List<Gate> gateList() {
        return List.of(sigmoid("r", partSlot(1)), sigmoid("z", partSlot(2)), tanh("n", partSlot(0)));
    }

    @Override
    int keptSlots() {
        return 0;
    }
}
