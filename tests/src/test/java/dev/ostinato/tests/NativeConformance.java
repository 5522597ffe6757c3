package dev.ostinato.tests;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.tests.Conformance.Case;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The conformance cases on the native backends as a program, for a virtual machine that somebody watches: the checker of JNI, sanitizers.
 * All of them, or with an argument so many of each operation. The exit code is 1 if anything differs.
 */
final class NativeConformance {
    private NativeConformance() {
    }

    static void main(String[] arguments) {
        System.out.println("seed " + Conformance.SEED);
        Kernels scalar = Kernels.of(Conformance.scalar());
        int most = arguments.length == 0 ? Integer.MAX_VALUE : Integer.parseInt(arguments[0]);
        List<Case> cases = ConformanceCases.all().values().stream().flatMap(all -> some(all, most)).toList();
        List<Kernels> actual =
                ExactBackends.names().filter(name -> name.startsWith("native-")).map(Backends::kernels).toList();
        if (actual.isEmpty()) {
            throw new IllegalStateException(Backends.all().getFirst().status().reason());
        }
        List<String> differences = Conformance.differences(scalar, actual, cases);
        differences.forEach(System.out::println);
        System.out.println(differences.size() + " differences in " + cases.size() + " cases on "
                + actual.stream().map(kernels -> kernels.backend().name()).collect(Collectors.joining(" ")));
        System.exit(differences.isEmpty() ? 0 : 1);
    }

    /** Returns so many cases from everywhere in a list. */
    private static Stream<Case> some(List<Case> all, int most) {
        int step = Math.ceilDiv(all.size(), Math.min(most, all.size()));
        return IntStream.range(0, all.size()).filter(i -> i % step == 0).mapToObj(all::get);
    }
}
