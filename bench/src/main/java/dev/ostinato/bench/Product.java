package dev.ostinato.bench;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;

/** A product of the size that the recurrent part of a cell has: H inputs, G gates of H units. */
final class Product {
    /** For each term of a sum, on a backend that adds in an order of its own. */
    private static final double TOLERANCE = 1e-4;

    private final Kernels kernels;
    private final PackedMatrix weights;
    /** (R, H) */
    private final Matrix a;
    /** (R, G * Hp) */
    private final Matrix z;

    Product(String backend, int rows, int gates, int hidden) {
        Sequence sequence = new Sequence(1);
        kernels = Backends.kernels(backend);
        weights = PackedMatrix.of(hidden, gates, hidden);
        for (int k = 0; k < hidden; k++) {
            for (int gate = 0; gate < gates; gate++) {
                for (int unit = 0; unit < hidden; unit++) {
                    weights.set(k, gate, unit, sequence.symmetric(1));
                }
            }
        }
        a = Matrix.of(sequence.rows(rows, hidden));
        z = Matrix.of(sequence.rows(rows, weights.outputs()));
    }

    /** {@code z += a * weights}. */
    void multiplyAdd() {
        kernels.multiplyAdd(a, weights, z);
    }

    /** {@code weights += a^T * z}. */
    void weightGradient() {
        kernels.weightGradient(a, z, weights);
    }

    /** @throws IllegalStateException if the contents have other bits, or differ by more than a backend that is not exact may */
    void check(Product expected) {
        for (int r = 0; r < z.rows(); r++) {
            compare("z, row " + r, expected.z.row(r), z.row(r), weights.inputs());
        }
        for (int k = 0; k < weights.inputs(); k++) {
            compare("weights of input " + k, expected.weightsOf(k), weightsOf(k), z.rows());
        }
    }

    private void compare(String what, float[] expected, float[] actual, int terms) {
        if (kernels.backend().exact()) {
            Checks.sameBits(what, expected, actual);
        } else {
            Checks.close(what, expected, actual, TOLERANCE * terms);
        }
    }

    private float[] weightsOf(int input) {
        float[] row = new float[weights.gates() * weights.units()];
        for (int j = 0; j < row.length; j++) {
            row[j] = weights.get(input, j / weights.units(), j % weights.units());
        }
        return row;
    }

    /** Returns the floating-point operations of either product; an fma is two. */
    double operations() {
        return 2.0 * a.rows() * weights.inputs() * weights.outputs();
    }

    /** Returns the bytes of {@link #multiplyAdd} if each operand travels once: weights and a read, z read and written. */
    double multiplyAddBytes() {
        return Float.BYTES * (weightFloats() + aFloats() + 2 * zFloats());
    }

    /** Returns the bytes of {@link #weightGradient} if each operand travels once: a and z read, weights read and written. */
    double weightGradientBytes() {
        return Float.BYTES * (2 * weightFloats() + aFloats() + zFloats());
    }

    private double weightFloats() {
        return (double) weights.inputs() * weights.outputs();
    }

    private double aFloats() {
        return (double) a.rows() * a.columns();
    }

    private double zFloats() {
        return (double) z.rows() * z.columns();
    }
}
