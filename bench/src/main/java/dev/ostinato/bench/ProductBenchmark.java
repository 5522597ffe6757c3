package dev.ostinato.bench;

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

/** The products that nearly all time goes into. The score is calls per microsecond; the counters beside it are GFLOP/s and GB/s. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class ProductBenchmark {
    /** Sizes that both products have. */
    @State(Scope.Thread)
    public abstract static class Sizes {
        @Param({"64", "128", "256"})
        public int hidden;

        @Param("4")
        public int gates;

        @Param("vector")
        public String backend;

        Product prepare(int rows) {
            Product expected = new Product("scalar", rows, gates, hidden);
            Product actual = new Product(backend, rows, gates, hidden);
            expected.multiplyAdd();
            actual.multiplyAdd();
            expected.weightGradient();
            actual.weightGradient();
            actual.check(expected);
            return new Product(backend, rows, gates, hidden);
        }
    }

    /** One stream's step, a batch's step, and a batch of 50 steps of 32 streams at once. */
    @State(Scope.Thread)
    public static class Forward extends Sizes {
        @Param({"1", "32", "1600"})
        public int rows;

        private Product product;

        @Setup
        public void setUp() {
            product = prepare(rows);
        }
    }

    /** The gradient of a batch of 50 steps of 32 streams. */
    @State(Scope.Thread)
    public static class Backward extends Sizes {
        @Param("1600")
        public int rows;

        private Product product;

        @Setup
        public void setUp() {
            product = prepare(rows);
        }
    }

    @Benchmark
    public void multiplyAdd(Forward state, Rates rates) {
        state.product.multiplyAdd();
        rates.count(state.product.operations(), state.product.multiplyAddBytes());
    }

    @Benchmark
    public void weightGradient(Backward state, Rates rates) {
        state.product.weightGradient();
        rates.count(state.product.operations(), state.product.weightGradientBytes());
    }
}
