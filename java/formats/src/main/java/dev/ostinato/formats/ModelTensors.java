package dev.ostinato.formats;

import dev.ostinato.nn.Layer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// Names and shapes of the tensors of a model, as [dev.ostinato.nn.Model#tensors] gives them, without a model: what a file
/// must have is known before anything of its sizes is allocated.
final class ModelTensors {
    private final SequencedMap<String, long[]> shapes = new LinkedHashMap<>();
    private int recurrentModules;
    private int depth;
    private int denseModules;
    private Layer.@Nullable Recurrent last;

    private ModelTensors() {}

    static SequencedMap<String, long[]> shapes(List<Layer> layers) {
        ModelTensors tensors = new ModelTensors();
        for (int i = 0; i < layers.size(); i++) {
            tensors.add(layers.get(i), i == layers.size() - 1);
        }
        return tensors.shapes;
    }

    private void add(Layer layer, boolean head) {
        switch (layer) {
            case Layer.Embedding e -> shapes.put("embedding.weight", new long[] {e.vocabulary(), e.size()});
            case Layer.Recurrent r -> add(r);
            case Layer.Dense d -> add(d, head);
            case Layer.OneHot ignored -> {}
            case Layer.Features ignored -> {}
            case Layer.Dropout ignored -> {}
        }
    }

    private void add(Layer.Recurrent r) {
        boolean goesOn = last != null && last.cell() == r.cell() && last.hidden() == r.hidden();
        depth = goesOn ? depth + 1 : 0;
        recurrentModules += goesOn ? 0 : 1;
        last = r;
        String module = numbered("rnn", recurrentModules);
        long rows = (long) r.cell().gates() * r.hidden();
        shapes.put(module + ".weight_ih_l" + depth, new long[] {rows, r.inputs()});
        shapes.put(module + ".weight_hh_l" + depth, new long[] {rows, r.hidden()});
        shapes.put(module + ".bias_ih_l" + depth, new long[] {rows});
        shapes.put(module + ".bias_hh_l" + depth, new long[] {rows});
    }

    private void add(Layer.Dense d, boolean head) {
        last = null;
        String module = head ? "head" : numbered("dense", ++denseModules);
        shapes.put(module + ".weight", new long[] {d.outputs(), d.inputs()});
        shapes.put(module + ".bias", new long[] {d.outputs()});
    }

    private static String numbered(String name, int number) {
        return number == 1 ? name : name + number;
    }
}
