package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.State;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The options of cells do what ONNX Runtime says, which {@code src/test/goldens/onnx_cells.py} compares with NumPy: activations, clips,
 * peepholes, coupled gates, no biases. ONNX Runtime computes in single precision, so a few units of that in each of six steps.
 */
final class OnnxGoldenTest {
    private static final float TOLERANCE = 1e-5f;

    private static SafeTensors file;
    private static List<String> cells;

    @BeforeAll
    static void read() throws IOException {
        file = Goldens.read("onnx-cells");
        cells = List.of(file.metadata().get("cells").split(" "));
    }

    @Test
    void everyBackendComputesEveryCell() throws IOException {
        assertEquals(21, cells.size());
        for (String backend : ExactBackends.names().toList()) {
            for (int number = 0; number < cells.size(); number++) {
                Model model = model(number, weights(number)).withBackend(backend);
                State state = stateBefore(number, model);
                float[] expected = floats(number, "y");
                String what = backend + ", " + cells.get(number);
                assertArrayEquals(expected, run(number, model, state), TOLERANCE, what);
                for (NamedArray after : state.tensors()) {
                    assertArrayEquals(floats(number, after.name().substring(4, 5)), after.data(), TOLERANCE, what);
                }
            }
        }
    }

    /** What is rounded is what it was, roughly: no option is lost on the way to narrow weights. */
    @Test
    void narrowWeightsComputeThemToo() throws IOException {
        for (int number = 0; number < cells.size(); number++) {
            for (Precision precision : List.of(Precision.BF16, Precision.INT8)) {
                Model model = model(number, weights(number)).withPrecision(precision);
                assertArrayEquals(floats(number, "y"), run(number, model, stateBefore(number, model)), 0.3f,
                        precision + ", " + cells.get(number));
            }
        }
    }

    @Test
    void swappedGatesAndPeepholesAreSeen() throws IOException {
        for (int number = 0; number < cells.size(); number++) {
            CellType cell = CellType.of(cells.get(number));
            for (int gate = 1; gate < cell.gates(); gate++) {
                for (int other = 0; other < gate; other++) {
                    differs(number, Gates.swapped(weights(number), cell, gate, other));
                }
            }
            List<NamedArray> peepholes = weights(number).stream().filter(w -> w.name().contains("weight_c")).toList();
            for (int i = 1; i < peepholes.size(); i++) {
                differs(number, exchanged(weights(number), peepholes.get(i - 1), peepholes.get(i)));
            }
        }
    }

    private static void differs(int number, List<NamedArray> weights) throws IOException {
        Model model = model(number, weights);
        float[] expected = floats(number, "y");
        float[] y = run(number, model, stateBefore(number, model));
        float most = 0;
        for (int i = 0; i < y.length; i++) {
            most = Math.max(most, Math.abs(y[i] - expected[i]));
        }
        assertFalse(most < 100 * TOLERANCE, cells.get(number));
    }

    private static List<NamedArray> exchanged(List<NamedArray> weights, NamedArray one, NamedArray other) {
        return weights.stream().map(w -> w.name().equals(one.name()) ? new NamedArray(w.name(), w.shape(), other.data())
                : w.name().equals(other.name()) ? new NamedArray(w.name(), w.shape(), one.data()) : w).toList();
    }

    private static Model model(int number, List<NamedArray> weights) throws IOException {
        long[] x = file.tensor(number + ".x").shape();
        long[] h = file.tensor(number + ".h0").shape();
        Model layers =
                Model.builder().features((int) x[2]).recurrent(CellType.of(cells.get(number)), (int) h[1]).build();
        return Model.of(layers.layers(), weights);
    }

    /** Returns the weights of a cell, which are all that it has. */
    private static List<NamedArray> weights(int number) throws IOException {
        List<NamedArray> weights = new ArrayList<>();
        for (String name : file.names()) {
            String own = name.substring(name.indexOf('.') + 1);
            if (name.startsWith(number + ".") && (own.startsWith("weight") || own.startsWith("bias"))) {
                weights.add(Goldens.tensor(file, name, "rnn." + own + "_l0"));
            }
        }
        Model model = Model.builder().features(5).recurrent(CellType.of(cells.get(number)), 7).build();
        assertEquals(model.tensors().stream().map(NamedArray::name).sorted().toList(),
                weights.stream().map(NamedArray::name).sorted().toList());
        return weights;
    }

    private static State stateBefore(int number, Model model) throws IOException {
        int rows = (int) file.tensor(number + ".h0").shape()[0];
        State state = model.newState(rows);
        List<NamedArray> before = new ArrayList<>();
        for (NamedArray array : state.tensors()) {
            before.add(new NamedArray(array.name(), array.shape(), floats(number, array.name().charAt(4) + "0")));
        }
        state.setTensors(before);
        return state;
    }

    private static float[] run(int number, Model model, State state) throws IOException {
        float[] y = new float[floats(number, "y").length];
        model.run(floats(number, "x"), state, y);
        return y;
    }

    private static float[] floats(int number, String name) throws IOException {
        return file.tensor(number + "." + name).toFloats();
    }
}
