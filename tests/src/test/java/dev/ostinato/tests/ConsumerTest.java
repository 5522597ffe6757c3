package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ostinato.kernels.Backends;
import java.io.File;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A program that has nothing of Ostinato but the jar of the kernels, and perhaps that of the library, in a virtual machine of its own. */
final class ConsumerTest {
    private static final String MODULE = """
            module consumer {
                requires dev.ostinato.kernels;
            }
            """;
    private static final String MAIN =
            """
                    package consumer;

                    import dev.ostinato.kernels.Backend;
                    import dev.ostinato.kernels.Backends;
                    import dev.ostinato.kernels.Slice;

                    public final class Main {
                        public static void main(String[] arguments) {
                            for (String name : new String[] {"native", "vector", "scalar"}) {
                                try {
                                    float[] x = {1, 2, 3};
                                    System.out.println(name + ": " + Backends.kernels(name).slices().dot(Slice.of(x), Slice.of(x)));
                                } catch (IllegalArgumentException e) {
                                    System.out.println(e.getMessage());
                                }
                            }
                        }
                    }
                    """;
    private static final String VECTORS = "--add-modules=jdk.incubator.vector";

    @TempDir
    private static Path temporary;

    private static Path classes;

    @BeforeAll
    static void compile() throws Exception {
        Path sources = Files.createDirectories(temporary.resolve("sources/consumer")).getParent();
        Files.writeString(sources.resolve("module-info.java"), MODULE);
        Files.writeString(sources.resolve("consumer/Main.java"), MAIN);
        classes = temporary.resolve("classes");
        int status = ToolProvider.getSystemJavaCompiler().run(null, null, null, "-d", classes.toString(),
                "--module-path", kernels(), sources.resolve("module-info.java").toString(),
                sources.resolve("consumer/Main.java").toString());
        assertEquals(0, status, "the compiler's status");
    }

    /** The jar when Maven has packaged it, otherwise the folder of classes. */
    private static String kernels() throws URISyntaxException {
        return Path.of(Backends.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    }

    /** The library's jar; Maven packages it before these tests run. */
    private static String library() {
        String jar = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> entry.matches(".*ostinato-native[^/]*\\.jar")).findFirst().orElse("");
        boolean required = System.getenv("OSTINATO_REQUIRE_NATIVE") != null;
        assumeTrue(required || !jar.isEmpty(), "the library's jar is not on the class path");
        return jar;
    }

    private static boolean built() {
        return Backends.all().stream().anyMatch(b -> b.name().equals("native") && b.status().available());
    }

    private record Output(int status, List<String> printed, String complaints) {}

    private static Output java(List<String> options) throws Exception {
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java",
                "-XX:+UseSerialGC", "-Djava.io.tmpdir=" + temporary));
        command.addAll(options);
        Path complaints = Files.createTempFile(temporary, "complaints", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(complaints.toFile());
        builder.environment().put("XDG_CACHE_HOME", temporary.resolve("cache").toString());
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Output(process.waitFor(), printed.lines().toList(), Files.readString(complaints));
    }

    private static List<String> path(boolean modules, String... entries) {
        String joined = String.join(File.pathSeparator, entries);
        return modules ? List.of("--module-path", joined) : List.of("-cp", joined);
    }

    private static List<String> main(boolean modules) {
        return modules ? List.of("--module", "consumer/consumer.Main") : List.of("consumer.Main");
    }

    @ParameterizedTest(name = "modules {0}, vectors {1}, native access {2}")
    @CsvSource({"true, true, true", "true, true, false", "true, false, true", "true, false, false",
        "false, true, true", "false, true, false", "false, false, true", "false, false, false"})
    void everyBackendComputesOrSaysWhatIsMissing(boolean modules, boolean vectors, boolean access) throws Exception {
        List<String> options = new ArrayList<>(path(modules, kernels(), classes.toString(), library()));
        if (modules) {
            options.add("--add-modules=dev.ostinato.natives");
        }
        if (vectors) {
            options.add(VECTORS);
        }
        if (access) {
            options.add("--enable-native-access=" + (modules ? "dev.ostinato.kernels" : "ALL-UNNAMED"));
        }
        options.addAll(main(modules));
        Output output = java(options);
        assertEquals(0, output.status, output::complaints);
        if (built()) {
            assertEquals("native: 14.0", output.printed.get(0));
        } else {
            assertTrue(output.printed.get(0).startsWith("backend native cannot be used: "), output.printed::toString);
        }
        assertEquals(vectors ? "vector: 14.0" : "backend vector cannot be used: start Java with " + VECTORS,
                output.printed.get(1));
        assertEquals("scalar: 14.0", output.printed.get(2));
        assertEquals(!access, output.complaints.contains("--enable-native-access="), output::complaints);
    }

    @ParameterizedTest(name = "modules {0}")
    @CsvSource({"true", "false"})
    void withoutTheLibraryItsJarIsNamed(boolean modules) throws Exception {
        List<String> options = new ArrayList<>(path(modules, kernels(), classes.toString()));
        options.addAll(main(modules));
        List<String> printed = java(options).printed;
        assertTrue(printed.get(0).contains("add the artifact ostinato-native"), printed::toString);
        assertEquals("scalar: 14.0", printed.get(2));
    }

    /** What later JDKs do unless the flag is given. */
    @Test
    void deniedNativeAccessNamesTheFlag() throws Exception {
        List<String> options = new ArrayList<>(path(true, kernels(), classes.toString()));
        options.add("--illegal-native-access=deny");
        options.addAll(main(true));
        Output output = java(options);
        assertTrue(output.status != 0);
        assertTrue(output.complaints.contains("--enable-native-access=dev.ostinato.kernels"), output::complaints);
    }
}
