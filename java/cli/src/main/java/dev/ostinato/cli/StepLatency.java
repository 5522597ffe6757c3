package dev.ostinato.cli;

import dev.ostinato.nn.Model;
import dev.ostinato.nn.State;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** How long a model takes for one character of one stream, on one thread. */
final class StepLatency {
    private static final int WARM_UP = 50_000;
    private static final int DIGITS = 3;

    private final Histogram nanoseconds = new Histogram(TimeUnit.SECONDS.toNanos(10), DIGITS);

    private StepLatency() {}

    /** Streams a text through a model, over and over until there are {@code steps} measurements behind a warm-up. */
    static StepLatency measure(Model model, int[] text, int steps) {
        StepLatency latency = new StepLatency();
        State state = model.newState();
        float[] logits = new float[model.outputs()];
        for (int i = 0; i < WARM_UP; i++) {
            model.step(text[i % text.length], state, logits);
        }
        for (int i = 0; i < steps; i++) {
            long before = System.nanoTime();
            model.step(text[i % text.length], state, logits);
            latency.nanoseconds.recordValue(Math.min(System.nanoTime() - before, TimeUnit.SECONDS.toNanos(10)));
        }
        return latency;
    }

    /** Returns a percentile in microseconds. */
    double microseconds(double percentile) {
        return nanoseconds.getValueAtPercentile(percentile) / 1e3;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "p50 %.1f us, p99 %.1f us, p99.9 %.1f us over %,d characters",
                microseconds(50), microseconds(99), microseconds(99.9), nanoseconds.getTotalCount());
    }
}
