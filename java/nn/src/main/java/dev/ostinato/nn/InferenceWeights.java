package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The weights of a model as steps read them: what can be computed once, is. Immutable. */
final class InferenceWeights {
    /** The largest table of tokens, 32 MB. */
    private static final long MOST_TABLE_BYTES = 1L << 25;

    /**
     * A recurrent layer.
     *
     * @param weights W, without inputs where it is not multiplied, and U
     * @param columns W as floats, for tokens that have no table
     * @param bias (1, start slots * Hp) both biases summed
     * @param table (V, start slots * Hp) for a layer fed by tokens: for each of them what the pre-activations are before U h is added. Null where
     *     another layer is below, and where there are so many tokens that the table would be too large
     */
    record Recurrent(Cell.StepWeights weights, PackedMatrix columns, Matrix bias, @Nullable Matrix table) {
        /** Returns the bytes of weights that a step of one row reads. */
        long stepBytes() {
            long input = weights.input().inputs() > 0 ? weights.input().byteSize()
                    : (long) bias.columns() * Float.BYTES; // of a token
            return input + weights.recurrent().stream().mapToLong(PackedWeights::byteSize).sum();
        }
    }

    /**
     * A dense layer.
     *
     * @param bias (1, padded outputs)
     */
    record Dense(PackedWeights weights, Matrix bias) {}

    /** By the offset of the pass. */
    private final Map<Long, Recurrent> recurrent = new HashMap<>();
    private final Map<Integer, Dense> dense = new HashMap<>();

    InferenceWeights(Blueprint blueprint, Memory weights, Precision precision, Kernels kernels) {
        for (Blueprint.Place place : blueprint.places()) {
            for (Blueprint.Pass pass : place.passes()) {
                recurrent.put(pass.offset(), recurrent(blueprint, pass, weights, precision, kernels));
            }
            if (place.layer() instanceof Layer.Dense) {
                DenseTensors tensors = DenseTensors.of(place);
                dense.put(place.index(),
                        new Dense(precision.of(tensors.weights(weights)), tensors.bias(weights)));
            }
        }
    }

    private static Recurrent recurrent(Blueprint blueprint, Blueprint.Pass pass, Memory weights, Precision precision,
            Kernels kernels) {
        Blueprint.Place place = pass.place();
        Cell cell = pass.cell();
        CellWeights w = cell.weights(weights, pass.offset());
        Matrix bias = Matrix.of(1, cell.startSlots() * cell.padded);
        cell.biasRow(w, bias);
        Matrix table = switch (blueprint.inputOf(place).layer()) {
            case Layer.Embedding embedding when fits(embedding, bias) -> {
                Matrix rows = rows(embedding, bias, kernels);
                kernels.multiplyAdd(EmbeddingTensors.of(blueprint.inputOf(place)).table(weights), w.input(),
                        cell.inputSlots(rows));
                yield rows;
            }
            case Layer.OneHot oneHot when fits(oneHot, bias) -> {
                Matrix rows = rows(oneHot, bias, kernels);
                kernels.addInputs(w.input(), allOf(rows.rows()), cell.inputSlots(rows));
                yield rows;
            }
            default -> null;
        };
        boolean multiplied = table == null && !(blueprint.inputOf(place).layer() instanceof Layer.OneHot);
        return new Recurrent(multiplied ? cell.stepWeights(w, precision) : cell.recurrentWeights(w, precision),
                w.input(), bias, table);
    }

    private static boolean fits(Layer tokens, Matrix bias) {
        return (long) tokens.inputs() * bias.columns() * Float.BYTES <= MOST_TABLE_BYTES;
    }

    /** Returns a table with the biases in every row. */
    private static Matrix rows(Layer tokens, Matrix bias, Kernels kernels) {
        Matrix table = Matrix.of(tokens.inputs(), bias.columns());
        kernels.fillRows(bias, table);
        return table;
    }

    private static Indices allOf(int count) {
        Indices all = Indices.of(count);
        for (int i = 0; i < count; i++) {
            all.set(i, i);
        }
        return all;
    }

    /** Returns the bytes of weights that a step of one row reads, padding included. */
    long stepBytes() {
        return recurrent.values().stream().mapToLong(Recurrent::stepBytes).sum()
                + dense.values().stream().mapToLong(layer -> layer.weights().byteSize()).sum();
    }

    Recurrent recurrent(Blueprint.Pass pass) {
        return Objects.requireNonNull(recurrent.get(pass.offset()));
    }

    Dense dense(Blueprint.Place place) {
        return Objects.requireNonNull(dense.get(place.index()));
    }
}
