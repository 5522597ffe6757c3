package dev.ostinato.kernels;

/**
 * The operations that other libraries need, on memory that belongs to them: arrays and segments, as {@link Slice}s. Every result has the bits
 * of the operation of the same name in {@link Kernels}, whose matrices need no copies.
 *
 * <p>Pieces of a few kilobytes are copied to memory of ours, computed there and copied back, because nothing public can keep another thread
 * from closing an arena. So nothing that is done to a slice can crash the virtual machine. An argument is examined before anything
 * is written; an arena that is closed later, while a call runs, makes that call throw, and its output is then written in part. The same goes
 * for indices that another thread changes.
 *
 * <p>An output may be an input if both are the same slice, element by element, where that is said; otherwise they may not overlap.
 *
 * <p>States are (B, H) and rows of gates (B, G * H), gate by gate: gate g of unit u is column {@code g * H + u}. Neither has the padding of
 * matrices; pieces get it when they are copied, and what is in it is never copied back.
 *
 * <p>Every method throws {@link IllegalArgumentException} for a wrong shape, an output that is read-only and operands that overlap,
 * {@link IllegalStateException} if an arena has been closed and {@link WrongThreadException} if it is confined to another thread. Instances
 * are safe for all threads. Calls of sizes that have occurred allocate nothing, as long as there are a dozen sizes and not hundreds.
 */
public final class SliceKernels {
    private final SliceElements elements;
    private final SliceRows rows;
    private final SliceReductions reductions;
    private final SliceProducts products;
    private final SliceCells cells;

    SliceKernels(Kernels kernels, KernelSet set) {
        elements = new SliceElements(kernels);
        rows = new SliceRows(kernels);
        reductions = new SliceReductions(set);
        products = new SliceProducts(kernels, set);
        cells = new SliceCells(kernels);
    }

    // Elementwise

    /** Applies a function: {@code y = f(x)}, same shapes; y may be x. See {@link KernelSet#apply}. */
    public void apply(Function f, Slice x, Slice y) {
        elements.apply(f, x, y);
    }

    /** Gradient of a function: {@code dx = dy * f'}, same shapes; dx may be v or dy. See {@link KernelSet#applyBackward}. */
    public void applyBackward(Function f, Slice v, Slice dy, Slice dx) {
        elements.applyBackward(f, v, dy, dx);
    }

    /** Scales in place: {@code x = x * factor}. */
    public void scale(Slice x, float factor) {
        elements.scale(x, factor);
    }

    /** Multiplies elementwise in place: {@code x = x * y}, same shapes; y may be x. */
    public void multiply(Slice x, Slice y) {
        elements.multiply(x, y);
    }

    /** Adds a multiple: {@code y = fma(alpha, x, y)}, same shapes; y may be x. */
    public void axpy(float alpha, Slice x, Slice y) {
        elements.axpy(alpha, x, y);
    }

    // Optimisers: elementwise too, on weights of any shape

    /**
     * Adam. See {@link KernelSet#adam}.
     *
     * @param w updated
     * @param dw of the shape of w, like the others
     * @param m first moment, updated
     * @param v second moment, updated
     */
    public void adam(Slice w, Slice dw, Slice m, Slice v, AdamStep step) {
        elements.adam(w, dw, m, v, step);
    }

    /**
     * Gradient descent with momentum. See {@link KernelSet#sgd}.
     *
     * @param w updated
     * @param dw of the shape of w, like v
     * @param v velocity, updated
     */
    public void sgd(Slice w, Slice dw, Slice v, float gradientScale, float learningRate, float momentum) {
        elements.sgd(w, dw, v, gradientScale, learningRate, momentum);
    }

    // Rows: each is taken as a whole

    /** Softmax of each row, (R, V); y may be x. See {@link KernelSet#softmax}. */
    public void softmax(Slice x, Slice y) {
        rows.softmax(x, y);
    }

    /** Logarithm of the softmax of each row, (R, V); y may be x. See {@link KernelSet#logSoftmax}. */
    public void logSoftmax(Slice x, Slice y) {
        rows.logSoftmax(x, y);
    }

    /** Adds the sums of columns: {@code sums += x[r]}, r descending; x (R, N), sums (1, N). See {@link KernelSet#columnSums}. */
    public void columnSums(Slice x, Slice sums) {
        rows.columnSums(x, sums);
    }

    /**
     * Layer norm of each row. See {@link KernelSet#layerNormForward}.
     *
     * @param x (R, N), N at least 1
     * @param gain (1, N)
     * @param bias (1, N)
     * @param y (R, N) overwritten; may be x
     * @param statistics (R, 2) overwritten with what the gradient needs of each row
     */
    public void layerNormForward(Slice x, Slice gain, Slice bias, float epsilon, Slice y, Slice statistics) {
        rows.layerNormForward(x, gain, bias, epsilon, y, statistics);
    }

    /**
     * Gradient of layer norm. See {@link KernelSet#layerNormBackward}.
     *
     * @param x (R, N) the argument of the forward pass
     * @param gain (1, N)
     * @param statistics (R, 2) what the forward pass has left
     * @param dy (R, N)
     * @param dx (R, N) overwritten; may be x or dy
     * @param dGain (1, N) accumulated into
     * @param dBias (1, N) accumulated into
     */
    public void layerNormBackward(Slice x, Slice gain, Slice statistics, Slice dy, Slice dx, Slice dGain,
            Slice dBias) {
        rows.layerNormBackward(x, gain, statistics, dy, dx, dGain, dBias);
    }

    // Losses

    /**
     * Cross-entropy of the softmax of each row, in nats. See {@link KernelSet#crossEntropyForward}.
     *
     * @param x (R, V) logits, overwritten with the softmax
     * @param targets R classes
     * @param losses (R, 1) overwritten
     * @throws IndexOutOfBoundsException if a class is not in [0, V)
     */
    public void crossEntropyForward(Slice x, Indices targets, Slice losses) {
        rows.crossEntropyForward(x, targets, losses);
    }

    /**
     * Gradient of the cross-entropy. See {@link KernelSet#crossEntropyBackward}.
     *
     * @param p (R, V) softmax, overwritten with the gradient of the logits
     * @param targets R classes
     * @param factor what each row's gradient is multiplied with
     * @throws IndexOutOfBoundsException if a class is not in [0, V)
     */
    public void crossEntropyBackward(Slice p, Indices targets, float factor) {
        rows.crossEntropyBackward(p, targets, factor);
    }

    /**
     * Squared error of each row and its gradient. See {@link KernelSet#squaredError}.
     *
     * @param y (R, N) overwritten with its gradient
     * @param target (R, N)
     * @param losses (R, 1) overwritten
     */
    public void squaredError(Slice y, Slice target, Slice losses, float lossFactor, float gradientFactor) {
        rows.squaredError(y, target, losses, lossFactor, gradientFactor);
    }

    // Tables

    /**
     * Copies rows of a table: {@code out[r] = table[indices[r]]}.
     *
     * @param table (V, N)
     * @param indices R rows of the table
     * @param out (R, N) overwritten
     * @throws IndexOutOfBoundsException if an index is not in [0, V)
     */
    public void gather(Slice table, Indices indices, Slice out) {
        rows.gather(table, indices, out);
    }

    /**
     * Adds rows to those of a table: {@code table[indices[r]] += x[r]}, r descending. See {@link KernelSet#scatterAdd}.
     *
     * @param x (R, N)
     * @param indices R rows of the table; one may occur again
     * @param table (V, N), accumulated into
     * @throws IndexOutOfBoundsException if an index is not in [0, V)
     */
    public void scatterAdd(Slice x, Indices indices, Slice table) {
        rows.scatterAdd(x, indices, table);
    }

    // Reductions: a vector is one row, or rows that lie one behind the other, and the sums run over all of it

    /** Returns the sum of x. See {@link Kernels#sum}. */
    public float sum(Slice x) {
        return reductions.sum(x);
    }

    /** Returns the largest element of x, NaNs not counted; -infinity if there is none. */
    public float max(Slice x) {
        return reductions.max(x);
    }

    /** Returns the smallest element of x, NaNs not counted; infinity if there is none. */
    public float min(Slice x) {
        return reductions.min(x);
    }

    /** Returns the index of the first element of x that equals {@link #max}; -1 if there is none but NaNs. */
    public long argMax(Slice x) {
        return reductions.argMax(x);
    }

    /** Returns the dot product of x and y, as many elements each. See {@link Kernels#dot}. */
    public float dot(Slice x, Slice y) {
        return reductions.dot(x, y);
    }

    /** Returns the Euclidean norm of x, infinite only if it is too large for a float. See {@link Kernels#nrm2}. */
    public float nrm2(Slice x) {
        return reductions.nrm2(x);
    }

    // Products

    /**
     * Matrix times vector: {@code y = alpha * op(a) * x + beta * y}. See {@link KernelSet#gemv}.
     *
     * @param a (M, N)
     * @param x (1, N), transposed (1, M)
     * @param y (1, M), transposed (1, N)
     */
    public void gemv(Transpose transpose, float alpha, Slice a, Slice x, float beta, Slice y) {
        products.gemv(transpose, alpha, a, x, beta, y);
    }

    /**
     * Matrix times matrix: {@code c = alpha * op(a) * op(b) + beta * c}. See {@link KernelSet#gemm}.
     *
     * @param a op(a) is (M, K)
     * @param b op(b) is (K, N)
     * @param c (M, N)
     */
    public void gemm(Transpose transposeA, Transpose transposeB, float alpha, Slice a, Slice b, float beta, Slice c) {
        products.gemm(transposeA, transposeB, alpha, a, b, beta, c);
    }

    // Packed products

    /**
     * Packs weights once for many products: returns a copy of op(w) in the order in which {@link #multiplyAdd} reads it.
     *
     * @param w op(w) is (K, G * H): K inputs, and the columns gate by gate. What PyTorch calls {@code weight}, (G * H, K), is packed with
     *     {@link Transpose#YES}
     * @param gates G, which divides the columns of op(w); 1 for anything but a recurrent cell
     */
    public PackedMatrix pack(Transpose transpose, Slice w, int gates) {
        return products.pack(transpose, w, gates);
    }

    /**
     * Adds a product: {@code out += a * w}, one fma per term, k ascending. See {@link KernelSet#multiplyAdd}.
     *
     * @param a (R, K)
     * @param w K inputs
     * @param out (R, G * H), gate by gate without padding; accumulated into
     */
    public void multiplyAdd(Slice a, PackedMatrix w, Slice out) {
        products.multiplyAdd(a, w, out);
    }

    // Cells: elementwise from pre-activations to states, and back

    /**
     * Simple cell: {@code h' = f(z)}. See {@link KernelSet#rnnForward}.
     *
     * @param z (B, H) pre-activations
     * @param h (B, H) overwritten; may be z
     */
    public void rnnForward(Activation f, Slice z, Slice h) {
        cells.rnnForward(f, z, h);
    }

    /**
     * Simple cell: {@code dz = dh * f'}. See {@link KernelSet#rnnBackward}.
     *
     * @param h (B, H) the output of the forward pass
     * @param dh (B, H)
     * @param dz (B, H) overwritten
     */
    public void rnnBackward(Activation f, Slice h, Slice dh, Slice dz) {
        cells.rnnBackward(f, h, dh, dz);
    }

    /**
     * LSTM: from pre-activations to states. See {@link KernelSet#lstmForward}.
     *
     * @param z (B, 4H), gates i f g o: pre-activations, overwritten with activations
     * @param cPrevious (B, H)
     * @param c (B, H) overwritten; may be cPrevious
     * @param h (B, H) overwritten
     */
    public void lstmForward(Slice z, Slice cPrevious, Slice c, Slice h) {
        cells.lstmForward(z, cPrevious, c, h);
    }

    /**
     * LSTM: from the gradients of states to those of pre-activations. See {@link KernelSet#lstmBackward}.
     *
     * @param z (B, 4H), gates i f g o: activations, overwritten with gradients of the pre-activations
     * @param cPrevious (B, H)
     * @param c (B, H)
     * @param dh (B, H) gradient of the output
     * @param dc (B, H) gradient of c, overwritten with that of cPrevious
     */
    public void lstmBackward(Slice z, Slice cPrevious, Slice c, Slice dh, Slice dc) {
        cells.lstmBackward(z, cPrevious, c, dh, dc);
    }

    /**
     * GRU, reset after the product (PyTorch, cuDNN). See {@link KernelSet#gruForward}.
     *
     * @param z (B, 4H), gates n r u m: pre-activations, n from the inputs and m from h; overwritten with activations, m kept
     * @param hPrevious (B, H)
     * @param h (B, H) overwritten; may be hPrevious
     */
    public void gruForward(Slice z, Slice hPrevious, Slice h) {
        cells.gruForward(z, hPrevious, h);
    }

    /**
     * GRU, reset after: the gradients. See {@link KernelSet#gruBackward}.
     *
     * @param z (B, 4H), gates n r u m: activations, overwritten with gradients of the pre-activations
     * @param hPrevious (B, H)
     * @param dh (B, H)
     * @param dhPrevious (B, H) accumulated into
     */
    public void gruBackward(Slice z, Slice hPrevious, Slice dh, Slice dhPrevious) {
        cells.gruBackward(z, hPrevious, dh, dhPrevious);
    }

    /**
     * GRU, reset before the product, first half (Cho et al. 2014): {@code s = r * hPrevious}. See {@link KernelSet#gruResetForward}.
     *
     * @param z (B, 4H), gates r u n s: pre-activations r u; overwritten, n kept
     * @param hPrevious (B, H)
     */
    public void gruResetForward(Slice z, Slice hPrevious) {
        cells.gruResetForward(z, hPrevious);
    }

    /**
     * GRU, reset before, second half. See {@link KernelSet#gruMixForward}.
     *
     * @param z (B, 4H), gates r u n s: n a pre-activation, overwritten with its activation
     * @param hPrevious (B, H)
     * @param h (B, H) overwritten; may be hPrevious
     */
    public void gruMixForward(Slice z, Slice hPrevious, Slice h) {
        cells.gruMixForward(z, hPrevious, h);
    }

    /**
     * GRU, reset before: the gradients of {@link #gruMixForward}. See {@link KernelSet#gruMixBackward}.
     *
     * @param z (B, 4H), gates r u n s: u and n overwritten with gradients of their pre-activations
     * @param hPrevious (B, H)
     * @param dh (B, H)
     * @param dhPrevious (B, H) accumulated into
     */
    public void gruMixBackward(Slice z, Slice hPrevious, Slice dh, Slice dhPrevious) {
        cells.gruMixBackward(z, hPrevious, dh, dhPrevious);
    }

    /**
     * GRU, reset before: the gradients of {@link #gruResetForward}. See {@link KernelSet#gruResetBackward}.
     *
     * @param z (B, 4H), gates r u n s: r overwritten with the gradient of its pre-activation
     * @param hPrevious (B, H)
     * @param ds (B, H)
     * @param dhPrevious (B, H) accumulated into
     */
    public void gruResetBackward(Slice z, Slice hPrevious, Slice ds, Slice dhPrevious) {
        cells.gruResetBackward(z, hPrevious, ds, dhPrevious);
    }
}
