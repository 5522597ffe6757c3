package dev.ostinato.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.examples.Attention;
import dev.ostinato.examples.Classification;
import dev.ostinato.examples.Inference;
import dev.ostinato.examples.NumberWords;
import dev.ostinato.examples.Perceptron;
import dev.ostinato.examples.RareEvents;
import dev.ostinato.examples.Reversal;
import dev.ostinato.examples.Serving;
import dev.ostinato.examples.Training;
import dev.ostinato.examples.VanishingGradients;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.State;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the pages show is what the build compiles, and it works. */
class ReadmeTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path EXAMPLES = ROOT.resolve("java/examples/src/main/java/dev/ostinato/examples");

    @ParameterizedTest
    @CsvSource({"README.md, training, Training.java", "README.md, inference, Inference.java",
        "README.md, serving, Serving.java", "README.md, sequences, Serving.java",
        "README.md, classification, Classification.java", "docs/training.md, losses, RareEvents.java",
        "README.md, encoder-decoder, Reversal.java",
        "docs/encoder-decoder.md, one-to-many, NumberWords.java",
        "docs/kernels.md, attention, Attention.java", "docs/kernels.md, perceptron, Perceptron.java",
        "docs/importing.md, state-dict, Importing.java", "docs/importing.md, hints, Importing.java",
        "docs/vanishing-gradients.md, jacobians, VanishingGradients.java"})
    void codeOnThePageIsTheExample(String page, String marker, String file) throws IOException {
        String example = Files.readString(EXAMPLES.resolve(file));
        Matcher region =
                Pattern.compile("// readme: " + marker + "\n(.*?)\\s*// readme: end", Pattern.DOTALL).matcher(example);
        assertTrue(region.find(), () -> file + " has no region " + marker);
        String code = region.group(1).stripIndent().strip();
        assertFalse(code.isEmpty());
        assertTrue(Files.readString(ROOT.resolve(page)).contains("```java\n" + code + "\n```"),
                () -> page + " lacks this code of " + file + ":\n" + code);
    }

    @Test
    void classificationLearns() {
        double right = new Classification().learn(600);
        assertTrue(right > 0.9, () -> "right: " + right);
    }

    @Test
    void rareEventsAreFound() {
        double f1 = new RareEvents().learn(600).f1(1);
        assertTrue(f1 > 0.8, () -> "F1: " + f1);
    }

    @Test
    void numbersAreReversed() {
        double right = new Reversal().learn(500);
        assertTrue(right > 0.95, () -> "right: " + right);
    }

    @Test
    void numbersAreSpelled() {
        int right = new NumberWords().learn(300);
        assertTrue(right >= 95, () -> "right: " + right);
    }

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "docs/encoder-decoder.md", "docs/kernels.md", "docs/training.md",
        "docs/vanishing-gradients.md", "docs/decisions/README.md"})
    void linksLeadSomewhere(String page) throws IOException {
        Path file = ROOT.resolve(page);
        List<String> targets = Pattern.compile("\\]\\(([^)#:]+)\\)").matcher(Files.readString(file)).results()
                .map(match -> match.group(1)).toList();
        assertFalse(targets.isEmpty());
        for (String target : targets) {
            assertTrue(Files.exists(file.resolveSibling(target)), target);
        }
    }

    @Test
    void attentionAverages() {
        int width = 3;
        float[] q = {1, 0, 2, 0, 0, 0};
        float[] k = {1, 1, 0, 0, 2, 1, -1, 0, 1, 0.5f, 0, 0};
        float[] v = {1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -2, -3};
        float[] weights = new float[2 * 4];
        float[] out = new float[2 * width];
        Attention.attend(q, k, v, width, weights, out);
        for (int i = 0; i < 2; i++) {
            double[] e = new double[4];
            double sum = 0;
            for (int j = 0; j < 4; j++) {
                double score = 0;
                for (int n = 0; n < width; n++) {
                    score += q[i * width + n] * k[j * width + n];
                }
                e[j] = Math.exp(score / Math.sqrt(width));
                sum += e[j];
            }
            for (int n = 0; n < width; n++) {
                double expected = 0;
                for (int j = 0; j < 4; j++) {
                    assertEquals(e[j] / sum, weights[i * 4 + j], 1e-6);
                    expected += e[j] / sum * v[j * width + n];
                }
                assertEquals(expected, out[i * width + n], 1e-5);
            }
        }
    }

    @Test
    void thePerceptronComputes() {
        Perceptron perceptron = new Perceptron(new float[] {1, 2, 3, 4, 5, 6}, new float[] {0.5f, -1, 2}, 2, 3, 1);
        Matrix y = Matrix.of(1, Matrix.BLOCK);
        perceptron.apply(Matrix.of(new float[][] {{0.1f, -0.2f}}), y);
        assertEquals(0.5 * Math.tanh(-0.3) - Math.tanh(-0.5) + 2 * Math.tanh(-0.7), y.get(0, 0), 1e-6);
    }

    @Test
    void aServiceGoesOnFromAHistory(@TempDir Path folder) throws IOException {
        Model model = Model.builder().features(3).lstm(20).dense(2).seed(4).build();
        Path file = folder.resolve("model.safetensors");
        ModelFile.write(file, model, null);
        float[] rows = {0.1f, -0.5f, 2, 1, 0, -1, 0.3f, 0.2f, 0.9f, -1, 1, 0.5f};
        float[] one = {1, 1, 1};
        float[] another = {-1, 0, 1};
        float[][] answers = new Serving(file).goOn(FloatBuffer.wrap(rows), one, another);

        Model rounded = model.withPrecision(Precision.INT8);
        for (int i = 0; i < 2; i++) {
            State state = rounded.newState();
            for (int t = 0; t < 4; t++) {
                rounded.step(Arrays.copyOfRange(rows, 3 * t, 3 * t + 3), state, new float[2]);
            }
            float[] expected = new float[2];
            rounded.step(i == 0 ? one : another, state, expected);
            assertArrayEquals(expected, answers[i]);
        }
    }

    /** The experiments of docs/vanishing-gradients.md, small. */
    @Test
    void gradientsVanishAndExplode(@TempDir Path folder) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new VanishingGradients(folder, new PrintStream(out, true, UTF_8), 12, 40).run();
        List<String> lines = out.toString(UTF_8).lines().toList();
        assertEquals(3 + 3 + 4, lines.size(), lines.toString());
        assertTrue(lines.get(0).startsWith("U = 0.80 Q: ||dX_T/dX_0|| over 12 steps is 0.069"), lines.get(0));
        assertTrue(lines.get(5).startsWith("rescaled: ") && lines.get(5).contains("turned by 0 degrees"), lines.get(5));
        for (String name : List.of("powers", "limits", "adding", "cells")) {
            assertEquals(720, ImageIO.read(folder.resolve(name + ".png").toFile()).getWidth());
            assertTrue(Files.exists(ROOT.resolve("docs/vanishing-gradients/" + name + ".png")), name);
        }
    }

    @Test
    void theExamplesLearnARhyme(@TempDir Path folder) throws IOException {
        String rhyme = "one for the money, two for the show, three to get ready, and four to go. ".repeat(30);
        Path file = folder.resolve("rhyme.safetensors");
        double loss = Training.train(rhyme, file, 150);
        assertTrue(loss < 0.3, () -> "loss " + loss);
        assertEquals("e money, two for the show", Inference.complete(file, "one for th", 25));
    }
}
