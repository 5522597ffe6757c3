package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Trainer;
import dev.ostinato.tests.ReferenceNetwork.Module;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients of an encoder and a decoder are the slopes of the loss, over ragged sources and targets with steps left out. */
final class EncoderDecoderGradientTest {
    private static final int INPUTS = 4;
    private static final int VOCABULARY = 5;
    private static final int STEPS = 4;
    private static final int ROWS = 3;
    private static final int HIDDEN = 6;

    private final RandomGenerator random = new SplittableRandom(Conformance.BOUNDED_SEED);

    @ParameterizedTest
    @ValueSource(strings = {"rnn-tanh", "lstm", "gru", "gru-reset-before", "min-gru", "layer-norm-lstm",
        "lstm(peepholes,projection=4)"})
    void everyLayerBeginsWhereTheEncoderEnded(String label) {
        CellType cell = CellType.of(label);
        check(Model.builder().features(INPUTS).recurrent(cell, HIDDEN).recurrent(cell, HIDDEN),
                List.of("", "rnn_l0", "rnn_l1"),
                Model.builder().embedding(VOCABULARY, INPUTS).recurrent(cell, HIDDEN).recurrent(cell, HIDDEN)
                        .attention().dense(VOCABULARY),
                List.of("embedding", "rnn_l0", "rnn_l1", "", "head"));
    }

    @ParameterizedTest
    @EnumSource
    void statesOfTwoDirectionsAreMerged(Layer.Merge merge) {
        int states = merge == Layer.Merge.CONCAT ? 2 * HIDDEN : HIDDEN;
        check(Model.builder().embedding(VOCABULARY, INPUTS).bidirectional(CellType.LSTM, HIDDEN, merge),
                List.of("embedding", "rnn_l0"),
                Model.builder().oneHot(VOCABULARY).lstm(states).attention().dense(VOCABULARY),
                List.of("", "rnn_l0", "", "head"));
    }

    @Test
    void withoutAttention() {
        check(Model.builder().embedding(VOCABULARY, INPUTS).bidirectional(CellType.GRU, HIDDEN, Layer.Merge.CONCAT)
                .reverse(CellType.GRU, HIDDEN), List.of("embedding", "rnn_l0", "rnn2_l0"),
                Model.builder().embedding(VOCABULARY, INPUTS).gru(2 * HIDDEN).gru(HIDDEN).dense(VOCABULARY),
                List.of("embedding", "rnn_l0", "rnn2_l0", "head"));
    }

    /** Outputs of another layer than the recurrent one; attention twice, and recurrent layers behind it. */
    @Test
    void attentionAnywhereToAnything() {
        check(Model.builder().features(INPUTS).lstm(HIDDEN).gru(HIDDEN).dense(HIDDEN),
                List.of("", "rnn_l0", "rnn2_l0", "head"),
                Model.builder().embedding(VOCABULARY, INPUTS).lstm(HIDDEN).attention().gru(HIDDEN).attention()
                        .dense(VOCABULARY),
                List.of("embedding", "rnn_l0", "", "rnn2_l0", "", "head"));
    }

    @Test
    void aSourceOfOneRow() {
        check(Model.builder().features(INPUTS).gru(HIDDEN).pool(Layer.Pooling.MEAN), List.of("", "rnn_l0", ""),
                Model.builder().embedding(VOCABULARY, INPUTS).gru(HIDDEN).attention().dense(VOCABULARY),
                List.of("embedding", "rnn_l0", "", "head"));
    }

    private void check(Model.Builder encoder, List<String> encoderNames, Model.Builder decoder,
            List<String> decoderNames) {
        EncoderDecoder model = new EncoderDecoder(RandomModels.randomised(encoder.build(), random),
                RandomModels.randomised(decoder.build(), random));
        RandomBatch sources = new RandomBatch(model.encoder(), STEPS, ROWS, random).shortened(random);
        RandomBatch targets = new RandomBatch(model.decoder(), STEPS, ROWS, random).thinned(random);
        ReferencePair reference = new ReferencePair(modules("encoder.", model.encoder(), encoderNames),
                modules("decoder.", model.decoder(), decoderNames));
        Map<String, double[]> tensors = tensors(model);
        Loss loss = Loss.crossEntropy().summed();
        try (Trainer trainer = Trainer.builder(model).loss(loss).build()) {
            double expected = reference.loss(tensors, sources, targets, loss);
            assertEquals(expected, trainer.gradients(targets.batch(loss, sources)), 1e-5 * expected);
            Map<String, double[]> slopes =
                    GradientCheck.slopes(tensors, () -> reference.loss(tensors, sources, targets, loss));
            assertEquals(List.of(), GradientCheck.invisible(slopes));
            assertEquals("", String.join("\n", GradientCheck.differences(slopes, trainer.gradients())));
            List<NamedArray> other = trainer.gradients().stream()
                    .map(g -> g.name().startsWith("encoder.rnn") ? halved(g) : g).toList();
            assertFalse(GradientCheck.differences(slopes, other).isEmpty());
        }
    }

    private static NamedArray halved(NamedArray gradient) {
        float[] data = gradient.data().clone();
        for (int i = 0; i < data.length; i++) {
            data[i] /= 2;
        }
        return new NamedArray(gradient.name(), gradient.shape(), data);
    }

    private static Map<String, double[]> tensors(EncoderDecoder model) {
        Map<String, double[]> tensors = new LinkedHashMap<>();
        GradientCheck.tensors(model.encoder()).forEach((name, data) -> tensors.put("encoder." + name, data));
        GradientCheck.tensors(model.decoder()).forEach((name, data) -> tensors.put("decoder." + name, data));
        return tensors;
    }

    private static List<Module> modules(String prefix, Model model, List<String> names) {
        List<Module> modules = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            int suffix = name.contains("_") ? name.indexOf('_') : name.length();
            modules.add(new Module(model.layers().get(i), prefix + name.substring(0, suffix), name.substring(suffix)));
        }
        return modules;
    }
}
