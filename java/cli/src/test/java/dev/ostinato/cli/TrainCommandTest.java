package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.Checkpoint;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Regularization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TrainCommandTest {
    /** Small, with all that a step depends on. */
    private static final List<String> SMALL =
            List.of("--hidden", "5", "--layers", "2", "--dropout", "0.2", "--seq", "6",
                    "--batch", "4");

    @TempDir
    Path directory;

    private Path text;

    @BeforeEach
    void writeText() throws IOException {
        text = Files.writeString(directory.resolve("text.txt"), Texts.words(600));
    }

    private CommandLineRun train(List<String> options, Object... more) {
        return CommandLineRun
                .of(Stream.of(Stream.of("train"), options.stream(), Stream.of(more)).flatMap(s -> s).toArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rnn", "lstm", "gru"})
    void resumedTrainingEndsWithTheBitsOfAnUninterruptedOne(String cell) throws IOException {
        Path whole = directory.resolve("whole.safetensors");
        Path parts = directory.resolve("parts.safetensors");
        // 23 batches are an epoch: the breaks are inside the first and inside the second.
        train(SMALL, "--data", text, "--cell", cell, "--steps", 40, "--out", whole).succeeded();
        train(SMALL, "--data", text, "--cell", cell, "--steps", 7, "--out", parts, "--threads", 2).succeeded();
        train(List.of(), "--resume", parts + ".checkpoint", "--steps", 31).succeeded();
        train(List.of(), "--resume", parts + ".checkpoint", "--steps", 40, "--threads", 3).succeeded();
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(parts));
    }

    @Test
    void scheduleAndEmbeddingAndSeedOutliveABreak() throws IOException {
        List<String> options =
                List.of("--embedding", "3", "--schedule", "cosine", "--seed", "-9", "--lr", "0.0123456789",
                        "--clip", "0.1", "--hidden", "4", "--seq", "5", "--batch", "3", "--checkpoint-every", "10",
                        "--steps", "20");
        Path whole = directory.resolve("whole.safetensors");
        train(options, "--data", text, "--out", whole).succeeded();
        // The generation before the last is the checkpoint of step 10.
        Path parts = directory.resolve("parts.safetensors");
        Path middle = Checkpoint.previous(TrainingRun.checkpointOf(whole));
        assertEquals(10, Checkpoint.read(middle).progress().step());
        train(List.of(), "--resume", middle, "--out", parts).succeeded();
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(parts));
    }

    @Test
    void initialWeightsAreThoseAskedForAndAreRemembered() throws IOException {
        Path out = directory.resolve("model.safetensors");
        List<String> still = List.of("--hidden", "4", "--seq", "6", "--batch", "4", "--lr", "1e-30", "--steps", "1",
                "--out", out.toString());
        train(still, "--data", text, "--init", "keras").succeeded();
        float[] bias = ModelFile.read(out).model().tensors().stream().filter(t -> t.name().equals("rnn.bias_ih_l0"))
                .findFirst().orElseThrow().data();
        assertArrayEquals(new float[] {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, bias, 1e-20f);
        assertEquals("keras", Checkpoint.read(TrainingRun.checkpointOf(out)).options().get("init"));

        TrainingOptions defaults = TrainingOptions.of(ModelOptions.of(CellType.LSTM, 128, 0),
                UpdateOptions.adam(2e-3, UpdateOptions.Course.CONSTANT, 5), 50, 32, 2000);
        Map<String, String> older = defaults.toMap();
        older.keySet().retainAll(Set.of("cell", "hidden", "layers", "embedding", "seq", "batch", "steps", "lr", "clip",
                "dropout", "seed", "schedule"));
        assertEquals(defaults, TrainingOptions.of(older));
    }

    /** Each with all that it depends on: the moments, the warm-up, the average of the weights, the windows. */
    @ParameterizedTest
    @ValueSource(strings = {"--optimizer adamw --weight-decay 0.1 --warm-up 5 --schedule cosine --average 0.9",
        "--optimizer nesterov --momentum 0.9 --lr 0.1", "--optimizer sgd --lr 0.1 --average 0.5 --advance 2",
        "--optimizer rmsprop --warm-up 20", "--optimizer adagrad --lr 0.05 --advance 5"})
    void waysOfUpdatingOutliveABreak(String ways) throws IOException {
        List<String> options = Stream.concat(SMALL.stream(), Stream.of(ways.split(" "))).toList();
        Path whole = directory.resolve("whole.safetensors");
        Path parts = directory.resolve("parts.safetensors");
        train(options, "--data", text, "--steps", 12, "--checkpoint-every", 5, "--out", whole).succeeded();
        Path middle = Checkpoint.previous(TrainingRun.checkpointOf(whole));
        assertEquals(10, Checkpoint.read(middle).progress().step());
        train(List.of(), "--resume", middle, "--out", parts, "--threads", 2, "--save-memory").succeeded();
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(parts));

        Path adam = directory.resolve("adam.safetensors");
        train(SMALL, "--data", text, "--steps", 12, "--out", adam).succeeded();
        assertFalse(Arrays.equals(Files.readAllBytes(adam), Files.readAllBytes(whole)), ways);
    }

    /** Where the learning rate is so high that the loss rises again, the best model is not the last. */
    @Test
    void patienceEndsATrainingAndKeepsTheBestModel() throws IOException {
        List<String> options = List.of("--hidden", "8", "--seq", "6", "--batch", "4", "--lr", "0.5", "--eval-every",
                "3", "--checkpoint-every", "4", "--patience", "4");
        Path whole = directory.resolve("whole.safetensors");
        Path log = directory.resolve("log.jsonl");
        Path plot = directory.resolve("plot.png");
        JsonNode result = train(options, "--data", text, "--out", whole, "--json-log", log, "--plot", plot, "--json",
                "--steps", 5000).succeeded().json();
        List<JsonNode> measured = Files.readAllLines(log).stream().map(JsonMapper.shared()::readTree)
                .filter(line -> line.has("val_loss")).toList();
        JsonNode best = measured.stream().min(Comparator.comparingDouble(line -> line.get("val_loss").asDouble()))
                .orElseThrow();
        assertEquals(best.get("step"), result.get("best_step"));
        assertEquals(best.get("val_loss"), result.get("best_val_loss"));
        assertEquals(best.get("step").asLong() + 4 * 3, result.get("step").asLong());
        assertEquals(best.get("val_loss").asDouble(), CommandLineRun
                .of("eval", whole, "--data", heldOut(), "--json").succeeded().json().get("loss").asDouble(), 1e-6);
        assertTrue(Files.size(plot) > 1000);

        // Broken off before the end, and gone on with: the measurements before the break count.
        Path parts = directory.resolve("parts.safetensors");
        long middle = best.get("step").asLong() + 7;
        train(options, "--data", text, "--out", parts, "--steps", middle).succeeded();
        JsonNode resumed = train(List.of(), "--resume", parts + ".checkpoint", "--steps", 5000, "--json").succeeded()
                .json();
        assertEquals(result.get("step"), resumed.get("step"));
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(parts));

        train(List.of(), "--resume", parts + ".checkpoint", "--steps", 6000).failed(1, "has ended at step",
                "4 measurements");
        train(List.of(), "--resume", parts + ".checkpoint", "--eval-every", 5).failed(2, "--eval-every: 5 was given");
    }

    private Path heldOut() throws IOException {
        return Files.writeString(directory.resolve("held-out.txt"),
                Corpus.read(text.toString()).validation());
    }

    /** A model file says what disturbed its training, and a checkpoint draws the same masks. */
    @Test
    void whatDisturbsATrainingIsInItsFilesAndOutlivesABreak() throws IOException {
        List<String> options = List.of("--hidden", "5", "--layers", "2", "--seq", "6", "--batch", "4", "--embedding",
                "3", "--dropout", "0.2", "--dropout-scope", "stream", "--recurrent-dropout", "0.25", "--drop-connect",
                "0.3", "--zoneout", "0.1", "--cell-zoneout", "0.05", "--stack", "residual");
        Path whole = directory.resolve("whole.safetensors");
        Path parts = directory.resolve("parts.safetensors");
        train(options, "--data", text, "--steps", 9, "--out", whole).succeeded();
        train(options, "--data", text, "--steps", 4, "--out", parts, "--threads", 2).succeeded();
        train(List.of(), "--resume", parts + ".checkpoint", "--steps", 9).succeeded();
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(parts));

        int vocabulary = ModelFile.read(whole).vocabulary().orElseThrow().size();
        Regularization noise =
                Regularization.NONE.withRecurrentDropout(0.25).withDropConnect(0.3).withZoneout(0.1, 0.05);
        assertEquals(Model.builder().embedding(vocabulary, 3).regularization(noise).lstm(5)
                .dropout(0.2, Layer.Dropout.Scope.STREAM).lstm(5).dropout(0.2, Layer.Dropout.Scope.STREAM).residual()
                .dense(vocabulary).build().layers(), ModelFile.read(whole).model().layers());
        String printed = CommandLineRun.of("inspect", whole).succeeded().out();
        for (String part : List.of("dropout 0.2 of streams", "residual ",
                "in training: recurrent dropout 0.25, DropConnect 0.3, zoneout 0.1 and 0.05")) {
            assertTrue(printed.contains(part), printed);
        }
        JsonNode inspected = CommandLineRun.of("inspect", whole, "--json").succeeded().json();
        assertEquals("recurrent dropout 0.25, DropConnect 0.3, zoneout 0.1 and 0.05",
                inspected.get("layers").get(1).get("in_training").asString());
        assertFalse(inspected.get("layers").get(0).has("in_training"));
        train(List.of(), "--resume", parts + ".checkpoint", "--steps", 10, "--zoneout", "0.2").failed(2,
                "--zoneout: 0.2 was given", "was trained with 0.1");
    }

    @Test
    void ratesThatDoNotFitAreRefused() {
        train(SMALL, "--data", text, "--out", directory.resolve("m"), "--zoneout", "1").failed(2,
                "zoneout: expected a rate in [0, 1), got 1.0");
        train(SMALL, "--data", text, "--out", directory.resolve("m"), "--cell", "gru", "--cell-zoneout", "0.1")
                .failed(2, "zoneout of the cell state: expected a cell that has one, got gru");
        train(SMALL, "--data", text, "--out", directory.resolve("m"), "--stack", "high").failed(2, "--stack");
    }

    @Test
    void epochsEndWhereTheirStepsEnd() throws IOException {
        JsonNode result =
                train(SMALL, "--data", text, "--epochs", 2, "--out", directory.resolve("m"), "--json").succeeded()
                        .json();
        assertEquals(2 * (569 / 4 / 6), result.get("step").asInt());
    }

    @Test
    void jsonIsOneObjectWithTheResult() throws IOException {
        Path out = directory.resolve("model.safetensors");
        JsonNode result = train(SMALL, "--data", text, "--steps", 3, "--out", out, "--json").succeeded().json();
        assertEquals("done", result.get("status").asString());
        assertEquals(out.toString(), result.get("model").asString());
        assertEquals(out + ".checkpoint", result.get("checkpoint").asString());
        assertEquals(3, result.get("step").asInt());
        assertEquals(3 * 4 * 6, result.get("characters").asInt());
        assertEquals(result.get("val_loss").asDouble() / Math.log(2), result.get("val_bits_per_char").asDouble(),
                1e-12);
        ModelFile model = ModelFile.read(out);
        assertEquals(result.get("parameters").asLong(), model.model().parameterCount());
        assertEquals(result.get("vocabulary").asInt(), model.vocabulary().orElseThrow().size());
    }

    @Test
    void logHasALineForEachStepAndEvaluationAndGoesOn() throws IOException {
        Path out = directory.resolve("model.safetensors");
        Path log = Files.writeString(directory.resolve("log.jsonl"), "of an earlier training\n");
        train(SMALL, "--data", text, "--steps", 4, "--eval-every", 2, "--out", out, "--json-log", log).succeeded();
        train(List.of(), "--resume", out + ".checkpoint", "--steps", 6, "--eval-every", 3, "--json-log", log)
                .succeeded();
        List<JsonNode> lines = Files.readAllLines(log).stream().map(JsonMapper.shared()::readTree).toList();
        assertEquals(List.of(1, 2, 2, 3, 4, 4, 5, 6, 6), lines.stream().map(l -> l.get("step").asInt()).toList());
        for (JsonNode line : lines) {
            Set<String> names = new TreeSet<>(line.propertyNames());
            if (line.has("loss")) {
                assertEquals(Set.of("step", "loss", "chars_per_s", "seconds"), names);
                assertTrue(line.get("chars_per_s").asDouble() > 0);
            } else {
                assertEquals(Set.of("step", "val_loss", "val_bits_per_char"), names);
            }
        }
    }

    @Test
    void checkpointIsAModelFileToo() throws IOException {
        Path out = directory.resolve("model.safetensors");
        train(SMALL, "--data", text, "--steps", 2, "--out", out).succeeded();
        ModelFile model = ModelFile.read(out);
        ModelFile checkpoint = ModelFile.read(TrainingRun.checkpointOf(out));
        assertEquals(model.model().layers(), checkpoint.model().layers());
        assertEquals(model.vocabulary().orElseThrow().characters(), checkpoint.vocabulary().orElseThrow().characters());
        for (int i = 0; i < model.model().tensors().size(); i++) {
            assertArrayEquals(model.model().tensors().get(i).data(), checkpoint.model().tensors().get(i).data());
        }
    }

    @Test
    void interruptedRunLeavesACheckpointToGoOnFrom() throws IOException {
        TrainingData data = TrainingData.of(Corpus.read(text.toString()));
        TrainingOptions options = TrainingOptions.of(ModelOptions.of(CellType.LSTM, 4, 0),
                UpdateOptions.adam(2e-3, UpdateOptions.Course.CONSTANT, 5), 5, 3, 12);
        Path whole = directory.resolve("whole.safetensors");
        Path parts = directory.resolve("parts.safetensors");
        TrainingRun.builder(data, options).out(whole).build().run();
        int[] asked = {0};
        TrainingRun.Result stopped =
                TrainingRun.builder(data, options).out(parts).stopWhen(() -> ++asked[0] > 5).build()
                        .run();
        assertFalse(stopped.finished());
        assertEquals(5, stopped.step());
        assertTrue(Files.notExists(parts));
        train(List.of(), "--resume", TrainingRun.checkpointOf(parts)).succeeded();
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(parts));
    }

    @Test
    void historiesHaveAPointForEachLoss() throws IOException {
        TrainingData data = TrainingData.of(Corpus.read(text.toString()));
        TrainingOptions options = TrainingOptions.of(ModelOptions.of(CellType.LSTM, 4, 0),
                UpdateOptions.adam(2e-3, UpdateOptions.Course.CONSTANT, 5), 5, 3, 5);
        TrainingRun.Result result = TrainingRun.builder(data, options.withEvaluateEvery(2)).build().run();
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L), result.training().stream().map(TrainingRun.Point::step).toList());
        assertEquals(List.of(2L, 4L, 5L), result.validation().stream().map(TrainingRun.Point::step).toList());
        assertEquals(result.validation().getLast().nats(), result.evaluation().orElseThrow().nats());
    }
}
