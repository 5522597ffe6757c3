package dev.ostinato.kernels.jni;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.KernelSet;
import dev.ostinato.kernels.raw.Probe;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** The backend in C++: {@code native} with the best instructions that may be used, {@code native-avx2} and the like with those. */
public final class NativeBackend implements Backend, Probe.Source {
    /** Environment variable that caps the instructions: the name of the best that may be used. */
    static final String CAP = "OSTINATO_NATIVE_ISA";

    private static final String TECHNOLOGY = "C++ through JNI";

    private final String name;
    private final String description;
    private final String isa;
    private final Status status;
    private final long kernels;

    private NativeBackend(String name, String description, String isa, Status status, long kernels) {
        this.name = name;
        this.description = description;
        this.isa = isa;
        this.status = status;
        this.kernels = kernels;
    }

    /** Loads the library and returns {@code native} and, best first, the backend of each ISA of this architecture, available or not. */
    public static List<NativeBackend> create() {
        List<Isa> isas = Isa.of(NativeLibrary.architecture());
        if (isas.isEmpty()) {
            String reason = "there are no kernels for " + NativeLibrary.architecture();
            return List.of(new NativeBackend("native", TECHNOLOGY, "none", Status.unavailable(reason), 0));
        }
        String cap = Objects.requireNonNullElse(System.getenv(CAP), "");
        String obstacle = load(isas, cap);
        List<NativeBackend> backends = new ArrayList<>();
        for (Isa isa : isas) {
            backends.addFirst(of(isa, obstacle));
            if (isa.label().equals(cap) && obstacle.isEmpty()) {
                obstacle = "the environment variable " + CAP + " allows " + cap + " at most";
            }
        }
        backends.addFirst(best(backends));
        return backends;
    }

    /** Loads the library; returns what was in the way, or nothing. */
    private static String load(List<Isa> isas, String cap) {
        if (!cap.isEmpty() && isas.stream().noneMatch(isa -> isa.label().equals(cap))) {
            return "the environment variable " + CAP + ": expected "
                    + isas.stream().map(Isa::label).collect(Collectors.joining(" or ")) + ", got " + cap;
        }
        try {
            NativeLibrary.load();
            return "";
        } catch (NativeLibrary.UnusableException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static NativeBackend of(Isa isa, String obstacle) {
        long kernels = obstacle.isEmpty() ? NativeCalls.kernels(isa.number()) : 0;
        String reason = obstacle.isEmpty() && kernels == 0
                ? "the processor, or the operating system, lacks " + isa.description()
                : obstacle;
        return new NativeBackend("native-" + isa.label(), TECHNOLOGY + ", " + isa.description(), isa.label(),
                new Status(reason.isEmpty(), reason), kernels);
    }

    /** Returns the best that is available as {@code native}; if none is, the least demanding one says what is missing. */
    private static NativeBackend best(List<NativeBackend> backends) {
        NativeBackend best = backends.stream().filter(b -> b.status.available()).findFirst().orElse(backends.getLast());
        return new NativeBackend("native", best.description, best.isa, best.status, best.kernels);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public String isa() {
        return isa;
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
        return new NativeKernels(kernels);
    }

    @Override
    public Probe probe() {
        if (!status.available()) {
            throw new IllegalStateException(status.reason());
        }
        return new NativeProbe(kernels);
    }
}
