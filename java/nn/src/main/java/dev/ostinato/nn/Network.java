package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;

/** A model laid out for the steps of a batch, with its loss: forward, and backward through time. The state goes on from call to call. */
final class Network {
    private final Stage.Setup setup;
    private final List<Stage> stages = new ArrayList<>();
    private final LossStage loss;

    Network(Stage.Setup setup, Loss loss) {
        this.setup = setup;
        setup.buffers().reuse();
        List<Blueprint.Place> places = setup.blueprint().places();
        stages.add(inputStage(places));
        for (Blueprint.Place place : places.subList(1, places.size())) {
            stages.add(place.index() == places.size() - 1 ? head(place, stages.getLast(), loss)
                    : stage(place, stages.getLast()));
        }
        this.loss = LossStage.of(stages.getLast(), loss);
    }

    private Stage inputStage(List<Blueprint.Place> places) {
        return places.getFirst().layer() instanceof Layer.Features features
                ? new FeatureStage(setup, features)
                : new TokenStage(setup, places.getFirst(), !places.get(1).isRecurrent());
    }

    /** The last layer, behind which there is nothing but the loss. */
    private static Stage head(Blueprint.Place place, Stage below, Loss loss) {
        if (place.layer() instanceof Layer.Dense) {
            return loss instanceof Loss.SampledSoftmax sampled
                    ? new SampledHeadStage(below.setup, place, below, sampled.samples())
                    : new DenseStage(below.setup, place, below, true);
        }
        return stage(place, below);
    }

    private static Stage stage(Blueprint.Place place, Stage below) {
        Stage.Setup setup = below.setup;
        return switch (place.layer()) {
            case Layer.Recurrent r -> r.direction() == Layer.Direction.FORWARD
                    ? new RecurrentStage(setup, place.passes().getFirst(), below)
                    : new DirectionsStage(setup, place, below);
            case Layer.Bidirectional ignored -> new DirectionsStage(setup, place, below);
            case Layer.Pool pool -> new PoolStage(setup, pool, below);
            case Layer.Dense ignored -> new DenseStage(setup, place, below, false);
            case Layer.Dropout ignored -> new DropoutStage(setup, place, below);
            case Layer.LayerNorm ignored -> new LayerNormStage(setup, place, below);
            case Layer.BatchNorm ignored -> new BatchNormStage(setup, place, below);
            case Layer.Input input -> throw new AssertionError(input);
        };
    }

    /** Returns the stage of each layer. */
    List<Stage> stages() {
        return stages;
    }

    boolean fits(Batch batch) {
        return batch.sequences().equals(setup.sequences());
    }

    int rows() {
        return setup.sequences().rows();
    }

    /** Computes the loss of a batch, going on from the state that the last one left. {@code dropoutKey} is 0 for no dropout. */
    double forward(Batch batch, long dropoutKey) {
        switch (stages.getFirst()) {
            case FeatureStage features -> features.load(batch.features(setup.blueprint().layers().getFirst().inputs()));
            case TokenStage tokens -> tokens.load(batch.tokens());
            case Stage other -> throw new AssertionError(other);
        }
        loss.load(batch);
        for (Stage stage : stages) {
            stage.carryState();
            stage.forward(dropoutKey);
        }
        return loss.forward();
    }

    /** Overwrites the gradients with those of the last forward. */
    void backward() {
        Stage last = stages.getLast();
        backward(0, last.setup.all());
    }

    /** As {@link #backward()}, for what the packed rows {@code from..to} of the outputs alone add to the loss. */
    void backward(int from, int to) {
        setup.gradients().clear();
        stages.forEach(Stage::clearGradient);
        loss.backward();
        Matrix dy = stages.getLast().outputGradient();
        dy.rows(0, from).clear();
        dy.rows(to, dy.rows()).clear();
        for (Stage stage : stages.reversed()) {
            stage.backward();
        }
    }

    /** Returns the loss of each output of the last forward, in the order of the targets. */
    float[] losses() {
        return loss.byOutput();
    }

    void resetState() {
        stages.forEach(Stage::resetState);
    }

    List<NamedArray> states() {
        return stages.stream().flatMap(stage -> stage.states().stream()).toList();
    }

    void restoreStates(List<NamedArray> states) {
        stages.forEach(stage -> stage.restoreStates(states));
    }
}
