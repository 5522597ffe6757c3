package dev.ostinato.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    private static final Vocabulary VOCABULARY = Vocabulary.of("abc");

    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void name() {
        file = directory.resolve("training.checkpoint");
    }

    private static Checkpoint afterSteps(int steps) {
        Model model = Model.builder().oneHot(3).lstm(4).dropout(0.5).gru(5).dense(3).seed(2).build();
        TokenStreams streams = new TokenStreams(VOCABULARY.encode("abcacbabccba".repeat(5)), 2, 3);
        try (Trainer trainer = Trainer.builder(model).build()) {
            for (int i = 0; i < steps; i++) {
                trainer.step(streams.next());
            }
            SequencedMap<String, String> options = new LinkedHashMap<>();
            options.put("lr", "0.1");
            options.put("about", "\"quoted\" \u00e9\n");
            return new Checkpoint(new ModelFile(trainer.model(), Optional.of(VOCABULARY)), trainer.progress(),
                    streams.position(), options);
        }
    }

    private static void assertSame(List<NamedArray> expected, List<NamedArray> actual) {
        Map<String, NamedArray> byName = new LinkedHashMap<>();
        actual.forEach(array -> byName.put(array.name(), array));
        assertEquals(expected.size(), actual.size());
        for (NamedArray array : expected) {
            assertEquals(array.shape(), byName.get(array.name()).shape());
            assertArrayEquals(bits(array.data()), bits(byName.get(array.name()).data()), array.name());
        }
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
        return bits;
    }

    @Test
    void everythingComesBack() throws IOException {
        Checkpoint written = afterSteps(7);
        written.write(file);
        Checkpoint read = Checkpoint.read(file);
        assertEquals(7, read.progress().step());
        assertEquals(7, read.position());
        assertEquals(List.copyOf(written.options().entrySet()), List.copyOf(read.options().entrySet()));
        assertEquals(written.model().model().layers(), read.model().model().layers());
        assertSame(written.model().model().tensors(), read.model().model().tensors());
        assertSame(written.progress().first(), read.progress().first());
        assertSame(written.progress().second(), read.progress().second());
        assertSame(written.progress().states(), read.progress().states());
        assertEquals(3, read.progress().states().size());
    }

    @Test
    void trainingThatHasNotBegunHasNoStates() throws IOException {
        afterSteps(0).write(file);
        assertEquals(0, Checkpoint.read(file).progress().step());
        assertTrue(Checkpoint.read(file).progress().states().isEmpty());
    }

    @Test
    void isAModelFileToo() throws IOException {
        Checkpoint written = afterSteps(1);
        written.write(file);
        ModelFile model = ModelFile.read(file);
        assertSame(written.model().model().tensors(), model.model().tensors());
        assertEquals("abc", model.vocabulary().orElseThrow().characters());
    }

    @Test
    void generationBeforeIsKept() throws IOException {
        for (int steps = 1; steps <= 3; steps++) {
            afterSteps(steps).write(file);
        }
        assertEquals(3, Checkpoint.read(file).progress().step());
        assertEquals(2, Checkpoint.read(Checkpoint.previous(file)).progress().step());
        try (var files = Files.list(directory)) {
            assertEquals(2, files.count());
        }
    }

    @Test
    void bareModelIsRefused() throws IOException {
        ModelFile.write(file, afterSteps(0).model().model(), VOCABULARY);
        FormatException e = assertThrows(FormatException.class, () -> Checkpoint.read(file));
        assertEquals(file + ": expected a checkpoint, got a model without a training state", e.getMessage());
    }

    @Test
    void damageIsRefused() throws IOException {
        refused("version", "{}");
        refused("version\": expected the number 1", "{\"version\":2,\"step\":1,\"position\":1,\"options\":{}}");
        refused("step\": expected a number", "{\"version\":1,\"position\":1,\"options\":{}}");
        refused("position", "{\"version\":1,\"step\":1,\"options\":{}}");
        refused("step\": expected an integer", "{\"version\":1,\"step\":\"1\",\"position\":1,\"options\":{}}");
        refused("integer from 0", "{\"version\":1,\"step\":-1,\"position\":1,\"options\":{}}");
        refused("integer from 0", "{\"version\":1,\"step\":99999999999999999999,\"position\":1,\"options\":{}}");
        refused("expected a string", "{\"version\":1,\"step\":1,\"position\":1,\"options\":{\"lr\":1}}");
        refused("speed", "{\"version\":1,\"speed\":1}");
        refused("nothing after", "{\"version\":1,\"step\":1,\"position\":1,\"options\":{}} 1");
        refused("expected JSON", "{\"version\":1,");
        refused("expected JSON", "{\"version\":1,\"version\":1}");
        refused("an object", "[]");
        refused("an object", "");
    }

    private void refused(String part, String training) throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        Map<String, String> metadata = new LinkedHashMap<>();
        ModelFile.add(writer, metadata, afterSteps(0).model().model(), VOCABULARY);
        metadata.put("ostinato.training", training);
        writer.metadata(metadata).write(file);
        FormatException e = assertThrows(FormatException.class, () -> Checkpoint.read(file), training);
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }

    @Test
    void momentsOfAnotherShapeAreRefused() throws IOException {
        Checkpoint written = afterSteps(1);
        List<NamedArray> moments = new ArrayList<>(written.progress().second());
        moments.set(0, new NamedArray(moments.getFirst().name(), List.of(2), new float[2]));
        new Checkpoint(written.model(),
                new Trainer.Progress(1, written.progress().first(), moments, List.of(), List.of()), 1,
                new LinkedHashMap<>()).write(file);
        FormatException e = assertThrows(FormatException.class, () -> Checkpoint.read(file));
        assertTrue(e.getMessage().contains("optimizer.second.rnn.weight_ih_l0"), e.getMessage());
    }
}
