package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;

/** Cross-entropy of the outputs of a {@link SampledHeadStage}, the last of which is that of the right class. */
final class SampledSoftmaxLoss extends LossStage {
    private final SampledHeadStage head;
    private final Indices last;

    SampledSoftmaxLoss(SampledHeadStage head, Loss.SampledSoftmax loss) {
        super(head, loss);
        this.head = head;
        this.last = Indices.of(setup.all());
        for (int r = 0; r < last.length(); r++) {
            last.set(r, y.columns() - 1);
        }
    }

    @Override
    void loadTargets(Batch batch) {
        head.load(batch.classes(outputSteps()));
    }

    @Override
    void forward(int from, int to) {
        setup.kernels().crossEntropyForward(y.rows(from, to), last.slice(from, to), losses.rows(from, to));
    }

    @Override
    void backward(int from, int to) {
        setup.kernels().crossEntropyBackward(y.rows(from, to), last.slice(from, to), (float) share());
    }
}
