package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.KernelSet;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.tests.Conformance.Case;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every exact backend computes every operation with the bits of the scalar one, and touches nothing else. */
@AtEveryWidth
final class ConformanceTest {
    private static final Map<String, List<Case>> CASES = ConformanceCases.all();

    @BeforeAll
    static void printWhatRuns() {
        System.out.println("conformance: " + backends().map(Backend::description).collect(Collectors.joining("; "))
                + "; repeat with -Dostinato.tests.seed=" + Conformance.SEED);
    }

    private static Stream<Backend> backends() {
        return ExactBackends.all().filter(b -> !b.name().equals("scalar"));
    }

    private static Stream<String> operations() {
        return CASES.keySet().stream();
    }

    @Test
    void theVectorBackendIsHere() {
        Backend vector = vector();
        assertTrue(vector.status().available(), () -> "vector: " + vector.status().reason());
    }

    @Test
    void theVectorBackendHasTheWidthAskedFor() {
        String bits = System.getProperty("ostinato.vector.bits", "");
        if (!bits.isEmpty()) {
            assertEquals("JDK Vector API, " + bits + " bits", vector().description());
        }
    }

    private static Backend vector() {
        return Backends.all().stream().filter(b -> b.name().equals("vector")).findFirst().orElseThrow();
    }

    @Test
    void everyOperationHasCases() {
        assertEquals(new TreeSet<>(Arrays.stream(KernelSet.class.getMethods()).map(Method::getName).toList()),
                new TreeSet<>(CASES.keySet()));
    }

    /** All at once, because drawing the operands and computing what is expected takes longer than the kernels do. */
    @ParameterizedTest
    @MethodSource("operations")
    void operationsHaveTheBitsOfTheScalarBackend(String operation) {
        List<Kernels> actual = backends().map(b -> Backends.kernels(b.name())).toList();
        List<String> differences =
                Conformance.differences(Kernels.of(Conformance.scalar()), actual, CASES.get(operation));
        assertEquals("", String.join("\n", differences), () -> "seed " + Conformance.SEED);
    }
}
