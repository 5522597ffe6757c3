package dev.ostinato.kernels.jni;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.AdamStep;
import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.KernelSet;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.Sweep;
import dev.ostinato.kernels.Transpose;
import dev.ostinato.kernels.raw.Pool;
import java.lang.ref.Reference;

/** The contract in terms of {@link NativeCalls}: every view becomes the numbers that it is made of. */
final class NativeKernels implements KernelSet {
    /** Floats that gemm packs its operands into, as in {@code native/src/abi.h}. */
    static final int GEMM_SCRATCH = 180_224;

    private static final Pool<Matrix> SCRATCH = new Pool<>(() -> Matrix.of(1, GEMM_SCRATCH));

    private static final Pool<Matrix> STEP_SCRATCH = new Pool<>(() -> Matrix.of(1, 4 * 1024));
    private static final Matrix NO_SCRATCH = Matrix.of(0, 0);

    private final long kernels;

    /** Takes what {@link NativeCalls#kernels} returned, and not 0: nothing examines it again. */
    NativeKernels(long kernels) {
        this.kernels = kernels;
    }

    // Products

    @Override
    public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
        NativeCalls.multiplyAdd(kernels, a.address(), a.rows(), a.columns(), a.stride(), w.panelAddress(0), second(w),
                last(w),
                w.inputs(), w.gates(), w.units(), out.address(), out.rows(), out.columns(), out.stride());
    }

    @Override
    public void weightGradient(Matrix a, Matrix dz, PackedMatrix dw) {
        NativeCalls.weightGradient(kernels, a.address(), a.rows(), a.columns(), a.stride(), dz.address(), dz.rows(),
                dz.columns(), dz.stride(), dw.panelAddress(0), second(dw), last(dw), dw.inputs(), dw.gates(),
                dw.units());
    }

    @Override
    public void columnSums(Matrix x, Matrix sums) {
        NativeCalls.columnSums(kernels, x.address(), x.rows(), x.columns(), x.stride(), sums.address(), sums.rows(),
                sums.columns(), sums.stride());
    }

    // Products with narrow weights

    @Override
    public void multiplyAddBf16(Matrix a, Bf16Matrix w, Matrix out) {
        PackedMatrix words = w.words();
        NativeCalls.multiplyAddBf16(kernels, a.address(), a.rows(), a.columns(), a.stride(), words.panelAddress(0),
                second(words), last(words), words.inputs(), words.gates(), words.units(), out.address(), out.rows(),
                out.columns(), out.stride());
    }

    @Override
    public void quantize(Scaling scaling, Matrix x, QuantizedRows q) {
        NativeCalls.quantize(kernels, code(scaling), x.address(), x.rows(), x.columns(), x.stride(), q.address(),
                q.scalesAddress(), q.rows(), q.columns(), q.stride());
    }

    @Override
    public void multiplyAddInt8(QuantizedRows a, Int8Matrix w, Matrix out) {
        PackedMatrix words = w.words();
        NativeCalls.multiplyAddInt8(kernels, a.address(), a.scalesAddress(), a.rows(), a.columns(), a.stride(),
                words.panelAddress(0), second(words), last(words), words.inputs(), words.gates(), words.units(),
                w.scales().address(), w.offsets().address(), out.address(), out.rows(), out.columns(), out.stride());
    }

    // Tables

    @Override
    public void scatterAdd(Matrix x, Indices indices, Matrix table) {
        NativeCalls.scatterAdd(kernels, x.address(), x.rows(), x.columns(), x.stride(), indices.address(),
                indices.length(),
                table.address(), table.rows(), table.columns(), table.stride());
    }

    @Override
    public void addInputs(PackedMatrix w, Indices indices, Matrix out) {
        NativeCalls.addInputs(kernels, w.panelAddress(0), second(w), last(w), w.inputs(), w.gates(), w.units(),
                indices.address(), indices.length(), out.address(), out.rows(), out.columns(), out.stride());
    }

    @Override
    public void scatterAddInputs(Matrix dz, Indices indices, PackedMatrix dw) {
        NativeCalls.scatterAddInputs(kernels, dz.address(), dz.rows(), dz.columns(), dz.stride(), indices.address(),
                indices.length(), dw.panelAddress(0), second(dw), last(dw), dw.inputs(), dw.gates(), dw.units());
    }

    // Cells

    @Override
    public void rnnForward(Activation f, Matrix z, Matrix h) {
        NativeCalls.rnnForward(kernels, code(f), f.alpha(), f.beta(), f.clip(), z.address(), z.rows(), z.columns(),
                z.stride(), h.address(), h.rows(),
                h.columns(), h.stride());
    }

    @Override
    public void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz) {
        NativeCalls.rnnBackward(kernels, code(f), f.alpha(), f.beta(), f.clip(), h.address(), h.rows(), h.columns(),
                h.stride(), dh.address(),
                dh.rows(),
                dh.columns(), dh.stride(), dz.address(), dz.rows(), dz.columns(), dz.stride());
    }

    @Override
    public void lstmForward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix h) {
        Activation gates = variant.gates();
        Activation candidate = variant.candidate();
        Activation output = variant.output();
        NativeCalls.lstmForward(kernels, code(gates), gates.alpha(), gates.beta(), gates.clip(), code(candidate),
                candidate.alpha(), candidate.beta(), candidate.clip(), code(output), output.alpha(), output.beta(),
                output.clip(), variant.cellClip(), peepholes.address(), peepholes.rows(), peepholes.columns(),
                peepholes.stride(), z.address(), z.rows(), z.columns(), z.stride(), cPrevious.address(),
                cPrevious.rows(),
                cPrevious.columns(), cPrevious.stride(), c.address(), c.rows(), c.columns(), c.stride(), h.address(),
                h.rows(), h.columns(), h.stride());
    }

    @Override
    public void lstmBackward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix dh,
            Matrix dc) {
        Activation gates = variant.gates();
        Activation candidate = variant.candidate();
        Activation output = variant.output();
        NativeCalls.lstmBackward(kernels, code(gates), gates.alpha(), gates.beta(), gates.clip(), code(candidate),
                candidate.alpha(), candidate.beta(), candidate.clip(), code(output), output.alpha(), output.beta(),
                output.clip(), variant.cellClip(), peepholes.address(), peepholes.rows(), peepholes.columns(),
                peepholes.stride(), z.address(), z.rows(), z.columns(), z.stride(), cPrevious.address(),
                cPrevious.rows(),
                cPrevious.columns(), cPrevious.stride(), c.address(), c.rows(), c.columns(), c.stride(), dh.address(),
                dh.rows(), dh.columns(), dh.stride(), dc.address(), dc.rows(), dc.columns(), dc.stride());
    }

    @Override
    public void gruForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        Activation gates = variant.gates();
        Activation candidate = variant.candidate();
        NativeCalls.gruForward(kernels, code(gates), gates.alpha(), gates.beta(), gates.clip(), code(candidate),
                candidate.alpha(), candidate.beta(), candidate.clip(), z.address(), z.rows(), z.columns(), z.stride(),
                hPrevious.address(),
                hPrevious.rows(),
                hPrevious.columns(), hPrevious.stride(), h.address(), h.rows(), h.columns(), h.stride());
    }

    @Override
    public void gruBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        Activation gates = variant.gates();
        Activation candidate = variant.candidate();
        NativeCalls.gruBackward(kernels, code(gates), gates.alpha(), gates.beta(), gates.clip(), code(candidate),
                candidate.alpha(), candidate.beta(), candidate.clip(), z.address(), z.rows(), z.columns(), z.stride(),
                hPrevious.address(),
                hPrevious.rows(),
                hPrevious.columns(), hPrevious.stride(), dh.address(), dh.rows(), dh.columns(), dh.stride(),
                dhPrevious.address(), dhPrevious.rows(), dhPrevious.columns(), dhPrevious.stride());
    }

    @Override
    public void gruResetForward(GruVariant variant, Matrix z, Matrix hPrevious) {
        Activation gates = variant.gates();
        NativeCalls.gruResetForward(kernels, code(gates), gates.alpha(), gates.beta(), gates.clip(), z.address(),
                z.rows(), z.columns(), z.stride(), hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride());
    }

    @Override
    public void gruMixForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        Activation candidate = variant.candidate();
        NativeCalls.gruMixForward(kernels, code(candidate), candidate.alpha(), candidate.beta(), candidate.clip(),
                z.address(), z.rows(), z.columns(), z.stride(), hPrevious.address(),
                hPrevious.rows(),
                hPrevious.columns(), hPrevious.stride(), h.address(), h.rows(), h.columns(), h.stride());
    }

    @Override
    public void gruMixBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        Activation gates = variant.gates();
        Activation candidate = variant.candidate();
        NativeCalls.gruMixBackward(kernels, code(gates), gates.alpha(), gates.beta(), gates.clip(), code(candidate),
                candidate.alpha(), candidate.beta(), candidate.clip(), z.address(), z.rows(), z.columns(), z.stride(),
                hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride(), dh.address(), dh.rows(), dh.columns(),
                dh.stride(), dhPrevious.address(), dhPrevious.rows(), dhPrevious.columns(), dhPrevious.stride());
    }

    @Override
    public void gruResetBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
        Activation gates = variant.gates();
        NativeCalls.gruResetBackward(kernels, code(gates), gates.alpha(), gates.beta(), gates.clip(), z.address(),
                z.rows(), z.columns(), z.stride(), hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride(), ds.address(), ds.rows(), ds.columns(),
                ds.stride(), dhPrevious.address(), dhPrevious.rows(), dhPrevious.columns(), dhPrevious.stride());
    }

    // Parts of cells

    @Override
    public void minGruForward(Matrix z, Matrix hPrevious, Matrix h) {
        NativeCalls.minGruForward(kernels, z.address(), z.rows(), z.columns(), z.stride(), hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride(), h.address(), h.rows(), h.columns(),
                h.stride());
    }

    @Override
    public void minGruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        NativeCalls.minGruBackward(kernels, z.address(), z.rows(), z.columns(), z.stride(), hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride(), dh.address(), dh.rows(), dh.columns(),
                dh.stride(), dhPrevious.address(), dhPrevious.rows(), dhPrevious.columns(), dhPrevious.stride());
    }

    @Override
    public void lstmCellForward(Matrix z, Matrix cPrevious, Matrix c) {
        NativeCalls.lstmCellForward(kernels, z.address(), z.rows(), z.columns(), z.stride(), cPrevious.address(),
                cPrevious.rows(), cPrevious.columns(), cPrevious.stride(), c.address(), c.rows(), c.columns(),
                c.stride());
    }

    @Override
    public void lstmOutputForward(Matrix z, Matrix m, Matrix h) {
        NativeCalls.lstmOutputForward(kernels, z.address(), z.rows(), z.columns(), z.stride(), m.address(), m.rows(),
                m.columns(), m.stride(), h.address(), h.rows(), h.columns(), h.stride());
    }

    @Override
    public void lstmOutputBackward(Matrix z, Matrix m, Matrix dh, Matrix dm) {
        NativeCalls.lstmOutputBackward(kernels, z.address(), z.rows(), z.columns(), z.stride(), m.address(), m.rows(),
                m.columns(), m.stride(), dh.address(), dh.rows(), dh.columns(), dh.stride(), dm.address(), dm.rows(),
                dm.columns(), dm.stride());
    }

    @Override
    public void lstmCellBackward(Matrix z, Matrix cPrevious, Matrix dc) {
        NativeCalls.lstmCellBackward(kernels, z.address(), z.rows(), z.columns(), z.stride(), cPrevious.address(),
                cPrevious.rows(), cPrevious.columns(), cPrevious.stride(), dc.address(), dc.rows(), dc.columns(),
                dc.stride());
    }

    @Override
    public void addScaled(Matrix x, Matrix factors, Matrix y) {
        NativeCalls.addScaled(kernels, x.address(), x.rows(), x.columns(), x.stride(), factors.address(),
                factors.rows(), factors.columns(), factors.stride(), y.address(), y.rows(), y.columns(), y.stride());
    }

    @Override
    public void columnDots(Matrix x, Matrix y, Matrix sums) {
        NativeCalls.columnDots(kernels, x.address(), x.rows(), x.columns(), x.stride(), y.address(), y.rows(),
                y.columns(), y.stride(), sums.address(), sums.rows(), sums.columns(), sums.stride());
    }

    // Steps

    @Override
    public void rnnSteps(Activation f, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        PackedMatrix input = w.words();
        PackedMatrix recurrent = u.words();
        Matrix scratch = stepScratch(hPrevious.rows(), standard(f) ? 0 : start.columns(), w, u);
        NativeCalls.rnnSteps(kernels, code(f), f.alpha(), f.beta(), f.clip(), precision(w),
                code((f.withinOne() ? Scaling.UNIT : Scaling.ROW).ofState(u)), start.address(), start.rows(),
                start.columns(),
                start.stride(), x.address(), x.rows(), x.columns(), x.stride(), input.panelAddress(0), second(input),
                last(input), input.inputs(), input.gates(), input.units(), scales(w), offsets(w), hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride(), recurrent.panelAddress(0),
                second(recurrent), last(recurrent), recurrent.inputs(), recurrent.gates(), recurrent.units(),
                scales(u), offsets(u), sweep.descending() ? 1 : 0, sweep.from(recurrent.panels()),
                sweep.to(recurrent.panels()), scratch.address(), scratch.rows(), scratch.columns(), scratch.stride(),
                h.address(), h.rows(), h.columns(), h.stride());
        giveStepScratch(scratch);
    }

    @Override
    public void lstmSteps(LstmVariant variant, Matrix peepholes, Matrix start, Matrix x, PackedWeights w,
            Matrix hPrevious, PackedWeights u, Sweep sweep,
            Matrix c, Matrix h) {
        if (peepholes.rows() > 0 || !variant.equals(LstmVariant.STANDARD)) {
            lstmVariantSteps(variant, peepholes, start, x, w, hPrevious, u, sweep, c, h);
            return;
        }
        PackedMatrix input = w.words();
        PackedMatrix recurrent = u.words();
        Matrix scratch = stepScratch(hPrevious.rows(), 0, w, u);
        NativeCalls.lstmSteps(kernels, precision(w), start.address(), start.rows(),
                start.columns(), start.stride(),
                x.address(), x.rows(), x.columns(), x.stride(), input.panelAddress(0), second(input), last(input),
                input.inputs(), input.gates(), input.units(), scales(w), offsets(w), hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride(), recurrent.panelAddress(0),
                second(recurrent), last(recurrent), recurrent.inputs(), recurrent.gates(), recurrent.units(),
                scales(u), offsets(u), sweep.descending() ? 1 : 0, sweep.from(recurrent.panels()),
                sweep.to(recurrent.panels()), scratch.address(), scratch.rows(), scratch.columns(), scratch.stride(),
                c.address(), c.rows(), c.columns(), c.stride(), h.address(), h.rows(), h.columns(), h.stride());
        giveStepScratch(scratch);
    }

    private void lstmVariantSteps(LstmVariant variant, Matrix peepholes, Matrix start, Matrix x, PackedWeights w,
            Matrix hPrevious, PackedWeights u, Sweep sweep,
            Matrix c, Matrix h) {
        Activation gates = variant.gates();
        Activation candidate = variant.candidate();
        Activation output = variant.output();
        PackedMatrix input = w.words();
        PackedMatrix recurrent = u.words();
        Matrix scratch = stepScratch(hPrevious.rows(), start.columns(), w, u);
        NativeCalls.lstmVariantSteps(kernels, code(gates), gates.alpha(), gates.beta(), gates.clip(), code(candidate),
                candidate.alpha(), candidate.beta(), candidate.clip(), code(output), output.alpha(), output.beta(),
                output.clip(), variant.cellClip(), peepholes.address(), peepholes.rows(), peepholes.columns(),
                peepholes.stride(), precision(w), code(variant.stateScaling().ofState(u)), start.address(),
                start.rows(),
                start.columns(), start.stride(),
                x.address(), x.rows(), x.columns(), x.stride(), input.panelAddress(0), second(input), last(input),
                input.inputs(), input.gates(), input.units(), scales(w), offsets(w), hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride(), recurrent.panelAddress(0),
                second(recurrent), last(recurrent), recurrent.inputs(), recurrent.gates(), recurrent.units(),
                scales(u), offsets(u), sweep.descending() ? 1 : 0, sweep.from(recurrent.panels()),
                sweep.to(recurrent.panels()), scratch.address(), scratch.rows(), scratch.columns(), scratch.stride(),
                c.address(), c.rows(), c.columns(), c.stride(), h.address(), h.rows(), h.columns(), h.stride());
        giveStepScratch(scratch);
    }

    @Override
    public void gruSteps(GruVariant variant, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep,
            Matrix h) {
        if (!variant.equals(GruVariant.STANDARD)) {
            gruVariantSteps(variant, start, x, w, hPrevious, u, sweep, h);
            return;
        }
        PackedMatrix input = w.words();
        PackedMatrix recurrent = u.words();
        Matrix scratch = stepScratch(hPrevious.rows(), 0, w, u);
        NativeCalls.gruSteps(kernels, precision(w), start.address(), start.rows(), start.columns(), start.stride(),
                x.address(), x.rows(), x.columns(), x.stride(), input.panelAddress(0), second(input), last(input),
                input.inputs(), input.gates(), input.units(), scales(w), offsets(w), hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride(), recurrent.panelAddress(0),
                second(recurrent), last(recurrent), recurrent.inputs(), recurrent.gates(), recurrent.units(),
                scales(u), offsets(u), sweep.descending() ? 1 : 0, sweep.from(recurrent.panels()),
                sweep.to(recurrent.panels()), scratch.address(), scratch.rows(), scratch.columns(), scratch.stride(),
                h.address(), h.rows(), h.columns(), h.stride());
        giveStepScratch(scratch);
    }

    private void gruVariantSteps(GruVariant variant, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious,
            PackedWeights u,
            Sweep sweep,
            Matrix h) {
        Activation gates = variant.gates();
        Activation candidate = variant.candidate();
        PackedMatrix input = w.words();
        PackedMatrix recurrent = u.words();
        Matrix scratch = stepScratch(hPrevious.rows(), start.columns(), w, u);
        NativeCalls.gruVariantSteps(kernels, code(gates), gates.alpha(), gates.beta(), gates.clip(), code(candidate),
                candidate.alpha(), candidate.beta(), candidate.clip(), precision(w), code(variant.stateScaling()),
                start.address(), start.rows(), start.columns(), start.stride(),
                x.address(), x.rows(), x.columns(), x.stride(), input.panelAddress(0), second(input), last(input),
                input.inputs(), input.gates(), input.units(), scales(w), offsets(w), hPrevious.address(),
                hPrevious.rows(), hPrevious.columns(), hPrevious.stride(), recurrent.panelAddress(0),
                second(recurrent), last(recurrent), recurrent.inputs(), recurrent.gates(), recurrent.units(),
                scales(u), offsets(u), sweep.descending() ? 1 : 0, sweep.from(recurrent.panels()),
                sweep.to(recurrent.panels()), scratch.address(), scratch.rows(), scratch.columns(), scratch.stride(),
                h.address(), h.rows(), h.columns(), h.stride());
        giveStepScratch(scratch);
    }

    /** Whether pre-activations become the state while they are in registers; {@code standard} in {@code native/src/body/cells.inc}. */
    private static boolean standard(Activation f) {
        return switch (f.kind()) {
            case TANH, RELU, IDENTITY -> f.clip() == Float.POSITIVE_INFINITY;
            default -> false;
        };
    }

    /**
     * Returns room for the pre-activations that are kept of each row at one step, and for the levels of x and h, if there are any: see
     * {@code keptIn} and {@code levelsIn} in {@code native/src/body/steps.inc}.
     */
    private static Matrix stepScratch(int rows, int kept, PackedWeights w, PackedWeights u) {
        long bytes = (long) rows * kept * Float.BYTES;
        if (u instanceof Int8Matrix) {
            bytes += QuantizedRows.byteSize(rows, w.inputs()) + QuantizedRows.byteSize(rows, u.inputs());
        } else if (kept == 0) {
            return NO_SCRATCH;
        }
        Matrix scratch = STEP_SCRATCH.take();
        return scratch.memory().byteSize() < bytes
                ? Matrix.of(1, Math.toIntExact(Math.ceilDiv(bytes, Float.BYTES)))
                : scratch;
    }

    private static void giveStepScratch(Matrix scratch) {
        if (scratch != NO_SCRATCH) {
            Reference.reachabilityFence(scratch);
            STEP_SCRATCH.give(scratch);
        }
    }

    private static int precision(PackedWeights w) {
        return switch (w) {
            case PackedMatrix ignored -> 0;
            case Bf16Matrix ignored -> 1;
            case Int8Matrix ignored -> 2;
        };
    }

    private static long scales(PackedWeights w) {
        return w instanceof Int8Matrix levels ? levels.scales().address() : 0;
    }

    private static long offsets(PackedWeights w) {
        return w instanceof Int8Matrix levels ? levels.offsets().address() : 0;
    }

    // Elementwise functions and reductions

    @Override
    public void apply(Function f, Matrix x, Matrix y) {
        NativeCalls.apply(kernels, code(f), x.address(), x.rows(), x.columns(), x.stride(), y.address(), y.rows(),
                y.columns(),
                y.stride());
    }

    @Override
    public void applyBackward(Function f, Matrix v, Matrix dy, Matrix dx) {
        NativeCalls.applyBackward(kernels, code(f), v.address(), v.rows(), v.columns(), v.stride(), dy.address(),
                dy.rows(),
                dy.columns(), dy.stride(), dx.address(), dx.rows(), dx.columns(), dx.stride());
    }

    @Override
    public void scale(Matrix x, float factor) {
        NativeCalls.scale(kernels, x.address(), x.rows(), x.columns(), x.stride(), factor);
    }

    @Override
    public void multiply(Matrix x, Matrix y) {
        NativeCalls.multiply(kernels, x.address(), x.rows(), x.columns(), x.stride(), y.address(), y.rows(),
                y.columns(),
                y.stride());
    }

    @Override
    public float sumOfSquares(Matrix x) {
        return NativeCalls.sumOfSquares(kernels, x.address(), x.rows(), x.columns(), x.stride());
    }

    @Override
    public void softmax(Matrix x, Matrix y) {
        NativeCalls.softmax(kernels, x.address(), x.rows(), x.columns(), x.stride(), y.address(), y.rows(), y.columns(),
                y.stride());
    }

    @Override
    public void logSoftmax(Matrix x, Matrix y) {
        NativeCalls.logSoftmax(kernels, x.address(), x.rows(), x.columns(), x.stride(), y.address(), y.rows(),
                y.columns(),
                y.stride());
    }

    // Plain linear algebra

    @Override
    public void axpy(float alpha, Matrix x, Matrix y) {
        NativeCalls.axpy(kernels, alpha, x.address(), x.rows(), x.columns(), x.stride(), y.address(), y.rows(),
                y.columns(),
                y.stride());
    }

    @Override
    public void partialSums(Matrix x, Matrix p) {
        NativeCalls.partialSums(kernels, x.address(), x.rows(), x.columns(), x.stride(), p.address(), p.rows(),
                p.columns(),
                p.stride());
    }

    @Override
    public void partialDots(Matrix a, Matrix x, Matrix p) {
        NativeCalls.partialDots(kernels, a.address(), a.rows(), a.columns(), a.stride(), x.address(), x.rows(),
                x.columns(),
                x.stride(), p.address(), p.rows(), p.columns(), p.stride());
    }

    @Override
    public void partialMaxima(Matrix x, Matrix p) {
        NativeCalls.partialMaxima(kernels, x.address(), x.rows(), x.columns(), x.stride(), p.address(), p.rows(),
                p.columns(),
                p.stride());
    }

    @Override
    public void partialMinima(Matrix x, Matrix p) {
        NativeCalls.partialMinima(kernels, x.address(), x.rows(), x.columns(), x.stride(), p.address(), p.rows(),
                p.columns(),
                p.stride());
    }

    @Override
    public void gemv(Transpose transpose, float alpha, Matrix a, Matrix x, float beta, Matrix y) {
        NativeCalls.gemv(kernels, code(transpose), alpha, a.address(), a.rows(), a.columns(), a.stride(), x.address(),
                x.rows(),
                x.columns(), x.stride(), beta, y.address(), y.rows(), y.columns(), y.stride());
    }

    @Override
    public void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        Matrix scratch = SCRATCH.take();
        NativeCalls.gemm(kernels, code(transposeA), code(transposeB), alpha, a.address(), a.rows(), a.columns(),
                a.stride(),
                b.address(), b.rows(), b.columns(), b.stride(), beta, c.address(), c.rows(), c.columns(), c.stride(),
                scratch.address(), scratch.rows(), scratch.columns(), scratch.stride());
        Reference.reachabilityFence(scratch);
        SCRATCH.give(scratch);
    }

    // Layer norm

    @Override
    public void layerNormForward(Matrix x, Matrix gain, Matrix bias, float epsilon, Matrix y, Matrix statistics) {
        NativeCalls.layerNormForward(kernels, x.address(), x.rows(), x.columns(), x.stride(), gain.address(),
                gain.rows(),
                gain.columns(), gain.stride(), bias.address(), bias.rows(), bias.columns(), bias.stride(), epsilon,
                y.address(), y.rows(), y.columns(), y.stride(), statistics.address(), statistics.rows(),
                statistics.columns(), statistics.stride());
    }

    @Override
    public void layerNormBackward(Matrix x, Matrix gain, Matrix statistics, Matrix dy, Matrix dx, Matrix dGain,
            Matrix dBias) {
        NativeCalls.layerNormBackward(kernels, x.address(), x.rows(), x.columns(), x.stride(), gain.address(),
                gain.rows(),
                gain.columns(), gain.stride(), statistics.address(), statistics.rows(), statistics.columns(),
                statistics.stride(), dy.address(), dy.rows(), dy.columns(), dy.stride(), dx.address(), dx.rows(),
                dx.columns(), dx.stride(), dGain.address(), dGain.rows(), dGain.columns(), dGain.stride(),
                dBias.address(), dBias.rows(), dBias.columns(), dBias.stride());
    }

    // Losses

    @Override
    public void crossEntropyForward(Matrix x, Indices targets, Matrix losses) {
        NativeCalls.crossEntropyForward(kernels, x.address(), x.rows(), x.columns(), x.stride(), targets.address(),
                targets.length(), losses.address(), losses.rows(), losses.columns(), losses.stride());
    }

    @Override
    public void crossEntropyBackward(Matrix p, Indices targets, float factor) {
        NativeCalls.crossEntropyBackward(kernels, p.address(), p.rows(), p.columns(), p.stride(), targets.address(),
                targets.length(), factor);
    }

    @Override
    public void squaredError(Matrix y, Matrix target, Matrix losses, float lossFactor, float gradientFactor) {
        NativeCalls.squaredError(kernels, y.address(), y.rows(), y.columns(), y.stride(), target.address(),
                target.rows(),
                target.columns(), target.stride(), losses.address(), losses.rows(), losses.columns(), losses.stride(),
                lossFactor, gradientFactor);
    }

    // Optimisers

    @Override
    public void adam(Matrix w, Matrix dw, Matrix m, Matrix v, AdamStep step) {
        NativeCalls.adam(kernels, w.address(), w.rows(), w.columns(), w.stride(), dw.address(), dw.rows(), dw.columns(),
                dw.stride(), m.address(), m.rows(), m.columns(), m.stride(), v.address(), v.rows(), v.columns(),
                v.stride(), step.gradientScale(), step.beta1(), step.oneMinusBeta1(), step.beta2(),
                step.oneMinusBeta2(), step.stepSize(), step.inverseRootCorrection(), step.epsilon());
    }

    @Override
    public void sgd(Matrix w, Matrix dw, Matrix v, float gradientScale, float learningRate, float momentum) {
        NativeCalls.sgd(kernels, w.address(), w.rows(), w.columns(), w.stride(), dw.address(), dw.rows(), dw.columns(),
                dw.stride(), v.address(), v.rows(), v.columns(), v.stride(), gradientScale, learningRate, momentum);
    }

    private static long second(PackedMatrix w) {
        return w.panelAddress(Math.min(1, w.panels() - 1));
    }

    private static long last(PackedMatrix w) {
        return w.panelAddress(w.panels() - 1);
    }

    private static int code(Transpose transpose) {
        return transpose == Transpose.NO ? 0 : 1;
    }

    private static int code(Activation f) {
        return switch (f.kind()) {
            case TANH -> 0;
            case RELU -> 1;
            case IDENTITY -> 2;
            case SIGMOID -> 3;
            case SOFTSIGN -> 4;
            case SOFTPLUS -> 5;
            case AFFINE -> 6;
            case LEAKY_RELU -> 7;
            case THRESHOLDED_RELU -> 8;
            case SCALED_TANH -> 9;
            case HARD_SIGMOID -> 10;
            case ELU -> 11;
        };
    }

    private static int code(Scaling scaling) {
        return switch (scaling) {
            case ROW -> 0;
            case UNIT -> 1;
        };
    }

    private static int code(Function f) {
        return switch (f) {
            case EXP -> 0;
            case LOG -> 1;
            case TANH -> 2;
            case SIGMOID -> 3;
            case SOFTPLUS -> 4;
            case ERF -> 5;
            case GELU -> 6;
            case SILU -> 7;
        };
    }
}
