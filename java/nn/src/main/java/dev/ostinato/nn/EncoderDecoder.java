package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Two models of which the second goes on from what the first has read (Sutskever et al. 2014): the recurrent layers of the decoder begin with
 * the states with which those of the encoder end, the first with the first. Two directions of an encoder's layer are merged as their outputs
 * are: {@link Layer.Merge#CONCAT} makes states of twice the size. An {@link Layer.Attention} layer of the decoder looks at the outputs of
 * the encoder after all steps.
 *
 * <pre>{@code
 * Model encoder = Model.builder().embedding(27, 64).bidirectional(CellType.LSTM, 64, Layer.Merge.SUM).build();
 * Model decoder = Model.builder().embedding(41, 64).lstm(64).attention().dense(41).build();
 * EncoderDecoder model = new EncoderDecoder(encoder, decoder);
 * int[] phonemes = Decoding.of(START, 30).until(END).greedy(decoder, model.encode(letters))[0];
 * }</pre>
 *
 * A source without steps leaves zero states, and nothing to attend to. Immutable and safe for all threads.
 */
public final class EncoderDecoder {
    /** Before the names of tensors. */
    static final String ENCODER = "encoder.";
    static final String DECODER = "decoder.";

    private final Model encoder;
    private final Model decoder;
    private final List<Handover> handovers;

    /**
     * Joins two models. Each has its own backend and precision.
     *
     * @param encoder of any layers but attention
     * @param decoder whose layers all go forward and pool nothing, with as many recurrent ones as the encoder has
     * @throws IllegalArgumentException if they do not fit together
     */
    public EncoderDecoder(Model encoder, Model decoder) {
        if (!decoder.streams()) {
            throw new IllegalArgumentException(
                    "decoder: expected layers that all go forward in time and pool nothing, got " + decoder.layers());
        }
        if (encoder.blueprint().attends()) {
            throw new IllegalArgumentException(
                    "encoder: expected no attention, since it has nothing to attend to, got " + encoder.layers());
        }
        for (Layer layer : decoder.layers()) {
            if (layer instanceof Layer.Attention && layer.inputs() != encoder.outputs()) {
                throw new IllegalArgumentException("attention: expected rows of " + encoder.outputs()
                        + ", as the encoder has outputs, got " + layer);
            }
        }
        this.encoder = encoder;
        this.decoder = decoder;
        this.handovers = Handover.between(encoder.blueprint(), decoder.blueprint());
    }

    /**
     * Returns models of given weights, on the backend that {@code auto} picks.
     *
     * @param tensors at least those of {@link #tensors} for these layers, by name
     * @throws IllegalArgumentException if the layers do not fit together, or a tensor is missing or has another shape
     */
    public static EncoderDecoder of(List<Layer> encoder, List<Layer> decoder, List<NamedArray> tensors) {
        return new EncoderDecoder(Model.of(encoder, part(ENCODER, tensors)), Model.of(decoder, part(DECODER, tensors)));
    }

    private static List<NamedArray> part(String prefix, List<NamedArray> tensors) {
        return tensors.stream().filter(t -> t.name().startsWith(prefix))
                .map(t -> new NamedArray(t.name().substring(prefix.length()), t.shape(), t.data())).toList();
    }

    /**
     * Returns names and shapes of the tensors that {@link #of} needs for layers. Allocates no weights.
     *
     * @throws IllegalArgumentException if the layers of one of them do not fit together
     */
    public static List<TensorShape> shapes(List<Layer> encoder, List<Layer> decoder) {
        return Stream.concat(new Blueprint(encoder).in(ENCODER, 0).layout().shapes().stream(),
                new Blueprint(decoder).in(DECODER, 0).layout().shapes().stream()).toList();
    }

    /** Returns what reads the source. */
    public Model encoder() {
        return encoder;
    }

    /** Returns what goes on from there, step by step, with the states that {@link #encode} returns. */
    public Model decoder() {
        return decoder;
    }

    /** Returns copies of all weights in PyTorch's names and layout, the encoder's names behind {@code encoder.}, the decoder's behind {@code decoder.}. */
    public List<NamedArray> tensors() {
        return Stream.concat(prefixed(ENCODER, encoder), prefixed(DECODER, decoder)).toList();
    }

    private static Stream<NamedArray> prefixed(String prefix, Model model) {
        return model.tensors().stream().map(t -> new NamedArray(prefix + t.name(), t.shape(), t.data()));
    }

    /**
     * Reads a source of tokens.
     *
     * @param tokens (S), which may be none
     * @return the state with which the decoder begins
     * @throws IllegalArgumentException if the encoder takes something else
     * @throws IndexOutOfBoundsException if a token is outside the vocabulary
     */
    public State encode(int... tokens) {
        int[] some = tokens.length == 0 ? new int[1] : tokens;
        return encode(some, Sequences.ofLengths(some.length, tokens.length));
    }

    /** As {@link #encode(int[])}, from rows of floats: x (S, inputs). */
    public State encode(float[] x) {
        if (x.length % encoder.inputs() != 0) {
            throw new IllegalArgumentException(
                    "x: expected a multiple of " + encoder.inputs() + ", got " + x.length);
        }
        int steps = x.length / encoder.inputs();
        float[] some = steps == 0 ? new float[encoder.inputs()] : x;
        return encode(some, Sequences.ofLengths(Math.max(1, steps), steps));
    }

    /**
     * Reads a source of tokens for each of B streams. Each gets the bits that it would get alone.
     *
     * @param tokens (S, B), or (B, S) if {@link Sequences#batchFirst}; what it holds for steps that there are not does not matter
     * @return the state of B rows with which the decoder begins
     * @throws IllegalArgumentException if a size is wrong, or the encoder takes something else
     * @throws IndexOutOfBoundsException if a token is outside the vocabulary
     */
    public State encode(int[] tokens, Sequences sources) {
        State state = encoder.newState(sources.rows());
        float[] outputs = outputs(sources);
        encoder.run(tokens, sources, state, outputs);
        return begin(state, sources, outputs, Team.ALONE);
    }

    /**
     * Reads a source of tokens for each of B streams, which may be none, as {@link Batch#withSource(int[][])} takes them.
     *
     * @return the state of B rows with which the decoder begins
     * @throws IllegalArgumentException if there are no rows, or the encoder takes something else
     * @throws IndexOutOfBoundsException if a token is outside the vocabulary
     */
    public State encode(int[][] sources) {
        return encode(Sequences.padded(sources), Sequences.ofRows(sources));
    }

    /** As {@link #encode(int[], Sequences)}, from rows of floats: x (S, B, inputs). */
    public State encode(float[] x, Sequences sources) {
        State state = encoder.newState(sources.rows());
        float[] outputs = outputs(sources);
        encoder.run(x, sources, state, outputs);
        return begin(state, sources, outputs, Team.ALONE);
    }

    /** Reads the inputs of a batch; a team shares these steps, and those of the state that is returned. */
    State encode(Batch source, Team team) {
        State state = encoder.newState(source.rows(), team);
        float[] outputs = outputs(source.sequences());
        encoder.run(source, state, outputs);
        return begin(state, source.sequences(), outputs, team);
    }

    private float[] outputs(Sequences sources) {
        int rows = Math.multiplyExact(encoder.pools() ? 1 : sources.steps(), sources.rows());
        return new float[Math.multiplyExact(rows, encoder.outputs())];
    }

    private State begin(State ended, Sequences sources, float[] outputs, Team team) {
        Sequences rows = encoder.pools() ? Sequences.of(1, sources.rows()) : sources;
        List<Matrix> attended = new ArrayList<>();
        if (decoder.blueprint().attends()) {
            for (int[] steps : rows.packedRows()) {
                Matrix own = Matrix.of(steps.length, encoder.outputs());
                for (int s = 0; s < steps.length; s++) {
                    own.setRow(s, outputs, rows.element(steps[s]) * encoder.outputs());
                }
                attended.add(own);
            }
        }
        return State.behind(ended, handovers, decoder, team, attended);
    }

    /** Returns which states the decoder begins with. */
    List<Handover> handovers() {
        return handovers;
    }
}
