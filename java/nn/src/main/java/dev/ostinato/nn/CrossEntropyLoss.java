package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;

/** Softmax cross-entropy without options. */
final class CrossEntropyLoss extends LossStage {
    private final Indices classes;

    CrossEntropyLoss(Stage top, Loss loss) {
        super(top, loss);
        this.classes = Indices.of(setup.all());
    }

    static boolean isPlain(Loss.CrossEntropy loss) {
        return loss.labelSmoothing() == 0 && loss.classWeights().isEmpty() && loss.ignoredClass().isEmpty();
    }

    @Override
    void loadTargets(Batch batch) {
        int[] all = batch.classes(outputSteps());
        for (int r = 0; r < classes.length(); r++) {
            classes.set(r, checked(all, setup.sequences().element(r), y.columns()));
        }
    }

    @Override
    void forward(int from, int to) {
        setup.kernels().crossEntropyForward(y.rows(from, to), classes.slice(from, to), losses.rows(from, to));
    }

    @Override
    void backward(int from, int to) {
        setup.kernels().crossEntropyBackward(y.rows(from, to), classes.slice(from, to), (float) share());
    }
}
