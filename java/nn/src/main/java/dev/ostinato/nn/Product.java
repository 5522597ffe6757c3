package dev.ostinato.nn;

import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;

/** A product with weights of any precision, {@code out += a w}, laid out in memory. */
final class Product {
    private final Matrix a;
    private final PackedWeights w;
    private final Scaling scaling;
    private final Matrix out;
    /** The rows of {@code a} in eight bits, for weights that are; dead after a call. */
    private final QuantizedRows levels;

    /**
     * @param a (R, K)
     * @param w K inputs
     * @param scaling of the rows of {@code a} where they are rounded
     * @param out (R, outputs of {@code w})
     */
    Product(Matrix a, PackedWeights w, Scaling scaling, Matrix out) {
        this.a = a;
        this.w = w;
        this.scaling = scaling;
        this.out = out;
        this.levels = QuantizedRows.of(w instanceof Int8Matrix ? a.rows() : 0, a.columns());
    }

    void run(Kernels k) {
        switch (w) {
            case PackedMatrix f32 -> k.multiplyAdd(a, f32, out);
            case Bf16Matrix bf16 -> k.multiplyAddBf16(a, bf16, out);
            case Int8Matrix int8 -> {
                k.quantize(scaling, a, levels);
                k.multiplyAddInt8(levels, int8, out);
            }
        }
    }
}
