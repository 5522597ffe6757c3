package dev.ostinato.kernels;

/**
 * Weights of any precision, in the order in which the products read them: the panels of a {@link PackedMatrix} of 32-bit words, each of which
 * holds the weight of one input, of two or of four.
 */
public sealed interface PackedWeights permits PackedMatrix, Bf16Matrix, Int8Matrix {
    /** Returns K, the length of each sum. */
    int inputs();

    /** Returns G. */
    default int gates() {
        return words().gates();
    }

    /** Returns H, padding not counted. */
    default int units() {
        return words().units();
    }

    /** Returns the floats in an output row: G times the padded units. */
    default int outputs() {
        return words().outputs();
    }

    /** Returns the bytes of the words, padding included: what a product reads. */
    default long byteSize() {
        return (long) words().inputs() * outputs() * Integer.BYTES;
    }

    /** Returns the 32-bit words that hold the weights; a {@link PackedMatrix} returns itself. For backends, to read. */
    PackedMatrix words();

    /** Views the same outputs without any inputs: weights for a step whose input product has been added already. */
    PackedWeights withoutInputs();
}
