package dev.ostinato.nn;

import java.util.Arrays;
import java.util.List;

/**
 * What is known of a tensor of a model before there are weights.
 *
 * @param name as in {@link NamedArray}
 * @param dimensions one or two, as PyTorch has them
 */
public record TensorShape(String name, List<Long> dimensions) {
    public TensorShape {
        dimensions = List.copyOf(dimensions);
    }

    static TensorShape of(String name, long... dimensions) {
        return new TensorShape(name, Arrays.stream(dimensions).boxed().toList());
    }
}
