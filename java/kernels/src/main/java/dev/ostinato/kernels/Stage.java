package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Pool;
import java.util.Arrays;

/**
 * Memory of ours that pieces of {@link Slice}s are copied to and from, for the time of a call. No kernel ever sees the caller's memory, so
 * nothing that is done to that can crash one.
 */
final class Stage {
    /** Elements of a vector taken at a time: 16 KB for each of two operands, so that they stay in L1. A multiple of sixteen. */
    static final int CHUNK = 4096;

    private static final Pool<Stage> POOL = new Pool<>(Stage::new);

    private final Block a = new Block();
    private final Block b = new Block();
    private final Block c = new Block();

    private Stage() {
    }

    static Stage take() {
        return POOL.take();
    }

    void give() {
        POOL.give(this);
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

    /** Room for one operand. It grows to the largest piece it has held. */
    static final class Block {
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

        /** Returns a copy of a piece of a slice. */
        Matrix read(Slice slice, long row, int rows, long column, int columns) {
            Matrix view = view(rows, columns);
            for (int r = 0; r < rows; r++) {
                slice.read(row + r, column, columns, memory, (long) r * view.stride());
            }
            return view;
        }

        /** Overwrites a piece of a slice with the view that was made last. */
        void write(Slice slice, long row, long column) {
            for (int r = 0; r < last.rows(); r++) {
                slice.write(row + r, column, last.columns(), memory, (long) r * last.stride());
            }
        }
    }
}
