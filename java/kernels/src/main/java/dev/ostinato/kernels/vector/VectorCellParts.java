package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;

/**
 * Parts of cells that are made of several kernels, one row at a time; of cells {@code bytes} is Hp in bytes, a whole number of vectors.
 *
 * <p>No vector is passed to or returned by a method of ours, for the reason that {@link VectorFunctions} gives.
 */
final class VectorCellParts {
    /** The bytes of one of {@link Lanes#STAGES}. */
    private static final long STAGE_BYTES = 2L * Lanes.STAGE_ROWS * Matrix.BLOCK * Float.BYTES;

    private VectorCellParts() {
    }

    static void minGruForward(Matrix z, Matrix hPrevious, Matrix h) {
        long bytes = bytes(h);
        for (int r = 0; r < h.rows(); r++) {
            long gates = z.rowAddress(r);
            VectorFunctions.sigmoid(gates, gates, bytes);
            mix(gates, hPrevious.rowAddress(r), h.rowAddress(r), bytes);
        }
    }

    /** {@code h = flush(z * (n - hPrevious) + hPrevious)}. */
    private static void mix(long gates, long hPrevious, long h, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector before = fromMemorySegment(SPECIES, ALL, hPrevious + j, ORDER);
            FloatVector difference = fromMemorySegment(SPECIES, ALL, gates + bytes + j, ORDER).sub(before);
            FloatVector v = fromMemorySegment(SPECIES, ALL, gates + j, ORDER).fma(difference, before);
            v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, h + j, ORDER);
        }
    }

    static void minGruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        long bytes = bytes(dh);
        for (int r = 0; r < dh.rows(); r++) {
            mixBackward(z.rowAddress(r), hPrevious.rowAddress(r), dh.rowAddress(r), dhPrevious.rowAddress(r), bytes);
        }
    }

    private static void mixBackward(long gates, long hPrevious, long dh, long dhPrevious, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector z = fromMemorySegment(SPECIES, ALL, gates + j, ORDER);
            FloatVector n = fromMemorySegment(SPECIES, ALL, gates + bytes + j, ORDER);
            FloatVector d = fromMemorySegment(SPECIES, ALL, dh + j, ORDER);
            d = d.blend(0f, d.abs().compare(LT, Float.MIN_NORMAL));
            FloatVector rest = broadcast(SPECIES, 1f).sub(z);
            d.mul(n.sub(fromMemorySegment(SPECIES, ALL, hPrevious + j, ORDER))).mul(z.mul(rest))
                    .intoMemorySegment(ALL, gates + j, ORDER);
            d.mul(z).intoMemorySegment(ALL, gates + bytes + j, ORDER);
            d.fma(rest, fromMemorySegment(SPECIES, ALL, dhPrevious + j, ORDER))
                    .intoMemorySegment(ALL, dhPrevious + j, ORDER);
        }
    }

    static void lstmCellForward(Matrix z, Matrix cPrevious, Matrix c) {
        long bytes = bytes(c);
        for (int r = 0; r < c.rows(); r++) {
            VectorGates.lstmCell(z.rowAddress(r), cPrevious.rowAddress(r), c.rowAddress(r), bytes);
        }
    }

    static void lstmOutputForward(Matrix z, Matrix m, Matrix h) {
        long bytes = bytes(h);
        for (int r = 0; r < h.rows(); r++) {
            VectorGates.lstmOutput(z.rowAddress(r), m.rowAddress(r), h.rowAddress(r), bytes);
        }
    }

    static void lstmOutputBackward(Matrix z, Matrix m, Matrix dh, Matrix dm) {
        long bytes = bytes(dh);
        Memory scratch = Lanes.STAGES.take();
        for (int r = 0; r < dh.rows(); r++) {
            long o = z.rowAddress(r) + 3 * bytes;
            for (long done = 0; done < bytes; done += STAGE_BYTES) { // tanh(m) has no room but here: dm may be dh
                long part = Math.min(bytes - done, STAGE_BYTES);
                VectorFunctions.tanh(m.rowAddress(r) + done, scratch.address(), part);
                outputBackward(o + done, scratch.address(), dh.rowAddress(r) + done, dm.rowAddress(r) + done, part);
            }
        }
        Reference.reachabilityFence(scratch);
        Lanes.STAGES.give(scratch);
    }

    private static void outputBackward(long o, long tanh, long dh, long dm, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector gate = fromMemorySegment(SPECIES, ALL, o + j, ORDER);
            FloatVector t = fromMemorySegment(SPECIES, ALL, tanh + j, ORDER);
            FloatVector d = fromMemorySegment(SPECIES, ALL, dh + j, ORDER);
            d = d.blend(0f, d.abs().compare(LT, Float.MIN_NORMAL));
            d.mul(t).mul(gate.mul(broadcast(SPECIES, 1f).sub(gate))).intoMemorySegment(ALL, o + j, ORDER);
            d.mul(gate).mul(t.mul(-1f).fma(t, broadcast(SPECIES, 1f))).intoMemorySegment(ALL, dm + j, ORDER);
        }
    }

    static void lstmCellBackward(Matrix z, Matrix cPrevious, Matrix dc) {
        long bytes = bytes(dc);
        for (int r = 0; r < dc.rows(); r++) {
            cellBackward(z.rowAddress(r), cPrevious.rowAddress(r), dc.rowAddress(r), bytes);
        }
    }

    private static void cellBackward(long gates, long cPrevious, long dc, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector i = fromMemorySegment(SPECIES, ALL, gates + j, ORDER);
            FloatVector f = fromMemorySegment(SPECIES, ALL, gates + bytes + j, ORDER);
            FloatVector g = fromMemorySegment(SPECIES, ALL, gates + 2 * bytes + j, ORDER);
            FloatVector d = fromMemorySegment(SPECIES, ALL, dc + j, ORDER);
            d = d.blend(0f, d.abs().compare(LT, Float.MIN_NORMAL));
            d.mul(g).mul(i.mul(broadcast(SPECIES, 1f).sub(i))).intoMemorySegment(ALL, gates + j, ORDER);
            d.mul(fromMemorySegment(SPECIES, ALL, cPrevious + j, ORDER)).mul(f.mul(broadcast(SPECIES, 1f).sub(f)))
                    .intoMemorySegment(ALL, gates + bytes + j, ORDER);
            d.mul(i).mul(g.mul(-1f).fma(g, broadcast(SPECIES, 1f)))
                    .intoMemorySegment(ALL, gates + 2 * bytes + j, ORDER);
            FloatVector before = d.mul(f);
            before.blend(0f, before.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, dc + j, ORDER);
        }
    }

    static void addScaled(Matrix x, Matrix factors, Matrix y) {
        for (int r = 0; r < x.rows(); r++) {
            addProduct(x.rowAddress(r), factors.address(), y.rowAddress(r), bytes(x));
        }
    }

    static void columnDots(Matrix x, Matrix y, Matrix sums) {
        for (int r = x.rows() - 1; r >= 0; r--) {
            addProduct(x.rowAddress(r), y.rowAddress(r), sums.address(), bytes(x));
        }
    }

    /** {@code to = fma(a, b, to)}, rows of any length. */
    private static void addProduct(long a, long b, long to, long bytes) {
        long whole = Lanes.whole(bytes);
        for (long j = 0; j < whole; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, a + j, ORDER)
                    .fma(fromMemorySegment(SPECIES, ALL, b + j, ORDER), fromMemorySegment(SPECIES, ALL, to + j, ORDER))
                    .intoMemorySegment(ALL, to + j, ORDER);
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            Raw.set(to + j, 0, Math.fma(Raw.get(a + j), Raw.get(b + j), Raw.get(to + j)));
        }
    }

    private static long bytes(Matrix matrix) {
        return (long) matrix.columns() * Float.BYTES;
    }
}
