package dev.ostinato.examples;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Decoding;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** Says a number backwards: an encoder reads its digits, and a decoder that attends to them writes. */
public final class Reversal {
    private static final int DIGITS = 10;
    private static final int START = 10;
    private static final int END = 11;
    private static final int ROWS = 32;
    private static final int MOST_DIGITS = 8;

    private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);

    /** Trains on random numbers; returns the share of those that were not seen and come out right from end to end. */
    public double learn(int batches) {
        // readme: encoder-decoder
        Model encoder = Model.builder().embedding(DIGITS, 16).bidirectional(CellType.GRU, 32, Layer.Merge.SUM).build();
        Model decoder = Model.builder().embedding(DIGITS + 2, 16).gru(32).attention().dense(DIGITS + 2).build();
        EncoderDecoder trained;
        try (Trainer trainer = Trainer.builder(new EncoderDecoder(encoder, decoder)).optimizer(Optimizer.adam(5e-3))
                .clipGlobalNorm(1).build()) {
            for (int i = 0; i < batches; i++) {
                int[][] numbers = numbers(); // 32 rows of 1 to 8 digits
                trainer.step(Batch.teacherForcing(reversed(numbers), START, END).withSource(numbers));
            }
            trained = trainer.encoderDecoder();
        }
        Decoding decoding = Decoding.of(START, 20).until(END);
        State state = trained.encode(1, 2, 3, 4); // of the decoder: where it begins, and what it attends to
        int[] answer = decoding.greedy(trained.decoder(), state)[0]; // 4, 3, 2, 1
        // readme: end
        int right = Arrays.equals(answer, new int[] {4, 3, 2, 1}) ? 1 : 0;
        int[][] numbers = numbers();
        for (int[] number : numbers) {
            int[] said = decoding.greedy(trained.decoder(), trained.encode(number))[0];
            right += Arrays.equals(said, reversed(number)) ? 1 : 0;
        }
        return right / (numbers.length + 1.0);
    }

    private int[][] numbers() {
        int[][] numbers = new int[ROWS][];
        Arrays.setAll(numbers, b -> random.ints(random.nextInt(1, MOST_DIGITS + 1), 0, DIGITS).toArray());
        return numbers;
    }

    private static int[][] reversed(int[][] numbers) {
        return Arrays.stream(numbers).map(Reversal::reversed).toArray(int[][]::new);
    }

    private static int[] reversed(int[] number) {
        int[] reversed = new int[number.length];
        Arrays.setAll(reversed, i -> number[number.length - 1 - i]);
        return reversed;
    }

    static void main() {
        System.out.printf("%.0f %% right%n", 100 * new Reversal().learn(2_000));
    }
}
