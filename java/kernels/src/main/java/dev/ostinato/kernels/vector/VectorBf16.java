package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.VectorProducts.INPUTS_AT_A_TIME;
import static dev.ostinato.kernels.vector.VectorProducts.ROWS_AT_A_TIME;
import static dev.ostinato.kernels.vector.VectorProducts.outputOffset;
import static dev.ostinato.kernels.vector.VectorProducts.vectors;

import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import java.lang.ref.Reference;

/** Products with bfloat16 weights: a single row by {@link Bf16Tiles}, several by {@link Tiles} of weights widened piece by piece. */
final class VectorBf16 {
    /** Room for a piece of two columns of weights: 16 KB at most, which stay in L1 while the rows pass by. */
    private static final ThreadLocal<Memory> WIDENED =
            ThreadLocal.withInitial(() -> Memory.ofFloats(2L * INPUTS_AT_A_TIME * Lanes.COUNT));

    private VectorBf16() {
    }

    static void multiplyAdd(Matrix a, Bf16Matrix w, Matrix out) {
        if (a.rows() == 1) {
            multiplyAddRow(a, w.words(), out);
        } else {
            multiplyAddRows(a, w.words(), out);
        }
    }

    private static void multiplyAddRows(Matrix a, PackedMatrix words, Matrix out) {
        Memory packed = VectorProducts.SCRATCH.get();
        Memory widened = WIDENED.get();
        for (int row = 0; row < a.rows(); row += ROWS_AT_A_TIME) {
            int rows = Math.min(ROWS_AT_A_TIME, a.rows() - row);
            for (int input = 0; input < a.columns(); input += INPUTS_AT_A_TIME) {
                int inputs = Math.min(INPUTS_AT_A_TIME, a.columns() - input);
                VectorProducts.pack(a.rowAddress(row) + (long) input * Float.BYTES, VectorProducts.bytes(a), rows,
                        inputs, packed.address());
                for (int panel = 0; panel < words.panels(); panel++) {
                    multiplyAddPanel(packed.address(), words, widened.address(), out, row, rows, input, inputs, panel);
                }
            }
        }
        Reference.reachabilityFence(packed);
        Reference.reachabilityFence(widened);
    }

    private static void multiplyAddPanel(long packed, PackedMatrix words, long widened, Matrix out, int row, int rows,
            int input, int inputs, int panel) {
        int vectors = vectors(words, panel);
        long step = vectors * Lanes.BYTES;
        long from = words.panelAddress(panel) + input / 2 * step;
        long to = out.rowAddress(row);
        for (int v = 0; v < vectors; v += 2) {
            boolean two = v + 1 < vectors;
            long c = to + outputOffset(words, panel, v);
            Bf16Tiles.widen(from + v * Lanes.BYTES, step, two ? Lanes.BYTES : 0, inputs, widened);
            if (two) {
                VectorProducts.product(packed, widened, 2 * Lanes.BYTES, Lanes.BYTES, c, VectorProducts.bytes(out),
                        to + outputOffset(words, panel, v + 1) - c, rows, inputs);
            } else {
                VectorProducts.productOfOne(packed, widened, 2 * Lanes.BYTES, c, VectorProducts.bytes(out), rows,
                        inputs);
            }
        }
    }

    /** A single row: the weights are read once, in order, so what counts is enough independent sums. */
    private static void multiplyAddRow(Matrix a, PackedMatrix words, Matrix out) {
        int panel = 0;
        while (panel < words.panels()) {
            int vectors = vectors(words, panel);
            boolean two = panel + 1 < words.panels() && vectors(words, panel + 1) == vectors;
            long next = two ? words.panelAddress(panel + 1) - words.panelAddress(panel) : 0;
            if (vectors % 8 == 0) {
                for (int v = 0; v < vectors; v += 8) {
                    rowEight(a, words, out, panel, v, 4L * Lanes.BYTES, panel, v + 4);
                }
            } else if (vectors % 6 == 0) {
                for (int v = 0; v < vectors; v += 6) {
                    rowSix(a, words, out, panel, v, 3L * Lanes.BYTES, panel, v + 3);
                }
            } else if (two && vectors == 4) {
                rowEight(a, words, out, panel++, 0, next, panel, 0);
            } else if (two && vectors == 3) {
                rowSix(a, words, out, panel++, 0, next, panel, 0);
            } else {
                rowOnes(a, words, out, panel);
            }
            panel++;
        }
        if (a.columns() % 2 == 1) {
            multiplyAddLast(a, words, out);
        }
    }

    private static void rowEight(Matrix a, PackedMatrix words, Matrix out, int panel, int v, long next, int panel2,
            int v2) {
        long c = out.address();
        Bf16Tiles.rowEight(a.address(), words.panelAddress(panel) + (long) v * Lanes.BYTES,
                vectors(words, panel) * Lanes.BYTES, next, a.columns() / 2, c + outputOffset(words, panel, v),
                c + outputOffset(words, panel, v + 1), c + outputOffset(words, panel, v + 2),
                c + outputOffset(words, panel, v + 3), c + outputOffset(words, panel2, v2),
                c + outputOffset(words, panel2, v2 + 1), c + outputOffset(words, panel2, v2 + 2),
                c + outputOffset(words, panel2, v2 + 3));
    }

    private static void rowSix(Matrix a, PackedMatrix words, Matrix out, int panel, int v, long next, int panel2,
            int v2) {
        long c = out.address();
        Bf16Tiles.rowSix(a.address(), words.panelAddress(panel) + (long) v * Lanes.BYTES,
                vectors(words, panel) * Lanes.BYTES, next, a.columns() / 2, c + outputOffset(words, panel, v),
                c + outputOffset(words, panel, v + 1), c + outputOffset(words, panel, v + 2),
                c + outputOffset(words, panel2, v2), c + outputOffset(words, panel2, v2 + 1),
                c + outputOffset(words, panel2, v2 + 2));
    }

    private static void rowOnes(Matrix a, PackedMatrix words, Matrix out, int panel) {
        long step = vectors(words, panel) * Lanes.BYTES;
        for (int v = 0; v < vectors(words, panel); v++) {
            Bf16Tiles.row(a.address(), words.panelAddress(panel) + (long) v * Lanes.BYTES, step,
                    out.address() + outputOffset(words, panel, v), a.columns() / 2);
        }
    }

    /** The last input of an odd number, which shares its words with none. */
    private static void multiplyAddLast(Matrix a, PackedMatrix words, Matrix out) {
        long last = a.address() + (a.columns() - 1L) * Float.BYTES;
        for (int panel = 0; panel < words.panels(); panel++) {
            int vectors = vectors(words, panel);
            long from = words.panelAddress(panel) + (words.inputs() - 1L) * vectors * Lanes.BYTES;
            for (int v = 0; v < vectors; v++) {
                Bf16Tiles.last(last, from + v * Lanes.BYTES, out.address() + outputOffset(words, panel, v));
            }
        }
    }
}
