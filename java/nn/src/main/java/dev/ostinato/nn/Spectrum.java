package dev.ostinato.nn;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;

/**
 * The singular values and eigenvalues of a matrix, of which the recurrent weights of a layer are the interesting ones. A simple recurrent
 * layer multiplies a gradient by the transpose of {@code diag(f') U} at every step back in time, and f' is at most 1 for tanh, relu and the
 * identity. Where the largest singular value of U is below 1 gradients must therefore vanish, and only where it is above 1 can they explode
 * (Pascanu, Mikolov and Bengio 2013); the spectral radius tells which of the two a linear layer does in the end.
 *
 * <p>Computed in double when first asked for, in O(n^3): some tenths of a second for 256 units. Immutable, for all threads.
 */
public final class Spectrum {
    private final int rows;
    private final int columns;
    private final Supplier<Double> spectralNorm;
    private final Supplier<double[]> singularValues;
    private final Supplier<List<Eigenvalue>> eigenvalues;

    private Spectrum(double[][] matrix) {
        this.rows = matrix.length;
        this.columns = matrix[0].length;
        this.spectralNorm = Once.of(() -> SingularValues.largest(matrix));
        this.singularValues = Once.of(() -> SingularValues.of(matrix));
        this.eigenvalues = Once.of(() -> Eigenvalues.of(matrix));
    }

    /**
     * Returns the spectrum of a matrix.
     *
     * @param matrix its rows, copied
     * @throws IllegalArgumentException if it is empty, its rows differ in length or an element is not finite
     */
    public static Spectrum of(double[][] matrix) {
        double[][] copy = DoubleMatrices.copy(matrix);
        DoubleMatrices.check(copy);
        return new Spectrum(copy);
    }

    /**
     * Returns the spectra of the recurrent weights of a layer, gate by gate in PyTorch's order: of each gate's block (H, H) of U. A layer
     * whose state returns through a vector has the spectrum of its diagonal matrix; one without recurrent weights has none, nor one with a
     * projection, whose blocks are not square. The names of the reverse direction of a bidirectional layer end in {@code _reverse}.
     *
     * @param layer index in {@link Model#layers}
     * @throws IllegalArgumentException if that is no recurrent layer, or a weight is not finite
     */
    public static SequencedMap<String, Spectrum> ofRecurrentWeights(Model model, int layer) {
        SequencedMap<String, Spectrum> spectra = new LinkedHashMap<>();
        List<Blueprint.Pass> passes = Probe.recurrentPlace(model, layer).passes();
        for (Blueprint.Pass pass : passes) {
            List<Cell.Gate> gates = pass.cell().gateList();
            for (Parameter parameter : pass.cell().parameters(model.weights(), pass.offset(), "")) {
                if (parameter.name().equals("weight_hh") && pass.cell().stateSize == pass.cell().hidden) {
                    List<double[][]> blocks = blocks(parameter.read(model.weights(), ""), gates.size());
                    for (int gate = 0; gate < blocks.size(); gate++) {
                        String direction = pass.equals(passes.getFirst()) ? "" : "_reverse";
                        spectra.put(gates.get(gate).name() + direction, of(blocks.get(gate)));
                    }
                }
            }
        }
        return spectra;
    }

    private static List<double[][]> blocks(NamedArray weights, int gates) {
        int rows = weights.shape().getFirst() / gates;
        boolean diagonal = weights.shape().size() == 1;
        int columns = diagonal ? rows : weights.shape().get(1);
        List<double[][]> blocks = new ArrayList<>();
        for (int gate = 0; gate < gates; gate++) {
            double[][] block = new double[rows][columns];
            for (int i = 0; i < rows; i++) {
                int row = gate * rows + i;
                if (diagonal) {
                    block[i][i] = weights.data()[row];
                } else {
                    for (int j = 0; j < columns; j++) {
                        block[i][j] = weights.data()[row * columns + j];
                    }
                }
            }
            blocks.add(block);
        }
        return blocks;
    }

    /** Returns the min(rows, columns) singular values, descending, each to a few ULP of the largest. */
    public double[] singularValues() {
        return singularValues.get().clone();
    }

    /** Returns the largest singular value, to about ten digits: the most by which the matrix lengthens a vector. */
    public double spectralNorm() {
        return spectralNorm.get();
    }

    /**
     * Returns the eigenvalues by descending magnitude. Exact for a matrix within some 1e-15 of this one, relative to its norm.
     *
     * @throws IllegalArgumentException if the matrix is not square
     */
    public List<Eigenvalue> eigenvalues() {
        if (rows != columns) {
            throw new IllegalArgumentException(
                    "eigenvalues: expected a square matrix, got (" + rows + ", " + columns + ")");
        }
        return eigenvalues.get();
    }

    /** Returns the largest magnitude of an eigenvalue: what the matrix, applied again and again, lengthens by at a step in the end. */
    public double spectralRadius() {
        return eigenvalues().getFirst().magnitude();
    }

    /** An eigenvalue, a complex number. */
    public record Eigenvalue(double real, double imaginary) {
        /** Returns the factor by which what lies along the eigenvector grows at each step. */
        public double magnitude() {
            return Math.hypot(real, imaginary);
        }

        /**
         * Returns the steps after which half is left, {@code ln(1/2) / ln(magnitude)}; infinite for a magnitude of 1, and negative above 1,
         * where so many steps double it.
         */
        public double halfLife() {
            double rate = Math.log(magnitude());
            return rate == 0 ? Double.POSITIVE_INFINITY : -Math.log(2) / rate;
        }
    }
}
