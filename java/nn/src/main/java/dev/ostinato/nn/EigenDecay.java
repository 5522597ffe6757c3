package dev.ostinato.nn;

import java.util.Arrays;

/**
 * The linear recurrence h(t) = U h(t-1) with symmetric U, seen along the eigenvectors of U: with U = Q^T L Q, Q orthogonal and L diagonal,
 *
 * <pre>
 * h(t) = U^t h(0) = Q^T L^t Q h(0)</pre>
 *
 * so that each component of Q h(0) grows or decays by its own factor, and in the end only those along the largest eigenvalues are left. For a U
 * that is not symmetric {@link Spectrum#eigenvalues} tells the factors; its eigenvectors are not orthogonal.
 *
 * <p>Computed in double by Jacobi's rotations, in O(n^3). Immutable, for all threads.
 */
public final class EigenDecay {
    private static final int MOST_SWEEPS = 60;
    private static final double SYMMETRY = 1e-6;

    private final double[] eigenvalues;
    /** Q: a row for each eigenvector. */
    private final double[][] vectors;

    private EigenDecay(double[] eigenvalues, double[][] vectors) {
        this.eigenvalues = eigenvalues;
        this.vectors = vectors;
    }

    /**
     * Decomposes a symmetric matrix.
     *
     * @param u (H, H) rows; of two elements that should be equal, and are to 1e-6 of the largest, the mean counts
     * @throws IllegalArgumentException if it is not square, not symmetric or not finite
     */
    public static EigenDecay of(double[][] u) {
        double[][] a = symmetric(u);
        double[][] q = DoubleMatrices.identity(a.length);
        boolean rotated = true;
        for (int sweep = 0; rotated && sweep < MOST_SWEEPS; sweep++) {
            rotated = false;
            for (int i = 0; i < a.length; i++) {
                for (int j = i + 1; j < a.length; j++) {
                    rotated |= rotate(a, q, i, j);
                }
            }
        }
        return sorted(a, q);
    }

    private static double[][] symmetric(double[][] u) {
        DoubleMatrices.check(u);
        double tolerance = SYMMETRY * DoubleMatrices.largest(u);
        double[][] a = new double[u.length][u.length];
        for (int i = 0; i < u.length; i++) {
            if (u[i].length != u.length) {
                throw new IllegalArgumentException(
                        "matrix: expected a square one, got (" + u.length + ", " + u[i].length + ")");
            }
            for (int j = 0; j <= i; j++) {
                if (Math.abs(u[i][j] - u[j][i]) > tolerance) {
                    throw new IllegalArgumentException(
                            "matrix: expected a symmetric one, got " + u[i][j] + " at (" + i + ", "
                                    + j + ") and " + u[j][i] + " at (" + j + ", " + i
                                    + "); Spectrum.eigenvalues() tells how others decay");
                }
                a[i][j] = a[j][i] = 0.5 * u[i][j] + 0.5 * u[j][i];
            }
        }
        return a;
    }

    /** Makes element (i, j) zero by a rotation from both sides; returns whether it was not negligible. */
    private static boolean rotate(double[][] a, double[][] q, int i, int j) {
        if (Math.abs(a[i][j]) <= 0x1p-54 * (Math.abs(a[i][i]) + Math.abs(a[j][j]))) {
            return false;
        }
        double zeta = (a[j][j] - a[i][i]) / (2 * a[i][j]);
        double tangent = Math.copySign(1 / (Math.abs(zeta) + Math.hypot(1, zeta)), zeta);
        double cosine = 1 / Math.hypot(1, tangent);
        double sine = cosine * tangent;
        for (double[] row : a) {
            double v = row[i];
            row[i] = cosine * v - sine * row[j];
            row[j] = sine * v + cosine * row[j];
        }
        rotateRows(a[i], a[j], cosine, sine);
        rotateRows(q[i], q[j], cosine, sine);
        a[i][j] = a[j][i] = 0;
        return true;
    }

    private static void rotateRows(double[] p, double[] q, double cosine, double sine) {
        for (int k = 0; k < p.length; k++) {
            double v = p[k];
            p[k] = cosine * v - sine * q[k];
            q[k] = sine * v + cosine * q[k];
        }
    }

    private static EigenDecay sorted(double[][] a, double[][] q) {
        Integer[] order = new Integer[a.length];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        Arrays.sort(order, (i, j) -> Double.compare(Math.abs(a[j][j]), Math.abs(a[i][i])));
        double[] values = new double[order.length];
        double[][] vectors = new double[order.length][];
        for (int i = 0; i < order.length; i++) {
            values[i] = a[order[i]][order[i]];
            vectors[i] = q[order[i]];
        }
        return new EigenDecay(values, vectors);
    }

    /** Returns the diagonal of L (H), by descending magnitude. */
    public double[] eigenvalues() {
        return eigenvalues.clone();
    }

    /** Returns Q (H, H), a row for each eigenvector of length 1. */
    public double[][] vectors() {
        return DoubleMatrices.copy(vectors);
    }

    /**
     * Returns L^t Q h(0) (H): what is left along each eigenvector after t steps.
     *
     * @throws IllegalArgumentException if t is negative or h(0) has another size
     */
    public double[] components(double[] initial, int t) {
        if (t < 0 || initial.length != eigenvalues.length) {
            throw new IllegalArgumentException(
                    "components: expected t >= 0 and " + eigenvalues.length + " elements, got " + t
                            + " and " + initial.length);
        }
        double[] components = new double[initial.length];
        for (int i = 0; i < components.length; i++) {
            components[i] = Math.pow(eigenvalues[i], t) * DoubleMatrices.dot(vectors[i], initial);
        }
        return components;
    }

    /** Returns h(t) = Q^T L^t Q h(0) (H); throws as {@link #components} does. */
    public double[] state(double[] initial, int t) {
        double[] components = components(initial, t);
        double[] state = new double[initial.length];
        for (int i = 0; i < components.length; i++) {
            DoubleMatrices.addScaled(components[i], vectors[i], state);
        }
        return state;
    }
}
