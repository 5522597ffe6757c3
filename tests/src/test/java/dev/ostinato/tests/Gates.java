package dev.ostinato.tests;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.NamedArray;
import java.util.List;

/** Mixes up gates, as a reader of somebody else's weights might. */
final class Gates {
    private Gates() {
    }

    /** Returns the tensors with two gates exchanged in the weights and biases of every recurrent layer. */
    static List<NamedArray> swapped(List<NamedArray> tensors, CellType cell, int gate, int other) {
        return tensors.stream().map(t -> recurrent(t) ? swapped(t, cell, gate, other) : t).toList();
    }

    private static boolean recurrent(NamedArray tensor) {
        return tensor.name().contains("_ih") || tensor.name().contains("_hh");
    }

    private static NamedArray swapped(NamedArray tensor, CellType cell, int gate, int other) {
        float[] data = tensor.data().clone();
        int size = data.length / cell.gates();
        System.arraycopy(tensor.data(), gate * size, data, other * size, size);
        System.arraycopy(tensor.data(), other * size, data, gate * size, size);
        return new NamedArray(tensor.name(), tensor.shape(), data);
    }
}
