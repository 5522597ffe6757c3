package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The native backend loads from wherever it can, and says what was wrong where it cannot; each in a virtual machine of its own. */
final class NativeBackendTest {
    /** Environment variable that continuous integration sets: then a library that was not built is a failure. */
    private static final String REQUIRED = "OSTINATO_REQUIRE_NATIVE";

    @TempDir
    private Path temporary;

    private static void assumeBuilt() {
        boolean absent = NativeBackendTest.class.getClassLoader()
                .getResource("META-INF/native/" + platform() + "/libostinato.so") == null;
        assumeFalse(absent && System.getenv(REQUIRED) == null, "the library was not built");
    }

    /** Prints what {@code auto} picks and the native backend's state. */
    static final class Print {
        public static void main(String[] arguments) {
            Backend backend = Backends.all().stream().filter(b -> b.name().equals("native")).findFirst().orElseThrow();
            System.out.println(
                    Backends.auto().backend().name() + "|" + backend.description() + "|" + backend.status().available()
                            + "|" + backend.status().reason());
        }
    }

    @Test
    void theBackendIsBuiltAndPickedFirst() throws Exception {
        assumeBuilt();
        assertTrue(print(Map.of(), classPath(true)).matches("native\\|C\\+\\+ through JNI, AVX(2|-512)\\|true\\|"));
    }

    @Test
    void theVariableCapsTheInstructions() throws Exception {
        assumeBuilt();
        assertEquals("native|C++ through JNI, AVX2|true|",
                print(Map.of("OSTINATO_NATIVE_ISA", "avx2"), classPath(true)));
    }

    @Test
    void anUnknownCapIsAnError() throws Exception {
        assumeBuilt();
        assertEquals(
                "vector|C++ through JNI|false|the environment variable OSTINATO_NATIVE_ISA: expected avx2 or avx512, got sse9",
                print(Map.of("OSTINATO_NATIVE_ISA", "sse9"), classPath(true)));
    }

    @Test
    void aMissingArtifactIsNamed() throws Exception {
        String printed = print(Map.of(), classPath(false));
        assertTrue(printed.startsWith("vector|C++ through JNI|false|no resource META-INF/native/"), printed);
        assertTrue(printed.contains("add the artifact ostinato-native"), printed);
    }

    @Test
    void theReasonWhyItWasNotBuiltIsPassedOn() throws Exception {
        Path resources = temporary.resolve("resources");
        Path directory = Files.createDirectories(resources.resolve("META-INF/native/" + platform()));
        Files.writeString(directory.resolve("not-built.txt"), "no C++ compiler\n");
        assertEquals("vector|C++ through JNI|false|the library was not built: no C++ compiler",
                print(Map.of(), classPath(false) + ":" + resources));
    }

    @Test
    void aNamedLibraryIsTheOnlyOneTried() throws Exception {
        Path named = temporary.resolve("libnone.so");
        String printed = print(Map.of(), classPath(true), "-Dostinato.native.library=" + named);
        assertTrue(printed.startsWith("vector|C++ through JNI|false|" + named + ": "), printed);
    }

    @Test
    void everyDirectoryThatWasTriedIsListed() throws Exception {
        assumeBuilt();
        Path file = Files.writeString(temporary.resolve("file"), "not a directory");
        String printed = print(Map.of("XDG_CACHE_HOME", file.toString()), classPath(true), "-Djava.io.tmpdir=" + file);
        assertTrue(printed.contains("|false|tried " + file + "/ostinato: ")
                && printed.contains("; " + file + "/ostinato-"), printed);
    }

    private static String platform() {
        return System.getProperty("os.name").toLowerCase(Locale.ROOT) + "-"
                + System.getProperty("os.arch").replace("amd64", "x86_64");
    }

    /** Returns this virtual machine's class path, with or without the library's module and the command, whose jar names it too. */
    private static String classPath(boolean library) {
        return Arrays.stream(System.getProperty("java.class.path").split(":", -1))
                .filter(entry -> library
                        || !entry.matches(".*/(native|java/cli)/target/.*|.*/ostinato-(native|cli)[^/]*"))
                .collect(Collectors.joining(":"));
    }

    private String print(Map<String, String> environment, String classPath, String... options) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC",
                        "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                        "-Djava.io.tmpdir=" + temporary));
        command.addAll(Stream.of(options).toList());
        command.addAll(List.of("-cp", classPath, Print.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("XDG_CACHE_HOME", temporary.resolve("cache").toString());
        builder.environment().remove("OSTINATO_NATIVE_ISA");
        builder.environment().putAll(environment);
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor(), printed);
        return printed;
    }
}
