package dev.ostinato.bench;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;
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

/**
 * Products whose weights take the same memory at every precision, so that one row at a time shows how near each comes to the rate at
 * which that memory is read. The score is calls per microsecond; the counters beside it are GFLOP/s and GB/s of weights.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class PrecisionBenchmark {
    private static final int GATES = 4;

    /** Four gates of more units the more memory there is; as many inputs as that memory holds. */
    @State(Scope.Thread)
    public static class Weights {
        @Param({"F32", "BF16", "INT8"})
        public Precision precision;

        /** KiB: within L1 or L2, L2, L3, and beyond. */
        @Param({"128", "512", "4096", "65536"})
        public int kilobytes;

        @Param({"1", "8", "32"})
        public int rows;

        @Param({"native", "vector"})
        public String backend;

        private Kernels kernels;
        private Precision.Multiply product;
        private Matrix out;
        private double operations;

        @Setup
        public void setUp() {
            int units = Math.min(1024, Integer.highestOneBit((int) Math.sqrt(kilobytes * 32.0)));
            int inputs = kilobytes * 1024 / (GATES * units * precision.bytes);
            Sequence sequence = new Sequence(1);
            PackedMatrix weights = PackedMatrix.of(inputs, GATES, units);
            for (long i = 0; i < PackedMatrix.floats(inputs, GATES, units); i++) {
                weights.memory().setFloat(i, sequence.symmetric(1));
            }
            kernels = Backends.kernels(backend);
            Matrix a = Matrix.of(sequence.rows(rows, inputs));
            product = precision.prepare(a, weights);
            out = Matrix.of(rows, weights.outputs());
            operations = 2.0 * rows * inputs * weights.outputs();
            check(a.rows(rows - 1, rows), weights);
        }

        /** The last row with the bits that it has alone in the scalar backend. */
        private void check(Matrix row, PackedMatrix weights) {
            Matrix expected = Matrix.of(1, weights.outputs());
            precision.prepare(row, weights).run(Backends.kernels("scalar"), expected);
            product.run(kernels, out);
            Checks.sameBits("last row", expected.row(0), out.row(rows - 1));
        }
    }

    @Benchmark
    public void product(Weights state, Rates rates) {
        state.product.run(state.kernels, state.out);
        rates.count(state.operations, state.kilobytes * 1024.0);
    }

    /** A row to be quantised. */
    @State(Scope.Thread)
    public static class Row {
        @Param({"64", "256", "1024"})
        public int columns;

        @Param({"native", "vector"})
        public String backend;

        private Kernels kernels;
        private Matrix x;
        private QuantizedRows q;

        @Setup
        public void setUp() {
            kernels = Backends.kernels(backend);
            x = Matrix.of(new Sequence(1).rows(1, columns));
            q = QuantizedRows.of(1, columns);
        }
    }

    /** The score is rows per microsecond. */
    @Benchmark
    public void quantize(Row row) {
        row.kernels.quantize(Scaling.ROW, row.x, row.q);
    }
}
