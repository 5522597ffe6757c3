package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;

/** The simple cell (Elman 1990): {@code h' = f(W x + b_ih + U h + b_hh)}. One slot. */
final class RnnCell extends Cell {
    private final Activation f;

    RnnCell(CellType.Rnn type, int inputs, int hidden) {
        super(1, inputs, hidden, hidden, type.bias());
        this.f = type.activation();
    }

    @Override
    Step step(Views v) {
        Matrix hSeen = v.hSeen().columns(0, hidden);
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                k.multiplyAdd(hSeen, w.recurrent().getFirst(), v.z());
                k.rnnForward(f, v.z(), v.h());
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                k.rnnBackward(f, v.h(), g.dh(), v.z());
                k.multiplyAdd(v.z(), w.recurrent().getFirst(), g.dhSeen());
            }
        };
    }

    @Override
    Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        return (k, sweep) -> k.rnnSteps(f, start, x, w.input(), hPrevious, w.recurrent().getFirst(), sweep,
                h);
    }

    @Override
    List<Gate> gateList() {
        return List.of(output(f));
    }

    @Override
    int slots() {
        return 1;
    }

    @Override
    List<Parameter> parameters(Memory block, long offset, String suffix) {
        return present(
                GateLayout.parameters(weights(block, offset), offset, inputs, hidden, new int[] {0}, new int[] {0},
                        suffix));
    }
}
