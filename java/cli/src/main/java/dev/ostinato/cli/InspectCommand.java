package dev.ostinato.cli;

import dev.ostinato.formats.Checkpoint;
import dev.ostinato.formats.FileFormat;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.PrecisionReport;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tells what a model file contains. */
@Command(name = "inspect", mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false,
        description = {"Shows the layers, sizes and vocabulary of a model, and of a checkpoint where its training is.",
            "With --data also what its layers do: how gradients vanish or explode through time, how far back learning reaches, which gates "
                    + "are saturated and which units dead."},
        footer = {"", "Examples:",
            "  ostinato inspect book.safetensors",
            "  ostinato inspect book.safetensors --data book.txt --plot book.png",
            "  ostinato inspect book.safetensors --precision int8"})
final class InspectCommand implements Callable<Integer> {
    private static final String TRAINING = "ostinato.training";
    /** Steps over which rounded weights are compared with exact ones. */
    private static final int STEPS = 1_000;

    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "A model file, a checkpoint, or a model of PyTorch's.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path file;

    @Option(names = "--precision", paramLabel = "f32|bf16|int8", description = {
        "Shows how far rounded weights are from the exact ones, over " + STEPS + " random inputs."})
    private @Nullable Precision precision;

    @Option(names = "--data", paramLabel = "FILE|DIR|jdk", description = {
        "Text in UTF-8 to look at the layers with; or FILE.npz with x, as for ostinato run, and y, float32 (T, B, outputs) or classes "
                + "(T, B), without the T for a model that pools."})
    private @Nullable String data;

    @Option(names = "--seq", paramLabel = "N", description = {
        "Characters in each piece of the text that gradients go back over (default: ${DEFAULT-VALUE})."})
    private int seq = 50;

    @Option(names = "--plot", paramLabel = "FILE", description = "Draws what --data shows as a PNG.")
    private @Nullable Path plot;

    @Option(names = "--json", description = "Prints the result as one JSON object.")
    private boolean json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ImportOptions importing;

    /** A layer with its tensors. */
    private record Described(Layer layer, List<NamedArray> tensors) {
        long parameters() {
            return tensors.stream().mapToLong(tensor -> tensor.data().length).sum();
        }

        /** Returns what disturbs it in training, if anything does. */
        Optional<Regularization> regularization() {
            return layer instanceof Layer.WithCell recurrent
                    ? Optional.of(recurrent.regularization()).filter(r -> !r.equals(Regularization.NONE))
                    : Optional.empty();
        }
    }

    InspectCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        checkArguments();
        if (FileFormat.of(file) == FileFormat.ONNX) {
            inspectGraph();
            return CommandLine.ExitCode.OK;
        }
        Optional<Checkpoint> checkpoint = isCheckpoint() ? Optional.of(Checkpoint.read(file)) : Optional.empty();
        ModelFile contents = checkpoint.isPresent() ? checkpoint.get().model() : importing.read(file);
        List<Described> layers = layers(contents.model());
        Optional<PrecisionReport> report = Optional.ofNullable(precision).map(p -> PrecisionReport
                .ofRandomInputs(Precisions.round(contents.model(), p), p, STEPS, 1));
        Optional<Diagnosis> diagnosis = diagnosis(contents);
        if (json) {
            Map<String, Object> result = toJson(contents, layers, checkpoint);
            diagnosis.ifPresent(found -> result.put("diagnostics", found.toMap()));
            report.ifPresent(errors -> result.put("errors", Precisions.toMap(errors)));
            terminal.json(result);
        } else {
            print(contents, layers, checkpoint);
            report.ifPresent(errors -> Precisions.print(errors, terminal.out()));
            diagnosis.ifPresent(found -> found.print(terminal.out()));
        }
        return CommandLine.ExitCode.OK;
    }

    private void inspectGraph() throws IOException {
        if (data != null || precision != null) {
            throw new ParameterException(spec.commandLine(), (data != null ? "--data" : "--precision")
                    + ": expected none for an ONNX graph");
        }
        if (json) {
            terminal.json(OnnxCommands.toMap(file));
        } else {
            OnnxCommands.print(file, terminal.out());
        }
    }

    private boolean isCheckpoint() throws IOException {
        return FileFormat.of(file) == FileFormat.SAFETENSORS
                && SafeTensors.read(file).metadata().containsKey(TRAINING);
    }

    private void checkArguments() {
        if (seq < 1) {
            throw new ParameterException(spec.commandLine(), "--seq: expected at least 1, got " + seq);
        }
        if (plot != null && data == null) {
            throw new ParameterException(spec.commandLine(),
                    "--plot: expected --data with it, since it shows what a model does over "
                            + "data");
        }
        if (plot != null) {
            OutputFiles.check(plot);
        }
    }

    private Optional<Diagnosis> diagnosis(ModelFile contents) throws IOException {
        if (data == null) {
            return Optional.empty();
        }
        Diagnosis diagnosis = Diagnosis.of(contents.model(), Samples.read(data, contents, seq));
        if (plot != null) {
            DiagnosisPlot.write(plot, diagnosis);
        }
        return Optional.of(diagnosis);
    }

    private static List<Described> layers(Model model) {
        return IntStream.range(0, model.layers().size())
                .mapToObj(i -> new Described(model.layers().get(i), model.tensors(i))).toList();
    }

    private void print(ModelFile contents, List<Described> layers, Optional<Checkpoint> checkpoint) throws IOException {
        PrintStream out = terminal.out();
        Model model = contents.model();
        out.printf(Locale.ROOT, "%s: %,d parameters, %,d bytes in memory, %,d bytes on disk%n", file,
                model.parameterCount(), model.weightBytes(), Files.size(file));
        for (Described described : layers) {
            out.printf(Locale.ROOT, "%n%-18s %6d -> %-6d %,14d parameters%n", described.layer().label(),
                    described.layer().inputs(),
                    described.layer().outputs(), described.parameters());
            described.regularization().ifPresent(r -> out.printf("    in training: %s%n", r.label()));
            for (NamedArray tensor : described.tensors()) {
                out.printf("    %-22s %s%n", tensor.name(), tensor.shape());
            }
        }
        contents.vocabulary().ifPresent(vocabulary -> out.printf(Locale.ROOT, "%nvocabulary: %,d characters: %s%n",
                vocabulary.size(), Printable.of(vocabulary.characters())));
        checkpoint.ifPresent(training -> {
            out.printf(Locale.ROOT, "%ntraining: after step %,d, %,d batches read%n", training.progress().step(),
                    training.position());
            training.options().forEach((name, value) -> out.printf("    %-22s %s%n", name, value));
        });
    }

    private Map<String, Object> toJson(ModelFile contents, List<Described> layers, Optional<Checkpoint> checkpoint)
            throws IOException {
        SequencedMap<String, Object> result = new LinkedHashMap<>();
        result.put("model", file.toString());
        result.put("parameters", contents.model().parameterCount());
        result.put("memory_bytes", contents.model().weightBytes());
        result.put("file_bytes", Files.size(file));
        result.put("layers", layers.stream().map(InspectCommand::toJson).toList());
        result.put("vocabulary", contents.vocabulary().map(Vocabulary::characters).orElse(null));
        checkpoint.ifPresent(training -> {
            SequencedMap<String, Object> map = new LinkedHashMap<>();
            map.put("step", training.progress().step());
            map.put("position", training.position());
            map.put("options", training.options());
            result.put("training", map);
        });
        return result;
    }

    private static Map<String, Object> toJson(Described described) {
        SequencedMap<String, Object> shapes = new LinkedHashMap<>();
        described.tensors().forEach(tensor -> shapes.put(tensor.name(), tensor.shape()));
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("type", described.layer().label());
        map.put("inputs", described.layer().inputs());
        map.put("outputs", described.layer().outputs());
        map.put("parameters", described.parameters());
        described.regularization().ifPresent(r -> map.put("in_training", r.label()));
        map.put("tensors", shapes);
        return map;
    }
}
