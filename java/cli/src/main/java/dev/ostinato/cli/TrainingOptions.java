package dev.ostinato.cli;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.InitialWeights;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Schedule;
import dev.ostinato.nn.Trainer;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/**
 * What the weights at the end depend on, besides the text. Two trainings with the same options and text give the same bits.
 *
 * @param cell kind of recurrent cell
 * @param hidden units of a layer
 * @param layers number of recurrent layers, each followed by dropout
 * @param embedding size of an embedding, 0 for one-hot characters
 * @param seq steps that a gradient goes back
 * @param batch streams side by side
 * @param steps updates that were planned, over which the schedule runs
 * @param lr learning rate of Adam
 * @param clip limit of the gradient's global norm, 0 for none
 * @param dropout rate of dropout
 * @param seed seed of the initial weights and of dropout
 * @param schedule course of the learning rate
 * @param init distributions of the initial weights
 */
record TrainingOptions(CellType cell, int hidden, int layers, int embedding, int seq, int batch, long steps, double lr,
        double clip, double dropout, long seed, Course schedule, Init init) {
    private static final int MAX_UNITS = 1 << 14;
    private static final int MAX_LAYERS = 100;

    /** A course of the learning rate. */
    enum Course {
        /** The same all the time. */
        CONSTANT,
        /** A cosine down to a tenth. */
        COSINE;

        Schedule over(long steps) {
            return switch (this) {
                case CONSTANT -> Schedule.constant();
                case COSINE -> Schedule.cosine(steps, 0.1);
            };
        }
    }

    /** Distributions of the initial weights. */
    enum Init {
        /** PyTorch's defaults. */
        PYTORCH,
        /** Keras's defaults. */
        KERAS;

        InitialWeights weights() {
            return switch (this) {
                case PYTORCH -> InitialWeights.pytorch();
                case KERAS -> InitialWeights.keras();
            };
        }
    }

    TrainingOptions {
        within("hidden", hidden, 1, MAX_UNITS);
        within("layers", layers, 1, MAX_LAYERS);
        within("embedding", embedding, 0, MAX_UNITS);
        within("seq", seq, 1, Integer.MAX_VALUE);
        within("batch", batch, 1, Integer.MAX_VALUE);
        within("steps", steps, 1, Long.MAX_VALUE);
        require("lr", lr, lr > 0 && lr < Double.POSITIVE_INFINITY, "a number above 0");
        require("clip", clip, clip >= 0 && clip < Double.POSITIVE_INFINITY, "a number above 0, or 0 for no limit");
        require("dropout", dropout, dropout >= 0 && (float) dropout < 1, "a rate from 0 to below 1");
    }

    private static void within(String name, long value, long min, long max) {
        require(name, value, value >= min && value <= max,
                max >= Integer.MAX_VALUE ? "at least " + min : min + " to " + max);
    }

    private static void require(String name, Object value, boolean condition, String expected) {
        if (!condition) {
            throw new IllegalArgumentException("--" + name + ": expected " + expected + ", got " + value);
        }
    }

    /** Returns a builder with the command's defaults. */
    static Builder builder() {
        return new Builder();
    }

    /** Returns these options as text by the names of the command line; {@link #of} takes them back to the bit. */
    SequencedMap<String, String> toMap() {
        SequencedMap<String, String> map = new LinkedHashMap<>();
        map.put("cell", cell.label());
        map.put("hidden", String.valueOf(hidden));
        map.put("layers", String.valueOf(layers));
        map.put("embedding", String.valueOf(embedding));
        map.put("seq", String.valueOf(seq));
        map.put("batch", String.valueOf(batch));
        map.put("steps", String.valueOf(steps));
        map.put("lr", String.valueOf(lr));
        map.put("clip", String.valueOf(clip));
        map.put("dropout", String.valueOf(dropout));
        map.put("seed", String.valueOf(seed));
        map.put("schedule", schedule.name().toLowerCase(Locale.ROOT));
        map.put("init", init.name().toLowerCase(Locale.ROOT));
        return map;
    }

    /** Returns the options of a map. @throws IllegalArgumentException if one is missing or not what it should be */
    static TrainingOptions of(Map<String, String> map) {
        return new TrainingOptions(CellType.of(get(map, "cell")), Integer.parseInt(get(map, "hidden")),
                Integer.parseInt(get(map, "layers")), Integer.parseInt(get(map, "embedding")),
                Integer.parseInt(get(map, "seq")), Integer.parseInt(get(map, "batch")),
                Long.parseLong(get(map, "steps")), Double.parseDouble(get(map, "lr")),
                Double.parseDouble(get(map, "clip")), Double.parseDouble(get(map, "dropout")),
                Long.parseLong(get(map, "seed")), Course.valueOf(get(map, "schedule").toUpperCase(Locale.ROOT)),
                Init.valueOf(map.getOrDefault("init", "pytorch").toUpperCase(Locale.ROOT))); // older checkpoints have none
    }

    private static String get(Map<String, String> map, String name) {
        String value = map.get(name);
        if (value == null) {
            throw new IllegalArgumentException("option " + name + ": expected a value, got none");
        }
        return value;
    }

    /** Returns a new model with random weights. */
    Model newModel(int vocabulary, String backend) {
        Model.Builder builder = Model.builder().seed(seed).backend(backend).initialWeights(init.weights());
        if (embedding == 0) {
            builder.oneHot(vocabulary);
        } else {
            builder.embedding(vocabulary, embedding);
        }
        for (int i = 0; i < layers; i++) {
            builder.recurrent(cell, hidden).dropout(dropout);
        }
        return builder.dense(vocabulary).build();
    }

    /** Returns a trainer of a model, at its first step. */
    Trainer newTrainer(Model model, int threads) {
        Trainer.Builder builder = Trainer.builder(model).optimizer(Optimizer.adam(lr)).schedule(schedule.over(steps))
                .seed(seed).threads(threads);
        return (clip > 0 ? builder.clipGlobalNorm(clip) : builder).build();
    }

    /** Collects options. Not safe for several threads. */
    static final class Builder {
        private CellType cell = CellType.LSTM;
        private int hidden = 128;
        private int layers = 1;
        private int embedding;
        private int seq = 50;
        private int batch = 32;
        private long steps = 2000;
        private double lr = 2e-3;
        private double clip = 5;
        private double dropout;
        private long seed = 1;
        private Course schedule = Course.CONSTANT;
        private Init init = Init.PYTORCH;

        private Builder() {}

        Builder cell(CellType cell) {
            this.cell = cell;
            return this;
        }

        Builder hidden(int hidden) {
            this.hidden = hidden;
            return this;
        }

        Builder layers(int layers) {
            this.layers = layers;
            return this;
        }

        Builder embedding(int embedding) {
            this.embedding = embedding;
            return this;
        }

        Builder seq(int seq) {
            this.seq = seq;
            return this;
        }

        Builder batch(int batch) {
            this.batch = batch;
            return this;
        }

        Builder steps(long steps) {
            this.steps = steps;
            return this;
        }

        Builder lr(double lr) {
            this.lr = lr;
            return this;
        }

        Builder clip(double clip) {
            this.clip = clip;
            return this;
        }

        Builder dropout(double dropout) {
            this.dropout = dropout;
            return this;
        }

        Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        Builder schedule(Course schedule) {
            this.schedule = schedule;
            return this;
        }

        Builder init(Init init) {
            this.init = init;
            return this;
        }

        /** Returns the options. @throws IllegalArgumentException if one is out of range; the message names it */
        TrainingOptions build() {
            return new TrainingOptions(cell, hidden, layers, embedding, seq, batch, steps, lr, clip, dropout, seed,
                    schedule, init);
        }
    }
}
