package dev.ostinato.nn;

import java.util.List;
import java.util.function.Consumer;
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
     * @param batch of rows that all have all steps
     * @throws IllegalArgumentException if the batch does not fit the model or the loss
     * @throws IndexOutOfBoundsException if a token or class is outside its range
     */
    public static Diagnostics of(Model model, Batch batch, Loss loss) {
        return of(model, batch, loss, Probe::backward);
    }

    /**
     * As {@link #of(Model, Batch, Loss)}, with the gradient of what one step alone adds to the loss. The whole gradient of a state is the sum
     * over the steps behind it, in which the nearest ones hide what the far ones send; here one sees how far back a step is heard.
     *
     * @param step from 1 to T; of a model that pools, T
     * @throws IllegalArgumentException if there is no loss at such a step, and as the other method does
     */
    public static Diagnostics ofLossAt(int step, Model model, Batch batch, Loss loss) {
        boolean pools = model.blueprint().pools();
        int first = pools ? batch.steps() : 1;
        if (step < first || step > batch.steps()) {
            throw new IllegalArgumentException("step: expected " + first + " to " + batch.steps() + ", got " + step);
        }
        return of(model, batch, loss, probe -> probe.backward(pools ? 1 : step));
    }

    private static Diagnostics of(Model model, Batch batch, Loss loss, Consumer<Probe> backward) {
        Probe probe = Probe.forward(model, batch, loss);
        List<RecurrentTrace> traces = probe.traces();
        List<LayerActivity> activities = traces.stream().map(LayerActivity::of).toList();
        backward.accept(probe); // overwrites the activations
        List<LayerDiagnostics> layers = IntStream.range(0, traces.size())
                .mapToObj(i -> new LayerDiagnostics(traces.get(i), activities.get(i), model.kernels())).toList();
        return new Diagnostics(probe.loss(), layers);
    }

    /** Returns the loss of the batch, of all its steps. */
    public double loss() {
        return loss;
    }

    /** Returns what the recurrent layers did, the one nearest to the input first; of a bidirectional one forward, then reverse. */
    public List<LayerDiagnostics> layers() {
        return layers;
    }
}
