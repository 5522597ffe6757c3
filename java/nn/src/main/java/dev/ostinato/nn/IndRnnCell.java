package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import java.util.List;

/**
 * The independently recurrent network (Li et al. 2018): {@code h' = f(W x + b + u * h)}, where u has one weight for each unit. One slot.
 *
 * <p>Nothing bounds u here; the paper keeps |u| below the T-th root of what a gradient may grow to over T steps.
 */
final class IndRnnCell extends Cell {
    private final Activation f;

    IndRnnCell(Activation f, int inputs, int hidden) {
        super(1, inputs, hidden);
        this.f = f;
    }

    private static Matrix u(List<Matrix> vectors) {
        return vectors.getFirst();
    }

    @Override
    Step step(Views v) {
        return new Step() {
            @Override
            public void forward(Kernels k, CellWeights w) {
                k.addScaled(v.hPrevious(), u(w.vectors()), v.z());
                k.rnnForward(f, v.z(), v.h());
            }

            @Override
            public void backward(Kernels k, CellWeights.Transposed w, Gradients g) {
                k.rnnBackward(f, v.h(), g.dh(), v.z());
                k.addScaled(v.z(), u(w.vectors()), g.dhPrevious());
            }
        };
    }

    @Override
    void recurrentGradient(Kernels k, Matrix hPrevious, Matrix z, CellWeights gradients, int part, int parts) {
        int from = share(hidden, part, parts);
        int to = share(hidden, part + 1, parts);
        k.columnDots(hPrevious.columns(from, to), z.columns(from, to), u(gradients.vectors()).columns(from, to));
    }

    @Override
    boolean fused() {
        return false;
    }

    @Override
    StepWeights stepWeights(CellWeights w, Precision precision) {
        return new StepWeights(precision.of(w.input()), List.of(), w.vectors());
    }

    @Override
    Inference inference(StepWeights w, Matrix start, Matrix x, Matrix hPrevious, Matrix c, Matrix h) {
        return eachStep(start, hPrevious, h, (z, before, after) -> (k, sweep) -> {
            k.addScaled(before, u(w.vectors()), z);
            k.rnnForward(f, z, after);
        });
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
    List<TensorShape> shapes(String suffix) {
        return List.of(TensorShape.of("weight_ih" + suffix, hidden, inputs),
                TensorShape.of("weight_hh" + suffix, hidden), TensorShape.of("bias_ih" + suffix, hidden));
    }

    // W, then u, then b.

    @Override
    long floats() {
        return PackedMatrix.floats(inputs, 1, hidden) + 2L * padded;
    }

    @Override
    CellWeights weights(Memory block, long offset) {
        long u = offset + PackedMatrix.floats(inputs, 1, hidden);
        return new CellWeights(PackedMatrix.view(block, offset, inputs, 1, hidden), List.of(),
                GateLayout.row(block, u + padded, padded), Matrix.of(1, 0),
                List.of(GateLayout.row(block, u, padded)));
    }

    @Override
    List<Parameter> parameters(Memory block, long offset, String suffix) {
        CellWeights w = weights(block, offset);
        long u = offset + PackedMatrix.floats(inputs, 1, hidden);
        return List.of(GateLayout.input(w, inputs, hidden, new int[] {0}, suffix),
                Parameter.vector("weight_hh" + suffix, hidden, (r, c) -> u + r),
                Parameter.vector("bias_ih" + suffix, hidden, (r, c) -> u + padded + r));
    }
}
