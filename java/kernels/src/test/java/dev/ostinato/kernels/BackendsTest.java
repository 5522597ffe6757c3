package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** How a backend is asked for. */
final class BackendsTest {
    @Test
    void byName() {
        assertEquals("scalar", Backends.kernels("scalar").backend().name());
    }

    @Test
    void anUnknownNameIsAnsweredWithThoseThatExist() {
        String message =
                assertThrows(IllegalArgumentException.class, () -> Backends.kernels("nonsense")).getMessage();
        for (Backend backend : Backends.all()) {
            assertTrue(message.contains(backend.name()), message);
        }
        assertTrue(message.contains("auto") && message.contains("nonsense"), message);
    }

    @Test
    void autoIsTheFirstExactOneThatIsAvailable() {
        Backend auto = Backends.kernels("auto").backend();
        assertTrue(auto.exact() && auto.status().available(), auto::name);
        assertEquals(Backends.all().stream().filter(b -> b.exact() && b.status().available()).findFirst().orElseThrow(),
                auto);
    }

    @Test
    void anUnavailableBackendGivesItsReason() {
        for (Backend backend : Backends.all()) {
            if (!backend.status().available()) {
                String reason = backend.status().reason();
                IllegalArgumentException e =
                        assertThrows(IllegalArgumentException.class, () -> Backends.kernels(backend.name()));
                assertTrue(!reason.isBlank() && e.getMessage().contains(reason), e.getMessage());
                assertThrows(IllegalStateException.class, backend::kernels);
            }
        }
    }
}
