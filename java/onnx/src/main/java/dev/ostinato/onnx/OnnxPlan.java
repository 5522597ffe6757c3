package dev.ostinato.onnx;

import dev.ostinato.formats.FormatException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A graph laid out for inputs of certain shapes, with memory for everything: setting inputs, running and getting outputs allocates nothing. Used by
 * one thread at a time.
 */
public final class OnnxPlan {
    private final Map<String, Value> inputs = new LinkedHashMap<>();
    /** Inputs that the plan depends on, which are constants in it. */
    private final Map<String, OnnxArray> fixed = new LinkedHashMap<>();
    private final Map<String, Value> outputs = new LinkedHashMap<>();
    private final List<Planner.Step> steps;
    private final List<CarriedState> states = new ArrayList<>();

    private record CarriedState(Value before, Value after) {}

    /** @throws Layout.NeedsInputs if more inputs must be fixed */
    OnnxPlan(OnnxModel model, Map<String, OnnxArray> given, Set<String> fixedNames) {
        Budget budget = Budget.ofHeap();
        given.forEach((name, array) -> {
            if (fixedNames.contains(name)) {
                fixed.put(name, array);
                inputs.put(name, array.value());
            } else {
                Value value = Value.computed(array.type(), array.shape(), Set.of(name));
                budget.take(value.size());
                value.storage().setArray(new ArrayPool().take(value.storage()));
                inputs.put(name, value);
            }
        });
        Planner planner = new Planner(budget);
        List<Value> values = planner.plan(model.graph(), inputs);
        this.steps = planner.bind(values);
        for (int i = 0; i < values.size(); i++) {
            outputs.put(model.graph().outputs().get(i), values.get(i));
        }
        model.states().forEach((input, output) -> {
            Value before = input(input);
            Value after = output(output);
            if (!fixed.containsKey(input) && before.type() == after.type()
                    && Arrays.equals(before.shape(), after.shape())) {
                states.add(new CarriedState(before, after));
            }
        });
    }

    boolean takes(Map<String, OnnxArray> given) {
        return given.entrySet().stream().allMatch(entry -> {
            OnnxArray array = fixed.get(entry.getKey());
            return array != null ? array.sameElements(entry.getValue())
                    : Arrays.equals(input(entry.getKey()).shape(), entry.getValue().value().shape());
        });
    }

    void setAll(Map<String, OnnxArray> given) {
        given.forEach((name, array) -> {
            if (!fixed.containsKey(name)) {
                copy(array.value(), input(name));
            }
        });
    }

    /**
     * Sets an input.
     *
     * @throws IllegalArgumentException if there is no such input of this type and size, or the plan was made for what is in it
     */
    public void set(String name, float[] elements) {
        copy(elements, elements.length, settable(name, float[].class, elements.length));
    }

    /** As {@link #set(String, float[])}, of doubles. */
    public void set(String name, double[] elements) {
        copy(elements, elements.length, settable(name, double[].class, elements.length));
    }

    /** As {@link #set(String, float[])}, of integers and booleans. */
    public void set(String name, long[] elements) {
        copy(elements, elements.length, settable(name, long[].class, elements.length));
    }

    /** Copies an output to an input: what is remembered from one run to the next. @throws IllegalArgumentException if they are not of one type and shape */
    public void carry(String output, String input) {
        Value from = output(output);
        Value to = input(input);
        if (fixed.containsKey(input) || from.type() != to.type() || !Arrays.equals(from.shape(), to.shape())) {
            throw new IllegalArgumentException("input " + FormatException.quote(input) + ": expected what output "
                    + FormatException.quote(output) + " is, " + from.description() + ", got " + to.description()
                    + (fixed.containsKey(input) ? ", which the plan was made for" : ""));
        }
        copy(from, to);
    }

    /** Copies all states that {@link OnnxModel#states} names from outputs to inputs: the next run goes on where this one ended. */
    public void carryStates() {
        for (int i = 0; i < states.size(); i++) { // no iterator: nothing is allocated
            copy(states.get(i).after(), states.get(i).before());
        }
    }

    /** Computes the outputs. */
    public void run() {
        for (int i = 0; i < steps.size(); i++) { // no iterator: nothing is allocated
            steps.get(i).code().run();
        }
    }

    /** Returns a copy of an output. @throws IllegalArgumentException if there is none of this name, here and below */
    public OnnxArray get(String name) {
        Value from = output(name);
        Value copy = Value.computed(from.type(), from.shape(), Set.of());
        copy.storage().setArray(new ArrayPool().take(copy.storage()));
        copy(from, copy);
        return new OnnxArray(copy.asConstant());
    }

    /** Copies an output to an array of as many elements. */
    public void get(String name, float[] to) {
        System.arraycopy(gettable(name, float[].class, to.length), 0, to, 0, to.length);
    }

    /** Copies an output to an array of as many elements. */
    public void get(String name, double[] to) {
        System.arraycopy(gettable(name, double[].class, to.length), 0, to, 0, to.length);
    }

    /** Copies an output to an array of as many elements. */
    public void get(String name, long[] to) {
        System.arraycopy(gettable(name, long[].class, to.length), 0, to, 0, to.length);
    }

    /** Returns the names of the outputs. */
    public Set<String> outputs() {
        return Collections.unmodifiableSet(outputs.keySet());
    }

    /** Returns what is computed, in order: a label for each step. */
    public List<String> steps() {
        return steps.stream().map(Planner.Step::label).toList();
    }

    private Value input(String name) {
        Value value = inputs.get(name);
        if (value == null) {
            throw new IllegalArgumentException("input: expected one of " + inputs.keySet() + ", got "
                    + FormatException.quote(name));
        }
        return value;
    }

    private Value output(String name) {
        Value value = outputs.get(name);
        if (value == null) {
            throw new IllegalArgumentException("output: expected one of " + outputs.keySet() + ", got "
                    + FormatException.quote(name));
        }
        return value;
    }

    private Object settable(String name, Class<?> kind, int length) {
        Value value = input(name);
        if (fixed.containsKey(name)) {
            throw new IllegalArgumentException("input " + FormatException.quote(name)
                    + ": expected one that may change, got one that the plan was made for");
        }
        return checked("input", name, value, kind, length);
    }

    private Object gettable(String name, Class<?> kind, int length) {
        return checked("output", name, output(name), kind, length);
    }

    private static Object checked(String what, String name, Value value, Class<?> kind, int length) {
        if (value.storage().kind != kind || value.size() != length) {
            throw new IllegalArgumentException(what + " " + FormatException.quote(name) + ": expected "
                    + value.storage().kind.getSimpleName() + " of " + value.size() + " elements, got "
                    + kind.getSimpleName() + " of " + length);
        }
        return value.storage().array();
    }

    private static void copy(Value from, Value to) {
        copy(from.storage().array(), from.size(), to.storage().array());
    }

    private static void copy(Object from, int size, Object to) {
        System.arraycopy(from, 0, to, 0, size);
    }
}
