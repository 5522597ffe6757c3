package dev.ostinato.formats;

import java.lang.foreign.MemorySegment;

/// Elements that are not in the order of their indices.
final class Strided {
    private Strided() {}

    /// Returns the strides in elements of an array in C order: the last index runs fastest.
    static long[] inOrder(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int d = shape.length - 1; d >= 0; d--) {
            strides[d] = stride;
            stride *= shape[d];
        }
        return strides;
    }

    /// Tells whether elements with these strides lie one behind the other in C order. Strides of dimensions of 1 do not matter.
    static boolean isInOrder(long[] shape, long[] strides) {
        long[] expected = inOrder(shape);
        for (int d = 0; d < shape.length; d++) {
            if (shape[d] > 1 && strides[d] != expected[d]) {
                return false;
            }
        }
        return true;
    }

    /// Copies elements into C order.
    ///
    /// @param source with the first element at its beginning
    /// @param strides in elements
    /// @param width of an element in bytes
    /// @param target as many elements as the product of the shape
    static void copy(MemorySegment source, long[] shape, long[] strides, int width, MemorySegment target) {
        long[] index = new long[shape.length];
        long from = 0;
        for (long to = 0; to < target.byteSize(); to += width) {
            MemorySegment.copy(source, from, target, to, width);
            // One further in C order: the last index first, with a carry.
            for (int d = shape.length - 1; d >= 0; d--) {
                from += strides[d] * width;
                if (++index[d] < shape[d]) {
                    break;
                }
                from -= strides[d] * width * shape[d];
                index[d] = 0;
            }
        }
    }
}
