package dev.ostinato.nn;

import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import java.util.List;

/**
 * Gated recurrent unit, reset before the product (Cho et al. 2014, ONNX's default). Slots r u n s; gates in files r z n:
 *
 * <pre>
 * r, u = sigmoid(W x + b_ih + U h + b_hh)         s = r * h
 * n = tanh(W x + b_ih + U s + b_hh)               h' = (1 - u) * n + u * h</pre>
 *
 * A step takes two sweeps over the recurrent weights, which are packed apart: r and u, then n.
 */
final class GruResetBeforeCell extends Cell {
    private static final int GATES = 3;

    private final GruVariant variant;

    GruResetBeforeCell(CellType.Gru type, int inputs, int hidden) {
        super(GATES, inputs, hidden, hidden, type.bias());
        this.variant = type.variant();
    }

    @Override
    Step step(Views v) {
        Matrix hSeen = v.hSeen().columns(0, hidden);
        Matrix gates = v.z().columns(0, 2 * padded);
        Matrix candidate = v.z().columns(2 * padded, 3 * padded);
        Matrix resetState = v.z().columns(3 * padded, 3 * padded + hidden);
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                k.multiplyAdd(hSeen, w.recurrent().getFirst(), gates);
                k.gruResetForward(variant, v.z(), v.hSeen());
                k.multiplyAdd(resetState, w.recurrent().getLast(), candidate);
                k.gruMixForward(variant, v.z(), v.hPrevious(), v.h());
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                k.gruMixBackward(variant, v.z(), v.hPrevious(), g.dh(), g.dhPrevious());
                v.scratch().clear();
                k.multiplyAdd(candidate, w.recurrent().getLast(), v.scratch());
                k.gruResetBackward(variant, v.z(), v.hSeen(), v.scratch(), g.dhSeen());
                k.multiplyAdd(gates, w.recurrent().getFirst(), g.dhSeen());
            }
        };
    }

    @Override
    boolean fused() {
        return false;
    }

    @Override
    StepWeights stepWeights(CellWeights w, Precision precision) {
        return new StepWeights(precision.of(w.input()), w.recurrent().stream().map(precision::of).toList(),
                w.vectors());
    }

    @Override
    Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        return eachStep(start, hPrevious, h, (z, before, after) -> oneStep(w, z, before, after));
    }

    private Inference oneStep(StepWeights w, Matrix z, Matrix hPrevious, Matrix h) {
        Product gates = new Product(hPrevious.columns(0, hidden), w.recurrent().getFirst(), variant.stateScaling(),
                z.columns(0, 2 * padded));
        Product candidate = new Product(z.columns(3 * padded, 3 * padded + hidden), w.recurrent().getLast(),
                variant.stateScaling(), z.columns(2 * padded, 3 * padded));
        return (k, sweep) -> {
            gates.run(k);
            k.gruResetForward(variant, z, hPrevious);
            candidate.run(k);
            k.gruMixForward(variant, z, hPrevious, h);
        };
    }

    @Override
    void recurrentGradient(Kernels k, Matrix hPrevious, Matrix z, CellWeights gradients, int part, int parts) {
        Matrix resetState = z.columns(3 * padded, 3 * padded + hidden);
        gradientShare(k, hPrevious, z.columns(0, 2 * padded), gradients.recurrent().getFirst(), part, parts);
        gradientShare(k, resetState, z.columns(2 * padded, 3 * padded), gradients.recurrent().getLast(), part, parts);
    }

    @Override
    List<Gate> gateList() {
        return List.of(gate("r", variant.gates(), 0), gate("z", variant.gates(), 1), gate("n", variant.candidate(), 2));
    }

    @Override
    int slots() {
        return 4;
    }

    @Override
    CellWeights weights(Memory block, long offset) {
        // The same floats in all as the interleaved layout: W, then U of r and u, then U of n.
        long gates = offset + PackedMatrix.floats(inputs, GATES, hidden);
        long candidate = gates + PackedMatrix.floats(hidden, 2, hidden);
        return new CellWeights(PackedMatrix.view(block, offset, inputs, GATES, hidden),
                List.of(PackedMatrix.view(block, gates, hidden, 2, hidden),
                        PackedMatrix.view(block, candidate, hidden, 1, hidden)),
                GateLayout.bias(block, offset, inputs, hidden, GATES, 0),
                GateLayout.bias(block, offset, inputs, hidden, GATES, 1));
    }

    @Override
    List<Parameter> parameters(Memory block, long offset, String suffix) {
        CellWeights w = weights(block, offset);
        int rows = GATES * hidden;
        PackedMatrix gates = w.recurrent().getFirst();
        PackedMatrix candidate = w.recurrent().getLast();
        int[] order = {0, 1, 2};
        return present(List.of(GateLayout.input(w, inputs, hidden, order, suffix),
                Parameter.matrix("weight_hh" + suffix, rows, hidden, (r, c) -> r < 2 * hidden
                        ? gates.index(c, r / hidden, r % hidden)
                        : candidate.index(c, 0, r % hidden)),
                GateLayout.bias(offset, inputs, hidden, order, 0, "bias_ih" + suffix),
                GateLayout.bias(offset, inputs, hidden, order, 1, "bias_hh" + suffix)));
    }
}
