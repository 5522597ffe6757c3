package dev.ostinato.tests;

import dev.ostinato.kernels.Matrix;

/** Calls of the parts of cells that are made of several kernels. */
final class CellPartCases {
    private CellPartCases() {
    }

    static void addTo(ConformanceCases cases) {
        ConformanceCases.eachCellShape((rows, units, shape) -> {
            minGru(cases, rows, units, shape);
            lstmHalves(cases, rows, units, shape);
        });
        ConformanceCases.eachRowShape((rows, columns, shape) -> columns(cases, rows, columns, shape));
    }

    private static void minGru(ConformanceCases cases, int rows, int units, String shape) {
        cases.add("minGruForward", shape, (kernels, operands) -> kernels.minGruForward(
                operands.updated("z", rows, 2 * units), operands.input("hPrevious", rows, units),
                operands.output("h", rows, units)));
        cases.add("minGruForward", shape + " in place", (kernels, operands) -> {
            Matrix h = operands.updated("h", rows, units);
            kernels.minGruForward(operands.updated("z", rows, 2 * units), h, h);
        });
        cases.add("minGruBackward", shape, (kernels, operands) -> kernels.minGruBackward(
                operands.updated("z", rows, 2 * units), operands.input("hPrevious", rows, units),
                operands.input("dh", rows, units), operands.updated("dhPrevious", rows, units)));
    }

    private static void lstmHalves(ConformanceCases cases, int rows, int units, String shape) {
        cases.add("lstmCellForward", shape, (kernels, operands) -> kernels.lstmCellForward(
                operands.updated("z", rows, 4 * units), operands.input("cPrevious", rows, units),
                operands.output("c", rows, units)));
        cases.add("lstmCellForward", shape + " in place", (kernels, operands) -> {
            Matrix c = operands.updated("c", rows, units);
            kernels.lstmCellForward(operands.updated("z", rows, 4 * units), c, c);
        });
        cases.add("lstmOutputForward", shape, (kernels, operands) -> kernels.lstmOutputForward(
                operands.input("z", rows, 4 * units), operands.input("m", rows, units),
                operands.output("h", rows, units)));
        cases.add("lstmOutputForward", shape + " in place", (kernels, operands) -> {
            Matrix m = operands.updated("m", rows, units);
            kernels.lstmOutputForward(operands.input("z", rows, 4 * units), m, m);
        });
        cases.add("lstmOutputBackward", shape, (kernels, operands) -> kernels.lstmOutputBackward(
                operands.updated("z", rows, 4 * units), operands.input("m", rows, units),
                operands.input("dh", rows, units), operands.output("dm", rows, units)));
        cases.add("lstmOutputBackward", shape + " over m", (kernels, operands) -> {
            Matrix m = operands.updated("m", rows, units);
            kernels.lstmOutputBackward(operands.updated("z", rows, 4 * units), m, operands.input("dh", rows, units), m);
        });
        cases.add("lstmOutputBackward", shape + " over dh", (kernels, operands) -> {
            Matrix dh = operands.updated("dh", rows, units);
            kernels.lstmOutputBackward(operands.updated("z", rows, 4 * units), operands.input("m", rows, units), dh,
                    dh);
        });
        cases.add("lstmCellBackward", shape, (kernels, operands) -> kernels.lstmCellBackward(
                operands.updated("z", rows, 4 * units), operands.input("cPrevious", rows, units),
                operands.updated("dc", rows, units)));
    }

    private static void columns(ConformanceCases cases, int rows, int columns, String shape) {
        cases.add("addScaled", shape, (kernels, operands) -> kernels.addScaled(operands.input("x", rows, columns),
                operands.input("factors", 1, columns), operands.updated("y", rows, columns)));
        cases.add("columnDots", shape, (kernels, operands) -> kernels.columnDots(operands.input("x", rows, columns),
                operands.input("y", rows, columns), operands.updated("sums", 1, columns)));
        cases.add("columnDots", shape + " of one", (kernels, operands) -> {
            Matrix x = operands.input("x", rows, columns);
            kernels.columnDots(x, x, operands.updated("sums", 1, columns));
        });
    }
}
