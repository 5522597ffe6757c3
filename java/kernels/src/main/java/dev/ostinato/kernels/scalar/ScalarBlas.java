package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Transpose;
import dev.ostinato.kernels.raw.Raw;

/** Plain linear algebra as the plainest loops. */
final class ScalarBlas {
    private static final int BLOCK = Matrix.BLOCK;

    private ScalarBlas() {
    }

    static void axpy(float alpha, Matrix x, Matrix y) {
        for (int r = 0; r < x.rows(); r++) {
            for (int j = 0; j < x.columns(); j++) {
                set(y, r, j, Math.fma(alpha, get(x, r, j), get(y, r, j)));
            }
        }
    }

    static void partialSums(Matrix x, Matrix p) {
        for (int r = 0; r < x.rows(); r++) {
            for (int j = 0; j < x.columns(); j++) {
                set(p, r, j % BLOCK, get(p, r, j % BLOCK) + get(x, r, j));
            }
        }
    }

    static void partialDots(Matrix a, Matrix x, Matrix p) {
        for (int r = 0; r < a.rows(); r++) {
            for (int k = 0; k < a.columns(); k++) {
                set(p, r, k % BLOCK, Math.fma(get(a, r, k), get(x, 0, k), get(p, r, k % BLOCK)));
            }
        }
    }

    static void partialMaxima(Matrix x, Matrix p) {
        for (int r = 0; r < x.rows(); r++) {
            for (int j = 0; j < x.columns(); j++) {
                if (get(x, r, j) > get(p, r, j % BLOCK)) {
                    set(p, r, j % BLOCK, get(x, r, j));
                }
            }
        }
    }

    static void partialMinima(Matrix x, Matrix p) {
        for (int r = 0; r < x.rows(); r++) {
            for (int j = 0; j < x.columns(); j++) {
                if (get(x, r, j) < get(p, r, j % BLOCK)) {
                    set(p, r, j % BLOCK, get(x, r, j));
                }
            }
        }
    }

    static void gemv(Transpose transpose, float alpha, Matrix a, Matrix x, float beta, Matrix y) {
        if (transpose == Transpose.YES) {
            gemm(Transpose.NO, Transpose.NO, alpha, x, a, beta, y);
            return;
        }
        for (int i = 0; i < a.rows(); i++) {
            float[] partials = new float[BLOCK];
            for (int k = 0; k < a.columns(); k++) {
                partials[k % BLOCK] = Math.fma(get(a, i, k), get(x, 0, k), partials[k % BLOCK]);
            }
            float sum = Reduction.sum(partials);
            set(y, 0, i, beta == 0 ? alpha * sum : Math.fma(alpha, sum, beta * get(y, 0, i)));
        }
    }

    static void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        int depth = transposeA == Transpose.NO ? a.columns() : a.rows();
        for (int i = 0; i < c.rows(); i++) {
            for (int j = 0; j < c.columns(); j++) {
                float acc = beta == 0 ? 0f : beta * get(c, i, j);
                for (int k = 0; k < depth; k++) {
                    acc = Math.fma(alpha * get(transposeA, a, i, k), get(transposeB, b, k, j), acc);
                }
                set(c, i, j, acc);
            }
        }
    }

    private static float get(Transpose transpose, Matrix matrix, int row, int column) {
        return transpose == Transpose.NO ? get(matrix, row, column) : get(matrix, column, row);
    }

    private static float get(Matrix matrix, int row, int column) {
        return Raw.get(matrix.rowAddress(row), column);
    }

    private static void set(Matrix matrix, int row, int column, float value) {
        Raw.set(matrix.rowAddress(row), column, value);
    }
}
