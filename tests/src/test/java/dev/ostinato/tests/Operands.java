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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.function.IntSupplier;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The operands of one call. Those of the expected call are drawn at random, and {@link #again} gives the same bits at the same offsets to an
 * actual one that asks for the same operands; {@link #differences} compares what became of them. Both calls read the same memory, and write
 * each its own. Every operand lies inside memory that holds {@link Inputs#margin}, aligned or at an odd offset, with rows packed or apart.
 */
final class Operands {
    /** Floats before and behind each operand: more than a block, so that the widest stray access stays inside. */
    private static final int MARGIN = 3 * Matrix.BLOCK;

    private static final Map<Numbers, int[]> NUMBERS = new ConcurrentHashMap<>();

    private final Inputs inputs;
    private final RandomGenerator random;
    private final int[] numbers;
    private int next;
    private final List<Operand> all = new ArrayList<>();
    private final List<Float> results = new ArrayList<>();
    /** What was asked for, in this order: each gives the same to another call. */
    private final List<Function<Operands, Object>> given = new ArrayList<>();
    /** What an earlier call was given and this one will be; null if this is the first. */
    private final @Nullable Iterator<Function<Operands, Object>> earlier;

    /** @param seed of a run; the name of a call tells its operands from those of others of that run */
    Operands(Inputs inputs, long seed, String name) {
        this.inputs = inputs;
        this.random = new SplittableRandom(seed + name.hashCode());
        this.numbers = NUMBERS.computeIfAbsent(new Numbers(inputs, seed), Numbers::draw);
        this.next = random.nextInt(numbers.length);
        this.earlier = null;
    }

    private Operands(Operands first) {
        this.inputs = first.inputs;
        this.random = first.random;
        this.numbers = first.numbers;
        this.earlier = first.given.iterator();
    }

    /** Many random numbers, of which every call takes a run: to draw one takes longer than to multiply by it. */
    private record Numbers(Inputs inputs, long seed) {
        /** A prime, so that no two rows of weights are the same. */
        private static final int COUNT = 65_537;

        int[] draw() {
            RandomGenerator random = new SplittableRandom(seed + inputs.name().hashCode());
            return IntStream.generate(() -> Float.floatToRawIntBits(inputs.next(random))).limit(COUNT).toArray();
        }
    }

    /** Returns operands for a call that asks for those that this one was given, in the same order; what it writes is as it was before. */
    Operands again() {
        return new Operands(this);
    }

    /** What a request is given, and how another call is given the same. */
    private record Given<V>(V value, Function<Operands, V> again) {}

    /** Returns what the earlier call was given at this place, or draws it. */
    @SuppressWarnings("unchecked") // the same requests in the same order
    private <V> V give(Supplier<Given<V>> draw) {
        if (earlier != null) {
            return (V) earlier.next().apply(this);
        }
        Given<V> drawn = draw.get();
        given.add(drawn.again()::apply);
        return drawn.value();
    }

    /** The same for what is only read: the calls share it. */
    private <V> V share(Supplier<V> draw) {
        return give(() -> {
            int from = all.size();
            V value = draw.get();
            List<Operand> operands = List.copyOf(all.subList(from, all.size()));
            return new Given<>(value, other -> {
                other.all.addAll(operands);
                return value;
            });
        });
    }

    /** Adds an operand, of whose memory every call is given a view. */
    private <V> Given<V> add(Operand operand, Function<Memory, V> view) {
        all.add(operand);
        return new Given<>(view.apply(operand.memory), other -> {
            Operand own = operand.again();
            other.all.add(own);
            return view.apply(own.memory);
        });
    }

    /** Returns a matrix that is only read. */
    Matrix input(String name, int rows, int columns) {
        return input(name, rows, columns, index -> randomBits());
    }

    /** Returns a matrix that is only read, element {@code row * columns + column} having the bits that a function gives. */
    Matrix input(String name, int rows, int columns, IntUnaryOperator bits) {
        return share(() -> matrix(name, rows, columns, column -> false, bits).value());
    }

    /** Returns a matrix that is read and written. */
    Matrix updated(String name, int rows, int columns) {
        return give(() -> matrix(name, rows, columns, column -> true, index -> randomBits()));
    }

    /** Returns a matrix that is overwritten; until then it holds what the margins hold. */
    Matrix output(String name, int rows, int columns) {
        return give(() -> matrix(name, rows, columns, column -> true, index -> inputs.margin));
    }

    /** Returns output rows {@code [gate][padded units]} of {@code w} that are only read, 0 in the padding. */
    Matrix gateInput(String name, int rows, PackedMatrix w) {
        return input(name, rows, w.outputs(), padded(w));
    }

    /** Returns output rows {@code [gate][padded units]} of {@code w} that are read and written, 0 in the padding. */
    Matrix gateUpdated(String name, int rows, PackedMatrix w) {
        return give(() -> matrix(name, rows, w.outputs(), column -> true, padded(w)));
    }

    private IntUnaryOperator padded(PackedMatrix w) {
        return index -> index % w.outputs() % Matrix.padded(w.units()) < w.units() ? randomBits() : 0;
    }

    /** Returns weights that are only read. */
    PackedMatrix weights(String name, int count, int gates, int units) {
        return share(() -> packed(name, count, gates, units, false).value());
    }

    /** Returns weights that are read and written. */
    PackedMatrix weightsUpdated(String name, int count, int gates, int units) {
        return give(() -> packed(name, count, gates, units, true));
    }

    /** Returns bfloat16 weights, which are only read: a matrix alone, or the first or second of a pair. */
    Bf16Matrix bf16(String name, int count, int gates, int units) {
        return share(() -> drawBf16(name, count, gates, units));
    }

    private Bf16Matrix drawBf16(String name, int count, int gates, int units) {
        PackedMatrix w = packed(name, count, gates, units, false).value();
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
        return share(() -> drawInt8(name, count, gates, units));
    }

    private Int8Matrix drawInt8(String name, int count, int gates, int units) {
        PackedMatrix w = narrowed(count, gates, units);
        PackedMatrix other = PackedMatrix.of(1 + random.nextInt(5), gates, units);
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
        return stepWeights(precision, interleaved, count, units, gates, units);
    }

    /** The same with a U of so many inputs, which may be none too. */
    PackedWeights[] stepWeights(Precision precision, boolean interleaved, int count, int stateCount, int gates,
            int units) {
        return share(() -> precision == Precision.F32
                ? drawFloatWeights(interleaved, count, stateCount, gates, units)
                : drawNarrowWeights(precision, interleaved, count, stateCount, gates, units));
    }

    private PackedWeights[] drawFloatWeights(boolean interleaved, int count, int stateCount, int gates, int units) {
        int both = count + stateCount;
        PackedMatrix first = packed("w", Math.max(interleaved ? both : count, 1), gates, units, false).value();
        PackedMatrix second = interleaved
                ? first.inputs(count, both)
                : packed("u", Math.max(stateCount, 1), gates, units, false).value().inputs(0, stateCount);
        return new PackedWeights[] {first.inputs(0, count), second};
    }

    private PackedWeights[] drawNarrowWeights(Precision precision, boolean interleaved, int count, int stateCount,
            int gates, int units) {
        PackedMatrix w = narrowed(Math.max(count, 1), gates, units);
        PackedMatrix u = narrowed(Math.max(stateCount, 1), gates, units);
        PackedWeights[] pair = switch (precision) {
            case F32 -> throw new AssertionError();
            case BF16 -> interleaved ? Bf16Matrix.pair(w, u) : new PackedWeights[] {Bf16Matrix.of(w), Bf16Matrix.of(u)};
            case INT8 -> interleaved ? Int8Matrix.pair(w, u) : new PackedWeights[] {Int8Matrix.of(w), Int8Matrix.of(u)};
        };
        unwritten("w", pair[0].words().memory());
        unwritten("u", pair[1].words().memory());
        return new PackedWeights[] {count > 0 ? pair[0] : pair[0].withoutInputs(),
            stateCount > 0 ? pair[1] : pair[1].withoutInputs()};
    }

    /** Returns finite weights to be rounded; the call does not see them. */
    private PackedMatrix narrowed(int count, int gates, int units) {
        PackedMatrix w = packed("", count, gates, units, false, () -> {
            int bits = randomBits();
            return Float.isFinite(Float.intBitsToFloat(bits)) ? bits : Float.floatToRawIntBits(1f);
        }).value();
        all.removeLast();
        return w;
    }

    /** Returns states of which a step overwrites the units of a share of the panels of u. */
    Matrix shareOutput(String name, int rows, int columns, PackedWeights u, Sweep sweep) {
        return give(() -> matrix(name, rows, columns, units(u.words(), sweep), index -> inputs.margin));
    }

    /** Returns states of which a step reads and writes those. */
    Matrix shareUpdated(String name, int rows, int columns, PackedWeights u, Sweep sweep) {
        return give(() -> matrix(name, rows, columns, units(u.words(), sweep), index -> randomBits()));
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
        return give(() -> {
            int before = random.nextInt(3);
            int all = before + rows + random.nextInt(2);
            return new Given<>(quantizedOutput(name, before, rows, all, columns),
                    other -> other.quantizedOutput(name, before, rows, all, columns));
        });
    }

    private QuantizedRows quantizedOutput(String name, int before, int rows, int allRows, int columns) {
        QuantizedRows q = QuantizedRows.of(allRows, columns).rows(before, before + rows);
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
        return share(() -> drawQuantized(name, scaling, rows, columns));
    }

    private QuantizedRows drawQuantized(String name, Scaling scaling, int rows, int columns) {
        QuantizedRows q = QuantizedRows.of(rows, columns);
        Kernels.of(Conformance.scalar()).quantize(scaling,
                matrix(name + " before", rows, columns, column -> false, index -> randomBits()).value(), q);
        unwritten(name, q.memory());
        return q;
    }

    private void unwritten(String name, Memory memory) {
        all.add(new Operand(name, memory, index -> false, index -> " word " + index, false));
    }

    /** Returns indices in [0, bound), most of them more than once. */
    Indices indices(String name, int length, int bound) {
        return share(() -> drawIndices(name, length, bound));
    }

    private Indices drawIndices(String name, int length, int bound) {
        Indices indices = Indices.of(length + 2 * MARGIN).slice(MARGIN, MARGIN + length);
        for (int i = 0; i < length; i++) {
            indices.set(i, random.nextInt(Math.min(bound, Math.ceilDiv(length, 2) + 1)));
        }
        all.add(new Operand(name, indices.memory(), index -> false, index -> "[" + (index - MARGIN) + "]", false));
        return indices;
    }

    /** Returns any positive number. */
    float factor() {
        return share(() -> 0.5f + random.nextFloat());
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
        int bits = numbers[next];
        next = next + 1 == numbers.length ? 0 : next + 1;
        return bits;
    }

    private Given<Matrix> matrix(String name, int rows, int columns, IntPredicate written, IntUnaryOperator bits) {
        int layout = random.nextInt(3);
        int offset = MARGIN + (layout == 0 ? 0 : 1 + 2 * random.nextInt(Matrix.BLOCK / 2));
        int stride = switch (layout) {
            case 0 -> Matrix.padded(columns);
            case 1 -> columns;
            default -> columns + 1 + random.nextInt(2 * Matrix.BLOCK);
        };
        int[] before = poisoned(offset + rows * stride + MARGIN);
        BitSet inside = new BitSet(before.length);
        BitSet writable = new BitSet(before.length);
        for (int r = 0; r < rows; r++) {
            int first = offset + r * stride;
            inside.set(first, first + columns);
            for (int j = 0; j < columns; j++) {
                before[first + j] = bits.applyAsInt(r * columns + j);
                writable.set(first + j, written.test(j));
            }
        }
        return add(new Operand(name, before, writable::get,
                index -> inside.get(index)
                        ? "[" + (index - offset) / stride + "][" + (index - offset) % stride + "]"
                        : " margin, float " + (index - offset) + " of (" + rows + ", " + columns + ") at stride "
                                + stride),
                memory -> Matrix.wrap(memory, offset, rows, columns, stride));
    }

    private Given<PackedMatrix> packed(String name, int count, int gates, int units, boolean written) {
        return packed(name, count, gates, units, written, this::randomBits);
    }

    private Given<PackedMatrix> packed(String name, int count, int gates, int units, boolean written,
            IntSupplier bits) {
        int before = random.nextInt(3);
        int padded = before + count + random.nextInt(3);
        int offset = MARGIN + (random.nextBoolean() ? 0 : 1 + 2 * random.nextInt(Matrix.BLOCK / 2));
        Function<Memory, PackedMatrix> view =
                memory -> PackedMatrix.view(memory, offset, padded, gates, units).inputs(before, before + count);
        int[] all = poisoned(Math.toIntExact(offset + PackedMatrix.floats(padded, gates, units) + MARGIN));
        Memory empty = Memory.ofInts(all.length);
        PackedMatrix matrix = view.apply(empty);
        BitSet inside = new BitSet(all.length);
        for (int panel = 0; panel < matrix.panels(); panel++) {
            int width = matrix.blocks(panel) * Matrix.BLOCK;
            int first = (int) ((matrix.panelAddress(panel) - empty.address()) / Float.BYTES);
            inside.set(first, first + count * width);
            for (int block = 0; block < width; block += Matrix.BLOCK) {
                int unit = matrix.output(panel, block / Matrix.BLOCK) % Matrix.padded(units);
                int real = Math.clamp(units - unit, 0, Matrix.BLOCK);
                for (int k = 0; k < count; k++) {
                    for (int lane = 0; lane < Matrix.BLOCK; lane++) {
                        all[first + k * width + block + lane] = lane < real ? bits.getAsInt() : 0;
                    }
                }
            }
        }
        return add(new Operand(name, all, written ? inside::get : index -> false,
                index -> (inside.get(index) ? " weight at float " : " margin at float ") + index), view);
    }

    /** Returns what memory for so many floats holds: whole cache lines. */
    private int[] poisoned(int floats) {
        int[] bits = new int[Matrix.padded(floats)];
        Arrays.fill(bits, inputs.margin);
        return bits;
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

        /** An operand in new memory. */
        Operand(String name, int[] before, IntPredicate written, Place place) {
            this(name, memory(before), before, written, place, false);
        }

        Operand(String name, Memory memory, IntPredicate written, Place place, boolean bits) {
            this(name, memory, ints(memory), written, place, bits);
        }

        private Operand(String name, Memory memory, int[] before, IntPredicate written, Place place, boolean bits) {
            this.name = name;
            this.memory = memory;
            this.before = before;
            this.written = written;
            this.place = place;
            this.bits = bits;
        }

        /** Returns the operand as it was before the call. */
        Operand again() {
            return new Operand(name, memory(before), before, written, place, bits);
        }

        void differences(Operand actual, Agreement agreement, List<String> found) {
            if (actual == this && memory.segment().mismatch(MemorySegment.ofArray(before)) < 0) {
                return;
            }
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

        private static Memory memory(int[] contents) {
            Memory memory = Memory.ofInts(contents.length);
            MemorySegment.copy(MemorySegment.ofArray(contents), 0, memory.segment(), 0, 4L * contents.length);
            return memory;
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
