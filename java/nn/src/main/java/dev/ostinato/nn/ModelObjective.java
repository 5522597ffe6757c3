package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;
import java.util.Optional;

/** The loss of a model. The states of the streams go on from batch to batch. */
final class ModelObjective implements Objective {
    private final Stage.Setup setup;
    private final Network network;
    private final LossStage loss;

    /** @throws IllegalArgumentException if the batch is not one for the model */
    ModelObjective(Stage.Setup setup, Loss loss) {
        if (!setup.sequences().carriesTheEnd() && !setup.blueprint().streams()) {
            throw new IllegalArgumentException("advance: expected layers that all go forward in time and pool nothing,"
                    + " or as many as there are steps, got " + setup.blueprint().layers());
        }
        this.setup = setup;
        this.network = new Network(setup, loss, null);
        this.loss = LossStage.of(network.last(), loss);
    }

    /** Returns the stage of each layer. */
    List<Stage> stages() {
        return network.stages();
    }

    @Override
    public boolean fits(Batch batch) {
        return batch.sequences().equals(setup.sequences());
    }

    @Override
    public int rows() {
        return setup.sequences().rows();
    }

    @Override
    public double forward(Batch batch, long dropoutKey) {
        batch.checkNoSource();
        network.load(batch);
        loss.load(batch);
        network.carryState();
        network.forward(dropoutKey);
        return loss.forward();
    }

    @Override
    public float[] losses() {
        return loss.byOutput();
    }

    @Override
    public Optional<Blueprint.Place> firstNotFinite() {
        return network.firstNotFinite();
    }

    @Override
    public void backward() {
        backward(0, network.last().setup.all());
    }

    /** As {@link #backward()}, for what the packed rows {@code from..to} of the outputs alone add to the loss. */
    void backward(int from, int to) {
        setup.gradients().clear();
        network.clearGradient();
        loss.backward();
        Matrix dy = network.last().outputGradient();
        dy.rows(0, from).clear();
        dy.rows(to, dy.rows()).clear();
        network.backward();
    }

    @Override
    public void resetState() {
        network.resetState();
    }

    @Override
    public List<NamedArray> states() {
        return network.states();
    }

    @Override
    public void restoreStates(List<NamedArray> states) {
        network.restoreStates(states);
    }
}
