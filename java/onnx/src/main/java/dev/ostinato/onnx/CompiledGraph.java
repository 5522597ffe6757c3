package dev.ostinato.onnx;

import dev.ostinato.formats.FormatException;
import dev.ostinato.formats.Tensor;
import dev.ostinato.formats.onnx.OnnxAttribute;
import dev.ostinato.formats.onnx.OnnxGraph;
import dev.ostinato.formats.onnx.OnnxNode;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A graph whose nodes have their operators, without those whose results nobody needs.
 *
 * @param constants by name
 */
record CompiledGraph(List<Part> nodes, Map<String, Value> constants, List<String> outputs) {
    /** A node. */
    sealed interface Part {
        OnnxNode node();

        /** Returns the names that must be known before. */
        Set<String> needs();
    }

    /** One that computes its outputs. */
    record Computation(OnnxNode node, Operator operator) implements Part {
        @Override
        public Set<String> needs() {
            Set<String> needs = new HashSet<>(node.inputs());
            needs.remove("");
            return needs;
        }
    }

    /** An If. */
    record Choice(OnnxNode node, CompiledGraph then, CompiledGraph otherwise) implements Part {
        @Override
        public Set<String> needs() {
            Set<String> needs = new HashSet<>(node.inputs());
            needs.addAll(then.captures());
            needs.addAll(otherwise.captures());
            return needs;
        }
    }

    /** Returns the names of the graph around this one that it needs. */
    Set<String> captures() {
        Set<String> own = new HashSet<>(constants.keySet());
        nodes.forEach(part -> own.addAll(part.node().outputs()));
        Set<String> captures = new HashSet<>(outputs);
        nodes.forEach(part -> captures.addAll(part.needs()));
        captures.removeAll(own);
        return captures;
    }

    /** The names that a graph knows: its own, and those of the graphs around it. */
    record Names(@Nullable Names around, Set<String> own) {
        /** None. */
        Names() {
            this(null, new HashSet<>());
        }

        boolean contains(String name) {
            return own.contains(name) || (around != null && around.contains(name));
        }

        /** Returns whether a name was not known before. */
        boolean add(String name) {
            return !contains(name) && own.add(name);
        }
    }

    /** Makes graphs of those of one file. */
    static final class Compiler {
        private final Path file;
        private final long opset;
        /** Nodes whose output is a sequence, by its name. */
        private final Map<String, OnnxNode> sequences = new HashMap<>();

        Compiler(Path file, long opset) {
            this.file = file;
            this.opset = opset;
        }

        /**
         * @param around names that the graph sees
         * @throws FormatException if an operator, an attribute or a type is not supported, or a name is unknown or not unique
         */
        CompiledGraph compile(OnnxGraph graph, Names around) throws FormatException {
            Names known = new Names(around, new HashSet<>());
            Map<String, Value> constants = new HashMap<>();
            for (Tensor tensor : graph.initializers()) {
                constants.put(tensor.name(), constant(tensor));
                known.add(tensor.name());
            }
            for (OnnxValueInfo input : graph.inputs()) {
                if (!constants.containsKey(input.name()) && !known.add(input.name())) {
                    throw new FormatException(file, "input " + FormatException.quote(input.name())
                            + ": expected a name of its own, got one that is known");
                }
            }
            Deque<Part> parts = new ArrayDeque<>();
            for (OnnxNode node : graph.nodes()) {
                if (node.operator().equals("SplitToSequence") && node.outputs().size() == 1) {
                    sequences.put(node.outputs().getFirst(), node);
                } else {
                    parts.add(part(elementOfSequence(node), known));
                }
            }
            List<String> outputs = graph.outputs().stream().map(OnnxValueInfo::name).toList();
            for (String output : outputs) {
                if (!known.contains(output)) {
                    throw new FormatException(file, "output " + FormatException.quote(output)
                            + ": expected the name of a value, got an unknown one");
                }
            }
            return new CompiledGraph(needed(parts, outputs), constants, outputs);
        }

        private Value constant(Tensor tensor) throws FormatException {
            try {
                return Value.of(tensor);
            } catch (IllegalArgumentException e) {
                throw new FormatException(file,
                        "tensor " + FormatException.quote(tensor.name()) + ": " + e.getMessage(), e);
            }
        }

        /**
         * Sequences are there only to be taken apart again, as in the steps of an RNN that an exporter has unrolled: an element of one is what Gather takes
         * from the tensor.
         */
        private OnnxNode elementOfSequence(OnnxNode node) throws FormatException {
            OnnxNode split = node.inputs().isEmpty() ? null : sequences.get(node.inputs().getFirst());
            if (split == null) {
                return node;
            }
            boolean slices = split.inputs().size() == 1
                    && new OnnxAttribute.Int(0).equals(split.attributes().get("keepdims"));
            if (!node.operator().equals("SequenceAt") || !slices) {
                throw new FormatException(file, split.label()
                        + ": expected a sequence of slices without their axis, of which SequenceAt takes elements, got "
                        + node.label());
            }
            OnnxAttribute axis = split.attributes().getOrDefault("axis", new OnnxAttribute.Int(0));
            return new OnnxNode(node.name(), "Gather", "", List.of(split.inputs().getFirst(), node.inputs().get(1)),
                    node.outputs(), Map.of("axis", axis));
        }

        private Part part(OnnxNode node, Names known) throws FormatException {
            for (String input : node.inputs()) {
                if (!input.isEmpty() && !known.contains(input)) {
                    throw new FormatException(file, node.label() + ": expected inputs that are known before, got "
                            + FormatException.quote(input));
                }
            }
            Part part;
            Attributes attributes = new Attributes(node, opset);
            try {
                if (node.operator().equals("If") && node.domain().isEmpty()) {
                    part = new Choice(node, compile(attributes.graph("then_branch"), known),
                            compile(attributes.graph("else_branch"), known));
                } else {
                    part = new Computation(node, Operators.create(attributes));
                }
                attributes.end();
            } catch (IllegalArgumentException e) {
                throw new FormatException(file, node.label() + ": " + e.getMessage(), e);
            }
            for (String output : node.outputs()) {
                if (!output.isEmpty() && !known.add(output)) {
                    throw new FormatException(file,
                            node.label() + ": expected names of its own for what it computes, got "
                                    + FormatException.quote(output) + ", which is known");
                }
            }
            return part;
        }

        private static List<Part> needed(Deque<Part> parts, List<String> outputs) {
            Set<String> needed = new HashSet<>(outputs);
            Deque<Part> kept = new ArrayDeque<>();
            while (!parts.isEmpty()) {
                Part part = parts.removeLast();
                if (part.node().outputs().stream().anyMatch(needed::contains)) {
                    needed.addAll(part.needs());
                    kept.addFirst(part);
                }
            }
            return List.copyOf(kept);
        }
    }
}
