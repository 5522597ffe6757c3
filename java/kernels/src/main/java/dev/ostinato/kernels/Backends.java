package dev.ostinato.kernels;

import dev.ostinato.kernels.jni.NativeBackend;
import dev.ostinato.kernels.scalar.ScalarBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** The backends of this virtual machine, fastest first. */
public final class Backends {
    private static final List<Backend> ALL = find();

    private Backends() {
    }

    private static List<Backend> find() {
        List<Backend> found = new ArrayList<>();
        found.addAll(NativeBackend.create());
        found.add(VectorApi.backend());
        found.add(new ScalarBackend());
        ServiceLoader.load(Backend.class, Backends.class.getClassLoader()).forEach(found::add);
        return List.copyOf(found);
    }

    /** Returns every backend, usable or not, in the order in which {@code auto} considers them. */
    public static List<Backend> all() {
        return ALL;
    }

    /**
     * Returns the kernels of the backend called {@code name}, or with {@code auto} of the first usable one that keeps the one
     * arithmetic.
     *
     * @throws IllegalArgumentException if there is no such backend, or it cannot be used here; the message says what there is and why
     */
    public static Kernels kernels(String name) {
        if (name.equals("auto")) {
            return auto();
        }
        Backend backend = ALL.stream().filter(b -> b.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "backend: expected auto, " + ALL.stream().map(Backend::name).collect(Collectors.joining(", "))
                                + ", got " + name));
        if (!backend.status().available()) {
            throw new IllegalArgumentException("backend " + name + " cannot be used: " + backend.status().reason());
        }
        return new Kernels(backend);
    }

    /** Returns the kernels of the first usable backend that keeps the one arithmetic. */
    public static Kernels auto() {
        return new Kernels(ALL.stream().filter(b -> b.exact() && b.status().available()).findFirst().orElseThrow());
    }
}
