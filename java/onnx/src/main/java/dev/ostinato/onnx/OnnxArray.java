package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.Tensor;
import java.util.Arrays;

/**
 * An array that goes into a graph or comes out of it: a type, a shape and a copy of the elements, row-major. F32 are held as floats, F64 as
 * doubles, integers and booleans of all widths as longs. Immutable.
 */
public final class OnnxArray {
    private final Value value;

    OnnxArray(Value value) {
        this.value = value;
    }

    /** Returns floats (F32). @throws IllegalArgumentException if the shape has another number of elements, here and below */
    public static OnnxArray of(float[] data, int... shape) {
        return new OnnxArray(checked(DType.F32, shape, data.length, data.clone()));
    }

    /** Returns doubles (F64). */
    public static OnnxArray of(double[] data, int... shape) {
        return new OnnxArray(checked(DType.F64, shape, data.length, data.clone()));
    }

    /** Returns integers of 64 bits (I64). */
    public static OnnxArray of(long[] data, int... shape) {
        return new OnnxArray(checked(DType.I64, shape, data.length, data.clone()));
    }

    /**
     * Returns integers of another type, or booleans as 0 and 1.
     *
     * @throws IllegalArgumentException also if the type is no integer type, or has no such number
     */
    public static OnnxArray of(DType type, long[] data, int... shape) {
        if (Value.kind(type) != long[].class) {
            throw new IllegalArgumentException("expected an integer type, got " + type);
        }
        for (long element : data) {
            if (Value.narrow(type, element) != element) {
                throw new IllegalArgumentException("expected elements of type " + type + ", got " + element);
            }
        }
        return new OnnxArray(checked(type, shape, data.length, data.clone()));
    }

    /** Returns the elements of a tensor of a file. @throws IllegalArgumentException if it is of a type that graphs are not computed with */
    public static OnnxArray of(Tensor tensor) {
        return new OnnxArray(Value.of(tensor));
    }

    private static Value checked(DType type, int[] shape, int length, Object array) {
        for (int dimension : shape) {
            Value.checkedDimension(dimension);
        }
        if (Value.size(shape) != length) {
            throw new IllegalArgumentException(
                    "expected a shape of " + length + " elements, got " + Arrays.toString(shape));
        }
        return Value.constant(type, shape.clone(), array);
    }

    /** Returns the type of the elements. */
    public DType type() {
        return value.type();
    }

    /** Returns a copy of the dimensions, outermost first; none for a scalar. */
    public int[] shape() {
        return value.shape().clone();
    }

    /** Returns a copy of the elements. @throws IllegalStateException if they are not of type F32 */
    public float[] toFloats() {
        if (!(value.storage().array() instanceof float[] floats)) {
            throw other("F32");
        }
        return floats.clone();
    }

    /** Returns the elements as doubles, of whatever type they are. */
    public double[] toDoubles() {
        double[] doubles = new double[value.size()];
        Arrays.setAll(doubles, value::number);
        return doubles;
    }

    /** Returns a copy of the elements. @throws IllegalStateException if they are floats */
    public long[] toLongs() {
        if (!(value.storage().array() instanceof long[] longs)) {
            throw other("an integer type");
        }
        return longs.clone();
    }

    private IllegalStateException other(String expected) {
        return new IllegalStateException("array: expected elements of " + expected + ", got " + value.type());
    }

    Value value() {
        return value;
    }

    boolean sameElements(OnnxArray other) {
        Object mine = value.storage().array();
        Object theirs = other.value.storage().array();
        return type() == other.type() && Arrays.equals(value.shape(), other.value.shape())
                && Arrays.deepEquals(new Object[] {mine}, new Object[] {theirs});
    }

    @Override
    public String toString() {
        return value.description();
    }
}
