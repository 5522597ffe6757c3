package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;

/** A kind of recurrent cell. */
public enum CellType {
    /** h' = tanh(W x + b + U h). */
    RNN_TANH("rnn-tanh"),
    /** h' = relu(W x + b + U h). */
    RNN_RELU("rnn-relu"),
    /** h' = W x + b + U h. */
    RNN_IDENTITY("rnn-identity"),
    /** Long short-term memory, gates i f g o. */
    LSTM("lstm"),
    /** Gated recurrent unit, reset after the product, as PyTorch and cuDNN have it; gates r z n. */
    GRU("gru"),
    /** Gated recurrent unit, reset before the product, as in the original paper; gates r z n. */
    GRU_RESET_BEFORE("gru-reset-before");

    private final String label;

    CellType(String label) {
        this.label = label;
    }

    /** Returns the name in files and on the command line. */
    public String label() {
        return label;
    }

    /** Returns the type of this label. @throws IllegalArgumentException if there is none */
    public static CellType of(String label) {
        for (CellType type : values()) {
            if (type.label.equals(label)) {
                return type;
            }
        }
        throw new IllegalArgumentException(
                "cell: expected rnn-tanh, rnn-relu, rnn-identity, lstm, gru or gru-reset-before, got " + label);
    }

    /** Returns the number of gates in PyTorch's weights. */
    public int gates() {
        return switch (this) {
            case RNN_TANH, RNN_RELU, RNN_IDENTITY -> 1;
            case LSTM -> 4;
            case GRU, GRU_RESET_BEFORE -> 3;
        };
    }

    Cell cell(int inputs, int hidden) {
        return switch (this) {
            case RNN_TANH -> new RnnCell(Activation.TANH, inputs, hidden);
            case RNN_RELU -> new RnnCell(Activation.RELU, inputs, hidden);
            case RNN_IDENTITY -> new RnnCell(Activation.IDENTITY, inputs, hidden);
            case LSTM -> new LstmCell(inputs, hidden);
            case GRU -> new GruCell(inputs, hidden);
            case GRU_RESET_BEFORE -> new GruResetBeforeCell(inputs, hidden);
        };
    }
}
