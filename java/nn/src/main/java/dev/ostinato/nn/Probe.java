package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.ArrayList;
import java.util.List;

/**
 * A forward of training over one batch, from zero states and without dropout. Tokens are turned into rows of floats first, so that every
 * layer's inputs can be looked at.
 */
final class Probe {
    private final ModelObjective objective;
    private final double loss;

    private Probe(ModelObjective objective, double loss) {
        this.objective = objective;
        this.loss = loss;
    }

    /** Throws as {@link Trainer#gradients(Batch)} does for what does not fit. */
    static Probe forward(Model model, Batch batch, Loss loss) {
        if (!batch.sequences().isPlain()) {
            throw new IllegalArgumentException(
                    "diagnostics: expected every step of every row, got " + batch.sequences());
        }
        LossStage.check(model.blueprint(), loss);
        Model ofRows = model.takesTokens() ? withoutTokens(model) : model;
        Batch rows = model.takesTokens() ? batch.withFeatures(rows(model, batch.tokens())) : batch;
        ModelObjective objective =
                new ModelObjective(new Stage.Setup(ofRows.blueprint(), ofRows.weights(),
                        Memory.ofFloats(ofRows.blueprint().layout().floats()), ofRows.kernels(), Team.ALONE,
                        Segment.all(batch.sequences()),
                        new Buffers()), loss, batch.steps());
        return new Probe(objective, objective.forward(rows, 0));
    }

    private static Model withoutTokens(Model model) {
        List<Layer> layers = new ArrayList<>(model.layers());
        layers.set(0, new Layer.Features(layers.getFirst().outputs()));
        return Model.of(layers, model.tensors()).withBackend(model.backend());
    }

    /** Returns (T * B, size) rows of the embedding, or one-hot rows. */
    private static float[] rows(Model model, int[] tokens) {
        int size = model.layers().getFirst().outputs();
        float[] rows = new float[Math.multiplyExact(tokens.length, size)];
        boolean embedded = model.layers().getFirst() instanceof Layer.Embedding;
        for (int r = 0; r < tokens.length; r++) {
            if (tokens[r] < 0 || tokens[r] >= model.inputs()) {
                throw new IndexOutOfBoundsException(
                        "token " + r + ": expected 0.." + (model.inputs() - 1) + ", got " + tokens[r]);
            }
            if (embedded) {
                Matrix table = EmbeddingTensors.of(model.blueprint().places().getFirst()).table(model.weights());
                table.getRow(tokens[r], rows, r * size);
            } else {
                rows[r * size + tokens[r]] = 1;
            }
        }
        return rows;
    }

    /** Returns the place of a recurrent layer. @throws IllegalArgumentException if the layer is none */
    static Blueprint.Place recurrentPlace(Model model, int layer) {
        List<Blueprint.Place> places = model.blueprint().places();
        if (layer < 0 || layer >= places.size() || !places.get(layer).isRecurrent()) {
            throw new IllegalArgumentException(
                    "layer: expected the index of a recurrent one of " + model.layers() + ", got "
                            + layer);
        }
        return places.get(layer);
    }

    double loss() {
        return loss;
    }

    /** Returns what the recurrent layers did, each in each direction; their gradients after going back. */
    List<RecurrentTrace> traces() {
        return objective.stages().stream().flatMap(stage -> stage.recurrences().stream()).map(Recurrence::trace)
                .toList();
    }

    /** Goes back from the whole loss. */
    void backward() {
        objective.backward();
    }

    /** Goes back from what one step adds to the loss; of a model that pools there is but one. */
    void backward(int step) {
        objective.backward((step - 1) * objective.rows(), step * objective.rows());
    }
}
