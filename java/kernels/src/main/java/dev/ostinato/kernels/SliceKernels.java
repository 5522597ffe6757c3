package dev.ostinato.kernels;

import java.lang.ref.Reference;

/**
 * The operations that other libraries need, on memory that belongs to them: arrays and segments, as {@link Slice}s. Every result has the bits
 * of the operation of the same name in {@link Kernels}, whose matrices need no copies.
 *
 * <p>Pieces of a few kilobytes are copied to memory of ours, computed there and copied back, because nothing public can keep another thread
 * from closing an arena. So nothing that is done to a slice can crash the virtual machine. An argument is examined before anything
 * is written; an arena that is closed later, while a call runs, makes that call throw, and its output is then written in part.
 *
 * <p>An output may be an input if both are the same slice, element by element, where that is said; otherwise they may not overlap.
 *
 * <p>Every method throws {@link IllegalArgumentException} for a wrong shape, an output that is read-only and operands that overlap,
 * {@link IllegalStateException} if an arena has been closed and {@link WrongThreadException} if it is confined to another thread. Instances
 * are safe for all threads. Calls of sizes that have occurred allocate nothing, as long as there are a dozen sizes and not hundreds.
 */
public final class SliceKernels {
    /** Rows, columns and terms of a product taken at a time: 256 KB for each operand, so that they stay in L2. */
    private static final int PRODUCT_PIECE = 256;
    /** Rows whose dot products are taken at a time, with {@link #DOT_TERMS} terms of each: 128 KB. */
    private static final int DOT_ROWS = 32;
    private static final int DOT_TERMS = 1024;

    private final Kernels kernels;
    private final KernelSet set;

    SliceKernels(Kernels kernels, KernelSet set) {
        this.kernels = kernels;
        this.set = set;
    }

    // Elementwise

    /** Applies a function: {@code y = f(x)}, same shapes; y may be x. See {@link KernelSet#apply}. */
    public void apply(Function f, Slice x, Slice y) {
        overwrites("x", x, "y", y);
        boolean flat = x.flat() && y.flat();
        Stage stage = Stage.take();
        try {
            for (long run = 0; run < runs(flat, x); run++) {
                for (long i = 0; i < length(flat, x); i += Stage.CHUNK) {
                    Matrix piece = stage.a().read(x, run, 1, i, chunk(flat, x, i));
                    kernels.apply(f, piece, piece);
                    stage.a().write(y, run, i);
                }
            }
        } finally {
            stage.give();
        }
    }

    /** Gradient of a function: {@code dx = dy * f'}, same shapes; dx may be v or dy. See {@link KernelSet#applyBackward}. */
    public void applyBackward(Function f, Slice v, Slice dy, Slice dx) {
        overwrites("v", v, "dx", dx);
        overwrites("dy", dy, "dx", dx);
        boolean flat = v.flat() && dy.flat() && dx.flat();
        Stage stage = Stage.take();
        try {
            for (long run = 0; run < runs(flat, v); run++) {
                for (long i = 0; i < length(flat, v); i += Stage.CHUNK) {
                    int count = chunk(flat, v, i);
                    Matrix gradient = stage.b().read(dy, run, 1, i, count);
                    kernels.applyBackward(f, stage.a().read(v, run, 1, i, count), gradient, gradient);
                    stage.b().write(dx, run, i);
                }
            }
        } finally {
            stage.give();
        }
    }

    /** Scales in place: {@code x = x * factor}. */
    public void scale(Slice x, float factor) {
        x.check("x", true);
        boolean flat = x.flat();
        Stage stage = Stage.take();
        try {
            for (long run = 0; run < runs(flat, x); run++) {
                for (long i = 0; i < length(flat, x); i += Stage.CHUNK) {
                    kernels.scale(stage.a().read(x, run, 1, i, chunk(flat, x, i)), factor);
                    stage.a().write(x, run, i);
                }
            }
        } finally {
            stage.give();
        }
    }

    /** Multiplies elementwise in place: {@code x = x * y}, same shapes; y may be x. */
    public void multiply(Slice x, Slice y) {
        overwrites("y", y, "x", x);
        boolean flat = x.flat() && y.flat();
        Stage stage = Stage.take();
        try {
            for (long run = 0; run < runs(flat, x); run++) {
                for (long i = 0; i < length(flat, x); i += Stage.CHUNK) {
                    int count = chunk(flat, x, i);
                    kernels.multiply(stage.a().read(x, run, 1, i, count), stage.b().read(y, run, 1, i, count));
                    stage.a().write(x, run, i);
                }
            }
        } finally {
            stage.give();
        }
    }

    /** Adds a multiple: {@code y = fma(alpha, x, y)}, same shapes; y may be x. */
    public void axpy(float alpha, Slice x, Slice y) {
        overwrites("x", x, "y", y);
        boolean flat = x.flat() && y.flat();
        Stage stage = Stage.take();
        try {
            for (long run = 0; run < runs(flat, x); run++) {
                for (long i = 0; i < length(flat, x); i += Stage.CHUNK) {
                    int count = chunk(flat, x, i);
                    kernels.axpy(alpha, stage.a().read(x, run, 1, i, count), stage.b().read(y, run, 1, i, count));
                    stage.b().write(y, run, i);
                }
            }
        } finally {
            stage.give();
        }
    }

    // Rows. A row is staged as a whole.

    /** Softmax of each row, (R, V); y may be x. See {@link KernelSet#softmax}. */
    public void softmax(Slice x, Slice y) {
        overwrites("x", x, "y", y);
        Stage stage = Stage.take();
        try {
            int most = rowsAtATime(x.columns());
            for (long r = 0; r < x.rows(); r += most) {
                Matrix piece = stage.a().read(x, r, (int) Math.min(most, x.rows() - r), 0, x.columns());
                kernels.softmax(piece, piece);
                stage.a().write(y, r, 0);
            }
        } finally {
            stage.give();
        }
    }

    /** Logarithm of the softmax of each row, (R, V); y may be x. See {@link KernelSet#logSoftmax}. */
    public void logSoftmax(Slice x, Slice y) {
        overwrites("x", x, "y", y);
        Stage stage = Stage.take();
        try {
            int most = rowsAtATime(x.columns());
            for (long r = 0; r < x.rows(); r += most) {
                Matrix piece = stage.a().read(x, r, (int) Math.min(most, x.rows() - r), 0, x.columns());
                kernels.logSoftmax(piece, piece);
                stage.a().write(y, r, 0);
            }
        } finally {
            stage.give();
        }
    }

    // Reductions: a vector is one row, or rows that lie one behind the other, and the sums run over all of it

    /** Returns the sum of x. See {@link Kernels#sum}. */
    public float sum(Slice x) {
        vector("x", x);
        Stage stage = Stage.take();
        try {
            Partials partials = Partials.take(0f);
            for (long i = 0; i < x.count(); i += Stage.CHUNK) {
                set.partialSums(stage.a().read(x, 0, 1, i, chunk(true, x, i)), partials.row());
            }
            return partials.sum();
        } finally {
            stage.give();
        }
    }

    /** Returns the largest element of x, NaNs not counted; -infinity if there is none. */
    public float max(Slice x) {
        vector("x", x);
        Stage stage = Stage.take();
        try {
            Partials partials = Partials.take(Float.NEGATIVE_INFINITY);
            for (long i = 0; i < x.count(); i += Stage.CHUNK) {
                set.partialMaxima(stage.a().read(x, 0, 1, i, chunk(true, x, i)), partials.row());
            }
            return partials.max();
        } finally {
            stage.give();
        }
    }

    /** Returns the smallest element of x, NaNs not counted; infinity if there is none. */
    public float min(Slice x) {
        vector("x", x);
        Stage stage = Stage.take();
        try {
            Partials partials = Partials.take(Float.POSITIVE_INFINITY);
            for (long i = 0; i < x.count(); i += Stage.CHUNK) {
                set.partialMinima(stage.a().read(x, 0, 1, i, chunk(true, x, i)), partials.row());
            }
            return partials.min();
        } finally {
            stage.give();
        }
    }

    /** Returns the index of the first element of x that equals {@link #max}; -1 if there is none but NaNs. */
    public long argMax(Slice x) {
        float max = max(x);
        Stage stage = Stage.take();
        try {
            for (long i = 0; i < x.count(); i += Stage.CHUNK) {
                Matrix piece = stage.a().read(x, 0, 1, i, chunk(true, x, i));
                for (int j = 0; j < piece.columns(); j++) {
                    if (piece.get(0, j) == max) {
                        return i + j;
                    }
                }
            }
            return -1;
        } finally {
            stage.give();
        }
    }

    /** Returns the dot product of x and y, as many elements each. See {@link Kernels#dot}. */
    public float dot(Slice x, Slice y) {
        vector("x", x);
        vector("y", y);
        if (x.count() != y.count()) {
            throw new IllegalArgumentException("y: expected " + x.count() + " elements, got " + y.count());
        }
        Stage stage = Stage.take();
        try {
            Partials partials = Partials.take(0f);
            for (long i = 0; i < x.count(); i += Stage.CHUNK) {
                int count = chunk(true, x, i);
                set.partialDots(stage.a().read(x, 0, 1, i, count), stage.b().read(y, 0, 1, i, count), partials.row());
            }
            return partials.sum();
        } finally {
            stage.give();
        }
    }

    /** Returns the Euclidean norm of x, infinite only if it is too large for a float. See {@link Kernels#nrm2}. */
    public float nrm2(Slice x) {
        float squares = dot(x, x);
        return Norm.inRange(squares) ? Norm.root(squares) : scaledNorm(x);
    }

    private static float scaledNorm(Slice x) {
        Stage stage = Stage.take();
        try {
            float largest = 0;
            for (long i = 0; i < x.count(); i += Stage.CHUNK) {
                Matrix piece = stage.a().read(x, 0, 1, i, chunk(true, x, i));
                largest = Norm.largest(piece.address(), piece.columns(), largest);
            }
            if (largest == 0 || largest == Float.POSITIVE_INFINITY) {
                return largest;
            }
            int exponent = Norm.exponent(largest);
            Partials partials = Partials.take(0f);
            for (long i = 0; i < x.count(); i += Stage.CHUNK) {
                Matrix piece = stage.a().read(x, 0, 1, i, chunk(true, x, i));
                Norm.addSquares(piece.address(), piece.columns(), exponent, partials);
            }
            return Norm.scaledRoot(partials.sum(), exponent);
        } finally {
            stage.give();
        }
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
        if (transpose == Transpose.YES) {
            gemm(Transpose.NO, Transpose.NO, alpha, x, a, beta, y);
            return;
        }
        shape("x", x, 1, a.columns());
        shape("y", y, 1, a.rows());
        product("a", a, "x", x, "y", y);
        Stage stage = Stage.take();
        try {
            for (long r = 0; r < a.rows(); r += DOT_ROWS) {
                int rows = (int) Math.min(DOT_ROWS, a.rows() - r);
                Matrix sums = stage.c().view(rows, Matrix.BLOCK);
                sums.clear();
                for (long k = 0; k < a.columns(); k += DOT_TERMS) {
                    int terms = (int) Math.min(DOT_TERMS, a.columns() - k);
                    set.partialDots(stage.a().read(a, r, rows, k, terms), stage.b().read(x, 0, 1, k, terms), sums);
                }
                Matrix results = beta == 0 ? stage.b().view(1, rows) : stage.b().read(y, 0, 1, r, rows);
                for (int i = 0; i < rows; i++) {
                    float sum = Partials.sum(sums.rowAddress(i));
                    results.set(0, i, beta == 0 ? alpha * sum : Math.fma(alpha, sum, beta * results.get(0, i)));
                }
                Reference.reachabilityFence(sums.memory());
                stage.b().write(y, 0, r);
            }
        } finally {
            stage.give();
        }
    }

    /**
     * Matrix times matrix: {@code c = alpha * op(a) * op(b) + beta * c}. See {@link KernelSet#gemm}.
     *
     * @param a op(a) is (M, K)
     * @param b op(b) is (K, N)
     * @param c (M, N)
     */
    public void gemm(Transpose transposeA, Transpose transposeB, float alpha, Slice a, Slice b, float beta, Slice c) {
        int depth = transposeA == Transpose.NO ? a.columns() : a.rows();
        operand("a", a, transposeA, c.rows(), depth);
        operand("b", b, transposeB, depth, c.columns());
        product("a", a, "b", b, "c", c);
        Stage stage = Stage.take();
        try {
            for (long j = 0; j < c.columns(); j += PRODUCT_PIECE) {
                int columns = piece(c.columns(), j);
                for (long k = 0; k == 0 || k < depth; k += PRODUCT_PIECE) {
                    int terms = piece(depth, k);
                    Matrix right = read(stage.b(), b, transposeB, k, terms, j, columns);
                    for (long i = 0; i < c.rows(); i += PRODUCT_PIECE) {
                        int rows = piece(c.rows(), i);
                        Matrix left = read(stage.a(), a, transposeA, i, rows, k, terms);
                        float factor = k == 0 ? beta : 1f;
                        Matrix sums = factor == 0 ? stage.c().view(rows, columns)
                                : stage.c().read(c, i, rows, j, columns);
                        kernels.gemm(transposeA, transposeB, alpha, left, right, factor, sums);
                        stage.c().write(c, i, j);
                    }
                }
            }
        } finally {
            stage.give();
        }
    }

    private static Matrix read(Stage.Block block, Slice slice, Transpose transpose, long row, int rows, long column,
            int columns) {
        return transpose == Transpose.NO
                ? block.read(slice, row, rows, column, columns)
                : block.read(slice, column, columns, row, rows);
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
        w.check("w", false);
        boolean plain = transpose == Transpose.NO;
        int inputs = plain ? w.rows() : w.columns();
        int outputs = plain ? w.columns() : w.rows();
        if (gates < 1 || outputs % gates != 0) {
            throw new IllegalArgumentException(
                    "gates: expected a divisor of the " + outputs + " columns of op(w), got " + gates);
        }
        PackedMatrix packed = PackedMatrix.of(inputs, gates, outputs / gates);
        Stage stage = Stage.take();
        try {
            for (int r = 0; r < w.rows(); r++) {
                for (long i = 0; i < w.columns(); i += Stage.CHUNK) {
                    Matrix piece = stage.a().read(w, r, 1, i, (int) Math.min(Stage.CHUNK, w.columns() - i));
                    for (int j = 0; j < piece.columns(); j++) {
                        int input = plain ? r : (int) i + j;
                        int output = plain ? (int) i + j : r;
                        packed.set(input, output / packed.units(), output % packed.units(), piece.get(0, j));
                    }
                }
            }
        } finally {
            stage.give();
        }
        return packed;
    }

    /**
     * Adds a product: {@code out += a * w}, one fma per term, k ascending. See {@link KernelSet#multiplyAdd}.
     *
     * @param a (R, K)
     * @param w K inputs
     * @param out (R, G * H), gate by gate without padding; accumulated into
     */
    public void multiplyAdd(Slice a, PackedMatrix w, Slice out) {
        shape("a", a, out.rows(), w.inputs());
        shape("out", out, a.rows(), w.gates() * w.units());
        product("a", a, "a", a, "out", out);
        Stage stage = Stage.take();
        try {
            int most = rowsAtATime(Math.max(w.inputs(), w.outputs()));
            for (long r = 0; r < a.rows(); r += most) {
                int rows = (int) Math.min(most, a.rows() - r);
                Matrix sums = stage.c().view(rows, w.outputs());
                sums.clear();
                for (int i = 0; i < rows; i++) {
                    for (int gate = 0; gate < w.gates(); gate++) {
                        out.read(r + i, (long) gate * w.units(), w.units(), sums.memory(), place(sums, i, gate, w));
                    }
                }
                kernels.multiplyAdd(stage.a().read(a, r, rows, 0, w.inputs()), w, sums);
                for (int i = 0; i < rows; i++) {
                    for (int gate = 0; gate < w.gates(); gate++) {
                        out.write(r + i, (long) gate * w.units(), w.units(), sums.memory(), place(sums, i, gate, w));
                    }
                }
            }
        } finally {
            stage.give();
        }
    }

    private static long place(Matrix sums, int row, int gate, PackedMatrix w) {
        return (long) row * sums.stride() + (long) gate * Matrix.padded(w.units());
    }

    // Pieces

    private static long runs(boolean flat, Slice x) {
        return flat ? 1 : x.rows();
    }

    private static long length(boolean flat, Slice x) {
        return flat ? x.count() : x.columns();
    }

    private static int chunk(boolean flat, Slice x, long done) {
        return (int) Math.min(Stage.CHUNK, length(flat, x) - done);
    }

    private static int piece(int size, long done) {
        return (int) Math.min(PRODUCT_PIECE, size - done);
    }

    /** Returns how many rows of that length are staged at a time: 64 KB, or one row. */
    private static int rowsAtATime(int columns) {
        return Math.clamp(4 * Stage.CHUNK / Math.max(1, columns), 1, 64);
    }

    // Checks

    private static void shape(String name, Slice slice, int rows, int columns) {
        if (slice.rows() != rows || slice.columns() != columns) {
            throw new IllegalArgumentException(name + ": expected (" + rows + ", " + columns + "), got "
                    + slice.shape());
        }
    }

    private static void operand(String name, Slice slice, Transpose transpose, int rows, int columns) {
        boolean plain = transpose == Transpose.NO;
        shape(name, slice, plain ? rows : columns, plain ? columns : rows);
    }

    private static void vector(String name, Slice x) {
        if (!x.flat()) {
            throw new IllegalArgumentException(
                    name + ": expected one row, or rows without a gap, got " + x.shape() + " at stride " + x.stride());
        }
        x.check(name, false);
    }

    /** Checks an elementwise operation: both of one shape, and the same place or apart. */
    private static void overwrites(String inputName, Slice input, String outputName, Slice output) {
        shape(outputName, output, input.rows(), input.columns());
        input.check(inputName, false);
        output.check(outputName, true);
        if (!output.isAt(input) && output.overlaps(input)) {
            throw new IllegalArgumentException(
                    outputName + ": overlaps " + inputName + ", of which it is not the same part");
        }
    }

    /** Checks a product, whose output is apart from both operands. */
    private static void product(String aName, Slice a, String bName, Slice b, String outputName, Slice output) {
        a.check(aName, false);
        b.check(bName, false);
        output.check(outputName, true);
        apart(outputName, output, aName, a);
        apart(outputName, output, bName, b);
    }

    private static void apart(String outputName, Slice output, String name, Slice slice) {
        if (output.overlaps(slice)) {
            throw new IllegalArgumentException(outputName + ": overlaps " + name);
        }
    }
}
