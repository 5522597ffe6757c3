package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Pool;
import java.util.Arrays;

/**
 * Memory of ours that pieces of {@link Slice}s are copied to and from, for the time of a call. No kernel ever sees the caller's memory, so
 * nothing that is done to that can crash one.
 *
 * <p>A stage goes through the operands of a call piece by piece: {@linkplain #elements by elements}, where each is computed by itself, or
 * {@linkplain #rows by rows}. Its blocks hold one operand each, and read and write the part of it that belongs to the piece.
 */
final class Stage implements AutoCloseable {
    /** Elements of a vector taken at a time: 16 KB for each of two operands, so that they stay in L1. A multiple of sixteen. */
    static final int CHUNK = 4096;

    /** Floats in the widest operand's rows that are taken at a time: 64 KB, or one row. */
    private static final int ROWS_FLOATS = 4 * CHUNK;
    private static final int MAX_ROWS = 64;

    private static final Pool<Stage> POOL = new Pool<>(Stage::new);

    private final Block a = new Block();
    private final Block b = new Block();
    private final Block c = new Block();
    private final Block d = new Block();
    private final Block e = new Block();
    private final Block f = new Block();
    /** Views of the same ints, by length. */
    private final Indices[] indices = new Indices[MAX_ROWS + 1];

    private int allRows;
    private int mostRows;
    private long allColumns;
    // The piece
    private int row;
    private int rows;
    private long column;
    private int columns;

    private Stage() {
        Indices all = Indices.of(MAX_ROWS);
        Arrays.setAll(indices, length -> all.slice(0, length));
    }

    /** Returns a stage without pieces, for a call that cuts its operands itself. */
    static Stage take() {
        return POOL.take();
    }

    /**
     * Returns a stage that goes through operands of x's shape, {@link #CHUNK} elements of a row at a time.
     *
     * @param flat whether no operand has gaps between its rows, so that all its elements are one row
     */
    static Stage elements(Slice x, boolean flat) {
        return take().start(flat ? 1 : x.rows(), 1, flat ? x.count() : x.columns());
    }

    /** Returns a stage that goes through operands of that many rows, some whole rows at a time; {@code widest} floats are in the widest. */
    static Stage rows(int rows, int widest) {
        return take().start(rows, Math.clamp(ROWS_FLOATS / Math.max(1, widest), 1, MAX_ROWS), 0);
    }

    /** Returns a stage that goes through {@link #rows} from the last to the first: for sums over rows, which have that order. */
    static Stage rowsFromLast(int rows, int widest) {
        Stage stage = rows(rows, widest);
        stage.row = rows;
        return stage;
    }

    private Stage start(int rows, int most, long elements) {
        allRows = rows;
        mostRows = most;
        allColumns = elements;
        row = 0;
        this.rows = 0;
        column = 0;
        columns = 0;
        return this;
    }

    /** Gives the stage back. */
    @Override
    public void close() {
        POOL.give(this);
    }

    /** Goes on to the next elements. Returns whether there are any. */
    boolean nextElements() {
        column += columns;
        if (column == allColumns) {
            column = 0;
            row++;
        }
        columns = (int) Math.min(CHUNK, allColumns - column);
        return columns > 0 && row < allRows;
    }

    /** Returns the number of the first of the elements. */
    long firstElement() {
        return column;
    }

    /** Goes on to the next rows. Returns whether there are any. */
    boolean nextRows() {
        row += rows;
        rows = Math.min(mostRows, allRows - row);
        return rows > 0;
    }

    /** Goes back to the rows before. Returns whether there are any. */
    boolean previousRows() {
        rows = Math.min(mostRows, row);
        row -= rows;
        return rows > 0;
    }

    /** Returns a copy of the indices of the rows, which nobody can change after {@link Kernels} has checked them. */
    Indices indices(Indices all) {
        Indices copy = indices[rows];
        for (int r = 0; r < rows; r++) {
            copy.set(r, all.get(row + r));
        }
        return copy;
    }

    Block a() {
        return a;
    }

    Block b() {
        return b;
    }

    Block c() {
        return c;
    }

    Block d() {
        return d;
    }

    Block e() {
        return e;
    }

    Block f() {
        return f;
    }

    /** Room for one operand. It grows to the largest piece it has held. What is written is the view that was made last. */
    final class Block {
        private Memory memory = Memory.ofFloats(CHUNK);
        // Views that have been made, because a kernel takes an object: calls of a few different sizes in turns allocate none.
        private final Matrix[] views = new Matrix[16];
        private int next;
        private Matrix last = forget();

        /** Returns a view of that size, its contents anything. */
        Matrix view(int rows, int columns) {
            if (last.rows() != rows || last.columns() != columns) {
                last = find(rows, columns);
            }
            return last;
        }

        private Matrix find(int rows, int columns) {
            for (Matrix view : views) {
                if (view.rows() == rows && view.columns() == columns) {
                    return view;
                }
            }
            return make(rows, columns);
        }

        private Matrix make(int rows, int columns) {
            // Rows a multiple of 1 KB apart would share few sets of the caches, as in Matrix.
            int stride = Matrix.padded(columns) + (rows > 1 ? Matrix.BLOCK : 0);
            long floats = Math.multiplyExact((long) rows, stride);
            if (floats > memory.floats()) {
                memory = Memory.ofFloats(floats);
                forget();
            }
            Matrix view = Matrix.wrap(memory, 0, rows, columns, stride);
            views[next] = view;
            next = (next + 1) % views.length;
            return view;
        }

        /** Leaves no view of a memory that has become too small. */
        private Matrix forget() {
            Matrix none = Matrix.wrap(memory, 0, 0, 0, 0);
            Arrays.fill(views, none);
            return none;
        }

        /** Returns a copy of a part of a slice. */
        Matrix read(Slice slice, long row, int rows, long column, int columns) {
            Matrix view = view(rows, columns);
            for (int r = 0; r < rows; r++) {
                slice.read(row + r, column, columns, memory, (long) r * view.stride());
            }
            return view;
        }

        /** Overwrites a part of a slice. */
        void write(Slice slice, long row, long column) {
            for (int r = 0; r < last.rows(); r++) {
                slice.write(row + r, column, last.columns(), memory, (long) r * last.stride());
            }
        }

        /** Returns a copy of all of a slice. */
        Matrix readAll(Slice slice) {
            return read(slice, 0, slice.rows(), 0, slice.columns());
        }

        /** Overwrites all of a slice. */
        void writeAll(Slice slice) {
            write(slice, 0, 0);
        }

        /** Returns a copy of the elements of a slice. */
        Matrix readElements(Slice slice) {
            return read(slice, row, 1, column, columns);
        }

        /** Overwrites the elements of a slice. */
        void writeElements(Slice slice) {
            write(slice, row, column);
        }

        /** Returns a view for the rows of an operand, its contents anything. */
        Matrix viewRows(int columns) {
            return view(rows, columns);
        }

        /** Returns a copy of the rows of a slice. */
        Matrix readRows(Slice slice) {
            return read(slice, row, rows, 0, slice.columns());
        }

        /** Overwrites the rows of a slice. */
        void writeRows(Slice slice) {
            write(slice, row, 0);
        }

        /** Returns a copy of the rows (R, G * H) of a slice as rows of gates (R, G * Hp): each gate is padded, with zeros. */
        Matrix readGates(Slice slice, int gates) {
            int units = slice.columns() / gates;
            int padded = Matrix.padded(units);
            Matrix view = viewRows(Math.multiplyExact(gates, padded));
            view.clear();
            for (int r = 0; r < rows; r++) {
                for (int gate = 0; gate < gates; gate++) {
                    slice.read(row + r, (long) gate * units, units, memory, place(view, r, gate, padded));
                }
            }
            return view;
        }

        /** Overwrites the rows (R, G * H) of a slice with rows of gates (R, G * Hp), without their padding. */
        void writeGates(Slice slice, int gates) {
            int units = slice.columns() / gates;
            int padded = Matrix.padded(units);
            for (int r = 0; r < rows; r++) {
                for (int gate = 0; gate < gates; gate++) {
                    slice.write(row + r, (long) gate * units, units, memory, place(last, r, gate, padded));
                }
            }
        }

        private static long place(Matrix view, int row, int gate, int padded) {
            return (long) row * view.stride() + (long) gate * padded;
        }
    }
}
