package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.in;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.loadInts;
import static dev.ostinato.kernels.vector.Lanes.loadShorts;
import static dev.ostinato.kernels.vector.Lanes.store;
import static dev.ostinato.kernels.vector.VectorProducts.outputOffset;
import static dev.ostinato.kernels.vector.VectorProducts.vectors;

import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.raw.Pool;
import dev.ostinato.kernels.raw.Raw;
import dev.ostinato.kernels.scalar.Quantization;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows and weights of eight bits. A word of four levels is taken apart into two pairs of shorts; the sum of two products of levels is at
 * most 2 * 127 * 127 and so still fits a short, which makes two multiplications per word instead of four. Pairs of a are taken apart
 * beforehand.
 */
final class VectorInt8 {
    /** Rows whose pairs are made at a time: a panel of weights passes by all of them before the next. */
    private static final int ROWS_AT_A_TIME = 16;

    /** Vectors in a tile. Only an addition waits for the word before, so that four sums are enough. */
    private static final int TILE = 4;

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
        IntVector largest = IntVector.zero(Lanes.INTS);
        int k = 0;
        for (; k + Lanes.COUNT <= columns; k += Lanes.COUNT) {
            largest = largest.max(loadInts(in(x) + (long) k * Float.BYTES).and(Integer.MAX_VALUE));
        }
        int most = largest.reduceLanes(VectorOperators.MAX);
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
        FloatVector factors = Lanes.broadcast(factor);
        FloatVector round = Lanes.broadcast(Quantization.ROUND);
        int k = 0;
        for (; k + Lanes.COUNT <= columns; k += Lanes.COUNT) {
            IntVector bits = load(in(x) + (long) k * Float.BYTES).fma(factors, round).reinterpretAsInts();
            ((ByteVector) bits.convertShape(VectorOperators.I2B, LEVELS, 0)).intoMemorySegment(Raw.ALL, in(levels) + k,
                    ByteOrder.nativeOrder());
        }
        return k;
    }

    static void multiplyAdd(QuantizedRows a, Int8Matrix w, Matrix out) {
        int rowsAtATime = Math.min(ROWS_AT_A_TIME, a.rows());
        long pairBytes = a.stride();
        Memory scratch = scratch(2 * pairBytes * rowsAtATime + TILE * BYTES);
        long sums = scratch.address();
        long pairs = sums + TILE * BYTES;
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

    private static Memory scratch(long bytes) {
        Memory scratch = SCRATCH.take();
        return scratch.byteSize() < bytes ? Memory.allocate(bytes) : scratch;
    }

    /** Widens levels to shorts: those of even places to {@code pairs}, those of odd ones {@code pairBytes} on. */
    private static void takeApart(long levels, long pairBytes, long pairs) {
        for (long i = 0; i < pairBytes; i += BYTES) {
            ShortVector bytes = loadShorts(in(levels) + i).lanewise(VectorOperators.XOR, SIGNS);
            store(even(bytes), in(pairs) + i);
            store(odd(bytes), in(pairs + pairBytes) + i);
        }
    }

    private static ShortVector even(ShortVector bytes) {
        return bytes.lanewise(VectorOperators.LSHL, Byte.SIZE).lanewise(VectorOperators.ASHR, Byte.SIZE);
    }

    private static ShortVector odd(ShortVector bytes) {
        return bytes.lanewise(VectorOperators.ASHR, Byte.SIZE);
    }

    private static void multiplyAddPanel(long pairs, long pairBytes, float rowScale, Int8Matrix w, int panel, long out,
            long sums) {
        PackedMatrix words = w.words();
        int vectors = vectors(words, panel);
        long step = vectors * BYTES;
        int v = 0;
        while (v < vectors) {
            long from = words.panelAddress(panel) + v * BYTES;
            int width = v + TILE <= vectors ? TILE : 1;
            if (width == TILE) {
                four(pairs, pairBytes, from, step, words.inputs(), sums);
            } else {
                one(pairs, pairBytes, from, step, words.inputs(), sums);
            }
            for (int i = 0; i < width; i++, v++) {
                long offset = outputOffset(words, panel, v);
                finish(sums + i * BYTES, rowScale, w.scales().address() + offset, out + offset);
            }
        }
    }

    /** {@code out = fma((float) sum, rowScale * scale, out)}. */
    private static void finish(long sum, float rowScale, long scale, long out) {
        FloatVector s = (FloatVector) loadInts(sum).convertShape(VectorOperators.I2F, Lanes.SPECIES, 0);
        store(s.fma(load(scale).mul(rowScale), load(out)), out);
    }

    /** The sums of four vectors over {@code count} words. */
    private static void four(long pairs, long pairBytes, long b, long bStep, int count, long sums) {
        IntVector s0 = IntVector.zero(Lanes.INTS);
        IntVector s1 = IntVector.zero(Lanes.INTS);
        IntVector s2 = IntVector.zero(Lanes.INTS);
        IntVector s3 = IntVector.zero(Lanes.INTS);
        for (long end = b + count * bStep; b != end; b += bStep) {
            ShortVector x = splatPair(pairs);
            ShortVector y = splatPair(pairs + pairBytes);
            long q = in(b);
            s0 = addBoth(s0, products(x, y, loadShorts(q)));
            s1 = addBoth(s1, products(x, y, loadShorts(q + BYTES)));
            s2 = addBoth(s2, products(x, y, loadShorts(q + 2 * BYTES)));
            s3 = addBoth(s3, products(x, y, loadShorts(q + 3 * BYTES)));
            pairs += Integer.BYTES;
        }
        store(s0, sums);
        store(s1, sums + BYTES);
        store(s2, sums + 2 * BYTES);
        store(s3, sums + 3 * BYTES);
    }

    /** The sums of one vector over {@code count} words. */
    private static void one(long pairs, long pairBytes, long b, long bStep, int count, long sums) {
        IntVector s = IntVector.zero(Lanes.INTS);
        for (long end = b + count * bStep; b != end; b += bStep) {
            s = addBoth(s, products(splatPair(pairs), splatPair(pairs + pairBytes), loadShorts(in(b))));
            pairs += Integer.BYTES;
        }
        store(s, sums);
    }

    private static ShortVector splatPair(long pair) {
        return IntVector.broadcast(Lanes.INTS, Raw.getInt(in(pair), 0)).reinterpretAsShorts();
    }

    private static ShortVector products(ShortVector x, ShortVector y, ShortVector bytes) {
        return even(bytes).mul(x).add(odd(bytes).mul(y));
    }

    /** Adds both shorts of each lane. */
    private static IntVector addBoth(IntVector sum, ShortVector pairs) {
        IntVector both = pairs.reinterpretAsInts();
        IntVector low = both.lanewise(VectorOperators.LSHL, Short.SIZE).lanewise(VectorOperators.ASHR, Short.SIZE);
        return sum.add(low.add(both.lanewise(VectorOperators.ASHR, Short.SIZE)));
    }
}
