package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.ArrayList;
import java.util.List;

/** A model laid out for T steps of B rows, with its loss: forward, and backward through time. The state goes on from call to call. */
final class Network {
    private final Stage.Setup setup;
    private final List<Stage> stages = new ArrayList<>();
    private final LossStage loss;

    Network(Blueprint blueprint, Memory weights, Memory gradients, Kernels kernels, Team team, Loss loss, int steps,
            int rows) {
        this.setup = new Stage.Setup(blueprint, weights, gradients, kernels, team, steps, rows);
        List<Blueprint.Place> places = blueprint.places();
        stages.add(inputStage(places));
        for (Blueprint.Place place : places.subList(1, places.size())) {
            stages.add(stage(place, stages.getLast(), place.index() == places.size() - 1));
        }
        this.loss = new LossStage(setup, stages.getLast(), loss);
    }

    private Stage inputStage(List<Blueprint.Place> places) {
        return places.getFirst().layer() instanceof Layer.Features features
                ? new FeatureStage(setup, features)
                : new TokenStage(setup, places.getFirst(), !(places.get(1).layer() instanceof Layer.Recurrent));
    }

    private Stage stage(Blueprint.Place place, Stage below, boolean last) {
        return switch (place.layer()) {
            case Layer.Recurrent ignored -> new RecurrentStage(setup, place, below);
            case Layer.Dense ignored -> new DenseStage(setup, place, below, last);
            case Layer.Dropout ignored -> new DropoutStage(setup, place, below);
            case Layer.Embedding e -> throw new AssertionError(e);
            case Layer.OneHot o -> throw new AssertionError(o);
            case Layer.Features f -> throw new AssertionError(f);
        };
    }

    /** Returns the stage of each layer. */
    List<Stage> stages() {
        return stages;
    }

    boolean fits(Batch batch) {
        return batch.steps() == setup.steps() && batch.rows() == setup.rows();
    }

    int rows() {
        return setup.rows();
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
        backward(0, setup.steps());
    }

    /** As {@link #backward()}, for what the steps {@code from..to} alone add to the loss. */
    void backward(int from, int to) {
        setup.gradients().clear();
        stages.forEach(Stage::clearGradient);
        loss.backward();
        Matrix dy = stages.getLast().outputGradient();
        dy.rows(0, from * setup.rows()).clear();
        dy.rows(to * setup.rows(), setup.all()).clear();
        for (Stage stage : stages.reversed()) {
            stage.backward();
        }
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
