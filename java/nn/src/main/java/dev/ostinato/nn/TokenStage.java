package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Matrix;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The input layer of a model that takes tokens. A text of T * B tokens has few different ones, so a recurrent layer behind it multiplies
 * a table with a row per different token instead of T * B rows: see {@link RecurrentStage}. Any other layer gets rows.
 */
final class TokenStage extends Stage {
    private final int vocabulary;
    private final Indices tokens;
    private final Indices places;
    private final Indices distinct;
    private final int[] placeOf;
    private int count;
    /** The embedding, and null for one-hot tokens. */
    private final @Nullable Matrix table;
    private final @Nullable Matrix tableGradient;
    /** Rows and their gradient, for a layer that needs them. */
    private final @Nullable Matrix rows;
    private final @Nullable Matrix rowsGradient;

    TokenStage(Setup setup, Blueprint.Place place, boolean needsRows) {
        super(setup);
        this.vocabulary = place.layer().inputs();
        this.tokens = Indices.of(setup.all());
        this.places = Indices.of(setup.all());
        this.distinct = Indices.of(Math.min(vocabulary, setup.all()));
        this.placeOf = new int[vocabulary];
        boolean embedded = place.layer() instanceof Layer.Embedding;
        this.table = embedded ? EmbeddingTensors.of(place).table(setup.weights()) : null;
        this.tableGradient = embedded ? EmbeddingTensors.of(place).table(setup.gradients()) : null;
        this.rows = needsRows ? setup.matrix(setup.all(), place.layer().outputs()) : null;
        this.rowsGradient = needsRows ? setup.matrix(setup.all(), Matrix.padded(place.layer().outputs())) : null;
    }

    /** @throws IndexOutOfBoundsException if a token is outside the vocabulary */
    void load(int[] batch) {
        Arrays.fill(placeOf, -1);
        for (int r = 0; r < tokens.length(); r++) {
            int at = setup.sequences().element(r);
            if (batch[at] < 0 || batch[at] >= vocabulary) {
                throw new IndexOutOfBoundsException(
                        "token " + at + ": expected 0.." + (vocabulary - 1) + ", got " + batch[at]);
            }
            placeOf[batch[at]] = 0;
        }
        count = 0;
        for (int token = 0; token < vocabulary; token++) {
            if (placeOf[token] == 0) {
                distinct.set(count, token);
                placeOf[token] = count++;
            }
        }
        for (int r = 0; r < tokens.length(); r++) {
            int token = batch[setup.sequences().element(r)];
            tokens.set(r, token);
            places.set(r, placeOf[token]);
        }
    }

    /** Returns the most different tokens that a batch can have. */
    int capacity() {
        return distinct.length();
    }

    /** Returns the different tokens of the batch, ascending. */
    Indices distinct() {
        return distinct.slice(0, count);
    }

    /** Returns for each row the place of its token among the distinct ones. */
    Indices places() {
        return places;
    }

    /** Returns the embedding (V, E), null for one-hot tokens. */
    @Nullable Matrix table() {
        return table;
    }

    /** Returns the gradient of the embedding, null for one-hot tokens. */
    @Nullable Matrix tableGradient() {
        return tableGradient;
    }

    @Override
    Matrix output() {
        return Objects.requireNonNull(rows);
    }

    @Override
    Matrix outputGradient() {
        return Objects.requireNonNull(rowsGradient);
    }

    @Override
    void clearGradient() {
        if (rows != null) {
            super.clearGradient();
        }
    }

    @Override
    void forward(long dropoutKey) {
        if (rows != null && table != null) {
            eachChunk((from, to) -> k.gather(table, tokens.slice(from, to), rows.rows(from, to)));
        }
    }

    @Override
    void backward() {
        if (rowsGradient != null && tableGradient != null) {
            k.scatterAdd(rowsGradient.columns(0, tableGradient.columns()), tokens, tableGradient);
        }
    }
}
