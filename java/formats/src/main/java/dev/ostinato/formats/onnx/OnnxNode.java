package dev.ostinato.formats.onnx;

import dev.ostinato.formats.FormatException;
import java.util.List;
import java.util.Map;

/// One operation.
///
/// @param name of this node, often empty
/// @param domain of the operator, empty for ONNX's own
/// @param inputs names of values; empty for an optional input that is not there
/// @param outputs names of values; empty for one that nobody needs
public record OnnxNode(String name, String operator, String domain, List<String> inputs, List<String> outputs,
        Map<String, OnnxAttribute> attributes) {
    public OnnxNode {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        attributes = Map.copyOf(attributes);
    }

    /// Returns what a message calls it: its name, or what it computes, and its operator.
    public String label() {
        String called = !name.isEmpty() ? name : outputs.isEmpty() ? "" : "of " + outputs.getFirst();
        return "node " + FormatException.quote(called) + " ("
                + (domain.isEmpty() ? operator : domain + "." + operator) + ")";
    }
}
