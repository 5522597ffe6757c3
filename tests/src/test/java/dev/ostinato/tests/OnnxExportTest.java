package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.onnx.OnnxFile;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.State;
import dev.ostinato.onnx.OnnxArray;
import dev.ostinato.onnx.OnnxExport;
import dev.ostinato.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A model that has been exported gives the same outputs and states in ONNX Runtime, and read again. */
final class OnnxExportTest {
    private static final float TOLERANCE = 1e-5f;
    private static final int STEPS = 5;
    private static final int ROWS = 3;

    @TempDir
    private Path folder;

    static Stream<Arguments> models() {
        List<Arguments> models = new ArrayList<>();
        for (String cell : List.of("rnn-tanh", "rnn-relu(no-bias)", "rnn-identity", "rnn-affine(alpha=0.5,beta=0.25)",
                "lstm", "lstm(peepholes)", "lstm(peepholes,coupled)", "lstm(coupled,no-bias,clip=0.5)",
                "lstm(gates=hard-sigmoid(0.25,0.5),candidate=scaled-tanh(1.25,0.75),output=softsign)", "gru",
                "gru-reset-before", "gru(clip=0.75,candidate=elu(1.5))")) {
            models.add(Arguments.of(cell, Model.builder().features(4).recurrent(CellType.of(cell), 6).dense(3)));
        }
        models.add(Arguments.of("tokens", Model.builder().embedding(11, 5).lstm(6).dropout(0.5).gru(17).dense(11)));
        models.add(Arguments.of("one-hot", Model.builder().oneHot(7).gru(6).dense(7)));
        models.add(Arguments.of("both", Model.builder().embedding(11, 5)
                .bidirectional(CellType.of("lstm(peepholes)"), 6, Layer.Merge.CONCAT)
                .bidirectional(CellType.GRU, 4, Layer.Merge.SUM)
                .bidirectional(CellType.RNN_RELU, 4, Layer.Merge.MEAN).reverse(CellType.LSTM, 5).dense(2)));
        for (Layer.Pooling pooling : Layer.Pooling.values()) {
            models.add(Arguments.of("pool " + pooling,
                    Model.builder().features(4).bidirectional(CellType.GRU, 6, Layer.Merge.CONCAT).pool(pooling)
                            .dense(2)));
        }
        models.add(Arguments.of("norms", Model.builder().features(4).layerNorm().lstm(6).batchNorm().dense(3)));
        models.add(Arguments.of("residual",
                Model.builder().features(6).lstm(6).gru(6).dropout(0.5).residual(2).gru(6).residual(1)));
        return models.stream();
    }

    /** Fresh weights are often zero or one; here none is, and variances stay positive. */
    private static Model random(Model model) {
        SplittableRandom random = new SplittableRandom(Conformance.BOUNDED_SEED);
        List<NamedArray> weights = new ArrayList<>();
        for (NamedArray array : model.tensors()) {
            float[] data = new float[array.data().length];
            for (int i = 0; i < data.length; i++) {
                data[i] = (float) (array.name().endsWith("running_var") ? random.nextDouble(0.5, 2)
                        : 0.4 * random.nextGaussian());
            }
            weights.add(new NamedArray(array.name(), array.shape(), data));
        }
        return Model.of(model.layers(), weights);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void asInOnnxRuntime(String name, Model.Builder builder) throws Exception {
        Model model = random(builder.build());
        SplittableRandom random = new SplittableRandom(1);
        State state = model.newState(ROWS);
        Map<String, OnnxArray> inputs = new LinkedHashMap<>();
        if (model.streams()) {
            for (NamedArray array : state.tensors()) {
                float[] data = normal(random, array.data().length);
                state.setTensors(List.of(new NamedArray(array.name(), array.shape(), data)));
                inputs.put(array.name(), OnnxArray.of(data, 1, ROWS, array.shape().getLast()));
            }
        }
        float[] y = new float[(model.pools() ? 1 : STEPS) * ROWS * model.outputs()];
        if (model.takesTokens()) {
            int[] tokens = random.ints(STEPS * ROWS, 0, model.inputs()).toArray();
            inputs.put("tokens", OnnxArray.of(Arrays.stream(tokens).asLongStream().toArray(), STEPS, ROWS));
            model.run(tokens, state, y);
        } else {
            float[] x = normal(random, STEPS * ROWS * model.inputs());
            inputs.put("x", OnnxArray.of(x, STEPS, ROWS, model.inputs()));
            model.run(x, state, y);
        }
        Path file = folder.resolve("model.onnx");
        OnnxExport.of(model).write(file);
        compare(model, state, y, OnnxRuntime.run(OnnxFile.read(file).toBytes(), inputs));
        OnnxModel again = OnnxModel.read(file);
        compare(model, state, y, again.run(inputs));
        Map<String, String> states = new LinkedHashMap<>();
        if (model.streams()) {
            state.tensors().forEach(array -> states.put(array.name(), array.name() + "_out"));
        }
        assertEquals(states, again.states());
    }

    private static void compare(Model model, State state, float[] y, Map<String, OnnxArray> outputs) {
        assertArrayEquals(y, outputs.get("y").toFloats(), TOLERANCE);
        assertEquals(model.pools() ? 2 : 3, outputs.get("y").shape().length);
        for (NamedArray after : model.streams() ? state.tensors() : List.<NamedArray>of()) {
            assertArrayEquals(after.data(), outputs.get(after.name() + "_out").toFloats(), TOLERANCE, after.name());
        }
    }

    private static float[] normal(SplittableRandom random, int size) {
        float[] data = new float[size];
        for (int i = 0; i < size; i++) {
            data[i] = (float) random.nextGaussian();
        }
        return data;
    }

    @Test
    void whatOnnxHasNotIsRefused() {
        for (String cell : List.of("ind-rnn-relu", "min-gru", "layer-norm-lstm", "layer-norm-gru",
                "lstm(projection=3)", "lstm(cell-clip=2)")) {
            Model model = Model.builder().features(4).recurrent(CellType.of(cell), 6).dense(2).build();
            IllegalArgumentException refusal =
                    assertThrows(IllegalArgumentException.class, () -> OnnxExport.of(model));
            assertEquals("layer 1: expected what ONNX has operators for, got the cell " + cell, refusal.getMessage());
        }
        Model zoneout = Model.builder().features(4).regularization(Regularization.NONE.withZoneout(0.1, 0)).lstm(6)
                .build();
        assertTrue(assertThrows(IllegalArgumentException.class, () -> OnnxExport.of(zoneout)).getMessage()
                .contains("zoneout"));
    }
}
