package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/** The loss at the end of a network, and the first gradient. Each family of losses is a class. */
abstract class LossStage {
    final Stage.Setup setup;
    /** (all, outputs): the outputs, then what {@link #backward} begins with, then the gradient. */
    final Matrix y;
    /** (outputs that have a loss, 1): their losses, which {@link #weight} divides. */
    final Matrix losses;
    private final Stage top;
    private final Loss.Reduction reduction;
    /** The first step whose outputs count, and the number of rows that do. */
    private int firstCounted;
    private int counted;

    /** @param losses the number of outputs that have a loss of their own */
    LossStage(Stage top, Loss loss, int losses) {
        this.setup = top.setup;
        this.top = top;
        this.reduction = loss.reduction();
        this.counted = whole().total();
        this.y = top.endsInPlace() ? top.output() : setup.matrix(setup.all(), top.output().columns());
        this.losses = Matrix.wrap(Memory.ofFloats(losses), 0, losses, 1, 1);
    }

    /** As the other, with a loss for each row. */
    LossStage(Stage top, Loss loss) {
        this(top, loss, top.setup.all());
    }

    static LossStage of(Stage top, Loss loss) {
        return switch (loss) {
            case Loss.CrossEntropy entropy -> CrossEntropyLoss.isPlain(entropy)
                    ? new CrossEntropyLoss(top, entropy)
                    : new WeightedCrossEntropyLoss(top, entropy);
            case Loss.SquaredError squared -> new SquaredErrorLoss(top, squared);
            case Loss.AbsoluteError absolute -> DifferenceLoss.absolute(top, absolute);
            case Loss.Huber huber -> DifferenceLoss.huber(top, huber);
            case Loss.BinaryCrossEntropy binary -> new BinaryCrossEntropyLoss(top, binary);
            case Loss.Ctc ctc -> new CtcLoss(top, ctc);
            case Loss.SampledSoftmax sampled -> top instanceof SampledHeadStage head
                    ? new SampledSoftmaxLoss(head, sampled)
                    : new CrossEntropyLoss(top, sampled);
        };
    }

    /** @throws IllegalArgumentException if a model cannot be trained with a loss */
    static void check(Blueprint blueprint, Loss loss) {
        int outputs = blueprint.layers().getLast().outputs();
        switch (loss) {
            case Loss.CrossEntropy entropy -> checkWeights("class weights", entropy.classWeights(), outputs);
            case Loss.BinaryCrossEntropy binary -> checkWeights("positive weights", binary.positiveWeights(), outputs);
            case Loss.Ctc ctc -> checkCtc(blueprint, ctc, outputs);
            case Loss.SampledSoftmax sampled -> checkSampled(blueprint.layers().getLast(), sampled, outputs);
            case Loss.SquaredError _ -> {
            }
            case Loss.AbsoluteError _ -> {
            }
            case Loss.Huber _ -> {
            }
        }
    }

    private static void checkCtc(Blueprint blueprint, Loss.Ctc loss, int outputs) {
        if (blueprint.pools()) {
            throw new IllegalArgumentException(
                    "ctc: expected an output for each step, got a model that pools: " + blueprint.layers());
        }
        if (loss.blank() >= outputs) {
            throw new IllegalArgumentException("blank: expected 0.." + (outputs - 1) + ", got " + loss.blank());
        }
    }

    private static void checkSampled(Layer last, Loss.SampledSoftmax loss, int outputs) {
        if (!(last instanceof Layer.Dense)) {
            throw new IllegalArgumentException("sampled softmax: expected a dense layer at the end, got " + last);
        }
        if (loss.samples() >= outputs) {
            throw new IllegalArgumentException("samples: expected 1.." + (outputs - 1) + ", got " + loss.samples());
        }
    }

    private static void checkWeights(String name, List<Double> weights, int outputs) {
        if (!weights.isEmpty() && weights.size() != outputs) {
            throw new IllegalArgumentException(
                    name + ": expected " + outputs + ", as the model has outputs, got " + weights.size());
        }
    }

    /**
     * Takes the targets of a batch.
     *
     * @throws IllegalArgumentException if they do not fit the loss
     * @throws IndexOutOfBoundsException if a class is outside the outputs
     */
    final void load(Batch batch) {
        if (batch.counted() > 0 && !hasLossOfEachStep(batch)) {
            throw new IllegalArgumentException(
                    "counting from " + batch.counted() + ": expected a loss of each step, got one of each stream");
        }
        firstCounted = batch.counted();
        counted = firstCounted == 0 ? whole().total() : 0;
        for (int r = 0; r < whole().total() && firstCounted > 0; r++) {
            counted += counts(whole(), r) ? 1 : 0;
        }
        loadTargets(batch);
        loadWeight(batch);
    }

    private boolean hasLossOfEachStep(Batch batch) {
        return losses.rows() == setup.all() && outputSteps() == batch.steps();
    }

    /** Returns all outputs of the batch, of which these are some or all. */
    final Sequences whole() {
        return setup.segment().whole();
    }

    /** Returns whether the loss of a row counts. */
    final boolean counts(Sequences sequences, int row) {
        return firstCounted == 0 || sequences.step(row) / sequences.rows() >= firstCounted;
    }

    private void eachNotCounted(int from, int to, IntConsumer body) {
        for (int r = from; r < to; r++) {
            if (!counts(setup.sequences(), r)) {
                body.accept(r);
            }
        }
    }

    /** Takes the targets of the rows, of a batch that was loaded before. */
    abstract void loadTargets(Batch batch);

    /** Takes what {@link #weight} is of, from the whole batch. */
    void loadWeight(Batch batch) {
    }

    /** Overwrites rows of {@link #y}, which are outputs, and of {@link #losses}. */
    abstract void forward(int from, int to);

    /** Overwrites rows of {@link #y} with the gradient, where {@link #forward(int, int)} has not done so. */
    void backward(int from, int to) {
    }

    /** Does what takes more than one row, after {@link #forward(int, int)} of all. */
    void forwardTogether() {
    }

    /** Returns what divides the sum of the losses of all outputs of the batch. */
    double weight() {
        return reduction == Loss.Reduction.SUM ? setup.sequences().rows() : counted;
    }

    /** Returns the weight of one row's loss in that of the batch. */
    final double share() {
        double weight = weight();
        return weight == 0 ? 0 : 1 / weight;
    }

    /** Computes the losses of the rows, and leaves in y what {@link #backward()} begins with. */
    final void forward() {
        top.eachChunk((from, to) -> {
            if (!top.endsInPlace()) {
                y.rows(from, to).copyFrom(top.output().rows(from, to));
            }
            forward(from, to);
            eachNotCounted(from, to, r -> losses.set(r, 0, 0));
        });
        forwardTogether();
    }

    /** Returns a sum with the losses of the rows behind it. */
    final double addTo(double sum) {
        double total = sum;
        for (int r = 0; r < losses.rows(); r++) {
            total += losses.get(r, 0);
        }
        return total;
    }

    /** Returns how many losses the arrays of a batch have room for. */
    int outputs() {
        return outputSteps() * setup.sequences().rows();
    }

    /** Copies the losses to where the targets are in the arrays of a batch. */
    void copyTo(float[] all) {
        for (int r = 0; r < losses.rows(); r++) {
            all[setup.sequences().element(r)] = losses.get(r, 0);
        }
    }

    /** Writes the gradient of the outputs into the stage below. */
    final void backward() {
        top.eachChunk((from, to) -> {
            backward(from, to);
            eachNotCounted(from, to, r -> y.rows(r, r + 1).clear());
            if (!top.endsInPlace()) {
                top.outputGradient().rows(from, to).columns(0, y.columns()).copyFrom(y.rows(from, to));
            }
        });
    }

    /** Returns the T of the outputs: 1 behind a pooling layer. */
    final int outputSteps() {
        return setup.sequences().steps();
    }

    /** Returns weights as they are, or so many of 1 for none. */
    static double[] weights(List<Double> weights, int count) {
        double[] all = new double[count];
        Arrays.setAll(all, i -> weights.isEmpty() ? 1 : weights.get(i));
        return all;
    }

    /** Copies targets, one row of the batch after another, into packed rows. */
    final void loadRows(float[] all, Matrix targets) {
        for (int r = 0; r < targets.rows(); r++) {
            targets.setRow(r, all, setup.sequences().element(r) * targets.columns());
        }
    }

    /** Returns the class of the batch at a place, one of so many. */
    static int checked(int[] classes, int at, int count) {
        if (classes[at] < 0 || classes[at] >= count) {
            throw new IndexOutOfBoundsException(
                    "class " + at + ": expected 0.." + (count - 1) + ", got " + classes[at]);
        }
        return classes[at];
    }
}
