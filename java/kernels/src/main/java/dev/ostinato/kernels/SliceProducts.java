package dev.ostinato.kernels;

import java.lang.ref.Reference;

/** The products of {@link SliceKernels}: rows, columns and terms are cut where the sums can be continued. */
final class SliceProducts {
    /** Rows, columns and terms of a product taken at a time: 256 KB for each operand, so that they stay in L2. */
    private static final int PRODUCT_PIECE = 256;
    /** Rows whose dot products are taken at a time, with {@link #DOT_TERMS} terms of each: 128 KB. */
    private static final int DOT_ROWS = 32;
    private static final int DOT_TERMS = 1024;

    private final Kernels kernels;
    private final KernelSet set;

    SliceProducts(Kernels kernels, KernelSet set) {
        this.kernels = kernels;
        this.set = set;
    }

    void gemv(Transpose transpose, float alpha, Slice a, Slice x, float beta, Slice y) {
        if (transpose == Transpose.YES) {
            gemm(Transpose.NO, Transpose.NO, alpha, x, a, beta, y);
            return;
        }
        SliceChecks.shape("x", x, 1, a.columns());
        SliceChecks.shape("y", y, 1, a.rows());
        SliceChecks.product("a", a, "x", x, "y", y);
        try (Stage stage = Stage.take()) {
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
        }
    }

    void gemm(Transpose transposeA, Transpose transposeB, float alpha, Slice a, Slice b, float beta, Slice c) {
        int depth = transposeA == Transpose.NO ? a.columns() : a.rows();
        operand("a", a, transposeA, c.rows(), depth);
        operand("b", b, transposeB, depth, c.columns());
        SliceChecks.product("a", a, "b", b, "c", c);
        try (Stage stage = Stage.take()) {
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
        }
    }

    private static Matrix read(Stage.Block block, Slice slice, Transpose transpose, long row, int rows, long column,
            int columns) {
        return transpose == Transpose.NO
                ? block.read(slice, row, rows, column, columns)
                : block.read(slice, column, columns, row, rows);
    }

    PackedMatrix pack(Transpose transpose, Slice w, int gates) {
        w.check("w", false);
        boolean plain = transpose == Transpose.NO;
        int inputs = plain ? w.rows() : w.columns();
        int outputs = plain ? w.columns() : w.rows();
        if (gates < 1 || outputs % gates != 0) {
            throw new IllegalArgumentException(
                    "gates: expected a divisor of the " + outputs + " columns of op(w), got " + gates);
        }
        PackedMatrix packed = PackedMatrix.of(inputs, gates, outputs / gates);
        try (Stage stage = Stage.take()) {
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
        }
        return packed;
    }

    void multiplyAdd(Slice a, PackedMatrix w, Slice out) {
        SliceChecks.shape("a", a, out.rows(), w.inputs());
        SliceChecks.shape("out", out, a.rows(), (long) w.gates() * w.units());
        SliceChecks.product("a", a, "a", a, "out", out);
        try (Stage stage = Stage.rows(a.rows(), Math.max(w.inputs(), w.outputs()))) {
            while (stage.nextRows()) {
                kernels.multiplyAdd(stage.a().readRows(a), w, stage.b().readGates(out, w.gates()));
                stage.b().writeGates(out, w.gates());
            }
        }
    }

    private static int piece(int size, long done) {
        return (int) Math.min(PRODUCT_PIECE, size - done);
    }

    private static void operand(String name, Slice slice, Transpose transpose, int rows, int columns) {
        boolean plain = transpose == Transpose.NO;
        SliceChecks.shape(name, slice, plain ? rows : columns, plain ? columns : rows);
    }
}
