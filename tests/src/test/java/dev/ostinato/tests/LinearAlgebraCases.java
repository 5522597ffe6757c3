package dev.ostinato.tests;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Transpose;
import java.util.List;

/** Calls of plain linear algebra, at the sizes where tiles, panels and what is taken at a time end. */
final class LinearAlgebraCases {
    private static final int[] ROWS = {0, 1, 2, 3, 7, 8, 9, 17};
    private static final int[] COLUMNS = {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 97, 130, 1009};
    private static final int[] GEMM_ROWS = {0, 1, 2, 3, 4, 5, 6, 7, 11, 13};
    private static final int[] GEMM_COLUMNS = {0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100};
    private static final int[] DEPTHS = {0, 1, 2, 5, 16, 61, 127, 128, 129, 257};
    /** 0 and 1 are cases of their own. */
    private static final float[] FACTORS = {0f, 1f, -0.3f};

    private final ConformanceCases cases;

    private LinearAlgebraCases(ConformanceCases cases) {
        this.cases = cases;
    }

    static void addTo(ConformanceCases cases) {
        LinearAlgebraCases own = new LinearAlgebraCases(cases);
        own.partials();
        own.gemv();
        own.gemm();
    }

    private void partials() {
        for (int rows : ROWS) {
            for (int columns : COLUMNS) {
                String shape = "(" + rows + ", " + columns + ")";
                cases.add("axpy", shape, (kernels, operands) -> kernels.axpy(operands.factor(),
                        operands.input("x", rows, columns), operands.updated("y", rows, columns)));
                cases.add("partialSums", shape, (kernels, operands) -> kernels.backend().kernels().partialSums(
                        operands.input("x", rows, columns), operands.updated("p", rows, Matrix.BLOCK)));
                cases.add("partialDots", shape, (kernels, operands) -> kernels.backend().kernels().partialDots(
                        operands.input("a", rows, columns), operands.input("x", 1, columns),
                        operands.updated("p", rows, Matrix.BLOCK)));
                cases.add("partialMaxima", shape, (kernels, operands) -> kernels.backend().kernels().partialMaxima(
                        operands.input("x", rows, columns), operands.updated("p", rows, Matrix.BLOCK)));
                cases.add("partialMinima", shape, (kernels, operands) -> kernels.backend().kernels().partialMinima(
                        operands.input("x", rows, columns), operands.updated("p", rows, Matrix.BLOCK)));
            }
        }
    }

    private void gemv() {
        int turn = 0;
        for (Transpose transpose : Transpose.values()) {
            for (int rows : ROWS) {
                for (int columns : COLUMNS) {
                    gemv(transpose, rows, columns, FACTORS[turn++ % 3]);
                }
            }
            gemv(transpose, 5, 2060, -0.3f);
        }
    }

    private void gemv(Transpose transpose, int rows, int columns, float beta) {
        boolean plain = transpose == Transpose.NO;
        cases.add("gemv", transpose + " (" + rows + ", " + columns + ") beta " + beta,
                (kernels, operands) -> kernels.gemv(transpose, operands.factor(), operands.input("a", rows, columns),
                        operands.input("x", 1, plain ? columns : rows), beta,
                        operands.updated("y", 1, plain ? rows : columns)));
    }

    /** Every number of rows meets every number of columns; depths, factors and transposes rotate. */
    private void gemm() {
        int turn = 0;
        for (int rows : GEMM_ROWS) {
            for (int columns : GEMM_COLUMNS) {
                gemm(turn++, rows, DEPTHS[turn % DEPTHS.length], columns);
            }
        }
        for (Size size : List.of(new Size(121, 130, 70), new Size(390, 5, 33), new Size(2, 300, 530),
                new Size(9, 17, 1030), new Size(200, 33, 64))) {
            for (int i = 0; i < 4; i++) {
                gemm(turn++, size.rows, size.depth, size.columns);
            }
        }
    }

    private record Size(int rows, int depth, int columns) {}

    private void gemm(int turn, int rows, int depth, int columns) {
        Transpose a = turn % 4 < 2 ? Transpose.NO : Transpose.YES;
        Transpose b = turn % 2 == 0 ? Transpose.NO : Transpose.YES;
        float alpha = turn % 5 == 0 ? 1f : 0.7f;
        float beta = FACTORS[turn % 3];
        cases.add("gemm", "R=" + rows + " K=" + depth + " N=" + columns + " " + a + " " + b + " " + alpha + " " + beta,
                (kernels, operands) -> kernels.gemm(a, b, alpha, operand(operands, "a", a, rows, depth),
                        operand(operands, "b", b, depth, columns), beta, operands.updated("c", rows, columns)));
    }

    private static Matrix operand(Operands operands, String name, Transpose transpose, int rows, int columns) {
        return transpose == Transpose.NO ? operands.input(name, rows, columns) : operands.input(name, columns, rows);
    }
}
