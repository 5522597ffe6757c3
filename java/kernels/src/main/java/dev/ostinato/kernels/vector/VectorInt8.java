package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.INTS;
import static dev.ostinato.kernels.vector.Lanes.INT_VECTOR;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SHORTS;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static dev.ostinato.kernels.vector.Lanes.in;
import static dev.ostinato.kernels.vector.VectorProducts.outputOffset;
import static dev.ostinato.kernels.vector.VectorProducts.vectors;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2B;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.MAX;
import static jdk.incubator.vector.VectorOperators.XOR;

import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.raw.Pool;
import dev.ostinato.kernels.raw.Raw;
import dev.ostinato.kernels.scalar.Quantization;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows and weights of eight bits. A word of four levels is taken apart into two pairs of shorts; the sum of two products of levels is at
 * most 2 * 127 * 127 and so still fits a short, which makes two multiplications per word instead of four. Pairs of a are taken apart
 * beforehand. The loops call the Vector API without helpers in between, for the reason that {@link VectorGates} gives.
 */
final class VectorInt8 {
    /** Rows whose pairs are made at a time: a panel of weights passes by all of them before the next. */
    static final int ROWS_AT_A_TIME = 16;

    /** Vectors in a tile. Only an addition waits for the word before, so that four sums are enough. */
    private static final int TILE = 4;

    static final long TILE_BYTES = TILE * BYTES;

    /** Levels as they are stored differ from signed bytes in the highest bit. */
    private static final short SIGNS = (short) 0x8080;

    /** Bytes of as many lanes as a vector of floats; there are none of four. */
    private static final VectorSpecies<Byte> LEVELS =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, Lanes.COUNT * Byte.SIZE)));

    /** Pairs of some rows, after the sums of a tile; grown by who needs more. */
    private static final Pool<Memory> SCRATCH = new Pool<>(() -> Memory.allocate(1 << 16));

    private VectorInt8() {
    }

    /** Quantises one row. */
    static void quantize(Scaling scaling, long x, int columns, long levels, long scaleAddress) {
        float m = Float.intBitsToFloat(largestMagnitude(x, columns));
        float scale = Quantization.scale(scaling, m);
        Raw.set(scaleAddress, 0, scale);
        if (Float.isNaN(scale)) {
            for (int k = 0; k < columns; k++) {
                Raw.setByte(levels, k, QuantizedRows.ZERO);
            }
            return;
        }
        float factor = Quantization.factor(scaling, m);
        for (int k = quantizeVectors(x, columns, levels, factor); k < columns; k++) {
            Raw.setByte(levels, k, Quantization.storedLevel(Raw.get(x, k), factor));
        }
    }

    /** Returns the bits of the largest magnitude; NaN is larger than any number. */
    private static int largestMagnitude(long x, int columns) {
        IntVector largest = IntVector.zero(INTS);
        int k = 0;
        for (; k + Lanes.COUNT <= columns; k += Lanes.COUNT) {
            IntVector bits = IntVector.fromMemorySegment(INTS, ALL, in(x) + (long) k * Float.BYTES, ORDER);
            largest = largest.max(bits.and(Integer.MAX_VALUE));
        }
        int most = largest.reduceLanes(MAX);
        for (; k < columns; k++) {
            most = Math.max(most, Raw.getInt(x, k) & Integer.MAX_VALUE);
        }
        return most;
    }

    /** Returns how many columns it has done: as many whole vectors as there are. */
    private static int quantizeVectors(long x, int columns, long levels, float factor) {
        if (LEVELS.length() != Lanes.COUNT) {
            return 0;
        }
        FloatVector factors = FloatVector.broadcast(SPECIES, factor);
        FloatVector round = FloatVector.broadcast(SPECIES, Quantization.ROUND);
        int k = 0;
        for (; k + Lanes.COUNT <= columns; k += Lanes.COUNT) {
            FloatVector rounded = FloatVector.fromMemorySegment(SPECIES, ALL, in(x) + (long) k * Float.BYTES, ORDER)
                    .fma(factors, round);
            ((ByteVector) rounded.reinterpretAsInts().convertShape(I2B, LEVELS, 0)).intoMemorySegment(ALL,
                    in(levels) + k, ORDER);
        }
        return k;
    }

    static void multiplyAdd(QuantizedRows a, Int8Matrix w, Matrix out) {
        int rowsAtATime = Math.min(ROWS_AT_A_TIME, a.rows());
        long pairBytes = a.stride();
        Memory scratch = scratch(2 * pairBytes * rowsAtATime + TILE_BYTES);
        long sums = scratch.address();
        long pairs = sums + TILE_BYTES;
        for (int row = 0; row < a.rows(); row += ROWS_AT_A_TIME) {
            int rows = Math.min(ROWS_AT_A_TIME, a.rows() - row);
            for (int r = 0; r < rows; r++) {
                takeApart(a.rowAddress(row + r), pairBytes, pairs + 2L * r * pairBytes);
            }
            for (int panel = 0; panel < w.words().panels(); panel++) {
                for (int r = 0; r < rows; r++) {
                    multiplyAddPanel(pairs + 2L * r * pairBytes, pairBytes, Raw.get(a.scalesAddress(), row + r), w,
                            panel, out.rowAddress(row + r), sums);
                }
            }
        }
        SCRATCH.give(scratch);
    }

    // A row for a step: its levels, the pairs of them, and its scale

    /** Returns the bytes that a row takes. */
    static long rowBytes(int columns) {
        return 3 * pairBytes(columns) + Memory.ALIGNMENT;
    }

    private static long pairBytes(int columns) {
        return Matrix.padded(Math.ceilDiv(columns, Float.BYTES)) * (long) Float.BYTES;
    }

    /** Makes such a row. */
    static void prepareRow(Scaling scaling, long x, int columns, long row) {
        long pairBytes = pairBytes(columns);
        quantize(scaling, x, columns, row, row + 3 * pairBytes);
        takeApart(row, pairBytes, row + pairBytes);
    }

    /** One panel and such a row; {@code sums} is room for {@link #TILE_BYTES}. */
    static void multiplyAddRow(long row, Int8Matrix w, int panel, long out, long sums) {
        long pairBytes = pairBytes(w.inputs());
        multiplyAddPanel(row + pairBytes, pairBytes, Raw.get(row + 3 * pairBytes), w, panel, out, sums);
    }

    private static Memory scratch(long bytes) {
        Memory scratch = SCRATCH.take();
        return scratch.byteSize() < bytes ? Memory.allocate(bytes) : scratch;
    }

    /** Widens levels to shorts: those of even places to {@code pairs}, those of odd ones {@code pairBytes} on. */
    private static void takeApart(long levels, long pairBytes, long pairs) {
        long odd = pairs + pairBytes;
        for (long i = 0; i < pairBytes; i += BYTES) {
            ShortVector bytes = ShortVector.fromMemorySegment(SHORTS, ALL, in(levels) + i, ORDER).lanewise(XOR, SIGNS);
            bytes.lanewise(LSHL, Byte.SIZE).lanewise(ASHR, Byte.SIZE).intoMemorySegment(ALL, in(pairs) + i, ORDER);
            bytes.lanewise(ASHR, Byte.SIZE).intoMemorySegment(ALL, in(odd) + i, ORDER);
        }
    }

    private static void multiplyAddPanel(long pairs, long pairBytes, float rowScale, Int8Matrix w, int panel, long out,
            long sums) {
        PackedMatrix words = w.words();
        int vectors = vectors(words, panel);
        long step = vectors * BYTES;
        int v = 0;
        while (v < vectors) {
            long from = words.panelAddress(panel) + v * BYTES;
            int width = vectors - v >= TILE ? TILE : vectors - v == 3 ? 3 : 1;
            switch (width) {
                case TILE -> four(pairs, pairBytes, from, step, words.inputs(), sums);
                case 3 -> three(pairs, pairBytes, from, step, words.inputs(), sums);
                default -> one(pairs, pairBytes, from, step, words.inputs(), sums);
            }
            for (int i = 0; i < width; i++, v++) {
                long offset = outputOffset(words, panel, v);
                finish(sums + i * BYTES, rowScale, w.scales().address() + offset, out + offset);
            }
        }
    }

    /** {@code out = fma((float) sum, rowScale * scale, out)}. */
    private static void finish(long sum, float rowScale, long scale, long out) {
        FloatVector s = (FloatVector) IntVector.fromMemorySegment(INTS, ALL, sum, ORDER).convertShape(I2F, SPECIES, 0);
        FloatVector scales = FloatVector.fromMemorySegment(SPECIES, ALL, scale, ORDER).mul(rowScale);
        s.fma(scales, FloatVector.fromMemorySegment(SPECIES, ALL, out, ORDER)).intoMemorySegment(ALL, out, ORDER);
    }

    /** The sums of four vectors over {@code count} words. */
    private static void four(long pairs, long pairBytes, long b, long bStep, int count, long sums) {
        IntVector s0 = IntVector.zero(INTS);
        IntVector s1 = IntVector.zero(INTS);
        IntVector s2 = IntVector.zero(INTS);
        IntVector s3 = IntVector.zero(INTS);
        long odd = pairs + pairBytes;
        for (long end = b + count * bStep; b != end; b += bStep) {
            ShortVector x = IntVector.broadcast(INTS, Raw.getInt(in(pairs), 0)).reinterpretAsShorts();
            ShortVector y = IntVector.broadcast(INTS, Raw.getInt(in(odd), 0)).reinterpretAsShorts();
            long q = in(b);
            ShortVector w = ShortVector.fromMemorySegment(SHORTS, ALL, q, ORDER);
            IntVector both = w.lanewise(LSHL, Byte.SIZE).lanewise(ASHR, Byte.SIZE).mul(x)
                    .add(w.lanewise(ASHR, Byte.SIZE).mul(y)).reinterpretAsInts();
            s0 = both.lanewise(LSHL, Short.SIZE).lanewise(ASHR, Short.SIZE)
                    .add(both.lanewise(ASHR, Short.SIZE)).add(s0);
            w = ShortVector.fromMemorySegment(SHORTS, ALL, q + BYTES, ORDER);
            both = w.lanewise(LSHL, Byte.SIZE).lanewise(ASHR, Byte.SIZE).mul(x)
                    .add(w.lanewise(ASHR, Byte.SIZE).mul(y)).reinterpretAsInts();
            s1 = both.lanewise(LSHL, Short.SIZE).lanewise(ASHR, Short.SIZE)
                    .add(both.lanewise(ASHR, Short.SIZE)).add(s1);
            w = ShortVector.fromMemorySegment(SHORTS, ALL, q + 2 * BYTES, ORDER);
            both = w.lanewise(LSHL, Byte.SIZE).lanewise(ASHR, Byte.SIZE).mul(x)
                    .add(w.lanewise(ASHR, Byte.SIZE).mul(y)).reinterpretAsInts();
            s2 = both.lanewise(LSHL, Short.SIZE).lanewise(ASHR, Short.SIZE)
                    .add(both.lanewise(ASHR, Short.SIZE)).add(s2);
            w = ShortVector.fromMemorySegment(SHORTS, ALL, q + 3 * BYTES, ORDER);
            both = w.lanewise(LSHL, Byte.SIZE).lanewise(ASHR, Byte.SIZE).mul(x)
                    .add(w.lanewise(ASHR, Byte.SIZE).mul(y)).reinterpretAsInts();
            s3 = both.lanewise(LSHL, Short.SIZE).lanewise(ASHR, Short.SIZE)
                    .add(both.lanewise(ASHR, Short.SIZE)).add(s3);
            pairs += Integer.BYTES;
            odd += Integer.BYTES;
        }
        INT_VECTOR.cast(s0).intoMemorySegment(ALL, sums, ORDER);
        INT_VECTOR.cast(s1).intoMemorySegment(ALL, sums + BYTES, ORDER);
        INT_VECTOR.cast(s2).intoMemorySegment(ALL, sums + 2 * BYTES, ORDER);
        INT_VECTOR.cast(s3).intoMemorySegment(ALL, sums + 3 * BYTES, ORDER);
    }

    /** The sums of three vectors. */
    private static void three(long pairs, long pairBytes, long b, long bStep, int count, long sums) {
        IntVector s0 = IntVector.zero(INTS);
        IntVector s1 = IntVector.zero(INTS);
        IntVector s2 = IntVector.zero(INTS);
        long odd = pairs + pairBytes;
        for (long end = b + count * bStep; b != end; b += bStep) {
            ShortVector x = IntVector.broadcast(INTS, Raw.getInt(in(pairs), 0)).reinterpretAsShorts();
            ShortVector y = IntVector.broadcast(INTS, Raw.getInt(in(odd), 0)).reinterpretAsShorts();
            long q = in(b);
            ShortVector w = ShortVector.fromMemorySegment(SHORTS, ALL, q, ORDER);
            IntVector both = w.lanewise(LSHL, Byte.SIZE).lanewise(ASHR, Byte.SIZE).mul(x)
                    .add(w.lanewise(ASHR, Byte.SIZE).mul(y)).reinterpretAsInts();
            s0 = both.lanewise(LSHL, Short.SIZE).lanewise(ASHR, Short.SIZE)
                    .add(both.lanewise(ASHR, Short.SIZE)).add(s0);
            w = ShortVector.fromMemorySegment(SHORTS, ALL, q + BYTES, ORDER);
            both = w.lanewise(LSHL, Byte.SIZE).lanewise(ASHR, Byte.SIZE).mul(x)
                    .add(w.lanewise(ASHR, Byte.SIZE).mul(y)).reinterpretAsInts();
            s1 = both.lanewise(LSHL, Short.SIZE).lanewise(ASHR, Short.SIZE)
                    .add(both.lanewise(ASHR, Short.SIZE)).add(s1);
            w = ShortVector.fromMemorySegment(SHORTS, ALL, q + 2 * BYTES, ORDER);
            both = w.lanewise(LSHL, Byte.SIZE).lanewise(ASHR, Byte.SIZE).mul(x)
                    .add(w.lanewise(ASHR, Byte.SIZE).mul(y)).reinterpretAsInts();
            s2 = both.lanewise(LSHL, Short.SIZE).lanewise(ASHR, Short.SIZE)
                    .add(both.lanewise(ASHR, Short.SIZE)).add(s2);
            pairs += Integer.BYTES;
            odd += Integer.BYTES;
        }
        INT_VECTOR.cast(s0).intoMemorySegment(ALL, sums, ORDER);
        INT_VECTOR.cast(s1).intoMemorySegment(ALL, sums + BYTES, ORDER);
        INT_VECTOR.cast(s2).intoMemorySegment(ALL, sums + 2 * BYTES, ORDER);
    }

    /** The sums of one vector. */
    private static void one(long pairs, long pairBytes, long b, long bStep, int count, long sums) {
        IntVector s0 = IntVector.zero(INTS);
        long odd = pairs + pairBytes;
        for (long end = b + count * bStep; b != end; b += bStep) {
            ShortVector x = IntVector.broadcast(INTS, Raw.getInt(in(pairs), 0)).reinterpretAsShorts();
            ShortVector y = IntVector.broadcast(INTS, Raw.getInt(in(odd), 0)).reinterpretAsShorts();
            long q = in(b);
            ShortVector w = ShortVector.fromMemorySegment(SHORTS, ALL, q, ORDER);
            IntVector both = w.lanewise(LSHL, Byte.SIZE).lanewise(ASHR, Byte.SIZE).mul(x)
                    .add(w.lanewise(ASHR, Byte.SIZE).mul(y)).reinterpretAsInts();
            s0 = both.lanewise(LSHL, Short.SIZE).lanewise(ASHR, Short.SIZE)
                    .add(both.lanewise(ASHR, Short.SIZE)).add(s0);
            pairs += Integer.BYTES;
            odd += Integer.BYTES;
        }
        INT_VECTOR.cast(s0).intoMemorySegment(ALL, sums, ORDER);
    }
}
