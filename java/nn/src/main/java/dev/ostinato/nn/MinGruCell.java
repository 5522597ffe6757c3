package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import java.util.List;

/**
 * The minimal gated recurrent unit (Feng et al. 2024), as it runs step by step. Slots and gates z n:
 *
 * <pre>
 * z = sigmoid(W_z x + b_z)      n = W_n x + b_n      h' = (1 - z) * h + z * n</pre>
 *
 * No product has the state in it.
 */
final class MinGruCell extends Cell {
    private static final int GATES = 2;
    private static final int[] ORDER = {0, 1};

    MinGruCell(int inputs, int hidden) {
        super(GATES, inputs, hidden);
    }

    @Override
    Step step(Views v) {
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                k.minGruForward(v.z(), v.hPrevious(), v.h());
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                k.minGruBackward(v.z(), v.hPrevious(), g.dh(), g.dhPrevious());
            }
        };
    }

    @Override
    void recurrentGradient(Kernels k, Matrix hPrevious, Matrix z, CellWeights gradients, int part, int parts) {
    }

    @Override
    boolean fused() {
        return false;
    }

    @Override
    StepWeights stepWeights(CellWeights w, Precision precision) {
        return new StepWeights(precision.of(w.input()), List.of(), List.of());
    }

    @Override
    Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        return eachStep(start, hPrevious, h,
                (z, before, after) -> (k, sweep) -> k.minGruForward(z, before, after));
    }

    @Override
    List<Gate> gateList() {
        double unbounded = Double.POSITIVE_INFINITY;
        return List.of(sigmoid("z", 0), new Gate("n", -unbounded, unbounded, (z, h) -> slot(z, 1)));
    }

    @Override
    int slots() {
        return GATES;
    }

    @Override
    List<TensorShape> shapes(String suffix) {
        long rows = Math.multiplyFull(GATES, hidden);
        return List.of(TensorShape.of("weight_ih" + suffix, rows, inputs), TensorShape.of("bias_ih" + suffix, rows));
    }

    // W, then b.

    @Override
    long floats() {
        return PackedMatrix.floats(inputs, GATES, hidden) + GATES * (long) padded;
    }

    @Override
    CellWeights weights(Memory block, long offset) {
        long bias = offset + PackedMatrix.floats(inputs, GATES, hidden);
        return new CellWeights(PackedMatrix.view(block, offset, inputs, GATES, hidden), List.of(),
                GateLayout.row(block, bias, GATES * padded), Matrix.of(1, 0));
    }

    @Override
    List<Parameter> parameters(Memory block, long offset, String suffix) {
        long bias = offset + PackedMatrix.floats(inputs, GATES, hidden);
        return List.of(GateLayout.input(weights(block, offset), inputs, hidden, ORDER, suffix), Parameter.vector(
                "bias_ih" + suffix, GATES * hidden, (r, c) -> bias + (long) (r / hidden) * padded + r % hidden));
    }
}
