package dev.ostinato.onnx;

import dev.ostinato.formats.FormatException;
import dev.ostinato.formats.onnx.OnnxValueInfo;
import dev.ostinato.formats.onnx.OnnxValueInfo.Dimension;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs an {@link OnnxModel}: plans it for the shapes that come, and keeps the plans. Used by one thread at a time; different sessions may be used
 * by different threads at once.
 */
public final class OnnxSession {
    private static final int MOST_PLANS = 16;

    private final OnnxModel model;
    /** Inputs whose elements shapes or branches depend on, as far as that has come out. */
    private final Set<String> fixed = new HashSet<>();
    /** The one that was used last is the first. */
    private final Deque<OnnxPlan> plans = new ArrayDeque<>();

    OnnxSession(OnnxModel model) {
        this.model = model;
    }

    /**
     * Runs the model.
     *
     * @param inputs all of {@link OnnxModel#inputs}, by name
     * @return all of {@link OnnxModel#outputs}, by name
     * @throws IllegalArgumentException if an input is missing, unknown, or not of the type and shape that the model says, or shapes do not fit
     *     together in a node, which the message names
     */
    public Map<String, OnnxArray> run(Map<String, OnnxArray> inputs) {
        OnnxPlan plan = prepare(inputs);
        plan.run();
        Map<String, OnnxArray> outputs = new LinkedHashMap<>();
        plan.outputs().forEach(name -> outputs.put(name, plan.get(name)));
        return outputs;
    }

    /**
     * Returns the plan for inputs like these, with these set, which is laid out now unless there is one. It belongs to this session and is the
     * same for the next inputs of these shapes.
     *
     * @throws IllegalArgumentException as {@link #run} does
     */
    public OnnxPlan prepare(Map<String, OnnxArray> inputs) {
        check(inputs);
        OnnxPlan plan = find(inputs);
        plans.remove(plan);
        plans.addFirst(plan);
        if (plans.size() > MOST_PLANS) {
            plans.removeLast();
        }
        plan.setAll(inputs);
        return plan;
    }

    private OnnxPlan find(Map<String, OnnxArray> inputs) {
        for (OnnxPlan plan : plans) {
            if (plan.takes(inputs)) {
                return plan;
            }
        }
        while (true) {
            try {
                return new OnnxPlan(model, inputs, Set.copyOf(fixed));
            } catch (Layout.NeedsInputs e) {
                fixed.addAll(e.inputs()); // more each time
            }
        }
    }

    private void check(Map<String, OnnxArray> inputs) {
        List<String> names = model.inputs().stream().map(OnnxValueInfo::name).toList();
        for (String name : inputs.keySet()) {
            if (!names.contains(name)) {
                throw new IllegalArgumentException(
                        "inputs: expected " + names + ", got " + FormatException.quote(name));
            }
        }
        for (OnnxValueInfo expected : model.inputs()) {
            OnnxArray array = inputs.get(expected.name());
            if (array == null || !fits(expected, array)) {
                throw new IllegalArgumentException("input " + FormatException.quote(expected.name()) + ": expected "
                        + expected.description() + ", got " + (array == null ? "none" : array));
            }
        }
    }

    private static boolean fits(OnnxValueInfo expected, OnnxArray array) {
        if (expected.type().orElseThrow() != array.type()) {
            return false;
        }
        if (expected.shape().isEmpty()) {
            return true;
        }
        List<Dimension> dimensions = expected.shape().get();
        int[] shape = array.shape();
        if (dimensions.size() != shape.length) {
            return false;
        }
        for (int i = 0; i < shape.length; i++) {
            if (dimensions.get(i).size().orElse(shape[i]) != shape[i]) {
                return false;
            }
        }
        return true;
    }
}
