package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.ostinato.formats.DType;
import dev.ostinato.formats.SafeTensors;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import dev.ostinato.onnx.OnnxArray;
import dev.ostinato.onnx.OnnxModel;
import dev.ostinato.onnx.OnnxPlan;
import dev.ostinato.onnx.OnnxSession;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of PyTorch as its exporters write them give PyTorch's outputs; {@code src/test/goldens/onnx_exports.py} says which. */
final class OnnxExportsTest {
    private static final double TOLERANCE = 1e-5;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    /** How long the compiler may still be at work. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static SafeTensors arrays;

    @BeforeAll
    static void read() throws IOException {
        arrays = Goldens.read("onnx-exports");
    }

    static Stream<String> names() throws IOException {
        return Goldens.read("onnx-exports").names().stream().map(name -> name.substring(0, name.indexOf('.')))
                .distinct();
    }

    private static OnnxModel model(String name) throws IOException {
        try {
            return OnnxModel.read(Path.of(
                    Objects.requireNonNull(OnnxExportsTest.class.getResource("/goldens/onnx/" + name + ".onnx"))
                            .toURI()));
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
    }

    private static OnnxArray array(String model, String name) throws IOException {
        return OnnxArray.of(arrays.tensor(model + "." + name));
    }

    private static Map<String, OnnxArray> inputs(String name, OnnxModel model) throws IOException {
        Map<String, OnnxArray> inputs = new LinkedHashMap<>();
        for (OnnxValueInfo input : model.inputs()) {
            inputs.put(input.name(), array(name, input.name()));
        }
        return inputs;
    }

    @ParameterizedTest
    @MethodSource("names")
    void asInPyTorch(String name) throws IOException {
        OnnxModel model = model(name);
        Map<String, OnnxArray> outputs = model.run(inputs(name, model));
        for (OnnxValueInfo output : model.outputs()) {
            OnnxArray expected = array(name, output.name());
            OnnxArray actual = outputs.get(output.name());
            assertArrayEquals(expected.shape(), actual.shape(), output.name());
            assertArrayEquals(expected.toDoubles(), actual.toDoubles(), TOLERANCE, output.name());
        }
    }

    /** What is left when shapes are gone: the tagger's GRU and what makes and reads its inputs and outputs. */
    @ParameterizedTest
    @ValueSource(strings = {"tagger-gru", "tagger-gru-dynamo"})
    void littleIsLeftToCompute(String name) throws IOException {
        OnnxModel model = model(name);
        OnnxPlan plan = model.newSession().prepare(inputs(name, model));
        assertTrue(plan.steps().size() < model.file().graph().nodes().size(), plan.steps().toString());
        assertEquals(1, plan.steps().stream().filter(step -> step.endsWith("(GRU)")).count());
        assertTrue(plan.steps().stream().noneMatch(step -> step.matches(".*\\((Shape|Constant|Unsqueeze|Squeeze)\\)")),
                plan.steps().toString());
    }

    /** States that go from step to step inside the plan are those that go through the caller's hands. */
    @ParameterizedTest
    @ValueSource(strings = {"streaming-lstm", "streaming-lstm-dynamo"})
    void statesAreCarried(String name) throws IOException {
        OnnxModel model = model(name);
        Map<String, OnnxArray> inputs = inputs(name, model);
        OnnxSession session = model.newSession();
        OnnxPlan plan = model.newSession().prepare(inputs);
        for (int step = 0; step < 5; step++) {
            Map<String, OnnxArray> outputs = session.run(inputs);
            plan.run();
            assertArrayEquals(outputs.get("y").toFloats(), plan.get("y").toFloats());
            inputs.put("h", outputs.get("h1"));
            inputs.put("c", outputs.get("c1"));
            if (step % 2 == 0) {
                plan.carryStates();
            } else {
                plan.carry("h1", "h");
                plan.carry("c1", "c");
            }
        }
    }

    /** A state is what comes back changed, whatever it is called; what is computed of one is not. */
    @Test
    void statesAreRecognised() throws IOException {
        assertEquals(Map.of("h", "h1", "c", "c1"), model("streaming-lstm").states());
        assertEquals(Map.of("h", "h1", "c", "c1"), model("streaming-lstm-dynamo").states());
        assertEquals(Map.of(), model("tagger-lstm").states());
    }

    /** One branch goes on from the state, the other begins anew, as voice detectors have it; and a state may be in parts. */
    @Test
    void statesInBranchesAreRecognised() throws IOException {
        OnnxArray one = OnnxArray.of(new float[] {1}, 1, 1, 1);
        OnnxGraphs goingOn = new OnnxGraphs().constant("all", OnnxArray.of(new float[] {1, 1, 1, 1}, 1, 4, 1))
                .node("Split", List.of("state"), List.of("h", "c"), "axis", 0)
                .node("LSTM", List.of("x", "all", "all", "", "", "h", "c"), List.of("", "h1", "c1"))
                .node("Concat", List.of("h1", "c1"), List.of("s1"), "axis", 0).output("s1", DType.F32);
        OnnxGraphs anew = new OnnxGraphs().constant("all2", OnnxArray.of(new float[] {1, 1, 1, 1}, 1, 4, 1))
                .node("LSTM", List.of("x", "all2", "all2"), List.of("", "h2", "c2"))
                .node("Concat", List.of("h2", "c2"), List.of("s2"), "axis", 0).output("s2", DType.F32);
        OnnxGraphs graph = new OnnxGraphs().input("x", one).input("state", OnnxArray.of(new float[2], 2, 1, 1))
                .input("on", OnnxArray.of(DType.BOOL, new long[] {1}))
                .node("If", List.of("on"), List.of("next"), "then_branch", goingOn.branch(), "else_branch",
                        anew.branch())
                .node("Neg", List.of("next"), List.of("other")).output("other", DType.F32).output("next", DType.F32);
        OnnxModel model = OnnxModel.of(Path.of("branches.onnx"), graph.file(13, false));
        assertEquals(Map.of("state", "next"), model.states());
        OnnxPlan plan = model.newSession().prepare(graph.inputs());
        plan.run();
        OnnxArray first = plan.get("next");
        plan.carryStates();
        plan.run();
        assertEquals(false, Arrays.equals(first.toFloats(), plan.get("next").toFloats()));
        assertArrayEquals(
                model.run(Map.of("x", one, "state", first, "on", graph.inputs().get("on"))).get("next").toFloats(),
                plan.get("next").toFloats());
    }

    /** Once compiled: setting, running, carrying and getting. */
    @ParameterizedTest
    @ValueSource(strings = {"streaming-lstm", "streaming-lstm-dynamo"})
    void stepsAllocateNothing(String name) throws IOException {
        OnnxModel model = model(name);
        Map<String, OnnxArray> inputs = inputs(name, model);
        OnnxPlan plan = model.newSession().prepare(inputs);
        float[] frame = inputs.get("frame").toFloats();
        float[] y = new float[2];
        int quiet = 0;
        for (long begin = System.nanoTime(); quiet < 4 && System.nanoTime() - begin < PATIENCE.toNanos();) {
            long before = THREADS.getThreadAllocatedBytes(Thread.currentThread().threadId());
            for (int step = 0; step < 500; step++) {
                plan.set("frame", frame);
                plan.run();
                plan.carryStates();
                plan.get("y", y);
            }
            long bytes = THREADS.getThreadAllocatedBytes(Thread.currentThread().threadId()) - before;
            quiet = bytes == 0 ? quiet + 1 : 0;
        }
        assertEquals(4, quiet, "rounds of 500 steps without allocation");
    }
}
