package dev.ostinato.onnx;

import java.util.List;

/** What a node computes, its attributes being known. Immutable: shared by all plans of a model. */
@FunctionalInterface
interface Operator {
    /**
     * Says what comes out of inputs of certain types and shapes, and how it is computed.
     *
     * @return the outputs, as many as there may be; those that the node does not name are not looked at
     * @throws IllegalArgumentException if types or shapes are not what the operator takes
     */
    List<Value> plan(Layout layout, Inputs inputs);
}
