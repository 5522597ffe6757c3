package dev.ostinato.kernels.scalar;

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

/** Every operation as the plainest loop that has the bits it is defined to have. */
final class ScalarKernels implements KernelSet {
    private static final int BLOCK = Matrix.BLOCK;

    // Products

    @Override
    public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
        for (int panel = 0; panel < w.panels(); panel++) {
            int width = w.blocks(panel) * BLOCK;
            for (int j = 0; j < width; j++) {
                int column = w.output(panel, j / BLOCK) + j % BLOCK;
                for (int r = 0; r < a.rows(); r++) {
                    float acc = get(out, r, column);
                    for (int k = 0; k < w.inputs(); k++) {
                        acc = Math.fma(get(a, r, k), Raw.get(w.panelAddress(panel), (long) k * width + j), acc);
                    }
                    set(out, r, column, acc);
                }
            }
        }
    }

    @Override
    public void weightGradient(Matrix a, Matrix dz, PackedMatrix dw) {
        for (int panel = 0; panel < dw.panels(); panel++) {
            int width = dw.blocks(panel) * BLOCK;
            for (int j = 0; j < width; j++) {
                int column = dw.output(panel, j / BLOCK) + j % BLOCK;
                for (int k = 0; k < dw.inputs(); k++) {
                    long weight = (long) k * width + j;
                    float acc = Raw.get(dw.panelAddress(panel), weight);
                    for (int r = a.rows() - 1; r >= 0; r--) {
                        acc = Math.fma(get(a, r, k), get(dz, r, column), acc);
                    }
                    Raw.set(dw.panelAddress(panel), weight, acc);
                }
            }
        }
    }

    @Override
    public void columnSums(Matrix x, Matrix sums) {
        for (int j = 0; j < x.columns(); j++) {
            float acc = get(sums, 0, j);
            for (int r = x.rows() - 1; r >= 0; r--) {
                acc += get(x, r, j);
            }
            set(sums, 0, j, acc);
        }
    }

    // Products with narrow weights

    @Override
    public void multiplyAddBf16(Matrix a, Bf16Matrix w, Matrix out) {
        ScalarNarrow.multiplyAddBf16(a, w, out);
    }

    @Override
    public void quantize(Scaling scaling, Matrix x, QuantizedRows q) {
        ScalarNarrow.quantize(scaling, x, q);
    }

    @Override
    public void multiplyAddInt8(QuantizedRows a, Int8Matrix w, Matrix out) {
        ScalarNarrow.multiplyAddInt8(a, w, out);
    }

    // Tables

    @Override
    public void scatterAdd(Matrix x, Indices indices, Matrix table) {
        for (int r = x.rows() - 1; r >= 0; r--) {
            int row = index(indices, r);
            for (int j = 0; j < x.columns(); j++) {
                set(table, row, j, get(table, row, j) + get(x, r, j));
            }
        }
    }

    @Override
    public void addInputs(PackedMatrix w, Indices indices, Matrix out) {
        for (int r = 0; r < out.rows(); r++) {
            for (int panel = 0; panel < w.panels(); panel++) {
                int width = w.blocks(panel) * BLOCK;
                for (int j = 0; j < width; j++) {
                    int column = w.output(panel, j / BLOCK) + j % BLOCK;
                    float weight = Raw.get(w.panelAddress(panel), (long) index(indices, r) * width + j);
                    set(out, r, column, get(out, r, column) + weight);
                }
            }
        }
    }

    @Override
    public void scatterAddInputs(Matrix dz, Indices indices, PackedMatrix dw) {
        for (int r = dz.rows() - 1; r >= 0; r--) {
            for (int panel = 0; panel < dw.panels(); panel++) {
                int width = dw.blocks(panel) * BLOCK;
                for (int j = 0; j < width; j++) {
                    int column = dw.output(panel, j / BLOCK) + j % BLOCK;
                    long weight = (long) index(indices, r) * width + j;
                    Raw.set(dw.panelAddress(panel), weight,
                            Raw.get(dw.panelAddress(panel), weight) + get(dz, r, column));
                }
            }
        }
    }

    // Cells

    @Override
    public void rnnForward(Activation f, Matrix z, Matrix h) {
        ScalarCells.rnnForward(f, z, h);
    }

    @Override
    public void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz) {
        ScalarCells.rnnBackward(f, h, dh, dz);
    }

    @Override
    public void lstmForward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix h) {
        ScalarCells.lstmForward(variant, peepholes, z, cPrevious, c, h);
    }

    @Override
    public void lstmBackward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix dh,
            Matrix dc) {
        ScalarCells.lstmBackward(variant, peepholes, z, cPrevious, c, dh, dc);
    }

    @Override
    public void gruForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        ScalarCells.gruForward(variant, z, hPrevious, h);
    }

    @Override
    public void gruBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        ScalarCells.gruBackward(variant, z, hPrevious, dh, dhPrevious);
    }

    @Override
    public void gruResetForward(GruVariant variant, Matrix z, Matrix hPrevious) {
        ScalarCells.gruResetForward(variant, z, hPrevious);
    }

    @Override
    public void gruMixForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h) {
        ScalarCells.gruMixForward(variant, z, hPrevious, h);
    }

    @Override
    public void gruMixBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        ScalarCells.gruMixBackward(variant, z, hPrevious, dh, dhPrevious);
    }

    @Override
    public void gruResetBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
        ScalarCells.gruResetBackward(variant, z, hPrevious, ds, dhPrevious);
    }

    // Parts of cells

    @Override
    public void minGruForward(Matrix z, Matrix hPrevious, Matrix h) {
        ScalarCellParts.minGruForward(z, hPrevious, h);
    }

    @Override
    public void minGruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        ScalarCellParts.minGruBackward(z, hPrevious, dh, dhPrevious);
    }

    @Override
    public void lstmCellForward(Matrix z, Matrix cPrevious, Matrix c) {
        ScalarCellParts.lstmCellForward(z, cPrevious, c);
    }

    @Override
    public void lstmOutputForward(Matrix z, Matrix m, Matrix h) {
        ScalarCellParts.lstmOutputForward(z, m, h);
    }

    @Override
    public void lstmOutputBackward(Matrix z, Matrix m, Matrix dh, Matrix dm) {
        ScalarCellParts.lstmOutputBackward(z, m, dh, dm);
    }

    @Override
    public void lstmCellBackward(Matrix z, Matrix cPrevious, Matrix dc) {
        ScalarCellParts.lstmCellBackward(z, cPrevious, dc);
    }

    @Override
    public void addScaled(Matrix x, Matrix factors, Matrix y) {
        ScalarCellParts.addScaled(x, factors, y);
    }

    @Override
    public void columnDots(Matrix x, Matrix y, Matrix sums) {
        ScalarCellParts.columnDots(x, y, sums);
    }

    // Steps

    @Override
    public void rnnSteps(Activation f, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        ScalarSteps.rnn(f, start, x, w, hPrevious, u, sweep, h);
    }

    @Override
    public void lstmSteps(LstmVariant variant, Matrix peepholes, Matrix start, Matrix x, PackedWeights w,
            Matrix hPrevious, PackedWeights u, Sweep sweep, Matrix c, Matrix h) {
        ScalarSteps.lstm(variant, peepholes, start, x, w, hPrevious, u, sweep, c, h);
    }

    @Override
    public void gruSteps(GruVariant variant, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        ScalarSteps.gru(variant, start, x, w, hPrevious, u, sweep, h);
    }

    // Elementwise functions and reductions

    @Override
    public void apply(Function f, Matrix x, Matrix y) {
        for (int r = 0; r < x.rows(); r++) {
            for (int j = 0; j < x.columns(); j++) {
                float v = get(x, r, j);
                set(y, r, j, switch (f) {
                    case EXP -> Elementary.exp(v);
                    case LOG -> Elementary.log(v);
                    case TANH -> Elementary.tanh(v);
                    case SIGMOID -> Elementary.sigmoid(v);
                    case SOFTPLUS -> Elementary.softplus(v);
                    case ERF -> Elementary.erf(v);
                    case GELU -> Elementary.gelu(v);
                    case SILU -> Elementary.silu(v);
                });
            }
        }
    }

    @Override
    public void applyBackward(Function f, Matrix v, Matrix dy, Matrix dx) {
        for (int r = 0; r < v.rows(); r++) {
            for (int j = 0; j < v.columns(); j++) {
                float a = get(v, r, j);
                float d = get(dy, r, j);
                set(dx, r, j, switch (f) {
                    case EXP -> d * a;
                    case LOG -> d / a;
                    case TANH -> d * Math.fma(-a, a, 1f);
                    case SIGMOID -> d * (a * (1f - a));
                    case SOFTPLUS -> d * Elementary.sigmoid(a);
                    case ERF -> d * ElementaryGradients.erf(a);
                    case GELU -> d * ElementaryGradients.gelu(a);
                    case SILU -> d * ElementaryGradients.silu(a);
                });
            }
        }
    }

    @Override
    public void scale(Matrix x, float factor) {
        for (int r = 0; r < x.rows(); r++) {
            for (int j = 0; j < x.columns(); j++) {
                set(x, r, j, get(x, r, j) * factor);
            }
        }
    }

    @Override
    public void multiply(Matrix x, Matrix y) {
        for (int r = 0; r < x.rows(); r++) {
            for (int j = 0; j < x.columns(); j++) {
                set(x, r, j, get(x, r, j) * get(y, r, j));
            }
        }
    }

    @Override
    public float sumOfSquares(Matrix x) {
        float[] partials = new float[BLOCK];
        for (int j = 0; j < x.columns(); j++) {
            float v = get(x, 0, j);
            partials[j % BLOCK] = Math.fma(v, v, partials[j % BLOCK]);
        }
        return Reduction.sum(partials);
    }

    @Override
    public void softmax(Matrix x, Matrix y) {
        for (int r = 0; r < x.rows(); r++) {
            softmaxRow(x, y, r, Reduction.max(x, r));
        }
    }

    /** Overwrites a row of y with the softmax and returns the sum of the exponentials. */
    private static float softmaxRow(Matrix x, Matrix y, int r, float max) {
        float[] partials = new float[BLOCK];
        for (int j = 0; j < x.columns(); j++) {
            float e = Elementary.exp(get(x, r, j) - max);
            partials[j % BLOCK] += e;
            set(y, r, j, e);
        }
        float sum = Reduction.sum(partials);
        for (int j = 0; j < x.columns(); j++) {
            set(y, r, j, get(y, r, j) / sum);
        }
        return sum;
    }

    @Override
    public void logSoftmax(Matrix x, Matrix y) {
        for (int r = 0; r < x.rows(); r++) {
            float max = Reduction.max(x, r);
            float[] partials = new float[BLOCK];
            for (int j = 0; j < x.columns(); j++) {
                partials[j % BLOCK] += Elementary.exp(get(x, r, j) - max);
            }
            float logSum = Elementary.log(Reduction.sum(partials));
            for (int j = 0; j < x.columns(); j++) {
                set(y, r, j, (get(x, r, j) - max) - logSum);
            }
        }
    }

    // Plain linear algebra

    @Override
    public void axpy(float alpha, Matrix x, Matrix y) {
        ScalarBlas.axpy(alpha, x, y);
    }

    @Override
    public void partialSums(Matrix x, Matrix p) {
        ScalarBlas.partialSums(x, p);
    }

    @Override
    public void partialDots(Matrix a, Matrix x, Matrix p) {
        ScalarBlas.partialDots(a, x, p);
    }

    @Override
    public void partialMaxima(Matrix x, Matrix p) {
        ScalarBlas.partialMaxima(x, p);
    }

    @Override
    public void partialMinima(Matrix x, Matrix p) {
        ScalarBlas.partialMinima(x, p);
    }

    @Override
    public void gemv(Transpose transpose, float alpha, Matrix a, Matrix x, float beta, Matrix y) {
        ScalarBlas.gemv(transpose, alpha, a, x, beta, y);
    }

    @Override
    public void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        ScalarBlas.gemm(transposeA, transposeB, alpha, a, b, beta, c);
    }

    // Layer norm

    @Override
    public void layerNormForward(Matrix x, Matrix gain, Matrix bias, float epsilon, Matrix y, Matrix statistics) {
        for (int r = 0; r < x.rows(); r++) {
            ScalarLayerNorm.forward(x.rowAddress(r), gain.address(), bias.address(), epsilon, y.rowAddress(r),
                    statistics.rowAddress(r), x.columns());
        }
    }

    @Override
    public void layerNormBackward(Matrix x, Matrix gain, Matrix statistics, Matrix dy, Matrix dx, Matrix dGain,
            Matrix dBias) {
        for (int r = x.rows() - 1; r >= 0; r--) {
            ScalarLayerNorm.backward(x.rowAddress(r), gain.address(), statistics.rowAddress(r), dy.rowAddress(r),
                    dx.rowAddress(r), dGain.address(), dBias.address(), x.columns());
        }
    }

    // Losses

    @Override
    public void crossEntropyForward(Matrix x, Indices targets, Matrix losses) {
        for (int r = 0; r < x.rows(); r++) {
            float max = Reduction.max(x, r);
            float target = get(x, r, index(targets, r)) - max;
            float sum = softmaxRow(x, x, r, max);
            set(losses, r, 0, Elementary.log(sum) - target);
        }
    }

    @Override
    public void crossEntropyBackward(Matrix p, Indices targets, float factor) {
        for (int r = 0; r < p.rows(); r++) {
            int target = index(targets, r);
            for (int j = 0; j < p.columns(); j++) {
                set(p, r, j, (j == target ? get(p, r, j) - 1f : get(p, r, j)) * factor);
            }
        }
    }

    @Override
    public void squaredError(Matrix y, Matrix target, Matrix losses, float lossFactor, float gradientFactor) {
        for (int r = 0; r < y.rows(); r++) {
            float[] partials = new float[BLOCK];
            for (int j = 0; j < y.columns(); j++) {
                float d = get(y, r, j) - get(target, r, j);
                partials[j % BLOCK] = Math.fma(d, d, partials[j % BLOCK]);
                set(y, r, j, d * gradientFactor);
            }
            set(losses, r, 0, Reduction.sum(partials) * lossFactor);
        }
    }

    // Optimisers

    @Override
    public void adam(Matrix w, Matrix dw, Matrix m, Matrix v, AdamStep s) {
        for (int j = 0; j < w.columns(); j++) {
            float d = get(dw, 0, j) * s.gradientScale();
            float first = Elementary.flush(Math.fma(s.beta1(), get(m, 0, j), s.oneMinusBeta1() * d));
            float second = Elementary.flush(Math.fma(s.beta2(), get(v, 0, j), (s.oneMinusBeta2() * d) * d));
            float denominator = Math.fma((float) Math.sqrt(second), s.inverseRootCorrection(), s.epsilon());
            set(m, 0, j, first);
            set(v, 0, j, second);
            set(w, 0, j, get(w, 0, j) - (s.stepSize() * first) / denominator);
        }
    }

    @Override
    public void sgd(Matrix w, Matrix dw, Matrix v, float gradientScale, float learningRate, float momentum) {
        for (int j = 0; j < w.columns(); j++) {
            float velocity = Elementary.flush(Math.fma(momentum, get(v, 0, j), get(dw, 0, j) * gradientScale));
            set(v, 0, j, velocity);
            set(w, 0, j, Math.fma(-learningRate, velocity, get(w, 0, j)));
        }
    }

    private static float get(Matrix matrix, int row, int column) {
        return Raw.get(matrix.rowAddress(row), column);
    }

    private static void set(Matrix matrix, int row, int column, float value) {
        Raw.set(matrix.rowAddress(row), column, value);
    }

    private static int index(Indices indices, int i) {
        return Raw.getInt(indices.address(), i);
    }
}
