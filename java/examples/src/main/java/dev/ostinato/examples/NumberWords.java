package dev.ostinato.examples;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Decoding;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.Trainer;
import dev.ostinato.nn.Vocabulary;
import java.util.stream.IntStream;

/** One to many: from one row of seven floats, the bits of a number, its name in English, letter by letter. */
public final class NumberWords {
    private static final int NUMBERS = 100;
    private static final String[] SMALL = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight",
        "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
        "nineteen"};
    private static final String[] TENS = {"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};

    /** Trains on the numbers below 100; returns how many of them the model can say. */
    public int learn(int steps) {
        Vocabulary letters = Vocabulary.of(">." + String.join("", names()), 1);
        int start = letters.encode(">")[0];
        int end = letters.encode(".")[0];
        int[][] names = IntStream.range(0, NUMBERS).mapToObj(n -> letters.encode(name(n))).toArray(int[][]::new);
        float[] allBits = new float[NUMBERS * 7];
        for (int n = 0; n < NUMBERS; n++) {
            System.arraycopy(bits(n), 0, allBits, n * 7, 7);
        }
        // readme: one-to-many
        Model encoder = Model.builder().features(7).gru(64).build(); // makes one step
        Model decoder = Model.builder().oneHot(letters.size()).gru(64).dense(letters.size()).build();
        Batch batch = Batch.teacherForcing(names, start, end).withSource(Sequences.of(1, NUMBERS), allBits);
        EncoderDecoder trained;
        try (Trainer trainer = Trainer.builder(new EncoderDecoder(encoder, decoder)).optimizer(Optimizer.adam(1e-2))
                .clipGlobalNorm(1).build()) {
            for (int i = 0; i < steps; i++) {
                trainer.step(batch);
            }
            trained = trainer.encoderDecoder();
        }
        Decoding decoding = Decoding.of(start, 20).until(end);
        int[] fortyTwo = decoding.greedy(trained.decoder(), trained.encode(bits(42)))[0];
        // readme: end
        return (int) IntStream.range(0, NUMBERS).filter(n -> {
            int[] said = n == 42 ? fortyTwo : decoding.greedy(trained.decoder(), trained.encode(bits(n)))[0];
            StringBuilder word = new StringBuilder();
            for (int letter : said) {
                word.appendCodePoint(letters.character(letter));
            }
            return word.toString().equals(name(n));
        }).count();
    }

    private static float[] bits(int number) {
        float[] bits = new float[7];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = number >> i & 1;
        }
        return bits;
    }

    private static String[] names() {
        return IntStream.range(0, NUMBERS).mapToObj(NumberWords::name).toArray(String[]::new);
    }

    private static String name(int number) {
        if (number < SMALL.length) {
            return SMALL[number];
        }
        return TENS[number / 10 - 2] + (number % 10 == 0 ? "" : "-" + SMALL[number % 10]);
    }

    static void main() {
        System.out.println("says " + new NumberWords().learn(600) + " of " + NUMBERS + " numbers");
    }
}
