package dev.ostinato.kernels;

/** Passes every operation on to other kernels; what a backend that replaces a few of them extends. */
public abstract class ForwardingKernels implements KernelSet {
    private final KernelSet delegate;

    /** Creates kernels that are {@code delegate} in all that is not overridden. */
    protected ForwardingKernels(KernelSet delegate) {
        this.delegate = delegate;
    }

    /** Returns the kernels that operations are passed on to. */
    protected final KernelSet delegate() {
        return delegate;
    }

    // Products

    @Override
    public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
        delegate.multiplyAdd(a, w, out);
    }

    @Override
    public void weightGradient(Matrix a, Matrix dz, PackedMatrix dw) {
        delegate.weightGradient(a, dz, dw);
    }

    @Override
    public void columnSums(Matrix x, Matrix sums) {
        delegate.columnSums(x, sums);
    }

    // Products with narrow weights

    @Override
    public void multiplyAddBf16(Matrix a, Bf16Matrix w, Matrix out) {
        delegate.multiplyAddBf16(a, w, out);
    }

    @Override
    public void quantize(Scaling scaling, Matrix x, QuantizedRows q) {
        delegate.quantize(scaling, x, q);
    }

    @Override
    public void multiplyAddInt8(QuantizedRows a, Int8Matrix w, Matrix out) {
        delegate.multiplyAddInt8(a, w, out);
    }

    // Tables

    @Override
    public void scatterAdd(Matrix x, Indices indices, Matrix table) {
        delegate.scatterAdd(x, indices, table);
    }

    @Override
    public void addInputs(PackedMatrix w, Indices indices, Matrix out) {
        delegate.addInputs(w, indices, out);
    }

    @Override
    public void scatterAddInputs(Matrix dz, Indices indices, PackedMatrix dw) {
        delegate.scatterAddInputs(dz, indices, dw);
    }

    // Cells: elementwise from pre-activations to states, and back

    @Override
    public void rnnForward(Activation f, Matrix z, Matrix h) {
        delegate.rnnForward(f, z, h);
    }

    @Override
    public void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz) {
        delegate.rnnBackward(f, h, dh, dz);
    }

    @Override
    public void lstmForward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix h) {
        delegate.lstmForward(variant, peepholes, z, cPrevious, c, h);
    }

    @Override
    public void lstmBackward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix dh,
            Matrix dc) {
        delegate.lstmBackward(variant, peepholes, z, cPrevious, c, dh, dc);
    }

    @Override
    public void gruForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        delegate.gruForward(variant, z, hPrevious, h);
    }

    @Override
    public void gruBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        delegate.gruBackward(variant, z, hPrevious, dh, dhPrevious);
    }

    @Override
    public void gruResetForward(GruVariant variant, Matrix z, Matrix hPrevious) {
        delegate.gruResetForward(variant, z, hPrevious);
    }

    @Override
    public void gruMixForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        delegate.gruMixForward(variant, z, hPrevious, h);
    }

    @Override
    public void gruMixBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        delegate.gruMixBackward(variant, z, hPrevious, dh, dhPrevious);
    }

    @Override
    public void gruResetBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
        delegate.gruResetBackward(variant, z, hPrevious, ds, dhPrevious);
    }

    // Parts of cells that are made of several kernels

    @Override
    public void minGruForward(Matrix z, Matrix hPrevious, Matrix h) {
        delegate.minGruForward(z, hPrevious, h);
    }

    @Override
    public void minGruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        delegate.minGruBackward(z, hPrevious, dh, dhPrevious);
    }

    @Override
    public void lstmCellForward(Matrix z, Matrix cPrevious, Matrix c) {
        delegate.lstmCellForward(z, cPrevious, c);
    }

    @Override
    public void lstmOutputForward(Matrix z, Matrix m, Matrix h) {
        delegate.lstmOutputForward(z, m, h);
    }

    @Override
    public void lstmOutputBackward(Matrix z, Matrix m, Matrix dh, Matrix dm) {
        delegate.lstmOutputBackward(z, m, dh, dm);
    }

    @Override
    public void lstmCellBackward(Matrix z, Matrix cPrevious, Matrix dc) {
        delegate.lstmCellBackward(z, cPrevious, dc);
    }

    @Override
    public void addScaled(Matrix x, Matrix factors, Matrix y) {
        delegate.addScaled(x, factors, y);
    }

    @Override
    public void columnDots(Matrix x, Matrix y, Matrix sums) {
        delegate.columnDots(x, y, sums);
    }

    // Steps: cells together with their products, for inference

    @Override
    public void rnnSteps(Activation f, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        delegate.rnnSteps(f, start, x, w, hPrevious, u, sweep, h);
    }

    @Override
    public void lstmSteps(LstmVariant variant, Matrix peepholes, Matrix start, Matrix x, PackedWeights w,
            Matrix hPrevious, PackedWeights u, Sweep sweep,
            Matrix c, Matrix h) {
        delegate.lstmSteps(variant, peepholes, start, x, w, hPrevious, u, sweep, c, h);
    }

    @Override
    public void gruSteps(GruVariant variant, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep,
            Matrix h) {
        delegate.gruSteps(variant, start, x, w, hPrevious, u, sweep, h);
    }

    // Elementwise functions and reductions

    @Override
    public void apply(Function f, Matrix x, Matrix y) {
        delegate.apply(f, x, y);
    }

    @Override
    public void applyBackward(Function f, Matrix v, Matrix dy, Matrix dx) {
        delegate.applyBackward(f, v, dy, dx);
    }

    @Override
    public void scale(Matrix x, float factor) {
        delegate.scale(x, factor);
    }

    @Override
    public void multiply(Matrix x, Matrix y) {
        delegate.multiply(x, y);
    }

    @Override
    public float sumOfSquares(Matrix x) {
        return delegate.sumOfSquares(x);
    }

    @Override
    public void softmax(Matrix x, Matrix y) {
        delegate.softmax(x, y);
    }

    @Override
    public void logSoftmax(Matrix x, Matrix y) {
        delegate.logSoftmax(x, y);
    }

    @Override
    public void layerNormForward(Matrix x, Matrix gain, Matrix bias, float epsilon, Matrix y, Matrix statistics) {
        delegate.layerNormForward(x, gain, bias, epsilon, y, statistics);
    }

    @Override
    public void layerNormBackward(Matrix x, Matrix gain, Matrix statistics, Matrix dy, Matrix dx, Matrix dGain,
            Matrix dBias) {
        delegate.layerNormBackward(x, gain, statistics, dy, dx, dGain, dBias);
    }

    // Plain linear algebra: matrices as they lie in memory, in BLAS's terms

    @Override
    public void axpy(float alpha, Matrix x, Matrix y) {
        delegate.axpy(alpha, x, y);
    }

    @Override
    public void partialSums(Matrix x, Matrix p) {
        delegate.partialSums(x, p);
    }

    @Override
    public void partialDots(Matrix a, Matrix x, Matrix p) {
        delegate.partialDots(a, x, p);
    }

    @Override
    public void partialMaxima(Matrix x, Matrix p) {
        delegate.partialMaxima(x, p);
    }

    @Override
    public void partialMinima(Matrix x, Matrix p) {
        delegate.partialMinima(x, p);
    }

    @Override
    public void gemv(Transpose transpose, float alpha, Matrix a, Matrix x, float beta, Matrix y) {
        delegate.gemv(transpose, alpha, a, x, beta, y);
    }

    @Override
    public void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        delegate.gemm(transposeA, transposeB, alpha, a, b, beta, c);
    }

    // Losses

    @Override
    public void crossEntropyForward(Matrix x, Indices targets, Matrix losses) {
        delegate.crossEntropyForward(x, targets, losses);
    }

    @Override
    public void crossEntropyBackward(Matrix p, Indices targets, float factor) {
        delegate.crossEntropyBackward(p, targets, factor);
    }

    @Override
    public void squaredError(Matrix y, Matrix target, Matrix losses, float lossFactor, float gradientFactor) {
        delegate.squaredError(y, target, losses, lossFactor, gradientFactor);
    }

    // Optimisers

    @Override
    public void adam(Matrix w, Matrix dw, Matrix m, Matrix v, AdamStep step) {
        delegate.adam(w, dw, m, v, step);
    }

    @Override
    public void sgd(Matrix w, Matrix dw, Matrix v, float gradientScale, float learningRate, float momentum) {
        delegate.sgd(w, dw, v, gradientScale, learningRate, momentum);
    }
}
