package dev.ostinato.tests;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.Tensor;
import dev.ostinato.formats.onnx.OnnxAttribute;
import dev.ostinato.formats.onnx.OnnxFile;
import dev.ostinato.formats.onnx.OnnxGraph;
import dev.ostinato.formats.onnx.OnnxNode;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import dev.ostinato.onnx.OnnxArray;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Builds a graph, node by node, together with inputs for it. */
final class OnnxGraphs {
    private final List<OnnxNode> nodes = new ArrayList<>();
    private final List<Tensor> constants = new ArrayList<>();
    private final Map<String, OnnxArray> inputs = new LinkedHashMap<>();
    private final List<OnnxValueInfo> outputs = new ArrayList<>();

    /** Adds an input, and what it is given. */
    OnnxGraphs input(String name, OnnxArray array) {
        inputs.put(name, array);
        return this;
    }

    OnnxGraphs constant(String name, OnnxArray array) {
        constants.add(tensor(name, array));
        return this;
    }

    /** @param attributes by turns a name and a value */
    OnnxGraphs node(String operator, List<String> inputNames, List<String> outputNames, Object... attributes) {
        nodes.add(new OnnxNode("", operator, "", inputNames, outputNames, attributes(attributes)));
        return this;
    }

    OnnxGraphs output(String name, DType type) {
        outputs.add(new OnnxValueInfo(name, Optional.of(type), Optional.empty()));
        return this;
    }

    Map<String, OnnxArray> inputs() {
        return inputs;
    }

    /** @param fixed whether the shapes of inputs are in the file */
    OnnxFile file(int opset, boolean fixed) {
        List<OnnxValueInfo> infos = new ArrayList<>();
        inputs.forEach((name, array) -> infos.add(new OnnxValueInfo(name, Optional.of(array.type()),
                Optional.of(Arrays.stream(array.shape()).mapToObj(size -> fixed
                        ? OnnxValueInfo.Dimension.of(size)
                        : OnnxValueInfo.Dimension.named("")).toList()))));
        return new OnnxFile(8, "test", Map.of("", (long) opset), Map.of(), graph(infos));
    }

    /** Returns a graph that sees the names around it. */
    OnnxGraph branch() {
        return graph(List.of());
    }

    private OnnxGraph graph(List<OnnxValueInfo> infos) {
        return new OnnxGraph("graph", nodes, constants, infos, outputs);
    }

    static Map<String, OnnxAttribute> attributes(Object... pairs) {
        Map<String, OnnxAttribute> attributes = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            attributes.put((String) pairs[i], attribute(pairs[i + 1]));
        }
        return attributes;
    }

    private static OnnxAttribute attribute(Object value) {
        return switch (value) {
            case Integer v -> new OnnxAttribute.Int(v);
            case Long v -> new OnnxAttribute.Int(v);
            case Float v -> new OnnxAttribute.Real(v);
            case String v -> new OnnxAttribute.Text(v);
            case OnnxArray v -> new OnnxAttribute.TensorValue(tensor("", v));
            case OnnxGraph v -> new OnnxAttribute.Graph(v);
            case long[] v -> new OnnxAttribute.Ints(Arrays.stream(v).boxed().toList());
            case List<?> v when !v.isEmpty() && v.getFirst() instanceof Float ->
                    new OnnxAttribute.Reals(v.stream().map(Float.class::cast).toList());
            case List<?> v when !v.isEmpty() && v.getFirst() instanceof String ->
                    new OnnxAttribute.Texts(v.stream().map(String.class::cast).toList());
            case List<?> v -> new OnnxAttribute.Ints(v.stream().map(n -> ((Number) n).longValue()).toList());
            default -> throw new IllegalArgumentException("no such attribute: " + value);
        };
    }

    static Tensor tensor(String name, OnnxArray array) {
        long[] shape = Arrays.stream(array.shape()).asLongStream().toArray();
        ByteBuffer bytes = ByteBuffer.allocate(array.toDoubles().length * array.type().bytes())
                .order(ByteOrder.LITTLE_ENDIAN);
        switch (array.type()) {
            case F32 -> {
                for (float v : array.toFloats()) {
                    bytes.putFloat(v);
                }
            }
            case F64 -> {
                for (double v : array.toDoubles()) {
                    bytes.putDouble(v);
                }
            }
            default -> {
                for (long v : array.toLongs()) {
                    for (int k = 0; k < array.type().bytes(); k++) {
                        bytes.put((byte) (v >> (8 * k)));
                    }
                }
            }
        }
        return Tensor.of(name, array.type(), shape, MemorySegment.ofArray(bytes.array()));
    }
}
