package dev.ostinato.nn;

/** Plain matrices in double, as rows. Arguments are never changed. */
final class DoubleMatrices {
    private DoubleMatrices() {
    }

    static double[][] identity(int size) {
        double[][] identity = new double[size][size];
        for (int i = 0; i < size; i++) {
            identity[i][i] = 1;
        }
        return identity;
    }

    static double[][] copy(double[][] a) {
        double[][] copy = a.clone();
        for (int i = 0; i < a.length; i++) {
            copy[i] = a[i].clone();
        }
        return copy;
    }

    static double[][] transposed(double[][] a) {
        int columns = a.length == 0 ? 0 : a[0].length;
        double[][] t = new double[columns][a.length];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < columns; j++) {
                t[j][i] = a[i][j];
            }
        }
        return t;
    }

    /** Returns a b. */
    static double[][] product(double[][] a, double[][] b) {
        int columns = b.length == 0 ? 0 : b[0].length;
        double[][] c = new double[a.length][columns];
        for (int i = 0; i < a.length; i++) {
            for (int k = 0; k < b.length; k++) {
                addScaled(a[i][k], b[k], c[i]);
            }
        }
        return c;
    }

    /** Adds a multiple of one row to another. */
    static void addScaled(double scale, double[] row, double[] to) {
        for (int j = 0; j < to.length; j++) {
            to[j] += scale * row[j];
        }
    }

    static double dot(double[] a, double[] b) {
        // Four chains, so that no addition waits for the one before.
        int whole = a.length / 4 * 4;
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        for (int i = 0; i < whole; i += 4) {
            s0 += a[i] * b[i];
            s1 += a[i + 1] * b[i + 1];
            s2 += a[i + 2] * b[i + 2];
            s3 += a[i + 3] * b[i + 3];
        }
        for (int i = whole; i < a.length; i++) {
            s0 += a[i] * b[i];
        }
        return s0 + s1 + (s2 + s3);
    }

    /** Returns the largest magnitude of an element. */
    static double largest(double[][] a) {
        double largest = 0;
        for (double[] row : a) {
            for (double v : row) {
                largest = Math.max(largest, Math.abs(v));
            }
        }
        return largest;
    }

    /** Returns a power of two by which one divides so that squares neither overflow nor vanish. */
    static double scale(double[][] a) {
        double largest = largest(a);
        return largest == 0 ? 1 : Math.scalb(1.0, Math.max(Math.getExponent(largest), -1000));
    }

    /** Returns the square root of the sum of all squares. */
    static double frobeniusNorm(double[][] a) {
        double scale = scale(a);
        double sum = 0;
        for (double[] row : a) {
            for (double v : row) {
                sum += (v / scale) * (v / scale);
            }
        }
        return scale * Math.sqrt(sum);
    }

    /** @throws IllegalArgumentException if rows have different lengths, there are none, or an element is not finite */
    static void check(double[][] a) {
        if (a.length == 0 || a[0].length == 0) {
            throw new IllegalArgumentException("matrix: expected at least one row and column, got none");
        }
        for (int i = 0; i < a.length; i++) {
            if (a[i].length != a[0].length) {
                throw new IllegalArgumentException(
                        "matrix: expected rows of " + a[0].length + ", got " + a[i].length + " in row " + i);
            }
            for (int j = 0; j < a[i].length; j++) {
                if (!Double.isFinite(a[i][j])) {
                    throw new IllegalArgumentException(
                            "matrix: expected finite elements, got " + a[i][j] + " at (" + i + ", " + j + ")");
                }
            }
        }
    }
}
