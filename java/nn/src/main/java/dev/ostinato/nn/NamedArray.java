package dev.ostinato.nn;

import java.util.List;

/**
 * A tensor outside a model: its name, its shape and a copy of its elements, row-major, in PyTorch's layout.
 *
 * @param data as many elements as the product of the shape
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier between a model and a file; nobody compares it
public record NamedArray(String name, List<Integer> shape, float[] data) {
    public NamedArray {
        shape = List.copyOf(shape);
        long size = shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        if (size != data.length) {
            throw new IllegalArgumentException(
                    name + ": expected " + size + " elements for shape " + shape + ", got " + data.length);
        }
    }
}
