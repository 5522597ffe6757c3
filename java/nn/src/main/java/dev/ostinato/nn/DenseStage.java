package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;

/** y = x W + b on every row. */
final class DenseStage extends Stage {
    private final Stage below;
    private final PackedMatrix w;
    private final Matrix bias;
    private final PackedMatrix dw;
    private final Matrix dBias;
    private final PackedMatrix transposed;
    private final Matrix y;
    private final Matrix dy;
    private final int outputs;

    /** @param last whether nothing but the loss comes behind, which turns the output into its gradient in place */
    DenseStage(Setup setup, Blueprint.Place place, Stage below, boolean last) {
        super(setup);
        this.below = below;
        DenseTensors tensors = DenseTensors.of(place);
        this.w = tensors.weights(setup.weights());
        this.bias = tensors.bias(setup.weights());
        this.dw = tensors.weights(setup.gradients());
        this.dBias = tensors.bias(setup.gradients());
        this.transposed = setup.buffers().packed(w.outputs(), 1, w.inputs());
        this.outputs = place.layer().outputs();
        this.y = setup.matrix(setup.all(), w.outputs());
        this.dy = last ? y : setup.matrix(setup.all(), w.outputs());
    }

    @Override
    void forward(long dropoutKey) {
        eachChunk((from, to) -> {
            k.fillRows(bias, y.rows(from, to));
            k.multiplyAdd(below.output().rows(from, to), w, y.rows(from, to));
        });
    }

    @Override
    void backward() {
        int parts = setup.team().threads();
        setup.team().run(parts + 1, part -> {
            if (part < parts) {
                Cell.gradientShare(k, below.output(), dy, dw, part, parts);
            } else {
                k.columnSums(dy, dBias);
            }
        });
        if (below.wantsGradient()) {
            w.transposeInto(transposed);
            eachChunk(
                    (from, to) -> k.multiplyAdd(dy.rows(from, to), transposed, below.outputGradient().rows(from, to)));
        }
    }

    @Override
    Matrix output() {
        return y.columns(0, outputs);
    }

    @Override
    Matrix outputGradient() {
        return dy;
    }

    @Override
    boolean endsInPlace() {
        return dy == y;
    }

    @Override
    void clearGradient() {
        if (!endsInPlace()) {
            super.clearGradient();
        }
    }
}
