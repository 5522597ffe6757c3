package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.AdamStep;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Changes a block of weights by its gradients: clipping, penalties, the optimiser's step, the average. */
final class Update {
    /** Weights that one piece takes. */
    private static final int CHUNK = 1 << 16;
    /** As PyTorch keeps a norm of zero from dividing. */
    private static final double NORM_EPSILON = 1e-6;

    /**
     * What an update is made of.
     *
     * @param l1 factor on the sum of the magnitudes of the elements of matrices
     * @param l2 factor on half of the sum of their squares
     * @param averageDecay of the moving average of the weights
     */
    record Rule(Optimizer optimizer, Schedule schedule, Clipping clipping, double l1, double l2,
            OptionalDouble averageDecay) {}

    private final Rule rule;
    private final WeightLayout layout;
    private final Memory gradients;
    private final Memory first;
    private final Memory second;
    private final Memory average;
    private final Kernels kernels;
    private final Team team;
    /** Blocks as rows: the weights, their gradients, the first moment or the velocity, the second moment. */
    private final Matrix w;
    private final Matrix dw;
    private final Matrix m;
    private final Matrix v;
    /** The gradients of each layer. */
    private final List<Matrix> dwOfLayers;
    private final @Nullable TensorIndex tensors;
    /** Of the last {@link #measure}. */
    private double norm;

    Update(Rule rule, WeightLayout layout, Memory weights, Memory gradients, Kernels kernels, Team team) {
        this.rule = rule;
        this.layout = layout;
        this.gradients = gradients;
        this.first = Memory.ofFloats(layout.floats());
        this.second = Memory.ofFloats(layout.floats());
        this.average = Memory.ofFloats(rule.averageDecay().isPresent() ? layout.floats() : 0);
        this.kernels = kernels;
        this.team = team;
        this.w = layout.row(weights);
        this.dw = layout.row(gradients);
        this.m = layout.row(first);
        this.v = layout.row(second);
        this.dwOfLayers = layout.places().stream().map(place -> place.row(gradients)).toList();
        boolean byTensor = rule.clipping() instanceof Clipping.Norm || penalises()
                || rule.optimizer() instanceof Optimizer.AdamW;
        this.tensors = byTensor ? new TensorIndex(layout, weights) : null;
    }

    private boolean penalises() {
        return rule.l1() > 0 || rule.l2() > 0;
    }

    /** Returns the global norm of the gradients. */
    double measure() {
        double sum = 0;
        for (Matrix row : dwOfLayers) {
            // In pieces, so that the sum of a large layer keeps its digits, and in an order that threads have no part in.
            for (int from = 0; from < row.columns(); from += CHUNK) {
                sum += kernels.sumOfSquares(row.columns(from, Math.min(row.columns(), from + CHUNK)));
            }
        }
        norm = StrictMath.sqrt(sum);
        return norm;
    }

    /** Returns the last layer one of whose gradients is not a finite number: the first one on the way back. */
    Optional<Blueprint.Place> lastNotFinite() {
        return layout.places().reversed().stream().filter(place -> {
            Matrix row = place.row(gradients);
            return IntStream.range(0, row.columns()).anyMatch(i -> !Float.isFinite(row.get(0, i)));
        }).findFirst();
    }

    /** Takes step number {@code step}, counted from 1, with the gradients that were measured last; may clip them in place. */
    void run(long step) {
        double rate = rule.optimizer().learningRate() * rule.schedule().factor(step);
        float scale = clip();
        if (penalises()) {
            penalise(scale);
            scale = 1;
        }
        if (rule.optimizer() instanceof Optimizer.AdamW adam) {
            float kept = (float) (1 - rate * adam.weightDecay());
            eachMatrix((from, to) -> kernels.scale(w.columns(from, to), kept));
        }
        float factor = scale;
        eachChunk(0, w.columns(), (from, to) -> optimise(step, rate, factor, from, to));
        rule.averageDecay().ifPresent(decay -> average(step, decay));
    }

    /** Returns the factor that clipping puts on all gradients; what it does to single ones is done then. */
    private float clip() {
        return switch (rule.clipping()) {
            case Clipping.GlobalNorm c -> norm > c.limit() ? (float) (c.limit() / (norm + NORM_EPSILON)) : 1f;
            case Clipping.Rescale c -> norm > 0 ? (float) (c.norm() / norm) : 1f;
            case Clipping.Value c -> {
                Activation limits = Activation.IDENTITY.withClip((float) c.limit());
                eachChunk(0, dw.columns(),
                        (from, to) -> kernels.rnnForward(limits, dw.columns(from, to), dw.columns(from, to)));
                yield 1f;
            }
            case Clipping.Norm c -> {
                index().limitNorms(gradients, c.limit(), NORM_EPSILON);
                yield 1f;
            }
        };
    }

    /** {@code dw = dw * scale + l2 * w + l1 * sign(w)} of matrices, {@code dw = dw * scale} of the rest. */
    private void penalise(float scale) {
        float l1 = (float) rule.l1();
        float l2 = (float) rule.l2();
        eachChunk(0, dw.columns(), (from, to) -> kernels.scale(dw.columns(from, to), scale));
        eachMatrix((from, to) -> {
            kernels.axpy(l2, w.columns(from, to), dw.columns(from, to));
            for (int i = from; l1 > 0 && i < to; i++) {
                dw.set(0, i, dw.get(0, i) + l1 * Math.signum(w.get(0, i)));
            }
        });
    }

    private void optimise(long step, double rate, float scale, int from, int to) {
        switch (rule.optimizer()) {
            case Optimizer.Adam a -> adam(AdamStep.at(step, rate, a.beta1(), a.beta2(), a.epsilon(), scale), from, to);
            case Optimizer.AdamW a -> adam(AdamStep.at(step, rate, a.beta1(), a.beta2(), a.epsilon(), scale), from, to);
            case Optimizer.RmsProp r -> adam(AdamStep.rmsProp(rate, r.decay(), r.epsilon(), scale), from, to);
            case Optimizer.Adagrad a -> adam(AdamStep.adagrad(rate, a.epsilon(), scale), from, to);
            case Optimizer.Sgd s -> kernels.sgd(w.columns(from, to), dw.columns(from, to), m.columns(from, to), scale,
                    (float) rate, (float) s.momentum());
            case Optimizer.Nesterov n -> {
                float momentum = (float) n.momentum();
                kernels.sgd(w.columns(from, to), dw.columns(from, to), m.columns(from, to), scale,
                        (float) rate * momentum, momentum);
                kernels.axpy((float) -rate * scale, dw.columns(from, to), w.columns(from, to));
            }
        }
    }

    private void adam(AdamStep step, int from, int to) {
        kernels.adam(w.columns(from, to), dw.columns(from, to), m.columns(from, to), v.columns(from, to), step);
    }

    /** The first average is the weights themselves, as that of PyTorch's AveragedModel. */
    private void average(long step, double decay) {
        float kept = (float) (step == 1 ? 0 : decay);
        Matrix mean = layout.row(average);
        eachChunk(0, w.columns(), (from, to) -> {
            kernels.scale(mean.columns(from, to), kept);
            kernels.axpy(1 - kept, w.columns(from, to), mean.columns(from, to));
        });
    }

    private void eachMatrix(Stage.Rows body) {
        for (TensorIndex.Range range : index().matrices()) {
            eachChunk(range.from(), range.to(), body);
        }
    }

    private TensorIndex index() {
        return Objects.requireNonNull(tensors);
    }

    private void eachChunk(int begin, int end, Stage.Rows body) {
        team.run(Math.ceilDiv(end - begin, CHUNK),
                i -> body.accept(begin + i * CHUNK, Math.min(end, begin + (i + 1) * CHUNK)));
    }

    /** Returns the block with the average of the weights. @throws IllegalStateException if there is none */
    Memory average() {
        if (rule.averageDecay().isEmpty()) {
            throw new IllegalStateException("expected a trainer that averages its weights");
        }
        return average;
    }

    /** Returns the first moments by the names of the weights. */
    List<NamedArray> first() {
        return layout.read(first);
    }

    /** Returns the second moments by the names of the weights. */
    List<NamedArray> second() {
        return layout.read(second);
    }

    /** Returns the average by the names of the weights, or nothing. */
    List<NamedArray> averages() {
        return rule.averageDecay().isPresent() ? layout.read(average) : List.of();
    }

    /** Takes what {@link #first}, {@link #second} and {@link #averages} returned. @throws IllegalArgumentException if it does not fit */
    void restore(List<NamedArray> firsts, List<NamedArray> seconds, List<NamedArray> averages) {
        layout.write(first, firsts);
        layout.write(second, seconds);
        if (rule.averageDecay().isPresent()) {
            layout.write(average, averages);
        }
    }
}
