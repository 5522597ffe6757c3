package dev.ostinato.cli;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.Npz;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.State;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A state as the arrays that PyTorch has for it: {@code h} of shape (layers, B, H), and {@code c} of those layers that have one. Where
 * layers differ in H they are arrays of their own: {@code h_l0} of shape (B, H) and so on, counting the layers that have one.
 */
final class StateArrays {
    private static final List<String> KINDS = List.of("h", "c");

    private StateArrays() {}

    /** Returns copies of all. */
    static List<Tensor> of(State state) {
        List<Tensor> tensors = new ArrayList<>();
        for (String kind : KINDS) {
            grouped(state, kind, "").forEach((name, group) -> tensors.add(join(name, group)));
        }
        return tensors;
    }

    /** Returns the names of the arrays that a state can begin with: {@code h0}, {@code c0}; or {@code h0_l0} and so on. */
    static List<String> initialNames(State state) {
        return KINDS.stream().flatMap(kind -> grouped(state, kind, "0").keySet().stream()).toList();
    }

    /** Overwrites what there are arrays for. @throws Failure if one has another type or shape */
    static void set(State state, Npz arrays) throws IOException {
        for (String kind : KINDS) {
            for (Map.Entry<String, List<NamedArray>> entry : grouped(state, kind, "0").entrySet()) {
                if (arrays.names().contains(entry.getKey())) {
                    state.setTensors(split(arrays.tensor(entry.getKey()), entry.getValue()));
                }
            }
        }
    }

    /** Returns the arrays of a kind under the names that they have in a file; several under one are stacked there. */
    private static SequencedMap<String, List<NamedArray>> grouped(State state, String kind, String ending) {
        List<NamedArray> arrays = state.tensors().stream()
                .filter(array -> array.name().substring(array.name().lastIndexOf('.') + 1).startsWith(kind)).toList();
        boolean alike = arrays.stream().map(NamedArray::shape).distinct().count() <= 1;
        SequencedMap<String, List<NamedArray>> groups = new LinkedHashMap<>();
        for (int layer = 0; layer < arrays.size(); layer++) {
            groups.computeIfAbsent(kind + ending + (alike ? "" : "_l" + layer), name -> new ArrayList<>())
                    .add(arrays.get(layer));
        }
        return groups;
    }

    private static long[] shape(String name, List<NamedArray> group) {
        List<Integer> shape = group.getFirst().shape();
        return name.contains("_l") ? new long[] {shape.get(0), shape.get(1)}
                : new long[] {group.size(), shape.get(0), shape.get(1)};
    }

    private static Tensor join(String name, List<NamedArray> group) {
        float[] all = new float[group.stream().mapToInt(array -> array.data().length).sum()];
        int from = 0;
        for (NamedArray array : group) {
            System.arraycopy(array.data(), 0, all, from, array.data().length);
            from += array.data().length;
        }
        return Tensor.of(name, shape(name, group), all);
    }

    private static List<NamedArray> split(Tensor tensor, List<NamedArray> group) {
        long[] expected = shape(tensor.name(), group);
        if (tensor.dtype() != DType.F32 || !Arrays.equals(tensor.shape(), expected)) {
            throw new Failure(
                    tensor.name() + ": expected F32 " + Arrays.toString(expected) + ", got " + tensor.dtype() + " "
                            + Arrays.toString(tensor.shape()));
        }
        float[] all = tensor.toFloats();
        List<NamedArray> parts = new ArrayList<>();
        int from = 0;
        for (NamedArray array : group) {
            int until = from + array.data().length;
            parts.add(new NamedArray(array.name(), array.shape(), Arrays.copyOfRange(all, from, until)));
            from = until;
        }
        return parts;
    }
}
