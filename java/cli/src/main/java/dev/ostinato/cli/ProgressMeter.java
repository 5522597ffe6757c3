package dev.ostinato.cli;

import dev.ostinato.nn.Evaluation;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A bar that is redrawn on standard error. */
final class ProgressMeter implements Progress {
    private static final int MILLISECONDS = 250;

    private @Nullable ProgressBar bar;
    private String heldOut = "";

    @Override
    public void began(long from, long until) {
        bar = new ProgressBarBuilder().setTaskName("").setInitialMax(until)
                .startsFrom(from, Duration.ZERO).setStyle(ProgressBarStyle.ASCII).setUpdateIntervalMillis(MILLISECONDS)
                .build();
    }

    @Override
    public void stepped(Step step) {
        if (bar != null) {
            bar.setExtraMessage(" " + Progress.describe(step) + heldOut);
            bar.stepTo(step.step());
        }
    }

    @Override
    public void evaluated(long step, Evaluation evaluation) {
        heldOut = Progress.describe(evaluation);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
