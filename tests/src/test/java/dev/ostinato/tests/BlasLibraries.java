package dev.ostinato.tests;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import dev.ostinato.openblas.SystemBlasBackend;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Loader;

/** The backends on a BLAS. That of the system gets the library that the other has unpacked, so that no machine needs one of its own. */
final class BlasLibraries {
    private BlasLibraries() {
    }

    /** Returns the backend by JNI and that by JNA; none if the build has fetched no library for this machine. */
    static List<Backend> all() {
        Backend openBlas = Backends.all().stream().filter(b -> b.name().equals("openblas")).findFirst().orElseThrow();
        return openBlas.status().available() ? List.of(openBlas, new SystemBlasBackend(unpacked())) : List.of();
    }

    private static String unpacked() {
        return Loader.getLoadedLibraries().entrySet().stream().filter(e -> e.getKey().matches("(lib)?openblas.*"))
                .map(Map.Entry::getValue).findFirst().orElseThrow();
    }
}
