package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** A kind of recurrent cell: which equations, in which variant. Sizes are the layer's. */
public sealed interface CellType {
    /** h' = tanh(W x + b + U h). */
    CellType RNN_TANH = new Rnn(Activation.TANH);
    /** h' = relu(W x + b + U h). */
    CellType RNN_RELU = new Rnn(Activation.RELU);
    /** h' = W x + b + U h. */
    CellType RNN_IDENTITY = new Rnn(Activation.IDENTITY);
    /** Long short-term memory, gates i f g o. */
    CellType LSTM = new Lstm();
    /** Gated recurrent unit, reset after the product, as PyTorch and cuDNN have it; gates r z n. */
    CellType GRU = new Gru(Gru.Reset.AFTER);
    /** Gated recurrent unit, reset before the product, as in the original paper; gates r z n. */
    CellType GRU_RESET_BEFORE = new Gru(Gru.Reset.BEFORE);
    /** h' = relu(W x + b + u * h), each unit remembering itself alone. */
    CellType IND_RNN_RELU = new IndRnn(Activation.RELU);
    /** h' = tanh(W x + b + u * h). */
    CellType IND_RNN_TANH = new IndRnn(Activation.TANH);
    /** h' = W x + b + u * h. */
    CellType IND_RNN_IDENTITY = new IndRnn(Activation.IDENTITY);
    /** The gated recurrent unit without products of the state; gates z n. */
    CellType MIN_GRU = new MinGru();
    /** Long short-term memory with layer norms of both products and of the cell state; gates i f g o. */
    CellType LAYER_NORM_LSTM = new LayerNormLstm();
    /** Gated recurrent unit, reset after the product, with layer norms of both products; gates r z n. */
    CellType LAYER_NORM_GRU = new LayerNormGru();

    /** Returns the name in files and on the command line; {@link #of} knows it. */
    String label();

    /** Returns the number of gates in PyTorch's weights. */
    int gates();

    /** Returns every kind in its plain form, with the usual activations. */
    static List<CellType> all() {
        return List.of(RNN_TANH, RNN_RELU, RNN_IDENTITY, LSTM, GRU, GRU_RESET_BEFORE, IND_RNN_RELU, MIN_GRU,
                LAYER_NORM_LSTM, LAYER_NORM_GRU);
    }

    /** Returns the type of this label. @throws IllegalArgumentException if there is none */
    static CellType of(String label) {
        return Stream.concat(all().stream(), Stream.of(IND_RNN_TANH, IND_RNN_IDENTITY))
                .filter(type -> type.label().equals(label)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("cell: expected one of "
                        + String.join(", ", all().stream().map(CellType::label).toList()) + ", got " + label));
    }

    /** The simple cell (Elman 1990). */
    record Rnn(Activation activation) implements CellType {
        @Override
        public String label() {
            return "rnn-" + activation.kind().name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        @Override
        public int gates() {
            return 1;
        }
    }

    /** Long short-term memory (Hochreiter and Schmidhuber 1997). */
    record Lstm() implements CellType {
        @Override
        public String label() {
            return "lstm";
        }

        @Override
        public int gates() {
            return 4;
        }
    }

    /** The gated recurrent unit (Cho et al. 2014). */
    record Gru(Reset reset) implements CellType {
        /** When the reset gate acts on what comes from the state. */
        public enum Reset {
            /** On the state, before the product with U. */
            BEFORE,
            /** On the product. */
            AFTER
        }

        @Override
        public String label() {
            return switch (reset) {
                case BEFORE -> "gru-reset-before";
                case AFTER -> "gru";
            };
        }

        @Override
        public int gates() {
            return 3;
        }
    }

    /**
     * The independently recurrent network (Li et al. 2018): U is a diagonal. Its tensors are {@code weight_ih} (H, I), {@code weight_hh} (H)
     * and {@code bias_ih} (H).
     */
    record IndRnn(Activation activation) implements CellType {
        @Override
        public String label() {
            return "ind-" + new Rnn(activation).label();
        }

        @Override
        public int gates() {
            return 1;
        }
    }

    /**
     * The minimal gated recurrent unit (Feng et al. 2024), whose gates do not see the state. Its tensors are {@code weight_ih} (2H, I) and
     * {@code bias_ih} (2H).
     */
    record MinGru() implements CellType {
        @Override
        public String label() {
            return "min-gru";
        }

        @Override
        public int gates() {
            return 2;
        }
    }

    /**
     * The layer-normalised LSTM (Ba et al. 2016): W x and U h are normalised each over all gates together, and the cell state before it becomes
     * the output; c itself goes on as it is. Its tensors are {@code weight_ih} (4H, I), {@code weight_hh} (4H, H), gains and biases of the
     * norms {@code gain_ih}, {@code bias_ih}, {@code gain_hh}, {@code bias_hh} (4H), {@code gain_c} and {@code bias_c} (H).
     */
    record LayerNormLstm() implements CellType {
        @Override
        public String label() {
            return "layer-norm-lstm";
        }

        @Override
        public int gates() {
            return 4;
        }
    }

    /**
     * The layer-normalised GRU: W x and U h are normalised each over all gates together, and the reset gate acts on the latter. Its tensors are
     * {@code weight_ih} (3H, I), {@code weight_hh} (3H, H), {@code gain_ih}, {@code bias_ih}, {@code gain_hh} and {@code bias_hh} (3H).
     */
    record LayerNormGru() implements CellType {
        @Override
        public String label() {
            return "layer-norm-gru";
        }

        @Override
        public int gates() {
            return 3;
        }
    }
}
