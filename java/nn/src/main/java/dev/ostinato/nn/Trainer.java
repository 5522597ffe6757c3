package dev.ostinato.nn;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Trains a copy of a model by backpropagation through time. The state of the streams goes on from one batch to the next (truncated
 * BPTT) until {@link #resetState}; no gradient crosses the beginning of a batch. Batches that overlap ({@link Batch#advancing}) go further
 * back than the steps they take.
 *
 * <p>The same model, options and batches give the same weights to the bit, on any number of threads and on any backend that keeps the one
 * arithmetic.
 *
 * <pre>{@code
 * try (Trainer trainer = Trainer.builder(model).optimizer(Optimizer.adam(2e-3)).clipGlobalNorm(5).build()) {
 *     for (int i = 0; i < 1000; i++) {
 *         double loss = trainer.step(streams.next());
 *     }
 *     Model trained = trainer.model();
 * }
 * }</pre>
 *
 * <p>Used by one thread at a time; its helper threads live until {@link #close}.
 */
public final class Trainer implements AutoCloseable {
    private final Trained trained;
    private final WeightLayout layout;
    private final Memory weights;
    private final Memory gradients;
    private final Kernels kernels;
    private final Team team;
    private final Loss loss;
    private final Update update;
    private final long seed;
    private long step;
    private double gradientNorm;
    private final boolean checkpointing;
    private final Buffers buffers = new Buffers();
    private @Nullable Objective objective;
    private @Nullable Matrix accumulated;
    private List<NamedArray> pendingStates = List.of();

    private Trainer(Builder b) {
        this.trained = b.trained;
        LossStage.check(trained.answering(), b.loss);
        if (b.checkpointing) {
            trained.checkSegments(b.loss);
        }
        this.checkpointing = b.checkpointing;
        this.layout = trained.layout();
        this.weights = trained.weights();
        this.gradients = Memory.ofFloats(layout.floats());
        this.kernels = b.backend == null ? trained.kernels() : Backends.kernels(b.backend);
        this.team = Team.sleeping(b.threads);
        this.loss = b.loss;
        this.seed = b.seed;
        this.update = new Update(
                new Update.Rule(b.optimizer, b.schedule, b.clipping, b.l1, b.l2, b.averageDecay), layout, weights,
                gradients, kernels, team);
    }

    /** Returns a builder for training a copy of {@code model}. */
    public static Builder builder(Model model) {
        return new Builder(new Trained.Single(model));
    }

    /**
     * Returns a builder for training a copy of an encoder and a decoder together, from batches that have a source. Every batch begins anew: no
     * state goes on to the next.
     */
    public static Builder builder(EncoderDecoder model) {
        return new Builder(Trained.Pair.of(model));
    }

    /**
     * Takes one optimiser step: forward, backward, clipping, update.
     *
     * @return the loss before the update
     * @throws IllegalArgumentException if the batch does not fit the model or the loss; nothing has changed then
     * @throws IndexOutOfBoundsException if a token or class is outside its range; nothing has changed then
     * @throws DivergedException if the loss or the gradient is not finite; the weights have not changed then
     */
    public double step(Batch batch) {
        double value = gradients(batch);
        update.run(++step);
        return value;
    }

    /**
     * As {@link #step(Batch)}, with the mean of the gradients of several batches, which are gone through one after another: what would need too
     * much memory at once. Each has masks of its own.
     *
     * @return the mean of the losses before the update
     * @throws IllegalArgumentException also if there is no batch
     */
    public double step(List<Batch> batches) {
        if (batches.isEmpty()) {
            throw new IllegalArgumentException("batches: expected at least one, got none");
        }
        if (accumulated == null) {
            accumulated = layout.row(Memory.ofFloats(layout.floats()));
        }
        Matrix mean = accumulated;
        mean.clear();
        double loss = 0;
        for (int i = 0; i < batches.size(); i++) {
            loss += gradients(batches.get(i), i);
            kernels.axpy(1f / batches.size(), layout.row(gradients), mean);
        }
        layout.row(gradients).copyFrom(mean);
        gradientNorm = update.measure();
        update.run(++step);
        return loss / batches.size();
    }

    /** Computes the loss of a batch and the gradients, and leaves the weights; throws as {@link #step} does. */
    public double gradients(Batch batch) {
        return gradients(batch, 0);
    }

    /** @param number of the batch among those of a step */
    private double gradients(Batch batch, int number) {
        long key = CounterRandom.key(seed, step + 1);
        Objective current = objective(batch);
        double value = current.forward(batch, (number == 0 ? key : CounterRandom.key(key, -number)) | 1);
        if (!Double.isFinite(value)) {
            throw new DivergedException(step + 1, "the loss", value, current.firstNotFinite());
        }
        current.backward();
        gradientNorm = update.measure();
        if (!Double.isFinite(gradientNorm)) {
            throw new DivergedException(step + 1, "the gradient's norm", gradientNorm, update.lastNotFinite());
        }
        return value;
    }

    private Objective objective(Batch batch) {
        Objective current = objective;
        if (current == null || !current.fits(batch)) {
            List<NamedArray> states =
                    current != null && current.rows() == batch.rows() ? current.states() : pendingStates;
            buffers.reuse();
            current = trained.objective((blueprint, sequences) -> new Stage.Setup(blueprint, weights, gradients,
                    kernels, team, Segment.all(sequences), buffers), batch, loss, checkpointing);
            if (!states.isEmpty()) {
                current.restoreStates(states);
            }
            objective = current;
            pendingStates = List.of();
        }
        return current;
    }

    /** Makes every stream begin anew with the next batch. */
    public void resetState() {
        pendingStates = List.of();
        if (objective != null) {
            objective.resetState();
        }
    }

    /** Returns a model with the weights of this moment. @throws IllegalStateException if an encoder and a decoder are trained */
    public Model model() {
        return trained.model(weights, kernels);
    }

    /** Returns an encoder and a decoder with the weights of this moment. @throws IllegalStateException if a model is trained */
    public EncoderDecoder encoderDecoder() {
        return trained.encoderDecoder(weights, kernels);
    }

    /**
     * Returns a model with the moving average of the weights.
     *
     * @throws IllegalStateException if the trainer does not {@linkplain Builder#averageWeights average}, or has not taken a step, or an encoder
     *     and a decoder are trained
     */
    public Model averagedModel() {
        return trained.model(average(), kernels);
    }

    /** As {@link #averagedModel}, where an encoder and a decoder are trained. */
    public EncoderDecoder averagedEncoderDecoder() {
        return trained.encoderDecoder(average(), kernels);
    }

    private Memory average() {
        if (step == 0) {
            throw new IllegalStateException("expected at least one step, got none");
        }
        return update.average();
    }

    /** Returns the number of updates so far. */
    public long steps() {
        return step;
    }

    /** Returns the global norm of the last gradients, before clipping. */
    public double gradientNorm() {
        return gradientNorm;
    }

    /**
     * Returns the loss of each output of the last batch, where its target is in the arrays of the batch: (T, B), behind a pooling layer and for
     * labels without places (B). Where there is no step, or none that counts, it is 0. Weights of classes are part of it, divisors of means
     * are not. Before the first batch there is none.
     */
    public float[] losses() {
        return objective == null ? new float[0] : objective.losses();
    }

    /**
     * Returns the number of floats that are held for activations, states and their gradients, of batches as they have been so far. Weights,
     * their gradients and the moments of the optimiser come on top, which no batch makes larger.
     */
    public long activationFloats() {
        return buffers.floats();
    }

    /** Returns copies of the last gradients in PyTorch's names and layout: before clipping by a global norm, after any other. */
    public List<NamedArray> gradients() {
        return layout.read(gradients);
    }

    /** Returns everything besides the weights and the options that the rest of the training depends on. */
    public Progress progress() {
        List<NamedArray> states = objective == null ? pendingStates : objective.states();
        return new Progress(step, update.first(), update.second(), update.averages(), states);
    }

    /**
     * Goes on where another trainer was. The builder must have got the model of that moment and the same options.
     *
     * @throws IllegalArgumentException if the tensors do not fit this model
     */
    public void resume(Progress progress) {
        update.restore(progress.first(), progress.second(), progress.averages());
        step = progress.step();
        objective = null;
        pendingStates = List.copyOf(progress.states());
    }

    /** Ends the helper threads. */
    @Override
    public void close() {
        team.close();
    }

    /**
     * The state of a training at a moment.
     *
     * @param step updates so far
     * @param first the optimiser's first moments or velocities, named like the weights
     * @param second the optimiser's second moments, named like the weights
     * @param averages the moving average of the weights, named like them; empty without one
     * @param states what the streams remember
     */
    public record Progress(long step, List<NamedArray> first, List<NamedArray> second, List<NamedArray> averages,
            List<NamedArray> states) {
        public Progress {
            first = List.copyOf(first);
            second = List.copyOf(second);
            averages = List.copyOf(averages);
            states = List.copyOf(states);
        }

        /** Returns the same with other states of the streams. */
        public Progress withStates(List<NamedArray> others) {
            return new Progress(step, first, second, averages, others);
        }
    }

    /** Collects options. Not safe for several threads. */
    public static final class Builder {
        private final Trained trained;
        private Loss loss = Loss.crossEntropy();
        private Optimizer optimizer = Optimizer.adam(1e-3);
        private Schedule schedule = Schedule.constant();
        private Clipping clipping = Clipping.none();
        private double l1;
        private double l2;
        private OptionalDouble averageDecay = OptionalDouble.empty();
        private boolean checkpointing;
        private int threads = 1;
        private long seed;
        private @Nullable String backend;

        private Builder(Trained trained) {
            this.trained = trained;
        }

        /** Sets the loss; softmax cross-entropy unless set. */
        public Builder loss(Loss loss) {
            this.loss = loss;
            return this;
        }

        /** Sets the optimiser; Adam at 1e-3 unless set. */
        public Builder optimizer(Optimizer optimizer) {
            this.optimizer = optimizer;
            return this;
        }

        /** Sets the course of the learning rate; constant unless set. */
        public Builder schedule(Schedule schedule) {
            this.schedule = schedule;
            return this;
        }

        /** Sets what is done to gradients that are too large; nothing unless set. */
        public Builder clip(Clipping clipping) {
            this.clipping = clipping;
            return this;
        }

        /** Scales gradients down to this global norm: {@link Clipping#byGlobalNorm}. */
        public Builder clipGlobalNorm(double limit) {
            return clip(Clipping.byGlobalNorm(limit));
        }

        /**
         * Adds to the gradient of each element of a matrix, after clipping, {@code l1} times its sign: that of a penalty on the sum of the
         * magnitudes. Biases and gains have none. 0 unless set; the loss that is returned is without it.
         */
        public Builder l1(double l1) {
            this.l1 = penalty("l1", l1);
            return this;
        }

        /** As {@link #l1}, {@code l2} times the element itself, as PyTorch's weight decay: a penalty on half of the sum of the squares. */
        public Builder l2(double l2) {
            this.l2 = penalty("l2", l2);
            return this;
        }

        private static double penalty(String name, double factor) {
            if (!(factor >= 0 && factor < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(name + ": expected >= 0, got " + factor);
            }
            return factor;
        }

        /**
         * Keeps a moving average of the weights beside them, {@code average = decay * average + (1 - decay) * weights} after each step, which
         * often generalises better (Polyak and Juditsky 1992): {@link Trainer#averagedModel}.
         */
        public Builder averageWeights(double decay) {
            if (!(decay > 0 && decay < 1)) {
                throw new IllegalArgumentException("average: expected a decay in (0, 1), got " + decay);
            }
            this.averageDecay = OptionalDouble.of(decay);
            return this;
        }

        /**
         * Keeps of a batch of T steps the states at about every sqrt(T)-th alone, and computes the steps between again on the way back (Chen et
         * al. 2016, Training Deep Nets with Sublinear Memory Cost): memory for activations of O(sqrt T) in place of O(T), for the time of one
         * more forward. No bit of any result changes. For layers that go forward in time and losses of each step; not done unless set.
         */
        public Builder gradientCheckpointing() {
            this.checkpointing = true;
            return this;
        }

        /** Sets the number of threads, the caller's included; 1 unless set. */
        public Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        /** Sets the seed of dropout; 0 unless set. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** Sets the backend; the model's unless set. */
        public Builder backend(String name) {
            this.backend = name;
            return this;
        }

        /**
         * Returns the trainer.
         *
         * @throws IllegalArgumentException if an option is out of range, the loss does not fit the model or the backend cannot be used
         */
        public Trainer build() {
            return new Trainer(this);
        }
    }
}
