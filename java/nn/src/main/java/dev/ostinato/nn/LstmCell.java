package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;
import java.util.OptionalInt;

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000). Slots and gates i f g o,
 * PyTorch's order:
 *
 * <pre>
 * i, f, o = sigmoid(W x + b_ih + U h + b_hh)      g = tanh(W x + b_ih + U h + b_hh)
 * c' = f * c + i * g                              h' = o * tanh(c')</pre>
 */
final class LstmCell extends Cell {
    private static final int GATES = 4;
    private static final int[] ORDER = {0, 1, 2, 3};

    LstmCell(int inputs, int hidden) {
        super(GATES, inputs, hidden);
    }

    @Override
    Step step(Views v) {
        Matrix hPrevious = v.hPrevious().columns(0, hidden);
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                k.multiplyAdd(hPrevious, w.recurrent().getFirst(), v.z());
                k.lstmForward(v.z(), v.cPrevious(), v.c(), v.h());
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                k.lstmBackward(v.z(), v.cPrevious(), v.c(), g.dh(), g.dc());
                k.multiplyAdd(v.z(), w.recurrent().getFirst(), g.dhPrevious());
            }
        };
    }

    @Override
    Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        return (k, sweep) -> k.lstmSteps(start, x, w.input(), hPrevious, w.recurrent().getFirst(), sweep, c,
                h);
    }

    @Override
    int slots() {
        return GATES;
    }

    @Override
    boolean hasCellState() {
        return true;
    }

    @Override
    List<Gate> gateList() {
        return List.of(sigmoid("i", 0), sigmoid("f", 1), tanh("g", 2), sigmoid("o", 3));
    }

    @Override
    OptionalInt forgetGate() {
        return OptionalInt.of(1);
    }

    @Override
    List<Parameter> parameters(Memory block, long offset, String suffix) {
        return GateLayout.parameters(weights(block, offset), offset, inputs, hidden, ORDER, ORDER, suffix);
    }
}
