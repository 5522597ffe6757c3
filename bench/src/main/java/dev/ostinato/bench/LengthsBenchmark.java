package dev.ostinato.bench;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Rows of different lengths, half as long in the mean as the longest, beside rows that all have the greatest length. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 8, time = 1)
@Fork(value = 2, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@org.openjdk.jmh.annotations.State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class LengthsBenchmark {
    private static final int STEPS = 100;
    private static final int ROWS = 32;

    /** Which way the layer goes through time. */
    public enum Way {
        FORWARD, BOTH
    }

    /** How long the rows are. */
    public enum Lengths {
        ALL, HALF
    }

    @Param({"lstm", "gru"})
    public String cell;

    @Param("256")
    public int hidden;

    @Param
    public Way way;

    @Param
    public Lengths lengths;

    @Param("native")
    public String backend;

    private Sequences sequences;
    private Model model;
    private State state;
    private float[] x;
    private float[] y;
    private Trainer trainer;
    private Batch batch;

    @Setup
    public void setUp() {
        int[] each = new int[ROWS];
        // Evenly spread over 0..100, in no order.
        Arrays.setAll(each, b -> lengths == Lengths.ALL ? STEPS : (2 * (b * 11 % ROWS) + 1) * STEPS / (2 * ROWS));
        sequences = Sequences.ofLengths(STEPS, each);
        Model.Builder builder = Model.builder().features(hidden);
        CellType type = CellType.of(cell);
        model = (way == Way.FORWARD ? builder.recurrent(type, hidden)
                : builder.bidirectional(type, hidden, Layer.Merge.SUM)).seed(1).backend(backend).build();
        state = model.newState(ROWS);
        x = new Sequence(2).rows(1, STEPS * ROWS * hidden)[0];
        y = new float[x.length];
        Model scalar = model.withBackend("scalar");
        float[] expected = new float[y.length];
        scalar.run(x, sequences, scalar.newState(ROWS), expected);
        Checks.sameBits("h", expected, inference());
        trainer = Trainer.builder(model).loss(Loss.squaredError()).build();
        batch = Batch.featuresToValues(sequences, x, new float[y.length]);
    }

    @TearDown
    public void tearDown() {
        trainer.close();
    }

    @Benchmark
    public float[] inference() {
        model.run(x, sequences, state, y);
        return y;
    }

    /** Forward and backward. */
    @Benchmark
    public double gradients() {
        return trainer.gradients(batch);
    }
}
