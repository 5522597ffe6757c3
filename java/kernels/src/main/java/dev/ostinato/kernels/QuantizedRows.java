package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Raw;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * Rows of levels in [-127, 127], each row with a scale: {@code x = level * scale}. Filled by {@link Kernels#quantize}, multiplied by
 * {@link Kernels#multiplyAddInt8}.
 *
 * <p>A level is stored as the byte {@code level + 128}, unsigned, because the fastest instructions multiply unsigned by signed bytes.
 * A row that cannot be represented has the scale NaN and zero levels. Rows start on cache lines; bytes behind the last column mean nothing.
 *
 * <p>A view is immutable and shares its contents with every other view of the same memory.
 */
public final class QuantizedRows {
    /** The largest level. */
    public static final int MAX_LEVEL = 127;
    /** The byte of level 0. */
    public static final int ZERO = 128;

    private final Memory memory;
    private final long address;
    private final long scales;
    private final int rows;
    private final int columns;
    private final int stride;

    private QuantizedRows(Memory memory, long address, long scales, int rows, int columns, int stride) {
        this.memory = memory;
        this.address = address;
        this.scales = scales;
        this.rows = rows;
        this.columns = columns;
        this.stride = stride;
    }

    /** Allocates rows with the scale 0. @throws IllegalArgumentException if a size is negative */
    public static QuantizedRows of(int rows, int columns) {
        if (rows < 0 || columns < 0) {
            throw new IllegalArgumentException("rows: expected sizes >= 0, got (" + rows + ", " + columns + ")");
        }
        int stride = stride(columns);
        long levels = (long) rows * stride;
        Memory memory = Memory.allocate(byteSize(rows, columns));
        return new QuantizedRows(memory, memory.address(), memory.address() + levels, rows, columns, stride);
    }

    /** Returns the bytes of so many rows, levels first and then their scales, whole cache lines of each. For backends with memory of their own. */
    public static long byteSize(int rows, int columns) {
        return (long) rows * stride(columns) + (long) Matrix.padded(rows) * Float.BYTES;
    }

    private static int stride(int columns) {
        return Math.multiplyExact(Math.ceilDiv(columns, Memory.ALIGNMENT), Memory.ALIGNMENT);
    }

    /** Returns the number of rows. */
    public int rows() {
        return rows;
    }

    /** Returns the number of columns. */
    public int columns() {
        return columns;
    }

    /** Returns the bytes from the start of one row to the start of the next, a multiple of {@link Memory#ALIGNMENT}. */
    public int stride() {
        return stride;
    }

    /** Returns the block that this is a view of. */
    public Memory memory() {
        return memory;
    }

    /** Returns the address of the first byte, for native code. Valid only while this object is reachable. */
    public long address() {
        return address;
    }

    /** Returns the address of the first byte of a row, for native code; not checked. */
    public long rowAddress(int row) {
        return address + (long) row * stride;
    }

    /** Returns the address of the first of the scales, which are floats side by side, for native code. */
    public long scalesAddress() {
        return scales;
    }

    /** Views the rows from {@code from} (inclusive) to {@code to} (exclusive). */
    public QuantizedRows rows(int from, int to) {
        Objects.checkFromToIndex(from, to, rows);
        return new QuantizedRows(memory, rowAddress(from), scales + (long) from * Float.BYTES, to - from, columns,
                stride);
    }

    /** Returns a level. @throws IndexOutOfBoundsException if it is outside */
    public int level(int row, int column) {
        int stored = Raw.getByte(rowAddress(Objects.checkIndex(row, rows)), Objects.checkIndex(column, columns));
        Reference.reachabilityFence(memory);
        return stored - ZERO;
    }

    /** Returns the scale of a row, or NaN. @throws IndexOutOfBoundsException if it is outside */
    public float scale(int row) {
        float scale = Raw.get(scales, Objects.checkIndex(row, rows));
        Reference.reachabilityFence(memory);
        return scale;
    }

    /** Returns {@code (rows, columns)} for messages. */
    public String shape() {
        return "(" + rows + ", " + columns + ")";
    }

    @Override
    public String toString() {
        return "QuantizedRows" + shape();
    }
}
