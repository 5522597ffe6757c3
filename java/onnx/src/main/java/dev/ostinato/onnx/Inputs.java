package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The inputs of a node by their places, of which some may be left out. */
final class Inputs {
    private final List<@Nullable Value> values;

    /** @param values null for one that is left out */
    Inputs(List<@Nullable Value> values) {
        this.values = Collections.unmodifiableList(new ArrayList<>(values));
    }

    /** Returns the number of places. */
    int size() {
        return values.size();
    }

    /** Returns those that are there. */
    List<Value> given() {
        return values.stream().filter(Objects::nonNull).toList();
    }

    /** Returns an input that must be there. @throws IllegalArgumentException if it is not */
    Value required(int place) {
        return optional(place).orElseThrow(
                () -> new IllegalArgumentException("expected an input at place " + (place + 1) + ", got none"));
    }

    Optional<Value> optional(int place) {
        return place < values.size() ? Optional.ofNullable(values.get(place)) : Optional.empty();
    }

    /**
     * Returns what newer opsets have as an input and older ones as an attribute.
     *
     * @param attribute what the attribute says; null for none
     */
    long @Nullable [] integers(int place, long @Nullable [] attribute) {
        Optional<Value> input = optional(place);
        return input.isPresent() ? integers(input.get()) : attribute;
    }

    /** Returns integers that shapes depend on. @throws Layout.NeedsInputs if they are not known */
    static long[] integers(Value value) {
        if (value.isFloat()) {
            throw new IllegalArgumentException("expected integers, got " + value.description());
        }
        return Arrays.copyOf(Layout.known(value).longs(), value.size());
    }

    /** Returns a value that must be of floats or doubles. */
    static Value floats(Value value) {
        if (value.type() != DType.F32 && value.type() != DType.F64) {
            throw new IllegalArgumentException("expected F32 or F64, got " + value.description());
        }
        return value;
    }
}
