package dev.ostinato.nn;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What happens inside a model over one batch, forward and back through time: how gradients grow or vanish, what each step adds to the gradient of
 * the weights, and which gates and units do nothing. States begin at zero and there is no dropout.
 *
 * <pre>{@code
 * Diagnostics diagnostics = Diagnostics.of(model, batch, Loss.crossEntropy());
 * for (LayerDiagnostics layer : diagnostics.layers()) {
 *     System.out.println(layer.name() + ": " + layer.gradientNorms());
 * }
 * }</pre>
 *
 * <p>Immutable, for all threads. {@link Spectrum#ofRecurrentWeights} tells about weights alone.
 */
public final class Diagnostics {
    private final double loss;
    private final List<LayerDiagnostics> layers;

    private Diagnostics(double loss, List<LayerDiagnostics> layers) {
        this.loss = loss;
        this.layers = layers;
    }

    /**
     * Runs a model over a batch and back, as a step of training would. What overflows a float on the way is infinite or not a number in the
     * results.
     *
     * @throws IllegalArgumentException if the batch does not fit the model or the loss
     * @throws IndexOutOfBoundsException if a token or class is outside its range
     */
    public static Diagnostics of(Model model, Batch batch, Loss loss) {
        return of(model, batch, loss, 0, batch.steps());
    }

    /**
     * As {@link #of(Model, Batch, Loss)}, with the gradient of what one step alone adds to the loss. The whole gradient of a state is the sum
     * over the steps behind it, in which the nearest ones hide what the far ones send; here one sees how far back a step is heard.
     *
     * @param step from 1 to T
     * @throws IllegalArgumentException if there is no such step, and as the other method does
     */
    public static Diagnostics ofLossAt(int step, Model model, Batch batch, Loss loss) {
        if (step < 1 || step > batch.steps()) {
            throw new IllegalArgumentException("step: expected 1 to " + batch.steps() + ", got " + step);
        }
        return of(model, batch, loss, step - 1, step);
    }

    private static Diagnostics of(Model model, Batch batch, Loss loss, int from, int to) {
        Probe probe = Probe.forward(model, batch, loss);
        int[] recurrent = IntStream.range(0, model.layers().size())
                .filter(i -> model.layers().get(i) instanceof Layer.Recurrent).toArray();
        List<LayerActivity> activities =
                IntStream.of(recurrent).mapToObj(i -> LayerActivity.of(probe.trace(i))).toList();
        probe.backward(from, to); // overwrites the activations
        List<LayerDiagnostics> layers = IntStream.range(0, recurrent.length)
                .mapToObj(i -> LayerDiagnostics.of(recurrent[i], model, probe.trace(recurrent[i]), activities.get(i)))
                .toList();
        return new Diagnostics(probe.loss(), layers);
    }

    /** Returns the loss of the batch, of all its steps. */
    public double loss() {
        return loss;
    }

    /** Returns what the recurrent layers did, the one nearest to the input first. */
    public List<LayerDiagnostics> layers() {
        return layers;
    }
}
