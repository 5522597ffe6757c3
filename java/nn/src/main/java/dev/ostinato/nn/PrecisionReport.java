package dev.ostinato.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What rounding the weights does to a model: how far what its layers give is from what they give with exact weights, one stream going on
 * from a zero state over all steps, so that errors add up as they do in use.
 *
 * @param precision of the rounded weights
 * @param steps how many steps were made
 * @param layers h of each recurrent layer by its name in {@link State#tensors}, from the input on
 * @param outputs what the model gives: the error from end to end
 */
public record PrecisionReport(Precision precision, int steps, List<LayerError> layers, LayerError outputs) {
    public PrecisionReport {
        layers = List.copyOf(layers);
    }

    /**
     * The errors of one layer over all steps.
     *
     * @param largest the largest absolute difference
     * @param relative the root mean square of the differences, relative to that of the exact values; 0 where both are 0
     */
    public record LayerError(String name, double largest, double relative) {}

    /**
     * Compares on tokens.
     *
     * @throws IllegalArgumentException if there are none, the model takes something else, or its weights cannot be rounded
     * @throws IndexOutOfBoundsException if a token is outside the vocabulary
     */
    public static PrecisionReport of(Model model, Precision precision, int[] tokens) {
        Comparison comparison = new Comparison(model, precision, tokens.length);
        for (int token : tokens) {
            comparison.step(token);
        }
        return comparison.report();
    }

    /**
     * Compares on rows of floats.
     *
     * @param x (T, inputs)
     * @throws IllegalArgumentException if there are none, the model takes something else, or its weights cannot be rounded
     */
    public static PrecisionReport of(Model model, Precision precision, float[] x) {
        int inputs = model.inputs();
        if (x.length % inputs != 0) {
            throw new IllegalArgumentException("x: expected a multiple of " + inputs + ", got " + x.length);
        }
        Comparison comparison = new Comparison(model, precision, x.length / inputs);
        for (int from = 0; from < x.length; from += inputs) {
            comparison.step(Arrays.copyOfRange(x, from, from + inputs));
        }
        return comparison.report();
    }

    /** Compares on {@code steps} random inputs: any token as often as any other, or normally distributed features. */
    public static PrecisionReport ofRandomInputs(Model model, Precision precision, int steps, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        if (model.takesTokens()) {
            return of(model, precision, random.ints(steps, 0, model.inputs()).toArray());
        }
        float[] x = new float[Math.multiplyExact(steps, model.inputs())];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return of(model, precision, x);
    }

    /** The exact model and the rounded one, side by side. */
    private static final class Comparison {
        private final Model exact;
        private final Model rounded;
        private final State exactState;
        private final State roundedState;
        private final float[] exactOutputs;
        private final float[] roundedOutputs;
        private final int steps;
        private final Map<String, Sum> layers = new LinkedHashMap<>();
        private final Sum outputs = new Sum();

        Comparison(Model model, Precision precision, int steps) {
            if (steps < 1) {
                throw new IllegalArgumentException("steps: expected >= 1, got " + steps);
            }
            this.exact = model.withPrecision(Precision.F32);
            this.rounded = model.withPrecision(precision);
            this.exactState = exact.newState();
            this.roundedState = rounded.newState();
            this.exactOutputs = new float[model.outputs()];
            this.roundedOutputs = new float[model.outputs()];
            this.steps = steps;
        }

        void step(int token) {
            exact.step(token, exactState, exactOutputs);
            rounded.step(token, roundedState, roundedOutputs);
            add();
        }

        void step(float[] x) {
            exact.step(x, exactState, exactOutputs);
            rounded.step(x, roundedState, roundedOutputs);
            add();
        }

        private void add() {
            List<NamedArray> expected = exactState.tensors();
            List<NamedArray> actual = roundedState.tensors();
            for (int i = 0; i < expected.size(); i++) {
                String name = expected.get(i).name();
                if (name.contains(".h_")) {
                    layers.computeIfAbsent(name, ignored -> new Sum()).add(expected.get(i).data(),
                            actual.get(i).data());
                }
            }
            outputs.add(exactOutputs, roundedOutputs);
        }

        PrecisionReport report() {
            List<LayerError> errors = new ArrayList<>();
            layers.forEach((name, sum) -> errors.add(sum.error(name)));
            return new PrecisionReport(rounded.precision(), steps, errors, outputs.error("outputs"));
        }
    }

    /** Sums over all steps. */
    private static final class Sum {
        private double largest;
        private double squares;
        private double exactSquares;

        void add(float[] expected, float[] actual) {
            for (int i = 0; i < expected.length; i++) {
                double difference = (double) actual[i] - expected[i];
                largest = Math.max(largest, Math.abs(difference));
                squares += difference * difference;
                exactSquares += (double) expected[i] * expected[i];
            }
        }

        LayerError error(String name) {
            return new LayerError(name, largest, squares == 0 ? 0 : Math.sqrt(squares / exactSquares));
        }
    }
}
