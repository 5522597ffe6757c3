package dev.ostinato.kernels;

import dev.ostinato.kernels.raw.Raw;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.Objects;

/** A view of {@link Memory} as a vector of ints: tokens, classes, rows of a table. */
public final class Indices {
    private final Memory memory;
    private final long address;
    private final int length;

    private Indices(Memory memory, long address, int length) {
        this.memory = memory;
        this.address = address;
        this.length = length;
    }

    /** Allocates {@code length} zeros. */
    public static Indices of(int length) {
        Memory memory = Memory.ofInts(length);
        return new Indices(memory, memory.address(), length);
    }

    /** Allocates a copy of {@code values}. */
    public static Indices of(int... values) {
        Indices indices = of(values.length);
        indices.copyFrom(values, 0);
        return indices;
    }

    /** Returns the number of indices. */
    public int length() {
        return length;
    }

    /** Returns the block that this is a view of. */
    public Memory memory() {
        return memory;
    }

    /** Returns the address of the first index, for native code. Valid only while this object is reachable. */
    public long address() {
        return address;
    }

    /** Views the indices from {@code from} (inclusive) to {@code to} (exclusive). */
    public Indices slice(int from, int to) {
        Objects.checkFromToIndex(from, to, length);
        return new Indices(memory, address + (long) from * Integer.BYTES, to - from);
    }

    /** Returns one index. @throws IndexOutOfBoundsException if {@code i} is outside */
    public int get(int i) {
        int value = Raw.getInt(address, Objects.checkIndex(i, length));
        Reference.reachabilityFence(memory);
        return value;
    }

    /** Sets one index. @throws IndexOutOfBoundsException if {@code i} is outside */
    public void set(int i, int value) {
        memory.setInt((address - memory.address()) / Integer.BYTES + Objects.checkIndex(i, length), value);
    }

    /** Overwrites all of this with {@link #length} ints of {@code values} from index {@code from}. */
    public void copyFrom(int[] values, int from) {
        MemorySegment.copy(values, from, memory.segment(), ValueLayout.JAVA_INT, address - memory.address(), length);
    }

    /**
     * Overwrites all of this with {@link #length} ints of {@code values} from byte {@code offset} on, in the byte order of the machine.
     *
     * @throws IndexOutOfBoundsException if there are not that many
     * @throws IllegalStateException if the arena of {@code values} has been closed
     * @throws WrongThreadException if it is confined to another thread
     */
    public void copyFrom(MemorySegment values, long offset) {
        MemorySegment.copy(values, offset, memory.segment(), address - memory.address(), (long) length * Integer.BYTES);
    }
}
