package dev.ostinato.cli;

import dev.ostinato.nn.Evaluation;
import java.io.PrintStream;
import java.util.Locale;

/** A line every few seconds, for logs. */
final class ProgressLines implements Progress {
    private static final double SECONDS = 5;

    private final PrintStream err;
    private long from;
    private double shown;
    private String heldOut = "";

    ProgressLines(PrintStream err) {
        this.err = err;
    }

    @Override
    public void began(long from, long until) {
        this.from = from;
    }

    @Override
    public void stepped(Step step) {
        if (step.seconds() - shown < SECONDS) {
            return;
        }
        double left = step.seconds() / (step.step() - from) * (step.until() - step.step());
        err.printf(Locale.ROOT, "step %d/%d, %s%s, %s left%n", step.step(), step.until(), Progress.describe(step),
                heldOut, time(Math.round(left)));
        shown = step.seconds();
    }

    @Override
    public void evaluated(long step, Evaluation evaluation) {
        heldOut = Progress.describe(evaluation);
    }

    private static String time(long seconds) {
        return String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }

    @Override
    public void close() {}
}
