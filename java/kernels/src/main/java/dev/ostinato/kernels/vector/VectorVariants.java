package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.raw.Pool;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;

/** Backward passes of cells that are not the standard ones, as sweeps over a row at a time: slopes first, then what they are multiplied with. */
final class VectorVariants {
    private static final int SCRATCH_ROWS = 4;
    private static final Pool<Memory> SCRATCH = new Pool<>(() -> Memory.ofFloats(SCRATCH_ROWS * 1024L));

    private VectorVariants() {
    }

    static void lstmBackward(LstmVariant v, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix dh,
            Matrix dc) {
        long bytes = (long) c.columns() * Float.BYTES;
        Memory scratch = scratch(bytes);
        for (int r = 0; r < c.rows(); r++) {
            lstmBackward(v, peepholes, z.rowAddress(r), cPrevious.rowAddress(r), c.rowAddress(r), dh.rowAddress(r),
                    dc.rowAddress(r), scratch.address(), bytes);
        }
        Reference.reachabilityFence(scratch);
        SCRATCH.give(scratch);
    }

    private static void lstmBackward(LstmVariant v, Matrix peepholes, long i, long cPrevious, long c, long dh, long dc,
            long scratch, long bytes) {
        boolean coupled = v.forget() == LstmVariant.Forget.COUPLED;
        boolean seeing = peepholes.rows() > 0;
        long f = coupled ? i : i + bytes;
        long g = f + bytes;
        long o = g + bytes;
        long t = scratch;
        long slope = scratch + bytes;
        long candidateSlope = scratch + 2 * bytes;
        long forgetSlope = scratch + 3 * bytes;

        VectorActivations.apply(v.output(), c, t, bytes);
        VectorActivations.slope(v.output(), t, slope, bytes);
        VectorActivations.slope(v.gates(), o, candidateSlope, bytes);
        outputGradients(o, dh, t, slope, candidateSlope, dc, bytes);
        if (seeing) {
            VectorGates.addProduct(o, peepholes.rowAddress(peepholes.rows() - 1), dc, bytes);
        }
        flush(dc, bytes);
        if (v.cellClip() < Float.POSITIVE_INFINITY) {
            zeroFrom(v.cellClip(), c, dc, bytes);
        }

        VectorActivations.slope(v.gates(), i, slope, bytes);
        VectorActivations.slope(v.candidate(), g, candidateSlope, bytes);
        if (coupled) {
            coupledGradients(i, g, slope, candidateSlope, cPrevious, dc, bytes);
        } else {
            VectorActivations.slope(v.gates(), f, forgetSlope, bytes);
            gateGradients(i, slope, cPrevious, dc, bytes);
        }
        if (seeing) {
            VectorGates.addProduct(i, peepholes.rowAddress(0), dc, bytes);
            if (!coupled) {
                VectorGates.addProduct(f, peepholes.rowAddress(1), dc, bytes);
            }
        }
        flush(dc, bytes);
    }

    /** {@code do = dh * t * slope of o} in place of o, {@code dc = dh * o * slope + dc}. */
    private static void outputGradients(long o, long dh, long t, long slope, long outputSlope, long dc, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector dOut = fromMemorySegment(SPECIES, ALL, dh + j, ORDER);
            dOut = dOut.blend(0f, dOut.abs().compare(LT, Float.MIN_NORMAL));
            dOut.mul(fromMemorySegment(SPECIES, ALL, o + j, ORDER))
                    .fma(fromMemorySegment(SPECIES, ALL, slope + j, ORDER),
                            fromMemorySegment(SPECIES, ALL, dc + j, ORDER))
                    .intoMemorySegment(ALL, dc + j, ORDER);
            dOut.mul(fromMemorySegment(SPECIES, ALL, t + j, ORDER))
                    .mul(fromMemorySegment(SPECIES, ALL, outputSlope + j, ORDER))
                    .intoMemorySegment(ALL, o + j, ORDER);
        }
    }

    /** Gradients in place of i, f and g, whose slopes lie in rows behind one another as i, g, f; {@code dc = dc * f}. */
    private static void gateGradients(long gates, long slopes, long cPrevious, long dc, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector i = fromMemorySegment(SPECIES, ALL, gates + j, ORDER);
            FloatVector f = fromMemorySegment(SPECIES, ALL, gates + bytes + j, ORDER);
            FloatVector g = fromMemorySegment(SPECIES, ALL, gates + 2 * bytes + j, ORDER);
            FloatVector dCell = fromMemorySegment(SPECIES, ALL, dc + j, ORDER);
            dCell.mul(g).mul(fromMemorySegment(SPECIES, ALL, slopes + j, ORDER))
                    .intoMemorySegment(ALL, gates + j, ORDER);
            dCell.mul(fromMemorySegment(SPECIES, ALL, cPrevious + j, ORDER))
                    .mul(fromMemorySegment(SPECIES, ALL, slopes + 2 * bytes + j, ORDER))
                    .intoMemorySegment(ALL, gates + bytes + j, ORDER);
            dCell.mul(i).mul(fromMemorySegment(SPECIES, ALL, slopes + bytes + j, ORDER))
                    .intoMemorySegment(ALL, gates + 2 * bytes + j, ORDER);
            dCell.mul(f).intoMemorySegment(ALL, dc + j, ORDER);
        }
    }

    /** Gradients in place of i and g; {@code dc = dc * (1 - i)}. */
    private static void coupledGradients(long inputGate, long candidate, long slope, long candidateSlope,
            long cPrevious, long dc, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector i = fromMemorySegment(SPECIES, ALL, inputGate + j, ORDER);
            FloatVector g = fromMemorySegment(SPECIES, ALL, candidate + j, ORDER);
            FloatVector dCell = fromMemorySegment(SPECIES, ALL, dc + j, ORDER);
            dCell.mul(g.sub(fromMemorySegment(SPECIES, ALL, cPrevious + j, ORDER)))
                    .mul(fromMemorySegment(SPECIES, ALL, slope + j, ORDER))
                    .intoMemorySegment(ALL, inputGate + j, ORDER);
            dCell.mul(i).mul(fromMemorySegment(SPECIES, ALL, candidateSlope + j, ORDER))
                    .intoMemorySegment(ALL, candidate + j, ORDER);
            dCell.mul(broadcast(SPECIES, 1f).sub(i)).intoMemorySegment(ALL, dc + j, ORDER);
        }
    }

    static void gruBackward(GruVariant v, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        long bytes = (long) dh.columns() * Float.BYTES;
        Memory scratch = scratch(bytes);
        long slopes = scratch.address();
        for (int r = 0; r < dh.rows(); r++) {
            long slots = z.rowAddress(r);
            VectorActivations.slope(v.candidate(), slots, slopes, bytes);
            VectorActivations.slope(v.gates(), slots + bytes, slopes + bytes, 2 * bytes);
            gruBackward(slots, slopes, hPrevious.rowAddress(r), dh.rowAddress(r), dhPrevious.rowAddress(r), bytes);
        }
        Reference.reachabilityFence(scratch);
        SCRATCH.give(scratch);
    }

    /** Slots n r u m, with the slopes of n r u. */
    private static void gruBackward(long slots, long slopes, long hPrevious, long dh, long dhPrevious, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector n = fromMemorySegment(SPECIES, ALL, slots + j, ORDER);
            FloatVector r = fromMemorySegment(SPECIES, ALL, slots + bytes + j, ORDER);
            FloatVector u = fromMemorySegment(SPECIES, ALL, slots + 2 * bytes + j, ORDER);
            FloatVector m = fromMemorySegment(SPECIES, ALL, slots + 3 * bytes + j, ORDER);
            FloatVector dOut = fromMemorySegment(SPECIES, ALL, dh + j, ORDER);
            dOut = dOut.blend(0f, dOut.abs().compare(LT, Float.MIN_NORMAL));
            FloatVector dn = dOut.mul(broadcast(SPECIES, 1f).sub(u))
                    .mul(fromMemorySegment(SPECIES, ALL, slopes + j, ORDER));
            dn.intoMemorySegment(ALL, slots + j, ORDER);
            dn.mul(m).mul(fromMemorySegment(SPECIES, ALL, slopes + bytes + j, ORDER))
                    .intoMemorySegment(ALL, slots + bytes + j, ORDER);
            dOut.mul(fromMemorySegment(SPECIES, ALL, hPrevious + j, ORDER).sub(n))
                    .mul(fromMemorySegment(SPECIES, ALL, slopes + 2 * bytes + j, ORDER))
                    .intoMemorySegment(ALL, slots + 2 * bytes + j, ORDER);
            dn.mul(r).intoMemorySegment(ALL, slots + 3 * bytes + j, ORDER);
            dOut.fma(u, fromMemorySegment(SPECIES, ALL, dhPrevious + j, ORDER))
                    .intoMemorySegment(ALL, dhPrevious + j, ORDER);
        }
    }

    static void gruMixBackward(GruVariant v, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        long bytes = (long) dh.columns() * Float.BYTES;
        Memory scratch = scratch(bytes);
        long slopes = scratch.address();
        for (int r = 0; r < dh.rows(); r++) {
            long u = z.rowAddress(r) + bytes;
            VectorActivations.slope(v.gates(), u, slopes, bytes);
            VectorActivations.slope(v.candidate(), u + bytes, slopes + bytes, bytes);
            gruMixBackward(u, slopes, hPrevious.rowAddress(r), dh.rowAddress(r), dhPrevious.rowAddress(r), bytes);
        }
        Reference.reachabilityFence(scratch);
        SCRATCH.give(scratch);
    }

    /** Slots u n, with their slopes. */
    private static void gruMixBackward(long slots, long slopes, long hPrevious, long dh, long dhPrevious, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector u = fromMemorySegment(SPECIES, ALL, slots + j, ORDER);
            FloatVector n = fromMemorySegment(SPECIES, ALL, slots + bytes + j, ORDER);
            FloatVector dOut = fromMemorySegment(SPECIES, ALL, dh + j, ORDER);
            dOut = dOut.blend(0f, dOut.abs().compare(LT, Float.MIN_NORMAL));
            dOut.mul(fromMemorySegment(SPECIES, ALL, hPrevious + j, ORDER).sub(n))
                    .mul(fromMemorySegment(SPECIES, ALL, slopes + j, ORDER))
                    .intoMemorySegment(ALL, slots + j, ORDER);
            dOut.mul(broadcast(SPECIES, 1f).sub(u)).mul(fromMemorySegment(SPECIES, ALL, slopes + bytes + j, ORDER))
                    .intoMemorySegment(ALL, slots + bytes + j, ORDER);
            dOut.fma(u, fromMemorySegment(SPECIES, ALL, dhPrevious + j, ORDER))
                    .intoMemorySegment(ALL, dhPrevious + j, ORDER);
        }
    }

    static void gruResetBackward(GruVariant v, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
        long bytes = (long) ds.columns() * Float.BYTES;
        Memory scratch = scratch(bytes);
        long slope = scratch.address();
        for (int r = 0; r < ds.rows(); r++) {
            long reset = z.rowAddress(r);
            VectorActivations.slope(v.gates(), reset, slope, bytes);
            gruResetBackward(reset, slope, hPrevious.rowAddress(r), ds.rowAddress(r), dhPrevious.rowAddress(r), bytes);
        }
        Reference.reachabilityFence(scratch);
        SCRATCH.give(scratch);
    }

    private static void gruResetBackward(long reset, long slope, long hPrevious, long ds, long dhPrevious, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector d = fromMemorySegment(SPECIES, ALL, ds + j, ORDER);
            d.fma(fromMemorySegment(SPECIES, ALL, reset + j, ORDER),
                    fromMemorySegment(SPECIES, ALL, dhPrevious + j, ORDER))
                    .intoMemorySegment(ALL, dhPrevious + j, ORDER);
            d.mul(fromMemorySegment(SPECIES, ALL, hPrevious + j, ORDER))
                    .mul(fromMemorySegment(SPECIES, ALL, slope + j, ORDER))
                    .intoMemorySegment(ALL, reset + j, ORDER);
        }
    }

    /** {@code dz = flush(dh) * f'}. */
    static void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz) {
        long bytes = (long) h.columns() * Float.BYTES;
        for (int r = 0; r < h.rows(); r++) {
            VectorActivations.slope(f, h.rowAddress(r), dz.rowAddress(r), bytes);
            multiplyFlushed(dh.rowAddress(r), dz.rowAddress(r), bytes);
        }
    }

    private static void multiplyFlushed(long dh, long slope, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector d = fromMemorySegment(SPECIES, ALL, dh + j, ORDER);
            d.blend(0f, d.abs().compare(LT, Float.MIN_NORMAL)).mul(fromMemorySegment(SPECIES, ALL, slope + j, ORDER))
                    .intoMemorySegment(ALL, slope + j, ORDER);
        }
    }

    private static void flush(long x, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            v.blend(0f, v.abs().compare(LT, Float.MIN_NORMAL)).intoMemorySegment(ALL, x + j, ORDER);
        }
    }

    /** {@code dc = 0} where c has reached the clip. */
    private static void zeroFrom(float clip, long c, long dc, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, c + j, ORDER).abs();
            fromMemorySegment(SPECIES, ALL, dc + j, ORDER).blend(0f, v.compare(GE, clip))
                    .intoMemorySegment(ALL, dc + j, ORDER);
        }
    }

    private static Memory scratch(long rowBytes) {
        Memory scratch = SCRATCH.take();
        long bytes = SCRATCH_ROWS * rowBytes;
        return scratch.byteSize() < bytes ? Memory.ofFloats(bytes / Float.BYTES) : scratch;
    }
}
