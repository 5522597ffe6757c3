package dev.ostinato.tests;

import dev.ostinato.kernels.ForwardingKernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.Transpose;

/** Products in double precision, and in their place how far from them one in single precision may be that adds in any order. */
final class ReferenceProducts extends ForwardingKernels {
    private static final double UNIT_ROUNDOFF = 0x1p-24;

    private final Result result;

    /** What becomes of a sum. */
    @FunctionalInterface
    private interface Result {
        float of(Sum sum);
    }

    private ReferenceProducts(Result result) {
        super(Conformance.scalar().kernels());
        this.result = result;
    }

    /** Returns kernels whose products are rounded once. */
    static ReferenceProducts sums() {
        return new ReferenceProducts(sum -> (float) sum.value);
    }

    /** Returns kernels that write error bounds: infinity where a sum may overflow, NaN where it is not one of finite numbers. */
    static ReferenceProducts bounds() {
        return new ReferenceProducts(ReferenceProducts::bound);
    }

    /**
     * Higham, Accuracy and Stability of Numerical Algorithms, 3.1: n roundings leave {@code n u / (1 - n u)} of the sum of magnitudes.
     * A term is rounded in its product, with its factor, and in each addition, the result again in the reference; and anything below
     * the normal range by at most half of the least float.
     */
    private static float bound(Sum sum) {
        if (!Double.isFinite(sum.magnitude)) {
            return Float.NaN;
        }
        if (Math.max(sum.magnitude, sum.largestFactor) > Float.MAX_VALUE / 2) {
            return Float.POSITIVE_INFINITY;
        }
        double relative = (sum.terms + 3) * UNIT_ROUNDOFF;
        double underflow = (sum.terms + 2) * (double) Float.MIN_VALUE + sum.underflow;
        return Math.nextUp((float) (relative / (1 - relative) * sum.magnitude + underflow));
    }

    @Override
    public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
        eachOutput(w, (panel, lane, column) -> {
            for (int r = 0; r < a.rows(); r++) {
                Sum sum = new Sum(out.get(r, column));
                for (int k = 0; k < w.inputs(); k++) {
                    sum.add(a.get(r, k), w.memory().getFloat(index(w, panel, k, lane)));
                }
                out.set(r, column, sum.result(result));
            }
        });
    }

    @Override
    public void weightGradient(Matrix a, Matrix dz, PackedMatrix dw) {
        eachOutput(dw, (panel, lane, column) -> {
            for (int k = 0; k < dw.inputs(); k++) {
                Sum sum = new Sum(dw.memory().getFloat(index(dw, panel, k, lane)));
                for (int r = 0; r < a.rows(); r++) {
                    sum.add(a.get(r, k), dz.get(r, column));
                }
                dw.memory().setFloat(index(dw, panel, k, lane), sum.result(result));
            }
        });
    }

    @Override
    public void gemm(Transpose transposeA, Transpose transposeB, float alpha, Matrix a, Matrix b, float beta,
            Matrix c) {
        boolean plainA = transposeA == Transpose.NO;
        boolean plainB = transposeB == Transpose.NO;
        for (int i = 0; i < c.rows(); i++) {
            for (int j = 0; j < c.columns(); j++) {
                Sum sum = new Sum(beta == 0 ? 0 : (double) beta * c.get(i, j));
                for (int k = 0; k < (plainA ? a.columns() : a.rows()); k++) {
                    sum.add(alpha, plainA ? a.get(i, k) : a.get(k, i), plainB ? b.get(k, j) : b.get(j, k));
                }
                c.set(i, j, sum.result(result));
            }
        }
    }

    @FunctionalInterface
    private interface Output {
        void visit(int panel, int lane, int column);
    }

    private static void eachOutput(PackedMatrix w, Output body) {
        for (int panel = 0; panel < w.panels(); panel++) {
            for (int lane = 0; lane < w.blocks(panel) * Matrix.BLOCK; lane++) {
                body.visit(panel, lane, w.output(panel, lane / Matrix.BLOCK) + lane % Matrix.BLOCK);
            }
        }
    }

    private static long index(PackedMatrix w, int panel, int input, int lane) {
        return (w.panelAddress(panel) - w.memory().address()) / Float.BYTES
                + (long) input * w.blocks(panel) * Matrix.BLOCK + lane;
    }

    private static final class Sum {
        private double value;
        private double magnitude;
        /** What goes in can be too large where its product is not. */
        private double largestFactor;
        private double underflow;
        private int terms = 1;

        Sum(double start) {
            value = start;
            magnitude = Math.abs(start);
        }

        void add(float a, float b) {
            double term = (double) a * b;
            value += term;
            magnitude += Math.abs(term);
            terms++;
        }

        /** A term with a factor that may be multiplied to either number or to their product, which is one more rounding. */
        void add(float alpha, float a, float b) {
            double left = Math.abs((double) alpha * a);
            double right = Math.abs((double) alpha * b);
            double term = (double) alpha * a * b;
            value += term;
            magnitude += Math.abs(term) * (1 + 2 * UNIT_ROUNDOFF);
            largestFactor = Math.max(largestFactor, Math.max(left, Math.max(right, Math.abs((double) a * b))));
            underflow += (Math.abs((double) a) + Math.abs((double) b) + Math.abs((double) alpha)) * Float.MIN_VALUE;
            terms++;
        }

        float result(Result result) {
            return result.of(this);
        }
    }
}
