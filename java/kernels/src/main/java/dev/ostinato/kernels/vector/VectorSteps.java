package dev.ostinato.kernels.vector;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.Sweep;
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

    static void rnn(Activation f, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        long bytes = bytes(h);
        long first = firstByte(sweep, u);
        long share = endByte(sweep, u) - first;
        int streams = hPrevious.rows();
        Scaling stateScaling = (f.withinOne() ? Scaling.UNIT : Scaling.ROW).ofState(u);
        Memory scratch = scratch(streams, bytes, x, u);
        long z = scratch.address();
        for (int row = 0; row < h.rows(); row += streams) {
            preActivations(start, x, w, hPrevious, u, stateScaling, sweep, h, row, z, bytes, 0);
            for (int r = 0; r < streams; r++) {
                VectorGates.rnn(f, z + r * bytes + first, h.rowAddress(row + r) + first, share);
            }
        }
        SCRATCH.give(scratch);
    }

    static void lstm(LstmVariant v, Matrix peepholes, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious,
            PackedWeights u, Sweep sweep, Matrix c, Matrix h) {
        long bytes = bytes(h);
        long first = firstByte(sweep, u);
        long share = endByte(sweep, u) - first;
        int streams = hPrevious.rows();
        long zRow = v.slots() * bytes;
        Memory scratch = scratch(streams, zRow, x, u);
        long z = scratch.address();
        for (int row = 0; row < h.rows(); row += streams) {
            preActivations(start, x, w, hPrevious, u, v.stateScaling().ofState(u), sweep, h, row, z, zRow, 0);
            for (int r = 0; r < streams; r++) {
                long gates = z + r * zRow;
                long cell = c.rowAddress(r) + first;
                takeTogether(v.slots(), gates, bytes, first, share);
                VectorGates.lstm(v, peepholes, first, gates, cell, cell, h.rowAddress(row + r) + first, share);
            }
        }
        SCRATCH.give(scratch);
    }

    static void gru(GruVariant v, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        long bytes = bytes(h);
        long first = firstByte(sweep, u);
        long share = endByte(sweep, u) - first;
        int streams = hPrevious.rows();
        Memory scratch = scratch(streams, 4 * bytes, x, u);
        long z = scratch.address();
        for (int row = 0; row < h.rows(); row += streams) {
            preActivations(start, x, w, hPrevious, u, v.stateScaling(), sweep, h, row, z, 4 * bytes, bytes);
            for (int r = 0; r < streams; r++) {
                long slots = z + r * (4 * bytes);
                takeTogether(4, slots, bytes, first, share);
                VectorGates.gru(v, slots, before(hPrevious, h, row + r) + first, h.rowAddress(row + r) + first, share);
            }
        }
        SCRATCH.give(scratch);
    }

    private static long firstByte(Sweep sweep, PackedWeights u) {
        return panelByte(u.words(), sweep.from(u.words().panels()));
    }

    private static long endByte(Sweep sweep, PackedWeights u) {
        return panelByte(u.words(), sweep.to(u.words().panels()));
    }

    /** Returns where the units of a panel begin in a row, or behind the last panel where the row ends. */
    private static long panelByte(PackedMatrix u, int panel) {
        long unit = panel < u.panels() ? u.output(panel, 0) : Matrix.padded(u.units());
        return unit * Float.BYTES;
    }

    /** Makes a row of slots one of a share of its units only, for {@link VectorGates}. */
    private static void takeTogether(int count, long slots, long slotBytes, long first, long share) {
        for (int slot = 0; slot < count && share < slotBytes; slot++) {
            Raw.copy(slots + slot * slotBytes + first, slots + slot * share, share / Float.BYTES);
        }
    }

    /** {@code z = start + x W + h U} of all streams at one step; U fills the slots of z from byte {@code stateSlot} on. */
    private static void preActivations(Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Scaling stateScaling, Sweep sweep, Matrix h, int row, long z, long zRow, long stateSlot) {
        int streams = hPrevious.rows();
        for (int r = 0; r < streams; r++) {
            Raw.copy(start.rowAddress(start.rows() == 1 ? 0 : row + r), z + r * zRow, zRow / Float.BYTES);
        }
        long before = before(hPrevious, h, row);
        long beforeRow = row < streams ? stride(hPrevious) : stride(h);
        boolean descending = sweep.descending() != (row / streams % 2 == 1);
        switch (w) {
            case PackedMatrix floats -> floats(x.rowAddress(row), stride(x), floats, before, beforeRow, streams,
                    u.words(), sweep, descending, z, zRow, stateSlot);
            case Bf16Matrix halves -> halves(x.rowAddress(row), stride(x), halves, before, beforeRow, streams,
                    (Bf16Matrix) u, sweep, descending, z, zRow, stateSlot);
            case Int8Matrix levels -> levels(x.rowAddress(row), stride(x), levels, before, beforeRow, streams,
                    (Int8Matrix) u, stateScaling, sweep, descending, z, zRow, stateSlot);
        }
    }

    private static void floats(long x, long xRow, PackedMatrix w, long before, long beforeRow, int streams,
            PackedMatrix u, Sweep sweep, boolean descending, long z, long zRow, long stateSlot) {
        int from = sweep.from(u.panels());
        int to = sweep.to(u.panels());
        if (streams > 1) {
            VectorProducts.multiplyAdd(x, xRow, streams, w, from, to, z, zRow);
            VectorProducts.multiplyAdd(before, beforeRow, streams, u, from, to, z + stateSlot, zRow);
        } else if (stateSlot == 0 && interleaved(w, u)) {
            long joined = z + zRow;
            int inputs = join(x, w.inputs(), before, u.inputs(), joined);
            for (int i = 0; i < to - from; i++) {
                VectorProducts.multiplyAddRow(joined, w, inputs, descending ? to - 1 - i : from + i, z);
            }
        } else {
            for (int i = 0; i < to - from; i++) {
                int panel = descending ? to - 1 - i : from + i;
                VectorProducts.multiplyAddRow(x, w, w.inputs(), panel, z);
                VectorProducts.multiplyAddRow(before, u, u.inputs(), panel, z + stateSlot);
            }
        }
    }

    private static void halves(long x, long xRow, Bf16Matrix w, long before, long beforeRow, int streams, Bf16Matrix u,
            Sweep sweep, boolean descending, long z, long zRow, long stateSlot) {
        int from = sweep.from(u.words().panels());
        int to = sweep.to(u.words().panels());
        if (streams > 1) {
            VectorBf16.multiplyAdd(x, xRow, streams, w, from, to, z, zRow);
            VectorBf16.multiplyAdd(before, beforeRow, streams, u, from, to, z + stateSlot, zRow);
        } else if (stateSlot == 0 && w.inputs() % 2 == 0 && interleaved(w.words(), u.words())) {
            long joined = z + zRow;
            int inputs = join(x, w.inputs(), before, u.inputs(), joined);
            for (int i = 0; i < to - from; i++) {
                VectorBf16.multiplyAddRow(joined, w.words(), inputs, descending ? to - 1 - i : from + i, z);
            }
        } else {
            for (int i = 0; i < to - from; i++) {
                int panel = descending ? to - 1 - i : from + i;
                VectorBf16.multiplyAddRow(x, w.words(), w.inputs(), panel, z);
                VectorBf16.multiplyAddRow(before, u.words(), u.inputs(), panel, z + stateSlot);
            }
        }
    }

    /** Some streams at a time, whose levels stay in the nearest cache while the weights pass by. */
    private static void levels(long x, long xRow, Int8Matrix w, long before, long beforeRow, int streams, Int8Matrix u,
            Scaling stateScaling, Sweep sweep, boolean descending, long z, long zRow, long stateSlot) {
        long sums = z + streams * zRow;
        long inputs = sums + VectorInt8.TILE_BYTES;
        long inputsRow = VectorInt8.rowBytes(w.inputs());
        long states = inputs + Math.min(streams, VectorInt8.ROWS_AT_A_TIME) * inputsRow;
        long statesRow = VectorInt8.rowBytes(u.inputs());
        int from = sweep.from(u.words().panels());
        int to = sweep.to(u.words().panels());
        for (int first = 0; first < streams; first += VectorInt8.ROWS_AT_A_TIME) {
            int rows = Math.min(VectorInt8.ROWS_AT_A_TIME, streams - first);
            for (int r = 0; r < rows; r++) {
                VectorInt8.prepareRow(Scaling.ROW, x + (first + r) * xRow, w.inputs(), inputs + r * inputsRow);
                VectorInt8.prepareRow(stateScaling, before + (first + r) * beforeRow, u.inputs(),
                        states + r * statesRow);
            }
            for (int i = 0; i < to - from; i++) {
                int panel = descending ? to - 1 - i : from + i;
                for (int r = 0; r < rows && w.inputs() > 0; r++) {
                    VectorInt8.multiplyAddRow(inputs + r * inputsRow, w, panel, z + (first + r) * zRow, sums);
                }
                for (int r = 0; r < rows && u.inputs() > 0; r++) {
                    long out = z + (first + r) * zRow + stateSlot;
                    VectorInt8.multiplyAddRow(states + r * statesRow, u, panel, out, sums);
                }
            }
        }
    }

    /** Copies x and h one behind the other, and returns how many floats they are. */
    private static int join(long x, int inputs, long before, int units, long joined) {
        Raw.copy(x, joined, inputs);
        Raw.copy(before, joined + (long) inputs * Float.BYTES, units);
        return inputs + units;
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

    /** Returns room for rows of z, and behind them for x and h: of one stream as floats, or of some as levels. */
    private static Memory scratch(int rows, long rowBytes, Matrix x, PackedWeights u) {
        long bytes = rows * rowBytes;
        if (u instanceof Int8Matrix) {
            int some = Math.min(rows, VectorInt8.ROWS_AT_A_TIME);
            bytes += VectorInt8.TILE_BYTES
                    + some * (VectorInt8.rowBytes(x.columns()) + VectorInt8.rowBytes(u.inputs()));
        } else {
            bytes += ((long) x.columns() + u.inputs()) * Float.BYTES;
        }
        Memory scratch = SCRATCH.take();
        return scratch.byteSize() < bytes ? Memory.ofFloats(bytes / Float.BYTES) : scratch;
    }

    private static long bytes(Matrix matrix) {
        return (long) matrix.columns() * Float.BYTES;
    }

    private static long stride(Matrix matrix) {
        return (long) matrix.stride() * Float.BYTES;
    }
}
