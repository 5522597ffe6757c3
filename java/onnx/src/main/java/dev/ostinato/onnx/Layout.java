package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** Where an {@link Operator} says what it needs: memory for outputs, and code that fills it. One for each node of a plan. */
final class Layout {
    /** Says that a plan depends on what is in some inputs of the graph, so that it must be made for those. */
    static final class NeedsInputs extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final transient Set<String> inputs;

        NeedsInputs(Set<String> inputs) {
            super("the plan depends on the values of " + inputs, null, false, false);
            this.inputs = inputs;
        }

        Set<String> inputs() {
            return inputs;
        }
    }

    private final Set<String> sources = new HashSet<>();
    private final Budget budget;
    private final List<Value> computed = new ArrayList<>();
    private final List<Supplier<Runnable>> code = new ArrayList<>();

    Layout(Inputs inputs, Budget budget) {
        this.budget = budget;
        inputs.given().forEach(input -> sources.addAll(input.sources()));
    }

    /** Returns a value to be computed: an output, or one on the way to it. @throws IllegalArgumentException if there is no memory for it */
    Value output(DType type, int... shape) {
        Value value = Value.computed(type, shape, Set.copyOf(sources));
        budget.take(value.size());
        computed.add(value);
        return value;
    }

    /** Counts elements of memory that code allocates for itself. */
    void scratch(long elements) {
        budget.take(elements);
    }

    /**
     * Adds code that overwrites outputs.
     *
     * @param binder is called once, when inputs and outputs have their arrays; what it returns is called for each run and allocates nothing
     */
    void code(Supplier<Runnable> binder) {
        code.add(binder);
    }

    /** Returns the values that the code fills: outputs, and what is computed on the way to them. */
    List<Value> computed() {
        return computed;
    }

    List<Supplier<Runnable>> code() {
        return code;
    }

    /** Returns a value whose elements the shapes, or the nodes, of a plan depend on. @throws NeedsInputs if they are not known */
    static Value known(Value value) {
        if (!value.constant()) {
            throw new NeedsInputs(value.sources());
        }
        return value;
    }
}
