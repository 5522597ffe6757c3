package dev.ostinato.tests;

import dev.ostinato.kernels.Bf16Matrix;
import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Int8Matrix;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.PackedWeights;
import dev.ostinato.kernels.QuantizedRows;
import dev.ostinato.kernels.Scaling;
import dev.ostinato.kernels.Sweep;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import java.util.random.RandomGenerator;

/**
 * The operands of one call. Two instances with the same seed, asked for the same operands, hold the same bits at the same offsets: one
 * serves the expected call, the other the actual one, and {@link #differences} compares what became of them. Every operand lies inside
 * memory that holds {@link Inputs#margin}, aligned or at an odd offset, with rows packed or apart.
 */
final class Operands {
    /** Floats before and behind each operand: more than a block, so that the widest stray access stays inside. */
    private static final int MARGIN = 3 * Matrix.BLOCK;

    private final Inputs inputs;
    private final RandomGenerator random;
    private final List<Operand> all = new ArrayList<>();
    private final List<Float> results = new ArrayList<>();

    Operands(Inputs inputs, long seed) {
        this.inputs = inputs;
        this.random = new SplittableRandom(seed);
    }

    /** Returns a matrix that is only read. */
    Matrix input(String name, int rows, int columns) {
        return matrix(name, rows, columns, false, index -> randomBits());
    }

    /** Returns a matrix that is only read, element {@code row * columns + column} having the bits that a function gives. */
    Matrix input(String name, int rows, int columns, IntUnaryOperator bits) {
        return matrix(name, rows, columns, false, bits);
    }

    /** Returns a matrix that is read and written. */
    Matrix updated(String name, int rows, int columns) {
        return matrix(name, rows, columns, true, index -> randomBits());
    }

    /** Returns a matrix that is overwritten; until then it holds what the margins hold. */
    Matrix output(String name, int rows, int columns) {
        return matrix(name, rows, columns, true, index -> inputs.margin);
    }

    /** Returns output rows {@code [gate][padded units]} of {@code w} that are only read, 0 in the padding. */
    Matrix gateInput(String name, int rows, PackedMatrix w) {
        return matrix(name, rows, w.outputs(), false, padded(w));
    }

    /** Returns output rows {@code [gate][padded units]} of {@code w} that are read and written, 0 in the padding. */
    Matrix gateUpdated(String name, int rows, PackedMatrix w) {
        return matrix(name, rows, w.outputs(), true, padded(w));
    }

    private IntUnaryOperator padded(PackedMatrix w) {
        return index -> index % w.outputs() % Matrix.padded(w.units()) < w.units() ? randomBits() : 0;
    }

    /** Returns weights that are only read. */
    PackedMatrix weights(String name, int count, int gates, int units) {
        return packed(name, count, gates, units, false);
    }

    /** Returns weights that are read and written. */
    PackedMatrix weightsUpdated(String name, int count, int gates, int units) {
        return packed(name, count, gates, units, true);
    }

    /** Returns bfloat16 weights, which are only read: a matrix alone, or the first or second of a pair. */
    Bf16Matrix bf16(String name, int count, int gates, int units) {
        PackedMatrix w = packed(name, count, gates, units, false);
        PackedMatrix other = PackedMatrix.of(1 + random.nextInt(5), gates, units);
        Bf16Matrix matrix = switch (random.nextInt(3)) {
            case 0 -> Bf16Matrix.of(w);
            case 1 -> Bf16Matrix.pair(w, other)[0];
            default -> Bf16Matrix.pair(other, w)[1];
        };
        unwritten(name, matrix.words().memory());
        return matrix;
    }

    /** Returns weights of eight bits, which are only read: a matrix alone, or the first or second of a pair. */
    Int8Matrix int8(String name, int count, int gates, int units) {
        PackedMatrix w = packed(name, count, gates, units, false);
        PackedMatrix other = PackedMatrix.of(1 + random.nextInt(5), gates, units);
        for (int k = 0; k < count * gates * units; k++) {
            float weight = w.get(k / (gates * units), k / units % gates, k % units);
            w.set(k / (gates * units), k / units % gates, k % units, Float.isFinite(weight) ? weight : 1f);
        }
        all.removeLast(); // it has changed since it was remembered, and the call does not see it
        Int8Matrix matrix = switch (random.nextInt(3)) {
            case 0 -> Int8Matrix.of(w);
            case 1 -> Int8Matrix.pair(w, other)[0];
            default -> Int8Matrix.pair(other, w)[1];
        };
        unwritten(name, matrix.words().memory());
        unwritten(name + " scales", matrix.scales().memory());
        unwritten(name + " offsets", matrix.offsets().memory());
        return matrix;
    }

    /** How weights are packed. */
    enum Precision {
        F32,
        BF16,
        INT8
    }

    /** Returns the weights W and U of a step, which are only read: interleaved, or each in memory of its own. W may have no inputs. */
    PackedWeights[] stepWeights(Precision precision, boolean interleaved, int count, int gates, int units) {
        int some = Math.max(count, 1);
        if (precision == Precision.F32) {
            PackedMatrix both = packed("wu", some + units, gates, units, false);
            PackedMatrix apart = packed("w", some, gates, units, false);
            PackedMatrix w = interleaved ? both.inputs(0, count) : apart.inputs(0, count);
            return new PackedWeights[] {w,
                both.inputs(interleaved ? count : some, (interleaved ? count : some) + units)};
        }
        PackedMatrix w = narrowed(some, gates, units);
        PackedMatrix u = narrowed(units, gates, units);
        PackedWeights[] pair = switch (precision) {
            case F32 -> throw new AssertionError();
            case BF16 -> interleaved ? Bf16Matrix.pair(w, u) : new PackedWeights[] {Bf16Matrix.of(w), Bf16Matrix.of(u)};
            case INT8 -> interleaved ? Int8Matrix.pair(w, u) : new PackedWeights[] {Int8Matrix.of(w), Int8Matrix.of(u)};
        };
        unwritten("w", pair[0].words().memory());
        unwritten("u", pair[1].words().memory());
        return count > 0 ? pair : new PackedWeights[] {pair[0].withoutInputs(), pair[1]};
    }

    /** Returns finite weights to be rounded; the call does not see them. */
    private PackedMatrix narrowed(int count, int gates, int units) {
        PackedMatrix w = PackedMatrix.of(count, gates, units);
        for (int k = 0; k < count * gates * units; k++) {
            float weight = inputs.next(random);
            w.set(k / (gates * units), k / units % gates, k % units, Float.isFinite(weight) ? weight : 1f);
        }
        return w;
    }

    /** Returns states of which a step overwrites the units of a share of the panels of u. */
    Matrix shareOutput(String name, int rows, int columns, PackedWeights u, Sweep sweep) {
        return matrix(name, rows, columns, units(u.words(), sweep), index -> inputs.margin);
    }

    /** Returns states of which a step reads and writes those. */
    Matrix shareUpdated(String name, int rows, int columns, PackedWeights u, Sweep sweep) {
        return matrix(name, rows, columns, units(u.words(), sweep), index -> randomBits());
    }

    private static IntPredicate units(PackedMatrix u, Sweep sweep) {
        int from = unit(u, sweep.from(u.panels()));
        int to = unit(u, sweep.to(u.panels()));
        return unit -> unit >= from && unit < to;
    }

    private static int unit(PackedMatrix w, int panel) {
        return panel < w.panels() ? w.output(panel, 0) : Matrix.padded(w.units());
    }

    /** Returns rows to be quantised; until then their levels are 0. Every bit of theirs counts. */
    QuantizedRows quantizedOutput(String name, int rows, int columns) {
        int before = random.nextInt(3);
        QuantizedRows q = QuantizedRows.of(before + rows + random.nextInt(2), columns).rows(before, before + rows);
        long levels = (q.address() - q.memory().address()) / Integer.BYTES;
        long scales = (q.scalesAddress() - q.memory().address()) / Float.BYTES;
        BitSet inside = new BitSet();
        inside.set((int) scales, (int) scales + rows);
        int words = Math.ceilDiv(columns, Integer.BYTES);
        for (int r = 0; r < rows; r++) {
            int first = (int) levels + r * q.stride() / Integer.BYTES;
            inside.set(first, first + words);
        }
        all.add(new Operand(name, q.memory(), inside::get, index -> " word " + index, true));
        return q;
    }

    /** Returns rows that have been quantised and are only read. */
    QuantizedRows quantized(String name, Scaling scaling, int rows, int columns) {
        QuantizedRows q = QuantizedRows.of(rows, columns);
        Kernels.of(Conformance.scalar()).quantize(scaling, input(name + " before", rows, columns), q);
        unwritten(name, q.memory());
        return q;
    }

    private void unwritten(String name, Memory memory) {
        all.add(new Operand(name, memory, index -> false, index -> " word " + index));
    }

    /** Returns indices in [0, bound), most of them more than once. */
    Indices indices(String name, int length, int bound) {
        Indices indices = Indices.of(length + 2 * MARGIN).slice(MARGIN, MARGIN + length);
        for (int i = 0; i < length; i++) {
            indices.set(i, random.nextInt(Math.min(bound, Math.ceilDiv(length, 2) + 1)));
        }
        all.add(new Operand(name, indices.memory(), index -> false, index -> "[" + (index - MARGIN) + "]"));
        return indices;
    }

    /** Returns any positive number. */
    float factor() {
        return 0.5f + random.nextFloat();
    }

    /** Records what an operation returned. */
    void result(float value) {
        results.add(value);
    }

    /** Returns the bits of a number in [-1, 1], many of which are halfway between two of the 255 levels that they are rounded to. */
    int unitBits() {
        float level = random.nextInt(-127, 128) + (random.nextBoolean() ? 0.5f : 0f);
        float x = random.nextBoolean() ? Math.clamp(level / 127f, -1f, 1f) : random.nextFloat(-1f, 1f);
        return Float.floatToRawIntBits(x);
    }

    private int randomBits() {
        return Float.floatToRawIntBits(inputs.next(random));
    }

    private Matrix matrix(String name, int rows, int columns, boolean written, IntUnaryOperator bits) {
        return matrix(name, rows, columns, column -> written, bits);
    }

    private Matrix matrix(String name, int rows, int columns, IntPredicate written, IntUnaryOperator bits) {
        int layout = random.nextInt(3);
        int offset = MARGIN + (layout == 0 ? 0 : 1 + 2 * random.nextInt(Matrix.BLOCK / 2));
        int stride = switch (layout) {
            case 0 -> Matrix.padded(columns);
            case 1 -> columns;
            default -> columns + 1 + random.nextInt(2 * Matrix.BLOCK);
        };
        Memory memory = poisoned(offset + (long) rows * stride + MARGIN);
        BitSet inside = new BitSet();
        BitSet writable = new BitSet();
        for (int r = 0; r < rows; r++) {
            int first = offset + r * stride;
            inside.set(first, first + columns);
            for (int j = 0; j < columns; j++) {
                memory.setInt(first + j, bits.applyAsInt(r * columns + j));
                writable.set(first + j, written.test(j));
            }
        }
        all.add(new Operand(name, memory, writable::get,
                index -> inside.get(index)
                        ? "[" + (index - offset) / stride + "][" + (index - offset) % stride + "]"
                        : " margin, float " + (index - offset) + " of (" + rows + ", " + columns + ") at stride "
                                + stride));
        return Matrix.wrap(memory, offset, rows, columns, stride);
    }

    private PackedMatrix packed(String name, int count, int gates, int units, boolean written) {
        int before = random.nextInt(3);
        int padded = before + count + random.nextInt(3);
        int offset = MARGIN + (random.nextBoolean() ? 0 : 1 + 2 * random.nextInt(Matrix.BLOCK / 2));
        Memory memory = poisoned(offset + PackedMatrix.floats(padded, gates, units) + MARGIN);
        PackedMatrix matrix = PackedMatrix.view(memory, offset, padded, gates, units).inputs(before, before + count);
        BitSet inside = new BitSet();
        for (int panel = 0; panel < matrix.panels(); panel++) {
            int width = matrix.blocks(panel) * Matrix.BLOCK;
            int first = (int) ((matrix.panelAddress(panel) - memory.address()) / Float.BYTES);
            inside.set(first, first + count * width);
            for (int i = 0; i < count * width; i++) {
                int output = matrix.output(panel, i % width / Matrix.BLOCK) + i % Matrix.BLOCK;
                memory.setInt(first + i, output % Matrix.padded(units) < units ? randomBits() : 0);
            }
        }
        all.add(new Operand(name, memory, written ? inside::get : index -> false,
                index -> (inside.get(index) ? " weight at float " : " margin at float ") + index));
        return matrix;
    }

    private Memory poisoned(long floats) {
        Memory memory = Memory.ofFloats(floats);
        for (long i = 0; i < memory.floats(); i++) {
            memory.setInt(i, inputs.margin);
        }
        return memory;
    }

    /** Returns what differs between these operands, on which the expected call has run, and those of the actual one. */
    List<String> differences(Operands actual) {
        return differences(actual, operand -> (index, expectedBits, actualBits) -> same(expectedBits, actualBits));
    }

    /** The same, except that a float may differ by what is in its place in {@code bounds}; see {@link #within}. */
    List<String> differences(Operands actual, Operands bounds) {
        return differences(actual, operand -> {
            int[] bits = Operand.ints(bounds.all.get(operand).memory);
            return (index, expectedBits, actualBits) -> within(bits[index], expectedBits, actualBits);
        });
    }

    private List<String> differences(Operands actual, IntFunction<Agreement> agreements) {
        List<String> found = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            all.get(i).differences(actual.all.get(i), agreements.apply(i), found);
        }
        for (int i = 0; i < results.size(); i++) {
            int expectedBits = Float.floatToRawIntBits(results.get(i));
            int actualBits = Float.floatToRawIntBits(actual.results.get(i));
            if (!same(expectedBits, actualBits)) {
                found.add("result: " + describe(expectedBits, actualBits));
            }
        }
        return found;
    }

    /** Whether two floats have the same bits, any NaN being like any other. */
    private static boolean same(int bits, int otherBits) {
        return bits == otherBits
                || (Float.isNaN(Float.intBitsToFloat(bits)) && Float.isNaN(Float.intBitsToFloat(otherBits)));
    }

    /** Whether two floats are no further apart than a bound; infinity allows anything, and NaN only the same float or another NaN. */
    private static boolean within(int bound, int bits, int otherBits) {
        float most = Float.intBitsToFloat(bound);
        double distance = Math.abs((double) Float.intBitsToFloat(bits) - Float.intBitsToFloat(otherBits));
        return same(bits, otherBits) || most == Float.POSITIVE_INFINITY || distance <= most;
    }

    private static String describe(int expected, int actual) {
        return "expected " + Float.intBitsToFloat(expected) + " (" + Integer.toHexString(expected) + "), got "
                + Float.intBitsToFloat(actual) + " (" + Integer.toHexString(actual) + ")";
    }

    private static final class Operand {
        private final String name;
        private final Memory memory;
        private final int[] before;
        private final IntPredicate written;
        private final Place place;
        /** Whether a NaN is not like any other NaN: some of these words are no floats. */
        private final boolean bits;

        Operand(String name, Memory memory, IntPredicate written, Place place) {
            this(name, memory, written, place, false);
        }

        Operand(String name, Memory memory, IntPredicate written, Place place, boolean bits) {
            this.name = name;
            this.memory = memory;
            this.before = ints(memory);
            this.written = written;
            this.place = place;
            this.bits = bits;
        }

        void differences(Operand actual, Agreement agreement, List<String> found) {
            int[] expectedBits = ints(memory);
            int[] actualBits = ints(actual.memory);
            for (int i = 0; i < expectedBits.length; i++) {
                if (written.test(i)) {
                    if (bits ? expectedBits[i] != actualBits[i] : !agreement.holds(i, expectedBits[i], actualBits[i])) {
                        found.add(name + place.of(i) + ": " + describe(expectedBits[i], actualBits[i]));
                    }
                } else if (expectedBits[i] != before[i] || actualBits[i] != before[i]) {
                    found.add(name + place.of(i) + ", not to be written: " + describe(before[i], actualBits[i]));
                }
            }
        }

        private static int[] ints(Memory memory) {
            return memory.segment().toArray(ValueLayout.JAVA_INT);
        }
    }

    /** Whether what was computed at an index will do. */
    @FunctionalInterface
    private interface Agreement {
        boolean holds(int index, int expectedBits, int actualBits);
    }

    /** Where a float of an operand's memory is, in words. */
    @FunctionalInterface
    private interface Place {
        String of(int index);
    }
}
