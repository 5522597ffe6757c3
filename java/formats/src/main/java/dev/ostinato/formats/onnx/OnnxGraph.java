package dev.ostinato.formats.onnx;

import dev.ostinato.formats.Tensor;
import java.util.List;

/// Nodes in an order in which they can be computed, and the names that come in and go out.
///
/// @param initializers constants, by name; an input of the same name may replace one
/// @param inputs what the caller gives; of a subgraph none, since it sees the names around it
public record OnnxGraph(String name, List<OnnxNode> nodes, List<Tensor> initializers, List<OnnxValueInfo> inputs,
        List<OnnxValueInfo> outputs) {
    public OnnxGraph {
        nodes = List.copyOf(nodes);
        initializers = List.copyOf(initializers);
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }
}
