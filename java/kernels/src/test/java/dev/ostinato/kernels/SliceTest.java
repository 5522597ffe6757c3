package dev.ostinato.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Whatever a caller does to the memory that it passes: an exception that says what, and never a crash. */
final class SliceTest {
    private final SliceKernels kernels = Backends.auto().slices();

    private static <E extends Throwable> void fails(Class<E> type, String message, Executable call) {
        assertEquals(message, assertThrows(type, call).getMessage());
    }

    private static void rejects(String message, Executable call) {
        fails(IllegalArgumentException.class, message, call);
    }

    // Making one

    @Test
    void sizes() {
        float[] array = new float[20];
        String sizes = "slice: expected rows, columns >= 0 and stride >= columns, got rows ";
        rejects(sizes + "-1, columns 2, stride 2", () -> Slice.of(array, 0, -1, 2, 2));
        rejects(sizes + "1, columns -2, stride 2", () -> Slice.of(array, 0, 1, -2, 2));
        rejects(sizes + "1, columns 3, stride 2", () -> Slice.of(array, 0, 1, 3, 2));
        assertEquals("Slice(3, 4)", Slice.of(array, 1, 3, 4, 7).toString());
        fails(IndexOutOfBoundsException.class, "slice: expected 18 floats from byte 12 on, got a segment of 80 bytes",
                () -> Slice.of(array, 3, 3, 4, 7));
        fails(IndexOutOfBoundsException.class, "slice: expected 4 floats from byte -4 on, got a segment of 80 bytes",
                () -> Slice.of(array, -1, 4));
        assertThrows(IndexOutOfBoundsException.class,
                () -> Slice.of(array, 0, Integer.MAX_VALUE, 1, Integer.MAX_VALUE));
        assertThrows(IndexOutOfBoundsException.class, () -> Slice.of(array, Integer.MAX_VALUE, 1));
        assertThrows(IndexOutOfBoundsException.class,
                () -> Slice.of(MemorySegment.ofArray(array), Long.MAX_VALUE, 1, 1, 1));
        assertEquals(0, Slice.of(array, 20, 0).columns());
        assertEquals(0, Slice.of(array, 20, 0, 5, 5).rows());
    }

    @Test
    void segmentsOfTheWrongSize() {
        rejects("segment: expected 4 bytes for each of at most 2147483647 floats, got 11 bytes",
                () -> Slice.of(Arena.ofAuto().allocate(11, 4)));
        fails(IndexOutOfBoundsException.class, "slice: expected 3 floats from byte 0 on, got a segment of 11 bytes",
                () -> Slice.of(Arena.ofAuto().allocate(11, 4), 0, 1, 3, 3));
    }

    @Test
    void alignment() {
        MemorySegment segment = Arena.ofAuto().allocate(64, 16);
        rejects("slice: expected 4-byte alignment, got 1-byte alignment at byte 3",
                () -> Slice.of(segment, 3, 1, 4, 4));
        rejects("slice: expected 4-byte alignment, got 2-byte alignment at byte 0",
                () -> Slice.of(segment.asSlice(6, 16), 0, 1, 4, 4));
        rejects("slice: expected 4-byte alignment, got 1-byte alignment at byte 0",
                () -> Slice.of(MemorySegment.ofArray(new byte[64])));
        assertEquals(16, Slice.of(MemorySegment.ofArray(new int[16])).columns());
        assertEquals(4, Slice.of(segment, 4, 1, 4, 4).columns());
    }

    // Using one

    /** Every operation, with x read and y written (or read, where nothing is written); both are squares of 64. */
    private Map<String, Executable> operations(Slice x, Slice y) {
        Slice other = Slice.of(new float[4096], 0, 64, 64, 64);
        Slice row = Slice.of(new float[64]);
        PackedMatrix w = PackedMatrix.of(64, 1, 64);
        Map<String, Executable> calls = new LinkedHashMap<>();
        calls.put("apply", () -> kernels.apply(Function.EXP, x, y));
        calls.put("applyBackward", () -> kernels.applyBackward(Function.SILU, x, other, y));
        calls.put("multiply", () -> kernels.multiply(y, x));
        calls.put("axpy", () -> kernels.axpy(1f, x, y));
        calls.put("softmax", () -> kernels.softmax(x, y));
        calls.put("logSoftmax", () -> kernels.logSoftmax(x, y));
        calls.put("gemm, a", () -> kernels.gemm(Transpose.NO, Transpose.YES, 1f, x, other, 1f, y));
        calls.put("gemm, b", () -> kernels.gemm(Transpose.YES, Transpose.NO, 1f, other, x, 0f, y));
        calls.put("multiplyAdd", () -> kernels.multiplyAdd(x, w, y));
        calls.put("scale and sum", () -> {
            kernels.sum(x);
            kernels.scale(y, 2f);
        });
        calls.put("max", () -> kernels.max(kernels.max(x) == 0 ? y : x));
        calls.put("min", () -> kernels.min(kernels.min(x) == 0 ? y : x));
        calls.put("argMax", () -> kernels.argMax(kernels.argMax(x) == 0 ? y : x));
        calls.put("nrm2", () -> kernels.nrm2(kernels.nrm2(x) == 0 ? y : x));
        calls.put("dot", () -> kernels.dot(x, y));
        calls.put("pack", () -> {
            kernels.pack(Transpose.NO, x, 1);
            kernels.pack(Transpose.YES, y, 2);
        });
        calls.put("gemv, a", () -> kernels.gemv(Transpose.NO, 1f, x, row, 0f, Slice.of(new float[64])));
        return calls;
    }

    private static Slice square(MemorySegment segment) {
        return Slice.of(segment, 0, 64, 64, 64);
    }

    private static Slice square() {
        return Slice.of(new float[4096], 0, 64, 64, 64);
    }

    private void eachFails(Class<? extends Throwable> type, String message, Slice x, Slice y) {
        operations(x, y).forEach((name, call) -> {
            if (!name.endsWith("a") || x.flat()) {
                String actual = String.valueOf(assertThrows(type, call, name).getMessage());
                assertTrue(actual.contains(message), () -> name + ": " + actual);
            }
        });
    }

    @Test
    void everythingWorksOnLiveMemory() throws Throwable {
        try (Arena confined = Arena.ofConfined(); Arena shared = Arena.ofShared()) {
            Slice[] slices = {square(), square(confined.allocate(16384, 4)), square(shared.allocate(16384, 4)),
                square(MemorySegment.ofArray(new int[4096])), square(Memory.ofFloats(4096).segment())};
            for (Slice x : slices) {
                for (Executable call : operations(x, square()).values()) {
                    call.execute();
                }
                for (Executable call : operations(square(), x).values()) {
                    call.execute();
                }
            }
        }
    }

    @Test
    void useAfterClose() {
        Arena arena = Arena.ofShared();
        Slice slice = square(arena.allocate(16384, 4));
        arena.close();
        eachFails(IllegalStateException.class, "its arena has been closed", slice, square());
        operations(square(), slice).forEach((name, call) -> {
            if (!name.equals("gemv, a")) {
                assertThrows(IllegalStateException.class, call, name);
            }
        });
        fails(IllegalStateException.class, "y: its arena has been closed",
                () -> kernels.apply(Function.EXP, square(), slice));
        fails(IllegalStateException.class, "x: its arena has been closed", () -> kernels.scale(slice, 1f));
        assertThrows(IllegalStateException.class, arena::close, "a second time");
    }

    @Test
    void memoryOfAnotherThread() throws InterruptedException {
        AtomicReference<Slice> confined = new AtomicReference<>();
        AtomicBoolean done = new AtomicBoolean();
        Thread owner = Thread.ofPlatform().start(() -> {
            try (Arena arena = Arena.ofConfined()) {
                confined.set(square(arena.allocate(16384, 4)));
                while (!done.get()) {
                    Thread.onSpinWait();
                }
            }
        });
        while (confined.get() == null) {
            Thread.onSpinWait();
        }
        try {
            eachFails(WrongThreadException.class, "confined to another thread", confined.get(), square());
        } finally {
            done.set(true);
            owner.join();
        }
    }

    @Test
    void readOnlyMemory() throws Throwable {
        float[] array = new float[4096];
        array[0] = 3f;
        Slice slice = square(MemorySegment.ofArray(array).asReadOnly());
        for (Executable call : operations(slice, square()).values()) {
            call.execute();
        }
        String message = ": expected memory that can be written, got a read-only segment";
        rejects("y" + message, () -> kernels.apply(Function.EXP, square(), slice));
        rejects("x" + message, () -> kernels.scale(slice, 2f));
        rejects("x" + message, () -> kernels.multiply(slice, square()));
        rejects("y" + message, () -> kernels.axpy(1f, square(), slice));
        rejects("y" + message, () -> kernels.softmax(square(), slice));
        rejects("y" + message, () -> kernels.logSoftmax(square(), slice));
        rejects("c" + message, () -> kernels.gemm(Transpose.NO, Transpose.NO, 1f, square(), square(), 0f, slice));
        rejects("out" + message, () -> kernels.multiplyAdd(square(), PackedMatrix.of(64, 1, 64), slice));
        assertEquals(3f, array[0]);
        Slice row = Slice.of(MemorySegment.ofArray(new float[64]).asReadOnly());
        rejects("y" + message,
                () -> kernels.gemv(Transpose.NO, 1f, square(), Slice.of(new float[64]), 0f, row));
    }

    @Test
    void wrongShapes() {
        Slice x = Slice.of(new float[12], 0, 3, 4, 4);
        Slice y = Slice.of(new float[12], 0, 4, 3, 3);
        rejects("y: expected (3, 4), got (4, 3)", () -> kernels.apply(Function.EXP, x, y));
        rejects("y: expected (3, 4), got (4, 3)", () -> kernels.softmax(x, y));
        rejects("y: expected 12 elements, got 11", () -> kernels.dot(x, Slice.of(new float[11])));
        rejects("x: expected one row, or rows without a gap, got (3, 4) at stride 5",
                () -> kernels.sum(Slice.of(new float[20], 0, 3, 4, 5)));
        rejects("b: expected (4, 4), got (3, 4)",
                () -> kernels.gemm(Transpose.NO, Transpose.NO, 1f, x, x, 0f, x));
        rejects("x: expected (1, 4), got (3, 4)", () -> kernels.gemv(Transpose.NO, 1f, x, x, 0f, x));
        rejects("a: expected (3, 5), got (3, 4)", () -> kernels.multiplyAdd(x, PackedMatrix.of(5, 1, 4), x));
        rejects("out: expected (3, 6), got (3, 4)", () -> kernels.multiplyAdd(x, PackedMatrix.of(4, 2, 3), x));
        rejects("gates: expected a divisor of the 4 columns of op(w), got 3", () -> kernels.pack(Transpose.NO, x, 3));
        rejects("gates: expected a divisor of the 4 columns of op(w), got 0", () -> kernels.pack(Transpose.NO, x, 0));
    }

    // Overlaps

    @Test
    void overlapsAreRejected() {
        float[] array = new float[100];
        for (MemorySegment memory : new MemorySegment[] {MemorySegment.ofArray(array),
            Arena.ofAuto().allocate(400, 4)}) {
            Slice x = Slice.of(memory, 0, 4, 4, 4);
            Slice shifted = Slice.of(memory, 4, 4, 4, 4);
            rejects("y: overlaps x, of which it is not the same part", () -> kernels.apply(Function.EXP, x, shifted));
            rejects("x: overlaps y, of which it is not the same part", () -> kernels.multiply(shifted, x));
            rejects("y: overlaps x, of which it is not the same part", () -> kernels.softmax(x, shifted));
            rejects("c: overlaps a", () -> kernels.gemm(Transpose.NO, Transpose.NO, 1f, x,
                    Slice.of(new float[16], 0, 4, 4, 4), 0f, x));
            rejects("c: overlaps b", () -> kernels.gemm(Transpose.NO, Transpose.NO, 1f,
                    Slice.of(new float[16], 0, 4, 4, 4), shifted, 0f, x));
            rejects("y: overlaps a",
                    () -> kernels.gemv(Transpose.NO, 1f, x, Slice.of(new float[4]), 0f, Slice.of(memory, 0, 1, 4, 4)));
            rejects("out: overlaps a", () -> kernels.multiplyAdd(x, PackedMatrix.of(4, 1, 4), shifted));
        }
        rejects("y: overlaps x, of which it is not the same part",
                () -> kernels.axpy(1f, Slice.of(MemorySegment.ofArray(array).asReadOnly(), 0, 1, 4, 4),
                        Slice.of(array, 2, 4)));
    }

    @Test
    void theSamePartAndColumnsBetweenEachOtherAreNot() {
        float[] array = {1, 2, 10, 20, 3, 4, 30, 40};
        Slice left = Slice.of(array, 0, 2, 2, 4);
        Slice right = Slice.of(array, 2, 2, 2, 4);
        kernels.axpy(2f, left, right);
        assertArrayEquals(new float[] {1, 2, 12, 24, 3, 4, 36, 48}, array);
        kernels.axpy(1f, left, Slice.of(array, 0, 2, 2, 4));
        assertArrayEquals(new float[] {2, 4, 12, 24, 6, 8, 36, 48}, array);
        kernels.gemm(Transpose.NO, Transpose.NO, 1f, left, Slice.of(new float[] {1, 0, 0, 1}, 0, 2, 2, 2), 0f, right);
        assertArrayEquals(new float[] {2, 4, 2, 4, 6, 8, 6, 8}, array);
    }

    // Closing while another thread computes

    @Test
    void closingWhileAnotherThreadComputes() throws InterruptedException {
        int interrupted = 0;
        for (int round = 0; round < 60; round++) {
            Arena arena = Arena.ofShared();
            Slice x = Slice.of(arena.allocate(512L * 512 * 4, 4), 0, 512, 512, 512);
            Slice y = Slice.of(arena.allocate(512L * 512 * 4, 4), 0, 512, 512, 512);
            AtomicReference<Throwable> end = new AtomicReference<>();
            AtomicBoolean started = new AtomicBoolean();
            boolean product = round % 2 == 0;
            Thread thread = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        if (product) {
                            kernels.gemm(Transpose.NO, Transpose.NO, 1f, x, Slice.of(new float[512 * 512], 0, 512, 512,
                                    512), 0f, y);
                        } else {
                            kernels.apply(Function.TANH, x, y);
                        }
                        started.set(true);
                    }
                } catch (Throwable e) {
                    end.set(e);
                }
            });
            while (!started.get() && thread.isAlive()) {
                Thread.onSpinWait();
            }
            Thread.sleep(0, 1000 * (round % 10));
            close(arena);
            thread.join();
            assertEquals(IllegalStateException.class, end.get().getClass(), () -> String.valueOf(end.get()));
            interrupted += "Already closed".equals(end.get().getMessage()) ? 1 : 0;
        }
        System.out.println("closed while it was copied from or to in " + interrupted + " of 60 rounds");
    }

    /** An arena that is in use just now is not closed, and says so. */
    private static void close(Arena arena) {
        while (true) {
            try {
                arena.close();
                return;
            } catch (IllegalStateException e) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void memoryOfOursNeedsNoClosing() {
        Slice slice = Slice.of(Memory.ofFloats(16).segment());
        System.gc();
        kernels.scale(slice, 2f);
        assertEquals(0f, kernels.sum(slice));
    }
}
