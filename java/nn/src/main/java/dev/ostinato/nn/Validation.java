package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import org.jspecify.annotations.Nullable;

/**
 * How well a model does over batches that it is not trained on: the mean loss, and metrics. There is no dropout, and batch norm uses what it has
 * learned. The state of the streams goes on from one batch to the next until {@link #resetState}, as it does in a {@link Trainer}.
 *
 * <pre>{@code
 * ClassificationMetrics metrics = ClassificationMetrics.of(model.outputs());
 * try (Validation validation = Validation.of(model, Loss.crossEntropy(), 1)) {
 *     for (Batch batch : batches) {
 *         validation.add(batch, metrics);
 *         validation.resetState();
 *     }
 *     System.out.println(validation.loss() + ", F1 " + metrics.macroF1());
 * }
 * }</pre>
 *
 * <p>The threads make no difference to any result. Used by one thread at a time; its helper threads live until {@link #close}.
 */
public final class Validation implements AutoCloseable {
    private final Model model;
    /** Whose decoder the model is, if it is one. */
    private final @Nullable EncoderDecoder pair;
    private final Loss loss;
    private final Team team;
    private final Buffers buffers = new Buffers();
    private @Nullable State state;
    private @Nullable Outputs outputs;
    private @Nullable LossStage lossOfOutputs;
    private double total;
    private double weight;

    private Validation(Model model, @Nullable EncoderDecoder pair, Loss loss, int threads) {
        LossStage.check(model.blueprint(), loss);
        this.model = model;
        this.pair = pair;
        this.loss = loss;
        this.team = Team.sleeping(threads);
    }

    /**
     * Begins with nothing.
     *
     * @param threads the number of threads, the caller's included
     * @throws IllegalArgumentException if there is no thread or the loss does not fit the model
     */
    public static Validation of(Model model, Loss loss, int threads) {
        return new Validation(model, null, loss, threads);
    }

    /** As {@link #of(Model, Loss, int)}, for batches with a source, with teacher forcing. Every batch begins anew. */
    public static Validation of(EncoderDecoder model, Loss loss, int threads) {
        return new Validation(model.decoder(), model, loss, threads);
    }

    /**
     * Runs the model over a batch.
     *
     * @param metrics which the outputs and targets are added to as well
     * @return the loss of the batch
     * @throws IllegalArgumentException if the batch does not fit the model or the loss; no state has changed then
     * @throws IndexOutOfBoundsException if a token or class is outside its range; no state has changed then
     */
    public double add(Batch batch, Metrics... metrics) {
        batch.checkNoWindow();
        Outputs current = outputs(batch.sequences());
        LossStage stage = lossOf(current);
        stage.load(batch);
        float[] y = new float[current.rows() * model.outputs()];
        State before = state(batch);
        model.run(batch, before, y);
        current.load(y);
        stage.forward();
        double sum = stage.addTo(0);
        total += sum;
        weight += stage.weight();
        for (Metrics each : metrics) {
            each.add(batch, current.setup.sequences(), y);
        }
        return sum * stage.share();
    }

    private Outputs outputs(Sequences sequences) {
        if (outputs == null || !outputs.ofSequences.equals(sequences)) {
            buffers.reuse();
            Stage.Setup setup = new Stage.Setup(model.blueprint(), model.weights(), model.weights(), model.kernels(),
                    team, Segment.all(sequences), buffers);
            outputs = new Outputs(model.blueprint().pools() ? setup.pooled() : setup, sequences, model.outputs());
            lossOfOutputs = null;
        }
        return outputs;
    }

    private LossStage lossOf(Outputs current) {
        if (lossOfOutputs == null) {
            lossOfOutputs = LossStage.of(current, loss);
        }
        return lossOfOutputs;
    }

    private State state(Batch batch) {
        if (pair != null) {
            return pair.encode(batch.sourceOfEach(), team);
        }
        batch.checkNoSource();
        if (state == null || state.rows() != batch.rows()) {
            state = model.newState(batch.rows(), team);
        }
        return state;
    }

    /** Makes every stream begin anew with the next batch. */
    public void resetState() {
        if (state != null) {
            state.reset();
        }
    }

    /**
     * Returns the loss of everything so far as if it had been one batch: the mean over all outputs, by weight where classes have weights; of a
     * summed loss the mean over the streams of all batches.
     */
    public double loss() {
        return total / weight;
    }

    /** Ends the helper threads. */
    @Override
    public void close() {
        team.close();
    }

    /** What a model has computed, in packed rows, as the end of a network. */
    private static final class Outputs extends Stage {
        /** The layout of the inputs, which a pooling layer changes. */
        private final Sequences ofSequences;
        private final Matrix y;

        Outputs(Setup setup, Sequences ofSequences, int width) {
            super(setup);
            this.ofSequences = ofSequences;
            this.y = setup.matrix(setup.all(), width);
        }

        int rows() {
            return setup.sequences().steps() * setup.sequences().rows();
        }

        void load(float[] all) {
            for (int r = 0; r < y.rows(); r++) {
                y.setRow(r, all, setup.sequences().element(r) * y.columns());
            }
        }

        @Override
        Matrix output() {
            return y;
        }

        @Override
        Matrix outputGradient() {
            return y;
        }

        @Override
        boolean endsInPlace() {
            return true;
        }

        @Override
        void forward(long dropoutKey) {
        }

        @Override
        void backward() {
        }
    }
}
