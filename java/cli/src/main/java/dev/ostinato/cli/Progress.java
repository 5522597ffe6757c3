package dev.ostinato.cli;

import dev.ostinato.nn.Evaluation;
import java.util.Locale;

/** Shows how a training goes: a bar where somebody watches, otherwise a line now and then. */
sealed interface Progress extends TrainingListener, AutoCloseable permits ProgressLines, ProgressMeter {
    /** Returns what suits a terminal. */
    static Progress on(Terminal terminal) {
        return terminal.watched() ? new ProgressMeter() : new ProgressLines(terminal.err());
    }

    /** Ends the display. */
    @Override
    void close();

    /** Returns the loss and the mean speed up to a step. */
    static String describe(Step step) {
        return String.format(Locale.ROOT, "loss %.3f, %,.0f chars/s", step.loss(), step.characters() / step.seconds());
    }

    /** Returns what the held-out text gave. */
    static String describe(Evaluation evaluation) {
        return String.format(Locale.ROOT, ", held out %.3f", evaluation.nats());
    }
}
