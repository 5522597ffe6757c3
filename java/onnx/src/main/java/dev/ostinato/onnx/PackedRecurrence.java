package dev.ostinato.onnx;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.onnx.RecurrentNode.Way;
import dev.ostinato.onnx.RecurrentOperator.RecurrentInputs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The weights of a node as models of one recurrent layer, one for each direction. Immutable. */
final class PackedRecurrence {
    private final List<Value.@Nullable Storage> sources;
    private final List<Optional<Model>> models = new ArrayList<>();

    PackedRecurrence(RecurrentNode node, RecurrentInputs in) {
        this.sources = sources(in);
        for (int way = 0; way < node.ways().size(); way++) {
            models.add(model(node, in, way));
        }
    }

    private static List<Value.@Nullable Storage> sources(RecurrentInputs in) {
        List<Value.@Nullable Storage> sources = new ArrayList<>();
        sources.add(in.w().storage());
        sources.add(in.r().storage());
        Value b = in.b();
        Value peepholes = in.peepholes();
        sources.add(b == null ? null : b.storage());
        sources.add(peepholes == null ? null : peepholes.storage());
        return sources;
    }

    boolean isOf(RecurrentInputs in) {
        return sources.equals(sources(in));
    }

    /** Returns whether there is a model for each direction. */
    boolean complete() {
        return models.stream().allMatch(Optional::isPresent);
    }

    Model model(int way) {
        return models.get(way).orElseThrow();
    }

    private static Optional<Model> model(RecurrentNode node, RecurrentInputs in, int number) {
        Way way = node.ways().get(number);
        return node.cell(way, in.b() == null ? CellType.Bias.NONE : CellType.Bias.BOTH,
                in.peepholes() == null ? CellType.Peepholes.NONE : CellType.Peepholes.ALL)
                .map(cell -> Model.of(List.of(new Layer.Features(in.inputs()),
                        new Layer.Recurrent(cell, in.inputs(), in.hidden(), way.direction())),
                        tensors(node, in, number)));
    }

    /** Returns the weights in PyTorch's order of gates. */
    private static List<NamedArray> tensors(RecurrentNode node, RecurrentInputs in, int way) {
        int hidden = in.hidden();
        int gates = node.kind().gates;
        int[] places = node.places();
        List<NamedArray> tensors = new ArrayList<>();
        tensors.add(gates("weight_ih", in.w(), way * gates, places, hidden, in.inputs()));
        tensors.add(gates("weight_hh", in.r(), way * gates, places, hidden, hidden));
        Value b = in.b();
        if (b != null) {
            tensors.add(gates("bias_ih", b, way * 2 * gates, places, hidden));
            tensors.add(gates("bias_hh", b, (way * 2 + 1) * gates, places, hidden));
        }
        Value peepholes = in.peepholes();
        if (peepholes != null) {
            tensors.add(gates("weight_ci", peepholes, way * 3, new int[] {0}, hidden));
            tensors.add(gates("weight_co", peepholes, way * 3, new int[] {1}, hidden));
            tensors.add(gates("weight_cf", peepholes, way * 3, new int[] {2}, hidden));
        }
        return tensors;
    }

    /** Returns a row of blocks (hidden, columns) as a matrix. */
    private static NamedArray gates(String name, Value from, int first, int[] places, int hidden, int columns) {
        return new NamedArray("rnn." + name + "_l0", List.of(places.length * hidden, columns),
                blocks(from, first, places, hidden * columns));
    }

    /** Returns a row of blocks (hidden) as a vector. */
    private static NamedArray gates(String name, Value from, int first, int[] places, int hidden) {
        return new NamedArray("rnn." + name + "_l0", List.of(places.length * hidden),
                blocks(from, first, places, hidden));
    }

    /** Copies blocks, which are counted from block {@code first} on. */
    private static float[] blocks(Value from, int first, int[] places, int size) {
        float[] data = new float[places.length * size];
        for (int i = 0; i < places.length; i++) {
            System.arraycopy(from.floats(), (first + places[i]) * size, data, i * size, size);
        }
        return data;
    }
}
