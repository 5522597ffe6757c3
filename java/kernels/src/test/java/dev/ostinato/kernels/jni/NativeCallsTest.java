package dev.ostinato.kernels.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The two sides of JNI declare the same: the virtual machine links by name alone, and passes whatever Java declares. */
final class NativeCallsTest {
    private static final Path SOURCES = Path.of("../../native/src");

    private static final Map<String, String> JAVA = Map.of("int64_t", "long", "int32_t", "int", "float", "float");

    @Test
    void everyKernelHasTheArgumentsOfTheList() throws IOException {
        Map<String, List<String>> expected = new TreeMap<>();
        expected.put("abiVersion", List.of());
        expected.put("kernels", List.of("int"));
        Map<String, List<String>> passed = passed();
        matches("(?m)^KERNEL\\(\\w+,\\s*(\\w+),([^;]*?)\\)\\s*$", "kernels.def").forEach(kernel -> expected.put(
                kernel.group(1), Stream.concat(Stream.of("long"), all("(\\w+)\\(\\w+\\)", kernel.group(2))
                        .flatMap(argument -> passed.get(argument.group(1)).stream())).toList()));
        assertTrue(expected.size() > 20, expected::toString);

        Map<String, List<String>> actual = new TreeMap<>();
        for (Method method : NativeCalls.class.getDeclaredMethods()) {
            if (Modifier.isNative(method.getModifiers())) {
                actual.put(method.getName(),
                        Arrays.stream(method.getParameterTypes()).map(Class::getName).toList());
            }
        }
        assertEquals(lines(expected), lines(actual));
    }

    @Test
    void theIsasHaveTheirNamesAndNumbers() throws IOException {
        String names = matches("ISA_NAMES\\[ISA_COUNT\\] = \\{([^}]*)\\}", "isa.h").findFirst().orElseThrow().group(1);
        List<String> expected = all("\"(\\w+)\"", names).map(name -> name.group(1)).toList();
        assertEquals(expected, Arrays.stream(Isa.values()).map(Isa::label).toList());
        assertEquals(expected, Arrays.stream(Isa.values()).map(isa -> expected.get(isa.number())).toList());
    }

    @Test
    void theAbiVersionIsTheSame() throws IOException {
        assertEquals(NativeLibrary.ABI_VERSION, matches("ABI_VERSION = (\\d+);", "abi.h").map(m -> m.group(1))
                .mapToInt(Integer::parseInt).findFirst().orElseThrow());
    }

    @Test
    void theScratchOfGemmIsAsLarge() throws IOException {
        assertEquals(NativeKernels.GEMM_SCRATCH, matches("GEMM_SCRATCH = (\\d+);", "abi.h").map(m -> m.group(1))
                .mapToInt(Integer::parseInt).findFirst().orElseThrow());
    }

    /** Returns what the bridge takes for each kind of argument, in Java's types. */
    private static Map<String, List<String>> passed() throws IOException {
        return matches("#define PASSED_(\\w+)\\(name\\)((?:\\\\\\n|.)*)", "jni.cpp").collect(Collectors.toMap(
                kind -> kind.group(1),
                kind -> all("(int64_t|int32_t|float) ", kind.group(2)).map(type -> JAVA.get(type.group(1))).toList()));
    }

    private static Stream<MatchResult> matches(String pattern, String file) throws IOException {
        return all(pattern, Files.readString(SOURCES.resolve(file)));
    }

    private static Stream<MatchResult> all(String pattern, String text) {
        return Pattern.compile(pattern).matcher(text).results();
    }

    private static String lines(Map<String, List<String>> methods) {
        return methods.entrySet().stream().map(Object::toString).collect(Collectors.joining("\n"));
    }
}
