package dev.ostinato.bench;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;
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
 * Our products beside OpenBLAS, one thread: (rows, inputs) times (inputs, outputs). Ours have their weights packed, as they lie in a
 * model; the side {@code sgemm} is OpenBLAS on plain rows, which is what it is made for ({@code sgemv} for one row); the side
 * {@code openblas} is our backend on it, with packed weights. The counters are GFLOP/s and GB/s.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class GemmBenchmark {
    private static final int ROW_MAJOR = openblas_nolapack.CblasRowMajor;
    private static final int PLAIN = openblas_nolapack.CblasNoTrans;
    private static final int TRANSPOSED = openblas_nolapack.CblasTrans;
    private static final int GATES = 4;
    /** A float's error for each term, with numbers below 1: more than any right product has, less than a wrong one. */
    private static final double TOLERANCE = 1e-6;

    /** Rows, inputs and outputs: an LSTM of 256 units stepped with more and more streams, then cubes. */
    @Param({"1x256x1024", "2x256x1024", "4x256x1024", "8x256x1024", "16x256x1024", "32x256x1024", "64x256x1024",
        "256x256x256", "512x512x512", "1024x1024x1024"})
    public String shape;

    /** A backend, or {@code sgemm}. */
    @Param({"native", "vector", "sgemm", "openblas"})
    public String side;

    private int rows;
    private int inputs;
    private int outputs;
    private Matrix a;
    private Matrix b;
    private Matrix out;
    private PackedMatrix w;
    private Runnable product;

    @Setup
    public void setUp() {
        int[] sizes = Arrays.stream(shape.split("x", -1)).mapToInt(Integer::parseInt).toArray();
        rows = sizes[0];
        inputs = sizes[1];
        outputs = sizes[2];
        Sequence sequence = new Sequence(1);
        a = Matrix.of(sequence.rows(rows, inputs));
        b = Matrix.of(sequence.rows(inputs, outputs));
        w = packed(b);
        out = Matrix.of(rows, outputs);
        product = side.equals("sgemm") ? sgemm() : backend(side);
        check();
    }

    private static PackedMatrix packed(Matrix plain) {
        int units = plain.columns() / GATES;
        PackedMatrix packed = PackedMatrix.of(plain.rows(), GATES, units);
        for (int k = 0; k < plain.rows(); k++) {
            for (int j = 0; j < plain.columns(); j++) {
                packed.set(k, j / units, j % units, plain.get(k, j));
            }
        }
        return packed;
    }

    private Runnable backend(String name) {
        Kernels kernels = Backends.kernels(name);
        return () -> kernels.multiplyAdd(a, w, out);
    }

    private Runnable sgemm() {
        System.out.println(Backends.kernels("openblas").backend().description()); // loads it, with one thread
        FloatPointer left = pointer(a);
        FloatPointer right = pointer(b);
        FloatPointer result = pointer(out);
        if (rows == 1) {
            return () -> openblas_nolapack.cblas_sgemv(ROW_MAJOR, TRANSPOSED, inputs, outputs, 1f, right, b.stride(),
                    left, 1, 1f, result, 1);
        }
        return () -> openblas_nolapack.cblas_sgemm(ROW_MAJOR, PLAIN, PLAIN, rows, outputs, inputs, 1f, left, a.stride(),
                right, b.stride(), 1f, result, out.stride());
    }

    private static FloatPointer pointer(Matrix matrix) {
        return new FloatPointer((Pointer) null) {
            {
                address = matrix.address();
            }
        };
    }

    private void check() {
        Matrix expected = Matrix.of(rows, outputs);
        Backends.kernels("vector").multiplyAdd(a, w, expected);
        product.run();
        for (int r = 0; r < rows; r++) {
            Checks.close(side + ", row " + r, expected.row(r), out.row(r), TOLERANCE * inputs);
        }
    }

    @Benchmark
    public void product(Rates rates) {
        product.run();
        rates.count(2.0 * rows * inputs * outputs,
                Float.BYTES * ((double) inputs * outputs + (double) rows * inputs + 2.0 * rows * outputs));
    }
}
