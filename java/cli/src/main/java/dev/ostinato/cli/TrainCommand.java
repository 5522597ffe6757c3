package dev.ostinato.cli;

import dev.ostinato.formats.Checkpoint;
import dev.ostinato.kernels.Backends;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
            "  ostinato train --data book.txt --optimizer adamw --weight-decay 0.01 --schedule cosine --warm-up 200 \\",
            "      --steps 20000 --patience 5 --plot book.png --out book.safetensors",
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

    @Mixin
    private final ModelArguments model = new ModelArguments();

    @Mixin
    private final UpdateArguments updates = new UpdateArguments();

    @Option(names = "--seq", paramLabel = "N", order = 10, description = {
        "Characters that a gradient goes back (default: ${DEFAULT-VALUE})."})
    private int seq = 50;

    @Option(names = "--advance", paramLabel = "N", order = 11, description = {
        "Characters from one batch to the next, at most --seq, which is the default: with fewer, each batch reads again what "
                + "came before, and only the losses of its last N characters count."})
    private @Nullable Integer advance;

    @Option(names = "--batch", paramLabel = "N", order = 12, description = {
        "Places of the text read side by side (default: ${DEFAULT-VALUE})."})
    private int batch = 32;

    @Option(names = "--steps", paramLabel = "N", order = 13, description = "Updates of the weights (default: 2000).")
    private @Nullable Long steps;

    @Option(names = "--epochs", paramLabel = "N", order = 14, description = "Passes over the text, instead of --steps.")
    private @Nullable Integer epochs;

    @Option(names = "--seed", paramLabel = "N", order = 15, description = {
        "Seed of the initial weights and of dropout (default: ${DEFAULT-VALUE})."})
    private long seed = 1;

    @Option(names = "--threads", paramLabel = "N", order = 40,
            description = "Threads that compute (default: ${DEFAULT-VALUE}).")
    private int threads = 1;

    @Option(names = "--save-memory", order = 40, description = {
        "Computes most of a batch's steps anew on the way back instead of keeping them: the same bits in the memory of about the "
                + "square root of --seq steps."})
    private boolean saveMemory;

    @Option(names = "--backend", paramLabel = "NAME", order = 41, description = {
        "Backend that computes, see ostinato info (default: ${DEFAULT-VALUE})."})
    private String backend = "auto";

    @Option(names = "--resume", paramLabel = "CHECKPOINT", order = 42, description = {
        "Goes on from a checkpoint, with its options, to the same bits as without the break. --steps, --epochs, --threads, "
                + "--backend, --save-memory, --out, --plot and --json-log may be given anew."})
    private @Nullable Path resume;

    @Option(names = "--checkpoint-every", paramLabel = "N", order = 43, description = {
        "Updates between checkpoints (default: ${DEFAULT-VALUE})."})
    private long checkpointEvery = 500;

    @Option(names = "--eval-every", paramLabel = "N", order = 44, description = {
        "Updates between measurements on the held-out text (default: ${DEFAULT-VALUE})."})
    private long evaluateEvery = TrainingOptions.EVALUATE_EVERY;

    @Option(names = "--patience", paramLabel = "N", order = 45, description = {
        "Ends when N measurements in a row were not better than the best, and keeps the model that was best; 0 takes all "
                + "steps and keeps the last (default: ${DEFAULT-VALUE})."})
    private int patience;

    @Option(names = "--plot", paramLabel = "FILE", order = 46, description = {
        "Draws the learning curves as a PNG at the end."})
    private @Nullable Path plot;

    @Option(names = "--json-log", paramLabel = "FILE", order = 47, description = {
        "Writes a line of JSON for each update: step, loss in nats per character, chars_per_s of this step, seconds since the "
                + "start; and for each measurement: step, val_loss, val_bits_per_char. With --resume goes on at its end."})
    private @Nullable Path jsonLog;

    @Option(names = "--json", order = 48, description = "Prints the result as one JSON object.")
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
        for (Path written : Arrays.asList(jsonLog, plot)) {
            if (written != null) {
                OutputFiles.check(written);
            }
        }
        TrainingRun.Builder run = checkpoint == null ? newRun() : resumedRun(checkpoint);
        run.out(file).threads(threads).saveMemory(saveMemory).backend(backend).checkpointEvery(checkpointEvery);
        return train(run, file);
    }

    private void checkArguments() {
        Threads.check(spec, threads);
        positive("--checkpoint-every", checkpointEvery);
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
        return TrainingRun.builder(tokens, options(until(tokens, batch, seq, advance(), 2000)));
    }

    private TrainingRun.Builder resumedRun(Checkpoint checkpoint) throws IOException {
        Map<String, String> saved = checkpoint.options();
        TrainingOptions options = savedOptions(saved);
        Vocabulary vocabulary = checkpoint.model().vocabulary()
                .orElseThrow(() -> new Failure(
                        resume + ": expected a checkpoint of a text model, got one without a vocabulary"));
        refuseConflicts(options);
        Corpus corpus = corpus(data != null ? data : String.valueOf(saved.get("data")));
        if (!corpus.digest().equals(saved.get("data-sha256"))) {
            throw new Failure(corpus.name() + ": this is not the text that " + resume + " was trained on");
        }
        TrainingData tokens = TrainingData.of(corpus, vocabulary);
        if (options.patience() == 0 && given("--eval-every")) {
            options = options.withEvaluateEvery(evaluateEvery);
        }
        long until = until(tokens, options.batch(), options.seq(), options.advance(), options.steps());
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

    private long until(TrainingData tokens, int batch, int seq, int advance, long otherwise) {
        if (epochs != null) {
            return (long) epochs * tokens.streams(batch, seq, advance).batchesPerEpoch();
        }
        return steps != null ? steps : otherwise;
    }

    private int advance() {
        return advance != null ? advance : seq;
    }

    private TrainingOptions options(long planned) {
        try {
            return new TrainingOptions(model.options(), updates.options(), seq, advance(), batch, planned, seed,
                    evaluateEvery, patience);
        } catch (IllegalArgumentException e) {
            throw misused(String.valueOf(e.getMessage()));
        }
    }

    private boolean given(String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }

    /** What the bits depend on cannot change on the way; measurements may come more or less often unless they end the training. */
    private void refuseConflicts(TrainingOptions saved) {
        Map<String, String> before = saved.toMap();
        options(1).toMap().forEach((name, now) -> {
            boolean free = name.equals("steps") || (name.equals("eval-every") && saved.patience() == 0);
            if (!free && given("--" + name) && !now.equals(before.get(name))) {
                throw misused("--" + name + ": " + now + " was given, but " + resume + " was trained with "
                        + before.get(name));
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
            if (plot != null) {
                Curves.write(plot, String.valueOf(file.getFileName()), result.training(), result.validation(),
                        new LinkedHashMap<>());
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
