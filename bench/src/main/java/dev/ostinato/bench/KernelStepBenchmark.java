package dev.ostinato.bench;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.Sweep;
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
 * One step of a cell with as many inputs as units: the kernel's call alone, there and back through the weights, or through the first of some
 * shares of them. The score is calls per microsecond; the counters beside it are GFLOP/s of the products and GB/s of weights.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class KernelStepBenchmark {
    /** Gates of the weights, and slots of the pre-activations. */
    public enum Cell {
        RNN(1, 1),
        LSTM(4, 4),
        GRU(3, 4);

        final int gates;
        final int slots;

        Cell(int gates, int slots) {
            this.gates = gates;
            this.slots = slots;
        }
    }

    @Param({"LSTM", "GRU", "RNN"})
    public Cell cell;

    @Param({"F32", "BF16", "INT8"})
    public Precision precision;

    @Param({"64", "128", "256", "512"})
    public int hidden;

    @Param({"1", "8", "32"})
    public int rows;

    @Param("1")
    public int parts;

    @Param({"native", "vector"})
    public String backend;

    private Kernels kernels;
    private Matrix start;
    private Matrix x;
    private Matrix c;
    private Matrix[] h;
    private PackedWeights w;
    private PackedWeights u;
    private Sweep[] sweeps;
    private int turn;
    private double operations;
    private double bytes;

    @Setup
    public void setUp() {
        Sequence sequence = new Sequence(1);
        PackedWeights[] pair = precision.pair(weights(sequence), weights(sequence));
        w = pair[0];
        u = pair[1];
        int padded = Matrix.padded(hidden);
        start = Matrix.of(1, cell.slots * padded);
        x = Matrix.of(sequence.rows(rows, hidden));
        sweeps = new Sweep[] {Sweep.ASCENDING.share(0, parts), Sweep.DESCENDING.share(0, parts)};
        operations = 4.0 * rows * hidden * w.outputs() / parts;
        bytes = (double) (w.byteSize() + u.byteSize()) / parts;
        kernels = Backends.kernels("scalar");
        reset(padded);
        step();
        float[] expected = h[1].row(rows - 1);
        kernels = Backends.kernels(backend);
        reset(padded);
        step();
        Checks.sameBits("h of the last row", expected, h[1].row(rows - 1));
    }

    private PackedMatrix weights(Sequence sequence) {
        PackedMatrix weights = PackedMatrix.of(hidden, cell.gates, hidden);
        for (int k = 0; k < hidden; k++) {
            for (int gate = 0; gate < cell.gates; gate++) {
                for (int unit = 0; unit < hidden; unit++) {
                    weights.set(k, gate, unit, sequence.symmetric(1) / 16);
                }
            }
        }
        return weights;
    }

    private void reset(int padded) {
        c = Matrix.of(rows, padded);
        h = new Matrix[] {Matrix.of(rows, padded), Matrix.of(rows, padded)};
        turn = 0;
    }

    @Benchmark
    public void step(Rates rates) {
        step();
        rates.count(operations, bytes);
    }

    private void step() {
        Matrix before = h[turn];
        Matrix after = h[1 - turn];
        Sweep sweep = sweeps[turn];
        switch (cell) {
            case RNN -> kernels.rnnSteps(Activation.TANH, start, x, w, before, u, sweep, after);
            case LSTM -> kernels.lstmSteps(start, x, w, before, u, sweep, c, after);
            case GRU -> kernels.gruSteps(start, x, w, before, u, sweep, after);
        }
        turn = 1 - turn;
    }
}
