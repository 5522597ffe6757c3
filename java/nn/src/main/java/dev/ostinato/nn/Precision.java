package dev.ostinato.nn;

import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;

/**
 * How the weights that a step multiplies are stored. Fewer bytes are read in less time; sums, states, biases, and what the input layer keeps
 * for each token, are floats at every precision.
 */
public enum Precision {
    /** Floats: four bytes a weight, exact. */
    F32 {
        @Override
        PackedWeights of(PackedMatrix w) {
            return w;
        }

        @Override
        PackedWeights[] pair(PackedMatrix first, PackedMatrix second) {
            return new PackedWeights[] {first, second};
        }
    },

    /** Two bytes a weight, eight bits of precision; see {@link Bf16Matrix}. */
    BF16 {
        @Override
        PackedWeights of(PackedMatrix w) {
            return Bf16Matrix.of(w);
        }

        @Override
        PackedWeights[] pair(PackedMatrix first, PackedMatrix second) {
            return Bf16Matrix.pair(first, second);
        }
    },

    /**
     * One byte a weight, with a scale for each output; what they are multiplied with is rounded to eight bits too, each row by itself at every
     * step. See {@link Int8Matrix}.
     */
    INT8 {
        @Override
        PackedWeights of(PackedMatrix w) {
            return Int8Matrix.of(w);
        }

        @Override
        PackedWeights[] pair(PackedMatrix first, PackedMatrix second) {
            return Int8Matrix.pair(first, second);
        }
    };

    /** Returns the weights at this precision. */
    abstract PackedWeights of(PackedMatrix w);

    /** Returns two matrices with the same outputs at this precision, so that a step reads them one after the other. */
    abstract PackedWeights[] pair(PackedMatrix first, PackedMatrix second);
}
