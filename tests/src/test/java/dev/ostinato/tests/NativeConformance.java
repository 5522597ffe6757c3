package dev.ostinato.tests;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.tests.Conformance.Case;
import java.util.Collection;
import java.util.List;

/**
 * The conformance cases on the native backends as a program, for a virtual machine that somebody watches: the checker of JNI, sanitizers.
 * The exit code is 1 if anything differs.
 */
final class NativeConformance {
    private NativeConformance() {
    }

    static void main() {
        System.out.println("seed " + Conformance.SEED);
        Kernels scalar = Kernels.of(Conformance.scalar());
        List<Case> cases = ConformanceCases.all().values().stream().flatMap(Collection::stream).toList();
        List<String> backends = ExactBackends.names().filter(name -> name.startsWith("native-")).toList();
        if (backends.isEmpty()) {
            throw new IllegalStateException(Backends.all().getFirst().status().reason());
        }
        boolean same = true;
        for (String backend : backends) {
            List<String> differences = Conformance.differences(scalar, Backends.kernels(backend), cases);
            differences.forEach(System.out::println);
            System.out.println(backend + ": " + differences.size() + " differences in " + cases.size() + " cases");
            same &= differences.isEmpty();
        }
        System.exit(same ? 0 : 1);
    }
}
