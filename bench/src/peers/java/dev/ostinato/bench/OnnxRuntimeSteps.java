package dev.ostinato.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.ostinato.nn.CellType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The stream of {@link CellSteps} in ONNX Runtime: same weights, same inputs, from an input in an array to h in an array. The fastest
 * way through its Java binding: one thread, all optimisations, one session, and tensors on direct buffers made in advance. Two sets of
 * state tensors take turns at being read and written, so that no state is ever copied.
 */
final class OnnxRuntimeSteps implements AutoCloseable {
    private final OrtSession session;
    private final List<OnnxTensor> tensors = new ArrayList<>();
    private final FloatBuffer x;
    private final Turn even;
    private final Turn odd;
    private final float[][] inputs;
    private final float[] output;
    private int next;

    /** What one of two successive steps reads and writes. */
    private record Turn(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs, FloatBuffer h) {}

    OnnxRuntimeSteps(CellType cell, int hidden) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        byte[] model = new OnnxCell(cell, hidden, CellSteps.model(cell, hidden).tensors()).model();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OptLevel.ALL_OPT);
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            // Up to 8 % less time at H = 64, no more at any size. Memory patterns and flushing subnormals make no difference.
            options.setCPUArenaAllocator(false);
            session = environment.createSession(model, options);
        }
        inputs = CellSteps.inputs(hidden);
        output = new float[hidden];
        x = floats(hidden);
        Map<String, OnnxTensor> shared = Map.of("X", tensor(environment, x));
        FloatBuffer first = floats(hidden);
        FloatBuffer second = floats(hidden);
        List<String> states = OnnxCell.hasCellState(cell) ? List.of("h", "c") : List.of("h");
        Map<String, OnnxTensor> evenIn = new HashMap<>(shared);
        Map<String, OnnxTensor> evenOut = new HashMap<>();
        Map<String, OnnxTensor> oddIn = new HashMap<>(shared);
        Map<String, OnnxTensor> oddOut = new HashMap<>();
        for (String state : states) {
            OnnxTensor a = tensor(environment, state.equals("h") ? first : floats(hidden));
            OnnxTensor b = tensor(environment, state.equals("h") ? second : floats(hidden));
            evenIn.put("initial_" + state, a);
            evenOut.put("Y_" + state, b);
            oddIn.put("initial_" + state, b);
            oddOut.put("Y_" + state, a);
        }
        even = new Turn(evenIn, evenOut, second);
        odd = new Turn(oddIn, oddOut, first);
    }

    private static FloatBuffer floats(int count) {
        return ByteBuffer.allocateDirect(count * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /** Views a direct buffer as a tensor (1, 1, H), without copying. */
    private OnnxTensor tensor(OrtEnvironment environment, FloatBuffer buffer) throws OrtException {
        OnnxTensor tensor = OnnxTensor.createTensor(environment, buffer, new long[] {1, 1, buffer.capacity()});
        tensors.add(tensor);
        return tensor;
    }

    /** Returns h after the next input; the array is always the same. */
    float[] step() throws OrtException {
        Turn turn = (next & 1) == 0 ? even : odd;
        x.put(0, inputs[next]);
        next = (next + 1) % inputs.length;
        session.run(turn.inputs, turn.outputs).close();
        turn.h.get(0, output);
        return output;
    }

    /** Takes some steps beside Ostinato. @throws IllegalStateException if an h differs by more than the tolerance */
    void checkAgainst(CellSteps expected, int steps, double tolerance) throws OrtException {
        for (int t = 0; t < steps; t++) {
            Checks.close("h after step " + t, expected.step(), step(), tolerance);
        }
    }

    @Override
    public void close() throws OrtException {
        tensors.forEach(OnnxTensor::close);
        session.close();
    }
}
