package dev.ostinato.tests;

import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.tests.ReferenceNetwork.Module;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;

/**
 * Compares gradients with the slopes of {@link ReferenceNetwork}'s loss.
 *
 * <p>Error model: a slope is a central difference in double precision. Cutting the series costs EPSILON^2 times a third derivative,
 * rounding 2^-53 / EPSILON times the loss: both are below 1e-8. A gradient is a sum of some hundred float products behind T steps of
 * functions that err by a few units in the last place, so it errs by about 2e-7 of the largest ones, which are a few units; ten times
 * that is let through. What is wrong in an equation errs by parts of the gradient itself.
 */
final class GradientCheck {
    private static final double ABSOLUTE = 5e-6;
    private static final double RELATIVE = 1e-4;
    private static final double EPSILON = 1e-6;

    private GradientCheck() {
    }

    /** Returns the weights of a model by name, in double precision. */
    static Map<String, double[]> tensors(Model model) {
        Map<String, double[]> tensors = new LinkedHashMap<>();
        for (NamedArray tensor : model.tensors()) {
            double[] data = new double[tensor.data().length];
            for (int i = 0; i < data.length; i++) {
                data[i] = tensor.data()[i];
            }
            tensors.put(tensor.name(), data);
        }
        return tensors;
    }

    /**
     * Returns the slope of the loss of the second batch by every weight. The state that the first one leaves is a constant: no gradient
     * crosses the border between two batches.
     */
    static Map<String, double[]> slopes(List<Module> modules, Model model, Loss loss, RandomBatch first,
            RandomBatch second) {
        Map<String, double[]> tensors = tensors(model);
        ReferenceNetwork before = new ReferenceNetwork(modules, tensors);
        before.loss(first, loss);
        return slopes(tensors, () -> new ReferenceNetwork(before, tensors).loss(second, loss));
    }

    /** Returns the slope of a loss by every element of some tensors, which are changed on the way. */
    static Map<String, double[]> slopes(Map<String, double[]> tensors, DoubleSupplier loss) {
        Map<String, double[]> slopes = new LinkedHashMap<>();
        tensors.forEach((name, data) -> {
            double[] slope = new double[data.length];
            for (int i = 0; i < data.length; i++) {
                double value = data[i];
                data[i] = value + EPSILON;
                double above = loss.getAsDouble();
                data[i] = value - EPSILON;
                double below = loss.getAsDouble();
                data[i] = value;
                slope[i] = (above - below) / (2 * EPSILON);
            }
            slopes.put(name, slope);
        });
        return slopes;
    }

    /** Returns where gradients are not the slopes. */
    static List<String> differences(Map<String, double[]> slopes, List<NamedArray> gradients) {
        List<String> found = new ArrayList<>();
        if (!List.copyOf(slopes.keySet()).equals(gradients.stream().map(NamedArray::name).toList())) {
            found.add("expected gradients of " + slopes.keySet() + ", got " + gradients);
            return found;
        }
        for (NamedArray gradient : gradients) {
            double[] expected = slopes.get(gradient.name());
            for (int i = 0; i < expected.length; i++) {
                double error = Math.abs(gradient.data()[i] - expected[i]);
                if (!(error <= ABSOLUTE + RELATIVE * Math.abs(expected[i]))) {
                    found.add(gradient.name() + "[" + i + "]: expected " + expected[i] + ", got " + gradient.data()[i]);
                }
            }
        }
        return found;
    }

    /** Returns the tensors whose slopes are all too small for {@link #differences} to see. */
    static List<String> invisible(Map<String, double[]> slopes) {
        List<String> found = new ArrayList<>();
        slopes.forEach((name, slope) -> {
            double largest = 0;
            for (double value : slope) {
                largest = Math.max(largest, Math.abs(value));
            }
            if (largest < 20 * ABSOLUTE) {
                found.add(name + ": " + largest);
            }
        });
        return found;
    }
}
