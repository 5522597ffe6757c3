package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.Sweep;
import dev.ostinato.tests.Operands.Precision;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Steps are what they are defined as: their products one by one, then the cell. On the scalar backend, which the others are compared with. */
final class StepsTest {
    private static final int STREAMS = 3;
    private static final int STEPS = 4;
    private static final int INPUTS = 7;
    private static final int UNITS = 70;
    private static final int PADDED = Matrix.padded(UNITS);

    private final Kernels kernels = Kernels.of(Conformance.scalar());

    /** All steps in one call. */
    @FunctionalInterface
    private interface Whole {
        void run(StepOperands o, Sweep sweep, Matrix c, Matrix h);
    }

    /** The cell of one step. */
    @FunctionalInterface
    private interface Cell {
        void forward(Matrix z, Matrix before, Matrix c, Matrix after);
    }

    private record StepOperands(Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u, Matrix c) {}

    @ParameterizedTest
    @EnumSource
    void simpleCells(Precision precision) {
        for (Activation f : Variants.ACTIVATIONS) {
            Scaling scaling = f.withinOne() ? Scaling.UNIT : Scaling.ROW;
            composed(precision, 1, 1, scaling,
                    (o, sweep, c, h) -> kernels.rnnSteps(f, o.start, o.x, o.w, o.hPrevious, o.u, sweep, h),
                    (z, before, c, after) -> kernels.rnnForward(f, z, after));
        }
    }

    @ParameterizedTest
    @EnumSource
    void lstm(Precision precision) {
        composed(precision, 4, 4, Scaling.UNIT,
                (o, sweep, c, h) -> kernels.lstmSteps(o.start, o.x, o.w, o.hPrevious, o.u, sweep, c, h),
                (z, before, c, after) -> kernels.lstmForward(z, c, c, after));
    }

    @ParameterizedTest
    @EnumSource
    void gru(Precision precision) {
        composed(precision, 4, 3, Scaling.UNIT,
                (o, sweep, c, h) -> kernels.gruSteps(o.start, o.x, o.w, o.hPrevious, o.u, sweep, h),
                (z, before, c, after) -> kernels.gruForward(z, before, after));
    }

    /** A projection, or nothing: the state before is scaled by itself, row by row. */
    @ParameterizedTest
    @EnumSource
    void fromANarrowState(Precision precision) {
        for (Inputs inputs : Inputs.values()) {
            for (int width : List.of(0, 1, 30)) {
                Operands operands = new Operands(inputs, Conformance.SEED, precision.name());
                PackedWeights[] wu = operands.stepWeights(precision, true, INPUTS, width, 4, UNITS);
                StepOperands o = new StepOperands(operands.input("start", 1, 4 * PADDED),
                        operands.input("x", STREAMS, INPUTS), wu[0], operands.input("hPrevious", STREAMS, width), wu[1],
                        operands.input("c", STREAMS, PADDED));
                Matrix expectedC = copy(o.c);
                Matrix expected = Matrix.of(STREAMS, PADDED);
                Matrix z = Matrix.of(STREAMS, 4 * PADDED);
                kernels.fillRows(o.start, z);
                multiplyAdd(Scaling.ROW, o.x, o.w, z);
                if (width > 0) {
                    multiplyAdd(Scaling.ROW, o.hPrevious, o.u, z);
                }
                kernels.lstmForward(z, expectedC, expectedC, expected);
                Matrix c = copy(o.c);
                Matrix h = Matrix.of(STREAMS, PADDED);
                kernels.lstmSteps(o.start, o.x, o.w, o.hPrevious, o.u, Sweep.ASCENDING, c, h);
                assertSame(expected, h);
                assertSame(expectedC, c);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void variants(Precision precision) {
        for (Variants.LstmOf lstm : Variants.LSTMS) {
            LstmVariant v = lstm.variant();
            Matrix peepholes =
                    new Operands(Inputs.NORMAL, Conformance.SEED, "peepholes").input("peepholes", lstm.peepholes(),
                            PADDED);
            composed(precision, v.slots(), v.slots(), v.stateScaling(), (o, sweep, c, h) -> kernels.lstmSteps(v,
                    peepholes, o.start, o.x, o.w, o.hPrevious, o.u, sweep, c, h),
                    (z, before, c, after) -> kernels.lstmForward(v, peepholes, z, c, c, after));
        }
        for (GruVariant v : Variants.GRUS) {
            composed(precision, 4, 3, v.stateScaling(),
                    (o, sweep, c, h) -> kernels.gruSteps(v, o.start, o.x, o.w, o.hPrevious, o.u, sweep, h),
                    (z, before, c, after) -> kernels.gruForward(v, z, before, after));
        }
    }

    private void composed(Precision precision, int slots, int gates, Scaling scaling, Whole whole, Cell cell) {
        for (Inputs inputs : Inputs.values()) {
            for (int width : List.of(INPUTS, 0)) {
                Operands operands = new Operands(inputs, Conformance.SEED, precision.name());
                PackedWeights[] wu = operands.stepWeights(precision, false, width, gates, UNITS);
                StepOperands o = new StepOperands(operands.input("start", 1, slots * PADDED),
                        operands.input("x", STEPS * STREAMS, width), wu[0],
                        operands.input("hPrevious", STREAMS, PADDED), wu[1], operands.input("c", STREAMS, PADDED));
                Matrix expectedC = copy(o.c);
                Matrix expected = Matrix.of(STEPS * STREAMS, PADDED);
                composition(o, scaling, cell, expectedC, expected);
                Matrix c = copy(o.c);
                Matrix h = Matrix.of(STEPS * STREAMS, PADDED);
                whole.run(o, Sweep.ASCENDING, c, h);
                assertSame(expected, h);
                assertSame(expectedC, c);
                shares(o, whole, expected);
            }
        }
    }

    private void composition(StepOperands o, Scaling scaling, Cell cell, Matrix c, Matrix h) {
        Matrix before = o.hPrevious;
        for (int row = 0; row < h.rows(); row += STREAMS) {
            Matrix z = Matrix.of(STREAMS, o.start.columns());
            kernels.fillRows(o.start, z);
            if (o.w.inputs() > 0) {
                multiplyAdd(Scaling.ROW, o.x.rows(row, row + STREAMS), o.w, z.columns(0, o.w.outputs()));
            }
            multiplyAdd(scaling, before.columns(0, UNITS), o.u, z.columns(z.columns() - o.u.outputs(), z.columns()));
            Matrix after = h.rows(row, row + STREAMS);
            cell.forward(z, before, c, after);
            before = after;
        }
    }

    private void multiplyAdd(Scaling scaling, Matrix a, PackedWeights weights, Matrix z) {
        switch (weights) {
            case PackedMatrix w -> kernels.multiplyAdd(a, w, z);
            case Bf16Matrix w -> kernels.multiplyAddBf16(a, w, z);
            case Int8Matrix w -> {
                QuantizedRows q = QuantizedRows.of(a.rows(), a.columns());
                kernels.quantize(scaling, a, q);
                kernels.multiplyAddInt8(q, w, z);
            }
        }
    }

    /** The parts of the first step, in any order, together are the step. */
    private static void shares(StepOperands o, Whole whole, Matrix expected) {
        StepOperands first = new StepOperands(o.start, o.x.rows(0, STREAMS), o.w, o.hPrevious, o.u, o.c);
        for (int parts : List.of(2, 3, 7)) {
            Matrix c = copy(o.c);
            Matrix h = Matrix.of(STREAMS, PADDED);
            for (int part = parts - 1; part >= 0; part--) {
                whole.run(first, Sweep.DESCENDING.share(part, parts), c, h);
            }
            assertSame(expected.rows(0, STREAMS), h);
        }
    }

    private static Matrix copy(Matrix matrix) {
        Matrix copy = Matrix.of(matrix.rows(), matrix.columns());
        copy.copyFrom(matrix);
        return copy;
    }

    /** To the bit, but that a NaN equals any NaN. */
    private static void assertSame(Matrix expected, Matrix actual) {
        for (int r = 0; r < expected.rows(); r++) {
            for (int j = 0; j < expected.columns(); j++) {
                assertEquals(Float.floatToIntBits(expected.get(r, j)), Float.floatToIntBits(actual.get(r, j)),
                        r + ", " + j);
            }
        }
    }
}
