package dev.ostinato.tests;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.ostinato.formats.DType;
import dev.ostinato.onnx.OnnxArray;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** ONNX Runtime's Java binding, for comparison. */
final class OnnxRuntime {
    private static final OrtEnvironment ENVIRONMENT =
            OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);

    private OnnxRuntime() {
    }

    /** Runs a model on one thread, its nodes as they are. @throws OrtException if ONNX Runtime does not take it */
    static Map<String, OnnxArray> run(byte[] model, Map<String, OnnxArray> inputs) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OptLevel.NO_OPT);
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            try (OrtSession session = ENVIRONMENT.createSession(model, options)) {
                return run(session, inputs);
            }
        }
    }

    private static Map<String, OnnxArray> run(OrtSession session, Map<String, OnnxArray> inputs) throws OrtException {
        Map<String, OnnxTensor> tensors = new HashMap<>();
        try {
            for (Map.Entry<String, OnnxArray> entry : inputs.entrySet()) {
                tensors.put(entry.getKey(), tensor(entry.getValue()));
            }
            Map<String, OnnxArray> outputs = new LinkedHashMap<>();
            try (OrtSession.Result result = session.run(tensors)) {
                for (Map.Entry<String, OnnxValue> entry : result) {
                    outputs.put(entry.getKey(), array((OnnxTensor) entry.getValue()));
                }
            }
            return outputs;
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    private static OnnxTensor tensor(OnnxArray array) throws OrtException {
        long[] shape = Arrays.stream(array.shape()).asLongStream().toArray();
        return switch (array.type()) {
            case F32 -> OnnxTensor.createTensor(ENVIRONMENT, FloatBuffer.wrap(array.toFloats()), shape);
            case F64 -> OnnxTensor.createTensor(ENVIRONMENT, DoubleBuffer.wrap(array.toDoubles()), shape);
            case I64 -> OnnxTensor.createTensor(ENVIRONMENT, LongBuffer.wrap(array.toLongs()), shape);
            case I32 -> OnnxTensor.createTensor(ENVIRONMENT,
                    IntBuffer.wrap(Arrays.stream(array.toLongs()).mapToInt(Math::toIntExact).toArray()), shape);
            case BOOL -> {
                ByteBuffer bytes = ByteBuffer.allocateDirect(Math.max(1, array.toLongs().length));
                for (long element : array.toLongs()) {
                    bytes.put((byte) element);
                }
                yield OnnxTensor.createTensor(ENVIRONMENT, bytes.flip(), shape, OnnxJavaType.BOOL);
            }
            default -> throw new IllegalArgumentException("no such tensor: " + array);
        };
    }

    private static OnnxArray array(OnnxTensor tensor) {
        int[] shape = Arrays.stream(tensor.getInfo().getShape()).mapToInt(Math::toIntExact).toArray();
        int size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        return switch (tensor.getInfo().type) {
            case FLOAT -> {
                float[] data = new float[size];
                tensor.getFloatBuffer().get(data);
                yield OnnxArray.of(data, shape);
            }
            case DOUBLE -> {
                double[] data = new double[size];
                tensor.getDoubleBuffer().get(data);
                yield OnnxArray.of(data, shape);
            }
            case INT64 -> {
                long[] data = new long[size];
                tensor.getLongBuffer().get(data);
                yield OnnxArray.of(data, shape);
            }
            case INT32 -> {
                int[] data = new int[size];
                tensor.getIntBuffer().get(data);
                yield OnnxArray.of(DType.I32, Arrays.stream(data).asLongStream().toArray(), shape);
            }
            case BOOL -> {
                long[] data = new long[size];
                ByteBuffer bytes = tensor.getByteBuffer();
                for (int i = 0; i < size; i++) {
                    data[i] = bytes.get(i);
                }
                yield OnnxArray.of(DType.BOOL, data, shape);
            }
            default -> throw new IllegalArgumentException("no such array: " + tensor.getInfo());
        };
    }
}
