package dev.ostinato.cli;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.InitialWeights;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Regularization;
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
 * @param scope how far a mask of dropout reaches
 * @param regularization what disturbs the recurrent layers
 * @param stack how layers are stacked
 * @param seed seed of the initial weights and of dropout
 * @param schedule course of the learning rate
 * @param init distributions of the initial weights
 */
record TrainingOptions(CellType cell, int hidden, int layers, int embedding, int seq, int batch, long steps, double lr,
        double clip, double dropout, Layer.Dropout.Scope scope, Regularization regularization, Stack stack, long seed,
        Course schedule, Init init) {
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

    /** How layers are stacked. */
    enum Stack {
        /** Each takes what the one before it gives. */
        PLAIN,
        /** Each but the first adds what it takes to what it gives. */
        RESIDUAL
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
        layer(cell, hidden, hidden, regularization); // refuses what does not go together
    }

    private static Layer layer(CellType cell, int inputs, int hidden, Regularization regularization) {
        return new Layer.Recurrent(cell, inputs, hidden, Layer.Direction.FORWARD, regularization);
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
        map.put("dropout-scope", lowerCase(scope));
        map.put("recurrent-dropout", String.valueOf(regularization.recurrentDropout()));
        map.put("drop-connect", String.valueOf(regularization.dropConnect()));
        map.put("zoneout", String.valueOf(regularization.zoneout()));
        map.put("cell-zoneout", String.valueOf(regularization.cellZoneout()));
        map.put("stack", lowerCase(stack));
        map.put("seed", String.valueOf(seed));
        map.put("schedule", lowerCase(schedule));
        map.put("init", lowerCase(init));
        return map;
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** Returns the options of a map; those that older checkpoints have not are the defaults. @throws IllegalArgumentException if one is missing or not what it should be */
    static TrainingOptions of(Map<String, String> map) {
        return new TrainingOptions(CellType.of(get(map, "cell")), Integer.parseInt(get(map, "hidden")),
                Integer.parseInt(get(map, "layers")), Integer.parseInt(get(map, "embedding")),
                Integer.parseInt(get(map, "seq")), Integer.parseInt(get(map, "batch")),
                Long.parseLong(get(map, "steps")), Double.parseDouble(get(map, "lr")),
                Double.parseDouble(get(map, "clip")), Double.parseDouble(get(map, "dropout")),
                constant(Layer.Dropout.Scope.class, map.getOrDefault("dropout-scope", "step")),
                new Regularization(rate(map, "recurrent-dropout"), rate(map, "drop-connect"), rate(map, "zoneout"),
                        rate(map, "cell-zoneout")),
                constant(Stack.class, map.getOrDefault("stack", "plain")), Long.parseLong(get(map, "seed")),
                constant(Course.class, get(map, "schedule")),
                constant(Init.class, map.getOrDefault("init", "pytorch")));
    }

    private static float rate(Map<String, String> map, String name) {
        return Float.parseFloat(map.getOrDefault(name, "0"));
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String name) {
        return Enum.valueOf(type, name.toUpperCase(Locale.ROOT));
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
        builder.regularization(regularization);
        for (int i = 0; i < layers; i++) {
            builder.recurrent(cell, hidden).dropout(dropout, scope);
            if (stack == Stack.RESIDUAL && i > 0) {
                builder.residual();
            }
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
        private Layer.Dropout.Scope scope = Layer.Dropout.Scope.STEP;
        private Regularization regularization = Regularization.NONE;
        private Stack stack = Stack.PLAIN;
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

        Builder scope(Layer.Dropout.Scope scope) {
            this.scope = scope;
            return this;
        }

        Builder regularization(Regularization regularization) {
            this.regularization = regularization;
            return this;
        }

        Builder stack(Stack stack) {
            this.stack = stack;
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
            return new TrainingOptions(cell, hidden, layers, embedding, seq, batch, steps, lr, clip, dropout, scope,
                    regularization, stack, seed, schedule, init);
        }
    }
}
