package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
    @TempDir
    private Path temporary;

    private static void assumeBuilt() {
        boolean absent = NativeBackendTest.class.getClassLoader()
                .getResource("META-INF/native/" + platform() + "/libostinato.so") == null;
        assumeFalse(absent && !RequiredBackendsTest.required().contains("native"), "the library was not built");
    }

    /** Prints what {@code auto} picks, and the native backends with their states. */
    static final class Print {
        public static void main(String[] arguments) {
            System.out.println("auto is " + Backends.auto().backend().name());
            Backends.all().stream().filter(b -> b.name().startsWith("native")).forEach(
                    b -> System.out.println(b.name() + ": " + (b.status().available()
                            ? b.description()
                            : b.status().reason())));
        }
    }

    /** Returns the instruction sets of this architecture, the best last. */
    private static List<String> isas() {
        return Backends.all().stream().map(Backend::name).filter(name -> name.startsWith("native-"))
                .map(name -> name.substring("native-".length())).toList().reversed();
    }

    private static Backend backend(String name) {
        return Backends.all().stream().filter(b -> b.name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void theBestInstructionsOfTheProcessorArePicked() throws Exception {
        assumeBuilt();
        List<String> printed = print(Map.of(), classPath(true)).lines().toList();
        assertEquals("auto is native", printed.getFirst());
        String best = isas().reversed().stream().filter(isa -> backend("native-" + isa).status().available())
                .findFirst().orElseThrow();
        assertEquals("native: " + backend("native-" + best).description(), printed.get(1));
        assertEquals(2 + isas().size(), printed.size());
    }

    @Test
    void theVariableCapsTheInstructions() throws Exception {
        assumeBuilt();
        String least = isas().getFirst();
        List<String> printed = print(Map.of("OSTINATO_NATIVE_ISA", least), classPath(true)).lines().toList();
        assertEquals("auto is native", printed.getFirst());
        assertEquals("native: " + backend("native-" + least).description(), printed.get(1));
        for (String isa : isas().subList(1, isas().size())) {
            assertTrue(printed.contains("native-" + isa + ": the environment variable OSTINATO_NATIVE_ISA allows "
                    + least + " at most"), printed::toString);
        }
    }

    @Test
    void anUnknownCapIsAnError() throws Exception {
        String printed = print(Map.of("OSTINATO_NATIVE_ISA", "sse9"), classPath(true));
        assertUnusable("the environment variable OSTINATO_NATIVE_ISA: expected " + String.join(" or ", isas())
                + ", got sse9", printed);
    }

    /** Every native backend gives the reason, and another one is picked. */
    private static void assertUnusable(String reason, String printed) {
        List<String> lines = printed.lines().toList();
        assertEquals("auto is vector", lines.getFirst());
        assertEquals(2 + isas().size(), lines.size(), printed);
        for (String line : lines.subList(1, lines.size())) {
            assertTrue(line.replaceFirst("native[^:]*: ", "").startsWith(reason), printed);
        }
    }

    @Test
    void aMissingArtifactIsNamed() throws Exception {
        String file = "META-INF/native/" + platform() + "/libostinato.so";
        assertUnusable("no resource " + file + ": add the artifact ostinato-native", print(Map.of(), classPath(false)));
    }

    @Test
    void theReasonWhyItWasNotBuiltIsPassedOn() throws Exception {
        Path resources = temporary.resolve("resources");
        Path directory = Files.createDirectories(resources.resolve("META-INF/native/" + platform()));
        Files.writeString(directory.resolve("not-built.txt"), "no C++ compiler\n");
        assertUnusable("the library was not built: no C++ compiler",
                print(Map.of(), classPath(false) + ":" + resources));
    }

    @Test
    void aNamedLibraryIsTheOnlyOneTried() throws Exception {
        Path named = temporary.resolve("libnone.so");
        assertUnusable(named + ": ", print(Map.of(), classPath(true), "-Dostinato.native.library=" + named));
    }

    @Test
    void everyDirectoryThatWasTriedIsListed() throws Exception {
        assumeBuilt();
        Path file = Files.writeString(temporary.resolve("file"), "not a directory");
        String printed = print(Map.of("XDG_CACHE_HOME", file.toString()), classPath(true), "-Djava.io.tmpdir=" + file);
        assertUnusable("tried " + file + "/ostinato: java.nio.file.FileAlreadyExistsException: " + file + "; " + file
                + "/ostinato-" + System.getProperty("user.name") + ": java.nio.file.FileAlreadyExistsException: " + file
                + "; or name a copy with -Dostinato.native.library=<file>", printed);
    }

    /** Of every operation as many calls as make no difference any more: what they compute is for {@link ConformanceTest} to compare. */
    @Test
    void theVirtualMachineHasNoComplaintOfTheCalls() throws Exception {
        assumeBuilt();
        String printed = run(NativeConformance.class, Map.of(), classPath(true), List.of("20"), "-Xcheck:jni");
        assertFalse(printed.contains("in native method"), printed);
        String backends =
                ExactBackends.names().filter(name -> name.startsWith("native-")).collect(Collectors.joining(" "));
        assertTrue(printed.matches("(?s).*\\R0 differences in \\d+ cases on " + backends), printed);
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
        return run(Print.class, environment, classPath, List.of(), options);
    }

    private String run(Class<?> main, Map<String, String> environment, String classPath, List<String> arguments,
            String... options) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC",
                        "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                        "-Djava.io.tmpdir=" + temporary));
        command.addAll(Stream.of(options).toList());
        command.addAll(List.of("-cp", classPath, main.getName()));
        command.addAll(arguments);
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
