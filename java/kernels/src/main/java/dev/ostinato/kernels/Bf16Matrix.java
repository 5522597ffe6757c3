package dev.ostinato.kernels;

import java.util.Objects;

/**
 * Weights rounded to bfloat16, the upper half of a float: half the bytes of a {@link PackedMatrix}, for inference.
 *
 * <p>Each weight is rounded to nearest, ties to even; one beyond the largest bfloat16 becomes infinite, and NaN stays NaN. Two inputs
 * share a 32-bit word, the even one in its lower half, so {@code [panel][k/2][gate][16][2]}: one load brings sixteen outputs of two
 * inputs, a shift widens the even ones and a mask the odd ones. With an odd number of inputs the last upper halves are 0 and never
 * multiplied. Everything else is as in {@link PackedMatrix}.
 *
 * <p>Immutable and safe for all threads.
 */
public final class Bf16Matrix implements PackedWeights {
    private static final int PER_WORD = 2;

    private final PackedMatrix words;
    private final int inputs;

    private Bf16Matrix(PackedMatrix words, int inputs) {
        this.words = words;
        this.inputs = inputs;
    }

    private Bf16Matrix(PackedMatrix words, PackedMatrix w) {
        this(words, w.inputs());
        for (int k = 0; k < inputs; k++) {
            for (int gate = 0; gate < w.gates(); gate++) {
                for (int unit = 0; unit < w.units(); unit++) {
                    long word = words.index(k / PER_WORD, gate, unit);
                    int half = round(w.get(k, gate, unit)) << (k % PER_WORD * Short.SIZE);
                    words.memory().setInt(word, words.memory().getInt(word) | half);
                }
            }
        }
    }

    /** Rounds weights into memory of their own. @throws IllegalArgumentException if {@code w} has no inputs */
    public static Bf16Matrix of(PackedMatrix w) {
        return new Bf16Matrix(PackedMatrix.of(words(w), w.gates(), w.units()), w);
    }

    /**
     * Rounds two matrices with the same outputs into one block of memory, interleaved panel by panel as by {@link PackedMatrix#pair}.
     *
     * @throws IllegalArgumentException if the outputs differ or one has no inputs
     */
    public static Bf16Matrix[] pair(PackedMatrix first, PackedMatrix second) {
        PackedMatrix[] pair = PackedMatrix.pairOfWords(first, words(first), second, words(second));
        return new Bf16Matrix[] {new Bf16Matrix(pair[0], first), new Bf16Matrix(pair[1], second)};
    }

    private static int words(PackedMatrix w) {
        return Math.ceilDiv(w.inputs(), PER_WORD);
    }

    /** Returns the bits of the nearest bfloat16, the even one of two. */
    private static int round(float weight) {
        int bits = Float.floatToIntBits(weight); // the one NaN, whose lower half is 0
        int upper = bits >>> Short.SIZE;
        return (bits + 0x7fff + (upper & 1)) >>> Short.SIZE;
    }

    @Override
    public int inputs() {
        return inputs;
    }

    /** Returns the 32-bit words that hold the weights, input k of this being in input k/2 of those. For backends, to read. */
    @Override
    public PackedMatrix words() {
        return words;
    }

    @Override
    public Bf16Matrix withoutInputs() {
        return new Bf16Matrix(words.withoutInputs(), 0);
    }

    /** Returns a weight as the float that it is multiplied as. @throws IndexOutOfBoundsException if it is outside */
    public float get(int input, int gate, int unit) {
        int word = words.memory().getInt(words.index(Objects.checkIndex(input, inputs) / PER_WORD, gate, unit));
        return Float.intBitsToFloat(input % PER_WORD == 0 ? word << Short.SIZE : word & 0xffff0000);
    }

    @Override
    public String toString() {
        return "Bf16Matrix[" + inputs + " inputs x " + gates() + " gates x " + units() + " units]";
    }
}
