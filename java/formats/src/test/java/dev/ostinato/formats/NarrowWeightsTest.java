package dev.ostinato.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class NarrowWeightsTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void outputsComeBackToTheBit(CellType cell) throws IOException {
        for (Precision precision : Precision.values()) {
            assertSameOutputs(
                    Model.builder().features(5).recurrent(cell, 19).recurrent(cell, 7).dense(3).seed(1).build()
                            .withPrecision(precision));
            assertSameOutputs(
                    Model.builder().embedding(11, 5).dropout(0.1).recurrent(cell, 19).dense(11).seed(2).build()
                            .withPrecision(precision));
            assertSameOutputs(Model.builder().oneHot(7).recurrent(cell, 9).dense(7).seed(3).build()
                    .withPrecision(precision));
        }
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void projectionsAndDirectionsComeBack(Precision precision) throws IOException {
        assertSameOutputs(
                Model.builder().features(4).bidirectional(CellType.LSTM.withProjection(5), 9, Layer.Merge.CONCAT)
                        .reverse(CellType.GRU, 6).dense(8).dense(2).seed(4).build().withPrecision(precision));
    }

    @Test
    void narrowFilesAreSmall() throws IOException {
        Model model = Model.builder().features(256).lstm(256).build();
        long exact = size(model);
        assertTrue(size(model.withPrecision(Precision.BF16)) < exact * 0.51);
        assertTrue(size(model.withPrecision(Precision.INT8)) < exact * 0.27);
    }

    /** Rounded twice is rounded once. */
    @Test
    void sameBytesComeBack() throws IOException {
        for (Precision precision : Precision.values()) {
            Path first = directory.resolve("first");
            Path second = directory.resolve("second");
            ModelFile.write(first,
                    Model.builder().features(5).lstm(300).dense(3).seed(1).build().withPrecision(precision), null);
            ModelFile.write(second, ModelFile.read(first).model(), null);
            assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 1, -128, levels from -127 to 127", "0, -1, 5, of at least 0", "0, NaN, 5, of at least 0",
        "1, 1, 5, one for each row"})
    void levelsAreChecked(int more, float largest, int level, String reason) throws IOException {
        Path file = directory.resolve("levels");
        Model model = Model.builder().features(2).dense(1).build();
        new SafeTensors.Writer().add("head.weight", DType.I8, new long[] {1, 2}, new long[] {level, 0})
                .add("head.weight.absmax", DType.F32, new long[] {1 + more}, filled(1 + more, largest))
                .add("head.bias", DType.F32, new long[] {1}, new float[1])
                .metadata(Map.of(ModelFile.KEY,
                        new ModelDescription(model.layers(), Optional.empty()).encode()))
                .write(file);
        String message = assertThrows(FormatException.class, () -> ModelFile.read(file)).getMessage();
        assertTrue(message.contains(reason), message);
    }

    private static float[] filled(int size, float value) {
        float[] floats = new float[size];
        Arrays.fill(floats, value);
        return floats;
    }

    private long size(Model model) throws IOException {
        Path file = directory.resolve("size");
        ModelFile.write(file, model, null);
        return Files.size(file);
    }

    private void assertSameOutputs(Model model) throws IOException {
        Path file = directory.resolve("model");
        ModelFile.write(file, model, null);
        Model read = ModelFile.read(file).model();
        assertEquals(model.precision(), read.precision());
        assertArrayEquals(outputs(model), outputs(read));
    }

    private static float[] outputs(Model model) {
        SplittableRandom random = new SplittableRandom(5);
        int steps = 4;
        float[] y = new float[steps * model.outputs()];
        if (model.takesTokens()) {
            model.run(random.ints(steps, 0, model.inputs()).toArray(), model.newState(), y);
        } else {
            float[] x = new float[steps * model.inputs()];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) random.nextDouble(-2, 2);
            }
            model.run(x, model.newState(), y);
        }
        return y;
    }
}
