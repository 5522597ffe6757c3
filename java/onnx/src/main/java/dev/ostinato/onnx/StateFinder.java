package dev.ostinato.onnx;

import dev.ostinato.formats.onnx.OnnxAttribute;
import dev.ostinato.formats.onnx.OnnxGraph;
import dev.ostinato.formats.onnx.OnnxNode;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds what a graph wants to be given back at the next call: an output and an input are one state if, moved about but not computed with, the
 * input is what recurrent nodes begin with, and the output is what the same nodes end with.
 */
final class StateFinder {
    private static final Set<String> MOVES = Set.of("Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten",
            "Transpose", "Slice", "Gather", "Split", "Concat", "Expand", "Cast", "Dropout");
    /** Of each operator by the number of an output the input that is the same state before. */
    private static final Map<String, Map<Integer, Integer>> STATES =
            Map.of("RNN", Map.of(1, 5), "GRU", Map.of(1, 5), "LSTM", Map.of(1, 5, 2, 6));

    /** One state of one node. */
    private record Cell(OnnxNode node, int output) {}

    /** Where names of a graph, and of those around it, are computed; compared by identity. */
    private static final class Scope {
        private final @Nullable Scope around;
        private final Map<String, OnnxNode> nodes;

        Scope(@Nullable Scope around, Map<String, OnnxNode> nodes) {
            this.around = around;
            this.nodes = nodes;
        }

        Map<String, OnnxNode> nodes() {
            return nodes;
        }

        /** Returns the one that computes a name, or the outermost. */
        Scope defining(String name) {
            Scope scope = this;
            while (scope.around != null && !scope.nodes.containsKey(name)) {
                scope = scope.around;
            }
            return scope;
        }

        static Scope of(@Nullable Scope around, OnnxGraph graph) {
            Map<String, OnnxNode> nodes = new HashMap<>();
            graph.nodes().forEach(node -> node.outputs().forEach(name -> nodes.put(name, node)));
            return new Scope(around, nodes);
        }
    }

    private record Place(String name, Scope scope) {}

    private final Set<String> inputs = new HashSet<>();
    private final Map<String, Set<Cell>> begins = new HashMap<>();
    private final IdentityHashMap<OnnxGraph, Scope> scopes = new IdentityHashMap<>();
    /** The names that are still looked at: enough for any graph that was not made to take long. */
    private int patience = 1 << 20;

    private StateFinder(OnnxGraph graph) {
        graph.inputs().forEach(input -> inputs.add(input.name()));
    }

    /** Returns the names of states: of each input the output that takes its place at the next call. */
    static Map<String, String> find(OnnxGraph graph) {
        StateFinder finder = new StateFinder(graph);
        Scope scope = Scope.of(null, graph);
        finder.collect(graph, scope);
        Map<String, String> states = new LinkedHashMap<>();
        for (OnnxValueInfo output : graph.outputs()) {
            Set<Cell> ends = new HashSet<>();
            finder.end(output.name(), scope, ends);
            finder.begins.keySet().stream().filter(input -> finder.isState(input, ends))
                    .forEach(input -> states.put(input, output.name()));
        }
        return finder.patience > 0 ? states : Map.of();
    }

    /**
     * Returns whether an output holds the state of an input. It may end with other cells too, which begin with zeros, as in a branch that is there for when
     * no state is given; but with none that another input begins.
     */
    private boolean isState(String input, Set<Cell> ends) {
        Set<Cell> others = new HashSet<>(ends);
        others.removeAll(begins.getOrDefault(input, Set.of()));
        return ends.containsAll(begins.getOrDefault(input, Set.of()))
                && begins.values().stream().allMatch(cells -> Collections.disjoint(cells, others));
    }

    /** Goes from all recurrent nodes back to the inputs that they begin with. */
    private void collect(OnnxGraph graph, Scope scope) {
        for (OnnxNode node : graph.nodes()) {
            STATES.getOrDefault(node.operator(), Map.of()).forEach((output, input) -> {
                if (input < node.inputs().size()) {
                    begin(node.inputs().get(input), scope, new Cell(node, output));
                }
            });
            branches(node).forEach(branch -> collect(branch, scope(branch, scope)));
        }
    }

    private Scope scope(OnnxGraph branch, Scope around) {
        return scopes.computeIfAbsent(branch, key -> Scope.of(around, branch));
    }

    private static List<OnnxGraph> branches(OnnxNode node) {
        return node.attributes().values().stream().filter(OnnxAttribute.Graph.class::isInstance)
                .map(attribute -> ((OnnxAttribute.Graph) attribute).value()).toList();
    }

    private void begin(String name, Scope from, Cell cell) {
        trace(name, from, input -> begins.computeIfAbsent(input, key -> new HashSet<>()).add(cell), place -> {
        });
    }

    private void end(String name, Scope from, Set<Cell> ends) {
        trace(name, from, input -> {
        }, place -> {
            OnnxNode node = Objects.requireNonNull(place.scope().nodes().get(place.name()));
            int number = node.outputs().indexOf(place.name());
            if (STATES.getOrDefault(node.operator(), Map.of()).containsKey(number)) {
                ends.add(new Cell(node, number));
            }
        });
    }

    /** Goes back through nodes that only move elements, and through both branches. */
    private void trace(String name, Scope from, Consumer<String> atInput, Consumer<Place> atNode) {
        Set<Place> seen = new HashSet<>();
        Deque<Place> open = new ArrayDeque<>(List.of(new Place(name, from)));
        while (!open.isEmpty() && patience > 0) {
            patience--;
            Place place = open.pop();
            Scope scope = place.scope().defining(place.name());
            OnnxNode node = scope.nodes().get(place.name());
            if (node == null) {
                if (inputs.contains(place.name())) {
                    atInput.accept(place.name());
                }
            } else if (seen.add(new Place(place.name(), scope))) {
                patience -= node.inputs().size() + node.outputs().size();
                atNode.accept(new Place(place.name(), scope));
                addSources(node, place.name(), scope, open);
            }
        }
    }

    private void addSources(OnnxNode node, String name, Scope scope, Deque<Place> open) {
        if (MOVES.contains(node.operator())) {
            // Of most only the first input is moved; the others say how.
            int moved = node.operator().equals("Concat") ? node.inputs().size() : Math.min(1, node.inputs().size());
            node.inputs().subList(0, moved).forEach(input -> open.push(new Place(input, scope)));
        }
        int number = node.outputs().indexOf(name);
        for (OnnxGraph branch : branches(node)) {
            if (number < branch.outputs().size()) {
                open.push(new Place(branch.outputs().get(number).name(), scope(branch, scope)));
            }
        }
    }
}
