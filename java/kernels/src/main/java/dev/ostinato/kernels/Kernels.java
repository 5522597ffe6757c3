package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;

/**
 * The operations, checked: every argument is examined here, once, and the memory it views is kept alive for the call. What each
 * operation computes is said in {@link KernelSet}, by the same name.
 *
 * <p>Every method throws {@link IllegalArgumentException} for a wrong shape and {@link IndexOutOfBoundsException} for an index outside its
 * table, before anything is written. Instances are safe for all threads; calls on overlapping memory need the caller's ordering. No method
 * allocates, starts a thread or takes a lock.
 */
public final class Kernels {
    private static final Matrix NO_PEEPHOLES = Matrix.of(0, 0);

    private final Backend backend;
    private final KernelSet set;

    Kernels(Backend backend) {
        this.backend = backend;
        this.set = backend.kernels();
    }

    /** Returns unchecked kernels as checked ones, for a backend that is being tested. */
    public static Kernels of(Backend backend) {
        return new Kernels(backend);
    }

    /** Returns the backend that computes. */
    public Backend backend() {
        return backend;
    }

    /** Returns the same operations for memory of the caller's: arrays, and segments of any arena. */
    public SliceKernels slices() {
        return new SliceKernels(this, set);
    }

    // Products

    /** See {@link KernelSet#multiplyAdd}. */
    public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
        shape("a", a, out.rows(), w.inputs());
        shape("out", out, a.rows(), w.outputs());
        set.multiplyAdd(a, w, out);
        keep(a, out);
        Reference.reachabilityFence(w.memory());
    }

    /** See {@link KernelSet#weightGradient}. */
    public void weightGradient(Matrix a, Matrix dz, PackedMatrix dw) {
        shape("a", a, dz.rows(), dw.inputs());
        shape("dz", dz, a.rows(), dw.outputs());
        set.weightGradient(a, dz, dw);
        keep(a, dz);
        Reference.reachabilityFence(dw.memory());
    }

    /** See {@link KernelSet#columnSums}. */
    public void columnSums(Matrix x, Matrix sums) {
        shape("sums", sums, 1, x.columns());
        set.columnSums(x, sums);
        keep(x, sums);
    }

    // Products with narrow weights

    /** See {@link KernelSet#multiplyAddBf16}. */
    public void multiplyAddBf16(Matrix a, Bf16Matrix w, Matrix out) {
        shape("a", a, out.rows(), w.inputs());
        shape("out", out, a.rows(), w.outputs());
        set.multiplyAddBf16(a, w, out);
        keep(a, out);
        Reference.reachabilityFence(w);
    }

    /** See {@link KernelSet#quantize}. */
    public void quantize(Scaling scaling, Matrix x, QuantizedRows q) {
        shape("x", x, q.rows(), q.columns());
        set.quantize(scaling, x, q);
        keep(x, x);
        Reference.reachabilityFence(q.memory());
    }

    /** See {@link KernelSet#multiplyAddInt8}. */
    public void multiplyAddInt8(QuantizedRows a, Int8Matrix w, Matrix out) {
        if (a.columns() != w.inputs()) {
            throw new IllegalArgumentException(
                    "a: expected (" + out.rows() + ", " + w.inputs() + "), got " + a.shape());
        }
        shape("out", out, a.rows(), w.outputs());
        set.multiplyAddInt8(a, w, out);
        keep(out, out);
        Reference.reachabilityFence(a.memory());
        Reference.reachabilityFence(w);
    }

    // Tables

    /** Overwrites every row of {@code out} (R, N) with {@code row} (1, N). */
    public void fillRows(Matrix row, Matrix out) {
        shape("row", row, 1, out.columns());
        for (int r = 0; r < out.rows(); r++) {
            Raw.copy(row.address(), out.rowAddress(r), out.columns());
        }
        keep(row, out);
    }

    /** Copies rows of a table: {@code out[r] = table[indices[r]]}; table (V, N), out (R, N). */
    public void gather(Matrix table, Indices indices, Matrix out) {
        shape("out", out, indices.length(), table.columns());
        indices("indices", indices, out.rows(), table.rows());
        for (int r = 0; r < out.rows(); r++) {
            Raw.copy(table.rowAddress(Raw.getInt(indices.address(), r)), out.rowAddress(r), out.columns());
        }
        keep(table, out);
        Reference.reachabilityFence(indices.memory());
    }

    /** See {@link KernelSet#scatterAdd}. */
    public void scatterAdd(Matrix x, Indices indices, Matrix table) {
        shape("x", x, indices.length(), table.columns());
        indices("indices", indices, x.rows(), table.rows());
        set.scatterAdd(x, indices, table);
        keep(x, table);
        Reference.reachabilityFence(indices.memory());
    }

    /** See {@link KernelSet#addInputs}. */
    public void addInputs(PackedMatrix w, Indices indices, Matrix out) {
        shape("out", out, indices.length(), w.outputs());
        indices("indices", indices, out.rows(), w.inputs());
        set.addInputs(w, indices, out);
        Reference.reachabilityFence(w.memory());
        Reference.reachabilityFence(indices.memory());
        Reference.reachabilityFence(out.memory());
    }

    /** See {@link KernelSet#scatterAddInputs}. */
    public void scatterAddInputs(Matrix dz, Indices indices, PackedMatrix dw) {
        shape("dz", dz, indices.length(), dw.outputs());
        indices("indices", indices, dz.rows(), dw.inputs());
        set.scatterAddInputs(dz, indices, dw);
        Reference.reachabilityFence(dz.memory());
        Reference.reachabilityFence(indices.memory());
        Reference.reachabilityFence(dw.memory());
    }

    // Cells

    /** See {@link KernelSet#rnnForward}. */
    public void rnnForward(Activation f, Matrix z, Matrix h) {
        units("h", h, h);
        units("z", z, h);
        set.rnnForward(f, z, h);
        keep(z, h);
    }

    /** See {@link KernelSet#rnnBackward}. */
    public void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz) {
        units("h", h, h);
        units("dh", dh, h);
        units("dz", dz, h);
        set.rnnBackward(f, h, dh, dz);
        keep(h, dh);
        keep(dz, dz);
    }

    /** See {@link KernelSet#lstmForward}. */
    public void lstmForward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix h) {
        slots(variant.slots(), z, h);
        peepholes(variant, peepholes, h);
        units("cPrevious", cPrevious, h);
        units("c", c, h);
        set.lstmForward(variant, peepholes, z, cPrevious, c, h);
        keep(z, cPrevious);
        keep(c, h);
        keep(peepholes, peepholes);
    }

    /** See {@link KernelSet#lstmForward}; the standard variant. */
    public void lstmForward(Matrix z, Matrix cPrevious, Matrix c, Matrix h) {
        lstmForward(LstmVariant.STANDARD, NO_PEEPHOLES, z, cPrevious, c, h);
    }

    /** See {@link KernelSet#lstmBackward}. */
    public void lstmBackward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix dh,
            Matrix dc) {
        slots(variant.slots(), z, c);
        peepholes(variant, peepholes, c);
        units("cPrevious", cPrevious, c);
        units("dh", dh, c);
        units("dc", dc, c);
        set.lstmBackward(variant, peepholes, z, cPrevious, c, dh, dc);
        keep(z, cPrevious);
        keep(c, dh);
        keep(dc, peepholes);
    }

    /** See {@link KernelSet#lstmBackward}; the standard variant. */
    public void lstmBackward(Matrix z, Matrix cPrevious, Matrix c, Matrix dh, Matrix dc) {
        lstmBackward(LstmVariant.STANDARD, NO_PEEPHOLES, z, cPrevious, c, dh, dc);
    }

    /** See {@link KernelSet#gruForward}. */
    public void gruForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        gates(z, h);
        units("hPrevious", hPrevious, h);
        set.gruForward(variant, z, hPrevious, h);
        keep(z, hPrevious);
        keep(h, h);
    }

    /** See {@link KernelSet#gruForward}; the standard variant. */
    public void gruForward(Matrix z, Matrix hPrevious, Matrix h) {
        gruForward(GruVariant.STANDARD, z, hPrevious, h);
    }

    /** See {@link KernelSet#gruBackward}. */
    public void gruBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        gates(z, dh);
        units("hPrevious", hPrevious, dh);
        units("dhPrevious", dhPrevious, dh);
        set.gruBackward(variant, z, hPrevious, dh, dhPrevious);
        keep(z, hPrevious);
        keep(dh, dhPrevious);
    }

    /** See {@link KernelSet#gruBackward}; the standard variant. */
    public void gruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        gruBackward(GruVariant.STANDARD, z, hPrevious, dh, dhPrevious);
    }

    /** See {@link KernelSet#gruResetForward}. */
    public void gruResetForward(GruVariant variant, Matrix z, Matrix hPrevious) {
        gates(z, hPrevious);
        set.gruResetForward(variant, z, hPrevious);
        keep(z, hPrevious);
    }

    /** See {@link KernelSet#gruResetForward}; the standard variant. */
    public void gruResetForward(Matrix z, Matrix hPrevious) {
        gruResetForward(GruVariant.STANDARD, z, hPrevious);
    }

    /** See {@link KernelSet#gruMixForward}. */
    public void gruMixForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        gates(z, h);
        units("hPrevious", hPrevious, h);
        set.gruMixForward(variant, z, hPrevious, h);
        keep(z, hPrevious);
        keep(h, h);
    }

    /** See {@link KernelSet#gruMixForward}; the standard variant. */
    public void gruMixForward(Matrix z, Matrix hPrevious, Matrix h) {
        gruMixForward(GruVariant.STANDARD, z, hPrevious, h);
    }

    /** See {@link KernelSet#gruMixBackward}. */
    public void gruMixBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        gates(z, dh);
        units("hPrevious", hPrevious, dh);
        units("dhPrevious", dhPrevious, dh);
        set.gruMixBackward(variant, z, hPrevious, dh, dhPrevious);
        keep(z, hPrevious);
        keep(dh, dhPrevious);
    }

    /** See {@link KernelSet#gruMixBackward}; the standard variant. */
    public void gruMixBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        gruMixBackward(GruVariant.STANDARD, z, hPrevious, dh, dhPrevious);
    }

    /** See {@link KernelSet#gruResetBackward}. */
    public void gruResetBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
        gates(z, ds);
        units("hPrevious", hPrevious, ds);
        units("dhPrevious", dhPrevious, ds);
        set.gruResetBackward(variant, z, hPrevious, ds, dhPrevious);
        keep(z, hPrevious);
        keep(ds, dhPrevious);
    }

    /** See {@link KernelSet#gruResetBackward}; the standard variant. */
    public void gruResetBackward(Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
        gruResetBackward(GruVariant.STANDARD, z, hPrevious, ds, dhPrevious);
    }

    // Parts of cells

    /** See {@link KernelSet#minGruForward}. */
    public void minGruForward(Matrix z, Matrix hPrevious, Matrix h) {
        slots(2, z, h);
        units("hPrevious", hPrevious, h);
        set.minGruForward(z, hPrevious, h);
        keep(z, hPrevious);
        keep(h, h);
    }

    /** See {@link KernelSet#minGruBackward}. */
    public void minGruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        slots(2, z, dh);
        units("hPrevious", hPrevious, dh);
        units("dhPrevious", dhPrevious, dh);
        set.minGruBackward(z, hPrevious, dh, dhPrevious);
        keep(z, hPrevious);
        keep(dh, dhPrevious);
    }

    /** See {@link KernelSet#lstmCellForward}. */
    public void lstmCellForward(Matrix z, Matrix cPrevious, Matrix c) {
        gates(z, c);
        units("cPrevious", cPrevious, c);
        set.lstmCellForward(z, cPrevious, c);
        keep(z, cPrevious);
        keep(c, c);
    }

    /** See {@link KernelSet#lstmOutputForward}. */
    public void lstmOutputForward(Matrix z, Matrix m, Matrix h) {
        gates(z, h);
        units("m", m, h);
        set.lstmOutputForward(z, m, h);
        keep(z, m);
        keep(h, h);
    }

    /** See {@link KernelSet#lstmOutputBackward}. */
    public void lstmOutputBackward(Matrix z, Matrix m, Matrix dh, Matrix dm) {
        gates(z, dh);
        units("m", m, dh);
        units("dm", dm, dh);
        set.lstmOutputBackward(z, m, dh, dm);
        keep(z, m);
        keep(dh, dm);
    }

    /** See {@link KernelSet#lstmCellBackward}. */
    public void lstmCellBackward(Matrix z, Matrix cPrevious, Matrix dc) {
        gates(z, dc);
        units("cPrevious", cPrevious, dc);
        set.lstmCellBackward(z, cPrevious, dc);
        keep(z, cPrevious);
        keep(dc, dc);
    }

    /** See {@link KernelSet#addScaled}. */
    public void addScaled(Matrix x, Matrix factors, Matrix y) {
        shape("factors", factors, 1, x.columns());
        shape("y", y, x.rows(), x.columns());
        set.addScaled(x, factors, y);
        keep(x, factors);
        keep(y, y);
    }

    /** See {@link KernelSet#columnDots}. */
    public void columnDots(Matrix x, Matrix y, Matrix sums) {
        shape("y", y, x.rows(), x.columns());
        shape("sums", sums, 1, x.columns());
        set.columnDots(x, y, sums);
        keep(x, y);
        keep(sums, sums);
    }

    // Steps

    /** See {@link KernelSet#rnnSteps}. */
    public void rnnSteps(Activation f, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        steps(1, 1, start, x, w, hPrevious, u, sweep, h);
        set.rnnSteps(f, start, x, w, hPrevious, u, sweep, h);
        keep(start, x);
        keep(w, u);
        keep(hPrevious, h);
    }

    /** See {@link KernelSet#lstmSteps}. */
    public void lstmSteps(LstmVariant variant, Matrix peepholes, Matrix start, Matrix x, PackedWeights w,
            Matrix hPrevious, PackedWeights u, Sweep sweep, Matrix c, Matrix h) {
        steps(variant.slots(), variant.slots(), start, x, w, hPrevious, u, sweep, h);
        peepholes(variant, peepholes, c);
        shape("c", c, hPrevious.rows(), Matrix.padded(u.units()));
        set.lstmSteps(variant, peepholes, start, x, w, hPrevious, u, sweep, c, h);
        keep(start, x);
        keep(w, u);
        keep(hPrevious, h);
        keep(c, peepholes);
    }

    /** See {@link KernelSet#lstmSteps}; the standard variant. */
    public void lstmSteps(Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u, Sweep sweep,
            Matrix c, Matrix h) {
        lstmSteps(LstmVariant.STANDARD, NO_PEEPHOLES, start, x, w, hPrevious, u, sweep, c, h);
    }

    /** See {@link KernelSet#gruSteps}. */
    public void gruSteps(GruVariant variant, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        weights("u", u, u.units(), 3, u.units());
        steps(4, 3, start, x, w, hPrevious, u, sweep, h);
        set.gruSteps(variant, start, x, w, hPrevious, u, sweep, h);
        keep(start, x);
        keep(w, u);
        keep(hPrevious, h);
    }

    /** See {@link KernelSet#gruSteps}; the standard variant. */
    public void gruSteps(Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u, Sweep sweep,
            Matrix h) {
        gruSteps(GruVariant.STANDARD, start, x, w, hPrevious, u, sweep, h);
    }

    private static void steps(int slots, int gates, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious,
            PackedWeights u, Sweep sweep, Matrix h) {
        int units = u.units();
        int padded = Matrix.padded(units);
        int streams = hPrevious.rows();
        boolean narrow = u.inputs() < units;
        weights("u", u, narrow ? u.inputs() : units, gates, units);
        weights("w", w, w.inputs(), gates, units);
        if (w.getClass() != u.getClass()) {
            throw new IllegalArgumentException("w: expected the precision of u, " + u + ", got " + w);
        }
        shape("hPrevious", hPrevious, streams, narrow ? u.inputs() : padded);
        if (streams == 0 ? h.rows() != 0 : h.rows() % streams != 0) {
            throw new IllegalArgumentException(
                    "h: expected a multiple of " + streams + " rows, one group a step, got " + h.shape());
        }
        shape("h", h, h.rows(), padded);
        shape("x", x, h.rows(), w.inputs());
        shape("start", start, start.rows() == 1 ? 1 : h.rows(), slots * padded);
        if ((narrow || sweep.parts() > 1) && h.rows() > streams) {
            throw new IllegalArgumentException("h: expected one step for "
                    + (narrow ? "a U of " + u.inputs() + " inputs" : "a share of the panels") + ", " + streams
                    + " rows, got " + h.shape());
        }
    }

    private static void weights(String name, PackedWeights w, int inputs, int gates, int units) {
        if (w.inputs() != inputs || w.gates() != gates || w.units() != units) {
            throw new IllegalArgumentException(
                    name + ": expected " + inputs + " inputs x " + gates + " gates x " + units
                            + " units, got " + w);
        }
    }

    // Elementwise functions and reductions

    /** See {@link KernelSet#apply}. */
    public void apply(Function f, Matrix x, Matrix y) {
        shape("y", y, x.rows(), x.columns());
        set.apply(f, x, y);
        keep(x, y);
    }

    /** See {@link KernelSet#applyBackward}. */
    public void applyBackward(Function f, Matrix v, Matrix dy, Matrix dx) {
        shape("dy", dy, v.rows(), v.columns());
        shape("dx", dx, v.rows(), v.columns());
        set.applyBackward(f, v, dy, dx);
        keep(v, dy);
        keep(dx, dx);
    }

    /** See {@link KernelSet#scale}. */
    public void scale(Matrix x, float factor) {
        set.scale(x, factor);
        keep(x, x);
    }

    /** See {@link KernelSet#multiply}. */
    public void multiply(Matrix x, Matrix y) {
        shape("y", y, x.rows(), x.columns());
        set.multiply(x, y);
        keep(x, y);
    }

    /** See {@link KernelSet#sumOfSquares}. */
    public float sumOfSquares(Matrix x) {
        shape("x", x, 1, x.columns());
        float sum = set.sumOfSquares(x);
        keep(x, x);
        return sum;
    }

    /** See {@link KernelSet#softmax}. */
    public void softmax(Matrix x, Matrix y) {
        shape("y", y, x.rows(), x.columns());
        set.softmax(x, y);
        keep(x, y);
    }

    /** See {@link KernelSet#logSoftmax}. */
    public void logSoftmax(Matrix x, Matrix y) {
        shape("y", y, x.rows(), x.columns());
        set.logSoftmax(x, y);
        keep(x, y);
    }

    // Plain linear algebra

    /** See {@link KernelSet#axpy}. */
    public void axpy(float alpha, Matrix x, Matrix y) {
        shape("y", y, x.rows(), x.columns());
        set.axpy(alpha, x, y);
        keep(x, y);
    }

    /** Returns the sum of x (1, N); see {@link KernelSet#partialSums}. */
    public float sum(Matrix x) {
        shape("x", x, 1, x.columns());
        Partials partials = Partials.take(0f);
        set.partialSums(x, partials.row());
        keep(x, x);
        return partials.sum();
    }

    /** Returns the largest element of x (1, N), NaNs not counted; -infinity if there is none. See {@link KernelSet#partialMaxima}. */
    public float max(Matrix x) {
        shape("x", x, 1, x.columns());
        Partials partials = Partials.take(Float.NEGATIVE_INFINITY);
        set.partialMaxima(x, partials.row());
        keep(x, x);
        return partials.max();
    }

    /** Returns the smallest element of x (1, N), NaNs not counted; infinity if there is none. See {@link KernelSet#partialMinima}. */
    public float min(Matrix x) {
        shape("x", x, 1, x.columns());
        Partials partials = Partials.take(Float.POSITIVE_INFINITY);
        set.partialMinima(x, partials.row());
        keep(x, x);
        return partials.min();
    }

    /** Returns the index of the first element of x (1, N) that equals {@link #max}; -1 if there is none but NaNs. */
    public int argMax(Matrix x) {
        float max = max(x);
        int i = 0;
        while (i < x.columns() && Raw.get(x.address(), i) != max) {
            i++;
        }
        keep(x, x);
        return i < x.columns() ? i : -1;
    }

    /** Returns the dot product of x and y, both (1, N); see {@link KernelSet#partialDots}. */
    public float dot(Matrix x, Matrix y) {
        shape("x", x, 1, x.columns());
        shape("y", y, 1, x.columns());
        Partials partials = Partials.take(0f);
        set.partialDots(x, y, partials.row());
        keep(x, y);
        return partials.sum();
    }

    /**
     * Returns the Euclidean norm of x (1, N): the root of {@code dot(x, x)} where that neither overflows nor loses to underflow. Elsewhere x
     * is scaled by a power of two first, so that the result is infinite only if it is too large for a float; see {@link Norm}.
     */
    public float nrm2(Matrix x) {
        float squares = dot(x, x);
        float norm = Norm.inRange(squares) ? Norm.root(squares) : Norm.scaled(x);
        keep(x, x);
        return norm;
    }

    /** See {@link KernelSet#gemv}. @throws IllegalArgumentException also if y overlaps an operand */
    public void gemv(Transpose transpose, float alpha, Matrix a, Matrix x, float beta, Matrix y) {
        boolean plain = transpose == Transpose.NO;
        shape("x", x, 1, plain ? a.columns() : a.rows());
        shape("y", y, 1, plain ? a.rows() : a.columns());
        apart("y", y, "a", a);
        apart("y", y, "x", x);
        set.gemv(transpose, alpha, a, x, beta, y);
        keep(a, x);
        keep(y, y);
    }

    /** See {@link KernelSet#gemm}. @throws IllegalArgumentException also if c overlaps an operand */
    public void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        int depth = transposeA == Transpose.NO ? a.columns() : a.rows();
        operand("a", a, transposeA, c.rows(), depth);
        operand("b", b, transposeB, depth, c.columns());
        apart("c", c, "a", a);
        apart("c", c, "b", b);
        set.gemm(transposeA, transposeB, alpha, a, b, beta, c);
        keep(a, b);
        keep(c, c);
    }

    // Layer norm

    /** See {@link KernelSet#layerNormForward}. */
    public void layerNormForward(Matrix x, Matrix gain, Matrix bias, float epsilon, Matrix y, Matrix statistics) {
        norm(x, gain, statistics);
        shape("bias", bias, 1, x.columns());
        shape("y", y, x.rows(), x.columns());
        set.layerNormForward(x, gain, bias, epsilon, y, statistics);
        keep(x, gain);
        keep(bias, y);
        keep(statistics, statistics);
    }

    /** See {@link KernelSet#layerNormBackward}. */
    public void layerNormBackward(Matrix x, Matrix gain, Matrix statistics, Matrix dy, Matrix dx, Matrix dGain,
            Matrix dBias) {
        norm(x, gain, statistics);
        shape("dy", dy, x.rows(), x.columns());
        shape("dx", dx, x.rows(), x.columns());
        shape("dGain", dGain, 1, x.columns());
        shape("dBias", dBias, 1, x.columns());
        set.layerNormBackward(x, gain, statistics, dy, dx, dGain, dBias);
        keep(x, gain);
        keep(statistics, dy);
        keep(dx, dGain);
        keep(dBias, dBias);
    }

    // Losses

    /** See {@link KernelSet#crossEntropyForward}. */
    public void crossEntropyForward(Matrix x, Indices targets, Matrix losses) {
        shape("losses", losses, x.rows(), 1);
        indices("targets", targets, x.rows(), x.columns());
        set.crossEntropyForward(x, targets, losses);
        keep(x, losses);
        Reference.reachabilityFence(targets.memory());
    }

    /** See {@link KernelSet#crossEntropyBackward}. */
    public void crossEntropyBackward(Matrix p, Indices targets, float factor) {
        indices("targets", targets, p.rows(), p.columns());
        set.crossEntropyBackward(p, targets, factor);
        keep(p, p);
        Reference.reachabilityFence(targets.memory());
    }

    /** See {@link KernelSet#squaredError}. */
    public void squaredError(Matrix y, Matrix target, Matrix losses, float lossFactor, float gradientFactor) {
        shape("target", target, y.rows(), y.columns());
        shape("losses", losses, y.rows(), 1);
        set.squaredError(y, target, losses, lossFactor, gradientFactor);
        keep(y, target);
        keep(losses, losses);
    }

    // Optimisers

    /** See {@link KernelSet#adam}. */
    public void adam(Matrix w, Matrix dw, Matrix m, Matrix v, AdamStep step) {
        shape("w", w, 1, w.columns());
        shape("dw", dw, 1, w.columns());
        shape("m", m, 1, w.columns());
        shape("v", v, 1, w.columns());
        set.adam(w, dw, m, v, step);
        keep(w, dw);
        keep(m, v);
    }

    /** See {@link KernelSet#sgd}. */
    public void sgd(Matrix w, Matrix dw, Matrix v, float gradientScale, float learningRate, float momentum) {
        shape("w", w, 1, w.columns());
        shape("dw", dw, 1, w.columns());
        shape("v", v, 1, w.columns());
        set.sgd(w, dw, v, gradientScale, learningRate, momentum);
        keep(w, dw);
        keep(v, v);
    }

    // Checks

    private static void shape(String name, Matrix matrix, int rows, int columns) {
        if (matrix.rows() != rows || matrix.columns() != columns) {
            throw new IllegalArgumentException(
                    name + ": expected (" + rows + ", " + columns + "), got " + matrix.shape());
        }
    }

    /** Checks a (B, Hp) matrix: whole blocks, and as many rows and columns as {@code model}. */
    private static void units(String name, Matrix matrix, Matrix model) {
        if (matrix.columns() % Matrix.BLOCK != 0) {
            throw new IllegalArgumentException(
                    name + ": expected a multiple of " + Matrix.BLOCK + " columns, got " + matrix.shape());
        }
        shape(name, matrix, model.rows(), model.columns());
    }

    private static void gates(Matrix z, Matrix model) {
        slots(4, z, model);
    }

    private static void slots(int slots, Matrix z, Matrix model) {
        units("states", model, model);
        shape("z", z, model.rows(), slots * model.columns());
    }

    private static void peepholes(LstmVariant variant, Matrix peepholes, Matrix model) {
        if (peepholes.rows() > 0) {
            shape("peepholes", peepholes, variant.slots() - 1, model.columns());
        }
    }

    private static void operand(String name, Matrix matrix, Transpose transpose, int rows, int columns) {
        boolean plain = transpose == Transpose.NO;
        shape(name, matrix, plain ? rows : columns, plain ? columns : rows);
    }

    /** Checks that an output shares no memory with an operand; columns of one matrix may lie between each other. */
    private static void apart(String name, Matrix output, String otherName, Matrix other) {
        if (output.overlaps(other)) {
            throw new IllegalArgumentException(name + ": overlaps " + otherName);
        }
    }

    private static void norm(Matrix x, Matrix gain, Matrix statistics) {
        if (x.columns() == 0) {
            throw new IllegalArgumentException("x: expected at least 1 column, got " + x.shape());
        }
        shape("gain", gain, 1, x.columns());
        shape("statistics", statistics, x.rows(), 2);
    }

    static void indices(String name, Indices indices, int length, int bound) {
        if (indices.length() != length) {
            throw new IllegalArgumentException(name + ": expected " + length + ", got " + indices.length());
        }
        for (int i = 0; i < length; i++) {
            int index = Raw.getInt(indices.address(), i);
            if (index < 0 || index >= bound) {
                throw new IndexOutOfBoundsException(
                        name + "[" + i + "]: expected 0.." + (bound - 1) + ", got " + index);
            }
        }
    }

    private static void keep(PackedWeights a, PackedWeights b) {
        Reference.reachabilityFence(a);
        Reference.reachabilityFence(b);
    }

    private static void keep(Matrix a, Matrix b) {
        Reference.reachabilityFence(a.memory());
        Reference.reachabilityFence(b.memory());
    }
}
