package dev.ostinato.nn;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.Slice;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Layers with weights. Immutable and safe for all threads; what a stream remembers is in its {@link State}.
 *
 * <pre>{@code
 * Model model = Model.builder().features(8).lstm(64).dense(2).seed(1).build();
 * State state = model.newState();
 * float[] y = new float[2];
 * model.step(x, state, y); // allocates nothing
 * }</pre>
 */
public final class Model {
    private final Blueprint blueprint;
    private final Memory weights;
    private final Kernels kernels;
    private final Precision precision;
    private final Supplier<InferenceWeights> inferenceWeights;

    Model(Blueprint blueprint, Memory weights, Kernels kernels) {
        this(blueprint, weights, kernels, Precision.F32);
    }

    private Model(Blueprint blueprint, Memory weights, Kernels kernels, Precision precision) {
        this.blueprint = blueprint;
        this.weights = weights;
        this.kernels = kernels;
        this.precision = precision;
        this.inferenceWeights = Once.of(() -> new InferenceWeights(blueprint, weights, precision, kernels));
    }

    /** Returns a builder of layers with fresh random weights. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a model of given weights, on the backend that {@code auto} picks.
     *
     * @param tensors at least those of {@link #tensors} for these layers, by name
     * @throws IllegalArgumentException if the layers do not fit together, or a tensor is missing or has another shape
     */
    public static Model of(List<Layer> layers, List<NamedArray> tensors) {
        Blueprint blueprint = new Blueprint(layers);
        Memory weights = Memory.ofFloats(blueprint.layout().floats());
        blueprint.layout().write(weights, tensors);
        return new Model(blueprint, weights, Backends.auto());
    }

    /**
     * Returns names and shapes of the tensors that {@link #of} needs for layers. Allocates no weights.
     *
     * @throws IllegalArgumentException if the layers do not fit together
     */
    public static List<TensorShape> shapes(List<Layer> layers) {
        return new Blueprint(layers).layout().shapes();
    }

    /** Returns the same weights on another backend. @throws IllegalArgumentException if it cannot be used, with the reason */
    public Model withBackend(String name) {
        return new Model(blueprint, weights, Backends.kernels(name), precision);
    }

    /**
     * Returns the same model with the weights that steps multiply rounded to a precision; this stays as it is. {@link #tensors} and training
     * know the exact weights only, so that the precision may be chosen anew.
     *
     * @throws IllegalArgumentException if a weight is not finite and the precision has no such number
     */
    public Model withPrecision(Precision newPrecision) {
        if (newPrecision == precision) {
            return this;
        }
        Model model = new Model(blueprint, weights, kernels, newPrecision);
        model.inferenceWeights(); // refuses what cannot be rounded now rather than at the first step
        return model;
    }

    /** Returns the layers, input first. */
    public List<Layer> layers() {
        return blueprint.layers();
    }

    /** Returns the name of the backend that computes. */
    public String backend() {
        return kernels.backend().name();
    }

    /** Returns the precision of the weights that steps multiply. */
    public Precision precision() {
        return precision;
    }

    /** Returns the size of an input row; for a model of tokens the size of its vocabulary. */
    public int inputs() {
        return layers().getFirst().inputs();
    }

    /** Returns the size of an output row. */
    public int outputs() {
        return layers().getLast().outputs();
    }

    /** Returns whether inputs are tokens rather than rows of floats. */
    public boolean takesTokens() {
        return !(layers().getFirst() instanceof Layer.Features);
    }

    /** Returns whether a step can be made before the next input is known: no layer goes in reverse, and none pools. */
    public boolean streams() {
        return blueprint.streams();
    }

    /** Returns whether there is one output for all steps of a stream rather than one for each. */
    public boolean pools() {
        return blueprint.pools();
    }

    /** Returns the number of weights, padding not counted. */
    public long parameterCount() {
        return tensors().stream().mapToLong(t -> t.data().length).sum();
    }

    /** Returns the bytes of weights that a step of one row reads, padding included: what its time depends on. */
    public long stepBytes() {
        return inferenceWeights().stepBytes();
    }

    /** Returns the bytes that the exact weights take in memory, padding included. */
    public long weightBytes() {
        return weights.byteSize();
    }

    /** Returns copies of all weights in PyTorch's names and layout. */
    public List<NamedArray> tensors() {
        return blueprint.layout().read(weights);
    }

    /** Returns those of {@link #tensors} that are of one layer. @throws IndexOutOfBoundsException if there is no such layer */
    public List<NamedArray> tensors(int layer) {
        return blueprint.places().get(layer).read(weights);
    }

    /** Returns the state of one new stream, all zero. */
    public State newState() {
        return newState(1);
    }

    /** Returns the states of {@code rows} new streams that step together, all zero. @throws IllegalArgumentException if not positive */
    public State newState(int rows) {
        return newState(rows, Team.ALONE);
    }

    /**
     * Returns the states of {@code rows} new streams, all zero, whose steps a team shares. It pays for layers whose step takes some
     * microseconds or more.
     *
     * @param team several states may have the same one; it helps one of them at a time
     * @throws IllegalArgumentException if {@code rows} is not positive, or the model has an attention layer: {@link EncoderDecoder#encode(int[])}
     *     returns its states
     */
    public State newState(int rows, Team team) {
        if (rows < 1) {
            throw new IllegalArgumentException("rows: expected >= 1, got " + rows);
        }
        if (blueprint.attends()) {
            throw new IllegalArgumentException(
                    "state: expected one that EncoderDecoder.encode returns, since the model attends to an encoder");
        }
        return new State(this, rows, team);
    }

    /**
     * One step of every row of a state, from tokens.
     *
     * @param tokens (B)
     * @param state B rows, of this model; updated. One thread at a time
     * @param y (B, outputs) overwritten
     * @throws IllegalArgumentException if a size is wrong, or the model or the state's model takes something else
     * @throws IndexOutOfBoundsException if a token is outside the vocabulary
     */
    public void step(int[] tokens, State state, float[] y) {
        state.call(this).from(tokens).to(y).step();
    }

    /** One step of a state of one row, from a token; otherwise as {@link #step(int[], State, float[])}. */
    public void step(int token, State state, float[] y) {
        state.call(this).from(token).to(y).step();
    }

    /**
     * One step of every row of a state, from rows of floats.
     *
     * @param x (B, inputs)
     * @param state B rows, of this model; updated. One thread at a time
     * @param y (B, outputs) overwritten
     * @throws IllegalArgumentException if a size is wrong, or the model takes tokens
     */
    public void step(float[] x, State state, float[] y) {
        state.call(this).from(x).to(y).step();
    }

    /**
     * As {@link #step(float[], State, float[])}, in memory of any kind: arrays, buffers, segments. Shapes of slices do not matter: elements are
     * counted row by row. Nothing is allocated; who has the same buffers every time keeps their slices.
     *
     * @throws IllegalStateException if an arena has been closed; when that happens during the call, some steps may have been made
     * @throws WrongThreadException if an arena is another thread's
     */
    public void step(Slice x, State state, Slice y) {
        state.call(this).from(x).to(y).step();
    }

    /** As {@link #step(int[], State, float[])}, into memory of any kind; see {@link #step(Slice, State, Slice)}. */
    public void step(int[] tokens, State state, Slice y) {
        state.call(this).from(tokens).to(y).step();
    }

    /**
     * As many steps of every row of a state as there are tokens for: the same bits as one call of {@code step} for each, in less time.
     *
     * @param tokens (T, B), time first
     * @param state B rows, of this model; updated. One thread at a time. Its first long run allocates what computes several steps at once
     * @param y (T, B, outputs), or (B, outputs) if the model {@link #pools}; overwritten
     * @throws IllegalArgumentException if a size is wrong, or the model or the state's model takes something else
     * @throws IndexOutOfBoundsException if a token is outside the vocabulary; the state is then unchanged
     */
    public void run(int[] tokens, State state, float[] y) {
        state.call(this).from(tokens).to(y).run();
    }

    /**
     * As many steps of every row of a state as there are inputs for: the same bits as one call of {@code step} for each, in less time.
     *
     * @param x (T, B, inputs), time first
     * @param state B rows, of this model; updated. One thread at a time. Its first long run allocates what computes several steps at once
     * @param y (T, B, outputs), or (B, outputs) if the model {@link #pools}; overwritten; not {@code x}
     * @throws IllegalArgumentException if a size is wrong, or the model takes tokens
     */
    public void run(float[] x, State state, float[] y) {
        state.call(this).from(x).to(y).run();
    }

    /** As {@link #run(float[], State, float[])}, in memory of any kind; see {@link #step(Slice, State, Slice)}. */
    public void run(Slice x, State state, Slice y) {
        state.call(this).from(x).to(y).run();
    }

    /** As {@link #run(int[], State, float[])}, into memory of any kind; see {@link #step(Slice, State, Slice)}. */
    public void run(int[] tokens, State state, Slice y) {
        state.call(this).from(tokens).to(y).run();
    }

    /**
     * The steps of every row of a state that there are: rows of different lengths, masked steps, states that begin anew on the way. Each row
     * gets the bits that it would get alone, and only the steps that there are cost time.
     *
     * @param tokens (T, B), or (B, T) if {@link Sequences#batchFirst}; what it holds for other steps does not matter
     * @param sequences of as many rows as the state has. Who calls often with the same keeps the object
     * @param state of this model; updated. A row without steps keeps its state
     * @param y (T, B, outputs), or (B, T, outputs) if {@link Sequences#batchFirst}, or (B, outputs) if the model {@link #pools}; overwritten, with
     *     zeros for steps that there are not
     * @throws IllegalArgumentException if a size is wrong, or the model or the state's model takes something else
     * @throws IndexOutOfBoundsException if a token is outside the vocabulary; the state is then unchanged
     */
    public void run(int[] tokens, Sequences sequences, State state, float[] y) {
        state.call(this).from(tokens).to(y).run(sequences);
    }

    /** As {@link #run(int[], Sequences, State, float[])}, from x (T, B, inputs), which is not y. */
    public void run(float[] x, Sequences sequences, State state, float[] y) {
        state.call(this).from(x).to(y).run(sequences);
    }

    /** As {@link #run(int[], Sequences, State, float[])}, from the inputs of a batch. */
    void run(Batch batch, State state, float[] y) {
        if (takesTokens()) {
            run(batch.tokens(), batch.sequences(), state, y);
        } else {
            run(batch.features(inputs()), batch.sequences(), state, y);
        }
    }

    /** As {@link #run(float[], Sequences, State, float[])}, in memory of any kind; see {@link #step(Slice, State, Slice)}. */
    public void run(Slice x, Sequences sequences, State state, Slice y) {
        state.call(this).from(x).to(y).run(sequences);
    }

    /** As {@link #run(int[], Sequences, State, float[])}, into memory of any kind; see {@link #step(Slice, State, Slice)}. */
    public void run(int[] tokens, Sequences sequences, State state, Slice y) {
        state.call(this).from(tokens).to(y).run(sequences);
    }

    /**
     * As {@link #run(int[], Sequences, State, float[])}, and returns what every recurrent layer remembered after each step: h, and c of an
     * LSTM, layer by layer, with the names of {@link State#tensors}. Allocates what it needs anew, and c costs a call of the kernels for
     * each step; who does not ask for it pays nothing.
     *
     * @return tensors (T, B, H), or (B, T, H) if {@link Sequences#batchFirst}, behind a pooling layer (1, B, H), with zeros for steps that there
     *     are not; of a layer in reverse the states after it has taken the step, on its way to the first
     */
    public List<NamedArray> trace(int[] tokens, Sequences sequences, State state, float[] y) {
        return state.call(this).from(tokens).to(y).trace(sequences);
    }

    /** As {@link #trace(int[], Sequences, State, float[])}, from x (T, B, inputs), which is not y. */
    public List<NamedArray> trace(float[] x, Sequences sequences, State state, float[] y) {
        return state.call(this).from(x).to(y).trace(sequences);
    }

    /**
     * Computes steps of throw-away states until the JIT compiler has done its work, or for {@value WarmUp#MOST_SECONDS} seconds: the first
     * steps in a JVM take many times as long as the later ones. Who must answer in microseconds calls this before the first request comes.
     *
     * @param rows of the states that will be used; 1 for single streams
     * @param steps 1 warms up single steps, more {@link #run(float[], State, float[])} over about so many
     * @return this
     * @throws IllegalArgumentException if one is not positive
     */
    public Model warmUp(int rows, int steps) {
        WarmUp.of(this, rows, steps);
        return this;
    }

    Blueprint blueprint() {
        return blueprint;
    }

    /** Returns the weights as steps read them; the first call computes them. */
    InferenceWeights inferenceWeights() {
        return inferenceWeights.get();
    }

    Memory weights() {
        return weights;
    }

    Kernels kernels() {
        return kernels;
    }

    /** Collects layers from the input on. Not safe for several threads. */
    public static final class Builder {
        private final List<Layer> layers = new ArrayList<>();
        /** Of each layer. */
        private final List<InitialWeights> initialWeights = new ArrayList<>();
        private InitialWeights initialWeightsOfNext = InitialWeights.pytorch();
        private Regularization regularizationOfNext = Regularization.NONE;
        private long seed;
        private String backend = "auto";

        private Builder() {
        }

        /** Starts with tokens, each a learned row of {@code size} floats. */
        public Builder embedding(int vocabulary, int size) {
            return add(new Layer.Embedding(vocabulary, size));
        }

        /** Starts with tokens as one-hot rows. */
        public Builder oneHot(int vocabulary) {
            return add(new Layer.OneHot(vocabulary));
        }

        /** Starts with rows of {@code size} floats. */
        public Builder features(int size) {
            return add(new Layer.Features(size));
        }

        /** Adds a recurrent layer. */
        public Builder recurrent(CellType cell, int hidden) {
            return add(new Layer.Recurrent(cell, outputs(), hidden, Layer.Direction.FORWARD, regularizationOfNext));
        }

        /** Adds a simple recurrent layer with tanh. */
        public Builder rnn(int hidden) {
            return recurrent(CellType.RNN_TANH, hidden);
        }

        /** Adds an LSTM layer. */
        public Builder lstm(int hidden) {
            return recurrent(CellType.LSTM, hidden);
        }

        /** Adds a GRU layer, reset after the product. */
        public Builder gru(int hidden) {
            return recurrent(CellType.GRU, hidden);
        }

        /** Adds a recurrent layer that goes from the last step of each stream to the first. */
        public Builder reverse(CellType cell, int hidden) {
            return add(new Layer.Recurrent(cell, outputs(), hidden, Layer.Direction.REVERSE, regularizationOfNext));
        }

        /** Adds a recurrent layer of {@code hidden} units in each direction. */
        public Builder bidirectional(CellType cell, int hidden, Layer.Merge merge) {
            return add(new Layer.Bidirectional(cell, outputs(), hidden, merge, regularizationOfNext));
        }

        /** Makes one row of all steps of a stream. */
        public Builder pool(Layer.Pooling pooling) {
            return add(new Layer.Pool(outputs(), pooling));
        }

        /** Adds dropout, which acts in training only; a rate of 0 adds nothing. */
        public Builder dropout(double rate) {
            return dropout(rate, Layer.Dropout.Scope.STEP);
        }

        /** Adds dropout whose masks reach as far as a scope says; a rate of 0 adds nothing. */
        public Builder dropout(double rate, Layer.Dropout.Scope scope) {
            return rate == 0 ? this : add(new Layer.Dropout(outputs(), (float) rate, scope));
        }

        /** Adds to the outputs of the last layer, dropout not counted, what it began with. */
        public Builder residual() {
            return residual(1);
        }

        /** Adds to the outputs so far what the last {@code span} layers, dropout not counted, began with. */
        public Builder residual(int span) {
            return add(new Layer.Residual(outputs(), span));
        }

        /** Adds a layer norm with an epsilon of 1e-5. */
        public Builder layerNorm() {
            return add(new Layer.LayerNorm(outputs(), 1e-5f));
        }

        /** Adds a batch norm over time with a momentum of 0.1 and an epsilon of 1e-5. */
        public Builder batchNorm() {
            return add(new Layer.BatchNorm(outputs(), 0.1f, 1e-5f));
        }

        /** Adds attention to the outputs of an encoder, whose size must be that of this layer's inputs; for the decoder of an {@link EncoderDecoder}. */
        public Builder attention() {
            return add(new Layer.Attention(outputs()));
        }

        /** Adds a dense layer at every step. */
        public Builder dense(int outputs) {
            return add(new Layer.Dense(outputs(), outputs));
        }

        /**
         * Sets what the weights of the layers added from here on are before training; {@link InitialWeights#pytorch} unless set. Called
         * first it is for the whole model.
         */
        public Builder initialWeights(InitialWeights weights) {
            this.initialWeightsOfNext = weights;
            return this;
        }

        /**
         * Sets what disturbs, in training, the recurrent layers added from here on; {@link Regularization#NONE} unless set. Called first it is for
         * the whole model.
         */
        public Builder regularization(Regularization regularization) {
            this.regularizationOfNext = regularization;
            return this;
        }

        /** Sets the seed of the random weights; 0 unless set. The same seed gives the same weights everywhere. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** Sets the backend; {@code auto} unless set. */
        public Builder backend(String name) {
            this.backend = name;
            return this;
        }

        /** Returns the model. @throws IllegalArgumentException if the layers do not fit together or the backend cannot be used */
        public Model build() {
            Blueprint blueprint = new Blueprint(layers);
            Memory weights = Memory.ofFloats(blueprint.layout().floats());
            FreshWeights.fill(blueprint, weights, initialWeights, seed);
            return new Model(blueprint, weights, Backends.kernels(backend));
        }

        private Builder add(Layer layer) {
            layers.add(layer);
            initialWeights.add(initialWeightsOfNext);
            return this;
        }

        private int outputs() {
            if (layers.isEmpty()) {
                throw new IllegalArgumentException("model: expected embedding, oneHot or features first");
            }
            return layers.getLast().outputs();
        }
    }
}
