package dev.ostinato.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Elementwise functions in ONNX Runtime over as many floats as in {@link ElementaryBenchmark}: sixteen of the same operator one behind the
 * other, so that the call of the session hardly counts. One thread, all optimisations, tensors on direct buffers made in advance.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class OnnxRuntimeFunctionBenchmark {
    private static final int ELEMENTS = 4096;
    private static final int NODES = 16;
    private static final int IR_VERSION = 8;
    private static final int OPSET = 14;
    private static final int FLOAT = 1; // TensorProto.DataType
    private static final double TOLERANCE = 1e-5;

    /** ONNX's names. */
    @Param({"Tanh", "Sigmoid"})
    public String operator;

    private OrtSession session;
    private Map<String, OnnxTensor> inputs;
    private Map<String, OnnxTensor> outputs;

    @Setup
    public void setUp() throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OptLevel.ALL_OPT);
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            session = environment.createSession(model(), options);
        }
        FloatBuffer x = floats();
        FloatBuffer y = floats();
        Sequence sequence = new Sequence(1);
        for (int i = 0; i < ELEMENTS; i++) {
            x.put(i, sequence.symmetric(8));
        }
        long[] shape = {ELEMENTS};
        inputs = Map.of("t0", OnnxTensor.createTensor(environment, x, shape));
        outputs = Map.of("t" + NODES, OnnxTensor.createTensor(environment, y, shape));
        chain();
        double expected = x.get(0);
        for (int i = 0; i < NODES; i++) {
            expected = operator.equals("Tanh") ? Math.tanh(expected) : 1 / (1 + Math.exp(-expected));
        }
        Checks.close(operator, new float[] {(float) expected}, new float[] {y.get(0)}, TOLERANCE);
    }

    private static FloatBuffer floats() {
        return ByteBuffer.allocateDirect(ELEMENTS * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    private byte[] model() {
        Protobuf graph = new Protobuf();
        for (int i = 0; i < NODES; i++) {
            graph.put(1, new Protobuf().put(1, "t" + i).put(2, "t" + (i + 1)).put(4, operator));
        }
        graph.put(2, "chain").put(11, value("t0")).put(12, value("t" + NODES));
        return new Protobuf().put(1, IR_VERSION).put(7, graph).put(8, new Protobuf().put(1, "").put(2, OPSET)).bytes();
    }

    private static Protobuf value(String name) {
        Protobuf shape = new Protobuf().put(1, new Protobuf().put(1, ELEMENTS));
        return new Protobuf().put(1, name).put(2, new Protobuf().put(1, new Protobuf().put(1, FLOAT).put(2, shape)));
    }

    @TearDown
    public void tearDown() throws OrtException {
        inputs.values().forEach(OnnxTensor::close);
        outputs.values().forEach(OnnxTensor::close);
        session.close();
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS * NODES)
    public void chain() throws OrtException {
        session.run(inputs, outputs).close();
    }
}
