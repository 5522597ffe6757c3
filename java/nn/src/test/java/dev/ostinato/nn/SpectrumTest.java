package dev.ostinato.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Spectrum.Eigenvalue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against matrices of known spectrum, NumPy, and what traces, norms and powers say. */
final class SpectrumTest {
    private static double[][] random(int rows, int columns, RandomGenerator random) {
        double[][] a = new double[rows][columns];
        for (double[] row : a) {
            Arrays.setAll(row, j -> random.nextGaussian());
        }
        return a;
    }

    /** An orthogonal matrix: reflections at some random planes. */
    private static double[][] orthogonal(int size, RandomGenerator random) {
        double[][] q = DoubleMatrices.identity(size);
        for (int i = 0; i < 4; i++) {
            double[] v = random(1, size, random)[0];
            double squares = Arrays.stream(v).map(x -> x * x).sum();
            for (double[] row : q) {
                double product = IntStream.range(0, size).mapToDouble(j -> row[j] * v[j]).sum();
                for (int j = 0; j < size; j++) {
                    row[j] -= 2 * product / squares * v[j];
                }
            }
        }
        return q;
    }

    private static double[][] multiply(double[][]... factors) {
        double[][] product = factors[0];
        for (int f = 1; f < factors.length; f++) {
            double[][] a = product;
            double[][] b = factors[f];
            product = new double[a.length][b[0].length];
            for (int i = 0; i < a.length; i++) {
                for (int j = 0; j < b[0].length; j++) {
                    for (int k = 0; k < b.length; k++) {
                        product[i][j] += a[i][k] * b[k][j];
                    }
                }
            }
        }
        return product;
    }

    private static double[][] transposed(double[][] a) {
        double[][] t = new double[a[0].length][a.length];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < t.length; j++) {
                t[j][i] = a[i][j];
            }
        }
        return t;
    }

    private static double[][] diagonal(int rows, int columns, double... values) {
        double[][] d = new double[rows][columns];
        for (int i = 0; i < values.length; i++) {
            d[i][i] = values[i];
        }
        return d;
    }

    private static double[] geometric(int count, double ratio) {
        return IntStream.range(0, count).mapToDouble(i -> Math.pow(ratio, i)).toArray();
    }

    /** Compares eigenvalues whatever the order among those of one magnitude. */
    private static void near(List<Eigenvalue> expected, List<Eigenvalue> actual, double error) {
        assertEquals(expected.size(), actual.size());
        boolean[] taken = new boolean[expected.size()];
        for (Eigenvalue e : expected) {
            int nearest = IntStream.range(0, taken.length).filter(i -> !taken[i]).boxed()
                    .min((i, j) -> Double.compare(distance(e, actual.get(i)), distance(e, actual.get(j))))
                    .orElseThrow();
            taken[nearest] = true;
            assertTrue(distance(e, actual.get(nearest)) <= error, () -> "expected " + expected + ", got " + actual);
        }
        for (int i = 1; i < actual.size(); i++) {
            assertTrue(actual.get(i).magnitude() <= actual.get(i - 1).magnitude());
        }
    }

    private static double distance(Eigenvalue a, Eigenvalue b) {
        return Math.hypot(a.real() - b.real(), a.imaginary() - b.imaginary());
    }

    // Singular values

    @Test
    void singularValuesOfKnownMatrices() {
        RandomGenerator random = new SplittableRandom(1);
        for (int[] shape : new int[][] {{1, 1}, {5, 5}, {40, 40}, {60, 35}, {35, 60}}) {
            int rank = Math.min(shape[0], shape[1]);
            double[] values = geometric(rank, 0.7);
            double[][] a = multiply(orthogonal(shape[0], random), diagonal(shape[0], shape[1], values),
                    orthogonal(shape[1], random));
            assertArrayEquals(values, Spectrum.of(a).singularValues(), 1e-14);
            assertEquals(1, Spectrum.of(a).spectralNorm(), 1e-11);
        }
    }

    @Test
    void extremeMatrices() {
        assertArrayEquals(new double[3], Spectrum.of(new double[4][3]).singularValues());
        assertArrayEquals(new double[] {3e-200, 2e-200}, Spectrum.of(diagonal(2, 2, 2e-200, -3e-200)).singularValues(),
                1e-214);
        assertArrayEquals(new double[] {3e200, 2e200}, Spectrum.of(diagonal(2, 2, 2e200, -3e200)).singularValues(),
                1e186);
        // All ones have rank 1.
        double[][] ones = new double[50][50];
        Arrays.stream(ones).forEach(row -> Arrays.fill(row, 1));
        assertEquals(50, Spectrum.of(ones).singularValues()[0], 1e-12);
        assertEquals(0, Spectrum.of(ones).singularValues()[1], 1e-13);
        assertEquals(50, SingularValues.largest(ones), 1e-9);
        assertEquals(0, SingularValues.largest(new double[50][50]));
    }

    /** Where many values lie close to the largest one, iterations are slow to find it. */
    @ParameterizedTest
    @ValueSource(ints = {31, 33, 64, 100})
    void theLargestSingularValueAlone(int size) {
        RandomGenerator random = new SplittableRandom(size);
        double[][] a = random(size, size + 7, random);
        double largest = Spectrum.of(a).singularValues()[0];
        assertEquals(largest, SingularValues.largest(a), 1e-10 * largest);
        double[][] near = multiply(orthogonal(size, random), diagonal(size, size, geometric(size, 0.9999)),
                orthogonal(size, random));
        assertEquals(1, SingularValues.largest(near), 1e-9);
    }

    @Test
    void singularValuesOfARandomMatrix() {
        double[][] a = random(30, 20, new SplittableRandom(3));
        double squares = Arrays.stream(Spectrum.of(a).singularValues()).map(v -> v * v).sum();
        double expected = Arrays.stream(a).flatMapToDouble(Arrays::stream).map(v -> v * v).sum();
        assertEquals(expected, squares, 1e-12 * expected);
        assertEquals(Math.sqrt(expected), DoubleMatrices.frobeniusNorm(a), 1e-13 * Math.sqrt(expected));
    }

    // Eigenvalues

    /** {@code numpy.linalg.eigvals} and {@code svd} of {@code (3 i^2 + 5 j + 7 i j) % 11 - 5}, i and j from 0 to 5. */
    @Test
    void againstNumPy() {
        double[][] a = new double[6][6];
        for (int i = 0; i < 6; i++) {
            for (int j = 0; j < 6; j++) {
                a[i][j] = (3 * i * i + 5 * j + 7 * i * j) % 11 - 5;
            }
        }
        near(List.of(new Eigenvalue(-3.0197922187555486, 6.0841892513592475),
                new Eigenvalue(-3.0197922187555486, -6.0841892513592475),
                new Eigenvalue(2.386598090014852, 3.51624462936452),
                new Eigenvalue(2.386598090014852, -3.51624462936452), new Eigenvalue(-3.1431449153951734, 0.0),
                new Eigenvalue(-5.590466827123446, 0.0)), Spectrum.of(a).eigenvalues(), 1e-12);
        assertArrayEquals(new double[] {11.434922418138441, 9.129641544086178, 6.3635823572721115, 5.041243176042358,
            2.349867112091519, 1.8603779039170605}, Spectrum.of(a).singularValues(), 1e-12);
    }

    @Test
    void rotationsHaveComplexPairs() {
        RandomGenerator random = new SplittableRandom(5);
        double[][] blocks = diagonal(7, 7, 0, 0, 0, 0, 0, 0, -1.5);
        List<Eigenvalue> expected = new ArrayList<>(List.of(new Eigenvalue(-1.5, 0)));
        for (int i = 0; i < 3; i++) {
            double real = (0.5 + i) * Math.cos(1 + i);
            double imaginary = (0.5 + i) * Math.sin(1 + i);
            blocks[2 * i][2 * i] = real;
            blocks[2 * i + 1][2 * i + 1] = real;
            blocks[2 * i][2 * i + 1] = -imaginary;
            blocks[2 * i + 1][2 * i] = imaginary;
            expected.add(new Eigenvalue(real, imaginary));
            expected.add(new Eigenvalue(real, -imaginary));
        }
        double[][] q = orthogonal(7, random);
        Spectrum spectrum = Spectrum.of(multiply(q, blocks, transposed(q)));
        near(expected, spectrum.eigenvalues(), 1e-13);
        assertEquals(2.5, spectrum.spectralRadius(), 1e-13);
    }

    @Test
    void triangularMatricesShowTheirEigenvalues() {
        double[][] a = random(20, 20, new SplittableRandom(6));
        for (int i = 0; i < 20; i++) {
            for (int j = 0; j < 20; j++) {
                a[i][j] = i == j ? i + 1 : j > i ? 0.1 * a[i][j] : 0;
            }
        }
        double[][] q = orthogonal(20, new SplittableRandom(7));
        List<Eigenvalue> expected = IntStream.rangeClosed(1, 20).mapToObj(i -> new Eigenvalue(i, 0)).toList();
        near(expected, Spectrum.of(a).eigenvalues(), 0);
        near(expected, Spectrum.of(multiply(q, a, transposed(q))).eigenvalues(), 1e-11);
    }

    /** Without other shifts now and then, QR steps leave such a matrix as it is. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 16, 33})
    void permutationsHaveRootsOfUnity(int size) {
        double[][] a = new double[size][size];
        for (int i = 0; i < size; i++) {
            a[i][(i + 1) % size] = 1;
        }
        List<Eigenvalue> roots = IntStream.range(0, size)
                .mapToObj(i -> new Eigenvalue(Math.cos(2 * Math.PI * i / size), Math.sin(2 * Math.PI * i / size)))
                .toList();
        near(roots, Spectrum.of(a).eigenvalues(), 1e-13);
    }

    @Test
    void defectiveAndZeroMatrices() {
        near(List.of(new Eigenvalue(0, 0), new Eigenvalue(0, 0)), Spectrum.of(new double[2][2]).eigenvalues(), 0);
        near(List.of(new Eigenvalue(-7, 0)), Spectrum.of(new double[][] {{-7}}).eigenvalues(), 0);
        double[][] jordan = new double[5][5];
        for (int i = 0; i < 5; i++) {
            jordan[i][i] = 0.9;
            if (i > 0) {
                jordan[i][i - 1] = 1;
            }
        }
        // A fivefold eigenvalue moves by the fifth root of a rounding error.
        assertEquals(0.9, Spectrum.of(jordan).spectralRadius(), 4 * Math.pow(0x1p-52, 0.2));
    }

    /** Gelfand: the norm of a high power is the power of the radius. The trace is the sum of the eigenvalues. */
    @Test
    void theRadiusOfARandomMatrix() {
        double[][] a = random(60, 60, new SplittableRandom(8));
        Spectrum spectrum = Spectrum.of(a);
        double trace = IntStream.range(0, 60).mapToDouble(i -> a[i][i]).sum();
        assertEquals(trace, spectrum.eigenvalues().stream().mapToDouble(Eigenvalue::real).sum(), 1e-11);
        assertEquals(0, spectrum.eigenvalues().stream().mapToDouble(Eigenvalue::imaginary).sum(), 1e-12);

        double[][] power = a;
        double logarithm = 0;
        for (int squared = 1; squared <= 24; squared++) {
            power = multiply(power, power);
            double norm = DoubleMatrices.frobeniusNorm(power);
            for (double[] row : power) {
                for (int j = 0; j < row.length; j++) {
                    row[j] /= norm;
                }
            }
            logarithm += Math.log(norm) * Math.scalb(1.0, -squared);
        }
        assertEquals(Math.exp(logarithm), spectrum.spectralRadius(), 1e-5);
    }

    @Test
    void halfLives() {
        assertEquals(1, new Eigenvalue(0.3, -0.4).halfLife(), 1e-15);
        assertEquals(2, new Eigenvalue(-Math.sqrt(0.5), 0).halfLife(), 1e-14);
        assertEquals(Double.POSITIVE_INFINITY, new Eigenvalue(0, 1).halfLife());
        assertEquals(-1, new Eigenvalue(2, 0).halfLife(), 1e-15);
        assertEquals(0, new Eigenvalue(0, 0).halfLife());
    }

    // Weights

    @Test
    void blocksOfGates() {
        for (CellType cell : CellType.all()) {
            Model model = Model.builder().features(3)
                    .initialWeights(InitialWeights.pytorch().withRecurrent(Initializer.orthogonal(3).perGate()))
                    .recurrent(cell, 6).dense(2).build();
            var spectra = Spectrum.ofRecurrentWeights(model, 1);
            assertEquals(cell.equals(CellType.MIN_GRU) ? 0 : cell.gates(), spectra.size());
            spectra.forEach((gate, spectrum) -> {
                assertEquals(3, spectrum.spectralRadius(), 1e-6, gate);
                assertEquals(3, spectrum.singularValues()[5], 1e-6, gate);
            });
        }
    }

    @Test
    void blocksAreNamedInTheOrderOfTheirRows() {
        float[] weights = new float[12 * 3];
        for (int row = 0; row < 12; row++) {
            weights[row * 3 + row % 3] = 1 + row / 3;
        }
        Model plain = Model.builder().features(2).lstm(3).build();
        List<NamedArray> tensors = plain.tensors().stream()
                .map(t -> t.name().equals("rnn.weight_hh_l0") ? new NamedArray(t.name(), t.shape(), weights) : t)
                .toList();
        var spectra = Spectrum.ofRecurrentWeights(Model.of(plain.layers(), tensors), 1);
        assertEquals(List.of("i", "f", "g", "o"), List.copyOf(spectra.sequencedKeySet()));
        assertEquals(2, spectra.get("f").spectralRadius());
        assertEquals(4, spectra.get("o").spectralNorm());
    }

    @Test
    void whatHasNoSpectrum() {
        refused("finite elements, got NaN at (0, 1)", () -> Spectrum.of(new double[][] {{1, Double.NaN}}));
        refused("rows of 2, got 1 in row 1", () -> Spectrum.of(new double[][] {{1, 2}, {3}}));
        refused("at least one row", () -> Spectrum.of(new double[0][]));
        refused("expected a square matrix, got (2, 3)", () -> Spectrum.of(new double[2][3]).eigenvalues());
        Model model = Model.builder().features(2).lstm(3).dense(2).build();
        refused("expected the index of a recurrent one", () -> Spectrum.ofRecurrentWeights(model, 2));
        refused("got 3", () -> Spectrum.ofRecurrentWeights(model, 3));
    }

    // Linear recurrences

    @Test
    void aLinearRecurrenceAlongItsEigenvectors() {
        RandomGenerator random = new SplittableRandom(9);
        double[] values = {1.02, -0.9, 0.5, 0.5, 0, -0.1};
        double[][] q = orthogonal(6, random);
        double[][] u = multiply(transposed(q), diagonal(6, 6, values), q);
        EigenDecay decay = EigenDecay.of(u);
        assertArrayEquals(new double[] {1.02, -0.9, 0.5, 0.5, -0.1, 0}, decay.eigenvalues(), 1e-14);
        double[][] gram = multiply(decay.vectors(), transposed(decay.vectors()));
        for (int i = 0; i < 6; i++) {
            assertArrayEquals(DoubleMatrices.identity(6)[i], gram[i], 1e-14);
        }
        double[] initial = random(1, 6, random)[0];
        double[][] h = transposed(new double[][] {initial});
        for (int t = 0; t <= 30; t++) {
            assertArrayEquals(transposed(h)[0], decay.state(initial, t), 1e-12);
            h = multiply(u, h);
        }
        double[] first = decay.components(initial, 0);
        double[] tenth = decay.components(initial, 10);
        assertEquals(Math.pow(-0.9, 10) * first[1], tenth[1], 1e-14);
    }

    @Test
    void decaysOfSymmetricMatricesOnly() {
        refused("expected a symmetric one, got 3.0 at (1, 0) and 2.0 at (0, 1)",
                () -> EigenDecay.of(new double[][] {{1, 2}, {3, 4}}));
        refused("expected a square one, got (2, 3)", () -> EigenDecay.of(new double[2][3]));
        refused("expected t >= 0 and 2 elements, got -1 and 2",
                () -> EigenDecay.of(DoubleMatrices.identity(2)).state(new double[2], -1));
        assertArrayEquals(new double[3], EigenDecay.of(new double[3][3]).eigenvalues());
    }

    private static void refused(String message, Runnable call) {
        String actual = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(actual.contains(message), actual);
    }
}
