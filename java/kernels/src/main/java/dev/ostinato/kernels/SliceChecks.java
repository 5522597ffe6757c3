package dev.ostinato.kernels;

/** What {@link SliceKernels} examines before it writes anything. */
final class SliceChecks {
    private SliceChecks() {
    }

    /** Checks a shape; columns may be a product that no int holds. */
    static void shape(String name, Slice slice, int rows, long columns) {
        if (slice.rows() != rows || slice.columns() != columns) {
            throw new IllegalArgumentException(name + ": expected (" + rows + ", " + columns + "), got "
                    + slice.shape());
        }
    }

    /** Checks an operand that is read, of that shape. */
    static void reads(String name, Slice slice, int rows, long columns) {
        shape(name, slice, rows, columns);
        slice.check(name, false);
    }

    /** Checks an operand that is written, of that shape. */
    static void writes(String name, Slice slice, int rows, long columns) {
        shape(name, slice, rows, columns);
        slice.check(name, true);
    }

    /** Checks an elementwise operation: both of one shape, and the same place or apart. */
    static void overwrites(String inputName, Slice input, String outputName, Slice output) {
        shape(outputName, output, input.rows(), input.columns());
        input.check(inputName, false);
        output.check(outputName, true);
        sameOrApart(outputName, output, inputName, input);
    }

    /** Checks a product, whose output is apart from both operands. */
    static void product(String aName, Slice a, String bName, Slice b, String outputName, Slice output) {
        a.check(aName, false);
        b.check(bName, false);
        output.check(outputName, true);
        apart(outputName, output, aName, a);
        apart(outputName, output, bName, b);
    }

    /** Checks an output that may be an operand of the same shape, but not overlap it otherwise. */
    static void sameOrApart(String outputName, Slice output, String name, Slice slice) {
        if (!output.isAt(slice) && output.overlaps(slice)) {
            throw new IllegalArgumentException(
                    outputName + ": overlaps " + name + ", of which it is not the same part");
        }
    }

    static void apart(String outputName, Slice output, String name, Slice slice) {
        if (output.overlaps(slice)) {
            throw new IllegalArgumentException(outputName + ": overlaps " + name);
        }
    }
}
