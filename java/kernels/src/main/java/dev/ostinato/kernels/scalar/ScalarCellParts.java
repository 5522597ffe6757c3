package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.raw.Raw;

/** Parts of cells that are made of several kernels. */
final class ScalarCellParts {
    private ScalarCellParts() {
    }

    static void minGruForward(Matrix z, Matrix hPrevious, Matrix h) {
        int units = h.columns();
        for (int r = 0; r < h.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float update = Elementary.sigmoid(get(z, r, j));
                float before = get(hPrevious, r, j);
                set(z, r, j, update);
                set(h, r, j, Elementary.flush(Math.fma(update, get(z, r, units + j) - before, before)));
            }
        }
    }

    static void minGruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        int units = dh.columns();
        for (int r = 0; r < dh.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float update = get(z, r, j);
                float n = get(z, r, units + j);
                float d = Elementary.flush(get(dh, r, j));
                set(z, r, j, (d * (n - get(hPrevious, r, j))) * (update * (1f - update)));
                set(z, r, units + j, d * update);
                set(dhPrevious, r, j, Math.fma(d, 1f - update, get(dhPrevious, r, j)));
            }
        }
    }

    static void lstmCellForward(Matrix z, Matrix cPrevious, Matrix c) {
        int units = c.columns();
        for (int r = 0; r < c.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float i = Elementary.sigmoid(get(z, r, j));
                float f = Elementary.sigmoid(get(z, r, units + j));
                float g = Elementary.tanh(get(z, r, 2 * units + j));
                set(z, r, j, i);
                set(z, r, units + j, f);
                set(z, r, 2 * units + j, g);
                set(z, r, 3 * units + j, Elementary.sigmoid(get(z, r, 3 * units + j)));
                set(c, r, j, Elementary.flush(Math.fma(f, get(cPrevious, r, j), i * g)));
            }
        }
    }

    static void lstmOutputForward(Matrix z, Matrix m, Matrix h) {
        int units = h.columns();
        for (int r = 0; r < h.rows(); r++) {
            for (int j = 0; j < units; j++) {
                set(h, r, j, Elementary.flush(get(z, r, 3 * units + j) * Elementary.tanh(get(m, r, j))));
            }
        }
    }

    static void lstmOutputBackward(Matrix z, Matrix m, Matrix dh, Matrix dm) {
        int units = dh.columns();
        for (int r = 0; r < dh.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float o = get(z, r, 3 * units + j);
                float t = Elementary.tanh(get(m, r, j));
                float d = Elementary.flush(get(dh, r, j));
                set(z, r, 3 * units + j, (d * t) * (o * (1f - o)));
                set(dm, r, j, (d * o) * Math.fma(-t, t, 1f));
            }
        }
    }

    static void lstmCellBackward(Matrix z, Matrix cPrevious, Matrix dc) {
        int units = dc.columns();
        for (int r = 0; r < dc.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float i = get(z, r, j);
                float f = get(z, r, units + j);
                float g = get(z, r, 2 * units + j);
                float d = Elementary.flush(get(dc, r, j));
                set(z, r, j, (d * g) * (i * (1f - i)));
                set(z, r, units + j, (d * get(cPrevious, r, j)) * (f * (1f - f)));
                set(z, r, 2 * units + j, (d * i) * Math.fma(-g, g, 1f));
                set(dc, r, j, Elementary.flush(d * f));
            }
        }
    }

    static void addScaled(Matrix x, Matrix factors, Matrix y) {
        for (int r = 0; r < x.rows(); r++) {
            for (int j = 0; j < x.columns(); j++) {
                set(y, r, j, Math.fma(get(x, r, j), get(factors, 0, j), get(y, r, j)));
            }
        }
    }

    static void columnDots(Matrix x, Matrix y, Matrix sums) {
        for (int r = x.rows() - 1; r >= 0; r--) {
            for (int j = 0; j < x.columns(); j++) {
                set(sums, 0, j, Math.fma(get(x, r, j), get(y, r, j), get(sums, 0, j)));
            }
        }
    }

    private static float get(Matrix matrix, int row, int column) {
        return Raw.get(matrix.rowAddress(row), column);
    }

    private static void set(Matrix matrix, int row, int column, float value) {
        Raw.set(matrix.rowAddress(row), column, value);
    }
}
