package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;

/** Which packed rows belong to a stream, and how they become one. */
final class PooledRows {
    private final Layer.Pooling pooling;
    /** Of each stream its packed rows, first step first. */
    private final int[][] members;

    PooledRows(Layer.Pooling pooling, Sequences sequences) {
        this.pooling = pooling;
        this.members = sequences.packedRows();
    }

    /** Overwrites y, (B, N), from x, (all, N). */
    void forward(Kernels k, Matrix x, Matrix y) {
        y.clear();
        for (int b = 0; b < members.length; b++) {
            int[] rows = members[b];
            if (rows.length == 0) {
                continue;
            }
            Matrix to = row(y, b);
            switch (pooling) {
                case LAST -> to.copyFrom(row(x, rows[rows.length - 1]));
                case MEAN -> {
                    for (int row : rows) {
                        k.axpy(1, row(x, row), to);
                    }
                    k.scale(to, 1f / rows.length);
                }
                case MAX -> {
                    to.copyFrom(row(x, rows[0]));
                    for (int row : rows) {
                        greatest(x, row, to);
                    }
                }
            }
        }
    }

    private static void greatest(Matrix x, int row, Matrix to) {
        for (int j = 0; j < to.columns(); j++) {
            float value = x.get(row, j);
            if (!(value <= to.get(0, j))) { // a NaN stays
                to.set(0, j, value);
            }
        }
    }

    /** Adds to dx, (all, N), the gradient dy of y, (B, N), that {@link #forward} made of x. */
    void backward(Kernels k, Matrix x, Matrix y, Matrix dy, Matrix dx) {
        for (int b = 0; b < members.length; b++) {
            int[] rows = members[b];
            if (rows.length == 0) {
                continue;
            }
            switch (pooling) {
                case LAST -> k.axpy(1, row(dy, b), row(dx, rows[rows.length - 1]));
                case MEAN -> {
                    for (int row : rows) {
                        k.axpy(1f / rows.length, row(dy, b), row(dx, row));
                    }
                }
                case MAX -> {
                    for (int j = 0; j < y.columns(); j++) {
                        addToGreatest(rows, j, x, y.get(b, j), dy.get(b, j), dx);
                    }
                }
            }
        }
    }

    /** The first of equals gets all. */
    private static void addToGreatest(int[] rows, int column, Matrix x, float greatest, float gradient, Matrix dx) {
        for (int row : rows) {
            if (x.get(row, column) == greatest) {
                dx.set(row, column, dx.get(row, column) + gradient);
                return;
            }
        }
    }

    private static Matrix row(Matrix matrix, int row) {
        return matrix.rows(row, row + 1);
    }
}
