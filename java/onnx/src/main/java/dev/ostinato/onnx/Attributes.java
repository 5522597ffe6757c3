package dev.ostinato.onnx;

import dev.ostinato.formats.FormatException;
import dev.ostinato.formats.Tensor;
import dev.ostinato.formats.onnx.OnnxAttribute;
import dev.ostinato.formats.onnx.OnnxGraph;
import dev.ostinato.formats.onnx.OnnxNode;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The attributes of a node while its operator is made: each one is asked for, and one that nobody asks for is refused. */
final class Attributes {
    private final OnnxNode node;
    private final long opset;
    private final Set<String> asked = new HashSet<>();

    /** @param opset the version of ONNX's own operators */
    Attributes(OnnxNode node, long opset) {
        this.node = node;
        this.opset = opset;
    }

    OnnxNode node() {
        return node;
    }

    long opset() {
        return opset;
    }

    OptionalLong integer(String name) {
        return value(name, OnnxAttribute.Int.class, "an integer").map(v -> OptionalLong.of(v.value()))
                .orElse(OptionalLong.empty());
    }

    int integer(String name, int usual) {
        long value = integer(name).orElse(usual);
        if (value != (int) value) {
            throw problem(name, "an integer of 32 bits", value);
        }
        return (int) value;
    }

    boolean flag(String name, boolean usual) {
        return integer(name, usual ? 1 : 0) != 0;
    }

    OptionalDouble real(String name) {
        return value(name, OnnxAttribute.Real.class, "a float").map(v -> OptionalDouble.of(v.value()))
                .orElse(OptionalDouble.empty());
    }

    float real(String name, float usual) {
        return (float) real(name).orElse(usual);
    }

    String text(String name, String usual) {
        return value(name, OnnxAttribute.Text.class, "a text").map(OnnxAttribute.Text::value).orElse(usual);
    }

    long @Nullable [] integers(String name) {
        return value(name, OnnxAttribute.Ints.class, "integers")
                .map(v -> v.values().stream().mapToLong(Long::longValue).toArray()).orElse(null);
    }

    List<Float> reals(String name) {
        return value(name, OnnxAttribute.Reals.class, "floats").map(OnnxAttribute.Reals::values).orElse(List.of());
    }

    Optional<List<String>> texts(String name) {
        return value(name, OnnxAttribute.Texts.class, "texts").map(OnnxAttribute.Texts::values);
    }

    Optional<Tensor> tensor(String name) {
        return value(name, OnnxAttribute.TensorValue.class, "a tensor").map(OnnxAttribute.TensorValue::value);
    }

    OnnxGraph graph(String name) {
        return value(name, OnnxAttribute.Graph.class, "a graph").map(OnnxAttribute.Graph::value)
                .orElseThrow(() -> problem(name, "a graph", "none"));
    }

    /** Passes over an attribute that makes no difference to what is computed. */
    void ignore(String... names) {
        asked.addAll(Arrays.asList(names));
    }

    /** @throws IllegalArgumentException if there is an attribute that nobody has asked for */
    void end() {
        for (String name : node.attributes().keySet()) {
            if (!asked.contains(name)) {
                throw new IllegalArgumentException("expected attributes " + asked.stream().sorted().toList() + ", got "
                        + FormatException.quote(name) + ", which is not supported");
            }
        }
    }

    IllegalArgumentException problem(String name, String expected, Object got) {
        return new IllegalArgumentException("attribute " + name + ": expected " + expected + ", got "
                + (got instanceof String text ? FormatException.quote(text) : got));
    }

    private <T extends OnnxAttribute> Optional<T> value(String name, Class<T> kind, String expected) {
        asked.add(name);
        OnnxAttribute value = node.attributes().get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!kind.isInstance(value)) {
            throw problem(name, expected, value.getClass().getSimpleName());
        }
        return Optional.of(kind.cast(value));
    }
}
