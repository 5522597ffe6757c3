package dev.ostinato.kernels.vector;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.raw.Pool;
import dev.ostinato.kernels.raw.Raw;

/** Cuts products into {@link Tiles} so that what a tile reads again is still in the nearest cache. */
final class VectorProducts {
    /** Inputs of a product taken at a time: a pair of weight columns, a line per input, then stays in L1. */
    static final int INPUTS_AT_A_TIME = 128;
    /** Rows taken at a time: with {@link #INPUTS_AT_A_TIME} inputs 48 KB, which stay in L2 while the weights pass by. */
    static final int ROWS_AT_A_TIME = 96;
    /** Rows of a weight gradient taken at a time: a pair of columns of dz is then 8 KB, and stays in L1. */
    private static final int GRADIENT_ROWS_AT_A_TIME = 128;
    /** The most rows of a tile: processors with vectors of 512 bits have 32 registers, others may have sixteen. */
    static final int TILE_ROWS = Lanes.COUNT == 16 ? 8 : 5;

    /** Room for a piece of a, tile by tile: {@code [tile][input][row]}. */
    static final Pool<Memory> SCRATCH =
            new Pool<>(() -> Memory.ofFloats((long) ROWS_AT_A_TIME * INPUTS_AT_A_TIME));

    private VectorProducts() {
    }

    static void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
        multiplyAdd(a.address(), bytes(a), a.rows(), w, 0, w.panels(), out.address(), bytes(out));
    }

    /** The same of rows at an address, {@code aRow} and {@code outRow} bytes apart, and some of the panels. */
    static void multiplyAdd(long a, long aRow, int aRows, PackedMatrix w, int from, int to, long out, long outRow) {
        if (aRows == 1) {
            for (int panel = from; panel < to; panel++) {
                multiplyAddRow(a, w, w.inputs(), panel, out);
            }
            return;
        }
        Memory scratch = SCRATCH.take();
        for (int row = 0; row < aRows; row += ROWS_AT_A_TIME) {
            int rows = Math.min(ROWS_AT_A_TIME, aRows - row);
            for (int input = 0; input < w.inputs(); input += INPUTS_AT_A_TIME) {
                int inputs = Math.min(INPUTS_AT_A_TIME, w.inputs() - input);
                pack(a + row * aRow + (long) input * Float.BYTES, aRow, rows, inputs, scratch.address());
                for (int panel = from; panel < to; panel++) {
                    multiplyAddPanel(scratch.address(), w, out + row * outRow, outRow, rows, input, inputs, panel,
                            from, to);
                }
            }
        }
        SCRATCH.give(scratch);
    }

    /** Lays the rows of each tile side by side. */
    static void pack(long from, long rowBytes, int rows, int inputs, long to) {
        int tiles = Math.ceilDiv(rows, TILE_ROWS);
        for (int tile = 0; tile < tiles; tile++) {
            int tileRows = Math.ceilDiv(rows, tiles - tile);
            interleave(1f, from, rowBytes, Float.BYTES, tileRows, inputs, to, (long) tileRows * Float.BYTES);
            from += tileRows * rowBytes;
            to += (long) tileRows * inputs * Float.BYTES;
            rows -= tileRows;
        }
    }

    /** Lays alpha times some rows side by side: term k of row r goes {@code k * toStep} bytes and r floats behind {@code to}. */
    static void interleave(float alpha, long from, long fromRow, long fromStep, int rows, int terms, long to,
            long toStep) {
        int r = 0;
        for (; r + 4 <= rows; r += 4) {
            interleaveFour(alpha, from + r * fromRow, fromRow, fromStep, terms, to + (long) r * Float.BYTES, toStep);
        }
        for (; r < rows; r++) {
            long at = from + r * fromRow;
            long put = to + (long) r * Float.BYTES;
            for (long end = put + terms * toStep; put != end; put += toStep) {
                Raw.set(Lanes.in(put), 0, alpha * Raw.get(Lanes.in(at)));
                at += fromStep;
            }
        }
    }

    private static void interleaveFour(float alpha, long from, long fromRow, long fromStep, int terms, long to,
            long toStep) {
        for (long end = to + terms * toStep; to != end; to += toStep) {
            long put = Lanes.in(to);
            Raw.set(put, 0, alpha * Raw.get(Lanes.in(from)));
            Raw.set(put, 1, alpha * Raw.get(Lanes.in(from + fromRow)));
            Raw.set(put, 2, alpha * Raw.get(Lanes.in(from + 2 * fromRow)));
            Raw.set(put, 3, alpha * Raw.get(Lanes.in(from + 3 * fromRow)));
            from += fromStep;
        }
    }

    /** All columns of a panel, but for an odd last one, which is taken together with that of a neighbour within the range. */
    private static void multiplyAddPanel(long packed, PackedMatrix w, long out, long outRow, int rows, int input,
            int inputs, int panel, int from, int to) {
        int vectors = vectors(w, panel);
        long step = vectors * Lanes.BYTES;
        long weights = w.panelAddress(panel) + input * step;
        int v = 0;
        for (; v + 1 < vectors; v += 2) {
            long c = out + outputOffset(w, panel, v);
            product(packed, weights + v * Lanes.BYTES, step, Lanes.BYTES, c, outRow,
                    out + outputOffset(w, panel, v + 1) - c, rows, inputs);
        }
        if (v < vectors) {
            boolean first = (panel - from) % 2 == 0;
            long b = weights + v * Lanes.BYTES;
            long c = out + outputOffset(w, panel, v);
            if (first && panel + 1 < to && vectors(w, panel + 1) == vectors) {
                long next = w.panelAddress(panel + 1) - w.panelAddress(panel);
                product(packed, b, step, next, c, outRow, out + outputOffset(w, panel + 1, v) - c, rows, inputs);
            } else if (first || vectors(w, panel - 1) != vectors) {
                productOfOne(packed, b, step, c, outRow, rows, inputs);
            }
        }
    }

    /** Two columns of vectors and the packed rows. */
    static void product(long packed, long b, long bStep, long bNext, long c, long cRow, long cNext, int rows,
            int inputs) {
        int tiles = Math.ceilDiv(rows, TILE_ROWS);
        for (int tile = 0; tile < tiles; tile++) {
            int tileRows = Math.ceilDiv(rows, tiles - tile);
            tile(tileRows, packed, (long) tileRows * Float.BYTES, b, bStep, bNext, c, cRow, cNext, inputs);
            packed += (long) tileRows * inputs * Float.BYTES;
            c += tileRows * cRow;
            rows -= tileRows;
        }
    }

    /** One column of vectors and the packed rows. */
    static void productOfOne(long packed, long b, long bStep, long c, long cRow, int rows, int inputs) {
        int tiles = Math.ceilDiv(rows, TILE_ROWS);
        for (int tile = 0; tile < tiles; tile++) {
            int tileRows = Math.ceilDiv(rows, tiles - tile);
            for (int r = 0; r < tileRows; r++) {
                Tiles.row(packed + (long) r * Float.BYTES, (long) tileRows * Float.BYTES, b, bStep, c, inputs);
                c += cRow;
            }
            packed += (long) tileRows * inputs * Float.BYTES;
            rows -= tileRows;
        }
    }

    /** One panel and a single row of {@code inputs} elements: the weights are read once, in order, so what counts is enough independent sums. */
    static void multiplyAddRow(long a, PackedMatrix w, int inputs, int panel, long out) {
        int vectors = vectors(w, panel);
        long step = vectors * Lanes.BYTES;
        long b = w.panelAddress(panel);
        int v = 0;
        while (v < vectors) {
            int left = vectors - v;
            if (left % 8 == 0) {
                Tiles.rowEight(a, b, step, inputs, out + outputOffset(w, panel, v),
                        out + outputOffset(w, panel, v + 1), out + outputOffset(w, panel, v + 2),
                        out + outputOffset(w, panel, v + 3), out + outputOffset(w, panel, v + 4),
                        out + outputOffset(w, panel, v + 5), out + outputOffset(w, panel, v + 6),
                        out + outputOffset(w, panel, v + 7));
                v += 8;
            } else if (left % 6 == 0) {
                Tiles.rowSix(a, b, step, inputs, out + outputOffset(w, panel, v),
                        out + outputOffset(w, panel, v + 1), out + outputOffset(w, panel, v + 2),
                        out + outputOffset(w, panel, v + 3), out + outputOffset(w, panel, v + 4),
                        out + outputOffset(w, panel, v + 5));
                v += 6;
            } else if (left >= 4) {
                Tiles.rowFour(a, b, step, inputs, out + outputOffset(w, panel, v),
                        out + outputOffset(w, panel, v + 1), out + outputOffset(w, panel, v + 2),
                        out + outputOffset(w, panel, v + 3));
                v += 4;
            } else if (left == 3) {
                Tiles.rowThree(a, b, step, inputs, out + outputOffset(w, panel, v),
                        out + outputOffset(w, panel, v + 1), out + outputOffset(w, panel, v + 2));
                v += 3;
            } else if (left == 2) {
                long c = out + outputOffset(w, panel, v);
                Tiles.rows1(a, Float.BYTES, b, step, Lanes.BYTES, c, 0, out + outputOffset(w, panel, v + 1) - c,
                        inputs);
                v += 2;
            } else {
                Tiles.row(a, Float.BYTES, b, step, out + outputOffset(w, panel, v), inputs);
                v++;
            }
            b = w.panelAddress(panel) + v * Lanes.BYTES;
        }
    }

    static void weightGradient(Matrix a, Matrix dz, PackedMatrix dw) {
        for (int end = a.rows(); end > 0; end -= GRADIENT_ROWS_AT_A_TIME) {
            int rows = Math.min(GRADIENT_ROWS_AT_A_TIME, end);
            for (int panel = 0; panel < dw.panels(); panel++) {
                weightGradientPanel(a, dz, dw, end - 1, rows, panel);
            }
        }
    }

    /** The rows from {@code last} down; the inputs of a are the rows of the tile. */
    private static void weightGradientPanel(Matrix a, Matrix dz, PackedMatrix dw, int last, int rows, int panel) {
        int vectors = vectors(dw, panel);
        long width = (long) vectors * Lanes.BYTES;
        long from = a.rowAddress(last);
        long gradients = dz.rowAddress(last);
        int v = 0;
        for (; v + 1 < vectors; v += 2) {
            long b = gradients + outputOffset(dw, panel, v);
            gradient(from, -bytes(a), b, -bytes(dz), gradients + outputOffset(dw, panel, v + 1) - b,
                    dw.panelAddress(panel) + (long) v * Lanes.BYTES, width, Lanes.BYTES, dw.inputs(), rows);
        }
        if (v < vectors) {
            for (int k = 0; k < dw.inputs(); k++) {
                Tiles.row(from + (long) k * Float.BYTES, -bytes(a), gradients + outputOffset(dw, panel, v), -bytes(dz),
                        dw.panelAddress(panel) + k * width + (long) v * Lanes.BYTES, rows);
            }
        }
    }

    /** Two columns of vectors and any number of inputs of a, which lie side by side as they are. */
    private static void gradient(long a, long aStep, long b, long bStep, long bNext, long c, long cRow, long cNext,
            int inputs,
            int count) {
        int tiles = Math.ceilDiv(inputs, TILE_ROWS);
        for (int tile = 0; tile < tiles; tile++) {
            int tileRows = Math.ceilDiv(inputs, tiles - tile);
            tile(tileRows, a, aStep, b, bStep, bNext, c, cRow, cNext, count);
            a += (long) tileRows * Float.BYTES;
            c += tileRows * cRow;
            inputs -= tileRows;
        }
    }

    /** Tiles are made as equal as they can be: ten rows are 5 + 5, not 8 + 2. */
    static void tile(int rows, long a, long aStep, long b, long bStep, long bNext, long c, long cRow,
            long cNext, int count) {
        switch (rows) {
            case 8 -> Tiles.rows8(a, aStep, b, bStep, bNext, c, cRow, cNext, count);
            case 7 -> Tiles.rows7(a, aStep, b, bStep, bNext, c, cRow, cNext, count);
            case 6 -> Tiles.rows6(a, aStep, b, bStep, bNext, c, cRow, cNext, count);
            case 5 -> Tiles.rows5(a, aStep, b, bStep, bNext, c, cRow, cNext, count);
            case 4 -> Tiles.rows4(a, aStep, b, bStep, bNext, c, cRow, cNext, count);
            case 3 -> Tiles.rows3(a, aStep, b, bStep, bNext, c, cRow, cNext, count);
            case 2 -> Tiles.rows2(a, aStep, b, bStep, bNext, c, cRow, cNext, count);
            default -> Tiles.rows1(a, aStep, b, bStep, bNext, c, cRow, cNext, count);
        }
    }

    static int vectors(PackedMatrix w, int panel) {
        return w.blocks(panel) * (Matrix.BLOCK / Lanes.COUNT);
    }

    /** Returns the bytes from the start of an output row to a vector of a panel. */
    static long outputOffset(PackedMatrix w, int panel, int vector) {
        int lane = vector * Lanes.COUNT;
        return (long) (w.output(panel, lane / Matrix.BLOCK) + lane % Matrix.BLOCK) * Float.BYTES;
    }

    static long bytes(Matrix matrix) {
        return (long) matrix.stride() * Float.BYTES;
    }
}
