package dev.ostinato.tests;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.AdamStep;
import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.Sweep;
import dev.ostinato.tests.Conformance.Case;
import dev.ostinato.tests.Conformance.Operation;
import dev.ostinato.tests.Operands.Precision;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Calls of every operation at the sizes where implementations go wrong. */
final class ConformanceCases {
    /** Tiles of 1 to 6 rows in every combination, an odd batch, and one more than is taken at a time. */
    private static final int[] ROWS = {1, 2, 3, 4, 5, 6, 7, 8, 13, 97};
    /** The same for a weight gradient, whose sums run over the rows. */
    private static final int[] GRADIENT_ROWS = {1, 2, 3, 8, 13, 127, 128, 131};
    /** Inputs and units around the block, the panel and the cut over k. */
    private static final int[] SIZES = {1, 15, 16, 17, 33, 63, 64, 65, 100, 257};
    private static final int[] PADDED = {0, 16, 32, 48, 64, 112, 272};
    private static final int[] FEW_ROWS = {0, 1, 2, 7};
    private static final int[] COLUMNS = columns();
    private static final List<Precision> PRECISIONS = List.of(Precision.values());
    /** Prime, so that 65537 patterns that far apart spread over all floats. */
    private static final int PATTERN_STEP = 65521;

    private final Map<String, List<Case>> cases = new LinkedHashMap<>();

    private ConformanceCases() {
    }

    /** Returns the cases of each operation, by its name. */
    static Map<String, List<Case>> all() {
        ConformanceCases cases = new ConformanceCases();
        cases.products();
        cases.quantization();
        cases.sums();
        cases.tables();
        cases.simpleCells();
        cases.lstm();
        cases.gruResetAfter();
        cases.gruResetBefore();
        CellPartCases.addTo(cases);
        VariantCases.addTo(cases);
        cases.steps();
        cases.functions();
        cases.elementwise();
        cases.softmaxes();
        LinearAlgebraCases.addTo(cases);
        cases.layerNorms();
        cases.losses();
        cases.optimisers();
        return cases.cases;
    }

    /** Lengths of a row at every lane count N: 0, 1, N-1, N, N+1, 4N/3, 8N+2, and a few that are prime or long. */
    private static int[] columns() {
        TreeSet<Integer> lengths = new TreeSet<>(List.of(0, 1, 2, 31, 61, 97, 1009, 1040));
        for (int n : new int[] {4, 8, 16}) {
            lengths.addAll(List.of(n - 1, n, n + 1, 4 * n / 3, 8 * n + 2));
        }
        return lengths.stream().mapToInt(Integer::intValue).toArray();
    }

    void add(String operation, String sizes, Operation call) {
        cases.computeIfAbsent(operation, name -> new ArrayList<>()).add(new Case(operation + " " + sizes, call));
    }

    /**
     * Every combination of gates, rows and inputs; the units rotate, so that they meet every number of inputs too. Of many rows every
     * third size.
     */
    private void products() {
        int turn = 0;
        for (int gates = 1; gates <= 4; gates++) {
            for (int rows : ROWS) {
                productsOfSizes(rows, gates, turn++, this::multiplyAdd);
                productsOfSizes(rows, gates, turn, this::multiplyAddBf16);
                productsOfSizes(rows, gates, turn, this::multiplyAddInt8);
            }
            for (int rows : GRADIENT_ROWS) {
                productsOfSizes(rows, gates, turn++, this::weightGradient);
            }
        }
        multiplyAdd(1, 1231, 4, 90); // weights beyond the nearest caches
        multiplyAddBf16(1, 2461, 4, 90);
        multiplyAddInt8(1, 4921, 4, 90);
        multiplyAdd(0, 3, 1, 5);
        multiplyAddBf16(0, 3, 1, 5);
        multiplyAddInt8(0, 3, 1, 5);
        weightGradient(0, 3, 1, 5);
    }

    @FunctionalInterface
    private interface ProductCase {
        void add(int rows, int inputs, int gates, int units);
    }

    private static void productsOfSizes(int rows, int gates, int turn, ProductCase body) {
        boolean many = rows > 50;
        for (int i = many ? turn % 3 : 0; i < SIZES.length; i += many ? 3 : 1) {
            body.add(rows, SIZES[i], gates, SIZES[(i + turn) % SIZES.length]);
        }
    }

    private void multiplyAdd(int rows, int inputs, int gates, int units) {
        add("multiplyAdd", productSizes(rows, inputs, gates, units), (kernels, operands) -> {
            Matrix a = operands.input("a", rows, inputs);
            PackedMatrix w = operands.weights("w", inputs, gates, units);
            kernels.multiplyAdd(a, w, operands.gateUpdated("out", rows, w));
        });
    }

    private void multiplyAddBf16(int rows, int inputs, int gates, int units) {
        add("multiplyAddBf16", productSizes(rows, inputs, gates, units), (kernels, operands) -> {
            Matrix a = operands.input("a", rows, inputs);
            Bf16Matrix w = operands.bf16("w", inputs, gates, units);
            kernels.multiplyAddBf16(a, w, operands.updated("out", rows, w.outputs()));
        });
    }

    private void multiplyAddInt8(int rows, int inputs, int gates, int units) {
        add("multiplyAddInt8", productSizes(rows, inputs, gates, units), (kernels, operands) -> {
            Int8Matrix w = operands.int8("w", inputs, gates, units);
            kernels.multiplyAddInt8(operands.quantized("a", Scaling.ROW, rows, inputs), w,
                    operands.updated("out", rows, w.outputs()));
        });
    }

    private void quantization() {
        for (Scaling scaling : Scaling.values()) {
            eachRowShape((rows, columns, shape) -> {
                add("quantize", scaling + " " + shape, (kernels, operands) -> kernels.quantize(scaling,
                        operands.input("x", rows, columns), operands.quantizedOutput("q", rows, columns)));
                add("quantize", scaling + " up to 1, " + shape, (kernels, operands) -> kernels.quantize(scaling,
                        operands.input("x", rows, columns, index -> operands.unitBits()),
                        operands.quantizedOutput("q", rows, columns)));
            });
        }
    }

    private void weightGradient(int rows, int inputs, int gates, int units) {
        add("weightGradient", productSizes(rows, inputs, gates, units), (kernels, operands) -> {
            Matrix a = operands.input("a", rows, inputs);
            PackedMatrix dw = operands.weightsUpdated("dw", inputs, gates, units);
            kernels.weightGradient(a, operands.gateInput("dz", rows, dw), dw);
        });
    }

    private static String productSizes(int rows, int inputs, int gates, int units) {
        return "R=" + rows + " K=" + inputs + " G=" + gates + " H=" + units;
    }

    private void sums() {
        for (int columns : COLUMNS) {
            for (int rows : FEW_ROWS) {
                add("columnSums", shape(rows, columns), (kernels, operands) -> kernels
                        .columnSums(operands.input("x", rows, columns), operands.updated("sums", 1, columns)));
            }
            add("sumOfSquares", shape(1, columns),
                    (kernels, operands) -> operands.result(kernels.sumOfSquares(operands.input("x", 1, columns))));
        }
    }

    private void tables() {
        for (int rows : new int[] {0, 1, 7, 13}) {
            for (int columns : COLUMNS) {
                add("scatterAdd", shape(rows, columns), (kernels, operands) -> {
                    Indices indices = operands.indices("indices", rows, 5);
                    kernels.scatterAdd(operands.input("x", rows, columns), indices,
                            operands.updated("table", 5, columns));
                });
            }
            for (int units : SIZES) {
                for (int gates = 1; gates <= 4; gates++) {
                    oneHot(rows, gates, units);
                }
            }
        }
    }

    private void oneHot(int rows, int gates, int units) {
        int inputs = 9;
        add("addInputs", productSizes(rows, inputs, gates, units), (kernels, operands) -> {
            PackedMatrix w = operands.weights("w", inputs, gates, units);
            kernels.addInputs(w, operands.indices("indices", rows, inputs), operands.gateUpdated("out", rows, w));
        });
        add("scatterAddInputs", productSizes(rows, inputs, gates, units), (kernels, operands) -> {
            PackedMatrix dw = operands.weightsUpdated("dw", inputs, gates, units);
            kernels.scatterAddInputs(operands.gateInput("dz", rows, dw), operands.indices("indices", rows, inputs), dw);
        });
    }

    // Cells

    @FunctionalInterface
    interface CellCase {
        void add(int rows, int units, String shape);
    }

    static void eachCellShape(CellCase body) {
        for (int rows : FEW_ROWS) {
            for (int units : PADDED) {
                body.add(rows, units, shape(rows, units));
            }
        }
    }

    private void simpleCells() {
        for (Activation f : Variants.SIMPLE) {
            eachCellShape((rows, units, shape) -> {
                add("rnnForward", f + " " + shape, (kernels, operands) -> kernels.rnnForward(f,
                        operands.input("z", rows, units), operands.output("h", rows, units)));
                add("rnnForward", f + " " + shape + " in place", (kernels, operands) -> {
                    Matrix z = operands.updated("z", rows, units);
                    kernels.rnnForward(f, z, z);
                });
                add("rnnBackward", f + " " + shape, (kernels, operands) -> kernels.rnnBackward(f,
                        operands.input("h", rows, units), operands.input("dh", rows, units),
                        operands.output("dz", rows, units)));
            });
        }
    }

    private void lstm() {
        eachCellShape((rows, units, shape) -> {
            add("lstmForward", shape, (kernels, operands) -> kernels.lstmForward(operands.updated("z", rows, 4 * units),
                    operands.input("cPrevious", rows, units), operands.output("c", rows, units),
                    operands.output("h", rows, units)));
            add("lstmForward", shape + " in place", (kernels, operands) -> {
                Matrix c = operands.updated("c", rows, units);
                kernels.lstmForward(operands.updated("z", rows, 4 * units), c, c, operands.output("h", rows, units));
            });
            add("lstmBackward", shape, (kernels, operands) -> kernels.lstmBackward(
                    operands.updated("z", rows, 4 * units), operands.input("cPrevious", rows, units),
                    operands.input("c", rows, units), operands.input("dh", rows, units),
                    operands.updated("dc", rows, units)));
        });
    }

    private void gruResetAfter() {
        eachCellShape((rows, units, shape) -> {
            add("gruForward", shape, (kernels, operands) -> kernels.gruForward(operands.updated("z", rows, 4 * units),
                    operands.input("hPrevious", rows, units), operands.output("h", rows, units)));
            add("gruForward", shape + " in place", (kernels, operands) -> {
                Matrix h = operands.updated("h", rows, units);
                kernels.gruForward(operands.updated("z", rows, 4 * units), h, h);
            });
            add("gruBackward", shape, (kernels, operands) -> kernels.gruBackward(
                    operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units),
                    operands.input("dh", rows, units), operands.updated("dhPrevious", rows, units)));
        });
    }

    private void gruResetBefore() {
        eachCellShape((rows, units, shape) -> {
            add("gruResetForward", shape, (kernels, operands) -> kernels.gruResetForward(
                    operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units)));
            add("gruMixForward", shape, (kernels, operands) -> kernels.gruMixForward(
                    operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units),
                    operands.output("h", rows, units)));
            add("gruMixForward", shape + " in place", (kernels, operands) -> {
                Matrix h = operands.updated("h", rows, units);
                kernels.gruMixForward(operands.updated("z", rows, 4 * units), h, h);
            });
            add("gruMixBackward", shape, (kernels, operands) -> kernels.gruMixBackward(
                    operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units),
                    operands.input("dh", rows, units), operands.updated("dhPrevious", rows, units)));
            add("gruResetBackward", shape, (kernels, operands) -> kernels.gruResetBackward(
                    operands.updated("z", rows, 4 * units), operands.input("hPrevious", rows, units),
                    operands.input("ds", rows, units), operands.updated("dhPrevious", rows, units)));
        });
    }

    // Steps

    @FunctionalInterface
    private interface StepsCall {
        void run(Kernels kernels, Operands operands, StepsOperands o);
    }

    /** What the steps of every cell take. */
    private record StepsOperands(Matrix start, Matrix x, PackedWeights w, Matrix hPrevious, PackedWeights u) {}

    /** T steps of B streams, I inputs, H units; start has a row for each, or one for all. */
    private record StepsShape(int streams, int steps, int inputs, int units, boolean oneStart) {
        int rows() {
            return streams * steps;
        }

        int padded() {
            return Matrix.padded(units);
        }

        @Override
        public String toString() {
            return "B=" + streams + " T=" + steps + " I=" + inputs + " H=" + units;
        }
    }

    /** Every number of streams with every number of inputs and of units; precisions and shares in turns. */
    private void steps() {
        int turn = 0;
        for (int streams : new int[] {0, 1, 2, 3, 5, 6, 7, 8, 13}) {
            for (int inputs : new int[] {0, 1, 7, 40}) {
                for (int units : new int[] {1, 16, 17, 65, 100, 150}) {
                    // Numbers without a divisor in common with those of the loops, so that everything meets everything.
                    Sweep sweep = turn % 11 < 5 ? Sweep.DESCENDING : Sweep.ASCENDING;
                    Precision narrow = turn % 7 < 4 ? Precision.BF16 : Precision.INT8;
                    StepsShape shape = new StepsShape(streams, turn % 4, inputs, units, turn % 3 == 0);
                    steps(shape, Precision.F32, sweep, turn % 5 < 3);
                    steps(shape, narrow, sweep, turn % 5 > 1);
                    if (turn % 5 < 3) {
                        StepsShape one = new StepsShape(streams, 1, inputs, units, turn % 13 < 7);
                        steps(one, PRECISIONS.get(turn % 7 % 3), sweep.share(turn % 11 % 3, 3), turn % 5 > 0);
                    }
                    if (turn % 3 == 1) {
                        variants(shape, PRECISIONS.get(turn % 7 % 3), sweep, turn % 5 < 3, turn);
                        variants(new StepsShape(streams, 1, inputs, units, turn % 13 < 7), PRECISIONS.get(turn % 8 % 3),
                                sweep.share(turn % 11 % 3, 3), turn % 5 > 1, turn + 1);
                    }
                    turn++;
                }
            }
        }
        for (int streams : new int[] {1, 2, 7}) {
            for (int units : new int[] {17, 65, 150}) {
                for (int stateInputs : new int[] {0, 1, 14}) {
                    narrowSteps(new StepsShape(streams, 1, turn % 2 * 7, units, turn % 3 == 0), stateInputs,
                            PRECISIONS.get(turn % 7 % 3), Sweep.ASCENDING.share(turn % 5 % 2, 2), turn);
                    turn++;
                }
            }
        }
        for (Precision precision : PRECISIONS) {
            steps(new StepsShape(1, 2, 300, 257, true), precision, Sweep.ASCENDING, true);
            steps(new StepsShape(1, 2, 4000, 100, true), precision, Sweep.ASCENDING, true); // more than may be copied to the stack
            steps(new StepsShape(33, 2, 20, 40, true), precision, Sweep.DESCENDING, true);
        }
    }

    private void steps(StepsShape shape, Precision precision, Sweep sweep, boolean pair) {
        int padded = shape.padded();
        for (Activation f : Variants.SIMPLE) {
            steps("rnnSteps", f + " ", shape, precision, sweep, pair, 1, 1,
                    (kernels, operands, o) -> kernels.rnnSteps(f,
                            o.start, o.x, o.w, o.hPrevious, o.u, sweep,
                            operands.shareOutput("h", shape.rows(), padded, o.u, sweep)));
        }
        steps("lstmSteps", "", shape, precision, sweep, pair, 4, 4, (kernels, operands, o) -> kernels.lstmSteps(o.start,
                o.x, o.w, o.hPrevious, o.u, sweep, operands.shareUpdated("c", shape.streams, padded, o.u, sweep),
                operands.shareOutput("h", shape.rows(), padded, o.u, sweep)));
        steps("gruSteps", "", shape, precision, sweep, pair, 4, 3, (kernels, operands, o) -> kernels.gruSteps(o.start,
                o.x, o.w, o.hPrevious, o.u, sweep, operands.shareOutput("h", shape.rows(), padded, o.u, sweep)));
    }

    /** One variant of each cell, in turns. */
    private void variants(StepsShape shape, Precision precision, Sweep sweep, boolean pair, int turn) {
        int padded = shape.padded();
        Activation f = Variants.ACTIVATIONS.get(turn % Variants.ACTIVATIONS.size());
        steps("rnnSteps", f + " ", shape, precision, sweep, pair, 1, 1,
                (kernels, operands, o) -> kernels.rnnSteps(f, o.start, o.x, o.w, o.hPrevious, o.u, sweep,
                        operands.shareOutput("h", shape.rows(), padded, o.u, sweep)));
        Variants.LstmOf lstm = Variants.LSTMS.get(turn % Variants.LSTMS.size());
        int slots = lstm.variant().slots();
        steps("lstmSteps", lstm + " ", shape, precision, sweep, pair, slots, slots,
                (kernels, operands, o) -> kernels.lstmSteps(lstm.variant(),
                        operands.input("peepholes", lstm.peepholes(), padded), o.start, o.x, o.w, o.hPrevious, o.u,
                        sweep, operands.shareUpdated("c", shape.streams, padded, o.u, sweep),
                        operands.shareOutput("h", shape.rows(), padded, o.u, sweep)));
        GruVariant gru = Variants.GRUS.get(turn % Variants.GRUS.size());
        steps("gruSteps", gru + " ", shape, precision, sweep, pair, 4, 3,
                (kernels, operands, o) -> kernels.gruSteps(gru, o.start, o.x, o.w, o.hPrevious, o.u, sweep,
                        operands.shareOutput("h", shape.rows(), padded, o.u, sweep)));
    }

    /** Steps from a state of fewer inputs than units, in all precisions. */
    private void narrowSteps(StepsShape shape, int inputs, Precision some, Sweep sweep, int turn) {
        int padded = shape.padded();
        Activation f = Variants.SIMPLE.get(turn % Variants.SIMPLE.size());
        Variants.LstmOf lstm = Variants.LSTMS.get(turn % Variants.LSTMS.size());
        int slots = lstm.variant().slots();
        for (Precision precision : PRECISIONS) {
            Sweep share = precision == some ? sweep : Sweep.DESCENDING;
            narrowSteps("rnnSteps", f + " ", shape, inputs, precision, share, 1,
                    (kernels, operands, o) -> kernels.rnnSteps(f, o.start, o.x, o.w, o.hPrevious, o.u, share,
                            operands.shareOutput("h", shape.rows(), padded, o.u, share)));
            narrowSteps("lstmSteps", "", shape, inputs, precision, share, 4,
                    (kernels, operands, o) -> kernels.lstmSteps(o.start, o.x, o.w, o.hPrevious, o.u, share,
                            operands.shareUpdated("c", shape.streams, padded, o.u, share),
                            operands.shareOutput("h", shape.rows(), padded, o.u, share)));
            narrowSteps("lstmSteps", lstm + " ", shape, inputs, precision, share, slots,
                    (kernels, operands, o) -> kernels.lstmSteps(lstm.variant(),
                            operands.input("peepholes", lstm.peepholes(), padded), o.start, o.x, o.w, o.hPrevious, o.u,
                            share, operands.shareUpdated("c", shape.streams, padded, o.u, share),
                            operands.shareOutput("h", shape.rows(), padded, o.u, share)));
        }
    }

    private void narrowSteps(String name, String variant, StepsShape shape, int inputs, Precision precision,
            Sweep sweep, int gates, StepsCall call) {
        String sizes = variant + shape + " of a state of " + inputs + " " + precision + " part " + sweep.part() + " of "
                + sweep.parts();
        add(name, sizes, (kernels, operands) -> {
            PackedWeights[] wu =
                    operands.stepWeights(precision, shape.oneStart, shape.inputs, inputs, gates, shape.units);
            call.run(kernels, operands, new StepsOperands(
                    operands.input("start", shape.oneStart ? 1 : shape.rows(), gates * shape.padded()),
                    operands.input("x", shape.rows(), shape.inputs), wu[0],
                    operands.input("hPrevious", shape.streams, inputs), wu[1]));
        });
    }

    private void steps(String name, String variant, StepsShape shape, Precision precision, Sweep sweep, boolean pair,
            int slots, int gates, StepsCall call) {
        String sizes = variant + shape + " " + precision + (pair ? " interleaved" : "")
                + (sweep.descending() ? " descending" : "") + " part " + sweep.part() + " of " + sweep.parts();
        add(name, sizes, (kernels, operands) -> {
            PackedWeights[] wu = operands.stepWeights(precision, pair, shape.inputs, gates, shape.units);
            call.run(kernels, operands, new StepsOperands(
                    operands.input("start", shape.oneStart ? 1 : shape.rows(), slots * shape.padded()),
                    operands.input("x", shape.rows(), shape.inputs), wu[0],
                    operands.input("hPrevious", shape.streams, shape.padded()), wu[1]));
        });
    }

    // Rows of any length

    @FunctionalInterface
    interface RowCase {
        void add(int rows, int columns, String shape);
    }

    static void eachRowShape(RowCase body) {
        for (int columns : COLUMNS) {
            for (int rows : columns < 100 ? new int[] {0, 1, 3} : new int[] {2}) {
                body.add(rows, columns, shape(rows, columns));
            }
        }
    }

    private void functions() {
        for (Function f : Function.values()) {
            eachRowShape((rows, columns, shape) -> {
                add("apply", f + " " + shape,
                        (kernels, operands) -> kernels.apply(f, operands.input("x", rows, columns),
                                operands.output("y", rows, columns)));
                add("apply", f + " " + shape + " in place", (kernels, operands) -> {
                    Matrix x = operands.updated("x", rows, columns);
                    kernels.apply(f, x, x);
                });
            });
            eachRowShape((rows, columns, shape) -> {
                add("applyBackward", f + " " + shape,
                        (kernels, operands) -> kernels.applyBackward(f, operands.input("v", rows, columns),
                                operands.input("dy", rows, columns), operands.output("dx", rows, columns)));
                add("applyBackward", f + " " + shape + " over v", (kernels, operands) -> {
                    Matrix v = operands.updated("v", rows, columns);
                    kernels.applyBackward(f, v, operands.input("dy", rows, columns), v);
                });
                add("applyBackward", f + " " + shape + " over dy", (kernels, operands) -> {
                    Matrix dy = operands.updated("dy", rows, columns);
                    kernels.applyBackward(f, operands.input("v", rows, columns), dy, dy);
                });
            });
            add("applyBackward", f + " over all exponents", (kernels, operands) -> kernels.applyBackward(f,
                    operands.input("v", 1, 65537, index -> index * PATTERN_STEP), operands.input("dy", 1, 65537),
                    operands.output("dx", 1, 65537)));
            add("apply", f + " over all exponents", (kernels, operands) -> kernels.apply(f,
                    operands.input("x", 1, 65537, index -> index * PATTERN_STEP), operands.output("y", 1, 65537)));
        }
    }

    private void elementwise() {
        eachRowShape((rows, columns, shape) -> {
            add("scale", shape, (kernels, operands) -> kernels.scale(operands.updated("x", rows, columns),
                    operands.factor()));
            add("multiply", shape, (kernels, operands) -> kernels.multiply(operands.updated("x", rows, columns),
                    operands.input("y", rows, columns)));
        });
    }

    private void softmaxes() {
        eachRowShape((rows, columns, shape) -> {
            add("softmax", shape, (kernels, operands) -> kernels.softmax(operands.input("x", rows, columns),
                    operands.output("y", rows, columns)));
            add("softmax", shape + " in place", (kernels, operands) -> {
                Matrix x = operands.updated("x", rows, columns);
                kernels.softmax(x, x);
            });
            add("logSoftmax", shape, (kernels, operands) -> kernels.logSoftmax(operands.input("x", rows, columns),
                    operands.output("y", rows, columns)));
            add("logSoftmax", shape + " in place", (kernels, operands) -> {
                Matrix x = operands.updated("x", rows, columns);
                kernels.logSoftmax(x, x);
            });
        });
    }

    private void layerNorms() {
        eachRowShape((rows, columns, shape) -> {
            if (columns > 0) {
                add("layerNormForward", shape, (kernels, operands) -> kernels.layerNormForward(
                        operands.input("x", rows, columns), operands.input("gain", 1, columns),
                        operands.input("bias", 1, columns), 1e-5f, operands.output("y", rows, columns),
                        operands.output("statistics", rows, 2)));
                add("layerNormForward", shape + " in place", (kernels, operands) -> {
                    Matrix x = operands.updated("x", rows, columns);
                    kernels.layerNormForward(x, operands.input("gain", 1, columns), operands.input("bias", 1, columns),
                            1e-5f, x, operands.output("statistics", rows, 2));
                });
                for (String over : List.of("", "x", "dy")) {
                    add("layerNormBackward", shape + (over.isEmpty() ? "" : " over " + over),
                            (kernels, operands) -> layerNormBackward(kernels, operands, rows, columns, over));
                }
            }
        });
    }

    private static void layerNormBackward(Kernels kernels, Operands operands, int rows, int columns, String over) {
        Matrix x = over.equals("x") ? operands.updated("x", rows, columns) : operands.input("x", rows, columns);
        Matrix dy = over.equals("dy") ? operands.updated("dy", rows, columns) : operands.input("dy", rows, columns);
        Matrix dx = switch (over) {
            case "x" -> x;
            case "dy" -> dy;
            default -> operands.output("dx", rows, columns);
        };
        kernels.layerNormBackward(x, operands.input("gain", 1, columns), operands.input("statistics", rows, 2), dy, dx,
                operands.updated("dGain", 1, columns), operands.updated("dBias", 1, columns));
    }

    private void losses() {
        eachRowShape((rows, columns, shape) -> {
            if (columns > 0) {
                add("crossEntropyForward", shape, (kernels, operands) -> kernels.crossEntropyForward(
                        operands.updated("x", rows, columns), operands.indices("targets", rows, columns),
                        operands.output("losses", rows, 1)));
                add("crossEntropyBackward", shape, (kernels, operands) -> kernels.crossEntropyBackward(
                        operands.updated("p", rows, columns), operands.indices("targets", rows, columns),
                        operands.factor()));
            }
            add("squaredError", shape, (kernels, operands) -> kernels.squaredError(
                    operands.updated("y", rows, columns), operands.input("target", rows, columns),
                    operands.output("losses", rows, 1), operands.factor(), operands.factor()));
        });
    }

    private void optimisers() {
        for (int columns : COLUMNS) {
            for (int t : new int[] {1, 10, 100_000}) {
                AdamStep step = AdamStep.at(t, 1e-3, 0.9, 0.999, 1e-8, 0.75f);
                add("adam", "t=" + t + " " + shape(1, columns), (kernels, operands) -> kernels.adam(
                        operands.updated("w", 1, columns), operands.input("dw", 1, columns),
                        operands.updated("m", 1, columns), operands.updated("v", 1, columns), step));
            }
            for (float momentum : new float[] {0f, 0.9f}) {
                add("sgd", "momentum " + momentum + " " + shape(1, columns), (kernels, operands) -> kernels.sgd(
                        operands.updated("w", 1, columns), operands.input("dw", 1, columns),
                        operands.updated("v", 1, columns), operands.factor(), operands.factor(), momentum));
            }
        }
    }

    private static String shape(int rows, int columns) {
        return "(" + rows + ", " + columns + ")";
    }
}
