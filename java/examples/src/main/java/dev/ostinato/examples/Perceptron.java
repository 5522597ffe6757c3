package dev.ostinato.examples;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.Slice;
import dev.ostinato.kernels.Transpose;

/** A perceptron of two layers whose weights are packed once and whose activations lie in memory of Ostinato: nothing is copied. */
public final class Perceptron {
    // readme: perceptron
    private final Kernels kernels = Backends.kernels("auto");
    private final PackedMatrix first;
    private final PackedMatrix second;
    private final Matrix hidden;

    /** Takes weights as PyTorch has them: {@code w1} (hidden, inputs), {@code w2} (outputs, hidden). */
    public Perceptron(float[] w1, float[] w2, int inputs, int units, int outputs) {
        first = kernels.slices().pack(Transpose.YES, Slice.of(w1, 0, units, inputs, inputs), 1);
        second = kernels.slices().pack(Transpose.YES, Slice.of(w2, 0, outputs, units, units), 1);
        hidden = Matrix.of(1, first.outputs());
    }

    /** Overwrites y, a row of {@code outputs} padded to whole blocks, with {@code w2 tanh(w1 x)}; by one thread at a time. */
    public void apply(Matrix x, Matrix y) {
        hidden.clear();
        kernels.multiplyAdd(x, first, hidden);
        kernels.apply(Function.TANH, hidden, hidden);
        y.clear();
        kernels.multiplyAdd(hidden.columns(0, second.inputs()), second, y);
    }
    // readme: end
}
