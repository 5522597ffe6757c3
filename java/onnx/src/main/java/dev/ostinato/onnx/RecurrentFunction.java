package dev.ostinato.onnx;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Activation.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** An activation of a recurrent node, as its attributes name it. */
record RecurrentFunction(Kind kind, float alpha, float beta) {
    /**
     * Reads {@code activations}, {@code activation_alpha} and {@code activation_beta}: the numbers are for those functions that have them, in their
     * order, and what is missing at the end is the usual one.
     *
     * @param usual names, if there is no such attribute
     * @throws IllegalArgumentException if there is another number of functions than usual, or an unknown one
     */
    static List<RecurrentFunction> read(Attributes attributes, List<String> usual) {
        List<String> names = attributes.texts("activations").orElse(usual);
        Deque<Float> alphas = new ArrayDeque<>(attributes.reals("activation_alpha"));
        Deque<Float> betas = new ArrayDeque<>(attributes.reals("activation_beta"));
        if (names.size() != usual.size()) {
            throw attributes.problem("activations", usual.size() + " functions", names);
        }
        List<RecurrentFunction> functions = new ArrayList<>();
        for (String name : names) {
            RecurrentFunction f = usual(attributes, name);
            functions.add(new RecurrentFunction(f.kind,
                    f.kind.parameters() > 0 && !alphas.isEmpty() ? alphas.removeFirst() : f.alpha,
                    f.kind.parameters() > 1 && !betas.isEmpty() ? betas.removeFirst() : f.beta));
        }
        return functions;
    }

    private static RecurrentFunction usual(Attributes attributes, String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "tanh" -> new RecurrentFunction(Kind.TANH, 0, 0);
            case "relu" -> new RecurrentFunction(Kind.RELU, 0, 0);
            case "sigmoid" -> new RecurrentFunction(Kind.SIGMOID, 0, 0);
            case "softsign" -> new RecurrentFunction(Kind.SOFTSIGN, 0, 0);
            case "softplus" -> new RecurrentFunction(Kind.SOFTPLUS, 0, 0);
            case "affine" -> new RecurrentFunction(Kind.AFFINE, 1, 0);
            case "leakyrelu" -> new RecurrentFunction(Kind.LEAKY_RELU, 0.01f, 0);
            case "thresholdedrelu" -> new RecurrentFunction(Kind.THRESHOLDED_RELU, 1, 0);
            case "scaledtanh" -> new RecurrentFunction(Kind.SCALED_TANH, 1, 1);
            case "hardsigmoid" -> new RecurrentFunction(Kind.HARD_SIGMOID, 0.2f, 0.5f);
            case "elu" -> new RecurrentFunction(Kind.ELU, 1, 0);
            default -> throw attributes.problem("activations", "functions of ONNX", name);
        };
    }

    /** Returns what the kernels have of it; nothing for parameters with which they do not. */
    Optional<Activation> activation(float clip) {
        try {
            return Optional.of(new Activation(kind, alpha, beta, clip));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Returns f(z) in double precision. */
    double value(double z) {
        return switch (kind) {
            case TANH -> Math.tanh(z);
            case RELU -> z <= 0 ? 0 : z;
            case IDENTITY -> z;
            case SIGMOID -> 1 / (1 + Math.exp(-z));
            case SOFTSIGN -> z / (1 + Math.abs(z));
            case SOFTPLUS -> z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z));
            case AFFINE -> alpha * z + beta;
            case LEAKY_RELU -> z < 0 ? alpha * z : z;
            case THRESHOLDED_RELU -> z <= alpha ? 0 : z;
            case SCALED_TANH -> alpha * Math.tanh(beta * z);
            case HARD_SIGMOID -> Math.clamp(alpha * z + beta, 0, 1);
            case ELU -> z < 0 ? alpha * Math.expm1(z) : z;
        };
    }
}
