package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.scalar.Elementary.COTH_1;
import static dev.ostinato.kernels.scalar.Elementary.COTH_2;
import static dev.ostinato.kernels.scalar.Elementary.LN2_HIGH;
import static dev.ostinato.kernels.scalar.Elementary.LOG2_E;
import static dev.ostinato.kernels.scalar.Elementary.ROUND;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.store;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The cells' elementwise parts, one row at a time. Addresses are of rows; {@code bytes} is Hp in bytes, a whole number of vectors.
 *
 * <p>Where a cell needs several transcendental functions they run one after the other over a row, which then is in L1: together they
 * would take more registers than there are, and more code than the compiler inlines.
 */
final class VectorCells {
    private static final FloatVector ONE = broadcast(SPECIES, 1f);
    private static final int EXPONENT = 23;

    private VectorCells() {
    }

    static void rnnForward(Activation f, Matrix z, Matrix h) {
        for (int r = 0; r < h.rows(); r++) {
            VectorGates.rnn(f, z.rowAddress(r), h.rowAddress(r), bytes(h));
        }
    }

    static void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz) {
        if (!f.equals(Activation.TANH)) {
            VectorVariants.rnnBackward(f, h, dh, dz);
            return;
        }
        long bytes = bytes(h);
        for (int r = 0; r < h.rows(); r++) {
            long out = h.rowAddress(r);
            long from = dh.rowAddress(r);
            long to = dz.rowAddress(r);
            for (long j = 0; j < bytes; j += BYTES) {
                store(flush(load(from + j)).mul(oneMinusSquare(load(out + j))), to + j);
            }
        }
    }

    static void lstmForward(LstmVariant v, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix h) {
        long bytes = bytes(h);
        for (int r = 0; r < h.rows(); r++) {
            VectorGates.lstm(v, peepholes, 0, z.rowAddress(r), cPrevious.rowAddress(r), c.rowAddress(r),
                    h.rowAddress(r), bytes);
        }
    }

    static void lstmBackward(LstmVariant v, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix dh,
            Matrix dc) {
        if (peepholes.rows() > 0 || !v.equals(LstmVariant.STANDARD)) {
            VectorVariants.lstmBackward(v, peepholes, z, cPrevious, c, dh, dc);
            return;
        }
        long bytes = bytes(c);
        for (int r = 0; r < c.rows(); r++) {
            lstmBackward(z.rowAddress(r), cPrevious.rowAddress(r), c.rowAddress(r), dh.rowAddress(r), dc.rowAddress(r),
                    bytes);
        }
    }

    /** With the tanh of {@link VectorFunctions}, written out for the reason given there. */
    private static void lstmBackward(long gates, long cPrevious, long c, long dh, long dc, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector cell = fromMemorySegment(SPECIES, ALL, c + j, ORDER);
            IntVector sign = cell.reinterpretAsInts().and(0x80000000);
            FloatVector a = cell.abs();
            a = a.blend(10f, a.compare(GT, 10f));
            FloatVector x = a.fma(broadcast(SPECIES, 2 * LOG2_E), broadcast(SPECIES, ROUND + 127));
            FloatVector n = x.sub(ROUND + 127);
            FloatVector r = n.fma(broadcast(SPECIES, -LN2_HIGH / 2), a);
            FloatVector s = x.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
            FloatVector u = r.mul(r);
            FloatVector d = u.fma(broadcast(SPECIES, COTH_2), broadcast(SPECIES, COTH_1));
            d = d.fma(u, broadcast(SPECIES, 1f)).sub(r);
            FloatVector m = s.fma(broadcast(SPECIES, 0.5f), broadcast(SPECIES, -0.5f)).fma(d, s.mul(r));
            FloatVector t = m.div(m.add(d)).reinterpretAsInts().or(sign).reinterpretAsFloats();

            FloatVector i = fromMemorySegment(SPECIES, ALL, gates + j, ORDER);
            FloatVector f = fromMemorySegment(SPECIES, ALL, gates + bytes + j, ORDER);
            FloatVector g = fromMemorySegment(SPECIES, ALL, gates + 2 * bytes + j, ORDER);
            FloatVector o = fromMemorySegment(SPECIES, ALL, gates + 3 * bytes + j, ORDER);
            FloatVector dOut = fromMemorySegment(SPECIES, ALL, dh + j, ORDER);
            dOut = dOut.blend(0f, dOut.abs().compare(LT, Float.MIN_NORMAL));
            FloatVector slope = t.mul(-1f).fma(t, broadcast(SPECIES, 1f));
            FloatVector dCell = dOut.mul(o).fma(slope, fromMemorySegment(SPECIES, ALL, dc + j, ORDER));
            dCell = dCell.blend(0f, dCell.abs().compare(LT, Float.MIN_NORMAL));
            dCell.mul(g).mul(i.mul(broadcast(SPECIES, 1f).sub(i))).intoMemorySegment(ALL, gates + j, ORDER);
            dCell.mul(fromMemorySegment(SPECIES, ALL, cPrevious + j, ORDER))
                    .mul(f.mul(broadcast(SPECIES, 1f).sub(f))).intoMemorySegment(ALL, gates + bytes + j, ORDER);
            dCell.mul(i).mul(g.mul(-1f).fma(g, broadcast(SPECIES, 1f)))
                    .intoMemorySegment(ALL, gates + 2 * bytes + j, ORDER);
            dOut.mul(t).mul(o.mul(broadcast(SPECIES, 1f).sub(o)))
                    .intoMemorySegment(ALL, gates + 3 * bytes + j, ORDER);
            FloatVector before = dCell.mul(f);
            before.blend(0f, before.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, dc + j, ORDER);
        }
    }

    static void gruForward(GruVariant v, Matrix z, Matrix hPrevious, Matrix h) {
        long bytes = bytes(h);
        for (int r = 0; r < h.rows(); r++) {
            VectorGates.gru(v, z.rowAddress(r), hPrevious.rowAddress(r), h.rowAddress(r), bytes);
        }
    }

    static void gruBackward(GruVariant v, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        if (!v.equals(GruVariant.STANDARD)) {
            VectorVariants.gruBackward(v, z, hPrevious, dh, dhPrevious);
            return;
        }
        long bytes = bytes(dh);
        for (int r = 0; r < dh.rows(); r++) {
            gruBackward(z.rowAddress(r), hPrevious.rowAddress(r), dh.rowAddress(r), dhPrevious.rowAddress(r), bytes);
        }
    }

    private static void gruBackward(long gates, long hPrevious, long dh, long dhPrevious, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector n = load(gates + j);
            FloatVector reset = load(gates + bytes + j);
            FloatVector u = load(gates + 2 * bytes + j);
            FloatVector m = load(gates + 3 * bytes + j);
            FloatVector dOut = flush(load(dh + j));
            FloatVector dn = dOut.mul(ONE.sub(u)).mul(oneMinusSquare(n));
            store(dn, gates + j);
            store(dn.mul(m).mul(slope(reset)), gates + bytes + j);
            store(dOut.mul(load(hPrevious + j).sub(n)).mul(slope(u)), gates + 2 * bytes + j);
            store(dn.mul(reset), gates + 3 * bytes + j);
            store(dOut.fma(u, load(dhPrevious + j)), dhPrevious + j);
        }
    }

    static void gruResetForward(GruVariant v, Matrix z, Matrix hPrevious) {
        long bytes = bytes(hPrevious);
        for (int r = 0; r < hPrevious.rows(); r++) {
            long gates = z.rowAddress(r);
            VectorActivations.apply(v.gates(), gates, gates, 2 * bytes);
            VectorGates.product(gates, hPrevious.rowAddress(r), gates + 3 * bytes, bytes);
        }
    }

    static void gruMixForward(GruVariant v, Matrix z, Matrix hPrevious, Matrix h) {
        long bytes = bytes(h);
        for (int r = 0; r < h.rows(); r++) {
            long n = z.rowAddress(r) + 2 * bytes;
            VectorActivations.apply(v.candidate(), n, n, bytes);
            VectorGates.mix(z.rowAddress(r) + bytes, hPrevious.rowAddress(r), n, h.rowAddress(r), bytes);
        }
    }

    static void gruMixBackward(GruVariant v, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        if (!v.equals(GruVariant.STANDARD)) {
            VectorVariants.gruMixBackward(v, z, hPrevious, dh, dhPrevious);
            return;
        }
        long bytes = bytes(dh);
        for (int r = 0; r < dh.rows(); r++) {
            long gates = z.rowAddress(r);
            long previous = hPrevious.rowAddress(r);
            long from = dh.rowAddress(r);
            long to = dhPrevious.rowAddress(r);
            for (long j = 0; j < bytes; j += BYTES) {
                FloatVector u = load(gates + bytes + j);
                FloatVector n = load(gates + 2 * bytes + j);
                FloatVector dOut = flush(load(from + j));
                store(dOut.mul(load(previous + j).sub(n)).mul(slope(u)), gates + bytes + j);
                store(dOut.mul(ONE.sub(u)).mul(oneMinusSquare(n)), gates + 2 * bytes + j);
                store(dOut.fma(u, load(to + j)), to + j);
            }
        }
    }

    static void gruResetBackward(GruVariant v, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
        if (!v.equals(GruVariant.STANDARD)) {
            VectorVariants.gruResetBackward(v, z, hPrevious, ds, dhPrevious);
            return;
        }
        long bytes = bytes(ds);
        for (int r = 0; r < ds.rows(); r++) {
            long gates = z.rowAddress(r);
            long previous = hPrevious.rowAddress(r);
            long from = ds.rowAddress(r);
            long to = dhPrevious.rowAddress(r);
            for (long j = 0; j < bytes; j += BYTES) {
                FloatVector reset = load(gates + j);
                FloatVector d = load(from + j);
                store(d.mul(load(previous + j)).mul(slope(reset)), gates + j);
                store(d.fma(reset, load(to + j)), to + j);
            }
        }
    }

    private static FloatVector flush(FloatVector v) {
        return v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL));
    }

    /** The derivative of a sigmoid from its value: {@code s * (1 - s)}. */
    private static FloatVector slope(FloatVector s) {
        return s.mul(ONE.sub(s));
    }

    /** The derivative of a tanh from its value. */
    private static FloatVector oneMinusSquare(FloatVector v) {
        return v.neg().fma(v, ONE);
    }

    private static long bytes(Matrix matrix) {
        return (long) matrix.columns() * Float.BYTES;
    }
}
