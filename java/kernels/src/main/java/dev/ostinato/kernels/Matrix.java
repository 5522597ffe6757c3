package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Raw;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * A view of {@link Memory} as {@code rows} x {@code columns} floats, row by row, {@code stride} floats from one row to the next.
 *
 * <p>Matrices that {@link #of} makes are <em>padded</em>: the stride is a multiple of {@link #BLOCK}, the columns up to it are
 * zero and kernels keep them so. Kernels that work in whole blocks of units ask for padded matrices and say so.
 *
 * <p>A view is immutable and shares its contents with every other view of the same memory.
 */
public final class Matrix {
    /** Floats in a block, the unit that columns are padded to: one cache line. */
    public static final int BLOCK = 16;

    private static final int CONFLICTING = 256;

    private final Memory memory;
    private final long address;
    private final int rows;
    private final int columns;
    private final int stride;

    private Matrix(Memory memory, long address, int rows, int columns, int stride) {
        this.memory = memory;
        this.address = address;
        this.rows = rows;
        this.columns = columns;
        this.stride = stride;
    }

    /** Returns {@code size} rounded up to a multiple of {@link #BLOCK}. */
    public static int padded(int size) {
        return Math.multiplyExact(Math.ceilDiv(size, BLOCK), BLOCK);
    }

    /** Allocates a padded matrix of zeros. @throws IllegalArgumentException if a size is negative */
    public static Matrix of(int rows, int columns) {
        if (rows < 0 || columns < 0) {
            throw new IllegalArgumentException("matrix: expected sizes >= 0, got (" + rows + ", " + columns + ")");
        }
        return of(Memory.ofFloats(floats(rows, columns)), rows, columns);
    }

    /** Views the beginning of a memory block as the matrix that {@link #of(int, int)} would allocate; its contents stay. */
    public static Matrix of(Memory memory, int rows, int columns) {
        return wrap(memory, 0, rows, columns, stride(rows, columns));
    }

    /** Returns the number of floats that {@link #of(int, int)} allocates, padding included. */
    public static long floats(int rows, int columns) {
        return Math.multiplyFull(rows, stride(rows, columns));
    }

    private static int stride(int rows, int columns) {
        int stride = padded(columns);
        // Rows a multiple of 1 KB apart would share few sets of the caches, and throw each other out when a kernel walks down a column.
        return stride + (rows > 1 && stride % CONFLICTING == 0 ? BLOCK : 0);
    }

    /** Allocates a padded matrix with the rows of {@code values}, all of the same length. */
    public static Matrix of(float[][] values) {
        Matrix matrix = of(values.length, values.length == 0 ? 0 : values[0].length);
        for (int r = 0; r < values.length; r++) {
            matrix.setRow(r, values[r]);
        }
        return matrix;
    }

    /**
     * Views part of a memory block.
     *
     * @param offset index of the first float
     * @param stride floats from one row to the next, at least {@code columns}
     * @throws IllegalArgumentException if a size is negative or the stride shorter than a row
     * @throws IndexOutOfBoundsException if the view does not lie inside the block
     */
    public static Matrix wrap(Memory memory, long offset, int rows, int columns, int stride) {
        if (rows < 0 || columns < 0 || stride < columns) {
            throw new IllegalArgumentException(
                    "matrix: expected rows, columns >= 0 and stride >= columns, got rows " + rows
                            + ", columns " + columns + ", stride " + stride);
        }
        long extent = rows == 0 ? 0 : (long) (rows - 1) * stride + columns;
        memory.checkRange(offset, extent);
        return new Matrix(memory, memory.address() + offset * Float.BYTES, rows, columns, stride);
    }

    /** Returns the number of rows. */
    public int rows() {
        return rows;
    }

    /** Returns the number of columns, padding not counted. */
    public int columns() {
        return columns;
    }

    /** Returns the number of floats from the start of one row to the start of the next. */
    public int stride() {
        return stride;
    }

    /** Returns the block that this is a view of. */
    public Memory memory() {
        return memory;
    }

    /** Returns the address of element (0, 0), for native code. Valid only while this object is reachable. */
    public long address() {
        return address;
    }

    /** Returns the address of the first element of a row, for native code; not checked. */
    public long rowAddress(int row) {
        return address + (long) row * stride * Float.BYTES;
    }

    /** Views the rows from {@code from} (inclusive) to {@code to} (exclusive). */
    public Matrix rows(int from, int to) {
        Objects.checkFromToIndex(from, to, rows);
        return new Matrix(memory, rowAddress(from), to - from, columns, stride);
    }

    /** Views the columns from {@code from} (inclusive) to {@code to} (exclusive). */
    public Matrix columns(int from, int to) {
        Objects.checkFromToIndex(from, to, columns);
        return new Matrix(memory, address + (long) from * Float.BYTES, rows, to - from, stride);
    }

    /** Returns one element. @throws IndexOutOfBoundsException if it is outside */
    public float get(int row, int column) {
        float value = Raw.get(checked(row, column));
        Reference.reachabilityFence(memory);
        return value;
    }

    /** Sets one element. @throws IndexOutOfBoundsException if it is outside */
    public void set(int row, int column, float value) {
        Raw.set(checked(row, column), 0, value);
        Reference.reachabilityFence(memory);
    }

    private long checked(int row, int column) {
        return rowAddress(Objects.checkIndex(row, rows)) + (long) Objects.checkIndex(column, columns) * Float.BYTES;
    }

    /** Overwrites a row with {@code values}, one for each column. */
    public void setRow(int row, float[] values) {
        if (values.length != columns) {
            throw new IllegalArgumentException("values: expected " + columns + " floats, got " + values.length);
        }
        setRow(row, values, 0);
    }

    /** Overwrites a row with {@link #columns} floats of {@code values} from index {@code from}. */
    public void setRow(int row, float[] values, int from) {
        MemorySegment.copy(values, from, memory.segment(), ValueLayout.JAVA_FLOAT, byteOffset(row), columns);
    }

    /** Copies a row into {@link #columns} floats of {@code values} from index {@code from}. */
    public void getRow(int row, float[] values, int from) {
        MemorySegment.copy(memory.segment(), ValueLayout.JAVA_FLOAT, byteOffset(row), values, from, columns);
    }

    /** Returns a copy of a row. */
    public float[] row(int row) {
        float[] values = new float[columns];
        getRow(row, values, 0);
        return values;
    }

    /** Returns a copy of everything. */
    public float[][] toArray() {
        float[][] values = new float[rows][];
        for (int r = 0; r < rows; r++) {
            values[r] = row(r);
        }
        return values;
    }

    /** Overwrites this with another matrix of the same shape. @throws IllegalArgumentException if the shapes differ */
    public void copyFrom(Matrix other) {
        if (other.rows != rows || other.columns != columns) {
            throw new IllegalArgumentException("copy: expected " + shape() + ", got " + other.shape());
        }
        for (int r = 0; r < rows; r++) {
            Raw.copy(other.rowAddress(r), rowAddress(r), columns);
        }
        Reference.reachabilityFence(memory);
        Reference.reachabilityFence(other.memory);
    }

    /** Sets every element to +0. */
    public void clear() {
        for (int r = 0; r < rows; r++) {
            Raw.zero(rowAddress(r), columns);
        }
        Reference.reachabilityFence(memory);
    }

    /** Returns whether an element of this is an element of {@code other} too. */
    public boolean overlaps(Matrix other) {
        return Overlap.of(address, rows, columns, stride, other.address, other.rows, other.columns, other.stride);
    }

    /** Returns {@code (rows, columns)} for messages. */
    public String shape() {
        return "(" + rows + ", " + columns + ")";
    }

    @Override
    public String toString() {
        return "Matrix" + shape();
    }

    private long byteOffset(int row) {
        return rowAddress(Objects.checkIndex(row, rows)) - memory.address();
    }
}
