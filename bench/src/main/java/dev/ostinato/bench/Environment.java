package dev.ostinato.bench;

import dev.ostinato.kernels.Backends;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Prints what results depend on besides the code, as one line of JSON: the commit, the machine, the JVM and its flags, the backends. */
public final class Environment {
    private Environment() {
    }

    static void main() {
        System.out.println(json());
    }

    /** Returns the line. The commit is that of the system property {@code bench.commit}, which the scripts set. */
    static JsonLine json() {
        JsonLine line = new JsonLine().put("kind", "environment")
                .put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString())
                .put("commit", System.getProperty("bench.commit", "unknown"))
                .put("cpu", cpu())
                .put("processors", Runtime.getRuntime().availableProcessors())
                .put("load", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage())
                .put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"))
                .put("jvm", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"))
                .put("flags", String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()));
        Backends.all().forEach(backend -> line.put("backend " + backend.name(),
                backend.status().available() ? backend.description() : "unavailable: " + backend.status().reason()));
        return line;
    }

    private static String cpu() {
        try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(l -> l.startsWith("model name")).findFirst().map(l -> l.substring(l.indexOf(':') + 2))
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException e) {
            return System.getProperty("os.arch"); // not Linux
        }
    }
}
