package dev.ostinato.kernels.vector;

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
import dev.ostinato.kernels.raw.Raw;

/** The contract in terms of {@link VectorProducts}, {@link VectorCells} and {@link VectorRows}. */
final class VectorKernels implements KernelSet {

    // Products

    @Override
    public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
        VectorProducts.multiplyAdd(a, w, out);
    }

    @Override
    public void weightGradient(Matrix a, Matrix dz, PackedMatrix dw) {
        VectorProducts.weightGradient(a, dz, dw);
    }

    @Override
    public void columnSums(Matrix x, Matrix sums) {
        for (int r = x.rows() - 1; r >= 0; r--) {
            VectorRows.add(x.rowAddress(r), sums.address(), bytes(x));
        }
    }

    // Products with narrow weights

    @Override
    public void multiplyAddBf16(Matrix a, Bf16Matrix w, Matrix out) {
        VectorBf16.multiplyAdd(a, w, out);
    }

    @Override
    public void quantize(Scaling scaling, Matrix x, QuantizedRows q) {
        for (int r = 0; r < x.rows(); r++) {
            VectorInt8.quantize(scaling, x.rowAddress(r), x.columns(), q.rowAddress(r),
                    q.scalesAddress() + (long) r * Float.BYTES);
        }
    }

    @Override
    public void multiplyAddInt8(QuantizedRows a, Int8Matrix w, Matrix out) {
        VectorInt8.multiplyAdd(a, w, out);
    }

    // Tables

    @Override
    public void scatterAdd(Matrix x, Indices indices, Matrix table) {
        for (int r = x.rows() - 1; r >= 0; r--) {
            VectorRows.add(x.rowAddress(r), table.rowAddress(index(indices, r)), bytes(x));
        }
    }

    @Override
    public void addInputs(PackedMatrix w, Indices indices, Matrix out) {
        for (int r = 0; r < out.rows(); r++) {
            for (int panel = 0; panel < w.panels(); panel++) {
                long from = w.panelAddress(panel) + (long) index(indices, r) * w.blocks(panel) * BLOCK_BYTES;
                for (int block = 0; block < w.blocks(panel); block++) {
                    VectorRows.add(from + block * BLOCK_BYTES, out.rowAddress(r) + outputBytes(w, panel, block),
                            BLOCK_BYTES);
                }
            }
        }
    }

    @Override
    public void scatterAddInputs(Matrix dz, Indices indices, PackedMatrix dw) {
        for (int r = dz.rows() - 1; r >= 0; r--) {
            for (int panel = 0; panel < dw.panels(); panel++) {
                long to = dw.panelAddress(panel) + (long) index(indices, r) * dw.blocks(panel) * BLOCK_BYTES;
                for (int block = 0; block < dw.blocks(panel); block++) {
                    VectorRows.add(dz.rowAddress(r) + outputBytes(dw, panel, block), to + block * BLOCK_BYTES,
                            BLOCK_BYTES);
                }
            }
        }
    }

    // Cells

    @Override
    public void rnnForward(Activation f, Matrix z, Matrix h) {
        VectorCells.rnnForward(f, z, h);
    }

    @Override
    public void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz) {
        VectorCells.rnnBackward(f, h, dh, dz);
    }

    @Override
    public void lstmForward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix h) {
        VectorCells.lstmForward(variant, peepholes, z, cPrevious, c, h);
    }

    @Override
    public void lstmBackward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix dh,
            Matrix dc) {
        VectorCells.lstmBackward(variant, peepholes, z, cPrevious, c, dh, dc);
    }

    @Override
    public void gruForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        VectorCells.gruForward(variant, z, hPrevious, h);
    }

    @Override
    public void gruBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        VectorCells.gruBackward(variant, z, hPrevious, dh, dhPrevious);
    }

    @Override
    public void gruResetForward(GruVariant variant, Matrix z, Matrix hPrevious) {
        VectorCells.gruResetForward(variant, z, hPrevious);
    }

    @Override
    public void gruMixForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        VectorCells.gruMixForward(variant, z, hPrevious, h);
    }

    @Override
    public void gruMixBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        VectorCells.gruMixBackward(variant, z, hPrevious, dh, dhPrevious);
    }

    @Override
    public void gruResetBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
        VectorCells.gruResetBackward(variant, z, hPrevious, ds, dhPrevious);
    }

    // Parts of cells

    @Override
    public void minGruForward(Matrix z, Matrix hPrevious, Matrix h) {
        VectorCellParts.minGruForward(z, hPrevious, h);
    }

    @Override
    public void minGruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        VectorCellParts.minGruBackward(z, hPrevious, dh, dhPrevious);
    }

    @Override
    public void lstmCellForward(Matrix z, Matrix cPrevious, Matrix c) {
        VectorCellParts.lstmCellForward(z, cPrevious, c);
    }

    @Override
    public void lstmOutputForward(Matrix z, Matrix m, Matrix h) {
        VectorCellParts.lstmOutputForward(z, m, h);
    }

    @Override
    public void lstmOutputBackward(Matrix z, Matrix m, Matrix dh, Matrix dm) {
        VectorCellParts.lstmOutputBackward(z, m, dh, dm);
    }

    @Override
    public void lstmCellBackward(Matrix z, Matrix cPrevious, Matrix dc) {
        VectorCellParts.lstmCellBackward(z, cPrevious, dc);
    }

    @Override
    public void addScaled(Matrix x, Matrix factors, Matrix y) {
        VectorCellParts.addScaled(x, factors, y);
    }

    @Override
    public void columnDots(Matrix x, Matrix y, Matrix sums) {
        VectorCellParts.columnDots(x, y, sums);
    }

    // Steps

    @Override
    public void rnnSteps(Activation f, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        VectorSteps.rnn(f, start, x, w, hPrevious, u, sweep, h);
    }

    @Override
    public void lstmSteps(LstmVariant variant, Matrix peepholes, Matrix start, Matrix x, PackedWeights w,
            Matrix hPrevious, PackedWeights u, Sweep sweep,
            Matrix c, Matrix h) {
        VectorSteps.lstm(variant, peepholes, start, x, w, hPrevious, u, sweep, c, h);
    }

    @Override
    public void gruSteps(GruVariant variant, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep,
            Matrix h) {
        VectorSteps.gru(variant, start, x, w, hPrevious, u, sweep, h);
    }

    // Elementwise functions and reductions

    @Override
    public void apply(Function f, Matrix x, Matrix y) {
        VectorFunctions.apply(f, x, y);
    }

    @Override
    public void applyBackward(Function f, Matrix v, Matrix dy, Matrix dx) {
        VectorGradients.apply(f, v, dy, dx);
    }

    @Override
    public void scale(Matrix x, float factor) {
        for (int r = 0; r < x.rows(); r++) {
            VectorRows.scale(x.rowAddress(r), factor, bytes(x));
        }
    }

    @Override
    public void multiply(Matrix x, Matrix y) {
        for (int r = 0; r < x.rows(); r++) {
            VectorRows.multiply(x.rowAddress(r), y.rowAddress(r), bytes(x));
        }
    }

    @Override
    public float sumOfSquares(Matrix x) {
        return VectorRows.sumOfSquares(x.address(), bytes(x));
    }

    @Override
    public void softmax(Matrix x, Matrix y) {
        VectorSoftmax.softmax(x, y);
    }

    @Override
    public void logSoftmax(Matrix x, Matrix y) {
        VectorSoftmax.logSoftmax(x, y);
    }

    // Plain linear algebra

    @Override
    public void axpy(float alpha, Matrix x, Matrix y) {
        VectorBlas.axpy(alpha, x, y);
    }

    @Override
    public void partialSums(Matrix x, Matrix p) {
        VectorBlas.partialSums(x, p);
    }

    @Override
    public void partialDots(Matrix a, Matrix x, Matrix p) {
        VectorBlas.partialDots(a, x, p);
    }

    @Override
    public void partialMaxima(Matrix x, Matrix p) {
        VectorBlas.partialMaxima(x, p);
    }

    @Override
    public void partialMinima(Matrix x, Matrix p) {
        VectorBlas.partialMinima(x, p);
    }

    @Override
    public void gemv(Transpose transpose, float alpha, Matrix a, Matrix x, float beta, Matrix y) {
        VectorBlas.gemv(transpose, alpha, a, x, beta, y);
    }

    @Override
    public void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        VectorBlas.gemm(transposeA, transposeB, alpha, a, b, beta, c);
    }

    // Layer norm

    @Override
    public void layerNormForward(Matrix x, Matrix gain, Matrix bias, float epsilon, Matrix y, Matrix statistics) {
        for (int r = 0; r < x.rows(); r++) {
            VectorLayerNorm.forward(x.rowAddress(r), gain.address(), bias.address(), epsilon, y.rowAddress(r),
                    statistics.rowAddress(r), x.columns());
        }
    }

    @Override
    public void layerNormBackward(Matrix x, Matrix gain, Matrix statistics, Matrix dy, Matrix dx, Matrix dGain,
            Matrix dBias) {
        for (int r = x.rows() - 1; r >= 0; r--) {
            VectorLayerNorm.backward(x.rowAddress(r), gain.address(), statistics.rowAddress(r), dy.rowAddress(r),
                    dx.rowAddress(r), dGain.address(), dBias.address(), x.columns());
        }
    }

    // Losses

    @Override
    public void crossEntropyForward(Matrix x, Indices targets, Matrix losses) {
        VectorSoftmax.crossEntropyForward(x, targets, losses);
    }

    @Override
    public void crossEntropyBackward(Matrix p, Indices targets, float factor) {
        for (int r = 0; r < p.rows(); r++) {
            long row = p.rowAddress(r);
            int target = index(targets, r);
            Raw.set(row, target, Raw.get(row, target) - 1f);
            VectorRows.scale(row, factor, bytes(p));
        }
    }

    @Override
    public void squaredError(Matrix y, Matrix target, Matrix losses, float lossFactor, float gradientFactor) {
        for (int r = 0; r < y.rows(); r++) {
            float sum = VectorRows.squaredError(y.rowAddress(r), target.rowAddress(r), gradientFactor, bytes(y));
            Raw.set(losses.rowAddress(r), 0, sum * lossFactor);
        }
    }

    // Optimisers

    @Override
    public void adam(Matrix w, Matrix dw, Matrix m, Matrix v, AdamStep step) {
        VectorRows.adam(w.address(), dw.address(), m.address(), v.address(), step, bytes(w));
    }

    @Override
    public void sgd(Matrix w, Matrix dw, Matrix v, float gradientScale, float learningRate, float momentum) {
        VectorRows.sgd(w.address(), dw.address(), v.address(), gradientScale, learningRate, momentum, bytes(w));
    }

    private static final long BLOCK_BYTES = (long) Matrix.BLOCK * Float.BYTES;

    private static long outputBytes(PackedMatrix w, int panel, int block) {
        return (long) w.output(panel, block) * Float.BYTES;
    }

    private static long bytes(Matrix matrix) {
        return (long) matrix.columns() * Float.BYTES;
    }

    private static int index(Indices indices, int i) {
        return Raw.getInt(indices.address(), i);
    }
}
