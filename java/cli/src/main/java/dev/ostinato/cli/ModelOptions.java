package dev.ostinato.cli;

import static dev.ostinato.cli.Requirement.constant;
import static dev.ostinato.cli.Requirement.get;
import static dev.ostinato.cli.Requirement.lowerCase;
import static dev.ostinato.cli.Requirement.require;
import static dev.ostinato.cli.Requirement.within;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.InitialWeights;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Regularization;
import java.util.Map;

/**
 * What a model of characters is made of.
 *
 * @param cell kind of recurrent cell
 * @param hidden units of a layer
 * @param layers number of recurrent layers, each followed by dropout
 * @param embedding size of an embedding, 0 for one-hot characters
 * @param dropout rate of dropout
 * @param scope how far a mask of dropout reaches
 * @param regularization what disturbs the recurrent layers
 * @param stack how layers are stacked
 * @param init distributions of the initial weights
 */
record ModelOptions(CellType cell, int hidden, int layers, int embedding, double dropout, Layer.Dropout.Scope scope,
        Regularization regularization, Stack stack, Init init) {
    private static final int MAX_UNITS = 1 << 14;
    private static final int MAX_LAYERS = 100;

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

    ModelOptions {
        within("hidden", hidden, 1, MAX_UNITS);
        within("layers", layers, 1, MAX_LAYERS);
        within("embedding", embedding, 0, MAX_UNITS);
        require("dropout", dropout, dropout >= 0 && (float) dropout < 1, "a rate from 0 to below 1");
        layer(cell, hidden, hidden, regularization); // refuses what does not go together
    }

    private static Layer layer(CellType cell, int inputs, int hidden, Regularization regularization) {
        return new Layer.Recurrent(cell, inputs, hidden, Layer.Direction.FORWARD, regularization);
    }

    /** Returns one layer without anything that disturbs it. */
    static ModelOptions of(CellType cell, int hidden, int embedding) {
        return new ModelOptions(cell, hidden, 1, embedding, 0, Layer.Dropout.Scope.STEP, Regularization.NONE,
                Stack.PLAIN, Init.PYTORCH);
    }

    /** Adds these options as text by the names of the command line; {@link #of(Map)} takes them back to the bit. */
    void addTo(Map<String, String> map) {
        map.put("cell", cell.label());
        map.put("hidden", String.valueOf(hidden));
        map.put("layers", String.valueOf(layers));
        map.put("embedding", String.valueOf(embedding));
        map.put("dropout", String.valueOf(dropout));
        map.put("dropout-scope", lowerCase(scope));
        map.put("recurrent-dropout", String.valueOf(regularization.recurrentDropout()));
        map.put("drop-connect", String.valueOf(regularization.dropConnect()));
        map.put("zoneout", String.valueOf(regularization.zoneout()));
        map.put("cell-zoneout", String.valueOf(regularization.cellZoneout()));
        map.put("stack", lowerCase(stack));
        map.put("init", lowerCase(init));
    }

    /** Returns the options of a map; those that older checkpoints have not are the defaults. @throws IllegalArgumentException if one is missing or not what it should be */
    static ModelOptions of(Map<String, String> map) {
        return new ModelOptions(CellType.of(get(map, "cell")), Integer.parseInt(get(map, "hidden")),
                Integer.parseInt(get(map, "layers")), Integer.parseInt(get(map, "embedding")),
                Double.parseDouble(get(map, "dropout")),
                constant(Layer.Dropout.Scope.class, map.getOrDefault("dropout-scope", "step")),
                new Regularization(rate(map, "recurrent-dropout"), rate(map, "drop-connect"), rate(map, "zoneout"),
                        rate(map, "cell-zoneout")),
                constant(Stack.class, map.getOrDefault("stack", "plain")),
                constant(Init.class, map.getOrDefault("init", "pytorch")));
    }

    private static float rate(Map<String, String> map, String name) {
        return Float.parseFloat(map.getOrDefault(name, "0"));
    }

    /** Returns a new model with random weights. */
    Model newModel(int vocabulary, long seed, String backend) {
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
}
