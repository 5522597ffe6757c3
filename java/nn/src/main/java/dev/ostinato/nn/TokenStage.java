package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Matrix;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The input layer of a model that takes tokens. A text of T * B tokens has few different ones, so a recurrent layer behind it multiplies
 * a table with a row per different token instead of T * B rows: see {@link TokenTable}. Any other layer gets rows.
 */
final class TokenStage extends Stage {
    private final TokenIndex index;
    private final Indices tokens;
    private final Indices places;
    /** Rows and their gradient, for a layer that needs them. */
    private final @Nullable Matrix rows;
    private final @Nullable Matrix rowsGradient;

    /** @param index of the whole batch */
    TokenStage(Setup setup, Blueprint.Place place, TokenIndex index, boolean needsRows) {
        super(setup);
        this.index = index;
        this.tokens = Indices.of(setup.all());
        this.places = Indices.of(setup.all());
        this.rows = needsRows ? setup.matrix(setup.all(), place.layer().outputs()) : null;
        this.rowsGradient = needsRows ? setup.matrix(setup.all(), Matrix.padded(place.layer().outputs())) : null;
    }

    /** @throws IndexOutOfBoundsException if a token is outside the vocabulary */
    void load(int[] batch) {
        if (setup.segment().isFirst()) {
            index.load(batch);
        }
        for (int r = 0; r < tokens.length(); r++) {
            int token = batch[setup.sequences().element(r)];
            tokens.set(r, token);
            places.set(r, index.placeOf(token));
        }
    }

    /** Returns for each row the place of its token among the distinct ones. */
    Indices places() {
        return places;
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
        Matrix table = index.table();
        if (rows != null && table != null) {
            eachChunk((from, to) -> k.gather(table, tokens.slice(from, to), rows.rows(from, to)));
        }
    }

    @Override
    void backward() {
        Matrix tableGradient = index.tableGradient();
        if (rowsGradient != null && tableGradient != null) {
            k.scatterAdd(rowsGradient.columns(0, tableGradient.columns()), tokens, tableGradient);
        }
    }
}
