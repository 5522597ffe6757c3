package dev.ostinato.onnx;

import dev.ostinato.formats.onnx.OnnxNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lays a graph out for inputs of certain shapes. What follows from constants and shapes alone is computed at once, an If whose condition is
 * known becomes the nodes of one branch, and the rest is a straight line of code on memory that it has for good.
 */
final class Planner {
    /** A node that is left to be computed, and its code when it is bound. */
    private record Planned(String label, List<Value> inputs, List<Value> outputs, List<Supplier<Runnable>> code) {}

    /** Names and values of a graph, and of those around it. */
    private record Scope(@Nullable Scope around, Map<String, Value> values) {
        Value get(String name) {
            Value value = values.get(name);
            return value != null ? value : Objects.requireNonNull(around, name).get(name);
        }
    }

    /** The code of a plan, in order. */
    record Step(String label, Runnable code) {}

    private final Budget budget;
    private final List<Planned> planned = new ArrayList<>();

    Planner(Budget budget) {
        this.budget = budget;
    }

    /** Returns the graph without what follows from its constants. @throws IllegalArgumentException if types or shapes do not fit */
    static CompiledGraph fold(CompiledGraph graph, Budget budget) {
        Map<String, Value> constants = new HashMap<>(graph.constants());
        List<CompiledGraph.Part> left = new ArrayList<>();
        for (CompiledGraph.Part part : graph.nodes()) {
            if (part instanceof CompiledGraph.Computation && constants.keySet().containsAll(part.needs())) {
                new Planner(budget).plan(part, new Scope(null, constants));
            } else {
                left.add(part);
            }
        }
        return new CompiledGraph(left, constants, graph.outputs());
    }

    /**
     * Plans a graph.
     *
     * @param inputs by name
     * @return its outputs
     * @throws IllegalArgumentException if types or shapes do not fit
     * @throws Layout.NeedsInputs if the plan depends on elements of inputs
     */
    List<Value> plan(CompiledGraph graph, Map<String, Value> inputs) {
        return plan(graph, new Scope(null, inputs));
    }

    private List<Value> plan(CompiledGraph graph, Scope around) {
        Scope scope = new Scope(around, new HashMap<>(graph.constants()));
        for (CompiledGraph.Part part : graph.nodes()) {
            plan(part, scope);
        }
        return graph.outputs().stream().map(scope::get).toList();
    }

    private void plan(CompiledGraph.Part part, Scope scope) {
        List<Value> outputs = switch (part) {
            case CompiledGraph.Choice choice -> chosen(choice, scope);
            case CompiledGraph.Computation computation -> computed(computation, scope);
        };
        List<String> names = part.node().outputs();
        if (names.size() > outputs.size()) {
            throw new IllegalArgumentException(part.node().label() + ": expected at most " + outputs.size()
                    + " outputs, got " + names.size());
        }
        for (int i = 0; i < names.size(); i++) {
            scope.values().put(names.get(i), outputs.get(i));
        }
    }

    private List<Value> chosen(CompiledGraph.Choice choice, Scope scope) {
        Value condition = Layout.known(scope.get(choice.node().inputs().getFirst()));
        if (condition.size() != 1 || condition.isFloat()) {
            throw new IllegalArgumentException(choice.node().label() + ": expected a condition of one boolean, got "
                    + condition.description());
        }
        return plan(condition.longs()[0] != 0 ? choice.then() : choice.otherwise(), scope);
    }

    private List<Value> computed(CompiledGraph.Computation computation, Scope scope) {
        OnnxNode node = computation.node();
        List<@Nullable Value> values = new ArrayList<>();
        for (String name : node.inputs()) {
            values.add(name.isEmpty() ? null : scope.get(name));
        }
        Inputs inputs = new Inputs(values);
        List<Value> given = inputs.given();
        try {
            Layout layout = new Layout(inputs, budget);
            List<Value> outputs = computation.operator().plan(layout, inputs);
            if (layout.code().isEmpty()) {
                return outputs;
            }
            if (given.stream().allMatch(Value::constant)) {
                layout.computed().forEach(value -> allocate(value.storage()));
                layout.code().forEach(binder -> binder.get().run());
                return outputs.stream().map(Value::asConstant).toList();
            }
            planned.add(new Planned(node.label(), given, layout.computed(), layout.code()));
            return outputs;
        } catch (IllegalArgumentException | ArithmeticException | IndexOutOfBoundsException e) {
            throw new IllegalArgumentException(
                    node.label() + ": " + e.getMessage() + "; inputs "
                            + given.stream().map(Value::description).toList(),
                    e);
        }
    }

    private static void allocate(Value.Storage storage) {
        if (!storage.hasArray()) {
            storage.setArray(new ArrayPool().take(storage));
        }
    }

    /** Gives every value its memory and returns the code. Call once, behind {@link #plan}. */
    List<Step> bind(List<Value> outputs) {
        List<Planned> kept = needed(outputs);
        assign(kept, outputs);
        List<Step> steps = new ArrayList<>();
        for (Planned one : kept) {
            one.code().forEach(binder -> steps.add(new Step(one.label(), binder.get())));
        }
        return steps;
    }

    /** Leaves out what was only there for a shape. */
    private List<Planned> needed(List<Value> outputs) {
        Set<Value.Storage> needed = new HashSet<>();
        outputs.forEach(output -> needed.add(output.storage()));
        List<Planned> kept = new ArrayList<>();
        for (Planned one : planned.reversed()) {
            if (one.outputs().stream().anyMatch(output -> needed.contains(output.storage()))) {
                one.inputs().forEach(input -> needed.add(input.storage()));
                kept.add(one);
            }
        }
        return kept.reversed();
    }

    /** Values that do not live at once share arrays. */
    private static void assign(List<Planned> kept, List<Value> outputs) {
        Map<Value.Storage, Integer> lastUse = new HashMap<>();
        for (int i = 0; i < kept.size(); i++) {
            for (Value value : kept.get(i).inputs()) {
                lastUse.put(value.storage(), i);
            }
            for (Value value : kept.get(i).outputs()) {
                lastUse.put(value.storage(), i);
            }
        }
        outputs.forEach(output -> lastUse.put(output.storage(), Integer.MAX_VALUE));
        ArrayPool pool = new ArrayPool();
        Set<Value.Storage> ours = new HashSet<>();
        for (int i = 0; i < kept.size(); i++) {
            for (Value value : kept.get(i).outputs()) {
                if (!value.storage().hasArray()) {
                    value.storage().setArray(pool.take(value.storage()));
                    ours.add(value.storage());
                }
            }
            Set<Value.Storage> used = new HashSet<>();
            kept.get(i).inputs().forEach(value -> used.add(value.storage()));
            kept.get(i).outputs().forEach(value -> used.add(value.storage()));
            for (Value.Storage storage : used) {
                if (lastUse.getOrDefault(storage, i) == i && ours.contains(storage)) {
                    pool.give(storage);
                }
            }
        }
    }
}
