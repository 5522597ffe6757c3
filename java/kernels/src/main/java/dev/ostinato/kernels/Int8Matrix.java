package dev.ostinato.kernels;

import java.util.Objects;

/**
 * Weights rounded to eight bits, each output with a scale of its own: a quarter of the bytes of a {@link PackedMatrix}, for inference.
 *
 * <p>Symmetric, so without zero points: with m the largest |w| of an output over all inputs of this matrix,
 * {@code scale = m / 127} and {@code level = w / scale} rounded to nearest, ties to even, which is in [-127, 127]. An output whose
 * scale would be less than 2^-126 has scale 0 and all levels 0.
 *
 * <p>Four inputs share a 32-bit word, the first in its lowest byte, so {@code [panel][k/4][gate][16][4]}: what one instruction
 * multiplies by four levels of a row, and adds. Levels behind the last input are 0. Everything else is as in {@link PackedMatrix}.
 *
 * <p>Immutable and safe for all threads.
 */
public final class Int8Matrix implements PackedWeights {
    /** The most inputs: with one more, a sum of products of two levels might not fit 32 bits. */
    public static final int MAX_INPUTS = Integer.MAX_VALUE / (QuantizedRows.MAX_LEVEL * QuantizedRows.MAX_LEVEL);

    private static final int PER_WORD = 4;

    private final PackedMatrix words;
    private final int inputs;
    private final Matrix scales;
    private final Indices offsets;

    private Int8Matrix(PackedMatrix words, int inputs, Matrix scales, Indices offsets) {
        this.words = words;
        this.inputs = inputs;
        this.scales = scales;
        this.offsets = offsets;
    }

    private Int8Matrix(PackedMatrix words, PackedMatrix w) {
        this(words, w.inputs(), Matrix.of(1, w.outputs()), Indices.of(w.outputs()));
        for (int gate = 0; gate < w.gates(); gate++) {
            for (int unit = 0; unit < w.units(); unit++) {
                quantize(w, gate, unit);
            }
        }
    }

    /**
     * Rounds weights into memory of their own.
     *
     * @throws IllegalArgumentException if {@code w} has no inputs, or more than {@link #MAX_INPUTS}, or a weight is NaN or infinite
     */
    public static Int8Matrix of(PackedMatrix w) {
        return new Int8Matrix(PackedMatrix.of(words(w), w.gates(), w.units()), w);
    }

    /**
     * Rounds two matrices with the same outputs into one block of memory, interleaved panel by panel as by {@link PackedMatrix#pair}.
     * Each has scales of its own.
     *
     * @throws IllegalArgumentException as {@link #of}, or if the outputs differ
     */
    public static Int8Matrix[] pair(PackedMatrix first, PackedMatrix second) {
        PackedMatrix[] pair = PackedMatrix.pairOfWords(first, words(first), second, words(second));
        return new Int8Matrix[] {new Int8Matrix(pair[0], first), new Int8Matrix(pair[1], second)};
    }

    private static int words(PackedMatrix w) {
        if (w.inputs() > MAX_INPUTS) {
            throw new IllegalArgumentException("weights: expected at most " + MAX_INPUTS + " inputs, got " + w);
        }
        return Math.ceilDiv(w.inputs(), PER_WORD);
    }

    private void quantize(PackedMatrix w, int gate, int unit) {
        float scale = largest(w, gate, unit) / QuantizedRows.MAX_LEVEL;
        if (scale < Float.MIN_NORMAL) {
            return;
        }
        int sum = 0;
        for (int k = 0; k < inputs; k++) {
            int level = (int) Math.rint(w.get(k, gate, unit) / scale);
            long word = words.index(k / PER_WORD, gate, unit);
            int shifted = (level & 0xff) << (k % PER_WORD * Byte.SIZE);
            words.memory().setInt(word, words.memory().getInt(word) | shifted);
            sum += level;
        }
        scales.set(0, output(gate, unit), scale);
        offsets.set(output(gate, unit), sum * QuantizedRows.ZERO); // like the sum it is taken from, modulo 2^32
    }

    private static float largest(PackedMatrix w, int gate, int unit) {
        float largest = 0;
        for (int k = 0; k < w.inputs(); k++) {
            float weight = w.get(k, gate, unit);
            if (!Float.isFinite(weight)) {
                throw new IllegalArgumentException("weights: expected finite numbers, got " + weight + " for input " + k
                        + ", gate " + gate + ", unit " + unit);
            }
            largest = Math.max(largest, Math.abs(weight));
        }
        return largest;
    }

    private int output(int gate, int unit) {
        return gate * Matrix.padded(words.units()) + unit;
    }

    @Override
    public int inputs() {
        return inputs;
    }

    /** Returns the 32-bit words that hold the levels, input k of this being in input k/4 of those. For backends, to read. */
    @Override
    public PackedMatrix words() {
        return words;
    }

    @Override
    public Int8Matrix withoutInputs() {
        return new Int8Matrix(words.withoutInputs(), 0, Matrix.of(1, outputs()), Indices.of(outputs()));
    }

    /** Returns the scales, {@code (1, outputs())}, 0 in the padding. For backends, to read. */
    public Matrix scales() {
        return scales;
    }

    /**
     * Returns for each output the sum of its levels times {@link QuantizedRows#ZERO}, modulo 2^32: by what a sum over bytes of
     * {@link QuantizedRows} exceeds that over their levels. For backends, to read.
     */
    public Indices offsets() {
        return offsets;
    }

    /** Returns a weight's level, in [-127, 127]. @throws IndexOutOfBoundsException if it is outside */
    public int level(int input, int gate, int unit) {
        int word = words.memory().getInt(words.index(Objects.checkIndex(input, inputs) / PER_WORD, gate, unit));
        return (byte) (word >> (input % PER_WORD * Byte.SIZE));
    }

    /** Returns the scale of an output. @throws IndexOutOfBoundsException if it is outside */
    public float scale(int gate, int unit) {
        return scales.get(0, output(Objects.checkIndex(gate, gates()), Objects.checkIndex(unit, units())));
    }

    @Override
    public String toString() {
        return "Int8Matrix[" + inputs + " inputs x " + gates() + " gates x " + units() + " units]";
    }
}
