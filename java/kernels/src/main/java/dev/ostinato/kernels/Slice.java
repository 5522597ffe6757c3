package dev.ostinato.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Objects;

/**
 * Floats that belong to the caller, as {@code rows} x {@code columns}, {@code stride} floats from one row to the next: part of an array, or
 * of a {@link FloatBuffer} or a {@link MemorySegment} of any kind, on the heap or off it, of any arena. What {@link SliceKernels} computes on.
 *
 * <p>A slice is an immutable view and may be kept; it holds an array, but does not keep an arena open. Floats are in the byte order of the
 * machine.
 *
 * <p>Thread safety: safe for all threads that may touch the memory; a segment of a confined arena is its owner's alone.
 */
public final class Slice {
    private final MemorySegment segment;
    private final int rows;
    private final int columns;
    private final int stride;

    private Slice(MemorySegment segment, int rows, int columns, int stride) {
        this.segment = segment;
        this.rows = rows;
        this.columns = columns;
        this.stride = stride;
    }

    /** Views an array as one row. */
    public static Slice of(float[] array) {
        return of(array, 0, array.length);
    }

    /** Views {@code length} floats of an array as one row. @throws IndexOutOfBoundsException if they are not all inside */
    public static Slice of(float[] array, int offset, int length) {
        return of(array, offset, 1, length, length);
    }

    /**
     * Views part of an array.
     *
     * @param offset index of the first float
     * @param stride floats from one row to the next, at least {@code columns}
     * @throws IllegalArgumentException if a size is negative or the stride shorter than a row
     * @throws IndexOutOfBoundsException if the view does not lie inside the array
     */
    public static Slice of(float[] array, int offset, int rows, int columns, int stride) {
        return of(MemorySegment.ofArray(array), (long) offset * Float.BYTES, rows, columns, stride);
    }

    /**
     * Views a segment as one row.
     *
     * @throws IllegalArgumentException if its size is not that of an {@code int} number of floats, or it is not 4-byte aligned
     */
    public static Slice of(MemorySegment segment) {
        long floats = segment.byteSize() / Float.BYTES;
        if (segment.byteSize() % Float.BYTES != 0 || floats > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "segment: expected 4 bytes for each of at most 2147483647 floats, got " + segment.byteSize()
                            + " bytes");
        }
        return of(segment, 0, 1, (int) floats, (int) floats);
    }

    /**
     * Views part of a segment.
     *
     * @param byteOffset where the first float is
     * @param stride floats from one row to the next, at least {@code columns}
     * @throws IllegalArgumentException if a size is negative, the stride shorter than a row, or the first float not 4-byte aligned
     * @throws IndexOutOfBoundsException if the view does not lie inside the segment
     */
    public static Slice of(MemorySegment segment, long byteOffset, int rows, int columns, int stride) {
        if (rows < 0 || columns < 0 || stride < columns) {
            throw new IllegalArgumentException("slice: expected rows, columns >= 0 and stride >= columns, got rows "
                    + rows + ", columns " + columns + ", stride " + stride);
        }
        long extent = rows == 0 ? 0 : (long) (rows - 1) * stride + columns;
        if (byteOffset < 0 || byteOffset > segment.byteSize()
                || extent > (segment.byteSize() - byteOffset) / Float.BYTES) {
            throw new IndexOutOfBoundsException("slice: expected " + extent + " floats from byte " + byteOffset
                    + " on, got a segment of " + segment.byteSize() + " bytes");
        }
        MemorySegment part = segment.asSlice(byteOffset, extent * Float.BYTES);
        if (part.maxByteAlignment() < Float.BYTES) {
            throw new IllegalArgumentException("slice: expected 4-byte alignment, got " + part.maxByteAlignment()
                    + "-byte alignment at byte " + byteOffset);
        }
        return new Slice(part, rows, columns, stride);
    }

    /**
     * Views a buffer from its position to its limit as one row. Later changes of those two make no difference.
     *
     * @throws IllegalArgumentException if its byte order is not that of the machine, or it is not 4-byte aligned
     */
    public static Slice of(FloatBuffer buffer) {
        if (buffer.order() != ByteOrder.nativeOrder()) {
            throw new IllegalArgumentException(
                    "buffer: expected the byte order " + ByteOrder.nativeOrder() + ", got " + buffer.order());
        }
        return of(MemorySegment.ofBuffer(buffer));
    }

    /** Returns the number of rows. */
    public int rows() {
        return rows;
    }

    /** Returns the number of columns. */
    public int columns() {
        return columns;
    }

    /** Returns the number of floats from the start of one row to the start of the next. */
    public int stride() {
        return stride;
    }

    /** Returns {@code (rows, columns)} for messages. */
    public String shape() {
        return "(" + rows + ", " + columns + ")";
    }

    @Override
    public String toString() {
        return "Slice" + shape();
    }

    // Elements are counted row by row; where they lie depends on the stride.

    /** Returns the number of elements. */
    public long count() {
        return (long) rows * columns;
    }

    /** Whether the elements lie one behind the other. */
    boolean flat() {
        return rows <= 1 || stride == columns;
    }

    /**
     * Checks that this thread may read the memory now, and write it. It may still be closed at any time: then copying throws.
     *
     * @param name what the caller calls it, for the message
     * @throws IllegalStateException if its arena has been closed
     * @throws WrongThreadException if its arena is another thread's
     * @throws IllegalArgumentException if it is to be {@code written} and read-only
     */
    public void check(String name, boolean written) {
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException(name + ": its arena has been closed");
        }
        if (!segment.isAccessibleBy(Thread.currentThread())) {
            throw new WrongThreadException(
                    name + ": its arena is confined to another thread than " + Thread.currentThread());
        }
        if (written && segment.isReadOnly()) {
            throw new IllegalArgumentException(name + ": expected memory that can be written, got a read-only segment");
        }
    }

    /** Returns whether an element of this is an element of {@code other} too. */
    public boolean overlaps(Slice other) {
        // Addresses of heap segments are offsets in their arrays; only of segments in the same memory can they be compared.
        return segment.asOverlappingSlice(other.segment).isPresent() && Overlap.of(segment.address(), rows, columns,
                stride, other.segment.address(), other.rows, other.columns, other.stride);
    }

    /** Whether every element of this is the same element of another slice of the same shape. */
    boolean isAt(Slice other) {
        return this == other || (segment.asOverlappingSlice(other.segment).isPresent()
                && segment.address() == other.segment.address() && (stride == other.stride || rows <= 1));
    }

    // Copies check bounds, the arena and its thread, while they copy: what closes an arena waits for them, or they throw.

    /** Copies {@code count} floats from one column of a row on to {@code memory}, from float {@code to} on. */
    void read(long row, long column, int count, Memory memory, long to) {
        MemorySegment.copy(segment, byteOffset(row, column, count), memory.segment(), to * Float.BYTES,
                (long) count * Float.BYTES);
    }

    /** Overwrites {@code count} floats from one column of a row on with those of {@code memory} from float {@code from} on. */
    void write(long row, long column, int count, Memory memory, long from) {
        MemorySegment.copy(memory.segment(), from * Float.BYTES, segment, byteOffset(row, column, count),
                (long) count * Float.BYTES);
    }

    /** Overwrites a row with a row of another slice of as many columns, which it does not overlap. */
    void copyRow(long row, Slice from, long fromRow) {
        MemorySegment.copy(from.segment, from.byteOffset(fromRow, 0, columns), segment, byteOffset(row, 0, columns),
                (long) columns * Float.BYTES);
    }

    /**
     * Fills a matrix with elements of this, row by row.
     *
     * @param from the number of the first element, counted row by row
     * @throws IndexOutOfBoundsException if there are not that many elements
     */
    public void copyTo(long from, Matrix to) {
        for (int r = 0; r < to.rows(); r++) {
            long first = from + (long) r * to.columns();
            long float0 = (to.rowAddress(r) - to.memory().address()) / Float.BYTES;
            for (int done = 0; done < to.columns();) {
                int count = inOneRow(first + done, to.columns() - done);
                read((first + done) / columns, (first + done) % columns, count, to.memory(), float0 + done);
                done += count;
            }
        }
    }

    /**
     * Overwrites elements of this with a matrix, row by row.
     *
     * @param to the number of the first element, counted row by row
     * @throws IndexOutOfBoundsException if there are not that many elements
     */
    public void copyFrom(long to, Matrix from) {
        for (int r = 0; r < from.rows(); r++) {
            long first = to + (long) r * from.columns();
            long float0 = (from.rowAddress(r) - from.memory().address()) / Float.BYTES;
            for (int done = 0; done < from.columns();) {
                int count = inOneRow(first + done, from.columns() - done);
                write((first + done) / columns, (first + done) % columns, count, from.memory(), float0 + done);
                done += count;
            }
        }
    }

    /** Returns how many of {@code count} elements from element {@code first} on lie side by side. */
    private int inOneRow(long first, int count) {
        Objects.checkFromIndexSize(first, count, count());
        return flat() ? count : Math.min(count, columns - (int) (first % columns));
    }

    private long byteOffset(long row, long column, int count) {
        long offset = row * stride + column;
        Objects.checkFromIndexSize(offset, count, segment.byteSize() / Float.BYTES);
        return offset * ValueLayout.JAVA_FLOAT.byteSize();
    }
}
