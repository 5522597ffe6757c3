package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.Sweep;
import dev.ostinato.kernels.raw.Raw;

/** Steps of cells, unit by unit: the sums of its pre-activations, then its equations. */
final class ScalarSteps {
    private static final int BLOCK = Matrix.BLOCK;

    private ScalarSteps() {
    }

    static void rnn(Activation f, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        Scaling scaling = (f.withinOne() ? Scaling.UNIT : Scaling.ROW).ofState(u);
        for (int row = 0; row < h.rows(); row++) {
            long inputs = x.rowAddress(row);
            long before = stateBefore(row, hPrevious, h);
            for (int j = firstUnit(sweep, u); j < endUnit(sweep, u); j++) {
                float z = fromInputs(inputs, w, 0, j, start(start, row, h, 0, j));
                z = product(before, scaling, u, 0, j, z);
                Raw.set(h.rowAddress(row), j, Elementary.flush(ScalarActivations.of(f, z)));
            }
        }
    }

    static void lstm(LstmVariant v, Matrix peepholes, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious,
            PackedWeights u, Sweep sweep, Matrix c, Matrix h) {
        Scaling scaling = v.stateScaling().ofState(u);
        boolean coupled = v.forget() == LstmVariant.Forget.COUPLED;
        int output = v.slots() - 1;
        for (int row = 0; row < h.rows(); row++) {
            long inputs = x.rowAddress(row);
            long before = stateBefore(row, hPrevious, h);
            long cell = c.rowAddress(row % hPrevious.rows());
            for (int j = firstUnit(sweep, u); j < endUnit(sweep, u); j++) {
                float was = Raw.get(cell, j);
                float i = ScalarCells.gate(v, peepholes, 0, j, was,
                        product(before, scaling, u, 0, j, fromInputs(inputs, w, 0, j, start(start, row, h, 0, j))));
                float f = coupled ? 1f - i : ScalarCells.gate(v, peepholes, 1, j, was,
                        product(before, scaling, u, 1, j, fromInputs(inputs, w, 1, j, start(start, row, h, 1, j))));
                float g = ScalarActivations.of(v.candidate(), product(before, scaling, u, output - 1, j,
                        fromInputs(inputs, w, output - 1, j, start(start, row, h, output - 1, j))));
                float next = ScalarCells.cell(v, i, f, g, was);
                float o = ScalarCells.gate(v, peepholes, peepholes.rows() - 1, j, next,
                        product(before, scaling, u, output, j,
                                fromInputs(inputs, w, output, j, start(start, row, h, output, j))));
                Raw.set(cell, j, next);
                Raw.set(h.rowAddress(row), j, Elementary.flush(o * ScalarActivations.of(v.output(), next)));
            }
        }
    }

    static void gru(GruVariant v, Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u,
            Sweep sweep, Matrix h) {
        Scaling scaling = v.stateScaling();
        for (int row = 0; row < h.rows(); row++) {
            long inputs = x.rowAddress(row);
            long before = stateBefore(row, hPrevious, h);
            for (int j = firstUnit(sweep, u); j < endUnit(sweep, u); j++) {
                float n = fromInputs(inputs, w, 0, j, start(start, row, h, 0, j));
                float reset = ScalarActivations.of(v.gates(),
                        product(before, scaling, u, 0, j, fromInputs(inputs, w, 1, j, start(start, row, h, 1, j))));
                float update = ScalarActivations.of(v.gates(),
                        product(before, scaling, u, 1, j, fromInputs(inputs, w, 2, j, start(start, row, h, 2, j))));
                float m = product(before, scaling, u, 2, j, start(start, row, h, 3, j));
                n = ScalarActivations.of(v.candidate(), Math.fma(reset, m, n));
                float next = Math.fma(update, Raw.get(before, j) - n, n);
                Raw.set(h.rowAddress(row), j, Elementary.flush(next));
            }
        }
    }

    private static int firstUnit(Sweep sweep, PackedWeights u) {
        return unit(u.words(), sweep.from(u.words().panels()));
    }

    private static int endUnit(Sweep sweep, PackedWeights u) {
        return unit(u.words(), sweep.to(u.words().panels()));
    }

    /** Returns the first unit of a panel, or behind the last panel the number of them, with padding. */
    private static int unit(PackedMatrix u, int panel) {
        return panel < u.panels() ? u.output(panel, 0) : Matrix.padded(u.units());
    }

    private static long stateBefore(int row, Matrix hPrevious, Matrix h) {
        int streams = hPrevious.rows();
        return row < streams ? hPrevious.rowAddress(row) : h.rowAddress(row - streams);
    }

    private static float start(Matrix start, int row, Matrix h, int slot, int unit) {
        return Raw.get(start.rowAddress(start.rows() == 1 ? 0 : row), (long) slot * h.columns() + unit);
    }

    private static float fromInputs(long x, PackedWeights w, int gate, int unit, float sum) {
        return product(x, Scaling.ROW, w, gate, unit, sum);
    }

    /** Returns what one output becomes when a row's product is added to it. */
    private static float product(long a, Scaling scaling, PackedWeights w, int gate, int unit, float sum) {
        PackedMatrix words = w.words();
        int panel = unit / (w.gates() > 1 ? BLOCK : PackedMatrix.PLAIN_BLOCKS * BLOCK);
        long lane = w.gates() > 1 ? (long) gate * BLOCK + unit % BLOCK : unit - words.output(panel, 0);
        long column = words.panelAddress(panel) + lane * Integer.BYTES;
        long step = (long) words.blocks(panel) * BLOCK;
        return switch (w) {
            case PackedMatrix floats -> floats(a, column, step, floats.inputs(), sum);
            case Bf16Matrix halves -> halves(a, column, step, halves.inputs(), sum);
            case Int8Matrix levels -> levels(a, scaling, column, step, levels,
                    Raw.get(levels.scales().address(), (long) gate * Matrix.padded(w.units()) + unit), sum);
        };
    }

    /** A column of weights: word k is {@code k * step} words on. */
    private static float floats(long a, long column, long step, int inputs, float sum) {
        for (int k = 0; k < inputs; k++) {
            sum = Math.fma(Raw.get(a, k), Raw.get(column, k * step), sum);
        }
        return sum;
    }

    private static float halves(long a, long column, long step, int inputs, float sum) {
        for (int k = 0; k < inputs; k++) {
            int word = Raw.getInt(column, k / 2 * step);
            float weight = Float.intBitsToFloat(k % 2 == 0 ? word << Short.SIZE : word & 0xffff0000);
            sum = Math.fma(Raw.get(a, k), weight, sum);
        }
        return sum;
    }

    /** The row is quantised once more for every output, so that nothing needs to be kept. */
    private static float levels(long a, Scaling scaling, long column, long step, Int8Matrix w, float scale, float sum) {
        if (w.inputs() == 0) {
            return sum;
        }
        float m = Quantization.largestMagnitude(a, w.inputs());
        float rowScale = Quantization.scale(scaling, m);
        float factor = Quantization.factor(scaling, m);
        int levels = 0;
        for (int k = 0; k < w.inputs() && !Float.isNaN(rowScale); k++) {
            int level = (Quantization.storedLevel(Raw.get(a, k), factor) & 0xff) - QuantizedRows.ZERO;
            levels += level * (byte) (Raw.getInt(column, k / 4 * step) >> (k % 4 * Byte.SIZE));
        }
        return Math.fma((float) levels, rowScale * scale, sum);
    }
}
