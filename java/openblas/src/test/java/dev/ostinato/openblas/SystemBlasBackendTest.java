package dev.ostinato.openblas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ostinato.kernels.Backend;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which libraries are taken, and what is said of the others. */
final class SystemBlasBackendTest {
    @TempDir
    private Path temporary;

    private static Backend.Status status(Path library) {
        return new SystemBlasBackend(library.toString()).status();
    }

    private static void refused(Path library, String... reasons) {
        Backend.Status status = status(library);
        assertFalse(status.available());
        assertTrue(status.reason().startsWith(library + ": "), status.reason());
        assertEquals(1, status.reason().lines().count(), status.reason());
        for (String reason : reasons) {
            assertTrue(status.reason().contains(reason), status.reason());
        }
    }

    @Test
    void aLibraryIsTakenByItsPath() {
        Backend.Status unpacked = new OpenBlasBackend().status();
        assumeTrue(unpacked.available(), unpacked.reason());
        String path = Loader.getLoadedLibraries().entrySet().stream()
                .filter(e -> e.getKey().matches("(lib)?openblas.*")).findFirst().orElseThrow().getValue();
        Backend backend = new SystemBlasBackend(path);
        assertEquals(Backend.Status.AVAILABLE, backend.status());
        assertTrue(backend.description().matches(".*JNA, OpenBLAS 0[.].*, 1 thread"), backend.description());
        assertFalse(backend.exact());
    }

    @Test
    void aMissingFile() {
        refused(temporary.resolve("libnone.so"), "no such file");
        refused(temporary, "no such file");
    }

    @Test
    void aFileThatIsNoLibrary() throws Exception {
        refused(Files.writeString(temporary.resolve("libtext.so"), "not a library"));
    }

    @Test
    void aLibraryThatIsNoBlas() {
        refused(Path.of(System.getProperty("java.home"), "lib", System.mapLibraryName("java")),
                "not a BLAS with C interface, it has no cblas_isamax");
    }

    @Test
    void aNameThatTheSystemDoesNotKnow() {
        Backend.Status status = new SystemBlasBackend("nosuchblas").status();
        assertTrue(!status.available() && status.reason().startsWith("nosuchblas: "), status.reason());
        assertEquals(1, status.reason().lines().count(), status.reason());
    }

    @Test
    void withoutANameEveryUsualOneIsTried() {
        Backend.Status status = new SystemBlasBackend().status();
        for (String name : List.of("mkl_rt: ", "blis: ", "openblas: ", "cblas: ", "blas: ", "-Dostinato.blas=")) {
            assertTrue(status.available() || status.reason().contains(name), status.reason());
        }
    }

    @Test
    void thePropertyNamesTheOnlyOneTried() {
        Path library = temporary.resolve("libnone.so");
        assertEquals(library + ": no such file",
                with("ostinato.blas", library.toString(), () -> new SystemBlasBackend().status().reason()));
    }

    @Test
    void threadsAreACountFromOne() {
        for (String value : List.of("0", "-1", "two", "")) {
            assertEquals("-Dostinato.blas.threads: expected a number from 1, got " + value,
                    with("ostinato.blas.threads", value, () -> new OpenBlasBackend().status().reason()));
        }
    }

    @Test
    void kernelsOfWhatCannotBeUsedAreRefused() {
        Backend backend = new SystemBlasBackend(temporary.resolve("libnone.so").toString());
        String message = assertThrows(IllegalStateException.class, backend::kernels).getMessage();
        assertEquals(backend.status().reason(), message);
        assertEquals("products by a BLAS of the system through JNA", backend.description());
    }

    private static String with(String property, String value, Supplier<String> body) {
        System.setProperty(property, value);
        try {
            return body.get();
        } finally {
            System.clearProperty(property);
        }
    }

    // Libraries made here

    /** What a build with 64-bit integers does with a negative count; its other functions must not be called. */
    @Test
    void aLibraryWithLongIntegers() throws Exception {
        refused(compiled("long", """
                #include <stdint.h>
                #include <stdlib.h>
                size_t cblas_isamax(int64_t n, const float* x, int64_t step) { return n < 1 ? 0 : n - 1; }
                void cblas_sgemm(void) { abort(); }
                void cblas_sgemv(void) { abort(); }
                """), "64-bit integers (ILP64)");
    }

    @Test
    void aLibraryWhoseNamesSayThatItHasLongIntegers() throws Exception {
        refused(compiled("suffixed", "void cblas_isamax64_(void) {}\n"), "64-bit integers (ILP64)");
    }

    @Test
    void aLibraryThatComputesSomethingElse() throws Exception {
        refused(compiled("wrong", """
                #include <stddef.h>
                size_t cblas_isamax(int n, const float* x, int step) { return n - 1; }
                void cblas_sgemm(void) {}
                void cblas_sgemv(void) {}
                """), "cblas_sgemm: expected 141.0, 252.0, 363.0, got 100.0, 200.0, 300.0");
    }

    @Test
    void aLibraryWithoutAllFunctions() throws Exception {
        refused(compiled("partial", """
                #include <stddef.h>
                size_t cblas_isamax(int n, const float* x, int step) { return n - 1; }
                """), "it has no cblas_sgemm");
    }

    private Path compiled(String name, String source) throws Exception {
        Path file = temporary.resolve(System.mapLibraryName(name));
        Process compiler;
        try {
            compiler = new ProcessBuilder("cc", "-shared", "-fPIC", "-x", "c", "-o", file.toString(), "-")
                    .redirectErrorStream(true).start();
        } catch (IOException e) {
            String required = System.getenv("OSTINATO_REQUIRE_BACKENDS");
            assumeTrue(required != null && required.contains("native"), "no C compiler");
            throw e;
        }
        compiler.outputWriter(StandardCharsets.UTF_8).append(source).close();
        String printed = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, compiler.waitFor(), printed);
        return file;
    }
}
