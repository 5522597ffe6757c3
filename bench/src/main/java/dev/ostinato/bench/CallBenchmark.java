package dev.ostinato.bench;

import com.sun.jna.Library;
import com.sun.jna.Native;
import dev.ostinato.kernels.Backends;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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
 * What it costs to get into native code and back: one function of our own library, {@code scale}, through every binding with the same
 * arguments. It is a JNI function that uses neither its environment nor its class, so that the others pass NULL for both.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {Jvm.VECTORS, Jvm.NATIVE, Jvm.COLLECTOR, Jvm.LEAST_HEAP, Jvm.MOST_HEAP})
@State(Scope.Thread)
@SuppressWarnings({"NullAway.Init", "restricted"}) // JMH sets the fields; native access is the subject
public class CallBenchmark {
    private static final String CALLS = "dev.ostinato.kernels.jni.NativeCalls";
    private static final String PREFIX = "Java_dev_ostinato_kernels_jni_NativeCalls_";
    private static final int AVX2 = 0;
    /** Changes every float, and after two calls none. */
    private static final float FACTOR = -1f;
    private static final int MOST_FLOATS = 16;
    private static final long NULL = 0;

    /** One copy of the library, and one file, whoever opens it. */
    private static final Path FILE = unpacked();

    private static final MethodHandle JNI = jniHandle();
    private static final MethodHandle FFM = downcall(ValueLayout.JAVA_LONG);
    private static final MethodHandle FFM_CRITICAL = downcall(ValueLayout.JAVA_LONG, Linker.Option.critical(false));
    private static final MethodHandle FFM_CRITICAL_HEAP = downcall(ValueLayout.ADDRESS, Linker.Option.critical(true));
    private static final Scale JNA = Native.load(FILE.toString(), Scale.class);
    /** What the function takes as its first argument: which instructions to use. */
    private static final long KERNELS = kernels();

    static {
        Native.register(Direct.class, FILE.toString());
    }

    /** The function for JNA, which makes a proxy of this. */
    public interface Scale extends Library {
        void Java_dev_ostinato_kernels_jni_NativeCalls_scale(long environment, long type, long kernels, long x,
                int rows, int columns, int stride, float factor);
    }

    /** The function for JNA's direct mapping. */
    private static final class Direct {
        static native void Java_dev_ostinato_kernels_jni_NativeCalls_scale(long environment, long type, long kernels,
                long x, int rows, int columns, int stride, float factor);
    }

    /** Floats that the function scales: none at all, or one cache line. */
    @Param({"0", "16"})
    public int floats;

    private final MemorySegment memory = Arena.global().allocate(MOST_FLOATS * Float.BYTES, 64);
    private final float[] array = new float[MOST_FLOATS];
    private final long x = memory.address();

    private static Path unpacked() {
        String resource = "META-INF/native/linux-x86_64/libostinato.so";
        try (InputStream in = CallBenchmark.class.getClassLoader().getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("no resource " + resource);
            }
            Path file = Files.createTempFile("libostinato", ".so");
            file.toFile().deleteOnExit();
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
            System.setProperty("ostinato.native.library", file.toString());
            Backends.kernels("native"); // loads it
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static MethodHandle jniHandle() {
        try {
            Class<?> calls = Class.forName(CALLS);
            return MethodHandles.privateLookupIn(calls, MethodHandles.lookup()).findStatic(calls, "scale",
                    MethodType.methodType(void.class, long.class, long.class, int.class, int.class, int.class,
                            float.class));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static MethodHandle downcall(MemoryLayout pointer, Linker.Option... options) {
        return Linker.nativeLinker().downcallHandle(address("scale"),
                FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, pointer,
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_FLOAT),
                options);
    }

    private static MemorySegment address(String function) {
        return SymbolLookup.libraryLookup(FILE, Arena.global()).findOrThrow(PREFIX + function);
    }

    private static long kernels() {
        AddressLayout pointer = ValueLayout.ADDRESS;
        MethodHandle kernels = Linker.nativeLinker().downcallHandle(address("kernels"),
                FunctionDescriptor.of(ValueLayout.JAVA_LONG, pointer, pointer, ValueLayout.JAVA_INT));
        try {
            return (long) kernels.invokeExact(MemorySegment.NULL, MemorySegment.NULL, AVX2);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @FunctionalInterface
    private interface Call {
        void run() throws Throwable;
    }

    @Setup
    public void setUp() throws Throwable {
        check("jni", this::jni);
        check("ffm", this::ffm);
        check("ffmCritical", this::ffmCritical);
        check("ffmCriticalHeap", this::ffmCriticalHeap);
        check("jnaDirect", this::jnaDirect);
        check("jnaInterface", this::jnaInterface);
    }

    /** Scales the numbers 1 to 16, in the one place or the other, and compares. */
    private void check(String name, Call call) throws Throwable {
        boolean heap = name.equals("ffmCriticalHeap");
        float[] expected = new float[MOST_FLOATS];
        for (int i = 0; i < MOST_FLOATS; i++) {
            array[i] = i + 1;
            expected[i] = i < floats ? FACTOR * (i + 1) : i + 1;
        }
        MemorySegment.copy(array, 0, memory, ValueLayout.JAVA_FLOAT, 0, MOST_FLOATS);
        call.run();
        Checks.sameBits(name, expected, heap ? array : memory.toArray(ValueLayout.JAVA_FLOAT));
    }

    /** JNI, as the native backend calls: numbers and addresses alone. */
    @Benchmark
    public void jni() throws Throwable {
        JNI.invokeExact(KERNELS, x, 1, floats, floats, FACTOR);
    }

    @Benchmark
    public void ffm() throws Throwable {
        FFM.invokeExact(NULL, NULL, KERNELS, x, 1, floats, floats, FACTOR);
    }

    /** Without leaving the state of a thread that runs Java: no safepoint meanwhile. */
    @Benchmark
    public void ffmCritical() throws Throwable {
        FFM_CRITICAL.invokeExact(NULL, NULL, KERNELS, x, 1, floats, floats, FACTOR);
    }

    /** The same on a Java array, which stays where it is. */
    @Benchmark
    public void ffmCriticalHeap() throws Throwable {
        FFM_CRITICAL_HEAP.invokeExact(NULL, NULL, KERNELS, MemorySegment.ofArray(array), 1, floats, floats, FACTOR);
    }

    @Benchmark
    public void jnaDirect() {
        Direct.Java_dev_ostinato_kernels_jni_NativeCalls_scale(NULL, NULL, KERNELS, x, 1, floats, floats, FACTOR);
    }

    @Benchmark
    public void jnaInterface() {
        JNA.Java_dev_ostinato_kernels_jni_NativeCalls_scale(NULL, NULL, KERNELS, x, 1, floats, floats, FACTOR);
    }
}
