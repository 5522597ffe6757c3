package dev.ostinato.bench;

import ai.onnxruntime.OrtException;
import dev.ostinato.nn.CellType;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The step of {@link StepBenchmark} in ONNX Runtime. For ratios prefer {@link StepComparison}, which measures both side by side. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class OnnxRuntimeStepBenchmark {
    @Param({"lstm", "gru", "rnn-tanh"})
    public String cell;

    @Param({"64", "128", "256"})
    public int hidden;

    private OnnxRuntimeCalls steps;

    @Setup
    public void setUp() throws OrtException {
        CellType type = CellType.of(cell);
        steps = new OnnxRuntimeCalls(CellCalls.Shape.step(type, hidden), 1);
        steps.checkAgainst(new CellCalls(CellCalls.Shape.step(type, hidden), "scalar"), StepComparison.CHECKED,
                StepComparison.TOLERANCE);
    }

    @TearDown
    public void tearDown() throws OrtException {
        steps.close();
    }

    @Benchmark
    public float[] step() throws OrtException {
        return steps.call();
    }
}
