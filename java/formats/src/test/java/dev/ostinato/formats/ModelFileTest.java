package dev.ostinato.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.TensorShape;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFileTest {
    private static final String LAYERS = """
            {"type": "embedding", "vocabulary": 3, "size": 5}, \
            {"type": "recurrent", "cell": "lstm", "inputs": 5, "hidden": 7}, \
            {"type": "dense", "inputs": 7, "outputs": 3}""";

    @TempDir
    Path directory;

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void everyCellComesBackToTheBit(CellType cell) throws IOException {
        assertRoundTrip(Model.builder().features(5).recurrent(cell, 19).dense(3).seed(1).build());
        assertRoundTrip(Model.builder().oneHot(7).recurrent(cell, 13).recurrent(cell, 13).dense(7).seed(2).build());
        assertRoundTrip(Model.builder().embedding(11, 3).recurrent(cell, 17).dropout(0.1).recurrent(cell, 1)
                .dense(4).recurrent(cell, 1).dense(2).dense(11).seed(3).build());
    }

    @Test
    void directionsMergesAndPoolingComeBack() throws IOException {
        for (Layer.Merge merge : Layer.Merge.values()) {
            for (Layer.Pooling pooling : Layer.Pooling.values()) {
                assertRoundTrip(Model.builder().embedding(11, 3).bidirectional(CellType.LSTM, 7, merge)
                        .bidirectional(CellType.LSTM, 7, merge).reverse(CellType.GRU, 5).pool(pooling).dense(2).seed(3)
                        .build());
            }
        }
    }

    /** What is not there is not written: such files are those that older versions read. */
    @Test
    void whatDisturbsTrainingComesBack() throws IOException {
        Regularization noise =
                Regularization.NONE.withRecurrentDropout(0.25).withDropConnect(0.3).withZoneout(0.1, 0.05);
        Model model = Model.builder().features(3).regularization(noise).lstm(3)
                .bidirectional(CellType.LSTM, 3, Layer.Merge.SUM).dropout(0.2, Layer.Dropout.Scope.STREAM).residual(2)
                .regularization(Regularization.NONE.withZoneout(0.1, 0)).gru(3).seed(1).build();
        assertRoundTrip(model);
        String description = new ModelDescription(model.layers(), Optional.empty()).encode();
        for (String part : List.of(
                "\"recurrent-dropout\":0.25,\"drop-connect\":0.3,\"zoneout\":0.1,\"cell-zoneout\":0.05}",
                "\"rate\":0.2,\"scope\":\"stream\"}", "{\"type\":\"residual\",\"size\":3,\"span\":2}",
                "\"direction\":\"forward\",\"zoneout\":0.1}")) {
            assertTrue(description.contains(part), description);
        }
        String plain = new ModelDescription(Model.builder().features(3).gru(3).dropout(0.1).build().layers(),
                Optional.empty()).encode();
        assertEquals("{\"version\":1,\"layers\":[{\"type\":\"features\",\"size\":3},"
                + "{\"type\":\"recurrent\",\"cell\":\"gru\",\"inputs\":3,\"hidden\":3,\"direction\":\"forward\"},"
                + "{\"type\":\"dropout\",\"size\":3,\"rate\":0.1}]}", plain);
    }

    @Test
    void modulesAreNamedAsTheModelNamesThem() {
        Model model =
                Model.builder().embedding(3, 2).gru(5).gru(5).lstm(5).lstm(6).dropout(0.5).lstm(6).dense(6)
                        .bidirectional(CellType.LSTM, 6, Layer.Merge.SUM).lstm(6)
                        .rnn(6).dense(4).dense(3).seed(1).build();
        assertEquals(model.tensors().stream()
                .map(t -> new TensorShape(t.name(), t.shape().stream().map(Integer::longValue).toList())).toList(),
                Model.shapes(model.layers()));
    }

    @Test
    void vocabularyComesBack() throws IOException {
        String characters = "a\"\\\n\0\u2028é\u05d0𝄞\uFFFD";
        Vocabulary vocabulary = Vocabulary.of(characters);
        Path file = file();
        ModelFile.write(file, text(vocabulary.size()), vocabulary);
        assertEquals(Optional.of(characters), ModelFile.read(file).vocabulary().map(Vocabulary::characters));
    }

    @Test
    void modelWithoutVocabularyHasNone() throws IOException {
        Path file = file();
        ModelFile.write(file, text(3), null);
        assertEquals(Optional.empty(), ModelFile.read(file).vocabulary());
    }

    @Test
    void sameModelGivesTheSameBytes() throws IOException {
        Path first = file();
        Path second = directory.resolve("second");
        ModelFile.write(first, text(3), Vocabulary.of("abc"));
        ModelFile.write(second, text(3), Vocabulary.of("abc"));
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
        ModelFile read = ModelFile.read(first);
        ModelFile.write(second, read.model(), read.vocabulary().orElseThrow());
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
    }

    @Test
    void vocabularyMustFit() {
        assertMessage("vocabulary: expected 3 characters, as many as the model has tokens, got 2",
                assertThrows(IllegalArgumentException.class,
                        () -> ModelFile.write(file(), text(3), Vocabulary.of("ab"))));
        assertMessage("expected Unicode text", assertThrows(IllegalArgumentException.class,
                () -> ModelFile.write(file(), text(3), Vocabulary.of("a\uDC00\uD800"))));
    }

    @Test
    void otherTensorsAndMetadataAreIgnored() throws IOException {
        Model model = text(3);
        SafeTensors.Writer writer = new SafeTensors.Writer();
        Map<String, String> metadata = new LinkedHashMap<>(Map.of("format", "pt"));
        ModelFile.add(writer, metadata, model, Vocabulary.of("abc"));
        writer.add("extra", DType.I64, new long[] {1}, new long[] {7}).metadata(metadata).write(file());
        assertSameTensors(model, ModelFile.read(file()).model());
    }

    @Test
    void fileOfSomethingElseIsRefused() throws IOException {
        new SafeTensors.Writer().add("w", DType.F32, new long[] {1}, new float[1]).write(file());
        assertRefused("module \"\": expected the tensors of nn.RNN");
    }

    @Test
    void descriptionInAnyOrderIsRead() throws IOException {
        write("{\"layers\": [" + LAYERS + "], \"vocabulary\": \"abc\", \"version\": 1}");
        assertSameTensors(text(3), ModelFile.read(file()).model());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "1", "null", "{\"version\": 1", "{\"version\": 1}",
        "{\"version\": 1, \"layers\": 5}",
        "{\"version\": 1, \"layers\": []}", "{\"version\": 1, \"layers\": [1]}", "{\"version\": 1, \"layers\": [[]]}",
        "{\"version\": 1, \"layers\": [{\"type\": [[[[[]]]]]}]}", "{\"version\": 1, \"layers\": [{}]} 1",
        "{\"version\": 1, \"version\": 1}", "{\"version\": 1, \"layers\": [{\"size\": 1, \"size\": 1}]}"})
    void malformedDescriptionIsRefused(String json) throws IOException {
        write(json);
        assertRefused("ostinato");
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "0", "-1", "1.0", "\"1\"", "null", "[1]"})
    void otherVersionIsRefused(String version) throws IOException {
        write("{\"layers\": \"of another version\", \"version\": " + version + "}");
        assertRefused("version: expected the number 1, got ");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~',
            textBlock = """
                    "lstm"                    | "xlstm"                  | layer 1, cell: expected one of [rnn-tanh
                    "recurrent"               | "convolution"            | layer 1, type: expected embedding, one-hot, features
                    "hidden": 7               | "hidden": 8              | layer 2: expected 8 inputs, as the layer before has outputs, got
                    : 7                       | : 8                      | tensor "rnn.weight_ih_l0": expected F32 [32, 5] of
                    : 7                       | : 1073741824             | expected F32 [4294967296, 5] of less than 2^31 elements, got F32 [28, 5]
                    "vocabulary": 3           | "vocabulary": 2147483647 | vocabulary: expected 2147483647 characters, as many as the model has tokens, got 3
                    : 5                       | : 2147483647             | layer 0: expected a size that memory can hold, got Embedding
                    "vocabulary": 3           | "vocabulary": 2147483648 | layer 0, vocabulary: expected an integer from 1 to 2147483647
                    "hidden": 7               | "hidden": 0              | layer 1, hidden: expected an integer from 1 to
                    "hidden": 7               | "hidden": -7             | layer 1, hidden: expected an integer from 1 to
                    "hidden": 7               | "hidden": 7.0            | layer 1, hidden: expected an integer from 1 to
                    "hidden": 7               | "hidden": "7"            | layer 1, hidden: expected an integer from 1 to
                    "hidden": 7               | "hidden": null           | layer 1, hidden: expected an integer from 1 to
                    "hidden": 7               | "hidden": 7, "peephole": true | layer 1, recurrent: expected no further fields, got "peephole"
                    "hidden": 7               | "inputs2": 7             | layer 1, hidden: expected a value, got none
                    "cell": "lstm"            | "cell": 5                | layer 1, cell: expected a string, got "5"
                    "cell": "lstm"            | "cell": "gru"            | tensor "rnn.weight_ih_l0": expected F32 [21, 5]
                    : 5                       | : 6                      | tensor "embedding.weight": expected F32 [3, 6] of
                    "abc"                     | "abcd"                   | vocabulary: expected 3 characters, as many as the model has tokens, got 4
                    "abc"                     | "aba"                    | vocabulary: expected different characters
                    "abc"                     | ""                       | vocabulary: expected at least one character
                    "abc"                     | 3                        | vocabulary: expected a string, got "3"
                    "vocabulary": "abc"       | "words": "abc"           | description: expected version, layers, vocabulary, got "words"
                    """)
    void contradictionIsRefused(String from, String to, String message) throws IOException {
        String json = "{\"version\": 1, \"layers\": [" + LAYERS + "], \"vocabulary\": \"abc\"}";
        assertTrue(json.contains(from));
        write(json.replace(from, to));
        assertRefused(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{\"type\": \"features\", \"size\": 2147483647}, {\"type\": \"dropout\", \"size\": 2147483647, \"rate\": 0}",
        "{\"type\": \"features\", \"size\": 1}, {\"type\": \"dropout\", \"size\": 1, \"rate\": 0}"})
    void modelWithoutWeightsIsRefused(String layers) throws IOException {
        write("{\"version\": 1, \"layers\": [" + layers + "]}");
        assertRefused("layers: expected at least one with weights");
    }

    @Test
    void layersThatDoNotFitAreRefused() throws IOException {
        write("{\"version\": 1, \"layers\": [" + LAYERS.replace("}, {\"type\": \"recurrent\"",
                "}, {\"type\": \"dropout\", \"size\": 1073741824, \"rate\": 0.5}, {\"type\": \"recurrent\"") + "]}");
        assertRefused("layer 1: expected 5 inputs");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "-0.5", "1e999", "0.99999999999", "\"0.5\"", "true"})
    void rateOutsideItsRangeIsRefused(String rate) throws IOException {
        write("{\"version\": 1, \"layers\": [{\"type\": \"dropout\", \"size\": 1, \"rate\": " + rate + "}]}");
        assertRefused("rate");
    }

    @Test
    void tooManyLayersAreRefused() throws IOException {
        String one = "{\"type\": \"features\", \"size\": 1}";
        write("{\"version\": 1, \"layers\": [" + (one + ",").repeat(ModelDescriptionParser.MAX_LAYERS) + one + "]}");
        assertRefused("layers: expected at most 1000, got more");
    }

    @Test
    void missingTensorIsNamed() throws IOException {
        assertRefusedTensors("expected a tensor \"head.bias\"", tensors -> tensors.remove("head.bias"));
        assertRefusedTensors("tensor \"head.bias\": expected F32 [3] of less than 2^31 elements, got F32 [3, 1]",
                tensors -> tensors.put("head.bias", new NamedArray("head.bias", List.of(3, 1), new float[3])));
    }

    @Test
    void otherElementTypeIsRefused() throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        for (NamedArray tensor : text(3).tensors()) {
            writer.add(tensor.name(), DType.F64, shape(tensor), tensor.data());
        }
        writer.metadata(Map.of("ostinato", "{\"version\": 1, \"layers\": [" + LAYERS + "]}")).write(file());
        assertRefused("tensor \"embedding.weight\": expected F32 [3, 5] of less than 2^31 elements, got F64 [3, 5]");
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        ModelFile.write(file(), text(3), Vocabulary.of("abc"));
        byte[] bytes = Files.readAllBytes(file());
        for (int length = 0; length < bytes.length; length++) {
            Files.write(file(), Arrays.copyOf(bytes, length));
            assertRefused("expected");
        }
    }

    private void assertRoundTrip(Model model) throws IOException {
        ModelFile.write(file(), model, null);
        Model read = ModelFile.read(file()).model();
        assertEquals(model.layers(), read.layers());
        assertSameTensors(model, read);
    }

    private static void assertSameTensors(Model expected, Model actual) {
        List<NamedArray> left = expected.tensors();
        List<NamedArray> right = actual.tensors();
        assertEquals(left.size(), right.size());
        for (int i = 0; i < left.size(); i++) {
            assertEquals(left.get(i).name(), right.get(i).name());
            assertEquals(left.get(i).shape(), right.get(i).shape());
            assertArrayEquals(bits(left.get(i)), bits(right.get(i)), left.get(i).name());
        }
    }

    private static int[] bits(NamedArray array) {
        int[] bits = new int[array.data().length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(array.data()[i]));
        return bits;
    }

    private static Model text(int tokens) {
        return Model.builder().embedding(tokens, 5).lstm(7).dense(tokens).seed(1).build();
    }

    /// Writes the weights of `text(3)` with another description.
    private void write(String json) throws IOException {
        write(json, text(3).tensors());
    }

    private void write(String json, List<NamedArray> tensors) throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        tensors.forEach(tensor -> writer.add(tensor.name(), DType.F32, shape(tensor), tensor.data()));
        writer.metadata(Map.of("ostinato", json)).write(file());
    }

    private static long[] shape(NamedArray tensor) {
        return tensor.shape().stream().mapToLong(Integer::longValue).toArray();
    }

    private interface Change {
        void apply(Map<String, NamedArray> tensors);
    }

    private void assertRefusedTensors(String message, Change change) throws IOException {
        Map<String, NamedArray> tensors = new LinkedHashMap<>();
        text(3).tensors().forEach(tensor -> tensors.put(tensor.name(), tensor));
        change.apply(tensors);
        write("{\"version\": 1, \"layers\": [" + LAYERS + "]}", new ArrayList<>(tensors.values()));
        assertRefused(message);
    }

    private void assertRefused(String message) {
        assertMessage(message, assertThrows(FormatException.class, () -> ModelFile.read(file())));
    }

    private static void assertMessage(String expected, Exception e) {
        assertTrue(e.getMessage().contains(expected), e.getMessage());
    }

    private Path file() {
        return directory.resolve("model.safetensors");
    }
}
