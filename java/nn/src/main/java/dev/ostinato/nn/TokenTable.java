package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;

/**
 * The input product of a recurrent layer fed by tokens: one row of z per different token of the batch, from which the rows of z are copied; and
 * gradients summed per token over the whole batch before they go on.
 */
final class TokenTable {
    private final Stage.Setup setup;
    private final Kernels k;
    private final PassWeights weights;
    private final Cell cell;
    private final TokenIndex tokens;
    /** (distinct tokens, start slots * Hp), and their gradient. */
    private final Matrix rows;
    private final Matrix dRows;
    /** (distinct tokens, E), and (distinct tokens, padded E). */
    private final Matrix x;
    private final Matrix dx;

    TokenTable(Stage.Setup setup, PassWeights weights, TokenIndex tokens) {
        this.setup = setup;
        this.k = setup.kernels();
        this.weights = weights;
        this.cell = weights.pass().cell();
        this.tokens = tokens;
        this.rows = setup.matrix(tokens.capacity(), weights.bias().columns());
        this.dRows = setup.matrix(tokens.capacity(), weights.bias().columns());
        this.x = setup.matrix(tokens.capacity(), cell.inputs);
        this.dx = setup.matrix(tokens.capacity(), Matrix.padded(cell.inputs));
    }

    /** Multiplies the tokens of the batch. */
    void forward() {
        Matrix table = tokens.table();
        setup.eachChunk(count(), (first, last) -> {
            Matrix part = rows.rows(first, last);
            k.fillRows(weights.bias(), part);
            if (table == null) {
                k.addInputs(weights.weights().input(), tokens.distinct().slice(first, last), cell.inputSlots(part));
            } else {
                k.gather(table, tokens.distinct().slice(first, last), x.rows(first, last));
                k.multiplyAdd(x.rows(first, last), weights.weights().input(), cell.inputSlots(part));
            }
        });
    }

    private int count() {
        return tokens.distinct().length();
    }

    /** Overwrites the start slots of some rows of z with those of their tokens, which are at {@code places}. */
    void copyTo(Matrix start, Indices places) {
        k.gather(rows.rows(0, count()), places, start);
    }

    void beginBackward() {
        dRows.rows(0, count()).clear();
    }

    /** Adds gradients of a slot of z, of all rows of a segment. */
    void addGradient(Matrix slot, int number, Indices places) {
        int from = number * cell.padded;
        k.scatterAdd(slot, places, dRows.rows(0, count()).columns(from, from + cell.padded));
    }

    /** Adds to the gradients of W, of the biases and of the embedding. */
    void endBackward() {
        int count = count();
        Matrix sums = dRows.rows(0, count);
        CellWeights gradients = weights.gradients();
        cell.inputBiasGradient(k, sums, gradients);
        cell.recurrentBiasGradient(k, sums, gradients);
        Matrix dz = cell.inputSlots(sums);
        Matrix dTable = tokens.tableGradient();
        if (dTable == null) {
            k.scatterAddInputs(dz, tokens.distinct(), gradients.input());
            return;
        }
        int parts = setup.team().threads();
        setup.team().run(parts,
                part -> Cell.gradientShare(k, x.rows(0, count), dz, gradients.input(), part, parts));
        setup.eachChunk(count, (first, last) -> {
            Matrix part = dx.rows(first, last);
            part.clear();
            k.multiplyAdd(dz.rows(first, last), weights.transposed().input(), part);
        });
        k.scatterAdd(dx.rows(0, count).columns(0, cell.inputs), tokens.distinct(), dTable);
    }
}
