package dev.ostinato.formats.onnx;

import dev.ostinato.formats.Tensor;
import dev.ostinato.formats.onnx.OnnxValueInfo.Dimension;
import java.util.Map;
import java.util.TreeMap;

/// Makes messages of records; the other side of [OnnxParser]. Maps are written in the order of their keys, so that the same
/// records give the same bytes.
final class OnnxWriter {
    private OnnxWriter() {}

    static ProtoWriter model(OnnxFile file) {
        ProtoWriter out = new ProtoWriter().varint(1, file.irVersion()).text(2, file.producer());
        new TreeMap<>(file.opsets())
                .forEach((domain, version) -> out.message(8, new ProtoWriter().text(1, domain).varint(2, version)));
        file.metadata().forEach((key, value) -> out.message(14, new ProtoWriter().text(1, key).text(2, value)));
        return out.message(7, graph(file.graph()));
    }

    private static ProtoWriter graph(OnnxGraph graph) {
        ProtoWriter out = new ProtoWriter().text(2, graph.name());
        graph.nodes().forEach(node -> out.message(1, node(node)));
        graph.initializers().forEach(tensor -> out.message(5, tensor(tensor)));
        graph.inputs().forEach(input -> out.message(11, valueInfo(input)));
        graph.outputs().forEach(output -> out.message(12, valueInfo(output)));
        return out;
    }

    private static ProtoWriter node(OnnxNode node) {
        ProtoWriter out = new ProtoWriter();
        node.inputs().forEach(input -> out.text(1, input));
        node.outputs().forEach(output -> out.text(2, output));
        out.text(3, node.name()).text(4, node.operator());
        for (Map.Entry<String, OnnxAttribute> entry : new TreeMap<>(node.attributes()).entrySet()) {
            out.message(5, attribute(entry.getKey(), entry.getValue()));
        }
        return node.domain().isEmpty() ? out : out.text(7, node.domain());
    }

    private static ProtoWriter attribute(String name, OnnxAttribute attribute) {
        ProtoWriter out = new ProtoWriter().text(1, name);
        return switch (attribute) {
            case OnnxAttribute.Real(float value) -> out.real(2, value).varint(20, 1);
            case OnnxAttribute.Int(long value) -> out.varint(3, value).varint(20, 2);
            case OnnxAttribute.Text(String value) -> out.text(4, value).varint(20, 3);
            case OnnxAttribute.TensorValue(Tensor value) -> out.message(5, tensor(value)).varint(20, 4);
            case OnnxAttribute.Graph(OnnxGraph value) -> out.message(6, graph(value)).varint(20, 5);
            case OnnxAttribute.Reals reals -> {
                reals.values().forEach(value -> out.real(7, value));
                yield out.varint(20, 6);
            }
            case OnnxAttribute.Ints ints -> {
                ints.values().forEach(value -> out.varint(8, value));
                yield out.varint(20, 7);
            }
            case OnnxAttribute.Texts texts -> {
                texts.values().forEach(value -> out.text(9, value));
                yield out.varint(20, 8);
            }
            case OnnxAttribute.Other(int type) ->
                    throw new IllegalArgumentException(
                            "attribute " + name + ": expected a kind that is read, got " + type);
        };
    }

    private static ProtoWriter tensor(Tensor tensor) {
        ProtoWriter out = new ProtoWriter();
        for (long dimension : tensor.shape()) {
            out.varint(1, dimension);
        }
        return out.varint(2, OnnxTypes.number(tensor.dtype())).text(8, tensor.name()).bytes(9, tensor.data());
    }

    private static ProtoWriter valueInfo(OnnxValueInfo info) {
        ProtoWriter tensor = new ProtoWriter();
        info.type().ifPresent(type -> tensor.varint(1, OnnxTypes.number(type)));
        info.shape().ifPresent(dimensions -> {
            ProtoWriter shape = new ProtoWriter();
            for (Dimension dimension : dimensions) {
                ProtoWriter one = new ProtoWriter();
                shape.message(1, dimension.size().isPresent() ? one.varint(1, dimension.size().getAsLong())
                        : dimension.name().isEmpty() ? one : one.text(2, dimension.name()));
            }
            tensor.message(2, shape);
        });
        return new ProtoWriter().text(1, info.name()).message(2, new ProtoWriter().message(1, tensor));
    }
}
