package dev.ostinato.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How elements of several operands meet: as rows of one length, in each of which an operand has a first element and a step from one to the next.
 *
 * @param shape of the result
 * @param columns the length of a row; rows follow one another in the result
 * @param starts of each operand the first element of each row
 * @param steps of each operand; 0 repeats one element
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record Broadcast(int[] shape, int columns, int[][] starts, int[] steps) {
    /** @throws IllegalArgumentException if shapes do not fit */
    static Broadcast of(Value... operands) {
        int rank = Arrays.stream(operands).mapToInt(Value::rank).max().orElse(0);
        int[] shape = new int[rank];
        Arrays.fill(shape, 1);
        for (Value operand : operands) {
            for (int axis = 0; axis < operand.rank(); axis++) {
                int at = rank - operand.rank() + axis;
                int size = operand.dimension(axis);
                if (size != 1 && shape[at] != 1 && shape[at] != size) {
                    throw new IllegalArgumentException("expected shapes that can be broadcast, got "
                            + Arrays.stream(operands).map(Value::description).toList());
                }
                shape[at] = shape[at] == 1 ? size : shape[at];
            }
        }
        int[][] strides = new int[operands.length][];
        for (int i = 0; i < operands.length; i++) {
            strides[i] = strides(operands[i], rank);
        }
        return rows(shape, strides);
    }

    private static int[] strides(Value operand, int rank) {
        int[] own = Shapes.strides(operand.shape());
        int[] strides = new int[rank];
        for (int axis = 0; axis < operand.rank(); axis++) {
            strides[rank - operand.rank() + axis] = operand.dimension(axis) == 1 ? 0 : own[axis];
        }
        return strides;
    }

    /** Joins as many of the last axes as are one row in all operands. */
    private static Broadcast rows(int[] shape, int[][] strides) {
        int columns = 1;
        int[] steps = new int[strides.length];
        int axis = shape.length - 1;
        for (; axis >= 0; axis--) {
            if (shape[axis] == 1) {
                continue;
            }
            boolean joins = true;
            for (int i = 0; i < strides.length; i++) {
                joins &= columns == 1 || strides[i][axis] == steps[i] * columns;
            }
            if (!joins) {
                break;
            }
            for (int i = 0; i < strides.length && columns == 1; i++) {
                steps[i] = strides[i][axis];
            }
            columns *= shape[axis];
        }
        int[] outer = Arrays.copyOf(shape, axis + 1);
        List<int[]> starts = new ArrayList<>();
        for (int[] stride : strides) {
            starts.add(Shapes.places(outer, Arrays.copyOf(stride, axis + 1), 0));
        }
        return new Broadcast(shape, columns, starts.toArray(int[][]::new), steps);
    }

    int rows() {
        return starts[0].length;
    }
}
