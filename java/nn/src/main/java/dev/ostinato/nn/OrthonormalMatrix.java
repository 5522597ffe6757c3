package dev.ostinato.nn;

/**
 * Random matrices with orthonormal columns, each as likely as any other (Haar's measure): the Q of a matrix of normal deviates whose R has
 * a positive diagonal (Stewart 1980; Mezzadri 2007), by Householder's reflections in double. Both loops go along rows, so that they
 * vectorise without changing the order of any sum.
 */
final class OrthonormalMatrix {
    private OrthonormalMatrix() {
    }

    /** Returns {@code gain} times a (rows, columns) with orthonormal columns, or rows if there are fewer of them. */
    static float[] draw(int rows, int columns, double gain, long key) {
        boolean wide = rows < columns;
        double[][] q = wide ? columns(columns, rows, key) : columns(rows, columns, key);
        float[] data = new float[Math.multiplyExact(rows, columns)];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                data[i * columns + j] = (float) (gain * (wide ? q[j][i] : q[i][j]));
            }
        }
        return data;
    }

    /** Returns a (rows, columns) with orthonormal columns; rows >= columns. */
    private static double[][] columns(int rows, int columns, long key) {
        double[][] a = new double[rows][columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                a[i][j] = CounterRandom.normal(key, (long) i * columns + j);
            }
        }
        double[] diagonal = new double[columns];
        for (int k = 0; k < columns; k++) {
            diagonal[k] = reflector(a, k);
            reflect(a, k, a, k + 1);
        }
        double[][] q = new double[rows][columns];
        for (int k = columns - 1; k >= 0; k--) {
            q[k][k] = 1;
            reflect(a, k, q, k);
        }
        for (double[] row : q) {
            for (int j = 0; j < columns; j++) {
                row[j] *= diagonal[j] < 0 ? -1 : 1;
            }
        }
        return q;
    }

    /** Turns column k, from row k on, into the vector of the reflection that leaves nothing below row k; returns what it leaves there. */
    private static double reflector(double[][] a, int k) {
        double squares = 0;
        for (int i = k; i < a.length; i++) {
            squares += a[i][k] * a[i][k];
        }
        double left = a[k][k] > 0 ? -StrictMath.sqrt(squares) : StrictMath.sqrt(squares);
        a[k][k] -= left;
        return left;
    }

    /** Multiplies {@code target}, from row k and column {@code from} on, with the reflection that column k of {@code a} holds. */
    private static void reflect(double[][] a, int k, double[][] target, int from) {
        int columns = target[k].length;
        double[] product = new double[columns];
        double squares = 0;
        for (int i = k; i < a.length; i++) {
            double v = a[i][k];
            squares += v * v;
            double[] row = target[i];
            for (int j = from; j < columns; j++) {
                product[j] += v * row[j];
            }
        }
        if (squares == 0) {
            return; // nothing to reflect
        }
        double factor = 2 / squares;
        for (int i = k; i < a.length; i++) {
            double v = factor * a[i][k];
            double[] row = target[i];
            for (int j = from; j < columns; j++) {
                row[j] -= v * product[j];
            }
        }
    }
}
