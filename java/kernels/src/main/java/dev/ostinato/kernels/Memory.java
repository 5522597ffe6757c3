package dev.ostinato.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A block of off-heap memory, 64-byte aligned and zeroed, that lives for as long as something refers to it.
 *
 * <p>There is no {@code free}: the garbage collector returns the memory when it can no longer be reached, so no thread can
 * ever compute on memory that another has given back. Every access through this class is checked.
 *
 * <p>Thread safety: the block itself is immutable, its contents are plain memory without any ordering.
 */
public final class Memory {
    /** Alignment of every block in bytes: one cache line, and one 512-bit vector. */
    public static final int ALIGNMENT = 64;

    private final MemorySegment segment;

    private Memory(MemorySegment segment) {
        this.segment = segment;
    }

    /**
     * Allocates {@code bytes} zero bytes.
     *
     * @throws IllegalArgumentException if {@code bytes} is negative
     * @throws OutOfMemoryError if the system has no such block
     */
    public static Memory allocate(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("bytes: expected >= 0, got " + bytes);
        }
        // Rounded up to whole lines, so that a kernel may read the last line in full.
        long whole = Math.ceilDiv(Math.max(bytes, 1), ALIGNMENT) * ALIGNMENT;
        return new Memory(Arena.ofAuto().allocate(whole, ALIGNMENT));
    }

    /** Allocates {@code count} floats, all +0. */
    public static Memory ofFloats(long count) {
        return allocate(Math.multiplyExact(count, Float.BYTES));
    }

    /** Allocates {@code count} ints, all 0. */
    public static Memory ofInts(long count) {
        return allocate(Math.multiplyExact(count, Integer.BYTES));
    }

    /** Returns the size in bytes, a multiple of {@link #ALIGNMENT}. */
    public long byteSize() {
        return segment.byteSize();
    }

    /** Returns the number of whole floats that fit. */
    public long floats() {
        return segment.byteSize() / Float.BYTES;
    }

    /** Returns the block as a segment: checked, readable and writable from any thread, alive while it is reachable. */
    public MemorySegment segment() {
        return segment;
    }

    /** Returns the address of the first byte, for native code. Valid only while this object is reachable. */
    public long address() {
        return segment.address();
    }

    /** Returns the float at {@code index}. @throws IndexOutOfBoundsException if it is outside */
    public float getFloat(long index) {
        return segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }

    /** Sets the float at {@code index}. @throws IndexOutOfBoundsException if it is outside */
    public void setFloat(long index, float value) {
        segment.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
    }

    /** Returns the int at {@code index}. @throws IndexOutOfBoundsException if it is outside */
    public int getInt(long index) {
        return segment.getAtIndex(ValueLayout.JAVA_INT, index);
    }

    /** Sets the int at {@code index}. @throws IndexOutOfBoundsException if it is outside */
    public void setInt(long index, int value) {
        segment.setAtIndex(ValueLayout.JAVA_INT, index, value);
    }

    /** Returns a copy in a block of its own. */
    public Memory copy() {
        Memory copy = allocate(byteSize());
        copy.copyFrom(this);
        return copy;
    }

    /** Overwrites this block with another. @throws IllegalArgumentException if the sizes differ */
    public void copyFrom(Memory other) {
        if (other.byteSize() != byteSize()) {
            throw new IllegalArgumentException("memory: expected " + byteSize() + " bytes, got " + other.byteSize());
        }
        MemorySegment.copy(other.segment, 0, segment, 0, byteSize());
    }

    /** Sets every byte to zero. */
    public void clear() {
        segment.fill((byte) 0);
    }

    void checkRange(long firstFloat, long count) {
        Objects.checkFromIndexSize(firstFloat, count, floats());
    }
}
