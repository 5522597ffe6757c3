package dev.ostinato.onnx;

import dev.ostinato.formats.onnx.OnnxAttribute;
import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.LstmVariant.Forget;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.CellType.Gru.Reset;
import dev.ostinato.nn.NamedArray;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A cell as an operator of ONNX.
 *
 * @param functions of one direction
 * @param gates of each gate of ONNX its place among those of PyTorch; -1 for one that the cell does not have
 * @param peepholes roles of weights, in the order of ONNX; none without
 */
record RecurrentExport(String operator, int hidden, List<Activation> functions, List<Integer> gates, boolean biases,
        List<String> peepholes, List<String> states, Map<String, Integer> flags) {
    private static final int NO_GATE = -1;

    /** Returns what computes a cell; nothing if ONNX has no such operator. */
    static Optional<RecurrentExport> of(CellType cell, int hidden) {
        return Optional.ofNullable(switch (cell) {
            case CellType.Rnn rnn -> new RecurrentExport("RNN", hidden, List.of(rnn.activation()), List.of(0),
                    rnn.bias() == CellType.Bias.BOTH, List.of(), List.of("h"), Map.of());
            case CellType.Gru gru -> new RecurrentExport("GRU", hidden,
                    List.of(gru.variant().gates(), gru.variant().candidate()), List.of(1, 0, 2),
                    gru.bias() == CellType.Bias.BOTH, List.of(), List.of("h"),
                    Map.of("linear_before_reset", gru.reset() == Reset.AFTER ? 1 : 0));
            case CellType.Lstm lstm -> lstm(lstm, hidden);
            case CellType.IndRnn ignored -> null;
            case CellType.MinGru ignored -> null;
            case CellType.LayerNormLstm ignored -> null;
            case CellType.LayerNormGru ignored -> null;
        });
    }

    private static @Nullable RecurrentExport lstm(CellType.Lstm lstm, int hidden) {
        if (lstm.projection().isPresent() || lstm.variant().cellClip() != Float.POSITIVE_INFINITY) {
            return null;
        }
        boolean coupled = lstm.variant().forget() == Forget.COUPLED;
        return new RecurrentExport("LSTM", hidden,
                List.of(lstm.variant().gates(), lstm.variant().candidate(), lstm.variant().output()),
                coupled ? List.of(0, 2, NO_GATE, 1) : List.of(0, 3, 1, 2), lstm.bias() == CellType.Bias.BOTH,
                lstm.peepholes() == CellType.Peepholes.ALL ? List.of("weight_ci", "weight_co", "weight_cf")
                        : List.of(),
                List.of("h", "c"), Map.of("input_forget", coupled ? 1 : 0));
    }

    Map<String, OnnxAttribute> attributes(int ways) {
        Map<String, OnnxAttribute> attributes = new LinkedHashMap<>();
        attributes.put("hidden_size", new OnnxAttribute.Int(hidden));
        List<String> names = new ArrayList<>();
        List<Float> alphas = new ArrayList<>();
        List<Float> betas = new ArrayList<>();
        for (Activation f : Collections.nCopies(ways, functions).stream().flatMap(List::stream).toList()) {
            names.add(name(f.kind()));
            int parameters = f.kind() == Activation.Kind.IDENTITY ? 2 : f.kind().parameters();
            if (parameters > 0) {
                alphas.add(f.kind() == Activation.Kind.IDENTITY ? 1 : f.alpha());
            }
            if (parameters > 1) {
                betas.add(f.beta());
            }
        }
        attributes.put("activations", new OnnxAttribute.Texts(names));
        if (!alphas.isEmpty()) {
            attributes.put("activation_alpha", new OnnxAttribute.Reals(alphas));
        }
        if (!betas.isEmpty()) {
            attributes.put("activation_beta", new OnnxAttribute.Reals(betas));
        }
        float clip = functions.getFirst().clip();
        if (clip != Float.POSITIVE_INFINITY) {
            attributes.put("clip", new OnnxAttribute.Real(clip));
        }
        flags.forEach((name, value) -> attributes.put(name, new OnnxAttribute.Int(value)));
        return attributes;
    }

    private static String name(Activation.Kind kind) {
        return switch (kind) {
            case TANH -> "Tanh";
            case RELU -> "Relu";
            case IDENTITY, AFFINE -> "Affine";
            case SIGMOID -> "Sigmoid";
            case SOFTSIGN -> "Softsign";
            case SOFTPLUS -> "Softplus";
            case LEAKY_RELU -> "LeakyRelu";
            case THRESHOLDED_RELU -> "ThresholdedRelu";
            case SCALED_TANH -> "ScaledTanh";
            case HARD_SIGMOID -> "HardSigmoid";
            case ELU -> "Elu";
        };
    }

    /**
     * Returns W, R, B and, with peepholes, P, in the order of ONNX's inputs; an empty B without biases.
     *
     * @param weights of the layer, by role and suffix
     * @param suffixes one for each direction
     */
    SequencedMap<String, Optional<NamedArray>> weights(Map<String, NamedArray> weights, List<String> suffixes) {
        List<NamedArray> w = new ArrayList<>();
        List<NamedArray> r = new ArrayList<>();
        List<NamedArray> b = new ArrayList<>();
        List<NamedArray> p = new ArrayList<>();
        for (String suffix : suffixes) {
            w.add(ordered(weights, "weight_ih" + suffix));
            r.add(ordered(weights, "weight_hh" + suffix));
            if (biases) {
                b.add(ordered(weights, "bias_ih" + suffix));
                b.add(ordered(weights, "bias_hh" + suffix));
            }
            for (String role : peepholes) { // a coupled cell has none for its forget gate, and ONNX does not look at it
                p.add(weights.getOrDefault(role + suffix,
                        new NamedArray(role, List.of(hidden), new float[hidden])));
            }
        }
        SequencedMap<String, Optional<NamedArray>> all = new LinkedHashMap<>();
        int ways = suffixes.size();
        int inputs = w.getFirst().shape().getLast();
        all.put("W", Optional.of(joined(w, List.of(ways, gates.size() * hidden, inputs))));
        all.put("R", Optional.of(joined(r, List.of(ways, gates.size() * hidden, hidden))));
        all.put("B", biases ? Optional.of(joined(b, List.of(ways, 2 * gates.size() * hidden))) : Optional.empty());
        if (!peepholes.isEmpty()) {
            all.put("P", Optional.of(joined(p, List.of(ways, 3 * hidden))));
        }
        return all;
    }

    /** Returns the gates of a tensor in the order of ONNX. */
    private NamedArray ordered(Map<String, NamedArray> weights, String role) {
        NamedArray array = Optional.ofNullable(weights.get(role))
                .orElseThrow(() -> new IllegalStateException("no weights " + role));
        int block = array.data().length / array.shape().getFirst() * hidden;
        float[] data = new float[gates.size() * block];
        for (int i = 0; i < gates.size(); i++) {
            if (gates.get(i) != NO_GATE) {
                System.arraycopy(array.data(), gates.get(i) * block, data, i * block, block);
            }
        }
        List<Integer> shape = new ArrayList<>(array.shape());
        shape.set(0, gates.size() * hidden);
        return new NamedArray(role, shape, data);
    }

    private static NamedArray joined(List<NamedArray> parts, List<Integer> shape) {
        float[] data = new float[shape.stream().reduce(1, Math::multiplyExact)];
        int at = 0;
        for (NamedArray part : parts) {
            System.arraycopy(part.data(), 0, data, at, part.data().length);
            at += part.data().length;
        }
        return new NamedArray("joined", shape, data);
    }
}
