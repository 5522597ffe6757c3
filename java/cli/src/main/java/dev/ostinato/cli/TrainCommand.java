package dev.ostinato.cli;

import dev.ostinato.formats.Checkpoint;
import dev.ostinato.kernels.Backends;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains a model of characters. */
@Command(name = "train", mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false,
        description = {"Trains a model that predicts the next character of a text.",
            "The last 5 %% of the text, at most 200,000 characters, are held out to measure on. The same options and text "
                    + "give the same model to the bit, on any number of threads."},
        footer = {"", "Examples:",
            "  ostinato train --data book.txt --out book.safetensors",
            "  ostinato train --data jdk --hidden 256 --epochs 1 --out java.safetensors",
            "  ostinato train --data book.txt --layers 3 --stack residual --dropout 0.2 --dropout-scope stream \\",
            "      --drop-connect 0.3 --out deep.safetensors",
            "  ostinato train --data book.txt --zoneout 0.1 --cell-zoneout 0.3 --out book.safetensors",
            "  ostinato train --resume java.safetensors.checkpoint --epochs 2"})
final class TrainCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 130;
    private static final String CHECKPOINT = ".checkpoint";

    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(names = "--data", paramLabel = "FILE|DIR|jdk", order = 1, description = {
        "Text in UTF-8: a file, a directory with all files in it that are text and not hidden, or the word jdk for 20 MB "
                + "of the Java sources that came with the JDK."})
    private @Nullable String data;

    @Option(names = "--out", paramLabel = "FILE", order = 2, description = {
        "The model file; FILE.checkpoint beside it is written on the way."})
    private @Nullable Path out;

    @Option(names = "--cell", paramLabel = "rnn|lstm|gru", order = 3,
            description = "Kind of recurrent cell (default: lstm), with options such as 'lstm(projection=64,clip=3)'.")
    private String cell = "lstm";

    @Option(names = "--hidden", paramLabel = "N", order = 4,
            description = "Units of a layer (default: ${DEFAULT-VALUE}).")
    private int hidden = 128;

    @Option(names = "--layers", paramLabel = "N", order = 5,
            description = "Recurrent layers (default: ${DEFAULT-VALUE}).")
    private int layers = 1;

    @Option(names = "--embedding", paramLabel = "N", order = 6, description = {
        "Size of a learned row for each character; 0 for one-hot (default: ${DEFAULT-VALUE})."})
    private int embedding;

    @Option(names = "--seq", paramLabel = "N", order = 7, description = {
        "Characters that a gradient goes back (default: ${DEFAULT-VALUE})."})
    private int seq = 50;

    @Option(names = "--batch", paramLabel = "N", order = 8, description = {
        "Places of the text read side by side (default: ${DEFAULT-VALUE})."})
    private int batch = 32;

    @Option(names = "--steps", paramLabel = "N", order = 9, description = "Updates of the weights (default: 2000).")
    private @Nullable Long steps;

    @Option(names = "--epochs", paramLabel = "N", order = 10, description = "Passes over the text, instead of --steps.")
    private @Nullable Integer epochs;

    @Option(names = "--lr", paramLabel = "X", order = 11,
            description = "Learning rate of Adam (default: ${DEFAULT-VALUE}).")
    private double lr = 2e-3;

    @Option(names = "--schedule", paramLabel = "constant|cosine", order = 12, description = {
        "Course of the learning rate; cosine goes down to a tenth (default: constant)."})
    private TrainingOptions.Course schedule = TrainingOptions.Course.CONSTANT;

    @Option(names = "--clip", paramLabel = "X", order = 13, description = {
        "Limit of the gradient's norm; 0 for none (default: ${DEFAULT-VALUE})."})
    private double clip = 5;

    @Option(names = "--dropout", paramLabel = "X", order = 14, description = {
        "Part of each layer's output that is dropped (default: ${DEFAULT-VALUE})."})
    private double dropout;

    @Option(names = "--dropout-scope", paramLabel = "step|stream", order = 15, description = {
        "Whether --dropout draws anew at every step, or once for the --seq steps of a batch (default: step)."})
    private Layer.Dropout.Scope dropoutScope = Layer.Dropout.Scope.STEP;

    @Option(names = "--recurrent-dropout", paramLabel = "X", order = 16, description = {
        "Part of the state that the recurrent weights do not see, the same for all steps of a batch (default: ${DEFAULT-VALUE})."})
    private double recurrentDropout;

    @Option(names = "--drop-connect", paramLabel = "X", order = 17, description = {
        "Part of the recurrent weights that is dropped for a batch (default: ${DEFAULT-VALUE})."})
    private double dropConnect;

    @Option(names = "--zoneout", paramLabel = "X", order = 18, description = {
        "Part of the units that keep their state at a step; when the model is used each keeps so much (default: ${DEFAULT-VALUE})."})
    private double zoneout;

    @Option(names = "--cell-zoneout", paramLabel = "X", order = 19, description = {
        "The same of the cell state of an LSTM (default: ${DEFAULT-VALUE})."})
    private double cellZoneout;

    @Option(names = "--stack", paramLabel = "plain|residual", order = 20, description = {
        "How layers are stacked: residual adds to the output of each but the first what it takes (default: plain)."})
    private TrainingOptions.Stack stack = TrainingOptions.Stack.PLAIN;

    @Option(names = "--seed", paramLabel = "N", order = 21, description = {
        "Seed of the initial weights and of dropout (default: ${DEFAULT-VALUE})."})
    private long seed = 1;

    @Option(names = "--init", paramLabel = "pytorch|keras", order = 22, description = {
        "Initial weights: the defaults of PyTorch or of Keras, whose LSTM begins with a forget bias of 1 (default: pytorch)."})
    private TrainingOptions.Init init = TrainingOptions.Init.PYTORCH;

    @Option(names = "--threads", paramLabel = "N", order = 23,
            description = "Threads that compute (default: ${DEFAULT-VALUE}).")
    private int threads = 1;

    @Option(names = "--backend", paramLabel = "NAME", order = 24, description = {
        "Backend that computes, see ostinato info (default: ${DEFAULT-VALUE})."})
    private String backend = "auto";

    @Option(names = "--resume", paramLabel = "CHECKPOINT", order = 25, description = {
        "Goes on from a checkpoint, with its options, to the same bits as without the break. --steps, --epochs, --threads, "
                + "--backend, --out and --json-log may be given anew."})
    private @Nullable Path resume;

    @Option(names = "--checkpoint-every", paramLabel = "N", order = 26, description = {
        "Updates between checkpoints (default: ${DEFAULT-VALUE})."})
    private long checkpointEvery = 500;

    @Option(names = "--eval-every", paramLabel = "N", order = 27, description = {
        "Updates between measurements on the held-out text (default: ${DEFAULT-VALUE})."})
    private long evaluateEvery = 500;

    @Option(names = "--json-log", paramLabel = "FILE", order = 28, description = {
        "Writes a line of JSON for each update: step, loss in nats per character, chars_per_s of this step, seconds since the "
                + "start; and for each measurement: step, val_loss, val_bits_per_char. With --resume goes on at its end."})
    private @Nullable Path jsonLog;

    @Option(names = "--json", order = 29, description = "Prints the result as one JSON object.")
    private boolean json;

    TrainCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        checkArguments();
        Checkpoint checkpoint = resume == null ? null : Checkpoint.read(resume);
        Path file = out(resume);
        OutputFiles.check(file);
        OutputFiles.check(TrainingRun.checkpointOf(file));
        if (jsonLog != null) {
            OutputFiles.check(jsonLog);
        }
        TrainingRun.Builder run = checkpoint == null ? newRun() : resumedRun(checkpoint);
        run.out(file).threads(threads).backend(backend).checkpointEvery(checkpointEvery).evaluateEvery(evaluateEvery);
        return train(run, file);
    }

    private void checkArguments() {
        Threads.check(spec, threads);
        positive("--checkpoint-every", checkpointEvery);
        positive("--eval-every", evaluateEvery);
        if (steps != null) {
            positive("--steps", steps);
        }
        if (epochs != null) {
            positive("--epochs", epochs);
        }
        if (steps != null && epochs != null) {
            throw misused("--steps and --epochs: expected one of them, got both");
        }
        if (resume == null && data == null) {
            throw misused("--data: expected a text to train on, got none");
        }
        if (resume == null) {
            options(1);
        }
        Backends.kernels(backend);
    }

    private void positive(String name, long value) {
        if (value < 1) {
            throw misused(name + ": expected at least 1, got " + value);
        }
    }

    private ParameterException misused(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private Path out(@Nullable Path checkpoint) {
        if (out != null) {
            return out;
        }
        String name = checkpoint == null ? "" : String.valueOf(checkpoint.getFileName());
        if (checkpoint == null || !name.endsWith(CHECKPOINT) || name.equals(CHECKPOINT)) {
            throw misused("--out: expected the name of the model file, got none");
        }
        return checkpoint.resolveSibling(name.substring(0, name.length() - CHECKPOINT.length()));
    }

    private TrainingRun.Builder newRun() throws IOException {
        Corpus corpus = corpus(String.valueOf(data));
        TrainingData tokens = TrainingData.of(corpus);
        return TrainingRun.builder(tokens, options(until(tokens, batch, seq, 2000)));
    }

    private TrainingRun.Builder resumedRun(Checkpoint checkpoint) throws IOException {
        Map<String, String> saved = checkpoint.options();
        TrainingOptions options = savedOptions(saved);
        Vocabulary vocabulary = checkpoint.model().vocabulary()
                .orElseThrow(() -> new Failure(
                        resume + ": expected a checkpoint of a text model, got one without a vocabulary"));
        refuseConflicts(options.toMap());
        Corpus corpus = corpus(data != null ? data : String.valueOf(saved.get("data")));
        if (!corpus.digest().equals(saved.get("data-sha256"))) {
            throw new Failure(corpus.name() + ": this is not the text that " + resume + " was trained on");
        }
        TrainingData tokens = TrainingData.of(corpus, vocabulary);
        long until = until(tokens, options.batch(), options.seq(), options.steps());
        if (until <= checkpoint.progress().step()) {
            throw new Failure(resume + ": all " + until + " steps are done already, it is at step "
                    + checkpoint.progress().step() + "; --steps or --epochs sets a later end");
        }
        return TrainingRun.builder(tokens, options).from(checkpoint).until(until);
    }

    private TrainingOptions savedOptions(Map<String, String> saved) {
        try {
            return TrainingOptions.of(saved);
        } catch (IllegalArgumentException e) {
            throw new Failure(resume + ": not a checkpoint of ostinato train: " + e.getMessage(), e);
        }
    }

    private Corpus corpus(String name) throws IOException {
        Corpus corpus = Corpus.read(name);
        if (corpus.skipped() > 0) {
            terminal.say(corpus.name() + ": left out " + corpus.skipped() + " files that are not UTF-8 text");
        }
        return corpus;
    }

    private long until(TrainingData tokens, int batch, int seq, long otherwise) {
        if (epochs != null) {
            return (long) epochs * tokens.streams(batch, seq).batchesPerEpoch();
        }
        return steps != null ? steps : otherwise;
    }

    private TrainingOptions options(long planned) {
        try {
            Regularization regularization = Regularization.NONE.withRecurrentDropout(recurrentDropout)
                    .withDropConnect(dropConnect).withZoneout(zoneout, cellZoneout);
            return new TrainingOptions(cellType(), hidden, layers, embedding, seq, batch, planned, lr, clip, dropout,
                    dropoutScope, regularization, stack, seed, schedule, init);
        } catch (IllegalArgumentException e) {
            throw misused(String.valueOf(e.getMessage()));
        }
    }

    private CellType cellType() {
        if (cell.equals("rnn")) {
            return CellType.RNN_TANH;
        }
        try {
            return CellType.of(cell);
        } catch (IllegalArgumentException e) {
            throw misused("--cell: expected rnn, lstm or gru, got " + cell);
        }
    }

    private void refuseConflicts(Map<String, String> saved) {
        options(1).toMap().forEach((name, given) -> {
            boolean said = spec.commandLine().getParseResult().hasMatchedOption("--" + name);
            if (said && !name.equals("steps") && !given.equals(saved.get(name))) {
                throw misused("--" + name + ": " + given + " was given, but " + resume + " was trained with "
                        + saved.get(name));
            }
        });
    }

    private int train(TrainingRun.Builder builder, Path file) throws IOException {
        try (Interruption interruption = new Interruption()) {
            TrainingRun.Result result;
            try (Progress progress = Progress.on(terminal); JsonLog log = JsonLog.open(jsonLog, resume != null)) {
                result = builder.stopWhen(interruption).listener(progress).listener(log).build().run();
            }
            TrainingReport report = new TrainingReport(result, file);
            if (!result.finished()) {
                terminal.say(report.howToGoOn());
            }
            if (json) {
                terminal.json(report.toMap());
            } else if (result.finished()) {
                terminal.out().println(report.sentence());
            }
            return result.finished() ? CommandLine.ExitCode.OK : INTERRUPTED;
        }
    }
}
