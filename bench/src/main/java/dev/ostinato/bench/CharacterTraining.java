package dev.ostinato.bench;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import java.util.ArrayList;
import java.util.List;

/**
 * The training of a character model: embedding (65, H), recurrent layer (H), dense (65), cross-entropy, Adam at 2e-3, global norm clipped
 * at 5, the state carried from batch to batch. {@code training_peer.py} trains the same weights on the same tokens; change both.
 *
 * <p>From dense inputs there is no embedding: each step has H features, drawn anew, and no work can be saved on those that repeat.
 *
 * <p>Every character is drawn uniformly, so that nearly all of them occur in every batch. Text has fewer in a batch, and what a
 * layer saves on repeated tokens would be more.
 */
final class CharacterTraining implements AutoCloseable {
    static final int VOCABULARY = 65;
    static final double LEARNING_RATE = 2e-3;
    static final double CLIP = 5;
    private static final int BATCHES = 20;

    private final Trainer trainer;
    private final List<Batch> batches;
    private int next;

    /**
     * Everything that the amount of work depends on.
     *
     * @param rows B, the streams
     * @param steps T of a batch
     * @param dense whether inputs are features, not tokens
     */
    record Shape(CellType cell, int rows, int steps, int hidden, boolean dense) {
        /** Returns the characters that one optimiser step learns from. */
        int characters() {
            return rows * steps;
        }

        /**
         * Returns the floating-point operations of the matrix products of one optimiser step, those that are done: each weight of the state takes
         * six for a character, each of dense inputs four, since nobody asks for their gradients, and each of tokens six for a different character.
         */
        double operations() {
            double gateUnits = (double) gates() * hidden;
            double state = 6 * gateUnits * hidden * characters();
            double input = dense ? 4 * gateUnits * hidden * characters() : 6 * gateUnits * hidden * VOCABULARY;
            return state + input + 6.0 * hidden * VOCABULARY * characters();
        }

        private int gates() {
            return switch (cell.label()) {
                case "lstm" -> 4;
                case "gru" -> 3;
                default -> 1;
            };
        }
    }

    CharacterTraining(Shape shape, String backend, int threads) {
        this.trainer = Trainer.builder(model(shape)).optimizer(Optimizer.adam(LEARNING_RATE)).clipGlobalNorm(CLIP)
                .backend(backend).threads(threads).build();
        this.batches = batches(shape);
    }

    private static Model model(Shape shape) {
        Model.Builder inputs = shape.dense() ? Model.builder().features(shape.hidden())
                : Model.builder().embedding(VOCABULARY, shape.hidden());
        Model model = inputs.recurrent(shape.cell(), shape.hidden()).dense(VOCABULARY).build();
        Sequence sequence = new Sequence(1);
        double factor = 1 / Math.sqrt(shape.hidden());
        List<NamedArray> weights = new ArrayList<>();
        for (NamedArray tensor : model.tensors()) {
            float[] data = new float[tensor.data().length];
            for (int i = 0; i < data.length; i++) {
                data[i] = sequence.symmetric(factor);
            }
            weights.add(new NamedArray(tensor.name(), tensor.shape(), data));
        }
        return Model.of(model.layers(), weights);
    }

    private static List<Batch> batches(Shape shape) {
        Sequence sequence = new Sequence(2);
        int[] text = new int[BATCHES * shape.characters() + 1];
        for (int i = 0; i < text.length; i++) {
            text[i] = sequence.below(VOCABULARY);
        }
        TokenStreams streams = new TokenStreams(text, shape.rows(), shape.steps());
        List<Batch> batches = new ArrayList<>();
        for (int i = 0; i < BATCHES; i++) {
            batches.add(shape.dense() ? dense(shape, text, i, sequence) : streams.next());
        }
        return batches;
    }

    /** Returns features for a batch, with the classes that its tokens would have. */
    private static Batch dense(Shape shape, int[] text, int batch, Sequence sequence) {
        float[] features = new float[shape.characters() * shape.hidden()];
        for (int i = 0; i < features.length; i++) {
            features[i] = sequence.symmetric(1);
        }
        int[] classes = new int[shape.characters()];
        for (int i = 0; i < classes.length; i++) {
            int step = batch * shape.steps() + i / shape.rows();
            classes[i] = text[i % shape.rows() * BATCHES * shape.steps() + step + 1];
        }
        return Batch.featuresToClasses(shape.steps(), shape.rows(), features, classes);
    }

    /** Takes an optimiser step and returns the loss before it. */
    double step() {
        Batch batch = batches.get(next);
        next = (next + 1) % BATCHES;
        return trainer.step(batch);
    }

    /** Takes some optimiser steps and returns the losses before each. */
    double[] steps(int count) {
        double[] losses = new double[count];
        for (int i = 0; i < count; i++) {
            losses[i] = step();
        }
        return losses;
    }

    @Override
    public void close() {
        trainer.close();
    }
}
