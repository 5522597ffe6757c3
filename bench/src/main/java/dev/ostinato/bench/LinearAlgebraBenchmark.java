package dev.ostinato.bench;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Slice;
import dev.ostinato.kernels.SliceKernels;
import dev.ostinato.kernels.Transpose;
import java.util.Arrays;
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
 * Plain linear algebra on matrices, and on arrays through slices. The score is calls per microsecond; the counters beside it are GFLOP/s
 * and GB/s.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class LinearAlgebraBenchmark {
    /** Two vectors: in L1, in L2 and beyond. */
    @State(Scope.Thread)
    public static class Vectors {
        @Param({"256", "4096", "65536", "4194304"})
        public int length;

        @Param({"native", "vector"})
        public String backend;

        private Kernels kernels;
        private SliceKernels slices;
        private Matrix x;
        private Matrix y;
        private Slice xSlice;
        private Slice ySlice;

        @Setup
        public void setUp() {
            Sequence sequence = new Sequence(1);
            float[] xs = sequence.floats(length);
            float[] ys = sequence.floats(length);
            kernels = Backends.kernels(backend);
            slices = kernels.slices();
            x = Matrix.of(new float[][] {xs});
            y = Matrix.of(new float[][] {ys});
            xSlice = Slice.of(xs);
            ySlice = Slice.of(ys);
            float[] expected = {Backends.kernels("scalar").dot(x, y)};
            Checks.sameBits("dot", expected, new float[] {kernels.dot(x, y)});
            Checks.sameBits("dot of slices", expected, new float[] {slices.dot(xSlice, ySlice)});
        }
    }

    /** A square matrix and a vector. */
    @State(Scope.Thread)
    public static class Gemv {
        @Param({"64", "128", "256", "512", "1024"})
        public int size;

        @Param({"NO", "YES"})
        public Transpose transpose;

        @Param({"native", "vector"})
        public String backend;

        private Kernels kernels;
        private Matrix a;
        private Matrix x;
        private Matrix y;

        @Setup
        public void setUp() {
            Sequence sequence = new Sequence(1);
            kernels = Backends.kernels(backend);
            a = Matrix.of(sequence.rows(size, size));
            x = Matrix.of(sequence.rows(1, size));
            y = Matrix.of(1, size);
            Backends.kernels("scalar").gemv(transpose, 1f, a, x, 0f, y);
            float[] expected = y.row(0);
            kernels.gemv(transpose, 1f, a, x, 0f, y);
            Checks.sameBits("gemv", expected, y.row(0));
        }
    }

    /** Rows times a square matrix; 0 rows stand for as many as the matrix has. */
    @State(Scope.Thread)
    public static class Gemm {
        @Param({"64", "128", "256", "512", "1024"})
        public int size;

        @Param({"0", "1", "4", "16", "64"})
        public int rows;

        @Param({"NO", "YES"})
        public Transpose transposeB;

        @Param({"native", "vector"})
        public String backend;

        private Kernels kernels;
        private SliceKernels slices;
        private Matrix a;
        private Matrix b;
        private Matrix c;
        private Slice aSlice;
        private Slice bSlice;
        private Slice cSlice;

        @Setup
        public void setUp() {
            int r = rows == 0 ? size : rows;
            Sequence sequence = new Sequence(1);
            kernels = Backends.kernels(backend);
            slices = kernels.slices();
            float[] as = sequence.floats(r * size);
            float[] bs = sequence.floats(size * size);
            float[] cs = new float[r * size];
            aSlice = Slice.of(as, 0, r, size, size);
            bSlice = Slice.of(bs, 0, size, size, size);
            cSlice = Slice.of(cs, 0, r, size, size);
            a = Matrix.of(r, size);
            b = Matrix.of(size, size);
            c = Matrix.of(r, size);
            for (int i = 0; i < r; i++) {
                a.setRow(i, as, i * size);
            }
            for (int i = 0; i < size; i++) {
                b.setRow(i, bs, i * size);
            }
            Backends.kernels("scalar").gemm(Transpose.NO, transposeB, 1f, a, b, 0f, c);
            float[] expected = c.row(r - 1);
            kernels.gemm(Transpose.NO, transposeB, 1f, a, b, 0f, c);
            Checks.sameBits("gemm", expected, c.row(r - 1));
            slices.gemm(Transpose.NO, transposeB, 1f, aSlice, bSlice, 0f, cSlice);
            Checks.sameBits("gemm of slices", expected, Arrays.copyOfRange(cs, (r - 1) * size, r * size));
        }

        private double operations() {
            return 2.0 * c.rows() * size * size;
        }

        private double bytes() {
            return Float.BYTES * ((double) size * size + 3.0 * c.rows() * size);
        }
    }

    @Benchmark
    public float dot(Vectors s, Rates rates) {
        rates.count(2.0 * s.length, 8.0 * s.length);
        return s.kernels.dot(s.x, s.y);
    }

    @Benchmark
    public float dotOfArrays(Vectors s, Rates rates) {
        rates.count(2.0 * s.length, 8.0 * s.length);
        return s.slices.dot(s.xSlice, s.ySlice);
    }

    @Benchmark
    public void axpy(Vectors s, Rates rates) {
        rates.count(2.0 * s.length, 12.0 * s.length);
        s.kernels.axpy(0x1p-20f, s.x, s.y);
    }

    @Benchmark
    public void axpyOfArrays(Vectors s, Rates rates) {
        rates.count(2.0 * s.length, 12.0 * s.length);
        s.slices.axpy(0x1p-20f, s.xSlice, s.ySlice);
    }

    @Benchmark
    public float nrm2(Vectors s, Rates rates) {
        rates.count(2.0 * s.length, 4.0 * s.length);
        return s.kernels.nrm2(s.x);
    }

    @Benchmark
    public void gemv(Gemv s, Rates rates) {
        rates.count(2.0 * s.size * s.size, 4.0 * s.size * s.size);
        s.kernels.gemv(s.transpose, 1f, s.a, s.x, 0f, s.y);
    }

    @Benchmark
    public void gemm(Gemm s, Rates rates) {
        rates.count(s.operations(), s.bytes());
        s.kernels.gemm(Transpose.NO, s.transposeB, 1f, s.a, s.b, 0f, s.c);
    }

    @Benchmark
    public void gemmOfArrays(Gemm s, Rates rates) {
        rates.count(s.operations(), s.bytes());
        s.slices.gemm(Transpose.NO, s.transposeB, 1f, s.aSlice, s.bSlice, 0f, s.cSlice);
    }
}
