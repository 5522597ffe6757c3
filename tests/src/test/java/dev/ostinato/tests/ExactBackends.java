package dev.ostinato.tests;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import java.util.stream.Stream;

/** The backends of this machine that keep the one arithmetic, each once. */
final class ExactBackends {
    /** Whether this run is about the vector backend at a width that is not the machine's own. */
    private static final boolean VECTOR_ALONE = !System.getProperty("ostinato.vector.bits", "").isEmpty();

    private ExactBackends() {
    }

    /** Returns them all but {@code native}, which is one of those that are named after their instructions. */
    static Stream<Backend> all() {
        return Backends.all().stream().filter(b -> b.exact() && b.status().available() && !b.name().equals("native"))
                .filter(b -> !VECTOR_ALONE || b.name().equals("vector"));
    }

    static Stream<String> names() {
        return all().map(Backend::name);
    }
}
