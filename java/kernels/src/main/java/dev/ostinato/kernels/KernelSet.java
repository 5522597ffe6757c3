package dev.ostinato.kernels;

/**
 * What a backend implements. The documentation here is the definition: an implementation performs these operations in this order,
 * and its results have these bits (see the package page). Arguments have been checked by {@link Kernels}; an implementation may
 * only assert. Implementations are stateless and safe for all threads; they allocate nothing.
 *
 * <p>A row of gates is {@code [gate][Hp]}. Unless said otherwise matrices may not overlap.
 */
public interface KernelSet {

    // Products

    /**
     * Adds a product: {@code out[r][j] += sum over k ascending of a[r][k] * w[k][j]}, one fma per term.
     *
     * @param a (R, K)
     * @param w K inputs
     * @param out (R, {@code w.outputs()}), accumulated into
     */
    void multiplyAdd(Matrix a, PackedMatrix w, Matrix out);

    /**
     * Adds the gradient of the weights: {@code dw[k][j] += sum over r descending of a[r][k] * dz[r][j]}, one fma per term.
     *
     * @param a (R, K)
     * @param dz (R, {@code dw.outputs()})
     * @param dw K inputs, accumulated into
     */
    void weightGradient(Matrix a, Matrix dz, PackedMatrix dw);

    /**
     * Adds the sums of columns: {@code sums[0][j] += sum over r descending of x[r][j]}.
     *
     * @param x (R, N)
     * @param sums (1, N), accumulated into
     */
    void columnSums(Matrix x, Matrix sums);

    // Products with narrow weights

    /**
     * Adds a product: {@link #multiplyAdd} with each weight as the float that it is; {@code a[r][K - 1]} is not followed by another
     * term when K is odd.
     *
     * @param a (R, K)
     * @param w K inputs
     * @param out (R, {@code w.outputs()}), accumulated into
     */
    void multiplyAddBf16(Matrix a, Bf16Matrix w, Matrix out);

    /**
     * Quantises each row by itself, with {@code m = max over k of |x[k]|}, where NaN is larger than any number: <pre>
     * ROW:    m &lt; 2^-119: scale = factor = 0;   m finite: scale = m / 127, factor = 127 / m
     * UNIT:   m &lt;= 1: scale = 1f / 127, factor = 127;   else as ROW
     * level = fma(x, factor, 0x1.8p23) - 0x1.8p23</pre>
     * so levels are rounded once, ties to even, and lie in [-127, 127]. In every other case the row has the scale NaN and levels 0, and
     * what is multiplied with it becomes NaN.
     *
     * @param x (R, K)
     * @param q (R, K) overwritten
     */
    void quantize(Scaling scaling, Matrix x, QuantizedRows q);

    /**
     * Adds a product of levels: {@code out[r][j] = fma((float) s, a.scale[r] * w.scale[j], out[r][j])}, where
     * {@code s = sum over k of a.level[r][k] * w.level[k][j]} is exact and its conversion rounds to nearest, ties to even.
     *
     * @param a (R, K)
     * @param w K inputs
     * @param out (R, {@code w.outputs()}), accumulated into
     */
    void multiplyAddInt8(QuantizedRows a, Int8Matrix w, Matrix out);

    // Tables

    /**
     * Adds rows of a table: {@code table[indices[r]] += x[r]}, r descending.
     *
     * @param x (R, N)
     * @param indices R rows of the table, each inside it
     * @param table (V, N), accumulated into
     */
    void scatterAdd(Matrix x, Indices indices, Matrix table);

    /**
     * Adds columns of weights, the product with one-hot rows: {@code out[r][j] += w[indices[r]][j]}.
     *
     * @param indices R inputs of {@code w}, each inside it
     * @param out (R, {@code w.outputs()}), accumulated into
     */
    void addInputs(PackedMatrix w, Indices indices, Matrix out);

    /**
     * Adds the gradient of {@link #addInputs}: {@code dw[indices[r]][j] += dz[r][j]}, r descending.
     *
     * @param dz (R, {@code dw.outputs()})
     * @param indices R inputs of {@code dw}, each inside it
     * @param dw accumulated into
     */
    void scatterAddInputs(Matrix dz, Indices indices, PackedMatrix dw);

    // Cells: elementwise from pre-activations to states, and back

    /**
     * Simple cell: {@code h' = f(z)}, flushed.
     *
     * @param z (B, Hp) pre-activations
     * @param h (B, Hp) overwritten; may be {@code z}
     */
    void rnnForward(Activation f, Matrix z, Matrix h);

    /**
     * Simple cell: {@code dz = dh * f'}, with dh flushed first.
     *
     * @param h (B, Hp) the output of the forward pass
     * @param dh (B, Hp)
     * @param dz (B, Hp) overwritten
     */
    void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz);

    /**
     * LSTM (Hochreiter and Schmidhuber 1997; Gers et al. 2000), with activations s of the gates, a of the candidate and k of the output: <pre>
     * i = s(z_i);   f = s(z_f);   g = a(z_g);   c' = flush(fma(f, cPrevious, i * g));   o = s(z_o);   h' = flush(o * k(c'))
     * with peepholes p (Gers and Schmidhuber 2000), before s:   z = fma(p, cPrevious, z) of i and f;   z_o = fma(p_o, c', z_o)
     * coupled:       f = 1 - i
     * cell clip C:   c' = c' &gt; C ? C : c' &lt; -C ? -C : c', before anything sees it</pre>
     *
     * @param peepholes (3, Hp) of i f o, coupled (2, Hp) of i o, or one without rows for none
     * @param z (B, 4Hp), gates i f g o, coupled (B, 3Hp), gates i g o: pre-activations, overwritten with activations
     * @param cPrevious (B, Hp)
     * @param c (B, Hp) overwritten; may be {@code cPrevious}
     * @param h (B, Hp) overwritten
     */
    void lstmForward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix h);

    /**
     * LSTM, with {@code t = k(c)}: <pre>
     * dh = flush(dh);   do = (dh * t) * s'(o)
     * dc = fma(dh * o, k'(t), dc);   with peepholes dc = fma(do, p_o, dc);   dc = flush(dc);   0 where |c| has reached a cell clip
     * di = (dc * g) * s'(i);   df = (dc * cPrevious) * s'(f);   coupled di = (dc * (g - cPrevious)) * s'(i)
     * dg = (dc * i) * a'(g)
     * dcPrevious = dc * f;   with peepholes dcPrevious = fma(df, p_f, fma(di, p_i, dcPrevious));   dcPrevious = flush(dcPrevious)</pre>
     *
     * @param peepholes as in {@link #lstmForward}; their gradients are {@link #columnDots} of di and df with cPrevious, and of do with c
     * @param z (B, 4Hp), gates i f g o, or i g o: activations, overwritten with gradients of the pre-activations
     * @param cPrevious (B, Hp)
     * @param c (B, Hp)
     * @param dh (B, Hp) gradient of the output
     * @param dc (B, Hp) gradient of c, overwritten with that of {@code cPrevious}
     */
    void lstmBackward(LstmVariant variant, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix dh,
            Matrix dc);

    /**
     * GRU, reset after the product (PyTorch, cuDNN), with activations s of the gates and a of the candidate: {@code r = s(r); u = s(u);
     * n = a(fma(r, m, n)); h' = flush(fma(u, h - n, n))}.
     *
     * @param z (B, 4Hp), gates n r u m: pre-activations, n from the inputs and m from h; overwritten with activations, m kept
     * @param hPrevious (B, Hp)
     * @param h (B, Hp) overwritten; may be {@code hPrevious}
     */
    void gruForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h);

    /**
     * GRU, reset after: <pre>
     * dh = flush(dh);   dn = (dh * (1 - u)) * a'(n);   du = (dh * (hPrevious - n)) * s'(u)
     * dm = dn * r;      dr = (dn * m) * s'(r);         dhPrevious = fma(dh, u, dhPrevious)</pre>
     *
     * @param z (B, 4Hp), gates n r u m: activations, overwritten with gradients of the pre-activations
     * @param hPrevious (B, Hp)
     * @param dh (B, Hp)
     * @param dhPrevious (B, Hp) accumulated into
     */
    void gruBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious);

    /**
     * GRU, reset before the product, first half (Cho et al. 2014): r and u become s(r) and s(u), {@code s = r * hPrevious}.
     *
     * @param z (B, 4Hp), gates r u n s: pre-activations r u; overwritten, n kept
     * @param hPrevious (B, Hp)
     */
    void gruResetForward(GruVariant variant, Matrix z, Matrix hPrevious);

    /**
     * GRU, reset before, second half: {@code n = a(n); h' = flush(fma(u, h - n, n))}.
     *
     * @param z (B, 4Hp), gates r u n s: n a pre-activation, overwritten with its activation
     * @param hPrevious (B, Hp)
     * @param h (B, Hp) overwritten; may be {@code hPrevious}
     */
    void gruMixForward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix h);

    /**
     * GRU, reset before, backward of {@link #gruMixForward}: <pre>
     * dh = flush(dh);   dn = (dh * (1 - u)) * a'(n);   du = (dh * (hPrevious - n)) * s'(u)
     * dhPrevious = fma(dh, u, dhPrevious)</pre>
     *
     * @param z (B, 4Hp), gates r u n s: u and n overwritten with gradients of their pre-activations
     * @param hPrevious (B, Hp)
     * @param dh (B, Hp)
     * @param dhPrevious (B, Hp) accumulated into
     */
    void gruMixBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious);

    /**
     * GRU, reset before, backward of {@link #gruResetForward}: {@code dr = (ds * hPrevious) * s'(r);
     * dhPrevious = fma(ds, r, dhPrevious)}.
     *
     * @param z (B, 4Hp), gates r u n s: r overwritten with the gradient of its pre-activation
     * @param hPrevious (B, Hp)
     * @param ds (B, Hp)
     * @param dhPrevious (B, Hp) accumulated into
     */
    void gruResetBackward(GruVariant variant, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious);

    // Parts of cells that are made of several kernels

    /**
     * minGRU (Feng et al. 2024): {@code z = sigmoid(z); h' = flush(fma(z, n - h, h))}.
     *
     * @param z (B, 2Hp), gates z n: z a pre-activation, overwritten with its activation; n kept
     * @param hPrevious (B, Hp)
     * @param h (B, Hp) overwritten; may be {@code hPrevious}
     */
    void minGruForward(Matrix z, Matrix hPrevious, Matrix h);

    /**
     * minGRU: <pre>
     * dh = flush(dh);   dz = (dh * (n - hPrevious)) * (z * (1 - z));   dn = dh * z;   dhPrevious = fma(dh, 1 - z, dhPrevious)</pre>
     *
     * @param z (B, 2Hp), gates z n: activations, overwritten with gradients of the pre-activations
     * @param hPrevious (B, Hp)
     * @param dh (B, Hp)
     * @param dhPrevious (B, Hp) accumulated into
     */
    void minGruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious);

    /**
     * LSTM, first half: the gates and {@code c' = flush(fma(f, c, i * g))}, as {@link #lstmForward}.
     *
     * @param z (B, 4Hp), gates i f g o: pre-activations, overwritten with activations
     * @param cPrevious (B, Hp)
     * @param c (B, Hp) overwritten; may be {@code cPrevious}
     */
    void lstmCellForward(Matrix z, Matrix cPrevious, Matrix c);

    /**
     * LSTM, second half: {@code h' = flush(o * tanh(m))}, where m is what becomes of c on the way, such as its layer norm.
     *
     * @param z (B, 4Hp), gates i f g o: activations
     * @param m (B, Hp)
     * @param h (B, Hp) overwritten; may be {@code m}
     */
    void lstmOutputForward(Matrix z, Matrix m, Matrix h);

    /**
     * LSTM, backward of {@link #lstmOutputForward}, with {@code t = tanh(m)}: <pre>
     * dh = flush(dh);   dm = (dh * o) * fma(-t, t, 1);   do = (dh * t) * (o * (1 - o))</pre>
     *
     * @param z (B, 4Hp), gates i f g o: o overwritten with the gradient of its pre-activation
     * @param m (B, Hp)
     * @param dh (B, Hp)
     * @param dm (B, Hp) overwritten; may be {@code m} or {@code dh}
     */
    void lstmOutputBackward(Matrix z, Matrix m, Matrix dh, Matrix dm);

    /**
     * LSTM, backward of {@link #lstmCellForward}: <pre>
     * dc = flush(dc);   di = (dc * g) * (i * (1 - i));   df = (dc * cPrevious) * (f * (1 - f));   dg = (dc * i) * fma(-g, g, 1)
     * dcPrevious = flush(dc * f)</pre>
     *
     * @param z (B, 4Hp), gates i f g o: i f g overwritten with gradients of their pre-activations
     * @param cPrevious (B, Hp)
     * @param dc (B, Hp) gradient of c, overwritten with that of {@code cPrevious}
     */
    void lstmCellBackward(Matrix z, Matrix cPrevious, Matrix dc);

    /**
     * Adds what a factor for each column makes of a matrix: {@code y[r][j] = fma(x[r][j], factors[0][j], y[r][j])}.
     *
     * @param x (R, N)
     * @param factors (1, N)
     * @param y (R, N) accumulated into
     */
    void addScaled(Matrix x, Matrix factors, Matrix y);

    /**
     * Adds the dot products of columns: {@code sums[0][j] = fma(x[r][j], y[r][j], sums[0][j])}, r descending.
     *
     * @param x (R, N)
     * @param y (R, N); may be {@code x}
     * @param sums (1, N) accumulated into
     */
    void columnDots(Matrix x, Matrix y, Matrix sums);

    // Steps: cells together with their products, for inference

    /**
     * T steps of a simple cell with B streams, each in one sweep over the weights. For every step {@code z = start}, {@code z += x W} and
     * {@code z += h U}, h being that of the step before, and then {@link #rnnForward}; z is not kept. The products are those of the
     * weights' precision: <pre>
     * PackedMatrix   multiplyAdd
     * Bf16Matrix     multiplyAddBf16
     * Int8Matrix     multiplyAddInt8, of rows that are quantised at every step: x by ROW; h by UNIT if f lies in [-1, 1], else by ROW</pre>
     * A W or U without inputs adds nothing, not even a zero. A U of fewer inputs than units is one of a state that is something else than h,
     * such as a projection of it; of a single step only, its rows being scaled by ROW.
     *
     * @param start (T * B, Hp) or one row for all: the bias, or what else z starts from
     * @param x (T * B, I), time first
     * @param w I inputs, which may be none; one gate, H units
     * @param hPrevious (B, Hp) the state before the first step; (B, inputs) of a U of fewer than H
     * @param u H inputs or fewer, one gate, H units; of the precision of {@code w}
     * @param sweep in which direction, and which share of the panels; of a single step only, unless it is the whole
     * @param h (T * B, Hp) overwritten with the states after each step; not {@code hPrevious}
     */
    void rnnSteps(Activation f, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h);

    /**
     * T steps of an LSTM: as {@link #rnnSteps}, with {@link #lstmForward}; h is scaled as {@link LstmVariant#stateScaling} says.
     *
     * @param start (T * B, 4Hp) or one row for all, gates i f g o, coupled (T * B, 3Hp)
     * @param w four gates, coupled three
     * @param u four gates, coupled three
     * @param c (B, Hp) the cell state before the first step, overwritten with that after the last
     */
    void lstmSteps(LstmVariant variant, Matrix peepholes, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious,
            PackedWeights u, Sweep sweep, Matrix c, Matrix h);

    /**
     * T steps of a GRU, reset after: as {@link #rnnSteps}, with {@link #gruForward}; h is scaled as {@link GruVariant#stateScaling} says.
     *
     * @param start (T * B, 4Hp) or one row for all, slots n r u m
     * @param w three gates, the slots n r u
     * @param u three gates, the slots r u m
     */
    void gruSteps(GruVariant variant, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep,
            Matrix h);

    // Elementwise functions and reductions

    /** Applies a function: {@code y = f(x)}, same shapes; {@code y} is overwritten and may be {@code x}. */
    void apply(Function f, Matrix x, Matrix y);

    /**
     * Gradient of {@link #apply}, where v is y if {@link Function#gradientTakesResult}, else x: <pre>
     * EXP      dx = dy * y                        LOG      dx = dy / x
     * TANH     dx = dy * fma(-y, y, 1)            SIGMOID  dx = dy * (y * (1 - y))
     * SOFTPLUS dx = dy * sigmoid(x)               ERF, GELU, SILU  dx = dy * f'(x), rounded first</pre>
     *
     * @param v (R, N)
     * @param dy (R, N)
     * @param dx (R, N) overwritten; may be {@code v} or {@code dy}
     */
    void applyBackward(Function f, Matrix v, Matrix dy, Matrix dx);

    /** Scales in place: {@code x = x * factor}. */
    void scale(Matrix x, float factor);

    /** Multiplies elementwise in place: {@code x = x * y}, same shapes. */
    void multiply(Matrix x, Matrix y);

    /**
     * Returns the sum of squares of a row, {@code p = fma(x, x, p)} in sixteen partials.
     *
     * @param x (1, N)
     */
    float sumOfSquares(Matrix x);

    /**
     * Softmax of each row: {@code m = max(x); e = exp(x - m); y = e / sum(e)}.
     *
     * @param x (R, V)
     * @param y (R, V) overwritten; may be {@code x}
     */
    void softmax(Matrix x, Matrix y);

    /**
     * Logarithm of the softmax of each row: {@code m = max(x); y = (x - m) - log(sum(exp(x - m)))}.
     *
     * @param x (R, V)
     * @param y (R, V) overwritten; may be {@code x}
     */
    void logSoftmax(Matrix x, Matrix y);

    // Plain linear algebra: matrices as they lie in memory, in BLAS's terms

    /** Adds a multiple: {@code y = fma(alpha, x, y)}, same shapes. */
    void axpy(float alpha, Matrix x, Matrix y);

    /**
     * Goes on with the sums of rows: {@code p[r][j mod 16] = p[r][j mod 16] + x[r][j]}, j ascending.
     *
     * @param x (R, N)
     * @param p (R, 16) partial sums, accumulated into
     */
    void partialSums(Matrix x, Matrix p);

    /**
     * Goes on with the dot products of rows and one vector: {@code p[r][k mod 16] = fma(a[r][k], x[k], p[r][k mod 16])}, k ascending.
     *
     * @param a (R, K)
     * @param x (1, K); may be {@code a}
     * @param p (R, 16) partial sums, accumulated into
     */
    void partialDots(Matrix a, Matrix x, Matrix p);

    /** Goes on with the maxima of rows: {@code p = x > p ? x : p}, as {@link #partialSums}. NaNs do not count. */
    void partialMaxima(Matrix x, Matrix p);

    /** Goes on with the minima of rows: {@code p = x < p ? x : p}, as {@link #partialSums}. NaNs do not count. */
    void partialMinima(Matrix x, Matrix p);

    /**
     * Matrix times vector: {@code y = alpha * op(a) * x + beta * y}. With {@code beta == 0} y is not read.
     *
     * <p>{@link Transpose#NO}: {@code s[i]} is the reduction of {@code a[i][k] * x[k]} over k as in {@link #partialDots}, from +0, then the
     * tree; {@code y[i] = fma(alpha, s[i], beta * y[i])}, with {@code beta == 0} it is {@code alpha * s[i]}.
     *
     * <p>{@link Transpose#YES}: {@link #gemm} of one row, {@code y = x * a}.
     *
     * @param a (M, N)
     * @param x (1, N), transposed (1, M)
     * @param y (1, M), transposed (1, N)
     */
    void gemv(Transpose transpose, float alpha, Matrix a, Matrix x, float beta, Matrix y);

    /**
     * Matrix times matrix: {@code c = alpha * op(a) * op(b) + beta * c}: one accumulator per output that starts from
     * {@code beta * c[i][j]}, or with {@code beta == 0} from +0 and c is not read; then {@code acc = fma(alpha * a[i][k], b[k][j], acc)},
     * k ascending, where a and b stand for op(a) and op(b). So with {@code beta == 1} a second call continues the sums of a first.
     *
     * @param a op(a) is (M, K)
     * @param b op(b) is (K, N)
     * @param c (M, N)
     */
    void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta, Matrix c);

    // Layer norm

    /**
     * Layer norm of each row (Ba et al. 2016): <pre>
     * m' = sum(x - x[0]) / N;   m = m' + sum((x - x[0]) - m') / N;   d = (x - x[0]) - m
     * s = 1 / sqrt(sum(d * d as fma) / N + epsilon);   y = fma(d * s, gain, bias)</pre>
     * Deviations are from the first element before the mean, so that a row far from 0 loses nothing and a constant one gives the bias; the
     * second sum makes up for the rounding of the first, which a long row or a huge first element makes large.
     *
     * @param x (R, N)
     * @param gain (1, N)
     * @param bias (1, N)
     * @param y (R, N) overwritten; may be {@code x}
     * @param statistics (R, 2) overwritten with m and s of each row, for the gradient
     */
    void layerNormForward(Matrix x, Matrix gain, Matrix bias, float epsilon, Matrix y, Matrix statistics);

    /**
     * Gradient of layer norm, rows descending: <pre>
     * n = ((x - x[0]) - m) * s;   g = dy * gain;   a = sum(g) / N;   b = sum(g * n as fma) / N
     * dx = fma(-n, b, g - a) * s;   dGain = fma(dy, n, dGain);   dBias = dBias + dy</pre>
     *
     * @param x (R, N) the argument of the forward pass
     * @param gain (1, N)
     * @param statistics (R, 2) m and s of each row
     * @param dy (R, N)
     * @param dx (R, N) overwritten; may be {@code x} or {@code dy}
     * @param dGain (1, N) accumulated into
     * @param dBias (1, N) accumulated into
     */
    void layerNormBackward(Matrix x, Matrix gain, Matrix statistics, Matrix dy, Matrix dx, Matrix dGain, Matrix dBias);

    // Losses

    /**
     * Cross-entropy of the softmax: {@code loss = log(sum(exp(x - m))) - (x[target] - m)} in nats.
     *
     * @param x (R, V) logits, overwritten with the softmax
     * @param targets R classes, each in [0, V)
     * @param losses (R, 1) overwritten
     */
    void crossEntropyForward(Matrix x, Indices targets, Matrix losses);

    /**
     * Gradient of the cross-entropy: {@code dx = (p - (j == target ? 1 : 0)) * factor}.
     *
     * @param p (R, V) softmax, overwritten with dx
     */
    void crossEntropyBackward(Matrix p, Indices targets, float factor);

    /**
     * Squared error: {@code d = y - target; loss = sum(d * d as fma) * lossFactor; dy = d * gradientFactor}.
     *
     * @param y (R, N) overwritten with dy
     * @param target (R, N)
     * @param losses (R, 1) overwritten
     */
    void squaredError(Matrix y, Matrix target, Matrix losses, float lossFactor, float gradientFactor);

    // Optimisers

    /**
     * Adam: <pre>
     * d = dw * gradientScale
     * m = flush(fma(beta1, m, oneMinusBeta1 * d));   v = flush(fma(beta2, v, (oneMinusBeta2 * d) * d))
     * w = w - (stepSize * m) / fma(sqrt(v), inverseRootCorrection, epsilon)</pre>
     *
     * @param w (1, N) updated
     * @param dw (1, N)
     * @param m (1, N) first moment, updated
     * @param v (1, N) second moment, updated
     */
    void adam(Matrix w, Matrix dw, Matrix m, Matrix v, AdamStep step);

    /**
     * Gradient descent with momentum: {@code v = flush(fma(momentum, v, dw * gradientScale)); w = fma(-learningRate, v, w)}.
     *
     * @param w (1, N) updated
     * @param dw (1, N)
     * @param v (1, N) velocity, updated
     */
    void sgd(Matrix w, Matrix dw, Matrix v, float gradientScale, float learningRate, float momentum);
}
