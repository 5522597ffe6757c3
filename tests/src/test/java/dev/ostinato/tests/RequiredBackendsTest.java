package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.ostinato.kernels.Backends;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A suite that runs on every backend it finds proves nothing about one that is absent; so a machine can say which must be there. */
final class RequiredBackendsTest {
    /** The names of backends that must be available, separated by spaces. Continuous integration sets it. */
    private static final String VARIABLE = "OSTINATO_REQUIRE_BACKENDS";

    static List<String> required() {
        String names = System.getenv(VARIABLE);
        return names == null || names.isBlank() ? List.of() : List.of(names.strip().split(" +"));
    }

    @Test
    void everyRequiredBackendCanBeUsed() {
        assumeFalse(required().isEmpty(), VARIABLE + " is not set");
        for (String name : required()) {
            assertTrue(Backends.all().stream().anyMatch(b -> b.name().equals(name) && b.status().available()),
                    () -> name + " is required: " + Backends.all().stream()
                            .map(b -> b.name() + " " + b.status()).toList());
        }
    }
}
