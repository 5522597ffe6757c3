package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.broadcast;
import static dev.ostinato.kernels.vector.Lanes.in;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.store;
import static dev.ostinato.kernels.vector.VectorRows.tree;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.Transpose;
import dev.ostinato.kernels.raw.Pool;
import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Plain linear algebra but for {@link VectorGemm}. Reductions take whole blocks of sixteen in vectors, each vector of a block in a sweep of
 * its own, and the rest one by one.
 */
final class VectorBlas {
    private static final int BLOCK = Matrix.BLOCK;
    private static final long BLOCK_BYTES = (long) BLOCK * Float.BYTES;
    /** Rows whose dot products are summed side by side: one has too few independent sums to hide the latency of an fma. */
    private static final int DOT_ROWS = 8;
    /** Columns of a row times a matrix taken at a time: that piece of y stays in L1 while the rows pass by. */
    private static final int ROW_PRODUCT_COLUMNS = 2048;

    private static final Pool<Memory> PARTIALS = new Pool<>(() -> Memory.ofFloats((long) DOT_ROWS * BLOCK));

    private VectorBlas() {
    }

    static void axpy(float alpha, Matrix x, Matrix y) {
        for (int r = 0; r < x.rows(); r++) {
            VectorRows.addMultiple(alpha, x.rowAddress(r), y.rowAddress(r), bytes(x));
        }
    }

    // Partial results

    static void partialSums(Matrix x, Matrix p) {
        for (int r = 0; r < x.rows(); r++) {
            long row = x.rowAddress(r);
            long end = row + wholeBytes(x);
            for (long v = 0; v < BLOCK_BYTES; v += BYTES) {
                FloatVector sum = load(p.rowAddress(r) + v);
                for (long at = row + v; at < end; at += BLOCK_BYTES) {
                    sum = load(in(at)).add(sum);
                }
                store(sum, p.rowAddress(r) + v);
            }
            for (int j = x.columns() / BLOCK * BLOCK; j < x.columns(); j++) {
                Raw.set(p.rowAddress(r), j % BLOCK, Raw.get(p.rowAddress(r), j % BLOCK) + Raw.get(row, j));
            }
        }
    }

    static void partialMaxima(Matrix x, Matrix p) {
        for (int r = 0; r < x.rows(); r++) {
            long row = x.rowAddress(r);
            long end = row + wholeBytes(x);
            for (long v = 0; v < BLOCK_BYTES; v += BYTES) {
                FloatVector max = load(p.rowAddress(r) + v);
                for (long at = row + v; at < end; at += BLOCK_BYTES) {
                    FloatVector element = load(in(at));
                    max = Lanes.VECTOR.cast(max).blend(element, element.compare(VectorOperators.GT, max));
                }
                store(max, p.rowAddress(r) + v);
            }
            for (int j = x.columns() / BLOCK * BLOCK; j < x.columns(); j++) {
                if (Raw.get(row, j) > Raw.get(p.rowAddress(r), j % BLOCK)) {
                    Raw.set(p.rowAddress(r), j % BLOCK, Raw.get(row, j));
                }
            }
        }
    }

    static void partialMinima(Matrix x, Matrix p) {
        for (int r = 0; r < x.rows(); r++) {
            long row = x.rowAddress(r);
            long end = row + wholeBytes(x);
            for (long v = 0; v < BLOCK_BYTES; v += BYTES) {
                FloatVector min = load(p.rowAddress(r) + v);
                for (long at = row + v; at < end; at += BLOCK_BYTES) {
                    FloatVector element = load(in(at));
                    min = Lanes.VECTOR.cast(min).blend(element, element.compare(VectorOperators.LT, min));
                }
                store(min, p.rowAddress(r) + v);
            }
            for (int j = x.columns() / BLOCK * BLOCK; j < x.columns(); j++) {
                if (Raw.get(row, j) < Raw.get(p.rowAddress(r), j % BLOCK)) {
                    Raw.set(p.rowAddress(r), j % BLOCK, Raw.get(row, j));
                }
            }
        }
    }

    static void partialDots(Matrix a, Matrix x, Matrix p) {
        int r = 0;
        for (; r + DOT_ROWS <= a.rows(); r += DOT_ROWS) {
            dotEightRows(a.rowAddress(r), rowBytes(a), x.address(), wholeBytes(a), p.rowAddress(r), rowBytes(p));
            dotRests(a, r, x, p.rowAddress(r), rowBytes(p), DOT_ROWS);
        }
        for (; r < a.rows(); r++) {
            dotRow(a.rowAddress(r), x.address(), wholeBytes(a), p.rowAddress(r));
            dotRests(a, r, x, p.rowAddress(r), 0, 1);
        }
    }

    private static void dotRow(long a, long x, long bytes, long p) {
        for (long v = 0; v < BLOCK_BYTES; v += BYTES) {
            FloatVector sum = load(p + v);
            for (long j = v; j < bytes; j += BLOCK_BYTES) {
                sum = load(in(a + j)).fma(load(in(x + j)), sum);
            }
            store(sum, p + v);
        }
    }

    private static void dotEightRows(long a, long aRow, long x, long bytes, long p, long pRow) {
        for (long v = 0; v < BLOCK_BYTES; v += BYTES) {
            FloatVector s0 = load(p + v);
            FloatVector s1 = load(p + pRow + v);
            FloatVector s2 = load(p + 2 * pRow + v);
            FloatVector s3 = load(p + 3 * pRow + v);
            FloatVector s4 = load(p + 4 * pRow + v);
            FloatVector s5 = load(p + 5 * pRow + v);
            FloatVector s6 = load(p + 6 * pRow + v);
            FloatVector s7 = load(p + 7 * pRow + v);
            for (long j = v; j < bytes; j += BLOCK_BYTES) {
                FloatVector column = load(in(x + j));
                long at = a + j;
                s0 = load(in(at)).fma(column, s0);
                s1 = load(in(at + aRow)).fma(column, s1);
                s2 = load(in(at + 2 * aRow)).fma(column, s2);
                s3 = load(in(at + 3 * aRow)).fma(column, s3);
                s4 = load(in(at + 4 * aRow)).fma(column, s4);
                s5 = load(in(at + 5 * aRow)).fma(column, s5);
                s6 = load(in(at + 6 * aRow)).fma(column, s6);
                s7 = load(in(at + 7 * aRow)).fma(column, s7);
            }
            store(s0, p + v);
            store(s1, p + pRow + v);
            store(s2, p + 2 * pRow + v);
            store(s3, p + 3 * pRow + v);
            store(s4, p + 4 * pRow + v);
            store(s5, p + 5 * pRow + v);
            store(s6, p + 6 * pRow + v);
            store(s7, p + 7 * pRow + v);
        }
    }

    /** What is left of some rows behind their last whole block. */
    private static void dotRests(Matrix a, int firstRow, Matrix x, long p, long pRow, int rows) {
        for (int r = 0; r < rows; r++) {
            long row = a.rowAddress(firstRow + r);
            for (int k = a.columns() / BLOCK * BLOCK; k < a.columns(); k++) {
                float sum = Raw.get(p + r * pRow, k % BLOCK);
                Raw.set(p + r * pRow, k % BLOCK, Math.fma(Raw.get(row, k), Raw.get(x.address(), k), sum));
            }
        }
    }

    // Matrix times vector

    static void gemv(Transpose transpose, float alpha, Matrix a, Matrix x, float beta, Matrix y) {
        if (transpose == Transpose.YES) {
            rowProduct(alpha, x.address(), Float.BYTES, a, beta, y.address());
            return;
        }
        Memory partials = PARTIALS.take();
        for (int r = 0; r < a.rows(); r += DOT_ROWS) {
            int rows = Math.min(DOT_ROWS, a.rows() - r);
            Raw.zero(partials.address(), (long) rows * BLOCK);
            if (rows == DOT_ROWS) {
                dotEightRows(a.rowAddress(r), rowBytes(a), x.address(), wholeBytes(a), partials.address(), BLOCK_BYTES);
            } else {
                for (int i = 0; i < rows; i++) {
                    dotRow(a.rowAddress(r + i), x.address(), wholeBytes(a), partials.address() + i * BLOCK_BYTES);
                }
            }
            dotRests(a, r, x, partials.address(), BLOCK_BYTES, rows);
            for (int i = 0; i < rows; i++) {
                float sum = tree(partials.address() + i * BLOCK_BYTES);
                float result = beta == 0 ? alpha * sum : Math.fma(alpha, sum, beta * Raw.get(y.address(), r + i));
                Raw.set(y.address(), r + i, result);
            }
        }
        Reference.reachabilityFence(partials);
        PARTIALS.give(partials);
    }

    /** One row of gemm, {@code y = beta * y + (alpha * x) * a}; the elements of x are {@code xStep} bytes apart. */
    static void rowProduct(float alpha, long x, long xStep, Matrix a, float beta, long y) {
        for (int j = 0; j < a.columns(); j += ROW_PRODUCT_COLUMNS) {
            int columns = Math.min(ROW_PRODUCT_COLUMNS, a.columns() - j);
            long offset = (long) j * Float.BYTES;
            long bytes = (long) columns * Float.BYTES;
            scale(beta, y + offset, bytes);
            int r = 0;
            for (; r + 4 <= a.rows(); r += 4) {
                addFourRows(alpha, x + r * xStep, xStep, a.rowAddress(r) + offset, rowBytes(a), y + offset, bytes);
            }
            for (; r < a.rows(); r++) {
                VectorRows.addMultiple(alpha * Raw.get(x + r * xStep), a.rowAddress(r) + offset, y + offset, bytes);
            }
        }
    }

    private static void addFourRows(float alpha, long x, long xStep, long a, long aRow, long y, long bytes) {
        float x0 = alpha * Raw.get(x);
        float x1 = alpha * Raw.get(x + xStep);
        float x2 = alpha * Raw.get(x + 2 * xStep);
        float x3 = alpha * Raw.get(x + 3 * xStep);
        FloatVector f0 = broadcast(x0);
        FloatVector f1 = broadcast(x1);
        FloatVector f2 = broadcast(x2);
        FloatVector f3 = broadcast(x3);
        long whole = bytes / BYTES * BYTES;
        for (long j = 0; j < whole; j += BYTES) {
            long at = a + j;
            FloatVector total = load(in(y + j));
            total = load(in(at)).fma(f0, total);
            total = load(in(at + aRow)).fma(f1, total);
            total = load(in(at + 2 * aRow)).fma(f2, total);
            total = load(in(at + 3 * aRow)).fma(f3, total);
            store(total, in(y + j));
        }
        for (long j = whole; j < bytes; j += Float.BYTES) {
            float total = Math.fma(Raw.get(a + j), x0, Raw.get(y + j));
            total = Math.fma(Raw.get(a + aRow + j), x1, total);
            total = Math.fma(Raw.get(a + 2 * aRow + j), x2, total);
            Raw.set(y + j, 0, Math.fma(Raw.get(a + 3 * aRow + j), x3, total));
        }
    }

    /** {@code y = beta * y}, without reading it if beta is 0. */
    static void scale(float beta, long y, long bytes) {
        if (beta == 0) {
            Raw.zero(y, bytes / Float.BYTES);
        } else if (beta != 1) {
            VectorRows.scale(y, beta, bytes);
        }
    }

    private static long bytes(Matrix matrix) {
        return (long) matrix.columns() * Float.BYTES;
    }

    private static long wholeBytes(Matrix matrix) {
        return matrix.columns() / BLOCK * BLOCK_BYTES;
    }

    private static long rowBytes(Matrix matrix) {
        return (long) matrix.stride() * Float.BYTES;
    }

    static void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        VectorGemm.gemm(transposeA, transposeB, alpha, a, b, beta, c);
    }
}
