package dev.ostinato.cli;

import dev.ostinato.nn.Diagnostics;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.LayerDiagnostics;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Spectrum;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a model does over some data, layer by layer. Gradients are those of the loss at the last step, T, alone: they tell how far back the model
 * is able to learn from.
 *
 * @param samples the data
 * @param loss of the whole batch
 * @param layers the recurrent ones
 */
record Diagnosis(Samples samples, double loss, List<Of> layers) {
    /** States with more elements than this are left out of what takes the third power of their number. */
    private static final int MOST_ELEMENTS = 512;

    /**
     * A layer.
     *
     * @param kind of cell and its size
     * @param diagnostics what it did, for the loss at the last step
     * @param gradientNorms {@code ||dL/dh_t||} of the loss of all steps
     * @param jacobianNorms {@code ||dX_T/dX_k||} of the first row, for k from 0 to T; empty for a state of too many elements
     * @param spectra of U by gate; likewise
     */
    record Of(String kind, LayerDiagnostics diagnostics, List<Double> gradientNorms,
            List<Double> jacobianNorms,
            SequencedMap<String, Spectrum> spectra) {
        String title() {
            return diagnostics.name() + ": " + kind;
        }

        @Nullable Spectrum spectrum(LayerDiagnostics.Gate gate) {
            return spectra.get(diagnostics.name().endsWith("_reverse") ? gate.name() + "_reverse" : gate.name());
        }

        /** Returns how many of the last steps, of T, it takes until their parts of the gradient of U sum up to nine tenths of all. */
        int reach() {
            List<Double> parts = diagnostics.recurrentContributions();
            double all = parts.stream().mapToDouble(Double::doubleValue).sum();
            double sum = 0;
            int steps = 0;
            while (steps < parts.size() && sum < 0.9 * all) {
                sum += parts.get(parts.size() - 1 - steps++);
            }
            return steps;
        }
    }

    /** Runs a model over samples. @throws Failure if they do not fit it */
    static Diagnosis of(Model model, Samples samples) {
        Diagnostics all;
        Diagnostics last;
        try {
            all = Diagnostics.of(model, samples.batch(), samples.loss());
            last = Diagnostics.ofLossAt(samples.batch().steps(), model, samples.batch(), samples.loss());
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new Failure(samples.name() + ": " + e.getMessage(), e);
        }
        List<Of> layers = new ArrayList<>();
        for (int i = 0; i < all.layers().size(); i++) {
            layers.add(of(model, last.layers().get(i), all.layers().get(i)));
        }
        if (layers.isEmpty()) {
            throw new Failure("--data: expected a model with a recurrent layer, got " + model.layers());
        }
        return new Diagnosis(samples, all.loss(), layers);
    }

    private static Of of(Model model, LayerDiagnostics last, LayerDiagnostics all) {
        boolean small = last.stateSize() <= MOST_ELEMENTS;
        int steps = last.gradientNorms().size();
        List<Double> norms = small ? Arrays.stream(last.jacobians(0).norms(steps)).boxed().toList() : List.of();
        return new Of(kind(model.layers().get(last.index())), last, all.gradientNorms(), norms,
                small ? Spectrum.ofRecurrentWeights(model, last.index()) : new LinkedHashMap<>());
    }

    private static String kind(Layer layer) {
        return layer instanceof Layer.WithCell r ? r.cell().label() + " with " + r.hidden() + " units" : layer.label();
    }

    int steps() {
        return samples.batch().steps();
    }

    void print(PrintStream out) {
        out.printf(Locale.ROOT, "%n%s; loss %.4f%n", samples.description(), loss);
        for (Of layer : layers) {
            out.printf("%n%s%n", layer.title());
            List<Double> gradient = layer.diagnostics().gradientNorms();
            line(out, "gradient of h", "of the last step's loss: " + lags(lag -> gradient.get(steps() - 1 - lag)));
            List<Double> norms = layer.jacobianNorms();
            line(out, "||dX_T/dX_k||", norms.isEmpty()
                    ? "left out, with more than " + MOST_ELEMENTS + " elements in a state"
                    : lags(lag -> norms.get(steps() - lag)));
            line(out, "gradient of U", "nine tenths from the last " + count(layer.reach(), "step"));
            layer.diagnostics().gates().forEach(gate -> printGate(gate, layer.spectrum(gate), out));
            List<Integer> dead = layer.diagnostics().deadUnits();
            line(out, "dead units", dead.isEmpty() ? "none" : dead.size() + ": " + shortened(dead));
        }
    }

    private static void line(PrintStream out, String name, String text) {
        out.printf("    %-16s %s%n", name, text);
    }

    private static void printGate(LayerDiagnostics.Gate gate, @Nullable Spectrum spectrum, PrintStream out) {
        String saturation = String.format(Locale.ROOT, "saturated %4.1f %% low, %4.1f %% high", 100 * gate.low(),
                100 * gate.high());
        line(out, "gate " + gate.name(), spectrum == null
                ? saturation
                : String.format(Locale.ROOT, "%s; U has spectral radius %.3f and norm %.3f", saturation,
                        spectrum.spectralRadius(), spectrum.spectralNorm()));
    }

    /** Shows some of the numbers that belong to steps before the last. */
    private String lags(IntToDoubleFunction byLag) {
        String shown = IntStream.of(1, (steps() - 1) / 4, (steps() - 1) / 2, steps() - 1).filter(lag -> lag >= 1)
                .distinct()
                .filter(lag -> lag < steps())
                .mapToObj(
                        lag -> String.format(Locale.ROOT, "%.2g %s back", byLag.applyAsDouble(lag), count(lag, "step")))
                .collect(Collectors.joining(", "));
        return shown.isEmpty() ? "there is one step only" : shown;
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    private static String shortened(List<Integer> units) {
        String first = String.join(", ", units.stream().limit(20).map(String::valueOf).toList());
        return units.size() > 20 ? first + ", ..." : first;
    }

    SequencedMap<String, Object> toMap() {
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("data", samples.name());
        map.put("steps", steps());
        map.put("rows", samples.batch().rows());
        map.put("loss", loss);
        map.put("layers", layers.stream().map(Diagnosis::toMap).toList());
        return map;
    }

    private static Map<String, Object> toMap(Of layer) {
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("name", layer.diagnostics().name());
        map.put("gradient_norms", layer.gradientNorms());
        map.put("gradient_norms_of_last", layer.diagnostics().gradientNorms());
        map.put("recurrent_contributions_to_last", layer.diagnostics().recurrentContributions());
        map.put("input_contributions_to_last", layer.diagnostics().inputContributions());
        map.put("jacobian_norms", layer.jacobianNorms());
        SequencedMap<String, Object> gates = new LinkedHashMap<>();
        for (LayerDiagnostics.Gate gate : layer.diagnostics().gates()) {
            SequencedMap<String, Object> one = new LinkedHashMap<>();
            one.put("low", gate.low());
            one.put("high", gate.high());
            Spectrum spectrum = layer.spectrum(gate);
            if (spectrum != null) {
                one.put("spectral_radius", spectrum.spectralRadius());
                one.put("spectral_norm", spectrum.spectralNorm());
            }
            gates.put(gate.name(), one);
        }
        map.put("gates", gates);
        map.put("dead_units", layer.diagnostics().deadUnits());
        return map;
    }
}
