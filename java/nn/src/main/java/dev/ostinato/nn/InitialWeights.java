package dev.ostinato.nn;

import java.util.OptionalDouble;

/**
 * What the weights of layers are before training. Gains of norms are 1; biases and running means of layers that normalise are 0, running
 * variances 1.
 *
 * <pre>{@code
 * Model.builder().features(8)
 *         .initialWeights(InitialWeights.pytorch().withRecurrent(Initializer.orthogonal().perGate()).withForgetBias(1))
 *         .lstm(64)
 *         .dense(2).seed(1).build();
 * }</pre>
 *
 * @param input W of recurrent layers and the weights of dense ones
 * @param recurrent U; of an IndRNN each weight, as a matrix of one row and one column
 * @param bias all biases, and peepholes, which are vectors too
 * @param forgetBias what the forget gates of LSTM layers add, if not {@code bias}; other cells have no such gate
 * @param embedding tables (V, size) of tokens
 */
public record InitialWeights(Initializer input, Initializer recurrent, Initializer bias, OptionalDouble forgetBias,
        Initializer embedding) {
    /** @throws IllegalArgumentException if {@code bias} is only defined for matrices, or {@code forgetBias} is not finite */
    public InitialWeights {
        if (!fillsVectors(bias)) {
            throw new IllegalArgumentException(
                    "bias: expected zeros, constant, uniform, normal or pytorch, which need no matrix, got " + bias);
        }
        forgetBias.ifPresent(Initializer::constant);
    }

    private static boolean fillsVectors(Initializer initializer) {
        return switch (initializer) {
            case Initializer.Constant ignored -> true;
            case Initializer.Uniform ignored -> true;
            case Initializer.Normal ignored -> true;
            case Initializer.PyTorch ignored -> true;
            case Initializer.VarianceScaling ignored -> false;
            case Initializer.Orthogonal ignored -> false;
            case Initializer.Identity ignored -> false;
            case Initializer.PerGate gates -> fillsVectors(gates.each());
        };
    }

    /** Returns PyTorch's defaults: {@link Initializer#pytorch} for weights and biases, embeddings normal with deviation 1. */
    public static InitialWeights pytorch() {
        return new InitialWeights(Initializer.pytorch(), Initializer.pytorch(), Initializer.pytorch(),
                OptionalDouble.empty(),
                Initializer.normal(1));
    }

    /**
     * Returns Keras's defaults: W and dense weights Glorot uniform, U orthogonal over all gates together, biases 0, but 1 for the forget gate
     * of an LSTM, embeddings uniform in [-0.05, 0.05).
     */
    public static InitialWeights keras() {
        return new InitialWeights(Initializer.glorotUniform(), Initializer.orthogonal(), Initializer.zeros(),
                OptionalDouble.of(1), Initializer.uniform(0.05));
    }

    /** Returns these with other weights for W of recurrent layers and for dense layers. */
    public InitialWeights withInput(Initializer initializer) {
        return new InitialWeights(initializer, recurrent, bias, forgetBias, embedding);
    }

    /** Returns these with another U. */
    public InitialWeights withRecurrent(Initializer initializer) {
        return new InitialWeights(input, initializer, bias, forgetBias, embedding);
    }

    /** Returns these with other biases; a forget bias stays what it is. @throws IllegalArgumentException if only defined for matrices */
    public InitialWeights withBias(Initializer initializer) {
        return new InitialWeights(input, recurrent, initializer, forgetBias, embedding);
    }

    /**
     * Returns these with the forget gates of LSTM layers biased (Gers et al. 2000; Jozefowicz et al. 2015 advise 1): b_ih is {@code value}
     * there and b_hh 0, so that their sum is it.
     *
     * @throws IllegalArgumentException if not finite
     */
    public InitialWeights withForgetBias(double value) {
        return new InitialWeights(input, recurrent, bias, OptionalDouble.of(value), embedding);
    }

    /** Returns these with other embeddings. */
    public InitialWeights withEmbedding(Initializer initializer) {
        return new InitialWeights(input, recurrent, bias, forgetBias, initializer);
    }
}
