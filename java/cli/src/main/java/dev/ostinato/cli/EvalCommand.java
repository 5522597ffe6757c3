package dev.ostinato.cli;

import dev.ostinato.nn.Evaluation;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.PrecisionReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
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

/** Measures how well a model of characters predicts. */
@Command(name = "eval", mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false,
        description = {"Measures how well a model predicts a text, or shows what it expects next.",
            "Characters that the model never saw count as U+FFFD if it knows that one, and are an error otherwise."},
        footer = {"", "Examples:",
            "  ostinato eval book.safetensors --data other.txt",
            "  ostinato eval book.safetensors --data other.txt --precision int8",
            "  ostinato eval book.safetensors --next \"The mountai\""})
final class EvalCommand implements Callable<Integer> {
    /** From here on the few characters that each piece is read without what was before it hardly count. */
    private static final int LONG_TEXT = 200_000;
    private static final int STREAMS = 32;
    /** The most characters over which the layers of rounded and exact weights are compared. */
    private static final int COMPARED = 10_000;

    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "A model file, a checkpoint, or a model of PyTorch's.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path file;

    @Option(names = "--data", paramLabel = "FILE|DIR|jdk", order = 1,
            description = "Text in UTF-8, as for ostinato train.")
    private @Nullable String data;

    @Option(names = "--streams", paramLabel = "N", order = 2, description = {
        "Pieces into which the text is cut and that are read side by side; 1 is exact, more are faster (default: 1, and "
                + STREAMS + " from " + LONG_TEXT + " characters on)."})
    private @Nullable Integer streams;

    @Option(names = "--next", paramLabel = "TEXT", order = 3,
            description = "Shows which characters the model expects behind TEXT.")
    private @Nullable String next;

    @Option(names = "--top", paramLabel = "N", order = 4, description = "How many of them (default: ${DEFAULT-VALUE}).")
    private int top = 10;

    @Option(names = "--threads", paramLabel = "N", order = 5,
            description = "Threads that compute (default: ${DEFAULT-VALUE}).")
    private int threads = 1;

    @Option(names = "--backend", paramLabel = "NAME", order = 6, description = {
        "Backend that computes, see ostinato info (default: ${DEFAULT-VALUE})."})
    private String backend = "auto";

    @Option(names = "--precision", paramLabel = "f32|bf16|int8", order = 7, description = {
        "Rounds the weights, and shows what that changes (default: as they are in the file)."})
    private @Nullable Precision precision;

    @Option(names = "--json", order = 8, description = "Prints the result as one JSON object.")
    private boolean json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImportOptions importing;

    EvalCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        checkArguments();
        TextModel exact = TextModel.read(file, importing, backend);
        TextModel language = exact.withPrecision(precision);
        SequencedMap<String, Object> result = new LinkedHashMap<>();
        result.put("model", file.toString());
        if (data != null) {
            int[] text = exact.vocabulary().encode(Corpus.read(data).text());
            Evaluation evaluation = measure(language, text, result);
            if (precision != null && precision != Precision.F32) {
                compare(exact.withPrecision(Precision.F32), language, text, evaluation, result);
            }
        }
        if (next != null) {
            List<NextCharacter> expected = NextCharacter.after(next, language, top);
            result.put("text", next);
            result.put("next", expected.stream().map(EvalCommand::toJson).toList());
            if (!json) {
                expected.forEach(this::print);
            }
        }
        if (json) {
            terminal.json(result);
        }
        return CommandLine.ExitCode.OK;
    }

    private void checkArguments() {
        require(data != null || next != null, "--data or --next: expected one of them, got none");
        Threads.check(spec, threads);
        require(streams == null || streams >= 1, "--streams: expected at least 1, got " + streams);
        require(top >= 1, "--top: expected at least 1, got " + top);
    }

    private void require(boolean condition, String message) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    private Evaluation evaluate(TextModel language, int[] text) {
        int side = streams != null ? streams : text.length < LONG_TEXT ? 1 : STREAMS;
        return Evaluation.of(language.model(), text, side, threads);
    }

    private Evaluation measure(TextModel language, int[] text, Map<String, Object> result) {
        Evaluation evaluation = evaluate(language, text);
        result.put("data", data);
        result.put("precision", Precisions.name(language.model().precision()));
        result.put("characters", evaluation.tokens());
        result.put("log_probability", evaluation.logProbability());
        result.put("loss", evaluation.nats());
        result.put("bits_per_char", evaluation.bits());
        result.put("perplexity", evaluation.perplexity());
        result.put("accuracy", evaluation.accuracy());
        if (!json) {
            terminal.out().printf(Locale.ROOT, "characters       %,d%n", evaluation.tokens());
            terminal.out().printf(Locale.ROOT, "log-probability  %,.3f nats%n", evaluation.logProbability());
            terminal.out().printf(Locale.ROOT, "per character    %.4f nats, %.4f bits%n", evaluation.nats(),
                    evaluation.bits());
            terminal.out().printf(Locale.ROOT, "perplexity       %.4f%n", evaluation.perplexity());
            terminal.out().printf(Locale.ROOT, "guessed right    %.2f %%%n", 100 * evaluation.accuracy());
        }
        return evaluation;
    }

    /** Shows what the rounded weights cost. */
    private void compare(TextModel exact, TextModel language, int[] text, Evaluation rounded,
            Map<String, Object> result) {
        double bits = evaluate(exact, text).bits();
        Precision narrow = language.model().precision();
        PrecisionReport report = PrecisionReport.of(language.model(), narrow,
                Arrays.copyOf(text, Math.min(text.length, COMPARED)));
        result.put("exact_bits_per_char", bits);
        result.put("change_bits_per_char", rounded.bits() - bits);
        result.put("errors", Precisions.toMap(report));
        if (!json) {
            terminal.out().printf(Locale.ROOT, "exact weights    %.4f bits; %s changes them by %+.5f%n", bits,
                    Precisions.name(narrow), rounded.bits() - bits);
            Precisions.print(report, terminal.out());
        }
    }

    private void print(NextCharacter expected) {
        terminal.out().printf(Locale.ROOT, "%-8s %.6f%n", "'" + Printable.of(expected.character()) + "'",
                expected.probability());
    }

    private static Map<String, Object> toJson(NextCharacter expected) {
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("character", Character.toString(expected.character()));
        map.put("probability", expected.probability());
        return map;
    }
}
