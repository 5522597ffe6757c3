package dev.ostinato.bench;

import dev.ostinato.kernels.Limits;
import dev.ostinato.nn.CellType;
import java.util.Map;

/**
 * Measures how many characters per second a character model is trained on, and prints one line of JSON. {@code training_peer.py} takes
 * the same options and measures PyTorch in the same way: wall time over a number of optimiser steps, several times, after warm-up.
 */
public final class TrainingRate {
    /** The losses of this many steps are reported, so that one sees that both sides compute the same thing. */
    private static final int REPORTED_LOSSES = 10;
    private static final double NANOS = 1e9;

    private TrainingRate() {
    }

    static void main(String[] args) {
        Options options =
                new Options(args, Map.of("cell", "lstm", "batch", "32", "steps", "50", "hidden", "128", "input",
                        "tokens", "threads", "1", "backend", "vector", "warmup", "5", "repetitions", "5", "seconds",
                        "2"));
        CharacterTraining.Shape shape = new CharacterTraining.Shape(CellType.of(options.text("cell")),
                options.count("batch"), options.count("steps"), options.count("hidden"),
                options.choice("input", "tokens", "dense").equals("dense"));
        double peak = options.count("threads") * Limits.here().fmaPeak();
        try (CharacterTraining training =
                new CharacterTraining(shape, options.text("backend"), options.count("threads"))) {
            System.out.println(measure(training, shape, options, peak));
        }
    }

    private static JsonLine measure(CharacterTraining training, CharacterTraining.Shape shape, Options options,
            double peak) {
        double[] losses = training.steps(REPORTED_LOSSES);
        int count = warmUp(training, options);
        double[] rates = new double[options.count("repetitions")];
        for (int i = 0; i < rates.length; i++) {
            rates[i] = count * shape.characters() / seconds(training, count);
        }
        Samples samples = new Samples(rates);
        return new JsonLine().put("kind", "training").put("engine", "ostinato").put("cell", shape.cell().label())
                .put("batch", shape.rows()).put("steps", shape.steps()).put("hidden", shape.hidden())
                .put("input", options.text("input")).put("threads", options.count("threads"))
                .put("backend", options.text("backend"))
                .put("unit", "characters/s").put("median", samples.median()).put("min", samples.min())
                .put("max", samples.max()).put("rates", rates).put("optimizerSteps", count)
                .put("gigaflops", samples.median() / shape.characters() * shape.operations() / NANOS)
                .put("peakGigaflops", peak / NANOS).put("peakResidentMegabytes", ProcessMemory.peakMegabytes())
                .put("firstLoss", losses[0]).put("tenthLoss", losses[REPORTED_LOSSES - 1]);
    }

    /** Returns the number of optimiser steps that fill a repetition, by the second half of the warm-up. */
    private static int warmUp(CharacterTraining training, Options options) {
        double half = options.seconds("warmup") / 2;
        repeat(training, half);
        return Math.max(1, (int) Math.round(options.seconds("seconds") / repeat(training, half)));
    }

    /** Takes steps for a time and returns the seconds that one took. */
    private static double repeat(CharacterTraining training, double seconds) {
        long start = System.nanoTime();
        int count = 0;
        double elapsed;
        do {
            training.step();
            count++;
            elapsed = (System.nanoTime() - start) / NANOS;
        } while (elapsed < seconds);
        return elapsed / count;
    }

    private static double seconds(CharacterTraining training, int count) {
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            training.step();
        }
        return (System.nanoTime() - start) / NANOS;
    }
}
