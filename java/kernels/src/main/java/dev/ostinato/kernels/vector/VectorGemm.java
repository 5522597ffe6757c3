package dev.ostinato.kernels.vector;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.Transpose;
import dev.ostinato.kernels.raw.Pool;
import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;

/**
 * Matrix times matrix, cut into {@link Tiles}. Operands are packed a piece at a time: rows of a tile side by side, and columns as panels of
 * two vectors. Strides and offsets are in bytes.
 */
final class VectorGemm {
    /** Terms of the sums taken at a time: a packed panel, two vectors a term, then stays in L1. */
    private static final int DEPTH = 256;
    /** Columns taken at a time: packed they are 512 KB, which stay in L2 while the rows pass by. */
    private static final int COLUMNS = 512;
    /** Rows taken at a time, whole tiles of eight or five. */
    private static final int ROWS = 120;
    /** With as few rows as one tile has, the columns are read where they lie: each is read once. */
    private static final int FEW_ROWS = VectorProducts.TILE_ROWS;

    private static final int WIDTH = 2 * Lanes.COUNT;
    private static final long WIDTH_BYTES = 2 * Lanes.BYTES;

    private static final long PACKED_COLUMNS = (long) COLUMNS * DEPTH * Float.BYTES;
    private static final long PACKED_ROWS = (long) ROWS * DEPTH * Float.BYTES;
    /** A tile that the edge of c cuts off. */
    private static final long EDGE = FEW_ROWS * WIDTH_BYTES;

    private static final Pool<Memory> SCRATCH = new Pool<>(() -> Memory.allocate(PACKED_COLUMNS + PACKED_ROWS + EDGE));

    private VectorGemm() {
    }

    static void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        long aRow = transposeA == Transpose.NO ? bytes(a) : Float.BYTES;
        long aStep = transposeA == Transpose.NO ? Float.BYTES : bytes(a);
        long bStep = transposeB == Transpose.NO ? bytes(b) : Float.BYTES;
        long bColumn = transposeB == Transpose.NO ? Float.BYTES : bytes(b);
        int depth = transposeA == Transpose.NO ? a.columns() : a.rows();
        if (c.rows() == 1 && transposeB == Transpose.NO) {
            VectorBlas.rowProduct(alpha, a.address(), aStep, b, beta, c.address());
            return;
        }
        for (int r = 0; r < c.rows(); r++) {
            VectorBlas.scale(beta, c.rowAddress(r), (long) c.columns() * Float.BYTES);
        }
        Memory scratch = SCRATCH.take();
        for (int j = 0; j < c.columns(); j += COLUMNS) {
            int columns = Math.min(COLUMNS, c.columns() - j);
            for (int k = 0; k < depth; k += DEPTH) {
                int terms = Math.min(DEPTH, depth - k);
                long from = b.address() + j * bColumn + k * bStep;
                columns(scratch.address(), alpha, a.address() + k * aStep, aRow, aStep, from, bStep, bColumn, terms, c,
                        j, columns);
            }
        }
        Reference.reachabilityFence(scratch);
        SCRATCH.give(scratch);
    }

    /** All rows and some columns of c, some terms of their sums. */
    private static void columns(long scratch, float alpha, long a, long aRow, long aStep, long b, long bStep,
            long bColumn, int terms, Matrix c, int firstColumn, int columns) {
        boolean direct = bColumn == Float.BYTES && c.rows() <= FEW_ROWS;
        int inPlace = direct ? columns / WIDTH * WIDTH : 0;
        packColumns(b + inPlace * bColumn, bStep, bColumn, terms, columns - inPlace, scratch);
        long packedRows = scratch + PACKED_COLUMNS;
        for (int row = 0; row < c.rows(); row += ROWS) {
            int rows = Math.min(ROWS, c.rows() - row);
            packRows(alpha, a + row * aRow, aRow, aStep, rows, terms, packedRows);
            long to = c.rowAddress(row) + (long) firstColumn * Float.BYTES;
            for (int j = 0; j < columns; j += WIDTH) {
                long offset = (long) j * Float.BYTES;
                long panel = j < inPlace ? b + offset : scratch + (offset - (long) inPlace * Float.BYTES) * terms;
                panel(packedRows, panel, j < inPlace ? bStep : WIDTH_BYTES, terms, to + offset, bytes(c), rows,
                        Math.min(WIDTH, columns - j), packedRows + PACKED_ROWS);
            }
        }
    }

    /** Lays columns side by side: {@code [panel][term][column]}, the last panel filled up with zeros. */
    private static void packColumns(long b, long bStep, long bColumn, int terms, int columns, long to) {
        for (int j = 0; j < columns; j += WIDTH) {
            int width = Math.min(WIDTH, columns - j);
            if (width < WIDTH) {
                Raw.zero(to, (long) WIDTH * terms);
            }
            if (width == WIDTH && bColumn == Float.BYTES) {
                packPanel(b, bStep, terms, to);
            } else {
                VectorProducts.interleave(1f, b, bColumn, bStep, width, terms, to, WIDTH_BYTES);
            }
            b += width * bColumn;
            to += WIDTH_BYTES * terms;
        }
    }

    private static void packPanel(long b, long bStep, int terms, long to) {
        for (long end = to + terms * WIDTH_BYTES; to != end; to += WIDTH_BYTES) {
            Lanes.store(Lanes.load(Lanes.in(b)), Lanes.in(to));
            Lanes.store(Lanes.load(Lanes.in(b + Lanes.BYTES)), Lanes.in(to + Lanes.BYTES));
            b += bStep;
        }
    }

    /** Lays alpha times the rows of each tile side by side: {@code [tile][term][row]}. */
    private static void packRows(float alpha, long a, long aRow, long aStep, int rows, int terms, long to) {
        for (int done = 0, tiles = tiles(rows); tiles > 0; tiles--) {
            int tileRows = Math.ceilDiv(rows - done, tiles);
            VectorProducts.interleave(alpha, a + done * aRow, aRow, aStep, tileRows, terms, to,
                    (long) tileRows * Float.BYTES);
            to += (long) tileRows * terms * Float.BYTES;
            done += tileRows;
        }
    }

    /** The packed rows and one panel of columns. Where the edge of c cuts the panel off, a tile goes through a copy. */
    private static void panel(long packed, long b, long bStep, int terms, long c, long cRow, int rows, int width,
            long edge) {
        for (int done = 0, tiles = tiles(rows); tiles > 0; tiles--) {
            int tileRows = Math.ceilDiv(rows - done, tiles);
            if (width == WIDTH) {
                tile(tileRows, packed, b, bStep, c, cRow, terms);
            } else {
                copy(c, cRow, edge, WIDTH_BYTES, tileRows, width);
                tile(tileRows, packed, b, bStep, edge, WIDTH_BYTES, terms);
                copy(edge, WIDTH_BYTES, c, cRow, tileRows, width);
            }
            packed += (long) tileRows * terms * Float.BYTES;
            c += tileRows * cRow;
            done += tileRows;
        }
    }

    private static void tile(int rows, long a, long b, long bStep, long c, long cRow, int terms) {
        VectorProducts.tile(rows, a, (long) rows * Float.BYTES, b, bStep, Lanes.BYTES, c, cRow, Lanes.BYTES, terms);
    }

    private static void copy(long from, long fromRow, long to, long toRow, int rows, int width) {
        for (int r = 0; r < rows; r++) {
            Raw.copy(from + r * fromRow, to + r * toRow, width);
        }
    }

    private static int tiles(int rows) {
        return Math.ceilDiv(rows, VectorProducts.TILE_ROWS);
    }

    private static long bytes(Matrix matrix) {
        return (long) matrix.stride() * Float.BYTES;
    }
}
