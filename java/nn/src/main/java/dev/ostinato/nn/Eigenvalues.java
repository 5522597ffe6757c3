package dev.ostinato.nn;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * All eigenvalues of a real matrix in double, complex pairs included: reduction to Hessenberg form by Householder's reflections, then QR
 * steps with both shifts of a pair at once (Francis 1961). The results are exact for a matrix within some 1e-15 of the given one, relative to
 * its norm. O(n^3).
 */
final class Eigenvalues {
    private static final double EPSILON = 0x1p-52;
    /** Francis's steps needed are two or three an eigenvalue. */
    private static final int MOST_STEPS = 60;
    /** After so many steps without a result the shifts are chosen otherwise once. */
    private static final int STUCK = 10;

    private final double[][] h;
    private final double norm;
    private final List<Spectrum.Eigenvalue> found = new ArrayList<>();

    private Eigenvalues(double[][] h) {
        this.h = h;
        this.norm = DoubleMatrices.frobeniusNorm(h);
    }

    /** Returns the eigenvalues of a square matrix by descending magnitude, of a pair the one above the real axis first. */
    static List<Spectrum.Eigenvalue> of(double[][] a) {
        Eigenvalues eigenvalues = new Eigenvalues(DoubleMatrices.copy(a));
        eigenvalues.reduce();
        eigenvalues.iterate();
        return eigenvalues.found.stream()
                .sorted(Comparator.comparingDouble(Spectrum.Eigenvalue::magnitude)
                        .thenComparingDouble(Spectrum.Eigenvalue::real)
                        .thenComparingDouble(Spectrum.Eigenvalue::imaginary).reversed())
                .toList();
    }

    /** Makes everything below the first subdiagonal zero by reflections from both sides. */
    private void reduce() {
        int n = h.length;
        for (int k = 0; k < n - 2; k++) {
            double[] v = new double[n - k - 1];
            for (int i = 0; i < v.length; i++) {
                v[i] = h[k + 1 + i][k];
            }
            if (reflector(v)) {
                reflectRows(v, k + 1, k, n);
                reflectColumns(v, k + 1, 0, n);
            }
            for (int i = k + 2; i < n; i++) {
                h[i][k] = 0;
            }
        }
    }

    private void iterate() {
        int last = h.length - 1;
        int steps = 0;
        while (last >= 0) {
            int first = firstOfBlock(last);
            if (last - first < 2) {
                if (first == last) {
                    found.add(new Spectrum.Eigenvalue(h[last][last], 0));
                } else {
                    addPair(h[first][first], h[first][last], h[last][first], h[last][last]);
                }
                last = first - 1;
                steps = 0;
            } else if (++steps > MOST_STEPS) {
                throw new IllegalStateException("eigenvalues: no convergence in " + MOST_STEPS + " steps");
            } else {
                step(first, last, steps % STUCK == 0);
            }
        }
    }

    /** Returns where the unreduced block that ends at {@code last} begins. */
    private int firstOfBlock(int last) {
        int first = last;
        while (first > 0) {
            double beside = Math.abs(h[first - 1][first - 1]) + Math.abs(h[first][first]);
            if (Math.abs(h[first][first - 1]) <= EPSILON * (beside == 0 ? norm : beside)) {
                h[first][first - 1] = 0;
                break;
            }
            first--;
        }
        return first;
    }

    private void addPair(double a, double b, double c, double d) {
        double half = (a - d) / 2;
        double discriminant = half * half + b * c;
        if (discriminant < 0) {
            double imaginary = Math.sqrt(-discriminant);
            found.add(new Spectrum.Eigenvalue((a + d) / 2, imaginary));
            found.add(new Spectrum.Eigenvalue((a + d) / 2, -imaginary));
            return;
        }
        // The larger root of the shifted equation first: the other follows without cancellation.
        double z = half + Math.copySign(Math.sqrt(discriminant), half);
        found.add(new Spectrum.Eigenvalue(d + z, 0));
        found.add(new Spectrum.Eigenvalue(z == 0 ? d : d - b * c / z, 0));
    }

    /** One step with the eigenvalues of the last 2 x 2 as shifts, or with others. At least three rows. */
    private void step(int first, int last, boolean otherShifts) {
        double sum = h[last - 1][last - 1] + h[last][last];
        double product = h[last - 1][last - 1] * h[last][last] - h[last - 1][last] * h[last][last - 1];
        if (otherShifts) {
            double size = Math.abs(h[last][last - 1]) + Math.abs(h[last - 1][last - 2]);
            sum = 1.5 * size;
            product = size * size;
        }
        double corner = h[first + 1][first];
        double[] v = {
            h[first][first] * (h[first][first] - sum) + h[first][first + 1] * corner + product,
            corner * (h[first][first] + h[first + 1][first + 1] - sum), corner * h[first + 2][first + 1]};
        for (int k = first; k < last; k++) {
            int size = Math.min(3, last - k + 1);
            if (k > first) {
                v = new double[size];
                for (int i = 0; i < size; i++) {
                    v[i] = h[k + i][k - 1];
                }
            }
            if (reflector(v)) {
                reflectRows(v, k, Math.max(first, k - 1), last + 1);
                reflectColumns(v, k, first, Math.min(k + 4, last + 1));
            }
            for (int i = k + 1; k > first && i < k + size; i++) {
                h[i][k - 1] = 0;
            }
        }
    }

    /** Turns x into a v of length sqrt(2), so that I - v v^T maps x to a multiple of the first unit vector; false if it is one already. */
    private static boolean reflector(double[] x) {
        double largest = 0;
        for (double value : x) {
            largest = Math.max(largest, Math.abs(value));
        }
        double rest = 0;
        for (int i = 0; i < x.length; i++) {
            x[i] /= largest == 0 ? 1 : largest;
            rest += i == 0 ? 0 : x[i] * x[i];
        }
        if (rest == 0) {
            return false;
        }
        x[0] += Math.copySign(Math.sqrt(x[0] * x[0] + rest), x[0]);
        double factor = Math.sqrt(2 / (x[0] * x[0] + rest));
        for (int i = 0; i < x.length; i++) {
            x[i] *= factor;
        }
        return true;
    }

    /** Multiplies the rows from {@code row} on with I - v v^T, in the columns from {@code from} to {@code to}. */
    private void reflectRows(double[] v, int row, int from, int to) {
        double[] product = new double[to - from];
        for (int i = 0; i < v.length; i++) {
            for (int j = from; j < to; j++) {
                product[j - from] += v[i] * h[row + i][j];
            }
        }
        for (int i = 0; i < v.length; i++) {
            for (int j = from; j < to; j++) {
                h[row + i][j] -= v[i] * product[j - from];
            }
        }
    }

    /** Multiplies the columns from {@code column} on with I - v v^T, in the rows from {@code from} to {@code to}. */
    private void reflectColumns(double[] v, int column, int from, int to) {
        for (int i = from; i < to; i++) {
            double product = 0;
            for (int j = 0; j < v.length; j++) {
                product += h[i][column + j] * v[j];
            }
            for (int j = 0; j < v.length; j++) {
                h[i][column + j] -= product * v[j];
            }
        }
    }
}
