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
     */
    record Shape(CellType cell, int rows, int steps, int hidden) {
        /** Returns the characters that one optimiser step learns from. */
        int characters() {
            return rows * steps;
        }
    }

    CharacterTraining(Shape shape, String backend, int threads) {
        this.trainer = Trainer.builder(model(shape)).optimizer(Optimizer.adam(LEARNING_RATE)).clipGlobalNorm(CLIP)
                .backend(backend).threads(threads).build();
        this.batches = batches(shape);
    }

    private static Model model(Shape shape) {
        Model model = Model.builder().embedding(VOCABULARY, shape.hidden()).recurrent(shape.cell(), shape.hidden())
                .dense(VOCABULARY).build();
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
            batches.add(streams.next());
        }
        return batches;
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
