package dev.ostinato.cli;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Vocabulary;
import dev.ostinato.onnx.OnnxExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a model file of any other. */
@Command(name = "convert", mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false,
        description = {
            "Reads a model of PyTorch, or one of our own, and writes a model file that needs no options to be read.",
            "IN: safetensors or a .pt or .pth file of torch.save, with a state dict; its first bytes tell, not its name. "
                    + "OUT: safetensors, which PyTorch reads too, or an ONNX graph."},
        footer = {"", "Examples:",
            "  ostinato convert model.pt model.safetensors",
            "  ostinato convert checkpoint.pth model.safetensors --state-dict ema --nonlinearity tanh",
            "  ostinato convert language.pt language.safetensors --vocabulary characters.txt",
            "  ostinato convert book.safetensors small.safetensors --precision int8",
            "  ostinato convert book.safetensors book.onnx"})
final class ConvertCommand implements Callable<Integer> {
    private static final String SUFFIX = ".safetensors";
    private static final String ONNX = ".onnx";

    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "IN", description = "A model.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path in;

    @Parameters(index = "1", paramLabel = "OUT",
            description = "FILE" + SUFFIX + " or FILE" + ONNX + ", created or replaced.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path out;

    @Option(names = "--precision", paramLabel = "f32|bf16|int8", order = 1, description = {
        "Precision at which the weights are stored, and computed with when they are read (default: that of IN)."})
    private @Nullable Precision precision;

    @Option(names = "--vocabulary", paramLabel = "FILE", order = 2, description = {
        "Text in UTF-8 with the character of each token, the first one's first: makes a model of tokens one of text."})
    private @Nullable Path vocabulary;

    @Option(names = "--json", order = 3, description = "Prints the result as one JSON object.")
    private boolean json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImportOptions importing;

    ConvertCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        String name = out.toString().toLowerCase(Locale.ROOT);
        if (!name.endsWith(SUFFIX) && !name.endsWith(ONNX)) {
            throw new Failure(out + ": expected a name that ends in " + SUFFIX + " or " + ONNX
                    + ", the formats that are written; in Python safetensors.torch.load_file gives the state dict of it");
        }
        OutputFiles.check(out);
        ModelFile read = importing.read(in);
        Model model = Precisions.round(read.model(), precision);
        if (name.endsWith(ONNX)) {
            writeGraph(model);
        } else {
            ModelFile.write(out, model, vocabulary == null ? read.vocabulary().orElse(null) : vocabulary(model));
        }
        if (json) {
            terminal.json(toMap(model));
        } else {
            terminal.out().printf(Locale.ROOT, "%s: %s, %,d parameters in %s, %,d bytes%n", out, layers(model),
                    model.parameterCount(), Precisions.name(model.precision()), Files.size(out));
        }
        return CommandLine.ExitCode.OK;
    }

    private void writeGraph(Model model) throws IOException {
        if (vocabulary != null) {
            throw new Failure(
                    "--vocabulary: expected none for " + out + ", since a graph has tokens and no characters");
        }
        if (model.precision() != Precision.F32) {
            throw new Failure(out + ": expected weights in f32 for an ONNX graph, got "
                    + Precisions.name(model.precision()));
        }
        try {
            OnnxExport.of(model).write(out);
        } catch (IllegalArgumentException e) {
            throw new Failure(out + ": " + e.getMessage(), e);
        }
    }

    private Vocabulary vocabulary(Model model) throws IOException {
        Path file = Optional.ofNullable(vocabulary).orElseThrow();
        Vocabulary characters = Vocabulary.of(Utf8.decode(file.toString(), Files.readAllBytes(file)).toString());
        if (!model.takesTokens() || characters.size() != model.inputs()) {
            throw new Failure(file + ": expected one character for each token of the model, "
                    + (model.takesTokens() ? model.inputs() + " of them" : "which has none") + ", got "
                    + characters.size());
        }
        return characters;
    }

    private static String layers(Model model) {
        return model.layers().stream().map(layer -> layer.label() + " " + layer.outputs())
                .collect(Collectors.joining(", "));
    }

    private SequencedMap<String, Object> toMap(Model model) throws IOException {
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("model", out.toString());
        map.put("from", in.toString());
        map.put("layers", model.layers().stream().map(Layer::label).toList());
        map.put("parameters", model.parameterCount());
        map.put("precision", Precisions.name(model.precision()));
        map.put("file_bytes", Files.size(out));
        return map;
    }
}
