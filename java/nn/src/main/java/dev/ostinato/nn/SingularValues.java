package dev.ostinato.nn;

import java.util.Arrays;

/**
 * Singular values in double, by Jacobi rotations of pairs of columns until all are orthogonal (Hestenes 1958): their lengths are then the
 * singular values, each to a few ULP of the largest, and small ones much better than that where the matrix determines them.
 */
final class SingularValues {
    private static final double NEGLIGIBLE = 0x1p-50;
    /** Sweeps needed are about ten for hundreds of columns. */
    private static final int MOST_SWEEPS = 60;
    /** Up to this size the largest value comes from all of them. */
    private static final int SMALL = 32;

    private SingularValues() {
    }

    /** Returns all min(rows, columns) singular values, descending. O(rows * columns^2). */
    static double[] of(double[][] a) {
        double scale = DoubleMatrices.scale(a);
        // The columns as arrays, of the matrix or of its transpose, whichever has fewer.
        double[][] columns = a.length < a[0].length ? DoubleMatrices.copy(a) : DoubleMatrices.transposed(a);
        for (double[] column : columns) {
            for (int i = 0; i < column.length; i++) {
                column[i] /= scale;
            }
        }
        orthogonalise(columns);
        double[] values = new double[columns.length];
        for (int j = 0; j < values.length; j++) {
            values[values.length - 1 - j] = scale * Math.sqrt(DoubleMatrices.dot(columns[j], columns[j]));
        }
        Arrays.sort(values);
        for (int i = 0, j = values.length - 1; i < j; i++, j--) {
            double smaller = values[i];
            values[i] = values[j];
            values[j] = smaller;
        }
        return values;
    }

    private static void orthogonalise(double[][] columns) {
        boolean rotated = true;
        for (int sweep = 0; rotated && sweep < MOST_SWEEPS; sweep++) {
            rotated = false;
            for (int p = 0; p < columns.length - 1; p++) {
                for (int q = p + 1; q < columns.length; q++) {
                    rotated |= rotate(columns[p], columns[q]);
                }
            }
        }
    }

    /** Makes two columns orthogonal; returns whether they were not. */
    private static boolean rotate(double[] p, double[] q) {
        double pp = DoubleMatrices.dot(p, p);
        double qq = DoubleMatrices.dot(q, q);
        double pq = DoubleMatrices.dot(p, q);
        if (Math.abs(pq) <= NEGLIGIBLE * Math.sqrt(pp * qq)) {
            return false;
        }
        double zeta = (qq - pp) / (2 * pq);
        double tangent = Math.copySign(1 / (Math.abs(zeta) + Math.hypot(1, zeta)), zeta);
        double cosine = 1 / Math.hypot(1, tangent);
        double sine = cosine * tangent;
        for (int i = 0; i < p.length; i++) {
            double v = p[i];
            p[i] = cosine * v - sine * q[i];
            q[i] = sine * v + cosine * q[i];
        }
        return true;
    }

    /**
     * Returns the largest singular value to about ten digits, without the others: by bidiagonalisation from a fixed vector (Golub and Kahan
     * 1965) with full reorthogonalisation, for 16, 32, 64, ... steps until the value no longer grows. O(rows * columns) a step.
     */
    static double largest(double[][] a) {
        int most = Math.min(a.length, a[0].length);
        double scale = DoubleMatrices.scale(a);
        if (most <= SMALL) {
            return of(a)[0];
        }
        Bidiagonal bidiagonal = new Bidiagonal(a, scale);
        double value = 0;
        for (int steps = SMALL / 2;; steps *= 2) {
            boolean complete = bidiagonal.extend(Math.min(steps, most));
            double next = scale * of(bidiagonal.matrix())[0];
            if (complete || steps >= most || next - value <= 1e-11 * next) {
                return next;
            }
            value = next;
        }
    }

    /** A matrix as U B V^T, as far as the first columns of the bidiagonal B. */
    private static final class Bidiagonal {
        private final double[][] a;
        private final double[][] u;
        private final double[][] v;
        private final double[] diagonal;
        private final double[] above;
        private int size;

        Bidiagonal(double[][] matrix, double scale) {
            this.a = DoubleMatrices.copy(matrix);
            for (double[] row : a) {
                for (int j = 0; j < row.length; j++) {
                    row[j] /= scale;
                }
            }
            int most = Math.min(a.length, a[0].length);
            this.u = new double[most][];
            this.v = new double[most + 1][];
            this.diagonal = new double[most];
            this.above = new double[most];
            double[] start = new double[a[0].length];
            for (int j = 0; j < start.length; j++) {
                start[j] = CounterRandom.normal(1, j);
            }
            normalise(start);
            v[0] = start;
        }

        /** Goes on to a number of columns; returns true if there are no more to come. */
        boolean extend(int columns) {
            while (size < columns) {
                int k = size++;
                double[] left = new double[a.length];
                for (int i = 0; i < left.length; i++) {
                    left[i] = DoubleMatrices.dot(a[i], v[k]);
                }
                orthogonalise(left, u, k);
                diagonal[k] = normalise(left);
                u[k] = left;
                double[] right = new double[a[0].length];
                for (int i = 0; i < left.length; i++) {
                    DoubleMatrices.addScaled(left[i], a[i], right);
                }
                orthogonalise(right, v, k + 1);
                above[k] = normalise(right);
                v[k + 1] = right;
                if (diagonal[k] < NEGLIGIBLE || above[k] < NEGLIGIBLE) {
                    return true;
                }
            }
            return false;
        }

        double[][] matrix() {
            double[][] b = new double[size][size];
            for (int k = 0; k < size; k++) {
                b[k][k] = diagonal[k];
                if (k + 1 < size) {
                    b[k][k + 1] = above[k];
                }
            }
            return b;
        }

        /** Takes from a vector what it has along the first {@code count} of a basis, twice, since once leaves rounding errors. */
        private static void orthogonalise(double[] vector, double[][] basis, int count) {
            for (int i = 0; i < 2 * count; i++) {
                double[] unit = basis[i % count];
                DoubleMatrices.addScaled(-DoubleMatrices.dot(vector, unit), unit, vector);
            }
        }

        /** Scales to length 1; returns the length. */
        private static double normalise(double[] vector) {
            double length = Math.sqrt(DoubleMatrices.dot(vector, vector));
            if (length > 0) {
                for (int i = 0; i < vector.length; i++) {
                    vector[i] /= length;
                }
            }
            return length;
        }
    }
}
