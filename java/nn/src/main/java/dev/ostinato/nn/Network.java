package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A model laid out for the steps of a batch, or of a segment of one: forward, and backward through time. */
final class Network {
    private final Stage.Setup setup;
    private final Shared shared;
    /** Of whose outputs attention layers make contexts. */
    private final @Nullable Stage attended;
    private final List<Stage> stages = new ArrayList<>();
    private final List<Recurrence> recurrences;

    /**
     * @param loss which alone comes behind; null if something else looks at the outputs
     * @throws IllegalArgumentException if there is an attention layer and nothing to attend to
     */
    Network(Stage.Setup setup, Shared shared, @Nullable Loss loss, @Nullable Stage attended) {
        this.setup = setup;
        this.shared = shared;
        this.attended = attended;
        List<Blueprint.Place> places = setup.blueprint().places();
        stages.add(inputStage(places));
        for (Blueprint.Place place : places.subList(1, places.size())) {
            boolean last = place.index() == places.size() - 1;
            stages.add(last && loss != null ? head(place, stages.getLast(), loss) : stage(place, stages.getLast()));
        }
        this.recurrences = stages.stream().flatMap(stage -> stage.recurrences().stream()).toList();
    }

    private Stage inputStage(List<Blueprint.Place> places) {
        return places.getFirst().layer() instanceof Layer.Features features
                ? new FeatureStage(setup, features)
                : new TokenStage(setup, places.getFirst(), Objects.requireNonNull(shared.tokens()),
                        !places.get(1).isRecurrent() || setup.blueprint().isSource(places.getFirst()));
    }

    /** The last layer, behind which there is nothing but the loss. */
    private Stage head(Blueprint.Place place, Stage below, Loss loss) {
        if (place.layer() instanceof Layer.Dense) {
            return loss instanceof Loss.SampledSoftmax sampled
                    ? new SampledHeadStage(below.setup, place, below, sampled.samples())
                    : new DenseStage(below.setup, place, below, true);
        }
        return stage(place, below);
    }

    private Stage stage(Blueprint.Place place, Stage below) {
        Stage.Setup setup = below.setup;
        return switch (place.layer()) {
            case Layer.Recurrent r -> r.direction() == Layer.Direction.FORWARD
                    ? new RecurrentStage(setup, shared.passes(place).getFirst(), below)
                    : new DirectionsStage(setup, place, shared.passes(place), below);
            case Layer.Bidirectional ignored -> new DirectionsStage(setup, place, shared.passes(place), below);
            case Layer.Pool pool -> new PoolStage(setup, pool, below);
            case Layer.Dense ignored -> new DenseStage(setup, place, below, false);
            case Layer.Dropout ignored -> new DropoutStage(setup, place, below);
            case Layer.Residual residual ->
                    new ResidualStage(residual, below, stages.get(setup.blueprint().sourceOf(place).index()));
            case Layer.LayerNorm ignored -> new LayerNormStage(setup, place, below);
            case Layer.BatchNorm ignored -> new BatchNormStage(setup, place, below);
            case Layer.Attention ignored -> {
                if (attended == null) {
                    throw new IllegalArgumentException(
                            "attention: expected an encoder to attend to; an EncoderDecoder has one");
                }
                yield new AttentionStage(setup, below, attended);
            }
            case Layer.Input input -> throw new AssertionError(input);
        };
    }

    /** Returns the stage of each layer. */
    List<Stage> stages() {
        return stages;
    }

    /** Returns the ways through time of all recurrent layers. */
    List<Recurrence> recurrences() {
        return recurrences;
    }

    Stage last() {
        return stages.getLast();
    }

    Sequences sequences() {
        return setup.sequences();
    }

    /** Takes the inputs of a batch; of its segments the first comes first. */
    void load(Batch batch) {
        switch (stages.getFirst()) {
            case FeatureStage features -> features.load(batch.features(setup.blueprint().layers().getFirst().inputs()));
            case TokenStage tokens -> tokens.load(batch.tokens());
            case Stage other -> throw new AssertionError(other);
        }
    }

    /** Begins with the states that went on from the last batch. */
    void beginBatch() {
        recurrences.forEach(Recurrence::beginBatch);
    }

    /** Begins with the states with which the segment before has ended; the first of a batch with those with which that began. */
    void beginSegment() {
        recurrences.forEach(Recurrence::beginSegment);
    }

    /** Keeps the states that go on to the next batch or segment. */
    void keepStates() {
        recurrences.forEach(Recurrence::keepStates);
    }

    /** Computes the outputs, from the states that are there. {@code dropoutKey} is 0 for no dropout. */
    void forward(long dropoutKey) {
        stages.forEach(stage -> stage.forward(dropoutKey));
    }

    /** Zeroes the gradients of activations. */
    void clearGradient() {
        stages.forEach(Stage::clearGradient);
    }

    /** Adds to the gradients of the weights, from that of the last outputs. */
    void backward() {
        stages.reversed().forEach(Stage::backward);
    }

    /** Returns the first layer of whose outputs one is not a finite number. */
    Optional<Blueprint.Place> firstNotFinite() {
        return setup.blueprint().places().stream()
                .filter(place -> !(stages.get(place.index()) instanceof TokenStage)
                        && !isFinite(stages.get(place.index()).output()))
                .findFirst();
    }

    private static boolean isFinite(Matrix matrix) {
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.columns(); c++) {
                if (!Float.isFinite(matrix.get(r, c))) {
                    return false;
                }
            }
        }
        return true;
    }
}
