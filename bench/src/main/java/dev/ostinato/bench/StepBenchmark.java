package dev.ostinato.bench;

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
import org.openjdk.jmh.annotations.Warmup;

/** One step of one stream: the time from an input in an array to h in an array. */
// Average time: the mean is what a service pays; -bm sample adds the percentiles.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
// Vector code runs a hundred times slower until C2 has compiled it, at the latest within the first seconds.
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
// Three virtual machines: what C2 makes of a kernel differs from one to the next.
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class StepBenchmark {
    @Param({"lstm", "gru", "rnn-tanh"})
    public String cell;

    @Param({"64", "128", "256"})
    public int hidden;

    @Param({"vector", "scalar"})
    public String backend;

    private CellCalls steps;

    @Setup
    public void setUp() {
        CellType type = CellType.of(cell);
        CellCalls.Shape shape = CellCalls.Shape.step(type, hidden);
        new CellCalls(shape, backend).checkAgainst(new CellCalls(shape, "scalar"), 8);
        steps = new CellCalls(shape, backend);
    }

    @Benchmark
    public float[] step() {
        return steps.call();
    }
}
