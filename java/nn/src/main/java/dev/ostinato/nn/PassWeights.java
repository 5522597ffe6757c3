package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import org.jspecify.annotations.Nullable;

/**
 * The weights of one way through time of a recurrent layer, and their gradients, as all segments of a batch see them: with what masks leave of
 * them, turned round, multiplied with each different token.
 */
final class PassWeights {
    private final Kernels k;
    private final Blueprint.Pass pass;
    private final CellWeights weights;
    private final CellWeights gradients;
    private final CellWeights.Transposed transposed;
    /** (1, start slots * Hp). */
    private final Matrix bias;
    private final @Nullable DropConnect dropConnect;
    private final @Nullable TokenTable table;

    /** @param tokens that the layer is fed by; null if there is another layer between or it is fed by rows */
    PassWeights(Stage.Setup setup, Blueprint.Pass pass, @Nullable TokenIndex tokens) {
        this.k = setup.kernels();
        this.pass = pass;
        Cell cell = pass.cell();
        float dropped = pass.regularization().dropConnect();
        this.dropConnect = dropped > 0 ? new DropConnect(setup, pass, dropped) : null;
        this.weights = dropConnect == null ? cell.weights(setup.weights(), pass.offset())
                : cell.weights(dropConnect.block(), 0);
        this.gradients = cell.weights(setup.gradients(), pass.offset());
        this.transposed = weights.transposed();
        this.bias = Matrix.of(1, cell.startSlots() * cell.padded);
        this.table = tokens == null ? null : new TokenTable(setup, this, tokens);
    }

    Blueprint.Pass pass() {
        return pass;
    }

    CellWeights weights() {
        return weights;
    }

    CellWeights gradients() {
        return gradients;
    }

    CellWeights.Transposed transposed() {
        return transposed;
    }

    Matrix bias() {
        return bias;
    }

    @Nullable TokenTable table() {
        return table;
    }

    /** Gets ready for the first step of a batch, by the weights as they are now. {@code dropoutKey} as in {@link Stage#forward}. */
    void beginForward(long dropoutKey) {
        if (dropConnect != null) {
            dropConnect.forward(k, key(dropoutKey));
        }
        pass.cell().biasRow(weights, bias);
        if (table != null) {
            table.forward();
        }
    }

    /** Returns the key of the layer's own draws. */
    long key(long dropoutKey) {
        return Masks.key(Masks.key(dropoutKey, pass.place().index()), pass.reverse() ? 1 : 0);
    }

    /** Gets ready for going back from the last step. */
    void beginBackward() {
        weights.transposeInto(transposed);
        if (table != null) {
            table.beginBackward();
        }
    }

    /** Does what is left to do for the gradients when the first step has gone back. */
    void endBackward() {
        if (table != null) {
            table.endBackward();
        }
        if (dropConnect != null) {
            dropConnect.backward(k);
        }
    }
}
