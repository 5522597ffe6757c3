package dev.ostinato.onnx;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.LstmVariant.Forget;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.CellType.Gru.Reset;
import dev.ostinato.nn.Layer.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What the attributes of an RNN, LSTM or GRU say.
 *
 * @param ways one for each direction
 * @param batchFirst whether arrays begin with the batch: layout 1
 */
record RecurrentNode(Kind kind, List<Way> ways, float clip, boolean inputForget, boolean linearBeforeReset,
        boolean batchFirst, OptionalLong hiddenSize) {
    /** The operator. */
    enum Kind {
        RNN(1), LSTM(4), GRU(3);

        final int gates;

        Kind(int gates) {
            this.gates = gates;
        }
    }

    /** A direction and its functions f, g, h, as many as the operator has. */
    record Way(Direction direction, List<RecurrentFunction> functions) {}

    static RecurrentNode read(Kind kind, Attributes attributes) {
        String direction = attributes.text("direction", "forward");
        List<Direction> directions = switch (direction) {
            case "forward" -> List.of(Direction.FORWARD);
            case "reverse" -> List.of(Direction.REVERSE);
            case "bidirectional" -> List.of(Direction.FORWARD, Direction.REVERSE);
            default -> throw attributes.problem("direction", "forward, reverse or bidirectional", direction);
        };
        List<String> usual = switch (kind) {
            case RNN -> List.of("Tanh");
            case LSTM -> List.of("Sigmoid", "Tanh", "Tanh");
            case GRU -> List.of("Sigmoid", "Tanh");
        };
        List<RecurrentFunction> functions = RecurrentFunction.read(attributes,
                Stream.generate(() -> usual).limit(directions.size()).flatMap(List::stream).toList());
        List<Way> ways = new ArrayList<>();
        for (int i = 0; i < directions.size(); i++) {
            ways.add(new Way(directions.get(i), functions.subList(i * usual.size(), (i + 1) * usual.size())));
        }
        float clip = attributes.real("clip", Float.POSITIVE_INFINITY);
        if (!(clip > 0)) {
            throw attributes.problem("clip", "a number > 0", clip);
        }
        int layout = attributes.integer("layout", 0);
        if (layout != 0 && layout != 1) {
            throw attributes.problem("layout", "0 or 1", layout);
        }
        return new RecurrentNode(kind, ways, clip, kind == Kind.LSTM && attributes.flag("input_forget", false),
                kind == Kind.GRU && attributes.flag("linear_before_reset", false), layout == 1,
                attributes.integer("hidden_size"));
    }

    /** Returns of each gate in the order of PyTorch its place in ONNX's weights; a coupled forget gate has none. */
    int[] places() {
        return switch (kind) {
            case RNN -> new int[] {0};
            case LSTM -> inputForget ? new int[] {0, 3, 1} : new int[] {0, 2, 3, 1};
            case GRU -> new int[] {1, 0, 2};
        };
    }

    /** Returns the cell that computes one way; nothing if the kernels do not have its functions. */
    Optional<CellType> cell(Way way, CellType.Bias bias, CellType.Peepholes peepholes) {
        List<Activation> f = way.functions().stream()
                .flatMap(function -> function.activation(Float.POSITIVE_INFINITY).stream()).toList();
        if (f.size() < way.functions().size()) {
            return Optional.empty();
        }
        return Optional.of(switch (kind) {
            case RNN -> new CellType.Rnn(f.getFirst()).withClip(clip).withBias(bias);
            case LSTM -> CellType.LSTM.withActivations(f.get(0), f.get(1), f.get(2)).withClip(clip)
                    .withForget(inputForget ? Forget.COUPLED : Forget.GATE).withPeepholes(peepholes).withBias(bias);
            case GRU -> new CellType.Gru(linearBeforeReset ? Reset.AFTER : Reset.BEFORE)
                    .withActivations(f.get(0), f.get(1)).withClip(clip).withBias(bias);
        });
    }
}
