package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Memory;

/** What a {@link Trainer} trains: weights in one block, and how a loss follows from them. */
sealed interface Trained {
    /** Returns where the weights lie in their block. */
    WeightLayout layout();

    /** Returns the layers whose outputs have a loss. */
    Blueprint answering();

    /** Returns a copy of all weights. */
    Memory weights();

    /** Returns what computes unless another backend is asked for. */
    Kernels kernels();

    /** Lays out a loss for the shape of a batch. @throws IllegalArgumentException if the batch does not fit */
    Objective objective(Stage.Layout layout, Batch batch, Loss loss, boolean checkpointing);

    /** Checks that the steps of a batch can be gone through in segments. @throws IllegalArgumentException if not */
    void checkSegments(Loss loss);

    /** Returns a model with other weights. @throws IllegalStateException if this is none */
    Model model(Memory weights, Kernels kernels);

    /** Returns an encoder and a decoder with other weights. @throws IllegalStateException if this is none */
    EncoderDecoder encoderDecoder(Memory weights, Kernels kernels);

    /** A model. */
    record Single(Model model) implements Trained {
        @Override
        public WeightLayout layout() {
            return model.blueprint().layout();
        }

        @Override
        public Blueprint answering() {
            return model.blueprint();
        }

        @Override
        public Memory weights() {
            return model.weights().copy();
        }

        @Override
        public Kernels kernels() {
            return model.kernels();
        }

        @Override
        public Objective objective(Stage.Layout layout, Batch batch, Loss loss, boolean checkpointing) {
            int steps = batch.sequences().longest();
            return new ModelObjective(layout.of(model.blueprint(), batch.sequences()), loss,
                    checkpointing ? Segment.steps(steps) : steps);
        }

        @Override
        public void checkSegments(Loss loss) {
            Segment.check(model.blueprint(), loss);
        }

        @Override
        public Model model(Memory weights, Kernels kernels) {
            return new Model(model.blueprint(), weights.copy(), kernels);
        }

        @Override
        public EncoderDecoder encoderDecoder(Memory weights, Kernels kernels) {
            throw new IllegalStateException("encoderDecoder: expected a trainer of one, got that of a model");
        }
    }

    /** An encoder, and behind it in the block a decoder. */
    record Pair(EncoderDecoder pair, Blueprint encoder, Blueprint decoder) implements Trained {
        static Pair of(EncoderDecoder pair) {
            Blueprint encoder = pair.encoder().blueprint().in(EncoderDecoder.ENCODER, 0);
            return new Pair(pair, encoder,
                    pair.decoder().blueprint().in(EncoderDecoder.DECODER, encoder.layout().floats()));
        }

        @Override
        public WeightLayout layout() {
            return WeightLayout.of(encoder.layout(), decoder.layout());
        }

        @Override
        public Blueprint answering() {
            return decoder;
        }

        @Override
        public Memory weights() {
            Memory weights = Memory.ofFloats(layout().floats());
            copy(pair.encoder().blueprint(), pair.encoder().weights(), encoder, weights);
            copy(pair.decoder().blueprint(), pair.decoder().weights(), decoder, weights);
            return weights;
        }

        private static void copy(Blueprint from, Memory source, Blueprint to, Memory target) {
            to.layout().row(target).copyFrom(from.layout().row(source));
        }

        @Override
        public Kernels kernels() {
            return pair.decoder().kernels();
        }

        @Override
        public void checkSegments(Loss loss) {
            throw new IllegalArgumentException("gradient checkpointing: expected a model, got an encoder and a decoder,"
                    + " which begins with the last states of the encoder");
        }

        @Override
        public Objective objective(Stage.Layout layout, Batch batch, Loss loss, boolean checkpointing) {
            return new EncoderDecoderObjective(pair, layout.of(encoder, batch.sourceOfEach().sequences()),
                    layout.of(decoder, batch.sequences()), loss);
        }

        @Override
        public Model model(Memory weights, Kernels kernels) {
            throw new IllegalStateException(
                    "model: expected a trainer of one model, got that of an encoder and a decoder; see encoderDecoder");
        }

        @Override
        public EncoderDecoder encoderDecoder(Memory weights, Kernels kernels) {
            return new EncoderDecoder(part(pair.encoder(), encoder, weights, kernels),
                    part(pair.decoder(), decoder, weights, kernels));
        }

        private static Model part(Model model, Blueprint part, Memory weights, Kernels kernels) {
            Memory own = Memory.ofFloats(part.layout().floats());
            copy(part, weights, model.blueprint(), own);
            return new Model(model.blueprint(), own, kernels);
        }
    }
}
