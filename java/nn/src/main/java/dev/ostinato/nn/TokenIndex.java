package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Matrix;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The different tokens of a batch, ascending. */
final class TokenIndex {
    private final Sequences sequences;
    private final int vocabulary;
    private final Indices distinct;
    private final int[] placeOf;
    /** Those of the batch. */
    private Indices used;
    /** The embedding, and null for one-hot tokens. */
    private final @Nullable Matrix table;
    private final @Nullable Matrix tableGradient;

    /** @param setup of all steps */
    TokenIndex(Stage.Setup setup, Blueprint.Place place) {
        this.sequences = setup.sequences();
        this.vocabulary = place.layer().inputs();
        this.distinct = Indices.of(Math.min(vocabulary, setup.all()));
        this.used = distinct.slice(0, 0);
        this.placeOf = new int[vocabulary];
        boolean embedded = place.layer() instanceof Layer.Embedding;
        this.table = embedded ? EmbeddingTensors.of(place).table(setup.weights()) : null;
        this.tableGradient = embedded ? EmbeddingTensors.of(place).table(setup.gradients()) : null;
    }

    /** @throws IndexOutOfBoundsException if a token is outside the vocabulary */
    void load(int[] batch) {
        Arrays.fill(placeOf, -1);
        for (int r = 0; r < sequences.total(); r++) {
            int at = sequences.element(r);
            if (batch[at] < 0 || batch[at] >= vocabulary) {
                throw new IndexOutOfBoundsException(
                        "token " + at + ": expected 0.." + (vocabulary - 1) + ", got " + batch[at]);
            }
            placeOf[batch[at]] = 0;
        }
        int count = 0;
        for (int token = 0; token < vocabulary; token++) {
            if (placeOf[token] == 0) {
                distinct.set(count, token);
                placeOf[token] = count++;
            }
        }
        used = distinct.slice(0, count);
    }

    /** Returns the most different tokens that a batch can have. */
    int capacity() {
        return distinct.length();
    }

    /** Returns the different tokens of the batch, ascending. */
    Indices distinct() {
        return used;
    }

    /** Returns the place of a token of the batch among the distinct ones. */
    int placeOf(int token) {
        return placeOf[token];
    }

    /** Returns the embedding (V, E), null for one-hot tokens. */
    @Nullable Matrix table() {
        return table;
    }

    /** Returns the gradient of the embedding, null for one-hot tokens. */
    @Nullable Matrix tableGradient() {
        return tableGradient;
    }
}
