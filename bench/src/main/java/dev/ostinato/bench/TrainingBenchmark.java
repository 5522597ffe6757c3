package dev.ostinato.bench;

import dev.ostinato.nn.CellType;
import java.util.Arrays;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Optimiser steps of a character model; the score is characters per second. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 2, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH sets the fields
public class TrainingBenchmark {
    private static final int ROWS = 32;
    private static final int STEPS = 50;
    private static final int CHECKED = 2;

    @Param({"lstm", "gru", "rnn-tanh"})
    public String cell;

    @Param({"128", "256"})
    public int hidden;

    /** The caller's thread included. */
    @Param({"1", "2"})
    public int threads;

    @Param("vector")
    public String backend;

    private CharacterTraining training;

    @Setup
    public void setUp() {
        CharacterTraining.Shape shape = new CharacterTraining.Shape(CellType.of(cell), ROWS, STEPS, hidden, false);
        training = new CharacterTraining(shape, backend, threads);
        try (CharacterTraining scalar = new CharacterTraining(shape, "scalar", 1)) {
            double[] expected = scalar.steps(CHECKED);
            double[] actual = training.steps(CHECKED);
            if (!Arrays.equals(expected, actual)) {
                throw new IllegalStateException("losses: expected " + Arrays.toString(expected) + " to the bit, got "
                        + Arrays.toString(actual));
            }
        }
    }

    @TearDown
    public void tearDown() {
        training.close();
    }

    @Benchmark
    @OperationsPerInvocation(ROWS * STEPS)
    public double characters() {
        return training.step();
    }
}
