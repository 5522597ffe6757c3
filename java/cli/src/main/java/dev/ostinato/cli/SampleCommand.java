package dev.ostinato.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.function.IntConsumer;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lets a model write. */
@Command(name = "sample", mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false,
        description = {"Lets a model of characters go on with a text, character by character.",
            "The same model, options and seed write the same text on every machine."},
        footer = {"", "Examples:",
            "  ostinato sample book.safetensors",
            "  ostinato sample book.safetensors --prompt \"It was \" --temperature 0.7",
            "  ostinato sample book.safetensors --temperature 0 --json"})
final class SampleCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "A model file, a checkpoint, or a model of PyTorch's.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path file;

    @Option(names = "--prompt", paramLabel = "TEXT", order = 1, description = {
        "What the model goes on with (default: nothing, as at the beginning of a line)."})
    private String prompt = "";

    @Option(names = "--length", paramLabel = "N", order = 2, description = {
        "Characters to write after the prompt (default: ${DEFAULT-VALUE})."})
    private int length = 400;

    @Option(names = "--temperature", paramLabel = "X", order = 3, description = {
        "Below 1 writes more likely text, above 1 more surprising; 0 always the most likely character "
                + "(default: ${DEFAULT-VALUE})."})
    private double temperature = 1;

    @Option(names = "--top-k", paramLabel = "N", order = 4, description = {
        "Picks among so many most likely characters; 0 among all (default: ${DEFAULT-VALUE})."})
    private int topK;

    @Option(names = "--seed", paramLabel = "N", order = 5,
            description = "Seed of the choices (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(names = "--backend", paramLabel = "NAME", order = 6, description = {
        "Backend that computes, see ostinato info (default: ${DEFAULT-VALUE})."})
    private String backend = "auto";

    @Option(names = "--json", order = 7, description = "Prints the text at the end in one JSON object.")
    private boolean json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImportOptions importing;

    SampleCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        checkArguments();
        TextModel model = TextModel.read(file, importing, backend);
        TextWriter writer = new TextWriter(model.model(), model.vocabulary(), new Sampler(temperature, topK, seed));
        writer.prompt(prompt);
        if (json) {
            StringBuilder text = new StringBuilder();
            write(writer, text::appendCodePoint);
            terminal.json(toMap(text.toString()));
        } else {
            terminal.out().print(prompt);
            write(writer, c -> terminal.out().print(Character.toString(c)));
            terminal.out().println();
        }
        return CommandLine.ExitCode.OK;
    }

    private void checkArguments() {
        if (length < 1) {
            throw misused("--length: expected at least 1, got " + length);
        }
        if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
            throw misused("--temperature: expected a number of at least 0, got " + temperature);
        }
        if (topK < 0) {
            throw misused("--top-k: expected at least 0, got " + topK);
        }
    }

    private ParameterException misused(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private void write(TextWriter writer, IntConsumer sink) {
        // Whoever reads may leave early; head does.
        for (int i = 0; i < length && !terminal.out().checkError(); i++) {
            sink.accept(writer.next());
        }
    }

    private SequencedMap<String, Object> toMap(String text) {
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("model", file.toString());
        map.put("prompt", prompt);
        map.put("text", text);
        map.put("seed", seed);
        map.put("temperature", temperature);
        map.put("top_k", topK);
        return map;
    }
}
