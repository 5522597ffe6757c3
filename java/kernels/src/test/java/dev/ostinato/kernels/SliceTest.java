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
    private static final AdamStep ADAM = AdamStep.at(3, 1e-3, 0.9, 0.999, 1e-8, 1f);

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
        Slice pairs = Slice.of(new float[128], 0, 64, 2, 2);
        Indices indices = Indices.of(64);
        calls.put("columnSums", () -> {
            kernels.columnSums(x, row);
            kernels.scale(y, 1f);
        });
        calls.put("layerNormForward", () -> kernels.layerNormForward(x, row, row, 1e-5f, y, pairs));
        calls.put("layerNormBackward", () -> kernels.layerNormBackward(x, row, pairs, other, y,
                Slice.of(new float[64]), Slice.of(new float[64])));
        calls.put("squaredError", () -> kernels.squaredError(y, x, Slice.of(new float[64], 0, 64, 1, 1), 1f, 1f));
        calls.put("gather, crossEntropy", () -> {
            kernels.gather(x, indices, y);
            kernels.crossEntropyForward(y, indices, Slice.of(new float[64], 0, 64, 1, 1));
            kernels.crossEntropyBackward(y, indices, 1f);
        });
        calls.put("scatterAdd", () -> kernels.scatterAdd(x, indices, y));
        calls.put("adam, m", () -> kernels.adam(square(), x, y, square(), ADAM));
        calls.put("adam, v", () -> kernels.adam(square(), x, square(), y, ADAM));
        calls.put("sgd", () -> kernels.sgd(y, x, square(), 1f, 0.1f, 0.9f));
        Slice z = rows(64, 256);
        calls.put("rnnForward", () -> kernels.rnnForward(Activation.TANH, x, y));
        calls.put("rnnBackward", () -> kernels.rnnBackward(Activation.RELU, x, other, y));
        calls.put("lstmForward, c", () -> kernels.lstmForward(z, x, y, square()));
        calls.put("lstmForward, h", () -> kernels.lstmForward(z, x, square(), y));
        calls.put("lstmBackward", () -> kernels.lstmBackward(z, other, x, other, y));
        calls.put("gruForward", () -> kernels.gruForward(z, x, y));
        calls.put("gruBackward", () -> kernels.gruBackward(z, other, x, y));
        calls.put("gruMixForward", () -> {
            kernels.gruResetForward(z, x);
            kernels.gruMixForward(z, x, y);
        });
        calls.put("gruMixBackward", () -> kernels.gruMixBackward(z, x, other, y));
        calls.put("gruResetBackward", () -> kernels.gruResetBackward(z, other, x, y));
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
        Indices indices = Indices.of(64);
        rejects("out" + message, () -> kernels.gather(square(), indices, slice));
        rejects("table" + message, () -> kernels.scatterAdd(square(), indices, slice));
        rejects("x" + message, () -> kernels.crossEntropyForward(slice, indices, column(64)));
        rejects("p" + message, () -> kernels.crossEntropyBackward(slice, indices, 1f));
        rejects("y" + message, () -> kernels.squaredError(slice, square(), column(64), 1f, 1f));
        assertEquals(3f, array[0]);
        Slice row = Slice.of(MemorySegment.ofArray(new float[64]).asReadOnly());
        rejects("y" + message,
                () -> kernels.gemv(Transpose.NO, 1f, square(), Slice.of(new float[64]), 0f, row));
        rejects("sums" + message, () -> kernels.columnSums(square(), row));
        Slice gain = Slice.of(new float[64]);
        Slice statistics = Slice.of(new float[128], 0, 64, 2, 2);
        rejects("y" + message, () -> kernels.layerNormForward(square(), gain, gain, 0f, slice, statistics));
        rejects("dGain" + message,
                () -> kernels.layerNormBackward(square(), gain, statistics, square(), square(), row, gain));
        rejects("dBias" + message, () -> kernels.layerNormBackward(square(), gain, statistics, square(), square(),
                Slice.of(new float[64]), row));
        Slice readOnly = Slice.of(MemorySegment.ofArray(new float[128]).asReadOnly(), 0, 64, 2, 2);
        rejects("statistics" + message,
                () -> kernels.layerNormForward(square(), gain, gain, 0f, square(), readOnly));
        Slice losses = Slice.of(MemorySegment.ofArray(new float[64]).asReadOnly(), 0, 64, 1, 1);
        rejects("losses" + message, () -> kernels.crossEntropyForward(square(), indices, losses));
        rejects("losses" + message, () -> kernels.squaredError(square(), square(), losses, 1f, 1f));
    }

    @Test
    void readOnlyMemoryOfCells() {
        Slice slice = square(MemorySegment.ofArray(new float[4096]).asReadOnly());
        Slice gates = Slice.of(MemorySegment.ofArray(new float[64 * 256]).asReadOnly(), 0, 64, 256, 256);
        Slice z = rows(64, 256);
        String message = ": expected memory that can be written, got a read-only segment";
        rejects("h" + message, () -> kernels.rnnForward(Activation.TANH, square(), slice));
        rejects("dz" + message, () -> kernels.rnnBackward(Activation.TANH, square(), square(), slice));
        rejects("z" + message, () -> kernels.lstmForward(gates, square(), square(), square()));
        rejects("c" + message, () -> kernels.lstmForward(z, square(), slice, square()));
        rejects("h" + message, () -> kernels.lstmForward(z, square(), square(), slice));
        rejects("z" + message, () -> kernels.lstmBackward(gates, square(), square(), square(), square()));
        rejects("dc" + message, () -> kernels.lstmBackward(z, square(), square(), square(), slice));
        rejects("z" + message, () -> kernels.gruForward(gates, square(), square()));
        rejects("h" + message, () -> kernels.gruForward(z, square(), slice));
        rejects("z" + message, () -> kernels.gruBackward(gates, square(), square(), square()));
        rejects("dhPrevious" + message, () -> kernels.gruBackward(z, square(), square(), slice));
        rejects("z" + message, () -> kernels.gruResetForward(gates, square()));
        rejects("z" + message, () -> kernels.gruMixForward(gates, square(), square()));
        rejects("h" + message, () -> kernels.gruMixForward(z, square(), slice));
        rejects("z" + message, () -> kernels.gruMixBackward(gates, square(), square(), square()));
        rejects("dhPrevious" + message, () -> kernels.gruMixBackward(z, square(), square(), slice));
        rejects("z" + message, () -> kernels.gruResetBackward(gates, square(), square(), square()));
        rejects("dhPrevious" + message, () -> kernels.gruResetBackward(z, square(), square(), slice));
    }

    private static Slice column(int rows) {
        return Slice.of(new float[rows], 0, rows, 1, 1);
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

    @Test
    void wrongShapesOfRows() {
        Slice x = Slice.of(new float[12], 0, 3, 4, 4);
        Slice y = Slice.of(new float[12], 0, 4, 3, 3);
        Slice four = Slice.of(new float[4]);
        Slice three = Slice.of(new float[3]);
        Slice pairs = Slice.of(new float[6], 0, 3, 2, 2);
        rejects("sums: expected (1, 4), got (1, 3)", () -> kernels.columnSums(x, three));
        rejects("gain: expected (1, 4), got (1, 3)", () -> kernels.layerNormForward(x, three, four, 0f, x, pairs));
        rejects("bias: expected (1, 4), got (1, 3)", () -> kernels.layerNormForward(x, four, three, 0f, x, pairs));
        rejects("y: expected (3, 4), got (4, 3)", () -> kernels.layerNormForward(x, four, four, 0f, y, pairs));
        rejects("statistics: expected (3, 2), got (1, 4)",
                () -> kernels.layerNormForward(x, four, four, 0f, x, four));
        Slice none = Slice.of(new float[0], 0, 3, 0, 0);
        rejects("x: expected at least 1 column, got (3, 0)",
                () -> kernels.layerNormForward(none, none, none, 0f, none, pairs));
        rejects("statistics: expected (3, 2), got (1, 4)",
                () -> kernels.layerNormBackward(x, four, four, x, x, four, four));
        rejects("dx: expected (3, 4), got (4, 3)",
                () -> kernels.layerNormBackward(x, four, pairs, x, y, four, four));
        rejects("dy: expected (3, 4), got (4, 3)",
                () -> kernels.layerNormBackward(x, four, pairs, y, x, four, four));
        rejects("dGain: expected (1, 4), got (1, 3)",
                () -> kernels.layerNormBackward(x, four, pairs, x, x, three, four));
        rejects("dBias: expected (1, 4), got (1, 3)",
                () -> kernels.layerNormBackward(x, four, pairs, x, x, Slice.of(new float[4]), three));
        rejects("losses: expected (3, 1), got (1, 3)", () -> kernels.crossEntropyForward(x, Indices.of(3), three));
        rejects("losses: expected (3, 1), got (1, 3)", () -> kernels.squaredError(x, rows(3, 4), three, 1f, 1f));
        rejects("target: expected (3, 4), got (4, 3)", () -> kernels.squaredError(x, y, column(3), 1f, 1f));
        rejects("targets: expected 3, got 2", () -> kernels.crossEntropyForward(x, Indices.of(2), column(3)));
        rejects("targets: expected 3, got 2", () -> kernels.crossEntropyBackward(x, Indices.of(2), 1f));
        rejects("out: expected (2, 3), got (3, 4)", () -> kernels.gather(y, Indices.of(2), x));
        rejects("x: expected (2, 3), got (3, 4)", () -> kernels.scatterAdd(x, Indices.of(2), y));
    }

    private static Slice rows(int rows, int columns) {
        return Slice.of(new float[rows * columns], 0, rows, columns, columns);
    }

    @Test
    void wrongShapesOfCells() {
        Slice x = rows(3, 4);
        Slice y = rows(4, 3);
        Slice z = rows(3, 16);
        rejects("h: expected (3, 4), got (4, 3)", () -> kernels.rnnForward(Activation.TANH, x, y));
        rejects("dh: expected (3, 4), got (4, 3)", () -> kernels.rnnBackward(Activation.TANH, x, y, x));
        rejects("dz: expected (3, 4), got (4, 3)", () -> kernels.rnnBackward(Activation.TANH, x, x, y));
        rejects("z: expected (4, 12), got (3, 16)", () -> kernels.lstmForward(z, x, x, y));
        rejects("cPrevious: expected (3, 4), got (4, 3)", () -> kernels.lstmForward(z, y, rows(3, 4), x));
        rejects("c: expected (3, 4), got (4, 3)", () -> kernels.lstmForward(z, rows(3, 4), y, x));
        rejects("z: expected (4, 12), got (3, 16)", () -> kernels.lstmBackward(z, x, y, x, x));
        rejects("cPrevious: expected (3, 4), got (4, 3)", () -> kernels.lstmBackward(z, y, x, x, x));
        rejects("dh: expected (3, 4), got (4, 3)", () -> kernels.lstmBackward(z, x, x, y, x));
        rejects("dc: expected (3, 4), got (4, 3)", () -> kernels.lstmBackward(z, x, x, x, y));
        rejects("z: expected (4, 12), got (3, 16)", () -> kernels.gruForward(z, x, y));
        rejects("hPrevious: expected (3, 4), got (4, 3)", () -> kernels.gruForward(z, y, x));
        rejects("z: expected (4, 12), got (3, 16)", () -> kernels.gruResetForward(z, y));
        rejects("hPrevious: expected (3, 4), got (4, 3)", () -> kernels.gruMixForward(z, y, x));
        rejects("z: expected (4, 12), got (3, 16)", () -> kernels.gruBackward(z, x, y, x));
        rejects("hPrevious: expected (3, 4), got (4, 3)", () -> kernels.gruMixBackward(z, y, x, x));
        rejects("dhPrevious: expected (3, 4), got (4, 3)", () -> kernels.gruResetBackward(z, x, x, y));
    }

    @Test
    void indicesOutsideAreRejectedBeforeAnythingIsWritten() {
        float[] array = {1, 2, 3, 4, 5, 6};
        Slice x = Slice.of(array, 0, 3, 2, 2);
        for (int wrong : new int[] {-1, 2, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            Indices indices = Indices.of(1, 0, wrong);
            String message = "[2]: expected 0..1, got " + wrong;
            fails(IndexOutOfBoundsException.class, "targets" + message,
                    () -> kernels.crossEntropyForward(x, indices, column(3)));
            fails(IndexOutOfBoundsException.class, "targets" + message,
                    () -> kernels.crossEntropyBackward(x, indices, 1f));
            fails(IndexOutOfBoundsException.class, "indices" + message,
                    () -> kernels.gather(rows(2, 2), indices, x));
            fails(IndexOutOfBoundsException.class, "indices" + message,
                    () -> kernels.scatterAdd(rows(3, 4), indices, rows(2, 4)));
        }
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, array);
    }

    @Test
    void indicesFromASegment() {
        MemorySegment tokens = MemorySegment.ofArray(new int[] {7, 0, 1, 1});
        Indices indices = Indices.of(3);
        indices.copyFrom(tokens, 4);
        float[] out = new float[6];
        kernels.gather(Slice.of(new float[] {1, 2, 3, 4}, 0, 2, 2, 2), indices, Slice.of(out, 0, 3, 2, 2));
        assertArrayEquals(new float[] {1, 2, 3, 4, 3, 4}, out);
        assertThrows(IndexOutOfBoundsException.class, () -> indices.copyFrom(tokens, 8));
        Arena arena = Arena.ofShared();
        MemorySegment closed = arena.allocate(12, 4);
        arena.close();
        assertThrows(IllegalStateException.class, () -> indices.copyFrom(closed, 0));
    }

    @Test
    void indicesThatChangeMeanwhile() throws InterruptedException {
        Indices indices = Indices.of(1000);
        AtomicBoolean done = new AtomicBoolean();
        Thread thread = Thread.ofPlatform().start(() -> {
            while (!done.get()) {
                indices.set(999, Integer.MAX_VALUE);
                indices.set(999, 0);
            }
        });
        try {
            Slice rows = rows(1000, 4);
            Slice table = rows(3, 4);
            for (int i = 0; i < 300; i++) {
                mayFail(() -> kernels.gather(table, indices, rows));
                mayFail(() -> kernels.scatterAdd(rows, indices, table));
                mayFail(() -> kernels.crossEntropyForward(rows, indices, column(1000)));
                mayFail(() -> kernels.crossEntropyBackward(rows, indices, 1f));
            }
        } finally {
            done.set(true);
            thread.join();
        }
    }

    private static void mayFail(Runnable call) {
        try {
            call.run();
        } catch (IndexOutOfBoundsException e) {
            assertTrue(e.getMessage() != null);
        }
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
    void overlapsOfRowsAreRejected() {
        MemorySegment memory = MemorySegment.ofArray(new float[100]);
        Slice x = Slice.of(memory, 0, 4, 4, 4);
        Slice shifted = Slice.of(memory, 4, 4, 4, 4);
        Slice row = Slice.of(memory, 16, 1, 4, 4);
        Slice other = Slice.of(new float[4]);
        Slice statistics = Slice.of(new float[8], 0, 4, 2, 2);
        Slice pairs = Slice.of(memory, 0, 4, 2, 4);
        Slice losses = Slice.of(memory, 0, 4, 1, 4);
        rejects("sums: overlaps x", () -> kernels.columnSums(x, row));
        rejects("y: overlaps x, of which it is not the same part",
                () -> kernels.layerNormForward(x, other, other, 0f, shifted, statistics));
        rejects("y: overlaps gain", () -> kernels.layerNormForward(rows(4, 4), row, other, 0f, x, statistics));
        rejects("y: overlaps bias", () -> kernels.layerNormForward(rows(4, 4), other, row, 0f, x, statistics));
        rejects("statistics: overlaps x", () -> kernels.layerNormForward(x, other, other, 0f, rows(4, 4), pairs));
        rejects("statistics: overlaps y", () -> kernels.layerNormForward(rows(4, 4), other, other, 0f, x, pairs));
        rejects("statistics: overlaps gain",
                () -> kernels.layerNormForward(rows(4, 4), row, other, 0f, rows(4, 4), pairs));
        rejects("statistics: overlaps bias",
                () -> kernels.layerNormForward(rows(4, 4), other, row, 0f, rows(4, 4), pairs));
        rejects("dx: overlaps x, of which it is not the same part",
                () -> kernels.layerNormBackward(x, other, statistics, rows(4, 4), shifted, other, other));
        rejects("dx: overlaps dy, of which it is not the same part",
                () -> kernels.layerNormBackward(rows(4, 4), other, statistics, x, shifted, other, other));
        rejects("dx: overlaps statistics",
                () -> kernels.layerNormBackward(rows(4, 4), other, pairs, rows(4, 4), x, other, other));
        rejects("dx: overlaps gain",
                () -> kernels.layerNormBackward(rows(4, 4), row, statistics, rows(4, 4), x, other, other));
        rejects("dGain: overlaps gain",
                () -> kernels.layerNormBackward(x, other, statistics, x, x, other, Slice.of(new float[4])));
        rejects("dGain: overlaps dx", () -> kernels.layerNormBackward(rows(4, 4), other, statistics,
                rows(4, 4), x, row, Slice.of(new float[4])));
        Slice same = Slice.of(new float[4]);
        rejects("dBias: overlaps dGain", () -> kernels.layerNormBackward(x, other, statistics, x, x, same, same));
        rejects("losses: overlaps x", () -> kernels.crossEntropyForward(x, Indices.of(4), losses));
        rejects("losses: overlaps y", () -> kernels.squaredError(x, rows(4, 4), losses, 1f, 1f));
        rejects("losses: overlaps target", () -> kernels.squaredError(rows(4, 4), x, losses, 1f, 1f));
        rejects("y: overlaps target", () -> kernels.squaredError(x, x, column(4), 1f, 1f));
        rejects("out: overlaps table", () -> kernels.gather(x, Indices.of(4), shifted));
        rejects("table: overlaps x", () -> kernels.scatterAdd(x, Indices.of(4), shifted));
    }

    @Test
    void misuseOfOptimisers() {
        MemorySegment memory = MemorySegment.ofArray(new float[100]);
        Slice x = Slice.of(memory, 0, 4, 4, 4);
        Slice shifted = Slice.of(memory, 4, 4, 4, 4);
        Slice taller = rows(5, 4);
        Slice readOnly = Slice.of(memory.asReadOnly(), 0, 4, 4, 4);
        String message = ": expected memory that can be written, got a read-only segment";
        rejects("w" + message, () -> kernels.adam(readOnly, rows(4, 4), rows(4, 4), rows(4, 4), ADAM));
        rejects("m" + message, () -> kernels.adam(rows(4, 4), rows(4, 4), readOnly, rows(4, 4), ADAM));
        rejects("v" + message, () -> kernels.adam(rows(4, 4), rows(4, 4), rows(4, 4), readOnly, ADAM));
        rejects("w" + message, () -> kernels.sgd(readOnly, rows(4, 4), rows(4, 4), 1f, 1f, 1f));
        rejects("v" + message, () -> kernels.sgd(rows(4, 4), rows(4, 4), readOnly, 1f, 1f, 1f));
        rejects("dw: expected (4, 4), got (5, 4)", () -> kernels.adam(x, taller, rows(4, 4), rows(4, 4), ADAM));
        rejects("m: expected (4, 4), got (5, 4)", () -> kernels.adam(x, rows(4, 4), taller, rows(4, 4), ADAM));
        rejects("v: expected (4, 4), got (5, 4)", () -> kernels.adam(x, rows(4, 4), rows(4, 4), taller, ADAM));
        rejects("v: expected (4, 4), got (5, 4)", () -> kernels.sgd(x, rows(4, 4), taller, 1f, 1f, 1f));
        rejects("w: overlaps dw", () -> kernels.adam(x, shifted, rows(4, 4), rows(4, 4), ADAM));
        rejects("m: overlaps w", () -> kernels.adam(x, rows(4, 4), x, rows(4, 4), ADAM));
        rejects("v: overlaps dw", () -> kernels.adam(rows(4, 4), x, rows(4, 4), x, ADAM));
        rejects("v: overlaps m", () -> kernels.adam(rows(4, 4), rows(4, 4), x, shifted, ADAM));
        rejects("v: overlaps w", () -> kernels.sgd(x, rows(4, 4), x, 1f, 1f, 1f));
    }

    @Test
    void overlapsOfCellsAreRejected() {
        MemorySegment memory = MemorySegment.ofArray(new float[400]);
        Slice x = Slice.of(memory, 0, 4, 4, 16);
        Slice shifted = Slice.of(memory, 4, 4, 4, 16);
        Slice z = Slice.of(memory, 0, 4, 16, 16);
        Slice gates = rows(4, 16);
        String same = ", of which it is not the same part";
        rejects("h: overlaps z" + same, () -> kernels.rnnForward(Activation.TANH, x, shifted));
        rejects("dz: overlaps h", () -> kernels.rnnBackward(Activation.TANH, x, rows(4, 4), shifted));
        rejects("dz: overlaps dh", () -> kernels.rnnBackward(Activation.TANH, rows(4, 4), x, shifted));
        rejects("z: overlaps cPrevious", () -> kernels.lstmForward(z, x, rows(4, 4), rows(4, 4)));
        rejects("z: overlaps c", () -> kernels.lstmForward(z, rows(4, 4), x, rows(4, 4)));
        rejects("z: overlaps h", () -> kernels.lstmForward(z, rows(4, 4), rows(4, 4), x));
        rejects("c: overlaps cPrevious" + same, () -> kernels.lstmForward(gates, x, shifted, rows(4, 4)));
        rejects("h: overlaps cPrevious", () -> kernels.lstmForward(gates, x, rows(4, 4), x));
        rejects("h: overlaps c", () -> kernels.lstmForward(gates, rows(4, 4), x, x));
        rejects("z: overlaps cPrevious", () -> kernels.lstmBackward(z, x, rows(4, 4), rows(4, 4), rows(4, 4)));
        rejects("z: overlaps c", () -> kernels.lstmBackward(z, rows(4, 4), x, rows(4, 4), rows(4, 4)));
        rejects("z: overlaps dh", () -> kernels.lstmBackward(z, rows(4, 4), rows(4, 4), x, rows(4, 4)));
        rejects("z: overlaps dc", () -> kernels.lstmBackward(z, rows(4, 4), rows(4, 4), rows(4, 4), x));
        rejects("dc: overlaps cPrevious", () -> kernels.lstmBackward(gates, x, rows(4, 4), rows(4, 4), x));
        rejects("dc: overlaps c", () -> kernels.lstmBackward(gates, rows(4, 4), x, rows(4, 4), x));
        rejects("dc: overlaps dh", () -> kernels.lstmBackward(gates, rows(4, 4), rows(4, 4), x, x));
        rejects("z: overlaps hPrevious", () -> kernels.gruForward(z, x, rows(4, 4)));
        rejects("z: overlaps h", () -> kernels.gruMixForward(z, rows(4, 4), x));
        rejects("h: overlaps hPrevious" + same, () -> kernels.gruForward(gates, x, shifted));
        rejects("z: overlaps hPrevious", () -> kernels.gruResetForward(z, x));
        rejects("z: overlaps hPrevious", () -> kernels.gruBackward(z, x, rows(4, 4), rows(4, 4)));
        rejects("z: overlaps dh", () -> kernels.gruMixBackward(z, rows(4, 4), x, rows(4, 4)));
        rejects("z: overlaps ds", () -> kernels.gruResetBackward(z, rows(4, 4), x, rows(4, 4)));
        rejects("z: overlaps dhPrevious", () -> kernels.gruBackward(z, rows(4, 4), rows(4, 4), x));
        rejects("dhPrevious: overlaps hPrevious", () -> kernels.gruBackward(gates, x, rows(4, 4), x));
        rejects("dhPrevious: overlaps ds", () -> kernels.gruResetBackward(gates, rows(4, 4), x, shifted));
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
