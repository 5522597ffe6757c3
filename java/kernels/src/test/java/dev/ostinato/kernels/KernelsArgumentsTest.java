package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Every check of the facade: what is expected and what came are in the message, and nothing has been written. */
final class KernelsArgumentsTest {
    private static final AdamStep STEP = AdamStep.at(1, 1e-3, 0.9, 0.999, 1e-8, 1f);

    private final Kernels kernels = Backends.kernels("scalar");

    private static void rejects(String message, Executable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
    }

    private static void outside(String message, Executable call) {
        assertEquals(message, assertThrows(IndexOutOfBoundsException.class, call).getMessage());
    }

    private static Matrix matrix(int rows, int columns) {
        return Matrix.of(rows, columns);
    }

    // Products: w is 5 inputs to 2 gates of 20 units, which is 64 outputs

    private final PackedMatrix w = PackedMatrix.of(5, 2, 20);

    @Test
    void multiplyAdd() {
        rejects("a: expected (3, 5), got (3, 4)", () -> kernels.multiplyAdd(matrix(3, 4), w, matrix(3, 64)));
        rejects("a: expected (3, 5), got (2, 5)", () -> kernels.multiplyAdd(matrix(2, 5), w, matrix(3, 64)));
        rejects("out: expected (3, 64), got (3, 40)", () -> kernels.multiplyAdd(matrix(3, 5), w, matrix(3, 40)));
    }

    @Test
    void weightGradient() {
        rejects("a: expected (3, 5), got (3, 6)", () -> kernels.weightGradient(matrix(3, 6), matrix(3, 64), w));
        rejects("a: expected (4, 5), got (3, 5)", () -> kernels.weightGradient(matrix(3, 5), matrix(4, 64), w));
        rejects("dz: expected (3, 64), got (3, 63)", () -> kernels.weightGradient(matrix(3, 5), matrix(3, 63), w));
    }

    @Test
    void columnSums() {
        rejects("sums: expected (1, 7), got (1, 6)", () -> kernels.columnSums(matrix(3, 7), matrix(1, 6)));
        rejects("sums: expected (1, 7), got (3, 7)", () -> kernels.columnSums(matrix(3, 7), matrix(3, 7)));
    }

    // Products with narrow weights

    @Test
    void multiplyAddBf16() {
        Bf16Matrix narrow = Bf16Matrix.of(w);
        rejects("a: expected (3, 5), got (3, 6)", () -> kernels.multiplyAddBf16(matrix(3, 6), narrow, matrix(3, 64)));
        rejects("a: expected (3, 5), got (2, 5)", () -> kernels.multiplyAddBf16(matrix(2, 5), narrow, matrix(3, 64)));
        rejects("out: expected (3, 64), got (3, 40)",
                () -> kernels.multiplyAddBf16(matrix(3, 5), narrow, matrix(3, 40)));
    }

    @Test
    void quantize() {
        QuantizedRows q = QuantizedRows.of(3, 5);
        rejects("x: expected (3, 5), got (3, 6)", () -> kernels.quantize(Scaling.ROW, matrix(3, 6), q));
        rejects("x: expected (3, 5), got (2, 5)", () -> kernels.quantize(Scaling.UNIT, matrix(2, 5), q));
    }

    @Test
    void multiplyAddInt8() {
        Int8Matrix narrow = Int8Matrix.of(w);
        QuantizedRows q = QuantizedRows.of(3, 5);
        rejects("a: expected (3, 5), got (3, 8)",
                () -> kernels.multiplyAddInt8(QuantizedRows.of(3, 8), narrow, matrix(3, 64)));
        rejects("out: expected (3, 64), got (2, 64)", () -> kernels.multiplyAddInt8(q, narrow, matrix(2, 64)));
        rejects("out: expected (3, 64), got (3, 40)", () -> kernels.multiplyAddInt8(q, narrow, matrix(3, 40)));
    }

    // Tables

    @Test
    void fillRows() {
        rejects("row: expected (1, 7), got (1, 8)", () -> kernels.fillRows(matrix(1, 8), matrix(3, 7)));
        rejects("row: expected (1, 7), got (2, 7)", () -> kernels.fillRows(matrix(2, 7), matrix(3, 7)));
        Matrix out = matrix(2, 3);
        kernels.fillRows(Matrix.of(new float[][] {{1, 2, 3}}), out);
        assertArrayEquals(new float[][] {{1, 2, 3}, {1, 2, 3}}, out.toArray());
    }

    @Test
    void gather() {
        Matrix table = Matrix.of(new float[][] {{1, 2}, {3, 4}, {5, 6}});
        rejects("out: expected (4, 2), got (3, 2)", () -> kernels.gather(table, Indices.of(4), matrix(3, 2)));
        rejects("out: expected (4, 2), got (4, 3)", () -> kernels.gather(table, Indices.of(4), matrix(4, 3)));
        outside("indices[1]: expected 0..2, got 3", () -> kernels.gather(table, Indices.of(2, 3), matrix(2, 2)));
        Matrix out = matrix(2, 2);
        kernels.gather(table, Indices.of(2, 0), out);
        assertArrayEquals(new float[][] {{5, 6}, {1, 2}}, out.toArray());
    }

    @Test
    void scatterAdd() {
        rejects("x: expected (2, 7), got (3, 7)", () -> kernels.scatterAdd(matrix(3, 7), Indices.of(2), matrix(9, 7)));
        rejects("x: expected (2, 8), got (2, 7)", () -> kernels.scatterAdd(matrix(2, 7), Indices.of(2), matrix(9, 8)));
        outside("indices[1]: expected 0..8, got -1",
                () -> kernels.scatterAdd(matrix(2, 7), Indices.of(0, -1), matrix(9, 7)));
    }

    @Test
    void nothingIsWrittenBeforeTheLastIndexIsChecked() {
        Matrix table = matrix(9, 7);
        Matrix x = matrix(2, 7);
        x.set(0, 0, 1f);
        x.set(1, 0, 1f);
        outside("indices[0]: expected 0..8, got 9", () -> kernels.scatterAdd(x, Indices.of(9, 1), table));
        assertArrayEquals(matrix(9, 7).toArray(), table.toArray());
    }

    @Test
    void addInputs() {
        rejects("out: expected (2, 64), got (3, 64)", () -> kernels.addInputs(w, Indices.of(2), matrix(3, 64)));
        rejects("out: expected (2, 64), got (2, 40)", () -> kernels.addInputs(w, Indices.of(2), matrix(2, 40)));
        outside("indices[0]: expected 0..4, got 5", () -> kernels.addInputs(w, Indices.of(5, 0), matrix(2, 64)));
    }

    @Test
    void scatterAddInputs() {
        rejects("dz: expected (2, 64), got (3, 64)", () -> kernels.scatterAddInputs(matrix(3, 64), Indices.of(2), w));
        rejects("dz: expected (2, 64), got (2, 40)", () -> kernels.scatterAddInputs(matrix(2, 40), Indices.of(2), w));
        outside("indices[1]: expected 0..4, got 2147483647",
                () -> kernels.scatterAddInputs(matrix(2, 64), Indices.of(0, Integer.MAX_VALUE), w));
    }

    // Cells: B = 2, Hp = 32

    private final Matrix units = matrix(2, 32);
    private final Matrix gates = matrix(2, 128);
    private final Matrix narrow = matrix(2, 16);
    private final Matrix tall = matrix(3, 32);
    private final Matrix ragged = matrix(2, 30);

    @Test
    void rnn() {
        Activation f = Activation.TANH;
        rejects("h: expected a multiple of 16 columns, got (2, 30)", () -> kernels.rnnForward(f, ragged, ragged));
        rejects("z: expected (2, 32), got (3, 32)", () -> kernels.rnnForward(f, tall, units));
        rejects("z: expected a multiple of 16 columns, got (2, 30)", () -> kernels.rnnForward(f, ragged, units));
        rejects("h: expected a multiple of 16 columns, got (2, 30)",
                () -> kernels.rnnBackward(f, ragged, ragged, ragged));
        rejects("dh: expected (2, 32), got (2, 16)", () -> kernels.rnnBackward(f, units, narrow, units));
        rejects("dz: expected (2, 32), got (3, 32)", () -> kernels.rnnBackward(f, units, units, tall));
    }

    @Test
    void lstm() {
        rejects("states: expected a multiple of 16 columns, got (2, 30)",
                () -> kernels.lstmForward(matrix(2, 120), ragged, ragged, ragged));
        rejects("z: expected (2, 128), got (2, 32)", () -> kernels.lstmForward(units, units, units, units));
        rejects("cPrevious: expected (2, 32), got (3, 32)", () -> kernels.lstmForward(gates, tall, units, units));
        rejects("c: expected (2, 32), got (2, 16)", () -> kernels.lstmForward(gates, units, narrow, units));
        rejects("z: expected (3, 128), got (2, 128)", () -> kernels.lstmBackward(gates, units, tall, units, units));
        rejects("cPrevious: expected (2, 32), got (3, 32)",
                () -> kernels.lstmBackward(gates, tall, units, units, units));
        rejects("dh: expected (2, 32), got (2, 16)", () -> kernels.lstmBackward(gates, units, units, narrow, units));
        rejects("dc: expected (2, 32), got (3, 32)", () -> kernels.lstmBackward(gates, units, units, units, tall));
    }

    @Test
    void cellParts() {
        Matrix pair = matrix(2, 64);
        rejects("states: expected a multiple of 16 columns, got (2, 30)",
                () -> kernels.minGruForward(matrix(2, 60), ragged, ragged));
        rejects("z: expected (2, 64), got (2, 128)", () -> kernels.minGruForward(gates, units, units));
        rejects("hPrevious: expected (2, 32), got (3, 32)", () -> kernels.minGruForward(pair, tall, units));
        rejects("z: expected (3, 64), got (2, 64)", () -> kernels.minGruBackward(pair, units, tall, units));
        rejects("hPrevious: expected (2, 32), got (2, 16)", () -> kernels.minGruBackward(pair, narrow, units, units));
        rejects("dhPrevious: expected (2, 32), got (3, 32)", () -> kernels.minGruBackward(pair, units, units, tall));
        rejects("z: expected (2, 128), got (2, 64)", () -> kernels.lstmCellForward(pair, units, units));
        rejects("cPrevious: expected (2, 32), got (3, 32)", () -> kernels.lstmCellForward(gates, tall, units));
        rejects("z: expected (2, 128), got (2, 64)", () -> kernels.lstmOutputForward(pair, units, units));
        rejects("m: expected (2, 32), got (3, 32)", () -> kernels.lstmOutputForward(gates, tall, units));
        rejects("z: expected (3, 128), got (2, 128)", () -> kernels.lstmOutputBackward(gates, units, tall, units));
        rejects("m: expected (2, 32), got (3, 32)", () -> kernels.lstmOutputBackward(gates, tall, units, units));
        rejects("dm: expected (2, 32), got (2, 16)", () -> kernels.lstmOutputBackward(gates, units, units, narrow));
        rejects("z: expected (3, 128), got (2, 128)", () -> kernels.lstmCellBackward(gates, units, tall));
        rejects("cPrevious: expected (2, 32), got (3, 32)", () -> kernels.lstmCellBackward(gates, tall, units));
    }

    @Test
    void addScaled() {
        rejects("factors: expected (1, 7), got (1, 6)",
                () -> kernels.addScaled(matrix(3, 7), matrix(1, 6), matrix(3, 7)));
        rejects("factors: expected (1, 7), got (3, 7)",
                () -> kernels.addScaled(matrix(3, 7), matrix(3, 7), matrix(3, 7)));
        rejects("y: expected (3, 7), got (2, 7)", () -> kernels.addScaled(matrix(3, 7), matrix(1, 7), matrix(2, 7)));
    }

    @Test
    void columnDots() {
        rejects("y: expected (3, 7), got (2, 7)", () -> kernels.columnDots(matrix(3, 7), matrix(2, 7), matrix(1, 7)));
        rejects("sums: expected (1, 7), got (3, 7)",
                () -> kernels.columnDots(matrix(3, 7), matrix(3, 7), matrix(3, 7)));
    }

    @Test
    void steps() {
        PackedMatrix w = PackedMatrix.of(5, 4, 30);
        PackedMatrix u = PackedMatrix.of(30, 4, 30);
        Matrix start = matrix(1, 128);
        Matrix x = matrix(4, 5);
        Matrix h = matrix(4, 32);
        kernels.lstmSteps(start, x, w, units, u, Sweep.ASCENDING, units, h);
        rejects("u: expected 30 inputs x 4 gates x 30 units, got PackedMatrix[31 inputs x 4 gates x 30 units]",
                () -> kernels.lstmSteps(start, x, w, units, PackedMatrix.of(31, 4, 30), Sweep.ASCENDING, units, h));
        rejects("w: expected 5 inputs x 3 gates x 30 units, got PackedMatrix[5 inputs x 4 gates x 30 units]",
                () -> kernels.gruSteps(start, x, w, units, PackedMatrix.of(30, 3, 30), Sweep.ASCENDING, h));
        rejects("hPrevious: expected (2, 32), got (2, 16)",
                () -> kernels.lstmSteps(start, x, w, narrow, u, Sweep.ASCENDING, units, h));
        rejects("h: expected a multiple of 2 rows, one group a step, got (3, 32)",
                () -> kernels.lstmSteps(start, x, w, units, u, Sweep.ASCENDING, units, tall));
        rejects("h: expected (4, 32), got (4, 16)",
                () -> kernels.lstmSteps(start, x, w, units, u, Sweep.ASCENDING, units, matrix(4, 16)));
        rejects("x: expected (4, 5), got (4, 6)",
                () -> kernels.lstmSteps(start, matrix(4, 6), w, units, u, Sweep.ASCENDING, units, h));
        rejects("start: expected (4, 128), got (2, 128)",
                () -> kernels.lstmSteps(matrix(2, 128), x, w, units, u, Sweep.ASCENDING, units, h));
        rejects("c: expected (2, 32), got (3, 32)",
                () -> kernels.lstmSteps(start, x, w, units, u, Sweep.ASCENDING, tall, h));
        rejects("start: expected (1, 32), got (1, 128)", () -> kernels.rnnSteps(Activation.TANH, start, x,
                PackedMatrix.of(5, 1, 30), units, PackedMatrix.of(30, 1, 30), Sweep.ASCENDING, h));
    }

    @Test
    void variants() {
        LstmVariant coupled = new LstmVariant(Activation.SIGMOID, Activation.TANH, Activation.TANH,
                Float.POSITIVE_INFINITY, LstmVariant.Forget.COUPLED);
        rejects("z: expected (2, 96), got (2, 128)",
                () -> kernels.lstmForward(coupled, matrix(0, 0), gates, units, units, units));
        rejects("peepholes: expected (2, 32), got (3, 32)",
                () -> kernels.lstmForward(coupled, tall, matrix(2, 96), units, units, units));
        rejects("peepholes: expected (3, 32), got (2, 32)",
                () -> kernels.lstmBackward(LstmVariant.STANDARD, units, gates, units, units, units, units));
    }

    @Test
    void activations() {
        rejects("LEAKY_RELU: expected alpha >= 0, so that the slope follows from the output, got -0.1",
                () -> Activation.of(Activation.Kind.LEAKY_RELU, -0.1f, 0));
        rejects("ELU: expected a finite alpha, got NaN", () -> Activation.of(Activation.Kind.ELU, Float.NaN, 0));
        rejects("TANH: expected no alpha, got 1.0", () -> Activation.of(Activation.Kind.TANH, 1, 0));
        rejects("SCALED_TANH: expected finite beta / alpha and beta * alpha, so that the slope follows from the output,"
                + " got alpha 0.0 and beta 1.0", () -> Activation.of(Activation.Kind.SCALED_TANH, 0, 1));
        rejects("clip: expected > 0, got 0.0", () -> Activation.TANH.withClip(0));
        rejects("cell clip: expected > 0, got NaN", () -> new LstmVariant(Activation.SIGMOID, Activation.TANH,
                Activation.TANH, Float.NaN, LstmVariant.Forget.GATE));
    }

    @Test
    void stepsOfOnePrecision() {
        PackedMatrix w = PackedMatrix.of(5, 4, 30);
        PackedMatrix u = PackedMatrix.of(30, 4, 30);
        Matrix start = matrix(1, 128);
        Matrix x = matrix(4, 5);
        Matrix h = matrix(4, 32);
        rejects("w: expected the precision of u, Int8Matrix[30 inputs x 4 gates x 30 units],"
                + " got Bf16Matrix[5 inputs x 4 gates x 30 units]",
                () -> kernels.lstmSteps(start, x, Bf16Matrix.of(w), units, Int8Matrix.of(u), Sweep.ASCENDING, units,
                        h));
        Bf16Matrix halves = Bf16Matrix.of(u);
        Int8Matrix levels = Int8Matrix.of(u);
        kernels.lstmSteps(start, matrix(4, 30), halves, units, halves, Sweep.ASCENDING, units, h);
        kernels.lstmSteps(start, matrix(4, 30), levels, units, levels, Sweep.ASCENDING, units, h);
        kernels.lstmSteps(start, matrix(4, 0), halves.withoutInputs(), units, halves, Sweep.ASCENDING, units, h);
        kernels.lstmSteps(start, matrix(4, 0), levels.withoutInputs(), units, levels, Sweep.ASCENDING, units, h);
        rejects("x: expected (4, 0), got (4, 5)",
                () -> kernels.lstmSteps(start, x, levels.withoutInputs(), units, levels,
                        Sweep.ASCENDING, units, h));
    }

    @Test
    void aStepFromANarrowState() {
        PackedMatrix w = PackedMatrix.of(5, 4, 30);
        PackedMatrix u = PackedMatrix.of(7, 4, 30);
        Matrix start = matrix(1, 128);
        kernels.lstmSteps(start, matrix(2, 5), w, matrix(2, 7), u, Sweep.ASCENDING, matrix(2, 32), matrix(2, 32));
        kernels.lstmSteps(start, matrix(2, 5), w, matrix(2, 0), u.withoutInputs(), Sweep.ASCENDING, matrix(2, 32),
                matrix(2, 32));
        rejects("hPrevious: expected (2, 7), got (2, 32)", () -> kernels.lstmSteps(start, matrix(2, 5), w,
                matrix(2, 32), u, Sweep.ASCENDING, matrix(2, 32), matrix(2, 32)));
        rejects("c: expected (2, 32), got (2, 7)", () -> kernels.lstmSteps(start, matrix(2, 5), w, matrix(2, 7), u,
                Sweep.ASCENDING, matrix(2, 7), matrix(2, 32)));
        rejects("h: expected one step for a U of 7 inputs, 2 rows, got (4, 32)", () -> kernels.lstmSteps(start,
                matrix(4, 5), w, matrix(2, 7), u, Sweep.ASCENDING, matrix(2, 32), matrix(4, 32)));
        rejects("u: expected 30 inputs x 3 gates x 30 units, got PackedMatrix[7 inputs x 3 gates x 30 units]",
                () -> kernels.gruSteps(start, matrix(2, 5), PackedMatrix.of(5, 3, 30), matrix(2, 7),
                        PackedMatrix.of(7, 3, 30), Sweep.ASCENDING, matrix(2, 32)));
    }

    @Test
    void aShareOfAStep() {
        PackedMatrix w = PackedMatrix.of(5, 4, 30);
        PackedMatrix u = PackedMatrix.of(30, 4, 30);
        Matrix start = matrix(1, 128);
        Sweep half = Sweep.DESCENDING.share(1, 2);
        kernels.lstmSteps(start, matrix(2, 5), w, units, u, half, units, matrix(2, 32));
        kernels.lstmSteps(start, matrix(0, 5), w, units, u, half, units, matrix(0, 32));
        rejects("h: expected one step for a share of the panels, 2 rows, got (4, 32)",
                () -> kernels.lstmSteps(start, matrix(4, 5), w, units, u, half, units, matrix(4, 32)));
        rejects("sweep: expected a part in 0..1 of parts >= 1, got 2 of 2", () -> Sweep.ASCENDING.share(2, 2));
        rejects("sweep: expected a part in 0..-1 of parts >= 1, got 0 of 0", () -> Sweep.ASCENDING.share(0, 0));
        rejects("sweep: expected a part in 0..2 of parts >= 1, got -1 of 3", () -> Sweep.ASCENDING.share(-1, 3));
    }

    @Test
    void gruResetAfter() {
        rejects("z: expected (2, 64), got (2, 128)", () -> kernels.gruForward(gates, units, narrow));
        rejects("hPrevious: expected (2, 32), got (3, 32)", () -> kernels.gruForward(gates, tall, units));
        rejects("z: expected (3, 128), got (2, 128)", () -> kernels.gruBackward(gates, units, tall, units));
        rejects("hPrevious: expected (2, 32), got (2, 16)", () -> kernels.gruBackward(gates, narrow, units, units));
        rejects("dhPrevious: expected (2, 32), got (3, 32)", () -> kernels.gruBackward(gates, units, units, tall));
    }

    @Test
    void gruResetBefore() {
        rejects("z: expected (2, 64), got (2, 128)", () -> kernels.gruResetForward(gates, narrow));
        rejects("states: expected a multiple of 16 columns, got (2, 30)",
                () -> kernels.gruResetForward(matrix(2, 120), ragged));
        rejects("z: expected (3, 128), got (2, 128)", () -> kernels.gruMixForward(gates, units, tall));
        rejects("hPrevious: expected (2, 32), got (2, 16)", () -> kernels.gruMixForward(gates, narrow, units));
        rejects("z: expected (2, 128), got (2, 32)", () -> kernels.gruMixBackward(units, units, units, units));
        rejects("hPrevious: expected (2, 32), got (3, 32)", () -> kernels.gruMixBackward(gates, tall, units, units));
        rejects("dhPrevious: expected (2, 32), got (2, 16)",
                () -> kernels.gruMixBackward(gates, units, units, narrow));
        rejects("z: expected (3, 128), got (2, 128)", () -> kernels.gruResetBackward(gates, units, tall, units));
        rejects("hPrevious: expected (2, 32), got (3, 32)", () -> kernels.gruResetBackward(gates, tall, units, units));
        rejects("dhPrevious: expected (2, 32), got (2, 16)",
                () -> kernels.gruResetBackward(gates, units, units, narrow));
    }

    // Rows

    @Test
    void elementwise() {
        rejects("y: expected (3, 7), got (3, 8)", () -> kernels.apply(Function.EXP, matrix(3, 7), matrix(3, 8)));
        rejects("y: expected (3, 7), got (2, 7)", () -> kernels.multiply(matrix(3, 7), matrix(2, 7)));
        rejects("y: expected (3, 7), got (3, 6)", () -> kernels.softmax(matrix(3, 7), matrix(3, 6)));
        rejects("y: expected (3, 7), got (4, 7)", () -> kernels.logSoftmax(matrix(3, 7), matrix(4, 7)));
        rejects("x: expected (1, 7), got (2, 7)", () -> kernels.sumOfSquares(matrix(2, 7)));
    }

    // Plain linear algebra

    @Test
    void vectors() {
        rejects("y: expected (3, 7), got (3, 6)", () -> kernels.axpy(1f, matrix(3, 7), matrix(3, 6)));
        rejects("x: expected (1, 7), got (2, 7)", () -> kernels.sum(matrix(2, 7)));
        rejects("x: expected (1, 7), got (2, 7)", () -> kernels.max(matrix(2, 7)));
        rejects("x: expected (1, 7), got (2, 7)", () -> kernels.min(matrix(2, 7)));
        rejects("x: expected (1, 7), got (2, 7)", () -> kernels.argMax(matrix(2, 7)));
        rejects("x: expected (1, 7), got (2, 7)", () -> kernels.nrm2(matrix(2, 7)));
        rejects("x: expected (1, 7), got (2, 7)", () -> kernels.dot(matrix(2, 7), matrix(1, 7)));
        rejects("y: expected (1, 7), got (1, 6)", () -> kernels.dot(matrix(1, 7), matrix(1, 6)));
    }

    @Test
    void gemv() {
        Transpose no = Transpose.NO;
        Transpose yes = Transpose.YES;
        rejects("x: expected (1, 7), got (1, 3)",
                () -> kernels.gemv(no, 1f, matrix(3, 7), matrix(1, 3), 0f, matrix(1, 3)));
        rejects("y: expected (1, 3), got (1, 7)",
                () -> kernels.gemv(no, 1f, matrix(3, 7), matrix(1, 7), 0f, matrix(1, 7)));
        rejects("x: expected (1, 3), got (1, 7)",
                () -> kernels.gemv(yes, 1f, matrix(3, 7), matrix(1, 7), 0f, matrix(1, 7)));
        rejects("y: expected (1, 7), got (7, 1)",
                () -> kernels.gemv(yes, 1f, matrix(3, 7), matrix(1, 3), 0f, matrix(7, 1)));
        Matrix square = matrix(7, 7);
        rejects("y: overlaps a",
                () -> kernels.gemv(no, 1f, square, matrix(1, 7), 0f, square.rows(6, 7)));
        rejects("y: overlaps x", () -> kernels.gemv(no, 1f, matrix(7, 7), square.rows(0, 1), 0f, square.rows(0, 1)));
    }

    @Test
    void gemm() {
        Transpose no = Transpose.NO;
        Transpose yes = Transpose.YES;
        rejects("a: expected (2, 5), got (3, 5)",
                () -> kernels.gemm(no, no, 1f, matrix(3, 5), matrix(5, 4), 0f, matrix(2, 4)));
        rejects("a: expected (3, 4), got (3, 5)",
                () -> kernels.gemm(yes, no, 1f, matrix(3, 5), matrix(3, 4), 0f, matrix(4, 4)));
        rejects("b: expected (5, 4), got (4, 5)",
                () -> kernels.gemm(no, no, 1f, matrix(3, 5), matrix(4, 5), 0f, matrix(3, 4)));
        rejects("b: expected (4, 5), got (5, 4)",
                () -> kernels.gemm(no, yes, 1f, matrix(3, 5), matrix(5, 4), 0f, matrix(3, 4)));
        Matrix wide = matrix(5, 15);
        rejects("c: overlaps a",
                () -> kernels.gemm(no, no, 1f, wide.columns(0, 5), matrix(5, 5), 0f, wide.columns(4, 9)));
        rejects("c: overlaps b",
                () -> kernels.gemm(no, no, 1f, matrix(5, 5), wide.columns(10, 15), 0f, wide.columns(6, 11)));
        kernels.gemm(no, no, 1f, wide.columns(0, 5), wide.columns(5, 10), 0f, wide.columns(10, 15));
    }

    @Test
    void applyBackward() {
        Matrix v = matrix(3, 7);
        rejects("dy: expected (3, 7), got (2, 7)", () -> kernels.applyBackward(Function.ERF, v, matrix(2, 7), v));
        rejects("dx: expected (3, 7), got (3, 6)", () -> kernels.applyBackward(Function.ERF, v, v, matrix(3, 6)));
    }

    @Test
    void layerNorm() {
        Matrix x = matrix(3, 7);
        Matrix row = matrix(1, 7);
        Matrix statistics = matrix(3, 2);
        Matrix short6 = matrix(1, 6);
        Matrix none = matrix(3, 0);
        rejects("x: expected at least 1 column, got (3, 0)",
                () -> kernels.layerNormForward(none, none, none, 1e-5f, none, statistics));
        rejects("gain: expected (1, 7), got (3, 7)",
                () -> kernels.layerNormForward(x, x, row, 1e-5f, x, statistics));
        rejects("statistics: expected (3, 2), got (1, 7)", () -> kernels.layerNormForward(x, row, row, 1e-5f, x, row));
        rejects("bias: expected (1, 7), got (1, 6)",
                () -> kernels.layerNormForward(x, row, short6, 1e-5f, x, statistics));
        rejects("y: expected (3, 7), got (1, 7)",
                () -> kernels.layerNormForward(x, row, row, 1e-5f, row, statistics));
        rejects("statistics: expected (3, 2), got (1, 7)",
                () -> kernels.layerNormBackward(x, row, row, x, x, row, row));
        rejects("dy: expected (3, 7), got (1, 7)",
                () -> kernels.layerNormBackward(x, row, statistics, row, x, row, row));
        rejects("dx: expected (3, 7), got (1, 6)",
                () -> kernels.layerNormBackward(x, row, statistics, x, short6, row, row));
        rejects("dGain: expected (1, 7), got (1, 6)",
                () -> kernels.layerNormBackward(x, row, statistics, x, x, short6, row));
        rejects("dBias: expected (1, 7), got (1, 6)",
                () -> kernels.layerNormBackward(x, row, statistics, x, x, row, short6));
    }

    @Test
    void crossEntropy() {
        rejects("losses: expected (3, 1), got (3, 2)",
                () -> kernels.crossEntropyForward(matrix(3, 7), Indices.of(3), matrix(3, 2)));
        rejects("targets: expected 3, got 2",
                () -> kernels.crossEntropyForward(matrix(3, 7), Indices.of(2), matrix(3, 1)));
        outside("targets[2]: expected 0..6, got 7",
                () -> kernels.crossEntropyForward(matrix(3, 7), Indices.of(0, 6, 7), matrix(3, 1)));
        rejects("targets: expected 3, got 4", () -> kernels.crossEntropyBackward(matrix(3, 7), Indices.of(4), 1f));
        outside("targets[0]: expected 0..6, got -1",
                () -> kernels.crossEntropyBackward(matrix(1, 7), Indices.of(new int[] {-1}), 1f));
    }

    @Test
    void squaredError() {
        rejects("target: expected (3, 7), got (3, 1)",
                () -> kernels.squaredError(matrix(3, 7), matrix(3, 1), matrix(3, 1), 1f, 1f));
        rejects("losses: expected (3, 1), got (1, 3)",
                () -> kernels.squaredError(matrix(3, 7), matrix(3, 7), matrix(1, 3), 1f, 1f));
    }

    @Test
    void optimisers() {
        Matrix p = matrix(1, 7);
        Matrix q = matrix(1, 6);
        Matrix two = matrix(2, 7);
        rejects("w: expected (1, 7), got (2, 7)", () -> kernels.adam(two, two, two, two, STEP));
        rejects("dw: expected (1, 7), got (1, 6)", () -> kernels.adam(p, q, p, p, STEP));
        rejects("m: expected (1, 7), got (2, 7)", () -> kernels.adam(p, p, two, p, STEP));
        rejects("v: expected (1, 7), got (1, 6)", () -> kernels.adam(p, p, p, q, STEP));
        rejects("w: expected (1, 7), got (2, 7)", () -> kernels.sgd(two, two, two, 1f, 1f, 0f));
        rejects("dw: expected (1, 7), got (1, 6)", () -> kernels.sgd(p, q, p, 1f, 1f, 0f));
        rejects("v: expected (1, 7), got (2, 7)", () -> kernels.sgd(p, p, two, 1f, 1f, 0f));
        rejects("t: expected >= 1, got 0", () -> AdamStep.at(0, 1e-3, 0.9, 0.999, 1e-8, 1f));
    }
}
