package dev.ostinato.kernels.vector;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.raw.Pool;
import dev.ostinato.kernels.raw.Raw;

/**
 * Steps of cells. The pre-activations of one step go through memory, so that each of the two halves is a loop that the compiler keeps in
 * registers; of a single stream the weights are read in one sweep, panel by panel.
 */
final class VectorSteps {
    /** Pre-activations of all streams at one step, 16 KB; grown by who needs more. */
    private static final Pool<Memory> SCRATCH = new Pool<>(() -> Memory.ofFloats(4 * 1024));

    private VectorSteps() {
    }

    static void rnn(Activation f, Matrix start, Matrix x, PackedMatrix w, Matrix hPrevious, PackedMatrix u,
            boolean descending, Matrix h) {
        long bytes = bytes(h);
        int streams = hPrevious.rows();
        Memory z = scratch(streams, bytes, x, u);
        for (int row = 0; row < h.rows(); row += streams) {
            preActivations(start, x, w, hPrevious, u, descending, h, row, z.address(), bytes, 0);
            for (int r = 0; r < streams; r++) {
                VectorGates.rnn(f, z.address() + r * bytes, h.rowAddress(row + r), bytes);
            }
            descending = !descending;
        }
        SCRATCH.give(z);
    }

    static void lstm(Matrix start, Matrix x, PackedMatrix w, Matrix hPrevious, PackedMatrix u, boolean descending,
            Matrix c, Matrix h) {
        long bytes = bytes(h);
        int streams = hPrevious.rows();
        Memory z = scratch(streams, 4 * bytes, x, u);
        for (int row = 0; row < h.rows(); row += streams) {
            preActivations(start, x, w, hPrevious, u, descending, h, row, z.address(), 4 * bytes, 0);
            for (int r = 0; r < streams; r++) {
                long cell = c.rowAddress(r);
                VectorGates.lstm(z.address() + r * (4 * bytes), cell, cell, h.rowAddress(row + r), bytes);
            }
            descending = !descending;
        }
        SCRATCH.give(z);
    }

    static void gru(Matrix start, Matrix x, PackedMatrix w, Matrix hPrevious, PackedMatrix u, boolean descending,
            Matrix h) {
        long bytes = bytes(h);
        int streams = hPrevious.rows();
        Memory z = scratch(streams, 4 * bytes, x, u);
        for (int row = 0; row < h.rows(); row += streams) {
            preActivations(start, x, w, hPrevious, u, descending, h, row, z.address(), 4 * bytes, bytes);
            for (int r = 0; r < streams; r++) {
                VectorGates.gru(z.address() + r * (4 * bytes), before(hPrevious, h, row + r), h.rowAddress(row + r),
                        bytes);
            }
            descending = !descending;
        }
        SCRATCH.give(z);
    }

    /** {@code z = start + x W + h U} of all streams at one step; U fills the slots of z from byte {@code stateSlot} on. */
    private static void preActivations(Matrix start, Matrix x, PackedMatrix w, Matrix hPrevious, PackedMatrix u,
            boolean descending, Matrix h, int row, long z, long zRow, long stateSlot) {
        int streams = hPrevious.rows();
        for (int r = 0; r < streams; r++) {
            Raw.copy(start.rowAddress(start.rows() == 1 ? 0 : row + r), z + r * zRow, zRow / Float.BYTES);
        }
        long before = before(hPrevious, h, row);
        if (streams > 1) {
            long beforeRow = row < streams ? stride(hPrevious) : stride(h);
            VectorProducts.multiplyAdd(x.rowAddress(row), stride(x), streams, w, z, zRow);
            VectorProducts.multiplyAdd(before, beforeRow, streams, u, z + stateSlot, zRow);
            return;
        }
        int panels = u.panels();
        if (stateSlot == 0 && interleaved(w, u)) {
            long joined = z + zRow;
            Raw.copy(x.rowAddress(row), joined, w.inputs());
            Raw.copy(before, joined + (long) w.inputs() * Float.BYTES, u.inputs());
            for (int i = 0; i < panels; i++) {
                int panel = descending ? panels - 1 - i : i;
                VectorProducts.multiplyAddRow(joined, w, w.inputs() + u.inputs(), panel, z);
            }
            return;
        }
        for (int i = 0; i < panels; i++) {
            int panel = descending ? panels - 1 - i : i;
            VectorProducts.multiplyAddRow(x.rowAddress(row), w, w.inputs(), panel, z);
            VectorProducts.multiplyAddRow(before, u, u.inputs(), panel, z + stateSlot);
        }
    }

    /** Returns whether U follows W in every panel, so that the two are one matrix on x and h, one behind the other. */
    private static boolean interleaved(PackedMatrix w, PackedMatrix u) {
        return follows(w, u, 0) && follows(w, u, Math.min(1, u.panels() - 1)) && follows(w, u, u.panels() - 1);
    }

    private static boolean follows(PackedMatrix w, PackedMatrix u, int panel) {
        return u.panelAddress(panel) - w.panelAddress(panel)
                == (long) w.inputs() * w.blocks(panel) * Matrix.BLOCK * Float.BYTES;
    }

    /** Returns the address of the state that a row of h follows. */
    private static long before(Matrix hPrevious, Matrix h, int row) {
        int streams = hPrevious.rows();
        return row < streams ? hPrevious.rowAddress(row) : h.rowAddress(row - streams);
    }

    /** Returns room for rows of z, and behind them for x and h of one. */
    private static Memory scratch(int rows, long rowBytes, Matrix x, PackedMatrix u) {
        long bytes = rows * rowBytes + ((long) x.columns() + u.inputs()) * Float.BYTES;
        Memory scratch = SCRATCH.take();
        if (scratch.byteSize() < bytes) {
            scratch = Memory.ofFloats(bytes / Float.BYTES);
        }
        return scratch;
    }

    private static long bytes(Matrix matrix) {
        return (long) matrix.columns() * Float.BYTES;
    }

    private static long stride(Matrix matrix) {
        return (long) matrix.stride() * Float.BYTES;
    }
}
