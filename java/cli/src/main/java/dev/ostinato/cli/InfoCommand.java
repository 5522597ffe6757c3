package dev.ostinato.cli;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Tells what computes here. */
@Command(name = "info", mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false,
        description = "Shows the machine, the virtual machine and the backends, and why one of them cannot be used.")
final class InfoCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Option(names = "--json", description = "Prints the result as one JSON object.")
    private boolean json;

    InfoCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Machine machine = Machine.here();
        List<String> warnings = JvmWarnings.here();
        if (json) {
            terminal.json(toJson(machine, warnings));
        } else {
            print(machine, warnings);
        }
        return CommandLine.ExitCode.OK;
    }

    private void print(Machine machine, List<String> warnings) {
        PrintStream out = terminal.out();
        out.printf("system    %s%n", system());
        out.printf("CPU       %s, %d cores%n", machine.cpu(), cores());
        out.printf("features  %s%n", machine.features().isEmpty() ? "unknown" : String.join(" ", machine.features()));
        out.printf("Java      %s, %s%n", Runtime.version(), jvm());
        warnings.forEach(warning -> out.printf("warning   %s%n", warning));
        int width = Backends.all().stream().mapToInt(b -> b.name().length()).max().orElseThrow();
        for (Backend backend : Backends.all()) {
            Backend.Status status = backend.status();
            out.printf("backend   %-" + width + "s  %s%s%n", backend.name(), backend.description(),
                    status.available() ? "" : "; unavailable: " + status.reason());
        }
    }

    private static Map<String, Object> toJson(Machine machine, List<String> warnings) {
        SequencedMap<String, Object> result = new LinkedHashMap<>();
        result.put("os", system());
        result.put("cpu", machine.cpu());
        result.put("simd", machine.features());
        result.put("cores", cores());
        result.put("jvm", jvm());
        result.put("java_version", Runtime.version().toString());
        result.put("warnings", warnings);
        result.put("backends", Backends.all().stream().map(InfoCommand::toJson).toList());
        return result;
    }

    private static Map<String, Object> toJson(Backend backend) {
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("name", backend.name());
        map.put("status", backend.status().available() ? "available" : "unavailable");
        map.put("reason", backend.status().reason());
        map.put("description", backend.description());
        return map;
    }

    private static String system() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                + System.getProperty("os.arch");
    }

    private static String jvm() {
        return System.getProperty("java.vm.name") + " of " + System.getProperty("java.vm.vendor");
    }

    private static int cores() {
        return Runtime.getRuntime().availableProcessors();
    }
}
