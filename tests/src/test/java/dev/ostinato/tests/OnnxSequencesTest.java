package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows of different lengths in reverse and in both directions, as ONNX Runtime has them; {@code src/test/goldens/onnx_sequences.py} says how. */
final class OnnxSequencesTest {
    private static final int STEPS = 6;
    private static final int INPUTS = 5;
    private static final int HIDDEN = 7;
    private static final float TOLERANCE = 1e-5f;

    private static SafeTensors file;
    private static Sequences sequences;

    @BeforeAll
    static void read() throws IOException {
        file = Goldens.read("onnx-sequences");
        sequences = Sequences.ofLengths(STEPS,
                Arrays.stream(file.metadata().get("lengths").split(" ")).mapToInt(Integer::parseInt).toArray());
    }

    private static Stream<Arguments> cases() {
        return Stream.of(CellType.RNN_TANH, CellType.LSTM, CellType.GRU, CellType.of("gru-reset-before"))
                .flatMap(cell -> Stream.of("reverse", "bidirectional").map(way -> Arguments.of(cell, way)));
    }

    private static Model layers(CellType cell, String direction) {
        Model.Builder builder = Model.builder().features(INPUTS);
        return (direction.equals("reverse")
                ? builder.reverse(cell, HIDDEN)
                : builder.bidirectional(cell, HIDDEN, Layer.Merge.CONCAT)).build();
    }

    private static List<NamedArray> tensors(String prefix) throws IOException {
        return Goldens.tensors(file, prefix);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void asInOnnxRuntime(CellType cell, String direction) throws IOException {
        for (String backend : ExactBackends.names().toList()) {
            compare(cell, direction, sequences, backend);
        }
    }

    /** With other lengths it is something else, so the golden tells. */
    @ParameterizedTest
    @MethodSource("cases")
    void otherLengthsAreSeen(CellType cell, String direction) {
        assertThrows(AssertionError.class,
                () -> compare(cell, direction, Sequences.ofLengths(STEPS, 4, 6, 2, 5), "scalar"));
    }

    private static void compare(CellType cell, String direction, Sequences lengths, String backend)
            throws IOException {
        String name = cell.label() + "." + direction + ".";
        Model model = Model.of(layers(cell, direction).layers(), tensors(name + "weights.")).withBackend(backend);
        State state = model.newState(lengths.rows());
        state.setTensors(tensors(name + "before."));
        float[] expected = file.tensor(name + "y").toFloats();
        float[] y = new float[expected.length];
        model.run(file.tensor(name + "x").toFloats(), lengths, state, y);
        assertArrayEquals(expected, y, TOLERANCE, backend);
        List<NamedArray> after = tensors(name + "after.");
        assertEquals(after.size(), state.tensors().size());
        for (NamedArray actual : state.tensors()) {
            NamedArray wanted = after.stream().filter(a -> a.name().equals(actual.name())).findFirst().orElseThrow();
            assertArrayEquals(wanted.data(), actual.data(), TOLERANCE, backend + ", " + actual.name());
        }
    }
}
