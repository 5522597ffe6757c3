package dev.ostinato.tests;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What PyTorch made of a model; {@code src/test/goldens/generate.py} says how. */
final class Golden {
    private final SafeTensors file;
    private final Map<String, String> settings;

    private Golden(SafeTensors file) {
        this.file = file;
        this.settings = Arrays.stream(file.metadata().get("settings").split(" ")).map(s -> s.split("=", 2))
                .collect(Collectors.toMap(s -> s[0], s -> s[1]));
    }

    static Golden read(String name) throws IOException {
        return new Golden(Goldens.read(name));
    }

    CellType cell() {
        return CellType.of(settings.get("cell"));
    }

    int layers() {
        return (int) number("layers");
    }

    boolean hasCellState() {
        return file.names().contains("going.c");
    }

    boolean takesTokens() {
        return file.names().contains("tokens");
    }

    Loss loss() {
        return takesTokens() ? Loss.crossEntropy() : Loss.squaredError();
    }

    double clip() {
        return number("clip");
    }

    Optimizer optimizer() {
        return settings.get("optimizer").equals("adam")
                ? Optimizer.adam(number("rate"))
                : new Optimizer.Sgd(number("rate"), number("momentum"));
    }

    private double number(String setting) {
        return Double.parseDouble(settings.get(setting));
    }

    /** Returns the model before training. */
    Model model() throws IOException {
        return model(tensors("initial"));
    }

    /** Returns a model of this shape with other weights. */
    Model model(List<NamedArray> weights) throws IOException {
        long[] head = file.tensor("initial.head.weight").shape();
        int hidden = (int) file.tensor("initial.rnn.weight_ih_l0").shape()[0] / cell().gates();
        Model.Builder builder = Model.builder();
        if (takesTokens()) {
            long[] table = file.tensor("initial.embedding.weight").shape();
            builder.embedding((int) table[0], (int) table[1]);
        } else {
            builder.features((int) file.tensor("features").shape()[3]);
        }
        for (int i = 0; i < layers(); i++) {
            builder.recurrent(cell(), hidden);
        }
        return Model.of(builder.dense((int) head[0]).build().layers(), weights);
    }

    /** Returns the weights or gradients of a kind: initial, gradient or final. */
    List<NamedArray> tensors(String kind) throws IOException {
        return Goldens.tensors(file, kind + ".");
    }

    /** Returns the numbers of a tensor, such as losses. */
    float[] floats(String name) throws IOException {
        return file.tensor(name).toFloats();
    }

    int[] integers(String name) throws IOException {
        float[] floats = floats(name);
        int[] integers = new int[floats.length];
        Arrays.setAll(integers, i -> (int) floats[i]);
        return integers;
    }

    int batches() throws IOException {
        return floats("losses").length;
    }

    Batch batch(int index) throws IOException {
        long[] shape = file.tensor(takesTokens() ? "tokens" : "features").shape();
        int steps = (int) shape[1];
        int rows = (int) shape[2];
        return takesTokens()
                ? Batch.tokensToClasses(steps, rows, part(integers("tokens"), index), part(integers("classes"), index))
                : Batch.featuresToValues(steps, rows, part(floats("features"), index), part(floats("values"), index));
    }

    private int[] part(int[] all, int index) throws IOException {
        int size = all.length / batches();
        return Arrays.copyOfRange(all, index * size, (index + 1) * size);
    }

    private float[] part(float[] all, int index) throws IOException {
        int size = all.length / batches();
        return Arrays.copyOfRange(all, index * size, (index + 1) * size);
    }
}
