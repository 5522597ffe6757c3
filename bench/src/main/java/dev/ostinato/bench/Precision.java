package dev.ostinato.bench;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
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
}
