package dev.ostinato.openblas;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.ForwardingKernels;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.KernelSet;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.Sweep;
import dev.ostinato.kernels.Transpose;

/**
 * Products by a BLAS, the rest by other kernels.
 *
 * <p>Weights stay as they are packed. What lies between their layout and the plain rows that BLAS knows is moved by kernels that exist
 * anyway: {@code addInputs} with the indices 0, 1, 2, ... adds packed weights to plain rows, {@code scatterAddInputs} plain rows to
 * packed weights. Nothing is kept from call to call, so that weights may change at any time.
 */
final class BlasKernels extends ForwardingKernels {
    /** Up to so many rows a product reads the panels where they are; unpacking the weights first pays for itself beyond. */
    private static final int FEW_ROWS = 64;

    private final Cblas blas;

    BlasKernels(Cblas blas, KernelSet others) {
        super(others);
        this.blas = blas;
    }

    @Override
    public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
        if (a.rows() == 0 || w.inputs() == 0) {
            return;
        }
        if (a.rows() <= FEW_ROWS) {
            multiplyPanels(a, w, out);
        } else {
            multiplyUnpacked(a, w, out);
        }
    }

    /** A panel is a matrix (K, 16 G), its product one (R, 16 G): together a packed matrix with R inputs, added as such. */
    private void multiplyPanels(Matrix a, PackedMatrix w, Matrix out) {
        Scratch scratch = Scratch.ofThread();
        int rows = a.rows();
        PackedMatrix product = scratch.packed(rows, w);
        if (rows == 1) {
            scratch.plain(1, w.outputs()).clear();
        }
        for (int panel = 0; panel < w.panels(); panel++) {
            int width = w.blocks(panel) * Matrix.BLOCK;
            if (rows == 1) {
                blas.sgemv(w.inputs(), width, w.panelAddress(panel), width, a.address(), product.panelAddress(panel));
            } else {
                blas.sgemm(Cblas.NO_TRANSPOSE, Cblas.NO_TRANSPOSE, rows, width, w.inputs(), 1f, a.address(), a.stride(),
                        w.panelAddress(panel),
                        width, 0f, product.panelAddress(panel), width);
            }
        }
        delegate().addInputs(product, scratch.ascending(rows), out);
    }

    private void multiplyUnpacked(Matrix a, PackedMatrix w, Matrix out) {
        Scratch scratch = Scratch.ofThread();
        Matrix plain = scratch.plain(w.inputs(), w.outputs());
        plain.clear();
        delegate().addInputs(w, scratch.ascending(w.inputs()), plain);
        blas.sgemm(Cblas.NO_TRANSPOSE, Cblas.NO_TRANSPOSE, a.rows(), out.columns(), w.inputs(), 1f, a.address(),
                a.stride(), plain.address(),
                plain.stride(), 1f, out.address(), out.stride());
    }

    @Override
    public void weightGradient(Matrix a, Matrix dz, PackedMatrix dw) {
        if (a.rows() == 0 || dw.inputs() == 0) {
            return;
        }
        Scratch scratch = Scratch.ofThread();
        Matrix plain = scratch.plain(dw.inputs(), dw.outputs());
        blas.sgemm(Cblas.TRANSPOSE, Cblas.NO_TRANSPOSE, plain.rows(), plain.columns(), a.rows(), 1f, a.address(),
                a.stride(), dz.address(),
                dz.stride(), 0f, plain.address(), plain.stride());
        delegate().scatterAddInputs(plain, scratch.ascending(dw.inputs()), dw);
    }

    /** With a factor of 0 a BLAS does not look at a and b, whose NaNs count here. */
    @Override
    public void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        int depth = transposeA == Transpose.NO ? a.columns() : a.rows();
        if (alpha == 0 || depth == 0 || c.rows() == 0 || c.columns() == 0) {
            super.gemm(transposeA, transposeB, alpha, a, b, beta, c);
            return;
        }
        blas.sgemm(code(transposeA), code(transposeB), c.rows(), c.columns(), depth, alpha, a.address(), a.stride(),
                b.address(), b.stride(), beta, c.address(), c.stride());
    }

    private static int code(Transpose transpose) {
        return transpose == Transpose.NO ? Cblas.NO_TRANSPOSE : Cblas.TRANSPOSE;
    }

    // Steps: a cell behind its products, those of the inputs for all steps at once. Narrow weights, and shares of the panels, are left to
    // the other kernels.

    @Override
    public void rnnSteps(Activation f, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        if (sweep.parts() == 1 && w instanceof PackedMatrix input && u instanceof PackedMatrix recurrent) {
            steps(start, x, input, hPrevious, recurrent, h, (z, before, after) -> rnnForward(f, z, after));
        } else {
            super.rnnSteps(f, start, x, w, hPrevious, u, sweep, h);
        }
    }

    @Override
    public void lstmSteps(LstmVariant variant, Matrix peepholes, Matrix start, Matrix x, PackedWeights w,
            Matrix hPrevious, PackedWeights u, Sweep sweep, Matrix c, Matrix h) {
        if (sweep.parts() == 1 && w instanceof PackedMatrix input && u instanceof PackedMatrix recurrent) {
            steps(start, x, input, hPrevious, recurrent, h, (z, before, after) -> lstmForward(variant,
                    peepholes, z, c, c, after));
        } else {
            super.lstmSteps(variant, peepholes, start, x, w, hPrevious, u, sweep, c, h);
        }
    }

    @Override
    public void gruSteps(GruVariant variant, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        if (sweep.parts() == 1 && w instanceof PackedMatrix input && u instanceof PackedMatrix recurrent) {
            steps(start, x, input, hPrevious, recurrent, h,
                    (z, before, after) -> gruForward(variant, z, before, after));
        } else {
            super.gruSteps(variant, start, x, w, hPrevious, u, sweep, h);
        }
    }

    /** One step from the state before it to that after. */
    @FunctionalInterface
    private interface Cell {
        void forward(Matrix z, Matrix before, Matrix after);
    }

    /** The outputs of w are the first slots of z, those of u the last. */
    private void steps(Matrix start, Matrix x, PackedMatrix w, Matrix hPrevious, PackedMatrix u, Matrix h, Cell cell) {
        Matrix z = Scratch.ofThread().sums(h.rows(), start.columns());
        for (int r = 0; r < z.rows(); r++) {
            z.rows(r, r + 1).copyFrom(start.rows() == 1 ? start : start.rows(r, r + 1));
        }
        multiplyAdd(x, w, z.columns(0, w.outputs()));
        int streams = hPrevious.rows();
        Matrix before = hPrevious;
        for (int row = 0; row < h.rows(); row += streams) {
            Matrix sums = z.rows(row, row + streams);
            Matrix after = h.rows(row, row + streams);
            multiplyAdd(before.columns(0, u.inputs()), u, sums.columns(z.columns() - u.outputs(), z.columns()));
            cell.forward(sums, before, after);
            before = after;
        }
    }
}
