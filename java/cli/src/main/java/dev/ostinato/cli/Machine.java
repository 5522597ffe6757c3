package dev.ostinato.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A processor.
 *
 * @param cpu its name, {@code unknown} where nobody tells
 * @param features those of its instruction sets that matter here, in the system's own spelling
 */
record Machine(String cpu, List<String> features) {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");
    private static final Set<String> EXACT =
            Set.of("sse4_2", "avx", "avx2", "fma", "f16c", "asimd", "asimdhp", "asimddp",
                    "neon", "bf16", "i8mm");
    private static final List<String> PREFIXES = List.of("avx512", "avx_vnni", "avx_ifma", "avx10", "amx_", "sve");

    Machine {
        features = List.copyOf(features);
    }

    /** Asks the system. */
    static Machine here() {
        try {
            return parse(Files.readString(CPUINFO, UTF_8));
        } catch (IOException e) {
            return parse("");
        }
    }

    /** Takes the first processor of a {@code /proc/cpuinfo}. */
    static Machine parse(String cpuinfo) {
        String features = value(cpuinfo, "flags").or(() -> value(cpuinfo, "Features")).orElse("");
        return new Machine(value(cpuinfo, "model name").or(() -> value(cpuinfo, "Hardware")).orElse("unknown"),
                Arrays.stream(features.split(" ")).filter(Machine::matters).toList());
    }

    private static Optional<String> value(String cpuinfo, String key) {
        return cpuinfo.lines().filter(line -> line.split(":", 2)[0].strip().equals(key) && line.contains(":"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip()).findFirst();
    }

    private static boolean matters(String feature) {
        return EXACT.contains(feature) || PREFIXES.stream().anyMatch(feature::startsWith);
    }
}
