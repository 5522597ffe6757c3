package dev.ostinato.kernels.jni;

/**
 * The functions of the library, one for each line of {@code native/src/kernels.def}. The first argument is the {@link #kernels} of an ISA.
 * A matrix is passed as its address, rows, columns and stride; packed weights as the addresses of input 0 in the first, second and last
 * panel, inputs, gates and units; weights of eight bits as their words followed by scales and offsets; quantised rows as the addresses of
 * levels and scales, rows, columns and stride; indices as their address and length; an activation as the number of
 * its kind, its parameters and its clip.
 */
final class NativeCalls {
    private NativeCalls() {
    }

    static native int abiVersion();

    /** Returns the kernels of an ISA, 0 if they cannot run here. */
    static native long kernels(int isa);

    static native void probeReads(long kernels, int rounds, long x, int xRows, int xColumns, int xStride, long sums,
            int sumsRows, int sumsColumns, int sumsStride);

    static native void probeProducts(long kernels, int rounds, float factor, long x, int xRows, int xColumns,
            int xStride);

    static native void multiplyAdd(long kernels, long a, int aRows, int aColumns, int aStride, long w, long wSecond,
            long wLast,
            int wInputs,
            int wGates, int wUnits, long out, int outRows, int outColumns, int outStride);

    static native void weightGradient(long kernels, long a, int aRows, int aColumns, int aStride, long dz, int dzRows,
            int dzColumns,
            int dzStride,
            long dw, long dwSecond, long dwLast, int dwInputs, int dwGates, int dwUnits);

    static native void columnSums(long kernels, long x, int xRows, int xColumns, int xStride, long sums, int sumsRows,
            int sumsColumns,
            int sumsStride);

    static native void multiplyAddBf16(long kernels, long a, int aRows, int aColumns, int aStride, long w, long wSecond,
            long wLast, int wInputs, int wGates, int wUnits, long out, int outRows, int outColumns, int outStride);

    static native void quantize(long kernels, int scaling, long x, int xRows, int xColumns, int xStride, long q,
            long qScales, int qRows, int qColumns, int qStride);

    static native void multiplyAddInt8(long kernels, long a, long aScales, int aRows, int aColumns, int aStride, long w,
            long wSecond, long wLast, int wInputs, int wGates, int wUnits, long wScales, long wOffsets, long out,
            int outRows, int outColumns, int outStride);

    static native void scatterAdd(long kernels, long x, int xRows, int xColumns, int xStride, long indices, int length,
            long table,
            int tableRows,
            int tableColumns, int tableStride);

    static native void addInputs(long kernels, long w, long wSecond, long wLast, int wInputs, int wGates, int wUnits,
            long indices,
            int length,
            long out, int outRows, int outColumns, int outStride);

    static native void scatterAddInputs(long kernels, long dz, int dzRows, int dzColumns, int dzStride, long indices,
            int length,
            long dw,
            long dwSecond, long dwLast, int dwInputs, int dwGates, int dwUnits);

    static native void rnnForward(long kernels, int fKind, float fAlpha, float fBeta, float fClip, long z, int zRows,
            int zColumns, int zStride, long h,
            int hRows,
            int hColumns,
            int hStride);

    static native void rnnBackward(long kernels, int fKind, float fAlpha, float fBeta, float fClip, long h, int hRows,
            int hColumns, int hStride, long dh,
            int dhRows,
            int dhColumns, int dhStride, long dz, int dzRows, int dzColumns, int dzStride);

    static native void lstmForward(long kernels, int gatesKind, float gatesAlpha, float gatesBeta, float gatesClip,
            int candidateKind, float candidateAlpha, float candidateBeta, float candidateClip, int outputKind,
            float outputAlpha, float outputBeta, float outputClip, float cellClip, long peepholes, int peepholesRows,
            int peepholesColumns, int peepholesStride, long z, int zRows, int zColumns, int zStride, long cPrevious,
            int cPreviousRows,
            int cPreviousColumns, int cPreviousStride, long c, int cRows, int cColumns, int cStride, long h, int hRows,
            int hColumns,
            int hStride);

    static native void lstmBackward(long kernels, int gatesKind, float gatesAlpha, float gatesBeta, float gatesClip,
            int candidateKind, float candidateAlpha, float candidateBeta, float candidateClip, int outputKind,
            float outputAlpha, float outputBeta, float outputClip, float cellClip, long peepholes, int peepholesRows,
            int peepholesColumns, int peepholesStride, long z, int zRows, int zColumns, int zStride, long cPrevious,
            int cPreviousRows,
            int cPreviousColumns, int cPreviousStride, long c, int cRows, int cColumns, int cStride, long dh,
            int dhRows,
            int dhColumns, int dhStride, long dc, int dcRows, int dcColumns, int dcStride);

    static native void gruForward(long kernels, int gatesKind, float gatesAlpha, float gatesBeta, float gatesClip,
            int candidateKind, float candidateAlpha, float candidateBeta, float candidateClip, long z, int zRows,
            int zColumns, int zStride, long hPrevious,
            int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long h, int hRows, int hColumns, int hStride);

    static native void gruBackward(long kernels, int gatesKind, float gatesAlpha, float gatesBeta, float gatesClip,
            int candidateKind, float candidateAlpha, float candidateBeta, float candidateClip, long z, int zRows,
            int zColumns, int zStride, long hPrevious,
            int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long dh, int dhRows, int dhColumns, int dhStride,
            long dhPrevious,
            int dhPreviousRows, int dhPreviousColumns, int dhPreviousStride);

    static native void gruResetForward(long kernels, int gatesKind, float gatesAlpha, float gatesBeta, float gatesClip,
            long z, int zRows, int zColumns, int zStride, long hPrevious,
            int hPreviousRows,
            int hPreviousColumns, int hPreviousStride);

    static native void gruMixForward(long kernels, int candidateKind, float candidateAlpha, float candidateBeta,
            float candidateClip, long z, int zRows, int zColumns, int zStride, long hPrevious,
            int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long h, int hRows, int hColumns, int hStride);

    static native void gruMixBackward(long kernels, int gatesKind, float gatesAlpha, float gatesBeta, float gatesClip,
            int candidateKind, float candidateAlpha, float candidateBeta, float candidateClip, long z, int zRows,
            int zColumns, int zStride, long hPrevious,
            int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long dh, int dhRows, int dhColumns, int dhStride,
            long dhPrevious,
            int dhPreviousRows, int dhPreviousColumns, int dhPreviousStride);

    static native void gruResetBackward(long kernels, int gatesKind, float gatesAlpha, float gatesBeta, float gatesClip,
            long z, int zRows, int zColumns, int zStride, long hPrevious,
            int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long ds, int dsRows, int dsColumns, int dsStride,
            long dhPrevious,
            int dhPreviousRows, int dhPreviousColumns, int dhPreviousStride);

    static native void minGruForward(long kernels, long z, int zRows, int zColumns, int zStride, long hPrevious,
            int hPreviousRows, int hPreviousColumns, int hPreviousStride, long h, int hRows, int hColumns, int hStride);

    static native void minGruBackward(long kernels, long z, int zRows, int zColumns, int zStride, long hPrevious,
            int hPreviousRows, int hPreviousColumns, int hPreviousStride, long dh, int dhRows, int dhColumns,
            int dhStride, long dhPrevious, int dhPreviousRows, int dhPreviousColumns, int dhPreviousStride);

    static native void lstmCellForward(long kernels, long z, int zRows, int zColumns, int zStride, long cPrevious,
            int cPreviousRows, int cPreviousColumns, int cPreviousStride, long c, int cRows, int cColumns, int cStride);

    static native void lstmOutputForward(long kernels, long z, int zRows, int zColumns, int zStride, long m, int mRows,
            int mColumns, int mStride, long h, int hRows, int hColumns, int hStride);

    static native void lstmOutputBackward(long kernels, long z, int zRows, int zColumns, int zStride, long m, int mRows,
            int mColumns, int mStride, long dh, int dhRows, int dhColumns, int dhStride, long dm, int dmRows,
            int dmColumns, int dmStride);

    static native void lstmCellBackward(long kernels, long z, int zRows, int zColumns, int zStride, long cPrevious,
            int cPreviousRows, int cPreviousColumns, int cPreviousStride, long dc, int dcRows, int dcColumns,
            int dcStride);

    static native void addScaled(long kernels, long x, int xRows, int xColumns, int xStride, long factors,
            int factorsRows, int factorsColumns, int factorsStride, long y, int yRows, int yColumns, int yStride);

    static native void columnDots(long kernels, long x, int xRows, int xColumns, int xStride, long y, int yRows,
            int yColumns, int yStride, long sums, int sumsRows, int sumsColumns, int sumsStride);

    static native void rnnSteps(long kernels, int fKind, float fAlpha, float fBeta, float fClip, int precision,
            int stateScaling, long start, int startRows,
            int startColumns, int startStride, long x, int xRows, int xColumns, int xStride, long w, long wSecond,
            long wLast, int wInputs, int wGates, int wUnits, long wScales, long wOffsets, long hPrevious,
            int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long u, long uSecond, long uLast, int uInputs, int uGates,
            int uUnits, long uScales, long uOffsets, int descending, int from, int to, long scratch, int scratchRows,
            int scratchColumns, int scratchStride, long h, int hRows, int hColumns, int hStride);

    static native void lstmSteps(long kernels, int precision, long start, int startRows,
            int startColumns,
            int startStride, long x, int xRows, int xColumns, int xStride, long w, long wSecond, long wLast,
            int wInputs,
            int wGates, int wUnits, long wScales, long wOffsets, long hPrevious, int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long u, long uSecond, long uLast, int uInputs, int uGates,
            int uUnits, long uScales, long uOffsets, int descending, int from, int to, long scratch, int scratchRows,
            int scratchColumns, int scratchStride, long c, int cRows, int cColumns, int cStride, long h, int hRows,
            int hColumns, int hStride);

    static native void lstmVariantSteps(long kernels, int gatesKind, float gatesAlpha, float gatesBeta, float gatesClip,
            int candidateKind, float candidateAlpha, float candidateBeta, float candidateClip, int outputKind,
            float outputAlpha, float outputBeta, float outputClip, float cellClip, long peepholes, int peepholesRows,
            int peepholesColumns, int peepholesStride, int precision, int stateScaling, long start, int startRows,
            int startColumns,
            int startStride, long x, int xRows, int xColumns, int xStride, long w, long wSecond, long wLast,
            int wInputs,
            int wGates, int wUnits, long wScales, long wOffsets, long hPrevious, int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long u, long uSecond, long uLast, int uInputs, int uGates,
            int uUnits, long uScales, long uOffsets, int descending, int from, int to, long scratch, int scratchRows,
            int scratchColumns, int scratchStride, long c, int cRows, int cColumns, int cStride, long h, int hRows,
            int hColumns, int hStride);

    static native void gruSteps(long kernels, int precision,
            long start, int startRows, int startColumns,
            int startStride, long x, int xRows, int xColumns, int xStride, long w, long wSecond, long wLast,
            int wInputs,
            int wGates, int wUnits, long wScales, long wOffsets, long hPrevious, int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long u, long uSecond, long uLast, int uInputs, int uGates,
            int uUnits, long uScales, long uOffsets, int descending, int from, int to, long scratch, int scratchRows,
            int scratchColumns, int scratchStride, long h, int hRows, int hColumns, int hStride);

    static native void gruVariantSteps(long kernels, int gatesKind, float gatesAlpha, float gatesBeta, float gatesClip,
            int candidateKind, float candidateAlpha, float candidateBeta, float candidateClip, int precision,
            int stateScaling, long start, int startRows, int startColumns,
            int startStride, long x, int xRows, int xColumns, int xStride, long w, long wSecond, long wLast,
            int wInputs,
            int wGates, int wUnits, long wScales, long wOffsets, long hPrevious, int hPreviousRows,
            int hPreviousColumns, int hPreviousStride, long u, long uSecond, long uLast, int uInputs, int uGates,
            int uUnits, long uScales, long uOffsets, int descending, int from, int to, long scratch, int scratchRows,
            int scratchColumns, int scratchStride, long h, int hRows, int hColumns, int hStride);

    static native void apply(long kernels, int function, long x, int xRows, int xColumns, int xStride, long y,
            int yRows,
            int yColumns,
            int yStride);

    static native void applyBackward(long kernels, int function, long v, int vRows, int vColumns, int vStride, long dy,
            int dyRows,
            int dyColumns, int dyStride, long dx, int dxRows, int dxColumns, int dxStride);

    static native void scale(long kernels, long x, int xRows, int xColumns, int xStride, float factor);

    static native void multiply(long kernels, long x, int xRows, int xColumns, int xStride, long y, int yRows,
            int yColumns,
            int yStride);

    static native float sumOfSquares(long kernels, long x, int xRows, int xColumns, int xStride);

    static native void softmax(long kernels, long x, int xRows, int xColumns, int xStride, long y, int yRows,
            int yColumns,
            int yStride);

    static native void logSoftmax(long kernels, long x, int xRows, int xColumns, int xStride, long y, int yRows,
            int yColumns,
            int yStride);

    static native void axpy(long kernels, float alpha, long x, int xRows, int xColumns, int xStride, long y, int yRows,
            int yColumns,
            int yStride);

    static native void partialSums(long kernels, long x, int xRows, int xColumns, int xStride, long p, int pRows,
            int pColumns,
            int pStride);

    static native void partialDots(long kernels, long a, int aRows, int aColumns, int aStride, long x, int xRows,
            int xColumns,
            int xStride, long p, int pRows, int pColumns, int pStride);

    static native void partialMaxima(long kernels, long x, int xRows, int xColumns, int xStride, long p, int pRows,
            int pColumns,
            int pStride);

    static native void partialMinima(long kernels, long x, int xRows, int xColumns, int xStride, long p, int pRows,
            int pColumns,
            int pStride);

    static native void gemv(long kernels, int transpose, float alpha, long a, int aRows, int aColumns, int aStride,
            long x, int xRows,
            int xColumns, int xStride, float beta, long y, int yRows, int yColumns, int yStride);

    static native void gemm(long kernels, int transposeA, int transposeB, float alpha, long a, int aRows, int aColumns,
            int aStride,
            long b, int bRows, int bColumns, int bStride, float beta, long c, int cRows, int cColumns, int cStride,
            long scratch, int scratchRows, int scratchColumns, int scratchStride);

    static native void layerNormForward(long kernels, long x, int xRows, int xColumns, int xStride, long gain,
            int gainRows,
            int gainColumns, int gainStride, long bias, int biasRows, int biasColumns, int biasStride, float epsilon,
            long y, int yRows, int yColumns, int yStride, long statistics, int statisticsRows, int statisticsColumns,
            int statisticsStride);

    static native void layerNormBackward(long kernels, long x, int xRows, int xColumns, int xStride, long gain,
            int gainRows,
            int gainColumns, int gainStride, long statistics, int statisticsRows, int statisticsColumns,
            int statisticsStride, long dy, int dyRows, int dyColumns, int dyStride, long dx, int dxRows, int dxColumns,
            int dxStride, long dGain, int dGainRows, int dGainColumns, int dGainStride, long dBias, int dBiasRows,
            int dBiasColumns, int dBiasStride);

    static native void crossEntropyForward(long kernels, long x, int xRows, int xColumns, int xStride, long targets,
            int length,
            long losses,
            int lossesRows, int lossesColumns, int lossesStride);

    static native void crossEntropyBackward(long kernels, long p, int pRows, int pColumns, int pStride, long targets,
            int length,
            float factor);

    static native void squaredError(long kernels, long y, int yRows, int yColumns, int yStride, long target,
            int targetRows,
            int targetColumns,
            int targetStride, long losses, int lossesRows, int lossesColumns, int lossesStride, float lossFactor,
            float gradientFactor);

    static native void adam(long kernels, long w, int wRows, int wColumns, int wStride, long dw, int dwRows,
            int dwColumns,
            int dwStride, long m,
            int mRows, int mColumns, int mStride, long v, int vRows, int vColumns, int vStride, float gradientScale,
            float beta1,
            float oneMinusBeta1, float beta2, float oneMinusBeta2, float stepSize, float inverseRootCorrection,
            float epsilon);

    static native void sgd(long kernels, long w, int wRows, int wColumns, int wStride, long dw, int dwRows,
            int dwColumns,
            int dwStride, long v,
            int vRows, int vColumns, int vStride, float gradientScale, float learningRate, float momentum);
}
