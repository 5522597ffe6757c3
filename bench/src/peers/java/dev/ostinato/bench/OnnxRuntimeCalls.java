package dev.ostinato.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The streams of {@link CellCalls} in ONNX Runtime: same weights, same inputs, from inputs in an array to h in an array. The fastest
 * way through its Java binding: all optimisations, one session, and tensors on direct buffers made in advance. Two sets of state tensors
 * take turns at being read and written, so that no state is ever copied.
 */
final class OnnxRuntimeCalls implements AutoCloseable {
    private final OrtSession session;
    private final List<OnnxTensor> tensors = new ArrayList<>();
    private final FloatBuffer x;
    private final Turn even;
    private final Turn odd;
    private final float[][] inputs;
    private final float[] output;
    private int next;

    /** What one of two successive calls reads and writes. */
    private record Turn(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs, FloatBuffer y) {}

    OnnxRuntimeCalls(CellCalls.Shape shape, int threads) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        byte[] model = new OnnxCell(shape.cell(), shape.hidden(), shape.steps(), shape.rows(), shape.model().tensors())
                .model();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OptLevel.ALL_OPT);
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            // Up to 8 % less time at H = 64, no more at any size. Memory patterns and flushing subnormals make no difference.
            options.setCPUArenaAllocator(false);
            session = environment.createSession(model, options);
        }
        inputs = shape.inputs();
        output = new float[shape.floats()];
        x = floats(shape.floats());
        FloatBuffer all = floats(shape.floats());
        Map<String, OnnxTensor> evenIn = new HashMap<>();
        Map<String, OnnxTensor> oddIn = new HashMap<>();
        Map<String, OnnxTensor> evenOut = new HashMap<>();
        Map<String, OnnxTensor> oddOut = new HashMap<>();
        OnnxTensor tensorOfX = tensor(environment, x, shape.steps(), shape.rows(), shape.hidden());
        evenIn.put("X", tensorOfX);
        oddIn.put("X", tensorOfX);
        int state = shape.rows() * shape.hidden();
        FloatBuffer first = floats(state);
        FloatBuffer second = floats(state);
        for (String name : OnnxCell.hasCellState(shape.cell()) ? List.of("h", "c") : List.of("h")) {
            OnnxTensor a = tensor(environment, name.equals("h") ? first : floats(state), 1, shape.rows(), shape.hidden());
            OnnxTensor b = tensor(environment, name.equals("h") ? second : floats(state), 1, shape.rows(), shape.hidden());
            evenIn.put("initial_" + name, a);
            evenOut.put("Y_" + name, b);
            oddIn.put("initial_" + name, b);
            oddOut.put("Y_" + name, a);
        }
        if (shape.steps() > 1) {
            OnnxTensor y = tensor(environment, all, shape.steps(), 1, shape.rows(), shape.hidden());
            evenOut.put("Y", y);
            oddOut.put("Y", y);
        }
        even = new Turn(evenIn, evenOut, shape.steps() > 1 ? all : second);
        odd = new Turn(oddIn, oddOut, shape.steps() > 1 ? all : first);
    }

    private static FloatBuffer floats(int count) {
        return ByteBuffer.allocateDirect(count * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /** Views a direct buffer as a tensor, without copying. */
    private OnnxTensor tensor(OrtEnvironment environment, FloatBuffer buffer, long... shape) throws OrtException {
        OnnxTensor tensor = OnnxTensor.createTensor(environment, buffer, shape);
        tensors.add(tensor);
        return tensor;
    }

    /** Returns h after each step of the next inputs; the array is always the same. */
    float[] call() throws OrtException {
        Turn turn = (next & 1) == 0 ? even : odd;
        x.put(0, inputs[next]);
        next = (next + 1) % inputs.length;
        session.run(turn.inputs, turn.outputs).close();
        turn.y.get(0, output);
        return output;
    }

    /** Makes some calls beside Ostinato. @throws IllegalStateException if an h differs by more than the tolerance */
    void checkAgainst(CellCalls expected, int calls, double tolerance) throws OrtException {
        for (int i = 0; i < calls; i++) {
            Checks.close("h after call " + i, expected.call(), call(), tolerance);
        }
    }

    @Override
    public void close() throws OrtException {
        tensors.forEach(OnnxTensor::close);
        session.close();
    }
}
