package dev.ostinato.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EncoderDecoderFileTest {
    private Path file = Path.of("");

    @BeforeEach
    void nameTheFile(@TempDir Path directory) {
        file = directory.resolve("model.safetensors");
    }

    private static EncoderDecoder model() {
        return new EncoderDecoder(
                Model.builder().embedding(3, 5).bidirectional(CellType.LSTM, 7, Layer.Merge.CONCAT).seed(1).build(),
                Model.builder().embedding(4, 2).lstm(14).attention().dense(4).seed(2).build());
    }

    @Test
    void aModelComesBackToTheBit() throws IOException {
        EncoderDecoder model = model();
        EncoderDecoderFile.write(file, model, Vocabulary.of("abc"), null);
        EncoderDecoderFile read = EncoderDecoderFile.read(file);
        assertEquals(model.encoder().layers(), read.model().encoder().layers());
        assertEquals(model.decoder().layers(), read.model().decoder().layers());
        assertEquals("abc", read.source().orElseThrow().characters());
        assertEquals(Optional.empty(), read.target());
        for (int i = 0; i < model.tensors().size(); i++) {
            NamedArray expected = model.tensors().get(i);
            NamedArray actual = read.model().tensors().get(i);
            assertEquals(expected.name(), actual.name());
            assertEquals(expected.shape(), actual.shape());
            assertArrayEquals(expected.data(), actual.data());
        }
    }

    @Test
    void tensorsHaveTheNamesOfOneModule() throws IOException {
        EncoderDecoderFile.write(file, model(), null, Vocabulary.of("abcd"));
        assertTrue(SafeTensors.read(file).names().contains("encoder.rnn.weight_ih_l0_reverse"));
        assertTrue(SafeTensors.read(file).names().contains("decoder.head.bias"));
    }

    @Test
    void oneKindIsNotTheOther() throws IOException {
        EncoderDecoderFile.write(file, model(), null, null);
        refused("description: expected version, layers, vocabulary, got \"encoder\"",
                assertThrows(FormatException.class, () -> ModelFile.read(file)));
        ModelFile.write(file, model().encoder(), null);
        refused("description: expected version, encoder and decoder, got \"layers\"",
                assertThrows(FormatException.class, () -> EncoderDecoderFile.read(file)));
        assertThrows(IllegalArgumentException.class,
                () -> EncoderDecoderFile.write(file, model(), Vocabulary.of("ab"), null));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
        "'\"decoder\"'              | '\"writer\"'                  | description: expected version, encoder and decoder, got \"writer\"",
        "'\"decoder\": {\"layers\"' | '\"decoder\": {\"version\"'   | decoder: expected layers, vocabulary, got \"version\"",
        "'\"hidden\":14'            | '\"hidden\":13'               | layer 2: expected 13 inputs",
        "'\"version\":1'            | '\"version\":2'               | version: expected the number 1"})
    void whatDoesNotFitIsRefused(String from, String to, String message) throws IOException {
        EncoderDecoderFile.write(file, model(), null, null);
        SafeTensors tensors = SafeTensors.read(file);
        String json = tensors.metadata().get("ostinato").replace("\"decoder\":{", "\"decoder\": {");
        assertTrue(json.contains(from), json);
        SafeTensors.Writer writer = new SafeTensors.Writer();
        for (String name : tensors.names()) {
            Tensor tensor = tensors.tensor(name);
            writer.add(name, DType.F32, tensor.shape(), tensor.toFloats());
        }
        writer.metadata(Map.of("ostinato", json.replace(from, to))).write(file);
        refused(message, assertThrows(FormatException.class, () -> EncoderDecoderFile.read(file)));
    }

    @Test
    void aMissingPartIsRefused() throws IOException {
        new SafeTensors.Writer().metadata(Map.of("ostinato", "{\"version\": 1}")).write(file);
        refused("encoder: expected an object, got none",
                assertThrows(FormatException.class, () -> EncoderDecoderFile.read(file)));
    }

    private static void refused(String expected, Exception e) {
        assertTrue(e.getMessage().contains(expected), e.getMessage());
    }
}
