package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Blocks of {@link Memory} and the {@link Indices} in them. */
final class MemoryTest {
    @Test
    void blocksAreAlignedZeroedAndWholeLines() {
        for (long bytes : new long[] {0, 1, 63, 64, 65}) {
            Memory memory = Memory.allocate(bytes);
            assertEquals(bytes <= 64 ? 64 : 128, memory.byteSize());
            assertEquals(0, memory.address() % Memory.ALIGNMENT);
            for (long i = 0; i < memory.floats(); i++) {
                assertEquals(0, memory.getInt(i));
            }
        }
    }

    @Test
    void sizesAreChecked() {
        assertEquals("bytes: expected >= 0, got -1",
                assertThrows(IllegalArgumentException.class, () -> Memory.allocate(-1)).getMessage());
        assertThrows(ArithmeticException.class, () -> Memory.ofFloats(Long.MAX_VALUE / 2));
        assertThrows(ArithmeticException.class, () -> Memory.ofInts(Long.MAX_VALUE / 2));
    }

    @Test
    void accessIsChecked() {
        Memory memory = Memory.ofFloats(16);
        memory.setFloat(15, 1f);
        assertEquals(1f, memory.getFloat(15));
        for (long index : new long[] {-1, 16, Long.MAX_VALUE}) {
            assertThrows(IndexOutOfBoundsException.class, () -> memory.getFloat(index));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.setFloat(index, 1f));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.getInt(index));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.setInt(index, 1));
        }
    }

    @Test
    void copies() {
        Memory memory = Memory.ofInts(16);
        memory.setInt(3, 7);
        Memory copy = memory.copy();
        memory.clear();
        assertEquals(0, memory.getInt(3));
        assertEquals(7, copy.getInt(3));
        memory.copyFrom(copy);
        assertEquals(7, memory.getInt(3));
        assertEquals("memory: expected 64 bytes, got 128",
                assertThrows(IllegalArgumentException.class, () -> memory.copyFrom(Memory.ofInts(17))).getMessage());
    }

    @Test
    void slicesOfIndicesShareContents() {
        Indices indices = Indices.of(3, 1, 4, 1, 5);
        Indices slice = indices.slice(1, 4);
        assertEquals(3, slice.length());
        assertEquals(4, slice.get(1));
        slice.set(2, 9);
        assertEquals(9, indices.get(3));
        slice.copyFrom(new int[] {0, 7, 8, 6}, 1);
        assertEquals(7, indices.get(1));
        assertEquals(5, indices.get(4));
        assertEquals(0, Indices.of(0).length());
    }

    @Test
    void indicesAreChecked() {
        Indices slice = Indices.of(3, 1, 4, 1, 5).slice(1, 4);
        for (int i : new int[] {-1, 3}) {
            String message = assertThrows(IndexOutOfBoundsException.class, () -> slice.get(i)).getMessage();
            assertTrue(message.contains(Integer.toString(i)) && message.contains("3"), message);
            assertThrows(IndexOutOfBoundsException.class, () -> slice.set(i, 0));
        }
        assertThrows(IndexOutOfBoundsException.class, () -> slice.slice(0, 4));
        assertThrows(IndexOutOfBoundsException.class, () -> slice.slice(2, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> slice.copyFrom(new int[3], 1));
        assertThrows(IllegalArgumentException.class, () -> Indices.of(-1));
    }
}
