package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.LstmVariant;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** A kind of recurrent cell: which equations, in which variant. Sizes are the layer's. */
public sealed interface CellType {
    /** h' = tanh(W x + b + U h). */
    Rnn RNN_TANH = new Rnn(Activation.TANH);
    /** h' = relu(W x + b + U h). */
    Rnn RNN_RELU = new Rnn(Activation.RELU);
    /** h' = W x + b + U h. */
    Rnn RNN_IDENTITY = new Rnn(Activation.IDENTITY);
    /** Long short-term memory, gates i f g o. */
    Lstm LSTM = new Lstm();
    /** Gated recurrent unit, reset after the product, as PyTorch and cuDNN have it; gates r z n. */
    Gru GRU = new Gru(Gru.Reset.AFTER);
    /** Gated recurrent unit, reset before the product, as in the original paper; gates r z n. */
    Gru GRU_RESET_BEFORE = new Gru(Gru.Reset.BEFORE);
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

    /**
     * Returns the notation in files and on the command line; {@link #of} knows it. Options that are not the usual ones are in parentheses: <pre>
     * rnn-FUNCTION(alpha=A,beta=B,clip=C,no-bias)
     * lstm(peepholes,coupled,projection=P,clip=C,cell-clip=C,gates=FUNCTION,candidate=FUNCTION,output=FUNCTION,no-bias)
     * gru(clip=C,gates=FUNCTION,candidate=FUNCTION,no-bias)      gru-reset-before likewise</pre>
     * A FUNCTION is tanh, relu, identity, sigmoid, softsign, softplus, affine(A,B), leaky-relu(A), thresholded-relu(A), scaled-tanh(A,B),
     * hard-sigmoid(A,B) or elu(A), as in ONNX.
     */
    String label();

    /** Returns the number of gates in PyTorch's weights. */
    int gates();

    // No default: it would make each record initialise this interface, whose constants are records, and two threads could wait for each other.

    /** Returns the size of h, and so of an output row, of a layer of {@code hidden} units. */
    int outputs(int hidden);

    /** Returns every kind in its plain form, with the usual activations, and an LSTM with peepholes and coupled gates. */
    static List<CellType> all() {
        return List.of(RNN_TANH, RNN_RELU, RNN_IDENTITY, LSTM,
                LSTM.withPeepholes(Peepholes.ALL).withForget(LstmVariant.Forget.COUPLED), GRU, GRU_RESET_BEFORE,
                IND_RNN_RELU, MIN_GRU, LAYER_NORM_LSTM, LAYER_NORM_GRU);
    }

    /** Returns the type of this label. @throws IllegalArgumentException if there is none, or its options are wrong */
    static CellType of(String label) {
        return Stream.of(IND_RNN_RELU, IND_RNN_TANH, IND_RNN_IDENTITY, MIN_GRU, LAYER_NORM_LSTM, LAYER_NORM_GRU)
                .filter(type -> type.label().equals(label)).findFirst().or(() -> CellNotation.of(label))
                .orElseThrow(() -> new IllegalArgumentException("cell: expected one of "
                        + String.join(", ", all().stream().map(CellType::label).toList()) + ", got " + label));
    }

    /** Which biases a cell has. */
    enum Bias {
        /** PyTorch's two, one that joins W x and one that joins U h. */
        BOTH,
        /** None: there are no such tensors. */
        NONE
    }

    /** Whether the gates of an LSTM see the cell state. */
    enum Peepholes {
        /** They do not. */
        NONE,
        /** Through tensors (H): {@code weight_ci}, {@code weight_cf} unless coupled, and {@code weight_co}. */
        ALL
    }

    /** The simple cell (Elman 1990). */
    record Rnn(Activation activation, Bias bias) implements CellType {
        /** With biases. */
        public Rnn(Activation activation) {
            this(activation, Bias.BOTH);
        }

        /** Returns this with pre-activations clipped to [-clip, clip], infinite for not at all. */
        public Rnn withClip(float clip) {
            return new Rnn(activation.withClip(clip), bias);
        }

        /** Returns this with other biases. */
        public Rnn withBias(Bias other) {
            return new Rnn(activation, other);
        }

        @Override
        public String label() {
            return CellNotation.label(this);
        }

        @Override
        public int outputs(int hidden) {
            return hidden;
        }

        @Override
        public int gates() {
            return 1;
        }
    }

    /**
     * Long short-term memory (Hochreiter and Schmidhuber 1997). Gates i f g o in files, or i g o if f is coupled to i.
     *
     * @param variant with one clip for gates and candidate, and none for the output
     * @param projection the size P of h, if h is a product of {@code weight_hr} (P, H) with what it would be without (Sak et al. 2014)
     */
    record Lstm(LstmVariant variant, Peepholes peepholes, OptionalInt projection, Bias bias) implements CellType {
        /** @throws IllegalArgumentException if gates and candidate are clipped differently, the output is clipped, or the projection is not positive */
        public Lstm {
            if (projection.isPresent() && projection.getAsInt() < 1) {
                throw new IllegalArgumentException("projection: expected >= 1, got " + projection.getAsInt());
            }
            oneClip(variant.gates(), variant.candidate());
            if (variant.output().clip() != Float.POSITIVE_INFINITY) {
                throw new IllegalArgumentException(
                        "output: expected no clip but that of the cell, got " + variant.output().clip());
            }
        }

        /** The standard one. */
        public Lstm() {
            this(LstmVariant.STANDARD, Peepholes.NONE, OptionalInt.empty(), Bias.BOTH);
        }

        /** Returns this with the pre-activations of all gates clipped to [-clip, clip], infinite for not at all. */
        public Lstm withClip(float clip) {
            return with(variant.gates().withClip(clip), variant.candidate().withClip(clip), variant.output(),
                    variant.cellClip(), variant.forget());
        }

        /** Returns this with the cell state clipped to [-clip, clip], infinite for not at all. */
        public Lstm withCellClip(float clip) {
            return with(variant.gates(), variant.candidate(), variant.output(), clip, variant.forget());
        }

        /** Returns this with other activations; their own clips are ignored. */
        public Lstm withActivations(Activation gates, Activation candidate, Activation output) {
            float clip = variant.gates().clip();
            return with(gates.withClip(clip), candidate.withClip(clip), output.withClip(Float.POSITIVE_INFINITY),
                    variant.cellClip(), variant.forget());
        }

        /** Returns this with another forget gate. */
        public Lstm withForget(LstmVariant.Forget forget) {
            return with(variant.gates(), variant.candidate(), variant.output(), variant.cellClip(), forget);
        }

        /** Returns this with or without peepholes. */
        public Lstm withPeepholes(Peepholes other) {
            return new Lstm(variant, other, projection, bias);
        }

        /** Returns this with h projected to {@code size}. @throws IllegalArgumentException if it is not positive */
        public Lstm withProjection(int size) {
            return new Lstm(variant, peepholes, OptionalInt.of(size), bias);
        }

        /** Returns this with other biases. */
        public Lstm withBias(Bias other) {
            return new Lstm(variant, peepholes, projection, other);
        }

        private Lstm with(Activation gates, Activation candidate, Activation output, float cellClip,
                LstmVariant.Forget forget) {
            return new Lstm(new LstmVariant(gates, candidate, output, cellClip, forget), peepholes, projection,
                    bias);
        }

        @Override
        public String label() {
            return CellNotation.label(this);
        }

        @Override
        public int outputs(int hidden) {
            return projection.orElse(hidden);
        }

        @Override
        public int gates() {
            return variant.slots();
        }
    }

    /**
     * The gated recurrent unit (Cho et al. 2014).
     *
     * @param variant with one clip for gates and candidate
     */
    record Gru(Reset reset, GruVariant variant, Bias bias) implements CellType {
        /** When the reset gate acts on what comes from the state. */
        public enum Reset {
            /** On the state, before the product with U. */
            BEFORE,
            /** On the product. */
            AFTER
        }

        /** @throws IllegalArgumentException if gates and candidate are clipped differently */
        public Gru {
            oneClip(variant.gates(), variant.candidate());
        }

        /** The standard one. */
        public Gru(Reset reset) {
            this(reset, GruVariant.STANDARD, Bias.BOTH);
        }

        /** Returns this with the pre-activations of all gates clipped to [-clip, clip], infinite for not at all. */
        public Gru withClip(float clip) {
            return new Gru(reset, new GruVariant(variant.gates().withClip(clip), variant.candidate().withClip(clip)),
                    bias);
        }

        /** Returns this with other activations; their own clips are ignored. */
        public Gru withActivations(Activation gates, Activation candidate) {
            float clip = variant.gates().clip();
            return new Gru(reset, new GruVariant(gates.withClip(clip), candidate.withClip(clip)), bias);
        }

        /** Returns this with other biases. */
        public Gru withBias(Bias other) {
            return new Gru(reset, variant, other);
        }

        @Override
        public String label() {
            return CellNotation.label(this);
        }

        @Override
        public int outputs(int hidden) {
            return hidden;
        }

        @Override
        public int gates() {
            return 3;
        }
    }

    private static void oneClip(Activation gates, Activation candidate) {
        if (gates.clip() != candidate.clip()) {
            throw new IllegalArgumentException(
                    "clip: expected one for gates and candidate, got " + gates.clip() + " and "
                            + candidate.clip());
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
        public int outputs(int hidden) {
            return hidden;
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
        public int outputs(int hidden) {
            return hidden;
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
        public int outputs(int hidden) {
            return hidden;
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
        public int outputs(int hidden) {
            return hidden;
        }

        @Override
        public int gates() {
            return 3;
        }
    }
}
