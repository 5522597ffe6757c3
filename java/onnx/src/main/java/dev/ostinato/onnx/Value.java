package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.Tensor;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A value of a graph that is being planned, or of a plan: its type, its shape and where its elements are. F32 are floats, F64 doubles, and
 * integers of all widths, and booleans, longs. Reshaped values share a {@link Storage}.
 *
 * @param constant whether the elements are there already and stay as they are
 * @param sources the inputs of the graph that the elements depend on; none if constant
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares values
record Value(DType type, int[] shape, Storage storage, boolean constant, Set<String> sources) {
    /** Where elements are: an array that is made when the plan is complete, so that values which do not live at once may share it. */
    static final class Storage {
        final Class<?> kind;
        final int size;
        private @Nullable Object array;

        Storage(DType type, int size) {
            this.kind = kind(type);
            this.size = size;
        }

        /** Returns an array of at least {@link #size} elements. */
        Object array() {
            return Objects.requireNonNull(array);
        }

        boolean hasArray() {
            return array != null;
        }

        void setArray(Object newArray) {
            array = newArray;
        }
    }

    static Class<?> kind(DType type) {
        return switch (type) {
            case F32 -> float[].class;
            case F64 -> double[].class;
            case BOOL, U8, I8, U16, I16, U32, I32, I64 -> long[].class;
            case U64, F16, BF16, F8_E4M3, F8_E5M2 ->
                    throw new IllegalArgumentException("expected elements of type " + SUPPORTED + ", got " + type);
        };
    }

    static final String SUPPORTED = "F32, F64, BOOL, I8, I16, I32, I64, U8, U16 or U32";

    /** Returns a value that a node computes. */
    static Value computed(DType type, int[] shape, Set<String> sources) {
        return new Value(type, shape, new Storage(type, size(shape)), false, sources);
    }

    /** Returns a constant with this array, which nobody changes. */
    static Value constant(DType type, int[] shape, Object array) {
        Storage storage = new Storage(type, size(shape));
        storage.setArray(array);
        return new Value(type, shape, storage, true, Set.of());
    }

    static Value ofLongs(long... values) {
        return constant(DType.I64, new int[] {values.length}, values);
    }

    /** @throws IllegalArgumentException if the elements are of a type that is not computed with, or too many */
    static Value of(Tensor tensor) {
        int[] shape = Arrays.stream(tensor.shape()).mapToInt(Value::checkedDimension).toArray();
        size(shape);
        Class<?> kind = kind(tensor.dtype());
        return constant(tensor.dtype(), shape,
                kind == float[].class ? tensor.toFloats()
                        : kind == double[].class ? tensor.toDoubles() : tensor.toLongs());
    }

    /** Returns a size as an int. @throws IllegalArgumentException if it is negative or none */
    static int checkedDimension(long size) {
        if (size < 0 || size > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("expected dimensions from 0 to 2147483639, got " + size);
        }
        return (int) size;
    }

    /** Returns the number of elements. @throws IllegalArgumentException if there are too many for an array */
    static int size(int[] shape) {
        long size = 1;
        for (int dimension : shape) {
            size = dimension == 0 ? 0 : size * dimension;
            if (size > Integer.MAX_VALUE - 8) {
                throw new IllegalArgumentException(
                        "expected at most 2147483639 elements, got the shape " + Arrays.toString(shape));
            }
            if (size == 0) {
                return 0;
            }
        }
        return (int) size;
    }

    int size() {
        return storage.size;
    }

    int rank() {
        return shape.length;
    }

    int dimension(int axis) {
        return shape[axis];
    }

    boolean isFloat() {
        return type.isFloat();
    }

    float[] floats() {
        return (float[]) storage.array();
    }

    double[] doubles() {
        return (double[]) storage.array();
    }

    long[] longs() {
        return (long[]) storage.array();
    }

    /** Returns element {@code i} as a double. */
    double number(int i) {
        return storage.kind == float[].class ? floats()[i]
                : storage.kind == double[].class ? doubles()[i] : longs()[i];
    }

    /** Sets element {@code i} to a double, rounded. */
    void setNumber(int i, double value) {
        if (storage.kind == float[].class) {
            floats()[i] = (float) value;
        } else if (storage.kind == double[].class) {
            doubles()[i] = value;
        } else {
            longs()[i] = narrow(type, (long) value);
        }
    }

    /** Returns the value that an integer type keeps of a long. */
    static long narrow(DType type, long value) {
        return switch (type) {
            case BOOL -> value == 0 ? 0 : 1;
            case U8 -> value & 0xff;
            case I8 -> (byte) value;
            case U16 -> value & 0xffff;
            case I16 -> (short) value;
            case U32 -> value & 0xffffffffL;
            case I32 -> (int) value;
            default -> value;
        };
    }

    /** Returns the same elements in another shape of as many. */
    Value reshaped(int... newShape) {
        return new Value(type, newShape, storage, constant, sources);
    }

    /** Returns the same elements as a constant. */
    Value asConstant() {
        return new Value(type, shape, storage, true, Set.of());
    }

    /** As {@code F32 [2, 3]}. */
    String description() {
        return type + " " + Arrays.toString(shape);
    }
}
