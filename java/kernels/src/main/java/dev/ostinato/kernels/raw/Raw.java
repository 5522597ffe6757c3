package dev.ostinato.kernels.raw;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Reads and writes floats, ints and bytes at raw addresses. */
public final class Raw {
    /**
     * All of memory as one segment. Because it is a constant, the JIT compiler knows its kind, scope and length, and an access
     * through it costs what a load costs; a segment per array would make the vector kernels polymorphic.
     */
    public static final MemorySegment ALL = all();
    private static final MemorySegment ZEROS = Arena.global().allocate(1 << 14, Long.BYTES);

    @SuppressWarnings("restricted") // the one place where the library asks for native access
    private static MemorySegment all() {
        try {
            return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
        } catch (IllegalCallerException e) {
            throw new IllegalCallerException("start Java with " + nativeAccess(), e);
        }
    }

    /** Returns the option that gives this library native access. */
    public static String nativeAccess() {
        Module module = Raw.class.getModule();
        return "--enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
    }

    private Raw() {
    }

    /** Returns the float at {@code address}. */
    public static float get(long address) {
        return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
    }

    /** Returns the float at {@code index} floats from {@code address}. */
    public static float get(long address, long index) {
        return get(address + index * Float.BYTES);
    }

    /** Writes a float at {@code index} floats from {@code address}. */
    public static void set(long address, long index, float value) {
        ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address + index * Float.BYTES, value);
    }

    /** Returns the int at {@code index} ints from {@code address}. */
    public static int getInt(long address, long index) {
        return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address + index * Integer.BYTES);
    }

    /** Writes an int at {@code index} ints from {@code address}. */
    public static void setInt(long address, long index, int value) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address + index * Integer.BYTES, value);
    }

    /** Returns the byte at {@code index} bytes from {@code address}, unsigned. */
    public static int getByte(long address, long index) {
        return Byte.toUnsignedInt(ALL.get(ValueLayout.JAVA_BYTE, address + index));
    }

    /** Writes the low eight bits of an int at {@code index} bytes from {@code address}. */
    public static void setByte(long address, long index, int value) {
        ALL.set(ValueLayout.JAVA_BYTE, address + index, (byte) value);
    }

    /** Copies {@code count} floats; the ranges may overlap. */
    public static void copy(long from, long to, long count) {
        MemorySegment.copy(ALL, from, ALL, to, count * Float.BYTES);
    }

    /** Sets {@code count} floats to +0. */
    public static void zero(long address, long count) {
        long end = address + count * Float.BYTES;
        while (address != end) { // a slice to fill would be an object, which the compiler does not always avoid
            long bytes = Math.min(ZEROS.byteSize(), end - address);
            MemorySegment.copy(ZEROS, 0, ALL, address, bytes);
            address += bytes;
        }
    }
}
