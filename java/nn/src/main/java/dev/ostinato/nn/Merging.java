package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Several directions and what they are merged to, or the gradients of all these.
 *
 * @param parts of each direction, (R, size)
 * @param places where each of them is in the whole
 */
record Merging(Layer.Merge merge, List<Matrix> parts, List<Matrix> places) {
    /** @param whole (R, size), or side by side (R, sizes) */
    static Merging of(Layer.Merge merge, List<Matrix> parts, Matrix whole) {
        return new Merging(merge, parts, IntStream.range(0, parts.size()).mapToObj(i -> {
            int size = parts.get(i).columns();
            return merge == Layer.Merge.CONCAT ? whole.columns(i * size, (i + 1) * size) : whole;
        }).toList());
    }

    /** Overwrites the whole. */
    void forward(Kernels k) {
        for (int i = 0; i < parts.size(); i++) { // no iterator: a step allocates nothing
            if (i == 0 || merge == Layer.Merge.CONCAT) {
                places.get(i).copyFrom(parts.get(i));
            } else {
                k.axpy(1, parts.get(i), places.get(i));
            }
        }
        if (merge == Layer.Merge.MEAN) {
            k.scale(places.getFirst(), 0.5f);
        }
    }

    /** Adds the gradient of the whole to those of the parts. */
    void backward(Kernels k) {
        for (int i = 0; i < parts.size(); i++) {
            k.axpy(merge == Layer.Merge.MEAN ? 0.5f : 1, places.get(i), parts.get(i));
        }
    }
}
