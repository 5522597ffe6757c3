package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Makes inputs for a reader out of others: changes of the kinds that readers have been wrong about. The same seed makes the same. */
final class Mutator {
    private static final int MOST_INPUTS = 4_000;
    private static final int MOST_BYTES = 1 << 16;
    private static final long[] EDGES =
            {0, 1, 2, 7, 8, 64, 127, 128, 255, 256, 65_535, 100_000_000, 1L << 31, (1L << 31) - 1,
                (1L << 32) - 1, 1L << 32, 1L << 40, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE, -1, -2, -8};

    private final SplittableRandom random;
    private final List<byte[]> inputs;
    private final List<byte[]> words;

    /**
     * @param inputs valid ones, to begin with
     * @param words of the format, in ISO 8859-1
     */
    Mutator(long seed, List<byte[]> inputs, List<String> words) {
        this.random = new SplittableRandom(seed);
        this.inputs = new ArrayList<>(inputs);
        this.words = words.stream().map(word -> word.getBytes(ISO_8859_1)).toList();
    }

    /** Takes an input that a reader did something new with, to go on from. */
    void keep(byte[] input) {
        if (inputs.size() < MOST_INPUTS) {
            inputs.add(input);
        }
    }

    /** Returns an input with one to four changes. */
    byte[] next() {
        byte[] bytes = any(inputs);
        for (int changes = random.nextInt(1, 5); changes > 0; changes--) {
            bytes = changed(bytes);
        }
        return bytes.length > MOST_BYTES ? Arrays.copyOf(bytes, MOST_BYTES) : bytes;
    }

    private byte[] changed(byte[] bytes) {
        int from = random.nextInt(bytes.length + 1);
        int to = Math.min(bytes.length, from + 1 + random.nextInt(random.nextInt(4) == 0 ? 64 : 8));
        return switch (random.nextInt(9)) {
            case 0 -> with(bytes, from, to, new byte[] {(byte) random.nextInt(256)});
            case 1 -> flipped(bytes);
            case 2 -> with(bytes, from, to, new byte[0]);
            case 3 -> Arrays.copyOf(bytes, from);
            case 4 -> with(bytes, from, from, Arrays.copyOfRange(bytes, from, to));
            case 5 -> with(bytes, from, random.nextBoolean() ? from : to, any(words));
            case 6 -> edge(bytes, from);
            case 7 -> with(bytes, from, to, Long.toString(EDGES[random.nextInt(EDGES.length)]).getBytes(ISO_8859_1));
            default -> {
                byte[] other = any(inputs);
                int start = random.nextInt(other.length + 1);
                yield with(bytes, from, to, Arrays.copyOfRange(other, start, Math.min(other.length, start + 64)));
            }
        };
    }

    private byte[] flipped(byte[] bytes) {
        byte[] changed = bytes.clone();
        if (changed.length > 0) {
            changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return changed;
    }

    /** Puts a number of 1 to 8 bytes over what is there, little-endian. */
    private byte[] edge(byte[] bytes, int at) {
        long edge = EDGES[random.nextInt(EDGES.length)];
        byte[] number = new byte[1 << random.nextInt(4)];
        for (int i = 0; i < number.length; i++) {
            number[i] = (byte) (edge >> (8 * i));
        }
        return with(bytes, at, Math.min(bytes.length, at + number.length), number);
    }

    private byte[] any(List<byte[]> all) {
        return all.get(random.nextInt(all.size()));
    }

    private static byte[] with(byte[] bytes, int from, int to, byte[] middle) {
        byte[] result = new byte[from + middle.length + bytes.length - to];
        System.arraycopy(bytes, 0, result, 0, from);
        System.arraycopy(middle, 0, result, from, middle.length);
        System.arraycopy(bytes, to, result, from + middle.length, bytes.length - to);
        return result;
    }
}
