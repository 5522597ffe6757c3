package dev.ostinato.kernels;

/** Whether two strided views of floats share an element. Addresses are in bytes, all else in floats. */
final class Overlap {
    private Overlap() {
    }

    /** Returns whether they do. Of views with different strides it may say so although they do not. */
    static boolean of(long address, int rows, int columns, long stride, long otherAddress, int otherRows,
            int otherColumns, long otherStride) {
        boolean empty = rows == 0 || columns == 0 || otherRows == 0 || otherColumns == 0;
        if (empty || address >= end(otherAddress, otherRows, otherColumns, otherStride)
                || otherAddress >= end(address, rows, columns, stride)) {
            return false;
        }
        return stride != otherStride || columnsMeet(otherAddress - address, stride * Float.BYTES,
                columns * (long) Float.BYTES, otherColumns * (long) Float.BYTES);
    }

    private static long end(long address, int rows, int columns, long stride) {
        return address + ((rows - 1) * stride + columns) * Float.BYTES;
    }

    /** Views of the same rows: the first has bytes [0, width) of each, the other those from {@code distance} on, round the end. */
    private static boolean columnsMeet(long distance, long stride, long width, long otherWidth) {
        long start = Math.floorMod(distance, stride);
        return start < width || start + otherWidth > stride;
    }
}
