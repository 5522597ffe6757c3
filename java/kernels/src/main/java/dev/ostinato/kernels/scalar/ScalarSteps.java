package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.raw.Raw;

/** Steps of cells, unit by unit: the sums of its pre-activations, then its equations. */
final class ScalarSteps {
    private static final int BLOCK = Matrix.BLOCK;

    private ScalarSteps() {
    }

    static void rnn(Activation f, Matrix start, Matrix x, PackedMatrix w, Matrix hPrevious, PackedMatrix u, Matrix h) {
        for (int row = 0; row < h.rows(); row++) {
            long inputs = x.rowAddress(row);
            long before = stateBefore(row, hPrevious, h);
            for (int j = 0; j < h.columns(); j++) {
                float z = product(before, u, 0, j, product(inputs, w, 0, j, start(start, row, h, 0, j)));
                Raw.set(h.rowAddress(row), j, Elementary.flush(ScalarKernels.activation(f, z)));
            }
        }
    }

    static void lstm(Matrix start, Matrix x, PackedMatrix w, Matrix hPrevious, PackedMatrix u, Matrix c, Matrix h) {
        for (int row = 0; row < h.rows(); row++) {
            long inputs = x.rowAddress(row);
            long before = stateBefore(row, hPrevious, h);
            long cell = c.rowAddress(row % hPrevious.rows());
            for (int j = 0; j < h.columns(); j++) {
                float i = product(before, u, 0, j, product(inputs, w, 0, j, start(start, row, h, 0, j)));
                float f = product(before, u, 1, j, product(inputs, w, 1, j, start(start, row, h, 1, j)));
                float g = product(before, u, 2, j, product(inputs, w, 2, j, start(start, row, h, 2, j)));
                float o = product(before, u, 3, j, product(inputs, w, 3, j, start(start, row, h, 3, j)));
                float written = Elementary.sigmoid(i) * Elementary.tanh(g);
                float next = Elementary.flush(Math.fma(Elementary.sigmoid(f), Raw.get(cell, j), written));
                Raw.set(cell, j, next);
                Raw.set(h.rowAddress(row), j, Elementary.flush(Elementary.sigmoid(o) * Elementary.tanh(next)));
            }
        }
    }

    static void gru(Matrix start, Matrix x, PackedMatrix w, Matrix hPrevious, PackedMatrix u, Matrix h) {
        for (int row = 0; row < h.rows(); row++) {
            long inputs = x.rowAddress(row);
            long before = stateBefore(row, hPrevious, h);
            for (int j = 0; j < h.columns(); j++) {
                float fromInputs = product(inputs, w, 0, j, start(start, row, h, 0, j));
                float reset = product(before, u, 0, j, product(inputs, w, 1, j, start(start, row, h, 1, j)));
                float update = product(before, u, 1, j, product(inputs, w, 2, j, start(start, row, h, 2, j)));
                float fromState = product(before, u, 2, j, start(start, row, h, 3, j));
                float n = Elementary.tanh(Math.fma(Elementary.sigmoid(reset), fromState, fromInputs));
                float next = Math.fma(Elementary.sigmoid(update), Raw.get(before, j) - n, n);
                Raw.set(h.rowAddress(row), j, Elementary.flush(next));
            }
        }
    }

    private static long stateBefore(int row, Matrix hPrevious, Matrix h) {
        int streams = hPrevious.rows();
        return row < streams ? hPrevious.rowAddress(row) : h.rowAddress(row - streams);
    }

    private static float start(Matrix start, int row, Matrix h, int slot, int unit) {
        return Raw.get(start.rowAddress(start.rows() == 1 ? 0 : row), (long) slot * h.columns() + unit);
    }

    private static float product(long a, PackedMatrix w, int gate, int unit, float sum) {
        int panel = unit / (w.gates() > 1 ? BLOCK : PackedMatrix.PLAIN_BLOCKS * BLOCK);
        int first = w.output(panel, 0);
        long weights = w.panelAddress(panel);
        long lane = w.gates() > 1 ? (long) gate * BLOCK + unit % BLOCK : unit - first;
        for (int k = 0; k < w.inputs(); k++) {
            sum = Math.fma(Raw.get(a, k), Raw.get(weights, (long) k * w.blocks(panel) * BLOCK + lane), sum);
        }
        return sum;
    }
}
