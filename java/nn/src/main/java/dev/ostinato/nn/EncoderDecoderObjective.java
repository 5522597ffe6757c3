package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The loss of a decoder that begins with the states of an encoder, and attends to its outputs: forward through the encoder and then the
 * decoder, and all the way back. Nothing goes on from batch to batch.
 */
final class EncoderDecoderObjective implements Objective {
    /** Makes the encoder's dropout another than the decoder's. */
    private static final long ENCODER = 0x656e636f646572L;

    private final Kernels k;
    private final Stage.Setup setup;
    private final Shared encoderShared;
    private final Shared shared;
    private final Network encoder;
    private final Network decoder;
    private final LossStage loss;
    private final List<Handed> handed = new ArrayList<>();

    /** A state of one stream on its way from the encoder to the decoder, and its gradient on the way back. */
    private record Handed(Merging states, Merging gradients) {}

    /** @param encoderSetup of as many rows */
    EncoderDecoderObjective(EncoderDecoder pair, Stage.Setup encoderSetup, Stage.Setup setup, Loss loss) {
        if (!setup.sequences().carriesTheEnd()) {
            throw new IllegalArgumentException("advance: expected a model whose state goes on to the next batch, got an"
                    + " encoder and a decoder, which begin anew");
        }
        this.k = setup.kernels();
        this.setup = setup;
        this.encoderShared = new Shared(encoderSetup, 1);
        this.encoder = new Network(encoderSetup, encoderShared, null, null);
        this.shared = new Shared(setup, 1);
        this.decoder = new Network(setup, shared, loss, encoder.last());
        this.loss = LossStage.of(decoder.last(), loss);
        List<Recurrence> sources = encoder.recurrences();
        List<Recurrence> targets = decoder.recurrences();
        for (Handover handover : pair.handovers()) {
            List<Recurrence> from = handover.from().stream().map(sources::get).toList();
            for (int b = 0; b < rows(); b++) {
                add(handover, from, targets.get(handover.to()), b);
            }
        }
    }

    private void add(Handover handover, List<Recurrence> from, Recurrence to, int stream) {
        List<Recurrence.StreamState> ends = from.stream().map(pass -> pass.end(stream)).toList();
        Recurrence.StreamState begin = to.begin(stream);
        for (int i = 0; i < begin.values().size(); i++) {
            int kind = i;
            handed.add(new Handed(
                    handover.of(ends.stream().map(end -> end.values().get(kind)).toList(), begin.values().get(kind)),
                    handover.of(ends.stream().map(end -> end.gradients().get(kind)).toList(),
                            begin.gradients().get(kind))));
        }
    }

    @Override
    public boolean fits(Batch batch) {
        return batch.sequences().equals(decoder.sequences())
                && batch.source().filter(source -> source.sequences().equals(encoder.sequences())).isPresent();
    }

    @Override
    public int rows() {
        return setup.sequences().rows();
    }

    @Override
    public double forward(Batch batch, long dropoutKey) {
        encoder.load(batch.sourceOfEach());
        decoder.load(batch);
        loss.load(batch);
        long encoderKey = dropoutKey == 0 ? 0 : CounterRandom.key(dropoutKey, ENCODER) | 1;
        encoderShared.beginForward(encoderKey);
        encoder.forward(encoderKey);
        for (Handed state : handed) {
            state.states.forward(k);
        }
        shared.beginForward(dropoutKey);
        decoder.forward(dropoutKey);
        loss.forward();
        return loss.addTo(0) * loss.share();
    }

    @Override
    public float[] losses() {
        float[] all = new float[loss.outputs()];
        loss.copyTo(all);
        return all;
    }

    @Override
    public Optional<Blueprint.Place> firstNotFinite() {
        return encoder.firstNotFinite().or(decoder::firstNotFinite);
    }

    @Override
    public void backward() {
        setup.gradients().clear();
        encoder.clearGradient();
        decoder.clearGradient();
        loss.backward();
        shared.beginBackward();
        decoder.backward();
        shared.endBackward();
        for (Handed state : handed) {
            state.gradients.backward(k);
        }
        encoderShared.beginBackward();
        encoder.backward();
        encoderShared.endBackward();
    }

    @Override
    public void resetState() {
    }

    @Override
    public List<NamedArray> states() {
        return List.of();
    }

    @Override
    public void restoreStates(List<NamedArray> states) {
    }
}
