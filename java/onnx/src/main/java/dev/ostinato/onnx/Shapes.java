package dev.ostinato.onnx;

import java.util.Arrays;

/** Arithmetic of axes, shapes and strides. */
final class Shapes {
    private Shapes() {
    }

    /** Returns an axis counted from the first. @throws IllegalArgumentException if it is not in -rank..rank-1 */
    static int axis(long axis, int rank) {
        if (axis < -rank || axis >= rank) {
            throw new IllegalArgumentException("expected an axis in " + -rank + ".." + (rank - 1) + ", got " + axis);
        }
        return (int) (axis < 0 ? axis + rank : axis);
    }

    /** Returns which axes are among these. @throws IllegalArgumentException if one is out of range or named twice */
    static boolean[] chosen(long[] axes, int rank) {
        boolean[] chosen = new boolean[rank];
        for (long axis : axes) {
            int at = axis(axis, rank);
            if (chosen[at]) {
                throw new IllegalArgumentException("expected each axis once, got " + Arrays.toString(axes));
            }
            chosen[at] = true;
        }
        return chosen;
    }

    /** Returns how far elements are apart in each axis, in row-major order. */
    static int[] strides(int[] shape) {
        int[] strides = new int[shape.length];
        int stride = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= shape[axis];
        }
        return strides;
    }

    /** Returns the product of some dimensions. */
    static int product(int[] shape, int from, int to) {
        return Value.size(Arrays.copyOfRange(shape, from, to));
    }

    /** Returns of each element of a shape, in row-major order, where it is: {@code offset} plus its index times the stride of each axis. */
    static int[] places(int[] shape, int[] strides, int offset) {
        int[] places = new int[Value.size(shape)];
        if (places.length == 0) {
            return places;
        }
        places[0] = offset;
        int done = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) { // what is there, once more for each further index
            int block = done;
            for (int i = 1; i < shape[axis]; i++) {
                int shift = i * strides[axis];
                for (int k = 0; k < block; k++) {
                    places[done++] = places[k] + shift;
                }
            }
        }
        return places;
    }
}
