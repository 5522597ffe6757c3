package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import dev.ostinato.onnx.OnnxArray;
import dev.ostinato.onnx.OnnxModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tests that ONNX publishes for the operators that are computed here; {@code src/test/goldens/onnx_nodes.py} says which. */
final class OnnxNodesTest {
    private static final double TOLERANCE = 1e-5;

    private static SafeTensors file;

    @BeforeAll
    static void read() throws IOException {
        file = Goldens.read("onnx-nodes");
    }

    static Stream<String> names() throws IOException {
        return Goldens.read("onnx-nodes").names().stream().filter(name -> name.endsWith(".node"))
                .map(name -> name.substring(0, name.indexOf('.')));
    }

    @Test
    void allRecurrentOnesAreThere() throws IOException {
        List<String> names = names().toList();
        for (String name : List.of("test_simple_rnn_defaults", "test_simple_rnn_with_initial_bias",
                "test_rnn_seq_length", "test_simple_rnn_batchwise", "test_lstm_defaults",
                "test_lstm_with_initial_bias", "test_lstm_with_peepholes", "test_lstm_batchwise", "test_gru_defaults",
                "test_gru_with_initial_bias", "test_gru_seq_length", "test_gru_batchwise")) {
            assertTrue(names.contains(name), name);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void asPublished(String name) throws IOException {
        OnnxModel model = OnnxModel.parse(Path.of(name), file.tensor(name + ".node").data());
        Map<String, OnnxArray> inputs = new LinkedHashMap<>();
        for (OnnxValueInfo input : model.inputs()) {
            inputs.put(input.name(), OnnxArray.of(file.tensor(name + ".in." + input.name())));
        }
        Map<String, OnnxArray> outputs = model.run(inputs);
        for (OnnxValueInfo output : model.outputs()) {
            OnnxArray expected = OnnxArray.of(file.tensor(name + ".out." + output.name()));
            OnnxArray actual = outputs.get(output.name());
            assertEquals(expected.type(), actual.type());
            assertArrayEquals(expected.shape(), actual.shape());
            double scale = Math.max(1, Arrays.stream(expected.toDoubles()).filter(Double::isFinite).map(Math::abs)
                    .max().orElse(0));
            assertArrayEquals(expected.toDoubles(), actual.toDoubles(),
                    expected.type().isFloat() ? TOLERANCE * scale : 0, output.name());
        }
    }
}
