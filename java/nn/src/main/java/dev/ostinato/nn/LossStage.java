package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;

/** The loss at the end of a network, and the first gradient. */
final class LossStage {
    private final Stage.Setup setup;
    private final Stage top;
    private final Loss loss;
    /** (all, outputs): the outputs, then the softmax or the differences, then the gradient. */
    private final Matrix y;
    private final boolean inPlace;
    private final Matrix losses;
    private final Indices classes;
    private final Matrix values;

    LossStage(Stage top, Loss loss) {
        this.setup = top.setup;
        this.top = top;
        this.loss = loss;
        this.inPlace = top instanceof DenseStage;
        this.y = inPlace ? top.output() : setup.matrix(setup.all(), top.output().columns());
        this.losses = Matrix.wrap(Memory.ofFloats(setup.all()), 0, setup.all(), 1, 1);
        this.classes = Indices.of(setup.all());
        this.values = setup.matrix(loss instanceof Loss.SquaredError ? setup.all() : 0, y.columns());
    }

    /** @throws IndexOutOfBoundsException if a class is outside the outputs */
    void load(Batch batch) {
        switch (loss) {
            case Loss.CrossEntropy ignored -> {
                int[] all = batch.classes(outputSteps());
                for (int r = 0; r < classes.length(); r++) {
                    int at = setup.sequences().element(r);
                    if (all[at] < 0 || all[at] >= y.columns()) {
                        throw new IndexOutOfBoundsException(
                                "class " + at + ": expected 0.." + (y.columns() - 1) + ", got " + all[at]);
                    }
                    classes.set(r, all[at]);
                }
            }
            case Loss.SquaredError ignored -> {
                float[] all = batch.values(outputSteps(), values.columns());
                for (int r = 0; r < values.rows(); r++) {
                    values.setRow(r, all, setup.sequences().element(r) * values.columns());
                }
            }
        }
    }

    /** Returns the T of the outputs: 1 behind a pooling layer. */
    private int outputSteps() {
        return setup.sequences().steps();
    }

    /** Returns the loss of the batch, and leaves in y what {@link #backward} begins with. */
    double forward() {
        top.eachChunk((from, to) -> {
            Matrix rows = y.rows(from, to);
            if (!inPlace) {
                rows.copyFrom(top.output().rows(from, to));
            }
            switch (loss) {
                case Loss.CrossEntropy ignored ->
                        setup.kernels().crossEntropyForward(rows, classes.slice(from, to), losses.rows(from, to));
                case Loss.SquaredError squared -> {
                    double perRow = (squared.half() ? 0.5 : 1.0) / y.columns();
                    setup.kernels().squaredError(rows, values.rows(from, to), losses.rows(from, to), (float) perRow,
                            (float) (2 * perRow * share()));
                }
            }
        });
        double sum = 0;
        for (int r = 0; r < losses.rows(); r++) {
            sum += losses.get(r, 0);
        }
        return sum * share();
    }

    /** Writes the gradient of the outputs into the stage below. */
    void backward() {
        top.eachChunk((from, to) -> {
            Matrix rows = y.rows(from, to);
            if (loss instanceof Loss.CrossEntropy) {
                setup.kernels().crossEntropyBackward(rows, classes.slice(from, to), (float) share());
            }
            if (!inPlace) {
                top.outputGradient().rows(from, to).columns(0, y.columns()).copyFrom(rows);
            }
        });
    }

    /** The weight of one row's loss in that of the batch. */
    private double share() {
        return 1.0 / (loss.summedOverTime() ? setup.sequences().rows() : setup.all());
    }
}
