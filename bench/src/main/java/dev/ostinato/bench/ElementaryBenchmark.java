package dev.ostinato.bench;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
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
import org.openjdk.jmh.annotations.Warmup;

/** Elementwise functions and their gradients over rows of 16 KB, within the first cache level; the score is elements per nanosecond. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class ElementaryBenchmark {
    private static final int ELEMENTS = 4096;
    /** Arguments lie within +-8, where no function is constant. */
    private static final int RANGE = 8;

    @Param({"EXP", "LOG", "TANH", "SIGMOID", "SOFTPLUS", "ERF", "GELU", "SILU"})
    public Function function;

    @Param({"native", "vector"})
    public String backend;

    private final Matrix x = Matrix.of(1, ELEMENTS);
    private final Matrix y = Matrix.of(1, ELEMENTS);
    private final Matrix dy = Matrix.of(1, ELEMENTS);
    private final Matrix dx = Matrix.of(1, ELEMENTS);
    private Kernels kernels;

    @Setup
    public void setUp() {
        kernels = Backends.kernels(backend);
        Sequence sequence = new Sequence(1);
        for (int i = 0; i < ELEMENTS; i++) {
            x.set(0, i, sequence.symmetric(RANGE));
            dy.set(0, i, sequence.symmetric(1));
        }
        Kernels scalar = Backends.kernels("scalar");
        Matrix expected = Matrix.of(1, ELEMENTS);
        scalar.apply(function, x, expected);
        function();
        Checks.sameBits(function.name(), expected.row(0), y.row(0));
        scalar.applyBackward(function, x, dy, expected);
        gradient();
        Checks.sameBits(function + " gradient", expected.row(0), dx.row(0));
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public void function() {
        kernels.apply(function, x, y);
    }

    /** From arguments in place of results too: the time does not depend on them. */
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public void gradient() {
        kernels.applyBackward(function, x, dy, dx);
    }
}
