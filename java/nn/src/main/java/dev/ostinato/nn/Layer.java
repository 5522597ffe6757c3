package dev.ostinato.nn;

import java.util.Locale;

/** What a model is made of: a description without weights. Sizes are positive; a {@link Model} checks that they fit together. */
public sealed interface Layer {
    /** Returns the size of an input row; for tokens the number of tokens. */
    int inputs();

    /** Returns the size of an output row: that of an input row, unless the layer says otherwise. */
    default int outputs() {
        return inputs();
    }

    /** Returns what people call it, such as {@code lstm in reverse}. */
    String label();

    /** What a model begins with, and nothing else. */
    sealed interface Input extends Layer {}

    /** A layer that goes through time, with a cell of {@code hidden} units for each of its directions. */
    sealed interface WithCell extends Layer {
        /** Returns the equations of a step. */
        CellType cell();

        /** Returns the number of units. */
        int hidden();

        /** Returns what disturbs the recurrence in training, in each direction. */
        Regularization regularization();
    }

    /** A layer without weights of its own. */
    sealed interface Unweighted extends Layer {}

    /** A table with a row of {@code size} floats for each of {@code vocabulary} tokens. First layer only. */
    record Embedding(int vocabulary, int size) implements Input {
        public Embedding {
            positive("vocabulary", vocabulary);
            positive("size", size);
        }

        @Override
        public int inputs() {
            return vocabulary;
        }

        @Override
        public int outputs() {
            return size;
        }

        @Override
        public String label() {
            return "embedding";
        }
    }

    /** Tokens as one-hot rows; the layer behind it reads a column of its weights instead of multiplying. First layer only. */
    record OneHot(int vocabulary) implements Input, Unweighted {
        public OneHot {
            positive("vocabulary", vocabulary);
        }

        @Override
        public int inputs() {
            return vocabulary;
        }

        @Override
        public String label() {
            return "one-hot";
        }
    }

    /** Rows of floats. First layer only. */
    record Features(int size) implements Input, Unweighted {
        public Features {
            positive("size", size);
        }

        @Override
        public int inputs() {
            return size;
        }

        @Override
        public String label() {
            return "features";
        }
    }

    /** Which way a recurrent layer goes through time. */
    enum Direction {
        /** From the first step to the last. */
        FORWARD,
        /** From the last step of each stream to its first; the outputs are in the order of the inputs. */
        REVERSE
    }

    /** A recurrent layer of {@code hidden} units. */
    record Recurrent(CellType cell, int inputs, int hidden, Direction direction, Regularization regularization)
            implements WithCell {
        public Recurrent {
            positive("inputs", inputs);
            positive("hidden", hidden);
            projection(cell, hidden);
            regularization.check(cell);
        }

        /** Nothing disturbs it in training. */
        public Recurrent(CellType cell, int inputs, int hidden, Direction direction) {
            this(cell, inputs, hidden, direction, Regularization.NONE);
        }

        /** Goes forward. */
        public Recurrent(CellType cell, int inputs, int hidden) {
            this(cell, inputs, hidden, Direction.FORWARD);
        }

        @Override
        public int outputs() {
            return cell.outputs(hidden);
        }

        @Override
        public String label() {
            return cell.label() + (direction == Direction.REVERSE ? " in reverse" : "");
        }
    }

    /** What becomes of the outputs of two directions. */
    enum Merge {
        /** Those of the forward direction, and behind them those of the reverse one. */
        CONCAT,
        /** Their sum. */
        SUM,
        /** Their mean. */
        MEAN
    }

    /** Two recurrent layers of {@code hidden} units each over the same inputs, one in each direction (Schuster and Paliwal 1997). */
    record Bidirectional(CellType cell, int inputs, int hidden, Merge merge, Regularization regularization)
            implements WithCell {
        public Bidirectional {
            positive("inputs", inputs);
            positive("hidden", hidden);
            projection(cell, hidden);
            regularization.check(cell);
        }

        /** Nothing disturbs it in training. */
        public Bidirectional(CellType cell, int inputs, int hidden, Merge merge) {
            this(cell, inputs, hidden, merge, Regularization.NONE);
        }

        @Override
        public int outputs() {
            int one = cell.outputs(hidden);
            return merge == Merge.CONCAT ? Math.multiplyExact(2, one) : one;
        }

        @Override
        public String label() {
            return "bidirectional " + cell.label();
        }
    }

    /** Which row stands for all steps of a stream. */
    enum Pooling {
        /** That of its last step. */
        LAST,
        /** The mean over its steps. */
        MEAN,
        /** Of each column the greatest. */
        MAX
    }

    /** Makes one row of all steps of a stream, zero for a stream without steps. What comes behind sees one step. At most one. */
    record Pool(int size, Pooling pooling) implements Unweighted {
        public Pool {
            positive("size", size);
        }

        @Override
        public int inputs() {
            return size;
        }

        @Override
        public String label() {
            return pooling.name().toLowerCase(Locale.ROOT) + " pool";
        }
    }

    /**
     * In training zeroes elements with probability {@code rate} and scales the others by 1 / (1 - rate); else does nothing. What has a mask of
     * its own is the scope's to say.
     */
    record Dropout(int size, float rate, Scope scope) implements Unweighted {
        /** How far a mask reaches. */
        public enum Scope {
            /** Each step of each stream has a mask of its own (Srivastava et al. 2014). */
            STEP,
            /** All steps of a stream in a batch have one (Gal and Ghahramani 2016), also where its state begins anew. */
            STREAM
        }

        public Dropout {
            positive("size", size);
            Regularization.checkRate("dropout", rate);
        }

        /** Each step has a mask of its own. */
        public Dropout(int size, float rate) {
            this(size, rate, Scope.STEP);
        }

        @Override
        public int inputs() {
            return size;
        }

        @Override
        public String label() {
            return "dropout " + rate + (scope == Scope.STREAM ? " of streams" : "");
        }
    }

    /**
     * A connection past some layers (He et al. 2016): adds to its input what the last {@code span} layers before it began with, so that their
     * output only has to be the difference. Dropout is not counted: behind dropout and a recurrent layer {@code y = x + dropout(layer(x))}. Has as
     * many outputs as what it adds.
     */
    record Residual(int size, int span) implements Unweighted {
        public Residual {
            positive("size", size);
            positive("span", span);
        }

        @Override
        public int inputs() {
            return size;
        }

        @Override
        public String label() {
            return "residual" + (span == 1 ? "" : " over " + span);
        }
    }

    /**
     * Attention (Luong et al. 2015, global, with dot scores), in the decoder of an {@link EncoderDecoder}: looks from each step h at the outputs m_1..m_S
     * of the encoder, which have as many elements. Has no weights:
     *
     * <pre>
     * e_s = h . m_s      a = softmax(e)      c = sum over s of a_s m_s      y = [c, h]</pre>
     *
     * A source without steps has c = 0.
     */
    record Attention(int size) implements Unweighted {
        public Attention {
            positive("size", size);
        }

        @Override
        public int inputs() {
            return size;
        }

        @Override
        public int outputs() {
            return Math.multiplyExact(2, size);
        }

        @Override
        public String label() {
            return "attention";
        }
    }

    /**
     * Layer norm (Ba et al. 2016): each row less its mean, over the root of its variance plus {@code epsilon}, times a gain, plus a bias. Its
     * tensors are {@code weight}, the gain, and {@code bias}, as those of PyTorch's LayerNorm.
     */
    record LayerNorm(int size, float epsilon) implements Layer {
        public LayerNorm {
            positive("size", size);
            checkEpsilon(epsilon);
        }

        @Override
        public int inputs() {
            return size;
        }

        @Override
        public String label() {
            return "layer norm";
        }
    }

    /**
     * Batch norm over time (Ioffe and Szegedy 2015): each column less its mean, over the root of its variance plus {@code epsilon}, times a
     * gain, plus a bias. In training mean and variance are those of all steps of all streams of a batch; otherwise the running ones, to which
     * each batch adds its share {@code momentum}. Its tensors are those of PyTorch's BatchNorm1d: {@code weight}, the gain, {@code bias},
     * {@code running_mean} and {@code running_var}, of which the last two have no gradient.
     */
    record BatchNorm(int size, float momentum, float epsilon) implements Layer {
        public BatchNorm {
            positive("size", size);
            if (!(momentum >= 0 && momentum <= 1)) {
                throw new IllegalArgumentException("momentum: expected a number in [0, 1], got " + momentum);
            }
            checkEpsilon(epsilon);
        }

        @Override
        public int inputs() {
            return size;
        }

        @Override
        public String label() {
            return "batch norm";
        }
    }

    /** y = W x + b at every step. */
    record Dense(int inputs, int outputs) implements Layer {
        public Dense {
            positive("inputs", inputs);
            positive("outputs", outputs);
        }

        @Override
        public String label() {
            return "dense";
        }
    }

    private static void checkEpsilon(float epsilon) {
        if (!(epsilon > 0 && epsilon < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("epsilon: expected a positive number, got " + epsilon);
        }
    }

    private static void projection(CellType cell, int hidden) {
        if (cell instanceof CellType.Lstm lstm && lstm.projection().isPresent() && lstm.outputs(hidden) >= hidden) {
            throw new IllegalArgumentException("projection: expected less than " + hidden + " hidden units, got "
                    + lstm.outputs(hidden));
        }
    }

    private static void positive(String name, int size) {
        if (size < 1) {
            throw new IllegalArgumentException(name + ": expected >= 1, got " + size);
        }
    }
}
