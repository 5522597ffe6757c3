package dev.ostinato.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.Checkpoint;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.Evaluation;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import dev.ostinato.nn.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands eval, inspect, info and demo, as a user calls them. */
class MeasuringCommandsTest {
    private static final Vocabulary VOCABULARY = Vocabulary.of("\n abcmountihe");

    @TempDir
    Path directory;
    private Path modelFile;

    private record Outcome(int status, String out, String err) {
        JsonNode json() {
            assertEquals(0, status, err);
            assertEquals(1, out.lines().count(), out);
            return JsonMapper.shared().readTree(out);
        }

        /** One sentence and status 1. */
        void assertFailure(String... parts) {
            assertEquals(1, status, err);
            assertEquals("", out);
            assertSentence(parts);
        }

        void assertSentence(String... parts) {
            List<String> lines = err.lines().filter(line -> line.startsWith("ostinato: ")).toList();
            assertEquals(1, lines.size(), err);
            for (String part : parts) {
                assertTrue(lines.getFirst().contains(part), lines.getFirst());
            }
            assertFalse(err.contains("\tat "), err);
        }
    }

    @BeforeEach
    void writeModel() throws IOException {
        modelFile = directory.resolve("model.safetensors");
        ModelFile.write(modelFile, model(), VOCABULARY);
    }

    @Test
    void evalMeasuresWhatEvaluationDoes() throws IOException {
        Path data = write("mmoun\n atain noontime\n");
        JsonNode json = run("eval", modelFile.toString(), "--data", data.toString(), "--json").json();
        int[] tokens = VOCABULARY.encode(Files.readString(data));
        Evaluation expected = Evaluation.of(model(), tokens, 1, 1);
        assertEquals(tokens.length - 1, json.get("characters").asInt());
        assertEquals(expected.logProbability(), json.get("log_probability").asDouble());
        assertEquals(expected.bits(), json.get("bits_per_char").asDouble());
        assertEquals(expected.perplexity(), json.get("perplexity").asDouble());
        assertEquals(expected.accuracy(), json.get("accuracy").asDouble());
        Outcome plain =
                run("eval", modelFile.toString(), "--data", data.toString(), "--streams", "2", "--threads", "2");
        assertEquals(0, plain.status(), plain.err());
        assertTrue(plain.out().contains("perplexity"), plain.out());
    }

    @Test
    void evalShowsWhatRoundedWeightsChange() throws IOException {
        Path data = write("mmoun\n atain noontime\n");
        int[] tokens = VOCABULARY.encode(Files.readString(data));
        for (Precision precision : List.of(Precision.BF16, Precision.INT8)) {
            String name = precision.name().toLowerCase(Locale.ROOT);
            JsonNode json = run("eval", modelFile.toString(), "--data", data.toString(), "--precision", name, "--json")
                    .json();
            double exact = Evaluation.of(model(), tokens, 1, 1).bits();
            double rounded = Evaluation.of(model().withPrecision(precision), tokens, 1, 1).bits();
            assertEquals(name, json.get("precision").asString());
            assertEquals(rounded, json.get("bits_per_char").asDouble());
            assertEquals(exact, json.get("exact_bits_per_char").asDouble());
            assertEquals(rounded - exact, json.get("change_bits_per_char").asDouble());
            assertTrue(rounded != exact);
            assertTrue(json.get("errors").get("outputs").get("relative").asDouble() > 0);
            Outcome plain = run("eval", modelFile.toString(), "--data", data.toString(), "--precision", name);
            assertTrue(plain.out().contains("exact weights"), plain.out());
            assertTrue(plain.out().contains("of its size"), plain.out());
        }
        JsonNode layers = run("inspect", modelFile.toString(), "--precision", "INT8", "--json").json().get("errors");
        assertTrue(layers.get("rnn.h_l0").get("largest").asDouble() > 0, layers.toString());
        assertTrue(run("inspect", modelFile.toString(), "--precision", "bf16").out().contains("over 1,000 steps"));
        Outcome wrong = run("inspect", modelFile.toString(), "--precision", "int4");
        assertEquals(2, wrong.status());
        wrong.assertSentence("--precision", "INT8", "int4");
    }

    @Test
    void evalShowsWhatComesNext() throws IOException {
        Path learnt = directory.resolve("learnt.safetensors");
        ModelFile.write(learnt, trained("the mountain ".repeat(40)), Vocabulary.of(" abehimnotu"));
        JsonNode next = run("eval", learnt.toString(), "--next", "mountai", "--json").json().get("next");
        assertEquals("n", next.get(0).get("character").asString());
        assertEquals(10, next.size());
        double sum = 0;
        for (JsonNode character : run("eval", learnt.toString(), "--next", "m", "--top", "99", "--json").json()
                .get("next")) {
            sum += character.get("probability").asDouble();
        }
        assertEquals(1, sum, 1e-9);
        Outcome plain = run("eval", learnt.toString(), "--next", "mountai", "--top", "2");
        assertEquals(2, plain.out().lines().count(), plain.out());
        assertTrue(plain.out().startsWith("'n'"), plain.out());
    }

    @Test
    void unknownCharacterIsNamed() throws IOException {
        run("eval", modelFile.toString(), "--data", write("abcz").toString()).assertFailure("never saw 'z' (U+7A)");
        run("eval", modelFile.toString(), "--next", "z").assertFailure("never saw 'z' (U+7A)");
        run("eval", modelFile.toString(), "--next", "").assertFailure("expected at least one character");
        run("eval", modelFile.toString(), "--data", write("a").toString())
                .assertFailure("text: expected at least 2 tokens");
    }

    @Test
    void unknownCharacterIsAllowedWhereTheModelKnowsThere() throws IOException {
        Path file = directory.resolve("unknown.safetensors");
        ModelFile.write(file, Model.builder().oneHot(3).gru(4).dense(3).seed(1).build(), Vocabulary.of("ab\uFFFD"));
        JsonNode strange = run("eval", file.toString(), "--next", "az", "--json").json();
        JsonNode replaced = run("eval", file.toString(), "--next", "a\uFFFD", "--json").json();
        assertEquals(replaced.get("next"), strange.get("next"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"eval", "inspect"})
    void badModelFilesGiveOneSentence(String command) throws IOException {
        String[] more = command.equals("eval") ? new String[] {"--next", "a"} : new String[0];
        byte[] bytes = Files.readAllBytes(modelFile);
        Path bad = directory.resolve("bad");
        runOn(bad, command, more).assertFailure("there is no such file");
        for (int length : new int[] {0, 7, 100, bytes.length - 1}) {
            Files.write(bad, Arrays.copyOf(bytes, length));
            runOn(bad, command, more).assertFailure(bad.toString(), "expected");
        }
        Files.writeString(bad, "{\"a\": \"text that is no model at all\"}");
        runOn(bad, command, more).assertFailure("expected");
        new SafeTensors.Writer().metadata(Map.of("format", "pt")).write(bad);
        runOn(bad, command, more).assertFailure("modules: expected");
        runOn(directory, command, more).assertFailure("directory");
    }

    @Test
    void modelOfSomethingElseIsRefused() throws IOException {
        Path file = directory.resolve("rows.safetensors");
        ModelFile.write(file, Model.builder().features(3).lstm(4).dense(2).seed(1).build(), null);
        run("eval", file.toString(), "--next", "a")
                .assertFailure("expected a model of text, got one without a vocabulary");
        assertEquals(0, run("inspect", file.toString()).status());
        ModelFile.write(file, Model.builder().features(3).lstm(4).dense(2).seed(1).build(), Vocabulary.of("abc"));
        run("eval", file.toString(), "--next", "a").assertFailure("expected a model from characters to characters");
    }

    @Test
    void wrongCommandLineIsStatusTwo() {
        for (String[] wrong : new String[][] {{"eval"}, {"eval", modelFile.toString()},
            {"eval", modelFile.toString(), "--next", "a", "--top", "0"},
            {"eval", modelFile.toString(), "--next", "a", "--threads", "0"},
            {"eval", modelFile.toString(), "--data", "x", "--streams", "0"}, {"inspect"}, {"info", "surplus"},
            {"demo", "--steps", "0"}, {"demo", "--threads", "-1"}}) {
            Outcome outcome = run(wrong);
            assertEquals(2, outcome.status(), Arrays.toString(wrong));
            outcome.assertSentence("--help");
        }
        run("eval", modelFile.toString(), "--next", "a", "--backend", "abacus").assertFailure("expected auto",
                "abacus");
    }

    @Test
    void inspectShowsLayersAndVocabulary() {
        JsonNode json = run("inspect", modelFile.toString(), "--json").json();
        assertEquals(model().parameterCount(), json.get("parameters").asLong());
        assertEquals(model().weightBytes(), json.get("memory_bytes").asLong());
        assertEquals(VOCABULARY.characters(), json.get("vocabulary").asString());
        assertEquals(4, json.get("layers").size());
        JsonNode lstm = json.get("layers").get(1);
        assertEquals("lstm", lstm.get("type").asString());
        assertEquals(5, lstm.get("inputs").asInt());
        assertEquals(7, lstm.get("outputs").asInt());
        assertEquals("[28,5]", lstm.get("tensors").get("rnn.weight_ih_l0").toString());
        assertEquals(28 * (5 + 7) + 2 * 28, lstm.get("parameters").asInt());
        assertFalse(json.has("training"));
        String plain = run("inspect", modelFile.toString()).out();
        assertTrue(plain.contains("rnn.weight_hh_l0       [28, 7]"), plain);
        assertTrue(plain.contains("13 characters: \\n abcmountihe"), plain);
    }

    @Test
    void inspectShowsWhereATrainingIs() throws IOException {
        Path file = directory.resolve("training.checkpoint");
        SequencedMap<String, String> options = new LinkedHashMap<>();
        options.put("lr", "0.01");
        try (Trainer trainer = Trainer.builder(model()).build()) {
            trainer.step(new TokenStreams(new int[] {0, 1, 2, 3, 4, 5, 6}, 2, 3).next());
            new Checkpoint(new ModelFile(trainer.model(), Optional.of(VOCABULARY)), trainer.progress(), 1, options)
                    .write(file);
        }
        JsonNode training = run("inspect", file.toString(), "--json").json().get("training");
        assertEquals(1, training.get("step").asInt());
        assertEquals("0.01", training.get("options").get("lr").asString());
        assertTrue(run("inspect", file.toString()).out().contains("training: after step 1"));
    }

    @Test
    void infoListsEveryBackend() {
        JsonNode json = run("info", "--json").json();
        for (String key : List.of("os", "cpu", "simd", "cores", "jvm", "java_version", "warnings", "backends")) {
            assertTrue(json.has(key), key);
        }
        JsonNode scalar = null;
        for (JsonNode backend : json.get("backends")) {
            assertTrue(Set.of("available", "unavailable").contains(backend.get("status").asString()));
            assertEquals(backend.get("status").asString().equals("available"),
                    backend.get("reason").asString().isEmpty());
            scalar = backend.get("name").asString().equals("scalar") ? backend : scalar;
        }
        assertEquals("available", scalar.get("status").asString());
        assertTrue(run("info").out().contains("backend   scalar"));
    }

    @Test
    void infoTellsWhichOpenBlasThereIsAndWithHowManyThreads() {
        String line =
                run("info").out().lines().filter(l -> l.startsWith("backend   openblas ")).findFirst().orElseThrow();
        assertTrue(line.matches(".*JavaCPP.*, OpenBLAS .*, 1 thread|.*; unavailable: .*"), line);
    }

    @Test
    void demoThatIsTooShortSaysSoAndStillWritesItsFiles() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 4000; i++) {
            text.append("line ").append(i * 7919 % 4001).append(" of the text\n");
        }
        Path out = directory.resolve("new/out");
        Outcome outcome = run("demo", "--steps", "2", "--threads", "1", "--dir", out.toString(), "--data",
                write(text.toString()).toString());
        assertEquals(1, outcome.status());
        outcome.assertSentence("the LSTM did not beat the Markov baseline after 2 steps");
        assertTrue(outcome.out().contains("unigram entropy"), outcome.out());
        assertTrue(outcome.out().contains("p99.9"), outcome.out());
        assertTrue(Files.size(out.resolve("demo.png")) > 1000);
        assertEquals(128, ModelFile.read(out.resolve("demo.safetensors")).model().layers().get(1).outputs());
    }

    @Test
    void demoCanDoWithTheSourcesOfThisProject() throws IOException {
        Corpus corpus = DemoCorpus.ofSources(DemoCorpus.ownSources().orElseThrow());
        assertTrue(corpus.text().contains("class DemoCorpus"));
        assertTrue(corpus.validation().length() > 1000);
    }

    private static Model model() {
        return Model.builder().embedding(13, 5).lstm(7).dropout(0.5).dense(13).seed(1).build();
    }

    private static Model trained(String text) {
        Vocabulary vocabulary = Vocabulary.of(" abehimnotu");
        TokenStreams streams = new TokenStreams(vocabulary.encode(text), 4, 20);
        Model model = Model.builder().oneHot(vocabulary.size()).gru(16).dense(vocabulary.size()).seed(1).build();
        try (Trainer trainer = Trainer.builder(model).optimizer(Optimizer.adam(2e-2)).clipGlobalNorm(1).build()) {
            for (int i = 0; i < 150; i++) {
                trainer.step(streams.next());
            }
            return trainer.model();
        }
    }

    private Path write(String text) throws IOException {
        return Files.writeString(directory.resolve("text"), text);
    }

    private static Outcome runOn(Path file, String command, String... more) {
        String[] args = new String[more.length + 2];
        args[0] = command;
        args[1] = file.toString();
        System.arraycopy(more, 0, args, 2, more.length);
        return run(args);
    }

    private static Outcome run(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(args, new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8));
        return new Outcome(status, out.toString(UTF_8), err.toString(UTF_8));
    }
}
