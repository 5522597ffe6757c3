package dev.ostinato.cli;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Limits;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Team;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures what a model costs on this machine. */
@Command(name = "bench", mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false,
        description = {
            "Measures what a step of a model costs on this machine, and what share of the machine's limit it reaches.",
            "The limit of a step is what its weights take to be read, or its products to be computed, whichever is more, at the rates of"
                    + " one core, times the threads, that are measured in the same run; of a sequence, only the weights of the state are"
                    + " read at every step."},
        footer = {"", "Examples:",
            "  ostinato bench --cell lstm --hidden 128",
            "  ostinato bench --cell gru --inputs 64 --hidden 256 --batch 32 --steps 100",
            "  ostinato bench --hidden 512 --steps 100 --precision int8 --threads 2",
            "  ostinato bench book.safetensors --seconds 10 --open-loop 10 --json",
            "  OSTINATO_JAVA_OPTS=\"-XX:-UseSerialGC -XX:+UseZGC\" ostinato bench --churn --seconds 60"})
final class BenchCommand implements Callable<Integer> {
    private static final int PROGRESS_SECONDS = 5;
    private static final double WARM_UP_SECONDS = 0.5;

    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL", arity = "0..1",
            description = "A model file, a checkpoint, or a model of PyTorch's; or else random weights:")
    private @Nullable Path file;

    @Option(names = "--cell", paramLabel = "KIND", order = 1, description = {
        "Cell of random weights: rnn, lstm, gru, or as ostinato inspect shows it (default: lstm)."})
    private @Nullable String cell;

    @Option(names = {"--input", "--inputs"}, paramLabel = "N", order = 2,
            description = "Its inputs (default: as many as units).")
    private @Nullable Integer inputs;

    @Option(names = "--hidden", paramLabel = "N", order = 3, description = "Its units (default: 128).")
    private @Nullable Integer hidden;

    @Option(names = "--layers", paramLabel = "N", order = 4, description = "Layers of them (default: 1).")
    private @Nullable Integer layers;

    @Option(names = "--batch", paramLabel = "N", order = 5, description = {
        "Streams that step together (default: ${DEFAULT-VALUE})."})
    private int batch = 1;

    @Option(names = "--steps", paramLabel = "N", order = 6, description = {
        "Steps of one call; from 2 on a sequence at once (default: ${DEFAULT-VALUE})."})
    private int steps = 1;

    @Option(names = "--precision", paramLabel = "f32|bf16|int8", order = 7,
            description = "Precision of the weights (default: that of the file).")
    private @Nullable Precision precision;

    @Option(names = "--threads", paramLabel = "N", order = 8, description = {
        "Threads that share a step, each on a core of its own (default: ${DEFAULT-VALUE})."})
    private int threads = 1;

    @Option(names = "--backend", paramLabel = "NAME", order = 9, description = {
        "Backend that computes, see ostinato info (default: ${DEFAULT-VALUE})."})
    private String backend = "auto";

    @Option(names = "--seconds", paramLabel = "N", order = 10, description = {
        "How long to measure, behind a warm-up (default: ${DEFAULT-VALUE})."})
    private double seconds = 3;

    @Option(names = "--open-loop", paramLabel = "PERCENT", order = 11, description = {
        "Measures the same again with calls that are due at a constant rate, at this load; counted from when a call was due."})
    private @Nullable Double openLoop;

    @Option(names = "--churn", order = 12, description = "Lets another thread make garbage meanwhile.")
    private boolean churn;

    @Option(names = "--json", order = 13, description = "Prints the result as one JSON object.")
    private boolean json;

    private record Measured(CallTimes service, @Nullable CallTimes open) {}

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImportOptions importing;

    BenchCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        checkArguments();
        Model model = Precisions.round(
                (file == null ? random() : importing.read(file).model()).withBackend(backend), precision);
        StepWork step = StepWork.of(model, batch, steps, threads);
        if (step.sweptBytes() == 0) {
            throw new Failure(
                    file + ": expected a model with weights to multiply with at a step, got " + model.layers());
        }
        Limits limits = Limits.here();
        StepWork.Rates before = step.measure(limits);
        Measured measured;
        try (Team team = Team.of(threads)) {
            Workload work = new Workload(model, model.newState(batch, team), steps);
            warmUp(model, work);
            measured = churn ? measureInGarbage(work) : measure(work);
        }
        // At both ends, since a moment's disturbance would make the limit too easy.
        StepWork.Rates rates = before.or(step.measure(limits));
        BenchReport report =
                new BenchReport(name(), model, backend(model), limits.backend(), step, rates, Caches.here(),
                        measured.service, measured.open, openLoop);
        report.check();
        if (json) {
            terminal.json(report.toMap());
        } else {
            report.print(terminal.out());
        }
        return CommandLine.ExitCode.OK;
    }

    private Measured measureInGarbage(Workload work) {
        Churn garbage = Churn.start();
        try {
            return measure(work);
        } finally {
            garbage.close();
        }
    }

    private Measured measure(Workload work) {
        CallTimes service = CallTimes.service(work, seconds, this::showProgress);
        return new Measured(service, openLoop == null ? null
                : CallTimes.openLoop(work, service.mean() * 100 / openLoop, seconds));
    }

    private void warmUp(Model model, Workload work) {
        long start = System.nanoTime();
        model.warmUp(batch, steps);
        // What measures has to be compiled as well.
        CallTimes.service(work, WARM_UP_SECONDS, passed -> {
        });
        if (openLoop != null) {
            CallTimes.openLoop(work, 1, WARM_UP_SECONDS / 1e6);
        }
        terminal.say(String.format(Locale.ROOT, "warmed up in %.1f s, now measuring for %.1f s",
                (System.nanoTime() - start) / 1e9, openLoop == null ? seconds : 2 * seconds));
    }

    private void showProgress(double passed) {
        if (passed < seconds && Math.round(passed) % PROGRESS_SECONDS == 0) {
            terminal.say(String.format(Locale.ROOT, "measured for %.0f of %.0f s", passed, seconds));
        }
    }

    private Model random() {
        Model.Builder builder = Model.builder().features(or(inputs, or(hidden, 128)));
        for (int i = 0; i < or(layers, 1); i++) {
            builder.recurrent(cellType(), or(hidden, 128));
        }
        return builder.seed(1).build();
    }

    private CellType cellType() {
        try {
            return cell == null ? CellType.LSTM : cell.equals("rnn") ? CellType.RNN_TANH : CellType.of(cell);
        } catch (IllegalArgumentException e) {
            throw misused("--" + e.getMessage());
        }
    }

    private String name() {
        return file != null ? file.toString()
                : or(layers, 1) + " x " + cellType().label() + " " + or(inputs, or(hidden, 128)) + " -> "
                        + or(hidden, 128);
    }

    private static Backend backend(Model model) {
        return Backends.all().stream().filter(b -> b.name().equals(model.backend())).findFirst().orElseThrow();
    }

    private void checkArguments() {
        if (file != null && (cell != null || inputs != null || hidden != null || layers != null)) {
            throw misused("MODEL or --cell, --input, --hidden, --layers: expected one of them, got both");
        }
        positive("--input", or(inputs, 1));
        positive("--hidden", or(hidden, 1));
        positive("--layers", or(layers, 1));
        positive("--batch", batch);
        positive("--steps", steps);
        Threads.check(spec, threads);
        if (!(seconds > 0 && seconds <= 86_400)) {
            throw misused("--seconds: expected more than 0 and at most 86400, got " + seconds);
        }
        if (openLoop != null && !(openLoop > 0 && openLoop <= 100)) {
            throw misused("--open-loop: expected more than 0 and at most 100 percent, got " + openLoop);
        }
    }

    private void positive(String option, int value) {
        if (value < 1) {
            throw misused(option + ": expected at least 1, got " + value);
        }
    }

    private ParameterException misused(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private static int or(@Nullable Integer value, int otherwise) {
        return value == null ? otherwise : value;
    }
}
