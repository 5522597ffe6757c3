package dev.ostinato.cli;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Evaluation;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows in a few minutes that training works: a model that has to be better than counting. */
@Command(name = "demo", mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false,
        description = {
            "Trains an LSTM on the Java sources that came with the JDK, measures it on sources that it never saw, and "
                    + "compares it with two models that count characters. Writes the model and a picture of the training, lets the "
                    + "model write, and measures how long it takes for a character.",
            "Ends with status 1 if the LSTM is not the better model."},
        footer = {"", "Example:", "  ostinato demo --dir /tmp"})
final class DemoCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 130;
    private static final int USEFUL_THREADS = 4;
    private static final int HIDDEN = 128;
    private static final int EMBEDDING = 64;
    private static final int SEQ = 50;
    private static final int BATCH = 32;
    private static final double LEARNING_RATE = 1e-2;
    private static final double CLIP = 5;
    private static final String NAME = "LSTM of " + HIDDEN + " units";
    private static final int MARKOV_ORDER = 3;
    private static final int EVALUATIONS = 12;
    private static final int SAMPLE_LENGTH = 400;
    private static final double SAMPLE_TEMPERATURE = 0.7;
    private static final int LATENCY_STEPS = 200_000;

    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(names = "--steps", paramLabel = "N", order = 1, description = {
        "Updates of the weights; fewer are quicker and may not suffice (default: ${DEFAULT-VALUE})."})
    private long steps = 10_000;

    @Option(names = "--threads", paramLabel = "N", order = 2, description = {
        "Threads that train (default: the processors there are, at most " + USEFUL_THREADS + ")."})
    private int threads = Math.min(USEFUL_THREADS, Runtime.getRuntime().availableProcessors());

    @Option(names = "--dir", paramLabel = "DIR", order = 3, description = {
        "Where demo.safetensors and demo.png are written (default: ${DEFAULT-VALUE})."})
    private Path directory = Path.of(".");

    @Option(names = "--data", paramLabel = "FILE|DIR|jdk", order = 4, description = {
        "Another text, as for ostinato train (default: jdk)."})
    private @Nullable String data;

    DemoCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    /** Bits per character on the text held out. */
    private record Baselines(double unigram, double markov) {
        static Baselines of(TrainingData data) {
            return new Baselines(bits(data, 0), bits(data, MARKOV_ORDER));
        }

        private static double bits(TrainingData data, int order) {
            return MarkovModel.fit(data.training(), data.vocabulary().size(), order).bits(data.validation());
        }

        SequencedMap<String, Double> toMap() {
            SequencedMap<String, Double> map = new LinkedHashMap<>();
            map.put("unigram entropy", unigram);
            map.put("Markov, three characters", markov);
            return map;
        }
    }

    @Override
    public Integer call() throws IOException {
        require(steps >= 1, "--steps: expected at least 1, got " + steps);
        Threads.check(spec, threads);
        Files.createDirectories(directory);
        Path modelFile = directory.resolve("demo.safetensors");
        Path picture = directory.resolve("demo.png");
        OutputFiles.check(modelFile);
        OutputFiles.check(picture);

        TrainingData text = TrainingData.of(data == null ? DemoCorpus.read(terminal) : Corpus.read(data));
        if (text.validation().length < 2) {
            throw new Failure(text.corpus().name() + ": too short: there is nothing to hold out");
        }
        terminal.out().printf(Locale.ROOT, "text: %s; %,d characters to train on, %,d held out, %d different ones%n",
                text.corpus().name(), text.training().length, text.validation().length, text.vocabulary().size());
        terminal.out().flush();
        Baselines baselines = Baselines.of(text);
        TrainingRun.Result result = train(text);
        if (!result.finished()) {
            terminal.say("interrupted after step " + result.step() + "; nothing was written");
            return INTERRUPTED;
        }
        Evaluation evaluation = result.evaluation().orElseThrow();
        report(result, evaluation, baselines);
        ModelFile.write(modelFile, result.model(), text.vocabulary());
        terminal.out().println("wrote " + modelFile);
        draw(picture, text.corpus().name(), result, baselines);
        show(result.model(), text);
        if (evaluation.bits() >= baselines.markov()) {
            throw new Failure(String.format(Locale.ROOT, "the LSTM did not beat the Markov baseline after %d steps: "
                    + "%.3f bits per character, expected less than %.3f", steps, evaluation.bits(),
                    baselines.markov()));
        }
        return CommandLine.ExitCode.OK;
    }

    private void require(boolean condition, String message) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    private TrainingRun.Result train(TrainingData text) throws IOException {
        TrainingOptions options = TrainingOptions.of(ModelOptions.of(CellType.LSTM, HIDDEN, EMBEDDING),
                UpdateOptions.adam(LEARNING_RATE, UpdateOptions.Course.COSINE, CLIP), SEQ, BATCH, steps)
                .withEvaluateEvery(Math.ceilDiv(steps, EVALUATIONS));
        try (Interruption interruption = new Interruption();
                Progress progress = Progress.on(terminal)) {
            return TrainingRun.builder(text, options).threads(threads)
                    .stopWhen(interruption).listener(progress).build().run();
        }
    }

    /** A machine without fonts is no reason to fail. */
    private void draw(Path picture, String text, TrainingRun.Result result, Baselines baselines) throws IOException {
        try {
            Curves.write(picture, NAME + " on " + text, result.training(), result.validation(),
                    baselines.toMap());
            terminal.out().println("wrote " + picture);
        } catch (Failure e) {
            terminal.say(picture + " was not written: " + e.getMessage());
        }
    }

    private void report(TrainingRun.Result result, Evaluation evaluation, Baselines baselines) {
        PrintStream out = terminal.out();
        out.printf(Locale.ROOT, "trained for %,d steps of %d x %d characters in %.1f s on %d threads, backend %s%n",
                result.step(), BATCH, SEQ, result.seconds(), threads, result.model().backend());
        out.printf("%n%-26s %10s %10s%n", "loss on the text held out", "nats/char", "bits/char");
        baselines.toMap().forEach(this::row);
        row(NAME, evaluation.bits());
        out.println();
    }

    private void row(String name, double bits) {
        terminal.out().printf(Locale.ROOT, "%-26s %10.4f %10.4f%n", name, bits * Math.log(2), bits);
    }

    private void show(Model model, TrainingData text) {
        PrintStream out = terminal.out();
        Vocabulary vocabulary = text.vocabulary();
        TextWriter writer = new TextWriter(model, vocabulary, new Sampler(SAMPLE_TEMPERATURE, 0, 1));
        out.printf("%nthe model writes:%n----%n");
        for (int i = 0; i < SAMPLE_LENGTH; i++) {
            out.print(Character.toString(writer.next()));
        }
        out.printf("%n----%n%ntime for a character of one stream: %s%n",
                StepLatency.measure(model, text.validation(), LATENCY_STEPS));
        out.flush();
    }
}
