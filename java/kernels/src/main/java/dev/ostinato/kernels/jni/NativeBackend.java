package dev.ostinato.kernels.jni;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.KernelSet;

/** The backend in C++. */
public final class NativeBackend implements Backend {
    /** Environment variable, read by the library, that caps the instructions it uses: {@code avx2} or {@code avx512}. */
    static final String ISA_VARIABLE = "OSTINATO_NATIVE_ISA";

    private final Status status;
    private final String description;

    private NativeBackend(Status status, String description) {
        this.status = status;
        this.description = description;
    }

    /** Loads the library and returns the backend, available or not. */
    public static NativeBackend create() {
        try {
            NativeLibrary.load();
            return switch (NativeCalls.select()) {
                case 1 -> available("AVX2");
                case 2 -> available("AVX-512");
                case 0 -> unavailable("the processor, or the operating system, lacks AVX2 with FMA");
                default -> unavailable("the environment variable " + ISA_VARIABLE + ": expected avx2 or avx512, got "
                        + System.getenv(ISA_VARIABLE));
            };
        } catch (NativeLibrary.UnusableException e) {
            return unavailable(String.valueOf(e.getMessage()));
        }
    }

    private static NativeBackend available(String isa) {
        return new NativeBackend(Status.AVAILABLE, "C++ through JNI, " + isa);
    }

    private static NativeBackend unavailable(String reason) {
        return new NativeBackend(Status.unavailable(reason), "C++ through JNI");
    }

    @Override
    public String name() {
        return "native";
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public Status status() {
        return status;
    }

    @Override
    public KernelSet kernels() {
        if (!status.available()) {
            throw new IllegalStateException(status.reason());
        }
        return new NativeKernels();
    }
}
