package dev.ostinato.bench;

import com.sun.jna.Native;
import dev.ostinato.kernels.Backends;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
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

/** The same question as {@link CallBenchmark} for the functions that JavaCPP binds: {@code cblas_sscal} of OpenBLAS, one thread. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
@SuppressWarnings("restricted") // native access is the subject
public class BlasCallBenchmark {
    private static final float FACTOR = -1f;
    private static final int MOST_FLOATS = 16;

    private static final String FILE = library();
    private static final MethodHandle FFM = downcall(ValueLayout.JAVA_LONG);
    private static final MethodHandle FFM_CRITICAL = downcall(ValueLayout.JAVA_LONG, Linker.Option.critical(false));
    private static final MethodHandle FFM_CRITICAL_HEAP = downcall(ValueLayout.ADDRESS, Linker.Option.critical(true));

    static {
        Native.register(Direct.class, FILE);
    }

    /** The function for JNA's direct mapping. */
    private static final class Direct {
        static native void cblas_sscal(int n, float alpha, long x, int step);
    }

    @Param({"0", "16"})
    public int floats;

    private final FloatPointer pointer = new FloatPointer(MOST_FLOATS);
    private final float[] array = new float[MOST_FLOATS];
    private final long x = pointer.address();

    /** Loads OpenBLAS, sets its threads, and returns where it is. */
    private static String library() {
        Backends.kernels("openblas");
        return Loader.getLoadedLibraries().entrySet().stream().filter(e -> e.getKey().matches("(lib)?openblas.*"))
                .findFirst().orElseThrow().getValue();
    }

    private static MethodHandle downcall(MemoryLayout address, Linker.Option... options) {
        return Linker.nativeLinker().downcallHandle(
                SymbolLookup.libraryLookup(FILE, Arena.global()).findOrThrow("cblas_sscal"),
                FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.JAVA_FLOAT, address, ValueLayout.JAVA_INT),
                options);
    }

    @FunctionalInterface
    private interface Call {
        void run() throws Throwable;
    }

    @Setup
    public void setUp() throws Throwable {
        check("javaCpp", this::javaCpp);
        check("javaCppArray", this::javaCppArray);
        check("ffm", this::ffm);
        check("ffmCritical", this::ffmCritical);
        check("ffmCriticalHeap", this::ffmCriticalHeap);
        check("jnaDirect", this::jnaDirect);
    }

    private void check(String name, Call call) throws Throwable {
        float[] expected = new float[MOST_FLOATS];
        for (int i = 0; i < MOST_FLOATS; i++) {
            array[i] = i + 1;
            expected[i] = i < floats ? FACTOR * (i + 1) : i + 1;
        }
        pointer.put(array, 0, MOST_FLOATS);
        call.run();
        float[] actual = array;
        if (!name.equals("javaCppArray") && !name.equals("ffmCriticalHeap")) {
            actual = new float[MOST_FLOATS];
            pointer.get(actual, 0, MOST_FLOATS);
        }
        Checks.sameBits(name, expected, actual);
    }

    /** JNI as JavaCPP makes it: the address is a field of an object, read from native code. */
    @Benchmark
    public void javaCpp() {
        openblas_nolapack.cblas_sscal(floats, FACTOR, pointer, 1);
    }

    /** The overload for arrays, which copies or pins. */
    @Benchmark
    public void javaCppArray() {
        openblas_nolapack.cblas_sscal(floats, FACTOR, array, 1);
    }

    @Benchmark
    public void ffm() throws Throwable {
        FFM.invokeExact(floats, FACTOR, x, 1);
    }

    @Benchmark
    public void ffmCritical() throws Throwable {
        FFM_CRITICAL.invokeExact(floats, FACTOR, x, 1);
    }

    @Benchmark
    public void ffmCriticalHeap() throws Throwable {
        FFM_CRITICAL_HEAP.invokeExact(floats, FACTOR, MemorySegment.ofArray(array), 1);
    }

    @Benchmark
    public void jnaDirect() {
        Direct.cblas_sscal(floats, FACTOR, x, 1);
    }
}
