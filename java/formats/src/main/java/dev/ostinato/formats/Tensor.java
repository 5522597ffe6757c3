package dev.ostinato.formats;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/// A named array in a file: a view whose bytes stay where they are until they are asked for. Safe for all threads.
public final class Tensor {
    private final String name;
    private final DType dtype;
    private final long[] shape;
    private final MemorySegment data;

    Tensor(String name, DType dtype, long[] shape, MemorySegment data) {
        assert data.byteSize() == dtype.byteSize(shape);
        this.name = name;
        this.dtype = dtype;
        this.shape = shape.clone();
        this.data = data.asReadOnly();
    }

    /// Returns a tensor of type F32 with a copy of floats, to the bit.
    ///
    /// @throws IllegalArgumentException if the shape has a negative dimension or another number of elements, here and below
    public static Tensor of(String name, long[] shape, float[] data) {
        return new Tensor(name, DType.F32, shape, copy(name, DType.F32, shape, MemorySegment.ofArray(data)));
    }

    /// Returns a tensor of type I32 with a copy of ints.
    public static Tensor of(String name, long[] shape, int[] data) {
        return new Tensor(name, DType.I32, shape, copy(name, DType.I32, shape, MemorySegment.ofArray(data)));
    }

    /// Returns a tensor of type I64 with a copy of longs.
    public static Tensor of(String name, long[] shape, long[] data) {
        return new Tensor(name, DType.I64, shape, copy(name, DType.I64, shape, MemorySegment.ofArray(data)));
    }

    /// Returns a view of little-endian elements, which nobody changes.
    public static Tensor of(String name, DType dtype, long[] shape, MemorySegment data) {
        checkSize(name, dtype, shape, data.byteSize());
        return new Tensor(name, dtype, shape, data);
    }

    private static MemorySegment copy(String name, DType dtype, long[] shape, MemorySegment data) {
        checkSize(name, dtype, shape, data.byteSize());
        MemorySegment copy = Arena.ofAuto().allocate(data.byteSize(), dtype.bytes());
        if (dtype.bytes() == Long.BYTES) {
            MemorySegment.copy(data, ValueLayout.JAVA_LONG, 0, copy, LittleEndian.I64, 0, data.byteSize() / Long.BYTES);
        } else {
            MemorySegment.copy(data, ValueLayout.JAVA_INT, 0, copy, LittleEndian.I32, 0,
                    data.byteSize() / Integer.BYTES);
        }
        return copy;
    }

    private static void checkSize(String name, DType dtype, long[] shape, long bytes) {
        try {
            if (Arrays.stream(shape).allMatch(dimension -> dimension >= 0) && dtype.byteSize(shape) == bytes) {
                return;
            }
        } catch (ArithmeticException e) {
            // Said below.
        }
        throw new IllegalArgumentException("tensor " + FormatException.quote(name) + ": expected a shape of "
                + bytes / dtype.bytes() + " elements, got " + Arrays.toString(shape));
    }

    public String name() {
        return name;
    }

    public DType dtype() {
        return dtype;
    }

    /// Returns a copy of the dimensions, outermost first; none for a scalar.
    public long[] shape() {
        return shape.clone();
    }

    /// Returns the number of elements, 1 for a scalar.
    public long size() {
        return data.byteSize() / dtype.bytes();
    }

    /// Returns the elements in row-major order: read-only, little-endian, and not necessarily aligned.
    public MemorySegment data() {
        return data;
    }

    /// Returns the elements as f32, as [#copyTo] converts them.
    ///
    /// @throws IllegalStateException if they are too many for an array
    public float[] toFloats() {
        if (size() > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException("tensor " + FormatException.quote(name) + ": expected at most "
                    + (Integer.MAX_VALUE - 8) + " elements for an array, got " + size());
        }
        float[] floats = new float[(int) size()];
        copyTo(MemorySegment.ofArray(floats));
        return floats;
    }

    /// Returns the elements as ints, exactly.
    ///
    /// @throws IllegalStateException if they are floats, too many for an array, or one of them is outside the range of an int
    public int[] toInts() {
        if (dtype.isFloat() || size() > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException("tensor " + FormatException.quote(name) + ": expected at most "
                    + (Integer.MAX_VALUE - 8) + " integers, got " + size() + " of type " + dtype);
        }
        int[] ints = new int[(int) size()];
        for (int i = 0; i < ints.length; i++) {
            long value = dtype.toLong(data, i);
            ints[i] = (int) value;
            if (ints[i] != value || (dtype == DType.U64 && value < 0)) {
                throw new IllegalStateException("tensor " + FormatException.quote(name)
                        + ": expected integers of 32 bits, got "
                        + (dtype == DType.U64 ? Long.toUnsignedString(value) : value) + " at element " + i);
            }
        }
        return ints;
    }

    /// Returns the elements as longs, exactly; those of U64 from 2^63 on as the negative long of the same bits.
    ///
    /// @throws IllegalStateException if they are floats, or too many for an array
    public long[] toLongs() {
        if (dtype.isFloat() || size() > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException("tensor " + FormatException.quote(name) + ": expected at most "
                    + (Integer.MAX_VALUE - 8) + " integers, got " + size() + " of type " + dtype);
        }
        long[] longs = new long[(int) size()];
        Arrays.setAll(longs, i -> dtype.toLong(data, i));
        return longs;
    }

    /// Returns the elements as f64; exact but for integers beyond 2^53.
    ///
    /// @throws IllegalStateException if they are too many for an array
    public double[] toDoubles() {
        if (dtype != DType.F64) {
            return dtype.isFloat() ? widened(toFloats()) : Arrays.stream(toLongs()).asDoubleStream().toArray();
        }
        if (size() > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException("tensor " + FormatException.quote(name) + ": expected at most "
                    + (Integer.MAX_VALUE - 8) + " elements for an array, got " + size());
        }
        double[] doubles = new double[(int) size()];
        Arrays.setAll(doubles, i -> data.get(LittleEndian.F64, (long) i * Double.BYTES));
        return doubles;
    }

    private static double[] widened(float[] floats) {
        double[] doubles = new double[floats.length];
        Arrays.setAll(doubles, i -> floats[i]);
        return doubles;
    }

    /// Overwrites `target` with the elements as f32 in the machine's byte order. F32, F16, BF16, F8 and integers up to
    /// 2^24 are exact; F64 and greater integers round to nearest, ties to even. BOOL gives 1 for any byte but 0.
    ///
    /// @param target `(size(), f32)`, of any alignment; must not overlap the tensor
    /// @throws IllegalArgumentException if it has another size
    public void copyTo(MemorySegment target) {
        if (target.byteSize() != size() * Float.BYTES) {
            throw new IllegalArgumentException("tensor " + FormatException.quote(name) + ": expected a target of "
                    + size() * Float.BYTES + " bytes, got " + target.byteSize());
        }
        if (dtype == DType.F32 && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) {
            MemorySegment.copy(data, 0, target, 0, data.byteSize());
            return;
        }
        for (long i = 0; i < size(); i++) {
            target.set(ValueLayout.JAVA_FLOAT_UNALIGNED, i * Float.BYTES, dtype.toFloat(data, i));
        }
    }
}
