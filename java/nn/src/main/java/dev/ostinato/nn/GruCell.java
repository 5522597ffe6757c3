package dev.ostinato.nn;

import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;

/**
 * Gated recurrent unit, reset after the product (PyTorch, cuDNN, ONNX with linear_before_reset). Slots n r u m; PyTorch calls u z and
 * orders its gates r z n:
 *
 * <pre>
 * r, u = sigmoid(W x + b_ih + U h + b_hh)         m = U h + b_hh
 * n = tanh(W x + b_ih + r * m)                    h' = (1 - u) * n + u * h</pre>
 *
 * W fills the slots n r u and U the slots r u m, so that each is a run of three.
 */
final class GruCell extends Cell {
    private static final int GATES = 3;
    /** Where PyTorch's r z n stand among the gates n r u of W, and among the gates r u m of U. */
    private static final int[] INPUT_ORDER = {1, 2, 0};
    private static final int[] RECURRENT_ORDER = {0, 1, 2};

    private final GruVariant variant;

    GruCell(CellType.Gru type, int inputs, int hidden) {
        super(GATES, inputs, hidden, hidden, type.bias());
        this.variant = type.variant();
    }

    @Override
    Step step(Views v) {
        Matrix hSeen = v.hSeen().columns(0, hidden);
        Matrix fromState = recurrentSlots(v.z());
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                k.multiplyAdd(hSeen, w.recurrent().getFirst(), fromState);
                k.gruForward(variant, v.z(), v.hPrevious(), v.h());
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                k.gruBackward(variant, v.z(), v.hPrevious(), g.dh(), g.dhPrevious());
                k.multiplyAdd(fromState, w.recurrent().getFirst(), g.dhSeen());
            }
        };
    }

    @Override
    Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        return (k, sweep) -> k.gruSteps(variant, start, x, w.input(), hPrevious, w.recurrent().getFirst(), sweep, h);
    }

    @Override
    List<Gate> gateList() {
        return List.of(gate("r", variant.gates(), 1), gate("z", variant.gates(), 2), gate("n", variant.candidate(), 0));
    }

    @Override
    int slots() {
        return 4;
    }

    @Override
    Matrix recurrentSlots(Matrix z) {
        return z.columns(padded, (1 + GATES) * padded);
    }

    @Override
    List<Parameter> parameters(Memory block, long offset, String suffix) {
        return present(GateLayout.parameters(weights(block, offset), offset, inputs, hidden, INPUT_ORDER,
                RECURRENT_ORDER, suffix));
    }
}
