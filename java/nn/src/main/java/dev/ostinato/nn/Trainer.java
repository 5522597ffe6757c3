package dev.ostinato.nn;

import dev.ostinato.kernels.AdamStep;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Trains a copy of a model by backpropagation through time. The state of the streams goes on from one batch to the next (truncated
 * BPTT) until {@link #resetState}; no gradient crosses the border between two batches.
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
    /** Weights that one piece of an update takes. */
    private static final int UPDATE_CHUNK = 1 << 16;

    private final Blueprint blueprint;
    private final Memory weights;
    private final Memory gradients;
    /** Adam's first moment, or the velocity. */
    private final Memory first;
    /** Adam's second moment. */
    private final Memory second;
    private final Kernels kernels;
    private final Team team;
    private final Loss loss;
    private final Optimizer optimizer;
    private final Schedule schedule;
    private final double maxNorm;
    private final long seed;
    private long step;
    private double gradientNorm;
    private final Buffers buffers = new Buffers();
    private @Nullable Network network;
    private List<NamedArray> pendingStates = List.of();

    private Trainer(Builder b) {
        this.blueprint = b.model.blueprint();
        LossStage.check(blueprint, b.loss);
        this.weights = b.model.weights().copy();
        this.gradients = Memory.ofFloats(blueprint.floats());
        this.first = Memory.ofFloats(blueprint.floats());
        this.second = Memory.ofFloats(blueprint.floats());
        this.kernels = b.backend == null ? b.model.kernels() : Backends.kernels(b.backend);
        this.team = Team.sleeping(b.threads);
        this.loss = b.loss;
        this.optimizer = b.optimizer;
        this.schedule = b.schedule;
        this.maxNorm = b.maxNorm;
        this.seed = b.seed;
    }

    /** Returns a builder for training a copy of {@code model}. */
    public static Builder builder(Model model) {
        return new Builder(model);
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
        update();
        return value;
    }

    /** Computes the loss of a batch and the gradients, and leaves the weights; throws as {@link #step} does. */
    public double gradients(Batch batch) {
        Network current = network(batch);
        double value = current.forward(batch, CounterRandom.key(seed, step + 1) | 1);
        if (!Double.isFinite(value)) {
            throw new DivergedException(step + 1, "the loss", value);
        }
        current.backward();
        gradientNorm = norm();
        if (!Double.isFinite(gradientNorm)) {
            throw new DivergedException(step + 1, "the gradient's norm", gradientNorm);
        }
        return value;
    }

    private Network network(Batch batch) {
        Network current = network;
        if (current == null || !current.fits(batch)) {
            List<NamedArray> states =
                    current != null && current.rows() == batch.rows() ? current.states() : pendingStates;
            current = new Network(
                    new Stage.Setup(blueprint, weights, gradients, kernels, team, batch.sequences(), buffers),
                    loss);
            if (!states.isEmpty()) {
                current.restoreStates(states);
            }
            network = current;
            pendingStates = List.of();
        }
        return current;
    }

    private double norm() {
        double sum = 0;
        for (Blueprint.Place place : blueprint.places()) {
            Matrix row = blueprint.row(gradients, place);
            // In pieces, so that the sum of a large layer keeps its digits, and in an order that threads have no part in.
            for (int from = 0; from < row.columns(); from += UPDATE_CHUNK) {
                sum += kernels.sumOfSquares(row.columns(from, Math.min(row.columns(), from + UPDATE_CHUNK)));
            }
        }
        return StrictMath.sqrt(sum);
    }

    private void update() {
        step++;
        double rate = optimizer.learningRate() * schedule.factor(step);
        float scale = gradientNorm > maxNorm ? (float) (maxNorm / (gradientNorm + 1e-6)) : 1f;
        Matrix w = blueprint.row(weights);
        Matrix dw = blueprint.row(gradients);
        Matrix m = blueprint.row(first);
        Matrix v = blueprint.row(second);
        team.run(Math.ceilDiv(w.columns(), UPDATE_CHUNK), i -> {
            int from = i * UPDATE_CHUNK;
            int to = Math.min(w.columns(), from + UPDATE_CHUNK);
            switch (optimizer) {
                case Optimizer.Adam a -> kernels.adam(w.columns(from, to), dw.columns(from, to), m.columns(from, to),
                        v.columns(from, to), AdamStep.at(step, rate, a.beta1(), a.beta2(), a.epsilon(), scale));
                case Optimizer.Sgd s ->
                        kernels.sgd(w.columns(from, to), dw.columns(from, to), m.columns(from, to), scale, (float) rate,
                                (float) s.momentum());
            }
        });
    }

    /** Makes every stream begin anew with the next batch. */
    public void resetState() {
        pendingStates = List.of();
        if (network != null) {
            network.resetState();
        }
    }

    /** Returns a model with the weights of this moment. */
    public Model model() {
        return new Model(blueprint, weights.copy(), kernels);
    }

    /** Returns the number of updates so far. */
    public long steps() {
        return step;
    }

    /** Returns the global norm of the last gradients, before clipping. */
    public double gradientNorm() {
        return gradientNorm;
    }

    /** Returns copies of the last gradients, before clipping, in PyTorch's names and layout. */
    public List<NamedArray> gradients() {
        return blueprint.read(gradients);
    }

    /** Returns everything besides the weights and the options that the rest of the training depends on. */
    public Progress progress() {
        List<NamedArray> states = network == null ? pendingStates : network.states();
        return new Progress(step, blueprint.read(first), blueprint.read(second), states);
    }

    /**
     * Goes on where another trainer was. The builder must have got the model of that moment and the same options.
     *
     * @throws IllegalArgumentException if the tensors do not fit this model
     */
    public void resume(Progress progress) {
        blueprint.write(first, progress.first());
        blueprint.write(second, progress.second());
        step = progress.step();
        network = null;
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
     * @param states what the streams remember
     */
    public record Progress(long step, List<NamedArray> first, List<NamedArray> second, List<NamedArray> states) {
        public Progress {
            first = List.copyOf(first);
            second = List.copyOf(second);
            states = List.copyOf(states);
        }
    }

    /** Collects options. Not safe for several threads. */
    public static final class Builder {
        private final Model model;
        private Loss loss = Loss.crossEntropy();
        private Optimizer optimizer = Optimizer.adam(1e-3);
        private Schedule schedule = Schedule.constant();
        private double maxNorm = Double.POSITIVE_INFINITY;
        private int threads = 1;
        private long seed;
        private @Nullable String backend;

        private Builder(Model model) {
            this.model = model;
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

        /** Scales gradients down to this global norm (Pascanu et al. 2013); no limit unless set. */
        public Builder clipGlobalNorm(double maxNorm) {
            if (!(maxNorm > 0)) {
                throw new IllegalArgumentException("clip: expected > 0, got " + maxNorm);
            }
            this.maxNorm = maxNorm;
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
