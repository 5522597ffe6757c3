package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.AdamStep;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.Slice;
import dev.ostinato.kernels.SliceKernels;
import dev.ostinato.kernels.Transpose;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On slices every operation has the bits that it has on matrices, whatever is taken at a time, and touches nothing between rows. */
@ParameterizedClass(name = "{0}")
@MethodSource("backends")
final class SliceKernelsTest {
    private static final float MARGIN = 77f;

    private final Kernels kernels;
    private final SliceKernels slices;
    private final SplittableRandom random = new SplittableRandom(5);

    SliceKernelsTest(String backend) {
        kernels = Backends.kernels(backend);
        slices = kernels.slices();
    }

    static Stream<String> backends() {
        return ExactBackends.names();
    }

    /** An operand in both forms. */
    private final class Operand {
        private final int offset = 5 + random.nextInt(20);
        private final int rows;
        private final int gates;
        private final int units;
        private final int pitch;
        private final int stride;
        private final float[] array;
        private final MemorySegment segment;
        private final Matrix matrix;
        private final Slice slice;

        Operand(int rows, int columns) {
            this(rows, 1, columns, columns);
        }

        /** Rows of gates, each {@code pitch} columns from the one before in the matrix, and without padding in the slice. */
        Operand(int rows, int gates, int units, int pitch) {
            this.rows = rows;
            this.gates = gates;
            this.units = units;
            this.pitch = pitch;
            int columns = gates * units;
            stride = columns + (random.nextBoolean() ? 0 : 3);
            array = new float[offset + rows * stride + 9];
            Arrays.fill(array, MARGIN);
            matrix = Matrix.of(rows, gates * pitch);
            for (int r = 0; r < rows; r++) {
                for (int j = 0; j < columns; j++) {
                    array[offset + r * stride + j] = (float) random.nextGaussian();
                }
                for (int gate = 0; gate < gates; gate++) {
                    gate(gate).setRow(r, array, offset + r * stride + gate * units);
                }
            }
            boolean heap = random.nextBoolean();
            segment = heap ? MemorySegment.ofArray(array) : copy(array);
            slice = heap ? Slice.of(array, offset, rows, columns, stride)
                    : Slice.of(segment, offset * 4L, rows, columns, stride);
        }

        private Matrix gate(int gate) {
            return matrix.columns(gate * pitch, gate * pitch + units);
        }

        private static MemorySegment copy(float[] array) {
            MemorySegment copy = Arena.ofAuto().allocate(array.length * 4L, 4);
            MemorySegment.copy(array, 0, copy, ValueLayout.JAVA_FLOAT, 0, array.length);
            return copy;
        }

        /** Checks that the slice has become what the matrix has, and the rest is as it was. */
        void check(String what) {
            float[] expected = array.clone();
            Arrays.fill(expected, MARGIN);
            for (int r = 0; r < rows; r++) {
                for (int gate = 0; gate < gates; gate++) {
                    gate(gate).getRow(r, expected, offset + r * stride + gate * units);
                }
            }
            float[] actual = segment.toArray(ValueLayout.JAVA_FLOAT);
            int differs = Arrays.mismatch(expected, actual);
            assertEquals(-1, differs, () -> what + ": expected " + expected[differs] + ", got " + actual[differs]);
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 5", "1, 1", "3, 17", "64, 64", "2, 4099", "3, 9000", "700, 30"})
    void elementwise(int rows, int columns) {
        Operand x = new Operand(rows, columns);
        Operand y = new Operand(rows, columns);
        for (Function f : Function.values()) {
            kernels.apply(f, x.matrix, y.matrix);
            slices.apply(f, x.slice, y.slice);
            y.check("apply " + f);
            kernels.applyBackward(f, x.matrix, y.matrix, y.matrix);
            slices.applyBackward(f, x.slice, y.slice, y.slice);
            y.check("applyBackward " + f);
        }
        kernels.axpy(0.3f, x.matrix, y.matrix);
        slices.axpy(0.3f, x.slice, y.slice);
        y.check("axpy");
        kernels.multiply(y.matrix, x.matrix);
        slices.multiply(y.slice, x.slice);
        y.check("multiply");
        kernels.scale(y.matrix, 1.7f);
        slices.scale(y.slice, 1.7f);
        y.check("scale");
        kernels.softmax(x.matrix, y.matrix);
        slices.softmax(x.slice, y.slice);
        y.check("softmax");
        kernels.logSoftmax(x.matrix, x.matrix);
        slices.logSoftmax(x.slice, x.slice);
        x.check("logSoftmax in place");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 17, 4096, 4099, 9000})
    void optimisers(int count) {
        Operand w = new Operand(1, count);
        Operand dw = new Operand(1, count);
        Operand m = new Operand(1, count);
        Operand v = new Operand(1, count);
        kernels.multiply(v.matrix, v.matrix);
        slices.multiply(v.slice, v.slice);
        AdamStep step = AdamStep.at(3, 1e-3, 0.9, 0.999, 1e-8, 0.7f);
        kernels.adam(w.matrix, dw.matrix, m.matrix, v.matrix, step);
        slices.adam(w.slice, dw.slice, m.slice, v.slice, step);
        w.check("w, adam");
        m.check("m");
        v.check("v");
        kernels.sgd(w.matrix, dw.matrix, v.matrix, 0.7f, 0.1f, 0.9f);
        slices.sgd(w.slice, dw.slice, v.slice, 0.7f, 0.1f, 0.9f);
        w.check("w, sgd");
        v.check("velocity");
    }

    @Test
    void optimisersOfRowsApart() {
        Operand w = new Operand(5, 17);
        Operand dw = new Operand(5, 17);
        Operand v = new Operand(5, 17);
        for (int r = 0; r < 5; r++) {
            kernels.sgd(w.matrix.rows(r, r + 1), dw.matrix.rows(r, r + 1), v.matrix.rows(r, r + 1), 1f, 0.1f, 0.9f);
        }
        slices.sgd(w.slice, dw.slice, v.slice, 1f, 0.1f, 0.9f);
        w.check("w");
        v.check("v");
    }

    @ParameterizedTest
    @CsvSource({"0, 5", "1, 1", "3, 17", "64, 64", "65, 33", "2, 4099", "3, 20000", "700, 30"})
    void layerNorm(int rows, int columns) {
        Operand x = new Operand(rows, columns);
        Operand gain = new Operand(1, columns);
        Operand bias = new Operand(1, columns);
        Operand y = new Operand(rows, columns);
        Operand statistics = new Operand(rows, 2);
        kernels.layerNormForward(x.matrix, gain.matrix, bias.matrix, 1e-5f, y.matrix, statistics.matrix);
        slices.layerNormForward(x.slice, gain.slice, bias.slice, 1e-5f, y.slice, statistics.slice);
        y.check("y");
        statistics.check("statistics");
        Operand dGain = new Operand(1, columns);
        Operand dBias = new Operand(1, columns);
        for (Operand dx : new Operand[] {new Operand(rows, columns), y, x}) {
            kernels.layerNormBackward(x.matrix, gain.matrix, statistics.matrix, y.matrix, dx.matrix, dGain.matrix,
                    dBias.matrix);
            slices.layerNormBackward(x.slice, gain.slice, statistics.slice, y.slice, dx.slice, dGain.slice,
                    dBias.slice);
            dx.check("dx");
            dGain.check("dGain");
            dBias.check("dBias");
        }
        kernels.layerNormForward(y.matrix, gain.matrix, bias.matrix, 0.1f, y.matrix, statistics.matrix);
        slices.layerNormForward(y.slice, gain.slice, bias.slice, 0.1f, y.slice, statistics.slice);
        y.check("in place");
    }

    @ParameterizedTest
    @CsvSource({"0, 5", "1, 1", "3, 17", "65, 33", "2, 4099", "3, 20000", "700, 30"})
    void losses(int rows, int classes) {
        Operand x = new Operand(rows, classes);
        Operand losses = new Operand(rows, 1);
        Indices targets = indices(rows, classes);
        kernels.crossEntropyForward(x.matrix, targets, losses.matrix);
        slices.crossEntropyForward(x.slice, targets, losses.slice);
        x.check("softmax");
        losses.check("losses");
        kernels.crossEntropyBackward(x.matrix, targets, 0.3f);
        slices.crossEntropyBackward(x.slice, targets, 0.3f);
        x.check("gradient");
        Operand y = new Operand(rows, classes);
        kernels.squaredError(y.matrix, x.matrix, losses.matrix, 0.5f, 0.7f);
        slices.squaredError(y.slice, x.slice, losses.slice, 0.5f, 0.7f);
        y.check("gradient of the squared error");
        losses.check("squared errors");
    }

    @ParameterizedTest
    @CsvSource({"0, 7, 5", "1, 1, 1", "30, 9, 17", "200, 5, 33", "3, 2, 20000", "4, 3, 0"})
    void tables(int rows, int entries, int columns) {
        Operand table = new Operand(entries, columns);
        Operand out = new Operand(rows, columns);
        Indices indices = indices(rows, entries);
        kernels.gather(table.matrix, indices, out.matrix);
        slices.gather(table.slice, indices, out.slice);
        out.check("gather");
        Operand x = new Operand(rows, columns);
        kernels.scatterAdd(x.matrix, indices, table.matrix);
        slices.scatterAdd(x.slice, indices, table.slice);
        table.check("scatterAdd");
        Operand sums = new Operand(1, columns);
        kernels.columnSums(x.matrix, sums.matrix);
        slices.columnSums(x.slice, sums.slice);
        sums.check("columnSums");
    }

    private Indices indices(int count, int bound) {
        return Indices.of(random.ints(count, 0, bound).toArray());
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "15", "17", "4095", "4096", "4097", "8195", "20000"})
    void reductions(int count) {
        Operand x = new Operand(1, count);
        Operand y = new Operand(1, count);
        assertEquals(kernels.sum(x.matrix), slices.sum(x.slice));
        assertEquals(kernels.max(x.matrix), slices.max(x.slice));
        assertEquals(kernels.min(x.matrix), slices.min(x.slice));
        assertEquals(kernels.argMax(x.matrix), slices.argMax(x.slice));
        assertEquals(kernels.dot(x.matrix, y.matrix), slices.dot(x.slice, y.slice));
        for (float scale : new float[] {1f, 0x1p-100f, 0x1p-45f, 0x1p110f, 0x1p-130f}) {
            kernels.scale(x.matrix, scale);
            slices.scale(x.slice, scale);
            assertEquals(kernels.nrm2(x.matrix), slices.nrm2(x.slice), () -> "at " + scale);
            kernels.scale(x.matrix, 1 / scale);
            slices.scale(x.slice, 1 / scale);
        }
    }

    @Test
    void rowsWithoutAGapAreOneVector() {
        float[] values = {1, 2, 3, 4, 5, 6};
        assertEquals(21f, slices.sum(Slice.of(values, 0, 2, 3, 3)));
        assertEquals(91f, slices.dot(Slice.of(values, 0, 2, 3, 3), Slice.of(values)));
    }

    @ParameterizedTest
    @CsvSource({"0, 3", "1, 1", "5, 17", "33, 1025", "70, 3000"})
    void gemv(int rows, int columns) {
        for (Transpose transpose : Transpose.values()) {
            for (float beta : new float[] {0f, 1f, -0.3f}) {
                Operand a = new Operand(rows, columns);
                Operand x = new Operand(1, transpose == Transpose.NO ? columns : rows);
                Operand y = new Operand(1, transpose == Transpose.NO ? rows : columns);
                kernels.gemv(transpose, 0.7f, a.matrix, x.matrix, beta, y.matrix);
                slices.gemv(transpose, 0.7f, a.slice, x.slice, beta, y.slice);
                y.check("gemv " + transpose + ", beta " + beta);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 3, 2", "2, 0, 3", "1, 1, 1", "17, 5, 33", "260, 7, 300", "4, 530, 9", "1, 300, 700"})
    void gemm(int rows, int depth, int columns) {
        for (Transpose ta : Transpose.values()) {
            for (Transpose tb : Transpose.values()) {
                for (float beta : new float[] {0f, 1f, -0.3f}) {
                    Operand a = ta == Transpose.NO ? new Operand(rows, depth) : new Operand(depth, rows);
                    Operand b = tb == Transpose.NO ? new Operand(depth, columns) : new Operand(columns, depth);
                    Operand c = new Operand(rows, columns);
                    kernels.gemm(ta, tb, 0.7f, a.matrix, b.matrix, beta, c.matrix);
                    slices.gemm(ta, tb, 0.7f, a.slice, b.slice, beta, c.slice);
                    c.check("gemm " + ta + " " + tb + ", beta " + beta);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 5, 1, 7", "9, 33, 1, 100", "3, 20, 4, 19", "200, 300, 3, 48", "2, 5000, 1, 3"})
    void packedProducts(int rows, int inputs, int gates, int units) {
        Operand a = new Operand(rows, inputs);
        Operand out = new Operand(rows, gates * units);
        Operand w = new Operand(inputs, gates * units);
        Operand turned = new Operand(gates * units, inputs);
        for (int k = 0; k < inputs; k++) {
            for (int j = 0; j < gates * units; j++) {
                turned.segment.setAtIndex(ValueLayout.JAVA_FLOAT, turned.offset + j * turned.stride + k,
                        w.matrix.get(k, j));
            }
        }
        kernels.gemm(Transpose.NO, Transpose.NO, 1f, a.matrix, w.matrix, 1f, out.matrix);
        kernels.gemm(Transpose.NO, Transpose.NO, 1f, a.matrix, w.matrix, 1f, out.matrix);
        PackedMatrix packed = slices.pack(Transpose.NO, w.slice, gates);
        slices.multiplyAdd(a.slice, packed, out.slice);
        slices.multiplyAdd(a.slice, slices.pack(Transpose.YES, turned.slice, gates), out.slice);
        out.check("multiplyAdd");
    }

    private Operand gates(int rows, int gates, int units) {
        return new Operand(rows, gates, units, Matrix.padded(units));
    }

    @ParameterizedTest
    @CsvSource({"0, 5", "1, 1", "3, 17", "5, 16", "65, 33", "2, 4099", "2, 20000", "3, 0"})
    void simpleCells(int rows, int units) {
        for (Activation f : Variants.SIMPLE) {
            Operand z = gates(rows, 1, units);
            Operand h = gates(rows, 1, units);
            Operand dh = gates(rows, 1, units);
            kernels.rnnForward(f, z.matrix, h.matrix);
            slices.rnnForward(f, z.slice, h.slice);
            h.check("h, " + f);
            kernels.rnnBackward(f, h.matrix, dh.matrix, z.matrix);
            slices.rnnBackward(f, h.slice, dh.slice, z.slice);
            z.check("dz, " + f);
            kernels.rnnForward(f, z.matrix, z.matrix);
            slices.rnnForward(f, z.slice, z.slice);
            z.check("h in place, " + f);
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 5", "1, 1", "3, 17", "5, 16", "65, 33", "2, 4099", "2, 20000", "3, 0"})
    void lstm(int rows, int units) {
        Operand z = gates(rows, 4, units);
        Operand before = gates(rows, 1, units);
        Operand c = gates(rows, 1, units);
        Operand h = gates(rows, 1, units);
        kernels.lstmForward(z.matrix, before.matrix, c.matrix, h.matrix);
        slices.lstmForward(z.slice, before.slice, c.slice, h.slice);
        z.check("activations");
        c.check("c");
        h.check("h");
        Operand dc = gates(rows, 1, units);
        kernels.lstmBackward(z.matrix, before.matrix, c.matrix, h.matrix, dc.matrix);
        slices.lstmBackward(z.slice, before.slice, c.slice, h.slice, dc.slice);
        z.check("dz");
        dc.check("dc");
        kernels.lstmForward(z.matrix, c.matrix, c.matrix, h.matrix);
        slices.lstmForward(z.slice, c.slice, c.slice, h.slice);
        c.check("c in place");
        h.check("h");
    }

    @ParameterizedTest
    @CsvSource({"0, 5", "1, 1", "3, 17", "5, 16", "65, 33", "2, 4099", "2, 20000", "3, 0"})
    void gru(int rows, int units) {
        Operand z = gates(rows, 4, units);
        Operand before = gates(rows, 1, units);
        Operand h = gates(rows, 1, units);
        Operand dBefore = gates(rows, 1, units);
        kernels.gruForward(z.matrix, before.matrix, h.matrix);
        slices.gruForward(z.slice, before.slice, h.slice);
        z.check("activations");
        h.check("h");
        kernels.gruBackward(z.matrix, before.matrix, h.matrix, dBefore.matrix);
        slices.gruBackward(z.slice, before.slice, h.slice, dBefore.slice);
        z.check("dz");
        dBefore.check("dhPrevious");
        kernels.gruForward(z.matrix, h.matrix, h.matrix);
        slices.gruForward(z.slice, h.slice, h.slice);
        h.check("h in place");
    }

    @ParameterizedTest
    @CsvSource({"0, 5", "1, 1", "3, 17", "5, 16", "65, 33", "2, 4099", "2, 20000", "3, 0"})
    void gruResetBefore(int rows, int units) {
        Operand z = gates(rows, 4, units);
        Operand before = gates(rows, 1, units);
        Operand h = gates(rows, 1, units);
        Operand dBefore = gates(rows, 1, units);
        kernels.gruResetForward(z.matrix, before.matrix);
        slices.gruResetForward(z.slice, before.slice);
        z.check("r u s");
        kernels.gruMixForward(z.matrix, before.matrix, h.matrix);
        slices.gruMixForward(z.slice, before.slice, h.slice);
        z.check("n");
        h.check("h");
        kernels.gruMixBackward(z.matrix, before.matrix, h.matrix, dBefore.matrix);
        slices.gruMixBackward(z.slice, before.slice, h.slice, dBefore.slice);
        z.check("du dn");
        dBefore.check("dhPrevious of mix");
        kernels.gruResetBackward(z.matrix, before.matrix, h.matrix, dBefore.matrix);
        slices.gruResetBackward(z.slice, before.slice, h.slice, dBefore.slice);
        z.check("dr");
        dBefore.check("dhPrevious");
        kernels.gruMixForward(z.matrix, h.matrix, h.matrix);
        slices.gruMixForward(z.slice, h.slice, h.slice);
        h.check("h in place");
    }
}
