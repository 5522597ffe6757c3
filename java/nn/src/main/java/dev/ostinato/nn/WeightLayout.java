package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where tensors lie in a block. The weights of a model are one, and so is everything that is shaped like them: their gradients and the
 * moments of an optimiser.
 *
 * @param start index of the first float
 * @param floats how many there are, padding included
 */
record WeightLayout(List<Blueprint.Place> places, long start, long floats) {
    WeightLayout {
        places = List.copyOf(places);
    }

    /** Returns the layout of what lies in two parts of one block, one behind the other. */
    static WeightLayout of(WeightLayout first, WeightLayout second) {
        return new WeightLayout(Stream.concat(first.places.stream(), second.places.stream()).toList(), first.start,
                Math.addExact(first.floats, second.floats));
    }

    /** Returns all floats as one row, for what treats all weights alike. */
    Matrix row(Memory block) {
        return Matrix.wrap(block, start, 1, Math.toIntExact(floats), Math.toIntExact(floats));
    }

    /** Returns names and shapes of all tensors, as {@link #read} gives them. */
    List<TensorShape> shapes() {
        List<TensorShape> shapes = new ArrayList<>();
        for (Blueprint.Place place : places) {
            place.tensors().shapes().forEach(
                    shape -> shapes.add(new TensorShape(place.module() + "." + shape.name(), shape.dimensions())));
        }
        return shapes;
    }

    /** Returns every tensor of a block by its full name. */
    List<NamedArray> read(Memory block) {
        return places.stream().flatMap(place -> place.read(block).stream()).toList();
    }

    /**
     * Fills a block from tensors by their full names.
     *
     * @throws IllegalArgumentException if one is missing or has another shape; others are ignored
     */
    void write(Memory block, List<NamedArray> arrays) {
        for (Blueprint.Place place : places) {
            for (Parameter parameter : place.tensors().parameters(block)) {
                String name = place.module() + "." + parameter.name();
                NamedArray array = arrays.stream().filter(a -> a.name().equals(name)).findFirst().orElseThrow(
                        () -> new IllegalArgumentException(
                                "weights: expected a tensor " + name + " of shape " + parameter.shape()
                                        + ", got " + arrays.stream().map(NamedArray::name).toList()));
                parameter.write(block, array);
            }
        }
    }
}
