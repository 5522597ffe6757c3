package dev.ostinato.cli;

import dev.ostinato.formats.Checkpoint;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.DivergedException;
import dev.ostinato.nn.Evaluation;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Trains a language model on a text: steps, evaluations on the held-out part, checkpoints, and the model file at the end.
 *
 * <pre>{@code
 * TrainingData data = TrainingData.of(Corpus.read("jdk"));
 * TrainingRun.Result result = TrainingRun.builder(data, TrainingOptions.builder().hidden(64).build())
 *         .out(Path.of("model.safetensors")).build().run();
 * }</pre>
 */
final class TrainingRun {
    /** Streams side by side when the held-out text is measured, and the length from which on each has enough to read. */
    private static final int EVALUATION_STREAMS = 32;
    private static final int EVALUATION_LENGTH = 64;
    private static final String MEASUREMENTS = "measurements";

    /** A loss in nats per character after a number of updates. */
    record Point(long step, double nats) {}

    /**
     * What came out.
     *
     * @param model the model after the last step
     * @param step updates so far
     * @param finished whether the training is at its end; if not, somebody asked to stop
     * @param training losses of this run's steps
     * @param validation losses on the held-out text since the first step
     * @param evaluation the last measurement on the held-out text, if there was one
     * @param kept the measurement of the model that was written, if that is the best one
     * @param characters that this run trained on, each as often as it was read
     * @param seconds that the run took, evaluations and checkpoints included
     */
    record Result(Model model, long step, boolean finished, List<Point> training, List<Point> validation,
            Optional<Evaluation> evaluation, Optional<Point> kept, long characters, double seconds) {}

    private final TrainingData data;
    private final TrainingOptions options;
    private final long until;
    private final int threads;
    private final boolean saveMemory;
    private final String backend;
    private final long checkpointEvery;
    private final @Nullable Path out;
    private final @Nullable Checkpoint start;
    private final BooleanSupplier stop;
    private final List<TrainingListener> listeners;
    private final TokenStreams streams;

    private final List<Point> training = new ArrayList<>();
    private final Measurements measurements;
    private Optional<Evaluation> evaluation = Optional.empty();
    private long evaluatedStep = -1;
    private long savedStep = -1;
    private long began;

    private TrainingRun(Builder b) {
        this.data = b.data;
        this.options = b.options;
        this.until = b.until;
        this.threads = b.threads;
        this.saveMemory = b.saveMemory;
        this.backend = b.backend;
        this.checkpointEvery = b.checkpointEvery;
        this.out = b.out;
        this.start = b.start;
        this.stop = b.stop;
        this.listeners = List.copyOf(b.listeners);
        this.streams = data.streams(options.batch(), options.seq(), options.advance());
        this.measurements = new Measurements(options.patience());
    }

    /** Returns a builder of a run from the first step on. */
    static Builder builder(TrainingData data, TrainingOptions options) {
        return new Builder(data, options);
    }

    /** Returns where the checkpoint of a model file lies. */
    static Path checkpointOf(Path out) {
        return out.resolveSibling(out.getFileName() + ".checkpoint");
    }

    /** Returns the model before the first step of this run. */
    Model initialModel() {
        return start == null
                ? options.newModel(data.vocabulary().size(), backend)
                : start.model().model().withBackend(backend);
    }

    /**
     * Trains until all steps are taken, the patience is at an end or somebody asks to stop. Once.
     *
     * @throws Failure if the training diverged; the last good checkpoint is still there
     * @throws IOException if a file cannot be written
     */
    Result run() throws IOException {
        began = System.nanoTime();
        try (Trainer trainer = newTrainer()) {
            resume(trainer);
            for (TrainingListener listener : listeners) {
                listener.began(trainer.steps(), until);
            }
            while (!atEnd(trainer) && !stop.getAsBoolean()) {
                step(trainer);
            }
            return finish(trainer);
        }
    }

    private Trainer newTrainer() {
        Trainer.Builder builder = options.newTrainer(initialModel()).threads(threads);
        return (saveMemory ? builder.gradientCheckpointing() : builder).build();
    }

    private boolean atEnd(Trainer trainer) {
        return trainer.steps() >= until || measurements.areExhausted();
    }

    private void resume(Trainer trainer) {
        if (start != null) {
            trainer.resume(start.progress());
            streams.seek(start.position());
            savedStep = trainer.steps();
            try {
                measurements.addAll(start.options().getOrDefault(MEASUREMENTS, ""));
            } catch (IllegalArgumentException e) {
                throw new Failure("not a checkpoint of ostinato train: " + e.getMessage(), e);
            }
            if (measurements.areExhausted()) {
                throw new Failure("the training has ended at step " + savedStep + ": " + options.patience()
                        + " measurements were not better than that of step "
                        + measurements.best().map(Point::step).orElse(0L));
            }
        }
    }

    private void step(Trainer trainer) throws IOException {
        if (streams.atEpochStart()) {
            trainer.resetState();
        }
        long before = System.nanoTime();
        double loss;
        try {
            loss = trainer.step(streams.next());
        } catch (DivergedException e) {
            throw diverged(e.getMessage(), e);
        }
        double seconds = (System.nanoTime() - before) * 1e-9;
        training.add(new Point(trainer.steps(), loss));
        long characters = (long) options.batch() * options.advance();
        var step = new TrainingListener.Step(trainer.steps(), until, loss, characters / seconds,
                characters * training.size(), elapsed());
        listeners.forEach(listener -> listener.stepped(step));
        if (isMeasured(trainer.steps())) {
            evaluate(trainer);
        }
        if (trainer.steps() % checkpointEvery == 0) {
            save(trainer);
        }
    }

    private boolean isMeasured(long step) {
        return step % options.evaluateEvery() == 0;
    }

    private Result finish(Trainer trainer) throws IOException {
        boolean finished = atEnd(trainer);
        if (finished && evaluatedStep != trainer.steps()) {
            evaluate(trainer);
        }
        if (savedStep != trainer.steps()) {
            save(trainer);
        }
        Model model = model(trainer);
        boolean best = options.patience() > 0;
        if (finished && !best) {
            write(model);
        }
        return new Result(model, trainer.steps(), finished, List.copyOf(training), measurements.points(), evaluation,
                best ? measurements.best() : Optional.empty(),
                (long) training.size() * options.batch() * options.advance(), elapsed());
    }

    /** What is measured and written. */
    private Model model(Trainer trainer) {
        return options.updates().average() > 0 ? trainer.averagedModel() : trainer.model();
    }

    private void write(Model model) throws IOException {
        if (out != null) {
            ModelFile.write(out, model, data.vocabulary());
        }
    }

    private void evaluate(Trainer trainer) throws IOException {
        evaluatedStep = trainer.steps();
        int[] text = data.validation();
        if (text.length < 2) {
            return;
        }
        int side = text.length > EVALUATION_STREAMS * EVALUATION_LENGTH ? EVALUATION_STREAMS : 1;
        Model model = model(trainer);
        Evaluation measured = Evaluation.of(model, text, side, threads);
        if (!Double.isFinite(measured.nats())) {
            throw diverged("the loss on the held-out text became " + measured.nats() + " after step " + evaluatedStep,
                    null);
        }
        evaluation = Optional.of(measured);
        if (measurements.add(new Point(evaluatedStep, measured.nats())) && options.patience() > 0) {
            write(model);
        }
        listeners.forEach(listener -> listener.evaluated(evaluatedStep, measured));
    }

    private void save(Trainer trainer) throws IOException {
        if (out == null) {
            return;
        }
        Model model = trainer.model();
        for (NamedArray tensor : model.tensors()) {
            requireFinite(tensor, trainer.steps()); // a checkpoint never replaces a better one by garbage
        }
        Path file = checkpointOf(out);
        new Checkpoint(new ModelFile(model, Optional.of(data.vocabulary())), trainer.progress(), streams.position(),
                checkpointOptions()).write(file);
        savedStep = trainer.steps();
        listeners.forEach(listener -> listener.checkpointed(savedStep, file));
    }

    private SequencedMap<String, String> checkpointOptions() {
        SequencedMap<String, String> map = new LinkedHashMap<>(options.toMap());
        map.put("data", data.corpus().name());
        map.put("data-sha256", data.corpus().digest());
        map.put(MEASUREMENTS, measurements.encode(this::isMeasured)); // not that of a step where only this run ended
        return map;
    }

    private void requireFinite(NamedArray tensor, long step) {
        for (float value : tensor.data()) {
            if (!Float.isFinite(value)) {
                throw diverged(tensor.name() + " became " + value + " at step " + step, null);
            }
        }
    }

    private Failure diverged(@Nullable String what, @Nullable Throwable cause) {
        String kept = out == null ? ""
                : savedStep < 0 ? "; there is no checkpoint yet"
                : "; the checkpoint of step " + savedStep + " is kept in "
                        + (start != null && savedStep == start.progress().step() ? "the file resumed from"
                                : checkpointOf(out));
        Failure failure = new Failure("the training diverged: " + what + kept);
        if (cause != null) {
            failure.initCause(cause);
        }
        return failure;
    }

    private double elapsed() {
        return (System.nanoTime() - began) * 1e-9;
    }

    /** Collects options that change no bit of the result. Not safe for several threads. */
    static final class Builder {
        private final TrainingData data;
        private final TrainingOptions options;
        private final List<TrainingListener> listeners = new ArrayList<>();
        private long until;
        private int threads = 1;
        private boolean saveMemory;
        private String backend = "auto";
        private long checkpointEvery = 500;
        private @Nullable Path out;
        private @Nullable Checkpoint start;
        private BooleanSupplier stop = () -> false;

        private Builder(TrainingData data, TrainingOptions options) {
            this.data = data;
            this.options = options;
            this.until = options.steps();
        }

        /** Sets the number of updates at the end; all that were planned unless set. */
        Builder until(long steps) {
            this.until = steps;
            return this;
        }

        /** Sets the number of threads; 1 unless set. */
        Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        /** Sets whether what a step back needs is computed anew rather than kept. */
        Builder saveMemory(boolean saveMemory) {
            this.saveMemory = saveMemory;
            return this;
        }

        /** Sets the backend; {@code auto} unless set. */
        Builder backend(String name) {
            this.backend = name;
            return this;
        }

        /** Sets the number of updates from one checkpoint to the next; 500 unless set. There is one at the end in any case. */
        Builder checkpointEvery(long steps) {
            this.checkpointEvery = steps;
            return this;
        }

        /** Sets the model file, beside which the checkpoint goes; without it nothing is written. */
        Builder out(Path file) {
            this.out = file;
            return this;
        }

        /** Goes on from a checkpoint, which must be of the same options and data. */
        Builder from(Checkpoint checkpoint) {
            this.start = checkpoint;
            return this;
        }

        /** Adds a listener. */
        Builder listener(TrainingListener listener) {
            listeners.add(listener);
            return this;
        }

        /** Sets what is asked before each step whether to stop. */
        Builder stopWhen(BooleanSupplier stop) {
            this.stop = stop;
            return this;
        }

        /** Returns the run. @throws Failure if the text is too short */
        TrainingRun build() {
            if (options.patience() > 0 && data.validation().length < 2) {
                throw new Failure("--patience: expected text held out to measure on, and " + data.corpus().name()
                        + " is too short for that");
            }
            return new TrainingRun(this);
        }
    }
}
