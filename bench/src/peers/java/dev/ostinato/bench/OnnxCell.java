package dev.ostinato.bench;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.NamedArray;
import java.util.List;

/**
 * T steps of a recurrent layer as an ONNX model: X (T, B, H), initial_h and, of an LSTM, initial_c (1, B, H) in; Y_h, Y_c and, of more than
 * one step, Y (T, 1, B, H) out. Field numbers are those of {@code onnx.proto}.
 */
final class OnnxCell {
    private static final int IR_VERSION = 8;
    private static final int OPSET = 14;
    private static final int FLOAT = 1; // TensorProto.DataType
    private static final int INT = 2; // AttributeProto.AttributeType

    private final CellType cell;
    private final int hidden;
    private final int steps;
    private final int rows;
    private final List<NamedArray> weights;

    /** @param weights {@code weight_ih}, {@code weight_hh}, {@code bias_ih}, {@code bias_hh} in PyTorch's layout */
    OnnxCell(CellType cell, int hidden, int steps, int rows, List<NamedArray> weights) {
        this.cell = cell;
        this.hidden = hidden;
        this.steps = steps;
        this.rows = rows;
        this.weights = weights;
    }

    /** Returns whether there is a cell state besides h. */
    static boolean hasCellState(CellType cell) {
        return cell.equals(CellType.LSTM);
    }

    /** Returns the serialised ModelProto. */
    byte[] model() {
        return new Protobuf().put(1, IR_VERSION).put(7, graph()).put(8, new Protobuf().put(1, "").put(2, OPSET)).bytes();
    }

    private Protobuf graph() {
        int gates = gateOrder().length;
        Protobuf graph = new Protobuf().put(1, node()).put(2, "step")
                .put(5, initializer("W", reordered(weights.get(0), hidden), 1, gates * hidden, hidden))
                .put(5, initializer("R", reordered(weights.get(1), hidden), 1, gates * hidden, hidden))
                .put(5, initializer("B", biases(), 1, 2 * gates * hidden))
                .put(11, value("X", steps, rows, hidden)).put(11, value("initial_h", 1, rows, hidden));
        if (hasCellState(cell)) {
            graph.put(11, value("initial_c", 1, rows, hidden));
        }
        graph.put(12, value("Y_h", 1, rows, hidden));
        if (hasCellState(cell)) {
            graph.put(12, value("Y_c", 1, rows, hidden));
        }
        return steps == 1 ? graph : graph.put(12, value("Y", steps, 1, rows, hidden));
    }

    private Protobuf node() {
        Protobuf node = new Protobuf();
        // The empty name leaves an optional one out: sequence_lens, and of a single step Y, all of h over time.
        for (String input : List.of("X", "W", "R", "B", "", "initial_h")) {
            node.put(1, input);
        }
        if (hasCellState(cell)) {
            node.put(1, "initial_c");
        }
        node.put(2, steps == 1 ? "" : "Y").put(2, "Y_h");
        if (hasCellState(cell)) {
            node.put(2, "Y_c");
        }
        node.put(3, "cell").put(4, operator()).put(5, attribute("hidden_size", hidden));
        return cell.equals(CellType.GRU) ? node.put(5, attribute("linear_before_reset", 1)) : node;
    }

    private String operator() {
        return switch (cell) {
            case CellType.Lstm lstm when lstm.equals(CellType.LSTM) -> "LSTM";
            case CellType.Gru gru when gru.equals(CellType.GRU) -> "GRU";
            case CellType.Rnn rnn when rnn.equals(CellType.RNN_TANH) -> "RNN";
            default -> throw new IllegalArgumentException("cell: expected lstm, gru or rnn-tanh, got " + cell.label());
        };
    }

    /** Returns where ONNX's gates stand among PyTorch's: i o f c among i f g o, and z r h among r z n. */
    private int[] gateOrder() {
        return switch (cell) {
            case CellType.Lstm ignored -> new int[] {0, 3, 1, 2};
            case CellType.Gru ignored -> new int[] {1, 0, 2};
            default -> new int[] {0};
        };
    }

    private float[] biases() {
        float[] input = reordered(weights.get(2), 1);
        float[] recurrent = reordered(weights.get(3), 1);
        float[] both = new float[input.length + recurrent.length];
        System.arraycopy(input, 0, both, 0, input.length);
        System.arraycopy(recurrent, 0, both, input.length, recurrent.length);
        return both;
    }

    private float[] reordered(NamedArray tensor, int columns) {
        int[] order = gateOrder();
        float[] data = new float[tensor.data().length];
        int size = hidden * columns;
        for (int gate = 0; gate < order.length; gate++) {
            System.arraycopy(tensor.data(), order[gate] * size, data, gate * size, size);
        }
        return data;
    }

    private static Protobuf initializer(String name, float[] data, int... shape) {
        Protobuf tensor = new Protobuf();
        for (int size : shape) {
            tensor.put(1, size);
        }
        return tensor.put(2, FLOAT).put(8, name).putRaw(9, data);
    }

    private static Protobuf attribute(String name, int value) {
        return new Protobuf().put(1, name).put(3, value).put(20, INT);
    }

    /** A ValueInfoProto of a tensor of floats. */
    private static Protobuf value(String name, int... sizes) {
        Protobuf shape = new Protobuf();
        for (int size : sizes) {
            shape.put(1, new Protobuf().put(1, size));
        }
        return new Protobuf().put(1, name).put(2, new Protobuf().put(1, new Protobuf().put(1, FLOAT).put(2, shape)));
    }
}
