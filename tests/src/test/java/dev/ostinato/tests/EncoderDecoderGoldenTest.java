package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.AssertionFailedError;

/** An encoder and a decoder do what the same modules do in PyTorch: logits, loss and gradients, over ragged pairs. */
final class EncoderDecoderGoldenTest {
    /** As in {@link GoldenTest}. */
    private static final double OUTPUT = 2e-6;
    private static final double GRADIENT = 1e-5;

    private static final List<String> NAMES = List.of("lstm", "lstm-attention", "gru", "gru-attention");

    private static Stream<Arguments> backendsAndNames() {
        return ExactBackends.names().flatMap(backend -> NAMES.stream().map(name -> Arguments.of(backend, name)));
    }

    /** What {@code src/test/goldens/encoder_decoder.py} wrote. */
    private record Golden(SafeTensors file, String name) {
        static Golden read(String name) throws IOException {
            return new Golden(Goldens.read("encoder-decoder-" + name), name);
        }

        List<NamedArray> tensors(String kind) throws IOException {
            return Goldens.tensors(file, kind);
        }

        private int size(String tensor, int dimension) throws IOException {
            return (int) file.tensor("initial." + tensor).shape()[dimension];
        }

        EncoderDecoder model(List<NamedArray> weights) throws IOException {
            CellType cell = CellType.of(name.replace("-attention", ""));
            int hidden = size("decoder.rnn.weight_hh_l0", 1);
            Model.Builder encoder = Model.builder().embedding(size("encoder.embedding.weight", 0),
                    size("encoder.embedding.weight", 1));
            Model.Builder decoder = Model.builder().embedding(size("decoder.embedding.weight", 0),
                    size("decoder.embedding.weight", 1)).recurrent(cell, hidden).recurrent(cell, hidden);
            if (attends()) {
                encoder.bidirectional(cell, hidden / 2, Layer.Merge.CONCAT)
                        .bidirectional(cell, hidden / 2, Layer.Merge.CONCAT);
                decoder.attention();
            } else {
                encoder.recurrent(cell, hidden).recurrent(cell, hidden);
            }
            decoder.dense(size("decoder.head.weight", 0));
            return EncoderDecoder.of(encoder.build().layers(), decoder.build().layers(), weights);
        }

        boolean attends() {
            return name.endsWith("attention");
        }

        int[] tokens(String tensor) throws IOException {
            return file.tensor(tensor).toInts();
        }

        /** Returns the layout of tokens (T, B) that are negative where there is no step. */
        Sequences sequences(String tensor) throws IOException {
            int[] tokens = tokens(tensor);
            boolean[] mask = new boolean[tokens.length];
            for (int i = 0; i < mask.length; i++) {
                mask[i] = tokens[i] >= 0;
            }
            return Sequences.ofMask((int) file.tensor(tensor).shape()[1], mask);
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndNames")
    void encodersAndDecodersDoAsInPyTorch(String backend, String name) throws Exception {
        Golden golden = Golden.read(name);
        EncoderDecoder model = golden.model(golden.tensors("initial."));
        compare(golden,
                new EncoderDecoder(model.encoder().withBackend(backend), model.decoder().withBackend(backend)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstm", "lstm-attention", "gru", "gru-attention"})
    void swappedLayersAndDirectionsAreSeen(String name) throws Exception {
        Golden golden = Golden.read(name);
        seen(golden, swapped("decoder.rnn.weight_hh_l0", "decoder.rnn.weight_hh_l1"));
        seen(golden, swapped("encoder.rnn.weight_hh_l0", "encoder.rnn.weight_hh_l1"));
        if (golden.attends()) {
            seen(golden, swapped("encoder.rnn.weight_hh_l1", "encoder.rnn.weight_hh_l1_reverse"));
            seen(golden, t -> t.name().equals("decoder.head.weight") ? halvesSwapped(t) : t);
        }
    }

    private static void seen(Golden golden, UnaryOperator<NamedArray> change) throws IOException {
        EncoderDecoder model = golden.model(golden.tensors("initial.").stream().map(change).toList());
        assertThrows(AssertionFailedError.class, () -> compare(golden, model));
    }

    private static UnaryOperator<NamedArray> swapped(String one, String other) {
        return t -> new NamedArray(t.name().equals(one) ? other : t.name().equals(other) ? one : t.name(), t.shape(),
                t.data());
    }

    /** The context for h. */
    private static NamedArray halvesSwapped(NamedArray matrix) {
        int columns = matrix.shape().getLast();
        float[] data = new float[matrix.data().length];
        for (int i = 0; i < data.length; i++) {
            data[i] = matrix.data()[i - i % columns + (i % columns + columns / 2) % columns];
        }
        return new NamedArray(matrix.name(), matrix.shape(), data);
    }

    private static void compare(Golden golden, EncoderDecoder model) throws IOException {
        Sequences sources = golden.sequences("sources");
        Sequences targets = golden.sequences("inputs");
        float[] expected = golden.file().tensor("y").toFloats();
        float[] y = new float[expected.length];
        State state = model.encode(golden.tokens("sources"), sources);
        model.decoder().run(golden.tokens("inputs"), targets, state, y);
        near("y", expected, y, OUTPUT);
        try (Trainer trainer = Trainer.builder(model).build()) {
            double loss = trainer.gradients(
                    Batch.tokensToClasses(targets, golden.tokens("inputs"), golden.tokens("classes"))
                            .withSource(sources, golden.tokens("sources")));
            assertEquals(golden.file().tensor("loss").toFloats()[0], loss, OUTPUT);
            List<NamedArray> gradients = golden.tensors("gradient.");
            assertEquals(gradients.size(), trainer.gradients().size());
            for (NamedArray actual : trainer.gradients()) {
                NamedArray gradient = gradients.stream().filter(g -> g.name().equals(actual.name())).findFirst()
                        .orElseThrow();
                assertEquals(gradient.shape(), actual.shape());
                near(gradient.name(), gradient.data(), actual.data(), GRADIENT);
            }
        }
    }

    private static void near(String name, float[] expected, float[] actual, double tolerance) {
        assertEquals(expected.length, actual.length, name);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], tolerance * (0.1 + Math.abs(expected[i])), name + "[" + i + "]");
        }
    }
}
