package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.VectorProducts.INPUTS_AT_A_TIME;
import static dev.ostinato.kernels.vector.VectorProducts.ROWS_AT_A_TIME;
import static dev.ostinato.kernels.vector.VectorProducts.outputOffset;
import static dev.ostinato.kernels.vector.VectorProducts.vectors;

import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.raw.Pool;

/** Products with bfloat16 weights: a single row by {@link Bf16Tiles}, several by {@link Tiles} of weights widened piece by piece. */
final class VectorBf16 {
    /** Room for a piece of two columns of weights: 16 KB at most, which stay in L1 while the rows pass by. */
    private static final Pool<Memory> WIDENED =
            new Pool<>(() -> Memory.ofFloats(2L * INPUTS_AT_A_TIME * Lanes.COUNT));

    private VectorBf16() {
    }

    static void multiplyAdd(Matrix a, Bf16Matrix w, Matrix out) {
        multiplyAdd(a.address(), VectorProducts.bytes(a), a.rows(), w, 0, w.words().panels(), out.address(),
                VectorProducts.bytes(out));
    }

    /** The same of rows at an address, {@code aRow} and {@code outRow} bytes apart, and some of the panels. */
    static void multiplyAdd(long a, long aRow, int aRows, Bf16Matrix w, int from, int to, long out, long outRow) {
        PackedMatrix words = w.words();
        if (aRows == 1) {
            for (int panel = from; panel < to; panel++) {
                multiplyAddRow(a, words, w.inputs(), panel, out);
            }
            return;
        }
        Memory packed = VectorProducts.SCRATCH.take();
        Memory widened = WIDENED.take();
        for (int row = 0; row < aRows; row += ROWS_AT_A_TIME) {
            int rows = Math.min(ROWS_AT_A_TIME, aRows - row);
            for (int input = 0; input < w.inputs(); input += INPUTS_AT_A_TIME) {
                int inputs = Math.min(INPUTS_AT_A_TIME, w.inputs() - input);
                VectorProducts.pack(a + row * aRow + (long) input * Float.BYTES, aRow, rows, inputs, packed.address());
                for (int panel = from; panel < to; panel++) {
                    multiplyAddPanel(packed.address(), words, widened.address(), out + row * outRow, outRow, rows,
                            input, inputs, panel);
                }
            }
        }
        VectorProducts.SCRATCH.give(packed);
        WIDENED.give(widened);
    }

    private static void multiplyAddPanel(long packed, PackedMatrix words, long widened, long out, long outRow, int rows,
            int input, int inputs, int panel) {
        int vectors = vectors(words, panel);
        long step = vectors * Lanes.BYTES;
        long from = words.panelAddress(panel) + input / 2 * step;
        for (int v = 0; v < vectors; v += 2) {
            boolean two = v + 1 < vectors;
            long c = out + outputOffset(words, panel, v);
            Bf16Tiles.widen(from + v * Lanes.BYTES, step, two ? Lanes.BYTES : 0, inputs, widened);
            if (two) {
                VectorProducts.product(packed, widened, 2 * Lanes.BYTES, Lanes.BYTES, c, outRow,
                        out + outputOffset(words, panel, v + 1) - c, rows, inputs);
            } else {
                VectorProducts.productOfOne(packed, widened, 2 * Lanes.BYTES, c, outRow, rows, inputs);
            }
        }
    }

    /** One panel and a single row of {@code inputs} elements: the weights are read once, in order, so what counts is enough independent sums. */
    static void multiplyAddRow(long a, PackedMatrix words, int inputs, int panel, long out) {
        int vectors = vectors(words, panel);
        int pairs = inputs / 2;
        long step = vectors * Lanes.BYTES;
        int v = 0;
        while (v < vectors) {
            long b = words.panelAddress(panel) + v * Lanes.BYTES;
            int left = vectors - v;
            if (left % 8 == 0) {
                Bf16Tiles.rowEight(a, b, step, pairs, out + outputOffset(words, panel, v),
                        out + outputOffset(words, panel, v + 1), out + outputOffset(words, panel, v + 2),
                        out + outputOffset(words, panel, v + 3), out + outputOffset(words, panel, v + 4),
                        out + outputOffset(words, panel, v + 5), out + outputOffset(words, panel, v + 6),
                        out + outputOffset(words, panel, v + 7));
                v += 8;
            } else if (left >= 4) {
                Bf16Tiles.rowFour(a, b, step, pairs, out + outputOffset(words, panel, v),
                        out + outputOffset(words, panel, v + 1), out + outputOffset(words, panel, v + 2),
                        out + outputOffset(words, panel, v + 3));
                v += 4;
            } else if (left == 3) {
                Bf16Tiles.rowThree(a, b, step, pairs, out + outputOffset(words, panel, v),
                        out + outputOffset(words, panel, v + 1), out + outputOffset(words, panel, v + 2));
                v += 3;
            } else {
                Bf16Tiles.row(a, b, step, pairs, out + outputOffset(words, panel, v));
                v++;
            }
        }
        if (inputs % 2 == 1) {
            multiplyAddLast(a, words, inputs, panel, out);
        }
    }

    /** The last input of an odd number, which shares its words with none. */
    private static void multiplyAddLast(long a, PackedMatrix words, int inputs, int panel, long out) {
        int vectors = vectors(words, panel);
        long last = a + (inputs - 1L) * Float.BYTES;
        long from = words.panelAddress(panel) + inputs / 2L * vectors * Lanes.BYTES;
        for (int v = 0; v < vectors; v++) {
            Bf16Tiles.last(last, from + v * Lanes.BYTES, out + outputOffset(words, panel, v));
        }
    }
}
