package dev.ostinato.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The functions that the JDK's Vector API has itself, which on x86 is Intel's SVML, on the rows of {@link ElementaryBenchmark}: aligned
 * memory, the widest vectors. The Vector API has no sigmoid; it is made of the exponential, a sum and a division.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
public class VectorApiFunctionBenchmark {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int ELEMENTS = 4096;
    private static final long BYTES = (long) ELEMENTS * Float.BYTES;
    private static final int RANGE = 8;
    private static final int ALIGNMENT = 64;

    private final MemorySegment x = Arena.ofAuto().allocate(BYTES, ALIGNMENT);
    private final MemorySegment y = Arena.ofAuto().allocate(BYTES, ALIGNMENT);

    @Setup
    public void setUp() {
        Sequence sequence = new Sequence(1);
        for (int i = 0; i < ELEMENTS; i++) {
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, sequence.symmetric(RANGE));
        }
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public void exp() {
        for (long j = 0; j < BYTES; j += SPECIES.vectorByteSize()) {
            load(j).lanewise(VectorOperators.EXP).intoMemorySegment(y, j, ORDER);
        }
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public void log() {
        for (long j = 0; j < BYTES; j += SPECIES.vectorByteSize()) {
            load(j).lanewise(VectorOperators.LOG).intoMemorySegment(y, j, ORDER);
        }
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public void tanh() {
        for (long j = 0; j < BYTES; j += SPECIES.vectorByteSize()) {
            load(j).lanewise(VectorOperators.TANH).intoMemorySegment(y, j, ORDER);
        }
    }

    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public void sigmoid() {
        FloatVector one = FloatVector.broadcast(SPECIES, 1f);
        for (long j = 0; j < BYTES; j += SPECIES.vectorByteSize()) {
            one.div(load(j).neg().lanewise(VectorOperators.EXP).add(1f)).intoMemorySegment(y, j, ORDER);
        }
    }

    private FloatVector load(long offset) {
        return FloatVector.fromMemorySegment(SPECIES, x, offset, ORDER);
    }
}
