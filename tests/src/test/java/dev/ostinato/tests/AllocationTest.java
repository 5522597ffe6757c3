package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.Slice;
import dev.ostinato.kernels.SliceKernels;
import dev.ostinato.kernels.Sweep;
import dev.ostinato.kernels.Transpose;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import dev.ostinato.tests.Operands.Precision;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Once compiled, a step allocates nothing: not one byte in thousands of steps. On the vector backend that is up to what the compiler inlines.
 */
@ParameterizedClass(name = "{0}")
@ValueSource(strings = {"native", "vector", "scalar"})
final class AllocationTest {
    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int STEPS = 500;
    /** For how long of the processor's time the compiler may still be at work; by the clock it takes longer where other processes work too. */
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    private final String backend;

    AllocationTest(String backend) {
        this.backend = backend;
    }

    static Stream<Arguments> models() {
        return CellType.all().stream().flatMap(
                cell -> Stream.of(Arguments.of(cell, 1), Arguments.of(cell, 5)));
    }

    @ParameterizedTest(name = "{0}, {1} rows")
    @MethodSource("models")
    void aStepFromTokensAllocatesNothing(CellType cell, int rows) {
        Model model = Model.builder().embedding(17, 11).recurrent(cell, 35).dropout(0.5).recurrent(cell, 19).dense(17)
                .backend(backend).build();
        int[][] tokens = new int[16][];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = new SplittableRandom(i).ints(rows, 0, 17).toArray();
        }
        State state = model.newState(rows);
        float[] y = new float[rows * 17];
        allocatesNothing(cell, i -> model.step(tokens[i % tokens.length], state, y));
    }

    @ParameterizedTest(name = "{0}, {1} rows")
    @MethodSource("models")
    void aStepFromFeaturesAllocatesNothing(CellType cell, int rows) {
        Model model = Model.builder().features(9).recurrent(cell, 35).dense(3).backend(backend).build();
        float[] x = new RandomBatch(model, 1, rows, new SplittableRandom(1)).features;
        State state = model.newState(rows);
        float[] y = new float[rows * 3];
        allocatesNothing(cell, i -> model.step(x, state, y));
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void aStepFromOneTokenAllocatesNothing(CellType cell) {
        Model model = Model.builder().oneHot(17).recurrent(cell, 35).dense(17).backend(backend).build();
        State state = model.newState();
        float[] y = new float[17];
        allocatesNothing(cell, i -> model.step(i % 17, state, y));
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void aRunAllocatesNothing(CellType cell) {
        Model model = Model.builder().features(9).recurrent(cell, 35).dense(3).backend(backend).build();
        State state = model.newState(2);
        float[] x = new float[3 * 2 * 9]; // there and back, and on
        float[] y = new float[3 * 2 * 3];
        Slice from = Slice.of(x);
        Slice to = Slice.of(y);
        allocatesNothing(cell, i -> {
            model.run(x, state, y);
            model.run(from, state, to);
        });
    }

    /** Greedy decoding is such steps. Where softmax is made of arrays, they are allocated. */
    @Test
    void aStepThatAttendsAllocatesNothing() {
        EncoderDecoder model = new EncoderDecoder(Model.builder().embedding(7, 5).gru(35).backend(backend).build(),
                Model.builder().embedding(7, 5).gru(35).attention().dense(7).backend(backend).build());
        State state = model.encode(new int[] {1, 2, 3, 4, 5, 6}, Sequences.of(3, 2));
        int[] tokens = {1, 2};
        float[] y = new float[2 * 7];
        if (!backend.equals("scalar")) {
            allocatesNothing(i -> model.decoder().step(tokens, state, y));
        }
    }

    /** The options whose steps take another way than a plain cell's. */
    @Test
    void aRunOfVariantsAllocatesNothing() {
        for (String cell : List.of("lstm(peepholes,projection=17,cell-clip=1)", "gru(clip=1)", "rnn-elu(alpha=1)")) {
            aRunAllocatesNothing(CellType.of(cell));
        }
    }

    /** What is left of training in inference, and a connection past it; the views are the same on every backend. */
    @Test
    void zoneoutAndResidualConnectionsAllocateNothing() {
        if (!backend.equals("native")) {
            return;
        }
        Model model = Model.builder().embedding(17, 35).regularization(Regularization.NONE.withZoneout(0.1, 0.2))
                .recurrent(CellType.LSTM, 35).residual().dense(3).backend(backend).build();
        State state = model.newState();
        float[] y = new float[3];
        allocatesNothing(CellType.LSTM, i -> model.step(i % 17, state, y));
    }

    static Stream<Arguments> precisions() {
        return Stream.of(Precision.values()).flatMap(p -> Stream.of(Arguments.of(p, 1), Arguments.of(p, 5)));
    }

    @ParameterizedTest(name = "{0}, {1} rows")
    @MethodSource("precisions")
    void aStepOfAKernelAllocatesNothing(Precision precision, int rows) {
        Kernels kernels = Backends.kernels(backend);
        PackedWeights[] wu = new Operands(Inputs.NORMAL, 1, "weights").stepWeights(precision, true, 10, 4, 35);
        Matrix start = Matrix.of(1, 4 * 48);
        Matrix x = Matrix.of(rows, 10);
        Matrix c = Matrix.of(rows, 48);
        Matrix[] h = {Matrix.of(rows, 48), Matrix.of(rows, 48)};
        Sweep[] sweeps = {Sweep.ASCENDING, Sweep.DESCENDING, Sweep.ASCENDING.share(0, 2), Sweep.ASCENDING.share(1, 2)};
        allocatesNothing(i -> kernels.lstmSteps(start, x, wu[0], h[i % 2], wu[1], sweeps[i % 4], c, h[1 - i % 2]));
    }

    @Test
    void callsOnSlicesAllocateNothing() {
        SliceKernels kernels = Backends.kernels(backend).slices();
        Slice a = Slice.of(new float[70 * 40], 0, 70, 40, 40);
        Slice b = Slice.of(new float[40 * 30], 0, 40, 30, 30);
        Slice c = Slice.of(new float[70 * 31], 0, 70, 30, 31);
        Slice x = Slice.of(new float[5000]);
        Slice y = Slice.of(new float[5000]);
        Slice velocity = Slice.of(new float[5000]);
        PackedMatrix w = kernels.pack(Transpose.NO, b, 1);
        Indices indices = Indices.of(new SplittableRandom(1).ints(70, 0, 40).toArray());
        Slice row = Slice.of(new float[40]);
        Slice statistics = Slice.of(new float[70 * 2], 0, 70, 2, 2);
        Slice losses = Slice.of(new float[70], 0, 70, 1, 1);
        allocatesNothing(i -> {
            if (i % 100 == 0) {
                kernels.scatterAdd(c, indices, b);
                kernels.gather(b, indices, c);
                kernels.crossEntropyBackward(a, indices, 0.5f);
                if (!backend.equals("scalar")) { // whose reductions of rows are arrays, as short as the equations
                    kernels.crossEntropyForward(a, indices, losses);
                }
                if (backend.equals("native")) { // as for cells with norms
                    kernels.layerNormForward(a, row, row, 1e-5f, a, statistics);
                }
                kernels.gemm(Transpose.NO, Transpose.NO, 1f, a, b, 1f, c);
                kernels.multiplyAdd(a, w, c);
            }
            kernels.axpy(0.5f, x, y);
            kernels.dot(x, y);
            kernels.sgd(y, x, velocity, 1f, 0.1f, 0.9f);
        });
    }

    @Test
    void cellsOnSlicesAllocateNothing() {
        SliceKernels kernels = Backends.kernels(backend).slices();
        Slice z = Slice.of(new float[3 * 140], 0, 3, 140, 140);
        Slice c = Slice.of(new float[3 * 36], 0, 3, 35, 36);
        Slice h = Slice.of(new float[3 * 35], 0, 3, 35, 35);
        Slice dc = Slice.of(new float[3 * 35], 0, 3, 35, 35);
        allocatesNothing(i -> {
            kernels.lstmForward(z, c, c, h);
            kernels.lstmBackward(z, c, c, h, dc);
            kernels.gruForward(z, h, h);
        });
    }

    /**
     * A step of training does allocate: views of the rows that a thread takes at a time, what an update is told. None of it is for each row
     * or step: once compiled, less than the smallest object for each of them.
     */
    @Test
    void aStepOfTrainingAllocatesLittle() {
        if (!backend.equals("native")) {
            return;
        }
        int smallestObject = 16;
        long most = 200L * 20 * smallestObject;
        Model model = Model.builder().embedding(17, 11).lstm(19).dense(17).backend(backend).build();
        Batch batch = new RandomBatch(model, 200, 20, new SplittableRandom(1)).batch(Loss.crossEntropy());
        long begin = PROCESS.getProcessCpuTime();
        long bytes = Long.MAX_VALUE;
        try (Trainer trainer = Trainer.builder(model).clipGlobalNorm(1).build()) {
            while (bytes >= most && PROCESS.getProcessCpuTime() - begin < PATIENCE.toNanos()) {
                bytes = allocated(i -> trainer.step(batch), 50) / 50;
            }
        }
        long found = bytes;
        assertTrue(bytes < most, () -> found + " bytes for 200 steps of 20 streams");
    }

    @FunctionalInterface
    private interface Step {
        void run(int i);
    }

    /**
     * But for norms where there is no native code: the scalar backend's reductions of rows are arrays, as short as the equations, and on the vector
     * backend the compiler does not always keep the vectors of a norm in registers.
     */
    private void allocatesNothing(CellType cell, Step step) {
        if (backend.equals("native") || !cell.label().startsWith("layer-norm")) {
            allocatesNothing(step);
        }
    }

    /** Runs rounds until four in a row allocate nothing: while the compiler still changes its mind, a step may allocate once. */
    private static void allocatesNothing(Step step) {
        int quiet = 0;
        long bytes = 0;
        long begin = PROCESS.getProcessCpuTime();
        while (quiet < 4 && PROCESS.getProcessCpuTime() - begin < PATIENCE.toNanos()) {
            bytes = allocated(step, STEPS);
            quiet = bytes == 0 ? quiet + 1 : 0;
        }
        assertEquals(4, quiet,
                "rounds of " + STEPS + " steps without allocation; the last allocated " + bytes + " bytes");
    }

    private static long allocated(Step step, int steps) {
        long thread = Thread.currentThread().threadId();
        long before = THREADS.getThreadAllocatedBytes(thread);
        for (int i = 0; i < steps; i++) {
            step.run(i);
        }
        return THREADS.getThreadAllocatedBytes(thread) - before;
    }
}
