package dev.ostinato.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.Checkpoint;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong is said in one sentence, and no file is left that should not be there. */
class BadInputTest {
    private static final List<String> TINY = List.of("--hidden", "3", "--seq", "4", "--batch", "2", "--steps", "2");

    @TempDir
    Path directory;

    private Path text;
    private Path out;
    private Set<Path> before;

    @BeforeEach
    void prepare() throws IOException {
        text = Files.writeString(directory.resolve("text.txt"), Texts.words(300));
        out = directory.resolve("model.safetensors");
        before = files();
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertEquals(before, files());
    }

    private Set<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.collect(Collectors.toSet());
        }
    }

    private Path with(String name, byte[] content) throws IOException {
        Path file = Files.write(directory.resolve(name), content);
        before = files();
        return file;
    }

    private CommandLineRun train(Object... options) {
        return CommandLineRun
                .of(Stream.of(Stream.of("train"), TINY.stream(), Stream.of(options)).flatMap(s -> s).toArray());
    }

    private Path trained() throws IOException {
        train("--data", text, "--out", out).succeeded();
        before = files();
        return out;
    }

    @Test
    void missingText() {
        train("--data", directory.resolve("none.txt"), "--out", out).failed(1, "none.txt", "no such file");
    }

    @Test
    void emptyText() throws IOException {
        train("--data", with("empty.txt", new byte[0]), "--out", out).failed(1, "empty.txt", "no text");
    }

    @Test
    void binaryText() throws IOException {
        Path binary = with("image.png", new byte[] {'P', 'N', 'G', 0, 1});
        train("--data", binary, "--out", out).failed(1, "image.png", "byte 3 is zero");
    }

    @Test
    void textInAnotherEncoding() throws IOException {
        Path latin = with("latin.txt", new byte[] {'c', 'a', 'f', (byte) 0xe9, '\n'});
        train("--data", latin, "--out", out).failed(1, "latin.txt", "not UTF-8 text at byte 3");
        Path cut = with("cut.txt", new byte[] {'c', 'a', 'f', (byte) 0xc3});
        train("--data", cut, "--out", out).failed(1, "cut.txt", "not UTF-8 text at byte 3");
    }

    @Test
    void directoryWithoutText() throws IOException {
        Files.createDirectory(directory.resolve("images"));
        with("images/image.png", new byte[] {0});
        with("images/.hidden.txt", new byte[] {'a'});
        train("--data", directory.resolve("images"), "--out", out).failed(1, "images", "no text", "1 file");
    }

    @Test
    void shortText() throws IOException {
        Path little = with("little.txt", "house of seven rivers".getBytes(UTF_8));
        CommandLineRun.of("train", "--data", little, "--out", out).failed(1, "little.txt", "1601", "20");
    }

    @Test
    void outThatCannotBeWritten() {
        train("--data", text, "--out", directory.resolve("none/model")).failed(1, "none/model", "cannot be written",
                "no directory");
        train("--data", text, "--out", directory).failed(1, "cannot be written", "it is a directory");
        train("--data", text, "--out", text.resolve("model")).failed(1, "cannot be written", "no directory");
        train("--data", text, "--out", out, "--json-log", directory).failed(1, "cannot be written",
                "it is a directory");
    }

    @Test
    void unknownWords() {
        CommandLineRun.of("trian").failed(2, "trian", "ostinato --help");
        train("--data", text, "--out", out, "--hiden", 3).failed(2, "--hiden", "ostinato train --help");
        CommandLineRun.of("sample").failed(2, "MODEL", "ostinato sample --help");
        train("--data", text, "--out", out, "--backend", "abacus").failed(1, "abacus", "scalar");
    }

    @ParameterizedTest
    @CsvSource({"--threads,0", "--threads,100000", "--hidden,0", "--hidden,-3", "--hidden,x", "--hidden,2000000000",
        "--layers,0", "--embedding,-1", "--seq,0", "--batch,0", "--steps,0", "--lr,0", "--lr,NaN", "--lr,Infinity",
        "--clip,-1", "--dropout,1", "--dropout,-0.1", "--dropout,0.99999999999", "--checkpoint-every,0",
        "--eval-every,0", "--seed,1.5", "--cell,transformer", "--schedule,random"})
    void valuesOutOfRange(String option, String value) {
        CommandLineRun.of("train", "--data", text, "--out", out, option, value).failed(2, option, value);
    }

    @Test
    void argumentsThatDoNotGoTogether() {
        CommandLineRun.of("train", "--out", out).failed(2, "--data");
        CommandLineRun.of("train", "--data", text).failed(2, "--out");
        train("--data", text, "--out", out, "--epochs", 1).failed(2, "--steps and --epochs");
    }

    @Test
    void divergedTraining() {
        CommandLineRun.of("train", "--data", text, "--out", out, "--hidden", 3, "--seq", 4, "--batch", 2, "--lr",
                "1e38", "--clip",
                0).failed(1, "diverged", "at step ", "no checkpoint");
    }

    @Test
    void divergedTrainingKeepsTheLastGoodCheckpoint() throws IOException {
        trained();
        byte[] good = Files.readAllBytes(TrainingRun.checkpointOf(out));
        Checkpoint checkpoint = Checkpoint.read(TrainingRun.checkpointOf(out));
        TrainingData data = TrainingData.of(Corpus.read(text.toString()));
        TrainingOptions wild = TrainingOptions.of(ModelOptions.of(CellType.LSTM, 3, 0),
                UpdateOptions.adam(1e38, UpdateOptions.Course.CONSTANT, 0), 4, 2, 50);
        TrainingRun run = TrainingRun.builder(data, wild).from(checkpoint).out(out).build();
        Failure failure = assertThrows(Failure.class, run::run);
        assertTrue(failure.getMessage().contains("checkpoint of step 2 is kept"), failure.getMessage());
        assertArrayEquals(good, Files.readAllBytes(TrainingRun.checkpointOf(out)));
    }

    @Test
    void resumeFromABareModel() throws IOException {
        CommandLineRun.of("train", "--resume", trained(), "--out", out).failed(1, "model.safetensors",
                "a model without a training state");
    }

    @Test
    void resumeFromADamagedCheckpoint() throws IOException {
        byte[] bytes = Files.readAllBytes(TrainingRun.checkpointOf(trained()));
        Path cut = with("cut.checkpoint", Arrays.copyOf(bytes, bytes.length - 1));
        CommandLineRun.of("train", "--resume", cut, "--out", out).failed(1, "cut.checkpoint");
        Path none = with("none.checkpoint", new byte[0]);
        CommandLineRun.of("train", "--resume", none, "--out", out).failed(1, "none.checkpoint");
        CommandLineRun.of("train", "--resume", text, "--out", out).failed(1, "text.txt");
        CommandLineRun.of("train", "--resume", directory.resolve("x.checkpoint")).failed(1, "x.checkpoint",
                "no such file");
    }

    @ParameterizedTest
    @CsvSource({"--cell,gru", "--hidden,4", "--layers,2", "--embedding,2", "--seq,5", "--batch,3", "--lr,0.003",
        "--clip,4",
        "--dropout,0.1", "--seed,2", "--schedule,cosine", "--init,keras"})
    void resumeWithAnotherOption(String option, String value) throws IOException {
        CommandLineRun.of("train", "--resume", TrainingRun.checkpointOf(trained()), "--steps", 3, option, value).failed(
                2,
                option, value);
    }

    @Test
    void resumeWithTheSameOptionIsFine() throws IOException {
        trained();
        CommandLineRun
                .of("train", "--resume", TrainingRun.checkpointOf(out), "--steps", 3, "--hidden", 3, "--lr", "2e-3",
                        "--out", directory.resolve("other"), "--data", text)
                .succeeded();
        before = files();
    }

    @Test
    void resumeOnAnotherTextOrAtTheEnd() throws IOException {
        Path checkpoint = TrainingRun.checkpointOf(trained());
        CommandLineRun.of("train", "--resume", checkpoint).failed(1, "all 2 steps are done", "--steps");
        Path other = with("other.txt", Texts.words(301).getBytes(UTF_8));
        CommandLineRun.of("train", "--resume", checkpoint, "--steps", 3, "--data", other).failed(1, "other.txt",
                "not the text");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text.txt", "none.safetensors", "."})
    void sampleFromWhatIsNoModel(String name) {
        CommandLineRun.of("sample", directory.resolve(name)).failed(1, directory.resolve(name).toString());
    }

    @Test
    void sampleFromAModelOfAnotherKind() throws IOException {
        ModelFile.write(out, Model.builder().features(3).lstm(4).dense(3).build(), null);
        before = files();
        CommandLineRun.of("sample", out).failed(1, "model.safetensors", "expected a model of text");
    }

    @Test
    void sampleFromAModelWithoutVocabulary() throws IOException {
        ModelFile.write(out, Model.builder().oneHot(3).lstm(4).dense(3).build(), null);
        before = files();
        CommandLineRun.of("sample", out).failed(1, "model.safetensors", "without a vocabulary");
    }

    @Test
    void promptThatTheModelNeverSaw() throws IOException {
        CommandLineRun.of("sample", trained(), "--prompt", "houße").failed(1, "'ß'", "U+DF");
    }

    @ParameterizedTest
    @CsvSource({"--length,0", "--temperature,-1", "--temperature,NaN", "--top-k,-1", "--seed,x"})
    void sampleValuesOutOfRange(String option, String value) {
        CommandLineRun.of("sample", out, option, value).failed(2, option, value);
    }
}
