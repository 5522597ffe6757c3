package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.raw.Raw;

/** Products with bfloat16 and eight-bit weights, as plain loops. */
final class ScalarNarrow {
    private ScalarNarrow() {
    }

    static void multiplyAddBf16(Matrix a, Bf16Matrix w, Matrix out) {
        for (int r = 0; r < a.rows(); r++) {
            for (int j = 0; j < w.outputs(); j++) {
                float acc = Raw.get(out.rowAddress(r), j);
                for (int k = 0; k < w.inputs(); k++) {
                    acc = Math.fma(Raw.get(a.rowAddress(r), k), weight(w, k, j), acc);
                }
                Raw.set(out.rowAddress(r), j, acc);
            }
        }
    }

    private static float weight(Bf16Matrix w, int input, int output) {
        int unit = output % Matrix.padded(w.units());
        return unit < w.units() ? w.get(input, output / Matrix.padded(w.units()), unit) : 0f;
    }

    static void quantize(Scaling scaling, Matrix x, QuantizedRows q) {
        for (int r = 0; r < x.rows(); r++) {
            float m = Quantization.largestMagnitude(x.rowAddress(r), x.columns());
            float scale = Quantization.scale(scaling, m);
            Raw.set(q.scalesAddress(), r, scale);
            for (int k = 0; k < x.columns(); k++) {
                float v = Float.isNaN(scale) ? 0f : Raw.get(x.rowAddress(r), k);
                Raw.setByte(q.rowAddress(r), k, Quantization.storedLevel(v, Quantization.factor(scaling, m)));
            }
        }
    }

    static void multiplyAddInt8(QuantizedRows a, Int8Matrix w, Matrix out) {
        for (int r = 0; r < a.rows(); r++) {
            float rowScale = Raw.get(a.scalesAddress(), r);
            for (int j = 0; j < w.outputs(); j++) {
                int sum = 0;
                for (int k = 0; k < w.inputs(); k++) {
                    sum += (Raw.getByte(a.rowAddress(r), k) - QuantizedRows.ZERO) * level(w, k, j);
                }
                float scale = rowScale * Raw.get(w.scales().address(), j);
                Raw.set(out.rowAddress(r), j, Math.fma((float) sum, scale, Raw.get(out.rowAddress(r), j)));
            }
        }
    }

    private static int level(Int8Matrix w, int input, int output) {
        int unit = output % Matrix.padded(w.units());
        return unit < w.units() ? w.level(input, output / Matrix.padded(w.units()), unit) : 0;
    }
}
