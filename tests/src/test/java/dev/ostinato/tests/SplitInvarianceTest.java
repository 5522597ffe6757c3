package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.Sweep;
import dev.ostinato.tests.Conformance.Operation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** However an operation is cut into calls, the bits are the same. */
@AtEveryWidth
@ParameterizedClass(name = "{0}")
@MethodSource("dev.ostinato.tests.ExactBackends#names")
final class SplitInvarianceTest {
    private static final int ROWS = 13;
    private static final int[] SIZES = {1, 17, 65, 100, 257};

    private final Kernels kernels;

    SplitInvarianceTest(String backend) {
        this.kernels = Backends.kernels(backend);
    }

    @Test
    void rowsOfAProductOneByOne() {
        forEachShape((inputs, gates, units) -> product(inputs, gates, units, (a, w, out) -> {
            for (int r = 0; r < ROWS; r++) {
                kernels.multiplyAdd(a.rows(r, r + 1), w, out.rows(r, r + 1));
            }
        }));
    }

    @Test
    void inputsOfAProductInTwoCalls() {
        forEachShape((inputs, gates, units) -> {
            for (int cut : new int[] {0, 1, inputs / 2, inputs - 1, inputs}) {
                product(inputs, gates, units, (a, w, out) -> {
                    kernels.multiplyAdd(a.columns(0, cut), w.inputs(0, cut), out);
                    kernels.multiplyAdd(a.columns(cut, inputs), w.inputs(cut, inputs), out);
                });
            }
        });
    }

    @Test
    void aProductWithInterleavedWeights() {
        forEachShape((inputs, gates, units) -> {
            int first = inputs / 2 + 1;
            Operation separate = (k, operands) -> {
                Matrix out = operands.updated("out", ROWS, gates * Matrix.padded(units));
                k.multiplyAdd(operands.input("x", ROWS, first), operands.weights("w", first, gates, units), out);
                k.multiplyAdd(operands.input("h", ROWS, inputs), operands.weights("u", inputs, gates, units), out);
            };
            Operation paired = (k, operands) -> {
                Matrix out = operands.updated("out", ROWS, gates * Matrix.padded(units));
                PackedMatrix[] pair =
                        PackedMatrix.pair(Memory.ofFloats(PackedMatrix.floats(first + inputs, gates, units)),
                                0, first, inputs, gates, units);
                Matrix x = operands.input("x", ROWS, first);
                copy(operands.weights("w", first, gates, units), pair[0]);
                Matrix h = operands.input("h", ROWS, inputs);
                copy(operands.weights("u", inputs, gates, units), pair[1]);
                k.multiplyAdd(x, pair[0], out);
                k.multiplyAdd(h, pair[1], out);
            };
            same(separate, paired, inputs, gates, units);
        });
    }

    @Test
    void aWeightGradientFromTheLastRowsToTheFirst() {
        forEachShape((inputs, gates, units) -> gradient(inputs, gates, units, (a, dz, dw) -> {
            for (int end = ROWS; end > 0; end -= 3) {
                int from = Math.max(0, end - 3);
                kernels.weightGradient(a.rows(from, end), dz.rows(from, end), dw);
            }
        }));
    }

    @Test
    void aWeightGradientByInputs() {
        forEachShape((inputs, gates, units) -> gradient(inputs, gates, units, (a, dz, dw) -> {
            for (int from = 0; from < inputs; from += 7) {
                int to = Math.min(inputs, from + 7);
                kernels.weightGradient(a.columns(from, to), dz, dw.inputs(from, to));
            }
        }));
    }

    @Test
    void interleavedWeightGradients() {
        forEachShape((inputs, gates, units) -> gradient(inputs, gates, units, (a, dz, dw) -> {
            PackedMatrix[] pair =
                    PackedMatrix.pair(Memory.ofFloats(PackedMatrix.floats(2 + inputs, gates, units)), 0, 2,
                            inputs, gates, units);
            copy(dw, pair[1]);
            kernels.weightGradient(a.columns(0, 1), dz, pair[0].inputs(1, 2));
            kernels.weightGradient(a, dz, pair[1]);
            copy(pair[1], dw);
        }));
    }

    @Test
    void columnSumsFromTheLastRowsToTheFirst() {
        Operation whole = (k, operands) -> k.columnSums(operands.input("x", ROWS, 37), operands.updated("sums", 1, 37));
        Operation parts = (k, operands) -> {
            Matrix x = operands.input("x", ROWS, 37);
            Matrix sums = operands.updated("sums", 1, 37);
            k.columnSums(x.rows(5, ROWS), sums);
            k.columnSums(x.rows(0, 5), sums);
        };
        same(whole, parts, 0, 1, 37);
    }

    @Test
    void cellsRowByRow() {
        Operation whole = (k, operands) -> k.lstmForward(operands.updated("z", ROWS, 4 * 48),
                operands.input("cPrevious", ROWS, 48), operands.output("c", ROWS, 48), operands.output("h", ROWS, 48));
        Operation parts = (k, operands) -> {
            Matrix z = operands.updated("z", ROWS, 4 * 48);
            Matrix cPrevious = operands.input("cPrevious", ROWS, 48);
            Matrix c = operands.output("c", ROWS, 48);
            Matrix h = operands.output("h", ROWS, 48);
            for (int r = 0; r < ROWS; r++) {
                k.lstmForward(z.rows(r, r + 1), cPrevious.rows(r, r + 1), c.rows(r, r + 1), h.rows(r, r + 1));
            }
        };
        same(whole, parts, 0, 4, 48);
    }

    @Test
    void stepsOneByOneRowByRowWithTheirInputsApart() {
        int units = 37;
        int padded = Matrix.padded(units);
        int steps = 4;
        Operation whole = (k, operands) -> lstmSteps(operands, steps, units, (start, x, w, hPrevious, u, c, h) -> k
                .lstmSteps(start, x, w, hPrevious, u, Sweep.DESCENDING, c, h));
        Operation oneByOne = (k, operands) -> lstmSteps(operands, steps, units, (start, x, w, hPrevious, u, c, h) -> {
            for (int t = 0; t < steps; t++) {
                for (int r = 0; r < ROWS; r++) {
                    int row = t * ROWS + r;
                    Matrix before = t == 0 ? hPrevious.rows(r, r + 1) : h.rows(row - ROWS, row - ROWS + 1);
                    k.lstmSteps(start, x.rows(row, row + 1), w, before, u, Sweep.ASCENDING, c.rows(r, r + 1),
                            h.rows(row, row + 1));
                }
            }
        });
        Operation inputsApart =
                (k, operands) -> lstmSteps(operands, steps, units, (start, x, w, hPrevious, u, c, h) -> {
                    Matrix z = Matrix.of(steps * ROWS, 4 * padded);
                    k.fillRows(start, z);
                    k.multiplyAdd(x, w, z);
                    k.lstmSteps(z, x.columns(0, 0), w.inputs(0, 0), hPrevious, u, Sweep.ASCENDING, c, h);
                });
        same(whole, oneByOne, 11, 4, units);
        same(whole, inputsApart, 11, 4, units);
    }

    @FunctionalInterface
    private interface Steps {
        void run(Matrix start, Matrix x, PackedMatrix w, Matrix hPrevious, PackedMatrix u, Matrix c, Matrix h);
    }

    private static void lstmSteps(Operands operands, int steps, int units, Steps call) {
        int padded = Matrix.padded(units);
        call.run(operands.input("start", 1, 4 * padded), operands.input("x", steps * ROWS, 11),
                operands.weights("w", 11, 4, units), operands.input("hPrevious", ROWS, padded),
                operands.weights("u", units, 4, units), operands.updated("c", ROWS, padded),
                operands.output("h", steps * ROWS, padded));
    }

    @FunctionalInterface
    private interface Shape {
        void test(int inputs, int gates, int units);
    }

    @FunctionalInterface
    private interface Product {
        void run(Matrix a, PackedMatrix w, Matrix out);
    }

    @FunctionalInterface
    private interface Gradient {
        void run(Matrix a, Matrix dz, PackedMatrix dw);
    }

    private static void forEachShape(Shape shape) {
        for (int i = 0; i < SIZES.length; i++) {
            for (int gates = 1; gates <= 4; gates++) {
                shape.test(SIZES[i], gates, SIZES[(i + gates) % SIZES.length]);
            }
        }
    }

    private void product(int inputs, int gates, int units, Product parts) {
        same((k, operands) -> product(operands, inputs, gates, units, k::multiplyAdd),
                (k, operands) -> product(operands, inputs, gates, units, parts), inputs, gates, units);
    }

    private static void product(Operands operands, int inputs, int gates, int units, Product product) {
        Matrix a = operands.input("a", ROWS, inputs);
        PackedMatrix w = operands.weights("w", inputs, gates, units);
        product.run(a, w, operands.gateUpdated("out", ROWS, w));
    }

    private void gradient(int inputs, int gates, int units, Gradient parts) {
        same((k, operands) -> gradient(operands, inputs, gates, units, k::weightGradient),
                (k, operands) -> gradient(operands, inputs, gates, units, parts), inputs, gates, units);
    }

    private static void gradient(Operands operands, int inputs, int gates, int units, Gradient gradient) {
        Matrix a = operands.input("a", ROWS, inputs);
        PackedMatrix dw = operands.weightsUpdated("dw", inputs, gates, units);
        gradient.run(a, operands.gateInput("dz", ROWS, dw), dw);
    }

    private void same(Operation whole, Operation parts, int inputs, int gates, int units) {
        String name = "K=" + inputs + " G=" + gates + " H=" + units;
        List<String> found = new ArrayList<>();
        for (Inputs kind : new Inputs[] {Inputs.NORMAL, Inputs.EXTREME}) {
            found.addAll(Conformance.differences(kernels, whole, List.of(kernels), parts, name, kind));
        }
        assertEquals("", String.join("\n", found), () -> "seed " + Conformance.SEED);
    }

    /** Copies all of the weights, the padding too. */
    private static void copy(PackedMatrix from, PackedMatrix to) {
        for (int panel = 0; panel < from.panels(); panel++) {
            long count = (long) from.inputs() * from.blocks(panel) * Matrix.BLOCK;
            long source = (from.panelAddress(panel) - from.memory().address()) / Float.BYTES;
            long target = (to.panelAddress(panel) - to.memory().address()) / Float.BYTES;
            for (long i = 0; i < count; i++) {
                to.memory().setInt(target + i, from.memory().getInt(source + i));
            }
        }
    }
}
