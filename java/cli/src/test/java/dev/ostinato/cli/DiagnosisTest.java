package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.formats.Npz;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Diagnostics;
import dev.ostinato.nn.InitialWeights;
import dev.ostinato.nn.Initializer;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.LayerDiagnostics;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Spectrum;
import dev.ostinato.nn.Vocabulary;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code inspect --data}: the numbers of {@link Diagnostics} over the data that were named. */
class DiagnosisTest {
    private static final Vocabulary VOCABULARY = Vocabulary.of(" abehimnotu");
    private static final Model MODEL = Model.builder().oneHot(VOCABULARY.size()).gru(6).lstm(4).dense(VOCABULARY.size())
            .seed(1).build();

    @TempDir
    Path directory;

    private Path file;
    private Path text;

    @BeforeEach
    void write() throws IOException {
        file = directory.resolve("model.safetensors");
        ModelFile.write(file, MODEL, VOCABULARY);
        text = Files.writeString(directory.resolve("text.txt"), "mountain on a mountain");
    }

    private static CommandLineRun inspect(Object... more) {
        return CommandLineRun.of(Stream.concat(Stream.of("inspect"), Arrays.stream(more)).toArray());
    }

    private static void near(List<Double> expected, JsonNode actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i), actual.get(i).asDouble(), 1e-12);
        }
    }

    @Test
    void numbersOfAText() {
        // 22 characters: one piece of 21 steps.
        JsonNode json = inspect(file, "--data", text, "--seq", 100, "--json").succeeded().json().get("diagnostics");
        int[] all = VOCABULARY.encode("mountain on a mountain");
        Batch batch = Batch.tokensToClasses(21, 1, Arrays.copyOf(all, 21), Arrays.copyOfRange(all, 1, 22));
        Diagnostics whole = Diagnostics.of(MODEL, batch, Loss.crossEntropy());
        Diagnostics last = Diagnostics.ofLossAt(21, MODEL, batch, Loss.crossEntropy());
        assertEquals(21, json.get("steps").asInt());
        assertEquals(1, json.get("rows").asInt());
        assertEquals(whole.loss(), json.get("loss").asDouble());
        assertEquals(2, json.get("layers").size());
        for (int i = 0; i < 2; i++) {
            JsonNode layer = json.get("layers").get(i);
            LayerDiagnostics expected = last.layers().get(i);
            assertEquals(expected.name(), layer.get("name").asString());
            near(whole.layers().get(i).gradientNorms(), layer.get("gradient_norms"));
            near(expected.gradientNorms(), layer.get("gradient_norms_of_last"));
            near(expected.recurrentContributions(), layer.get("recurrent_contributions_to_last"));
            near(expected.inputContributions(), layer.get("input_contributions_to_last"));
            near(Arrays.stream(expected.jacobians(0).norms(21)).boxed().toList(), layer.get("jacobian_norms"));
            assertEquals(expected.deadUnits().size(), layer.get("dead_units").size());
        }
        JsonNode forget = json.get("layers").get(1).get("gates").get("f");
        Spectrum spectrum = Spectrum.ofRecurrentWeights(MODEL, 2).get("f");
        assertEquals(spectrum.spectralRadius(), forget.get("spectral_radius").asDouble());
        assertEquals(spectrum.spectralNorm(), forget.get("spectral_norm").asDouble());
        assertEquals(last.layers().get(1).gates().get(1).high(), forget.get("high").asDouble());
    }

    /** Pieces lie from the beginning of the text to its end. */
    @Test
    void piecesOfAText() throws IOException {
        int[] all = VOCABULARY.encode("mountain on a mountain");
        Samples samples = Samples.read(text.toString(), ModelFile.read(file), 3);
        assertEquals(7, samples.batch().rows());
        Samples longer = Samples.read(text.toString(), ModelFile.read(file), 7);
        assertEquals(3, longer.batch().rows());
        int[] tokens = new int[21];
        int[] next = new int[21];
        for (int i = 0; i < 21; i++) {
            tokens[i] = all[i % 3 * 7 + i / 3];
            next[i] = all[i % 3 * 7 + i / 3 + 1];
        }
        assertEquals(Diagnostics.of(MODEL, Batch.tokensToClasses(7, 3, tokens, next), Loss.crossEntropy()).loss(),
                Diagnostics.of(MODEL, longer.batch(), longer.loss()).loss());
    }

    @Test
    void wordsAndAPicture() throws IOException {
        Path picture = directory.resolve("picture.png");
        String out = inspect(file, "--data", text, "--seq", 5, "--plot", picture).succeeded().out();
        for (String part : List.of("4 pieces of", "5 characters each", "rnn_l0: gru with 6 units",
                "rnn2_l0: lstm with 4 units",
                "gate z", "gate f", "spectral radius", "1 step back", "4 steps back", "nine tenths from the last",
                "dead units")) {
            assertTrue(out.contains(part), part + " in " + out);
        }
        BufferedImage image = ImageIO.read(picture.toFile());
        int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        assertEquals(1400, image.getWidth());
        assertEquals(960, image.getHeight());
        for (int colour : new int[] {0x0072B2, 0xD55E00}) {
            assertTrue(Arrays.stream(pixels).filter(pixel -> (pixel & 0xffffff) == colour).count() > 300);
        }
    }

    /** Nothing to draw on a logarithmic axis: one step, and a layer through which no gradient comes. */
    @Test
    void picturesOfNothing() throws IOException {
        Path dead = directory.resolve("dead.safetensors");
        ModelFile.write(dead, Model.builder().features(2)
                .initialWeights(InitialWeights.pytorch().withBias(Initializer.constant(-9)))
                .recurrent(CellType.RNN_RELU, 3).dense(2).build(), null);
        Path data = directory.resolve("one.npz");
        Npz.write(data, List.of(Tensor.of("x", new long[] {1, 1, 2}, new float[2]),
                Tensor.of("y", new long[] {1, 1}, new int[1])));
        String out = inspect(dead, "--data", data, "--plot", directory.resolve("dead.png")).succeeded().out();
        assertTrue(out.contains("there is one step only") && out.contains("3: 0, 1, 2"), out);
    }

    @Test
    void arrays() throws IOException {
        Model model = Model.builder().features(2).rnn(3).dense(2).seed(1).build();
        Path rows = directory.resolve("rows.safetensors");
        ModelFile.write(rows, model, null);
        Path data = directory.resolve("data.npz");
        float[] x = {1, 2, -3, 4, 0.5f, 6, 7, -8, 9, 10, 1, 1};
        float[] y = {1, 0, 1, 1, 0, 0, 2, 1, 1, 2, 3, 4};
        Npz.write(data, List.of(Tensor.of("x", new long[] {3, 2, 2}, x), Tensor.of("y", new long[] {3, 2, 2}, y)));
        JsonNode json = inspect(rows, "--data", data, "--json").succeeded().json().get("diagnostics");
        assertEquals(Diagnostics.of(model, Batch.featuresToValues(3, 2, x, y), Loss.squaredError()).loss(),
                json.get("loss").asDouble());

        int[] classes = {0, 1, 1, 0, 1, 0};
        Npz.write(data, List.of(Tensor.of("x", new long[] {3, 2, 2}, x), Tensor.of("y", new long[] {3, 2}, classes)));
        json = inspect(rows, "--data", data, "--json").succeeded().json().get("diagnostics");
        assertEquals(Diagnostics.of(model, Batch.featuresToClasses(3, 2, x, classes), Loss.crossEntropy()).loss(),
                json.get("loss").asDouble());

        Npz.write(data, List.of(Tensor.of("x", new long[] {3, 2, 3}, new float[18]),
                Tensor.of("y", new long[] {3, 2}, classes)));
        inspect(rows, "--data", data).failed(1, "data.npz", "x: expected F32 [T, B, 2]", "[3, 2, 3]");
        Npz.write(data, List.of(Tensor.of("x", new long[] {3, 2, 2}, x), Tensor.of("y", new long[] {2, 3}, classes)));
        inspect(rows, "--data", data).failed(1, "data.npz", "y: expected the steps and rows of x");
        Npz.write(data, List.of(Tensor.of("x", new long[] {3, 2, 2}, x),
                Tensor.of("y", new long[] {3, 2}, new int[] {0, 1, 2, 0, 0, 0})));
        inspect(rows, "--data", data).failed(1, "data.npz", "class 2: expected 0..1, got 2");
        Npz.write(data, List.of(Tensor.of("x", new long[] {3, 2, 2}, x)));
        inspect(rows, "--data", data).failed(1, "data.npz", "y");
        inspect(rows, "--data", text).failed(1, "no vocabulary", ".npz");
    }

    @Test
    void bothDirectionsOfAModelThatPools() throws IOException {
        Model model =
                Model.builder().features(2).bidirectional(CellType.GRU, 3, Layer.Merge.CONCAT).pool(Layer.Pooling.MEAN)
                        .dense(2).seed(1).build();
        Path pooled = directory.resolve("pooled.safetensors");
        ModelFile.write(pooled, model, null);
        Path data = directory.resolve("data.npz");
        float[] x = {1, 2, -3, 4, 0.5f, 6, 7, -8, 9, 10, 1, 1};
        Npz.write(data,
                List.of(Tensor.of("x", new long[] {3, 2, 2}, x), Tensor.of("y", new long[] {2}, new int[] {0, 1})));
        CommandLineRun run =
                inspect(pooled, "--data", data, "--plot", directory.resolve("p.png"), "--json").succeeded();
        JsonNode json = run.json().get("diagnostics");
        assertEquals(
                Diagnostics.of(model, Batch.featuresToClasses(3, 2, x, new int[] {0, 1}), Loss.crossEntropy()).loss(),
                json.get("loss").asDouble());
        JsonNode reverse = json.get("layers").get(1);
        assertEquals("rnn_l0_reverse", reverse.get("name").asString());
        assertEquals(Spectrum.ofRecurrentWeights(model, 1).get("z_reverse").spectralRadius(),
                reverse.get("gates").get("z").get("spectral_radius").asDouble());
        Npz.write(data,
                List.of(Tensor.of("x", new long[] {3, 2, 2}, x), Tensor.of("y", new long[] {3, 2}, new float[6])));
        inspect(pooled, "--data", data).failed(1, "data.npz", "y: expected the rows of x");
        Npz.write(data,
                List.of(Tensor.of("x", new long[] {3, 2, 2}, x), Tensor.of("y", new long[] {3, 2}, new int[6])));
        inspect(pooled, "--data", data).failed(1, "data.npz", "y: expected integers [B]");
    }

    @Test
    void whatCannotBeShown() throws IOException {
        Path picture = directory.resolve("picture.png");
        inspect(file, "--plot", picture).failed(2, "--plot", "--data");
        inspect(file, "--data", text, "--seq", 0).failed(2, "--seq: expected at least 1, got 0");
        inspect(file, "--data", directory.resolve("none.txt")).failed(1, "none.txt");
        inspect(file, "--data", text, "--plot", directory.resolve("no/such.png")).failed(1, "no/such.png", "directory");
        inspect(file, "--data", Files.writeString(directory.resolve("short.txt"), "a")).failed(1,
                "at least 2 characters, got 1");
        Path still = directory.resolve("still.safetensors");
        ModelFile.write(still, Model.builder().embedding(VOCABULARY.size(), 2).dense(VOCABULARY.size()).build(),
                VOCABULARY);
        inspect(still, "--data", text, "--plot", picture).failed(1, "a recurrent layer");
        assertFalse(Files.exists(picture));
    }
}
