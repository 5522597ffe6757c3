package dev.ostinato.bench;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;

/** How weights are packed. */
public enum Precision {
    F32(4),
    BF16(2),
    INT8(1);

    /** Of a weight. */
    final int bytes;

    Precision(int bytes) {
        this.bytes = bytes;
    }

    /** A product of prepared operands: {@code out += rows * weights}. */
    @FunctionalInterface
    interface Multiply {
        void run(Kernels kernels, Matrix out);
    }

    /** Prepares a product of floats with weights that are packed this way; rows of eight bits are quantised here, once. */
    Multiply prepare(Matrix rows, PackedMatrix weights) {
        return switch (this) {
            case F32 -> (kernels, out) -> kernels.multiplyAdd(rows, weights, out);
            case BF16 -> {
                Bf16Matrix packed = Bf16Matrix.of(weights);
                yield (kernels, out) -> kernels.multiplyAddBf16(rows, packed, out);
            }
            case INT8 -> {
                Int8Matrix packed = Int8Matrix.of(weights);
                QuantizedRows quantized = QuantizedRows.of(rows.rows(), rows.columns());
                Backends.kernels("scalar").quantize(Scaling.ROW, rows, quantized);
                yield (kernels, out) -> kernels.multiplyAddInt8(quantized, packed, out);
            }
        };
    }

    /** Packs the weights of a step this way, interleaved. */
    PackedWeights[] pair(PackedMatrix w, PackedMatrix u) {
        return switch (this) {
            case F32 -> {
                PackedMatrix both = PackedMatrix.of(w.inputs() + u.inputs(), w.gates(), w.units());
                for (int k = 0; k < both.inputs(); k++) {
                    PackedMatrix from = k < w.inputs() ? w : u;
                    for (int gate = 0; gate < both.gates(); gate++) {
                        for (int unit = 0; unit < both.units(); unit++) {
                            both.set(k, gate, unit, from.get(k < w.inputs() ? k : k - w.inputs(), gate, unit));
                        }
                    }
                }
                yield new PackedWeights[] {both.inputs(0, w.inputs()), both.inputs(w.inputs(), both.inputs())};
            }
            case BF16 -> Bf16Matrix.pair(w, u);
            case INT8 -> Int8Matrix.pair(w, u);
        };
    }
}
