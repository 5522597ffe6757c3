package dev.ostinato.nn;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Activation.Kind;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.LstmVariant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Cells as text, such as {@code lstm(peepholes,clip=3,candidate=leaky-relu(0.01))}: see {@link CellType#label}. */
final class CellNotation {
    private static final String PEEPHOLES = "peepholes";
    private static final String COUPLED = "coupled";
    private static final String PROJECTION = "projection";
    private static final String CLIP = "clip";
    private static final String CELL_CLIP = "cell-clip";
    private static final String GATES = "gates";
    private static final String CANDIDATE = "candidate";
    private static final String OUTPUT = "output";
    private static final String NO_BIAS = "no-bias";
    private static final String ALPHA = "alpha";
    private static final String BETA = "beta";
    private static final float NONE = Float.POSITIVE_INFINITY;

    private final String label;
    /** What has been read of is removed; a flag has an empty value. */
    private final Map<String, String> options = new LinkedHashMap<>();

    private CellNotation(String label, String inside) {
        this.label = label;
        for (String option : split(inside)) {
            String[] pair = option.split("=", 2);
            if (options.put(pair[0], pair.length > 1 ? pair[1] : "") != null) {
                throw refusal("each option once");
            }
        }
    }

    // Writing

    static String label(CellType.Rnn cell) {
        Activation f = cell.activation();
        List<String> options = new ArrayList<>();
        add(options, ALPHA, f.alpha(), f.kind().parameters() > 0 ? Float.NaN : f.alpha());
        add(options, BETA, f.beta(), f.kind().parameters() > 1 ? Float.NaN : f.beta());
        add(options, CLIP, f.clip(), NONE);
        addBias(options, cell.bias());
        return write("rnn-" + name(f), options);
    }

    static String label(CellType.Lstm cell) {
        LstmVariant v = cell.variant();
        List<String> options = new ArrayList<>();
        if (cell.peepholes() == CellType.Peepholes.ALL) {
            options.add(PEEPHOLES);
        }
        if (v.forget() == LstmVariant.Forget.COUPLED) {
            options.add(COUPLED);
        }
        cell.projection().ifPresent(size -> options.add(PROJECTION + "=" + size));
        add(options, CLIP, v.gates().clip(), NONE);
        add(options, CELL_CLIP, v.cellClip(), NONE);
        add(options, GATES, v.gates(), Activation.SIGMOID);
        add(options, CANDIDATE, v.candidate(), Activation.TANH);
        add(options, OUTPUT, v.output(), Activation.TANH);
        addBias(options, cell.bias());
        return write("lstm", options);
    }

    static String label(CellType.Gru cell) {
        List<String> options = new ArrayList<>();
        add(options, CLIP, cell.variant().gates().clip(), NONE);
        add(options, GATES, cell.variant().gates(), Activation.SIGMOID);
        add(options, CANDIDATE, cell.variant().candidate(), Activation.TANH);
        addBias(options, cell.bias());
        return write(cell.reset() == CellType.Gru.Reset.AFTER ? "gru" : "gru-reset-before", options);
    }

    private static String write(String name, List<String> options) {
        return options.isEmpty() ? name : name + "(" + String.join(",", options) + ")";
    }

    private static void add(List<String> options, String name, float value, float usual) {
        if (value != usual) {
            options.add(name + "=" + text(value));
        }
    }

    private static void add(List<String> options, String name, Activation f, Activation usual) {
        if (!f.withClip(NONE).equals(usual)) {
            List<String> parameters = List.of(text(f.alpha()), text(f.beta())).subList(0, f.kind().parameters());
            options.add(name + "=" + write(name(f), parameters));
        }
    }

    private static void addBias(List<String> options, CellType.Bias bias) {
        if (bias == CellType.Bias.NONE) {
            options.add(NO_BIAS);
        }
    }

    private static String name(Activation f) {
        return name(f.kind());
    }

    private static String name(Kind kind) {
        return kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String text(float value) {
        String text = Float.toString(value);
        return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }

    // Reading

    /** Returns the type of a label, or nothing if there is no such cell. @throws IllegalArgumentException if its options are wrong */
    static Optional<CellType> of(String label) {
        int open = label.indexOf('(');
        String name = open < 0 ? label : label.substring(0, open);
        if (open >= 0 && !label.endsWith(")")) {
            return Optional.empty();
        }
        CellNotation notation = new CellNotation(label, open < 0 ? "" : label.substring(open + 1, label.length() - 1));
        return switch (name) {
            case "lstm" -> Optional.of(notation.lstm());
            case "gru" -> Optional.of(notation.gru(CellType.Gru.Reset.AFTER));
            case "gru-reset-before" -> Optional.of(notation.gru(CellType.Gru.Reset.BEFORE));
            default -> name.startsWith("rnn-") ? notation.rnn(name.substring("rnn-".length())) : Optional.empty();
        };
    }

    private Optional<CellType> rnn(String function) {
        Optional<Kind> kind = kind(function);
        if (kind.isEmpty()) {
            return Optional.empty();
        }
        Activation f = Activation.of(kind.get(), number(ALPHA, 0), number(BETA, 0)).withClip(number(CLIP, NONE));
        return Optional.of(end(new CellType.Rnn(f, bias())));
    }

    private CellType lstm() {
        CellType.Peepholes peepholes = flag(PEEPHOLES) ? CellType.Peepholes.ALL : CellType.Peepholes.NONE;
        LstmVariant.Forget forget = flag(COUPLED) ? LstmVariant.Forget.COUPLED : LstmVariant.Forget.GATE;
        float clip = number(CLIP, NONE);
        LstmVariant variant = new LstmVariant(activation(GATES, Activation.SIGMOID).withClip(clip),
                activation(CANDIDATE, Activation.TANH).withClip(clip), activation(OUTPUT, Activation.TANH),
                number(CELL_CLIP, NONE), forget);
        return end(new CellType.Lstm(variant, peepholes, size(PROJECTION), bias()));
    }

    private CellType gru(CellType.Gru.Reset reset) {
        float clip = number(CLIP, NONE);
        GruVariant variant = new GruVariant(activation(GATES, Activation.SIGMOID).withClip(clip),
                activation(CANDIDATE, Activation.TANH).withClip(clip));
        return end(new CellType.Gru(reset, variant, bias()));
    }

    private <T extends CellType> T end(T cell) {
        if (!options.isEmpty()) {
            throw refusal("no " + String.join(", ", options.keySet()));
        }
        return cell;
    }

    private boolean flag(String name) {
        String value = options.remove(name);
        if (value != null && !value.isEmpty()) {
            throw refusal(name + " without a value");
        }
        return value != null;
    }

    private CellType.Bias bias() {
        return flag(NO_BIAS) ? CellType.Bias.NONE : CellType.Bias.BOTH;
    }

    private OptionalInt size(String name) {
        String value = options.remove(name);
        try {
            return value == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(value));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("cell: expected a whole number, got " + value + " in " + label, e);
        }
    }

    private float number(String name, float usual) {
        String value = options.remove(name);
        return value == null ? usual : number(value);
    }

    private float number(String text) {
        try {
            return Float.parseFloat(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("cell: expected a number, got " + text + " in " + label, e);
        }
    }

    private Activation activation(String name, Activation usual) {
        String value = options.remove(name);
        if (value == null) {
            return usual;
        }
        int open = value.indexOf('(');
        String function = open < 0 ? value : value.substring(0, open);
        List<String> parameters =
                open < 0 || !value.endsWith(")") ? List.of() : split(value.substring(open + 1, value.length() - 1));
        Kind kind = kind(function).orElseThrow(() -> refusal("one of the functions "
                + String.join(", ", Arrays.stream(Kind.values()).map(CellNotation::name).toList())));
        if (parameters.size() != kind.parameters()) {
            throw refusal(kind.parameters() + " numbers behind " + function);
        }
        return Activation.of(kind, parameters.isEmpty() ? 0 : number(parameters.getFirst()),
                parameters.size() < 2 ? 0 : number(parameters.getLast()));
    }

    private static Optional<Kind> kind(String function) {
        return Arrays.stream(Kind.values()).filter(kind -> name(kind).equals(function)).findFirst();
    }

    private IllegalArgumentException refusal(String expected) {
        return new IllegalArgumentException("cell: expected " + expected + ", got " + label);
    }

    /** Cuts at commas outside parentheses. */
    private static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        int depth = 0;
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (c == ',' && depth == 0) {
                parts.add(text.substring(from, i));
                from = i + 1;
            }
        }
        if (!text.isEmpty()) {
            parts.add(text.substring(from));
        }
        return parts;
    }
}
