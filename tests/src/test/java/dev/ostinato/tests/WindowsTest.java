package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.State;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import dev.ostinato.nn.Validation;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Truncated backpropagation through time whose windows overlap: a step every k1 steps of the streams, k2 steps back. */
final class WindowsTest {
    private static final int VOCABULARY = 23;
    private static final int K1 = 3;
    private static final int K2 = 7;
    private static final int ROWS = 3;

    // Oracles

    /** The tolerance is that of {@link GoldenTest}, relative to the largest of a tensor. */
    @ParameterizedTest
    @ValueSource(strings = {"lstm", "gru"})
    void asInPyTorch(String cell) throws IOException {
        SafeTensors golden = Goldens.read("windows");
        for (String backend : ExactBackends.names().toList()) {
            assertEquals(0, error(golden, cell, backend, batch -> batch), 1e-5, backend);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstm", "gru"})
    void anotherStateOrOtherLossesAreSeen(String cell) throws IOException {
        SafeTensors golden = Goldens.read("windows");
        List<UnaryOperator<Batch>> others = List.of(batch -> batch.advancing(K2), batch -> batch.advancing(K1 - 1),
                batch -> batch.countingFrom(0), batch -> batch.countingFrom(K2 - K1 + 1));
        for (UnaryOperator<Batch> other : others) {
            assertTrue(error(golden, cell, "scalar", other) > 1e-3);
        }
    }

    /** Trains over the windows of the golden, changed; returns the largest relative error of a loss, of gradients or of weights. */
    private static double error(SafeTensors golden, String cell, String backend, UnaryOperator<Batch> change)
            throws IOException {
        Model.Builder layers = Model.builder().embedding(VOCABULARY, 11).recurrent(CellType.of(cell), 19);
        if (cell.equals("lstm")) {
            layers.lstm(19);
        }
        Model initial = Model.of(layers.dense(VOCABULARY).build().layers(),
                Goldens.tensors(golden, cell + ".initial."));
        float[] losses = golden.tensor(cell + ".losses").toFloats();
        float[] text = golden.tensor(cell + ".text").toFloats();
        int[] tokens = new int[text.length];
        Arrays.setAll(tokens, i -> (int) text[i]);
        TokenStreams streams = new TokenStreams(tokens, ROWS, K2, K1);
        assertEquals(losses.length, streams.batchesPerEpoch());
        double error = 0;
        try (Trainer trainer = Trainer.builder(initial).backend(backend).optimizer(Optimizer.sgd(0.5)).build()) {
            for (int i = 0; i < losses.length; i++) {
                error = Math.max(error, Math.abs(trainer.step(change.apply(streams.next())) / losses[i] - 1));
                error = Math.max(error,
                        error(Goldens.tensors(golden, cell + ".gradient." + i + "."), trainer.gradients()));
            }
            return Math.max(error, error(Goldens.tensors(golden, cell + ".final."), trainer.model().tensors()));
        }
    }

    private static double error(List<NamedArray> expected, List<NamedArray> actual) {
        double error = 0;
        for (NamedArray tensor : expected) {
            NamedArray found = actual.stream().filter(a -> a.name().equals(tensor.name())).findFirst().orElseThrow();
            double largest = 0;
            double difference = 0;
            for (int i = 0; i < tensor.data().length; i++) {
                largest = Math.max(largest, Math.abs(tensor.data()[i]));
                difference = Math.max(difference, Math.abs((double) tensor.data()[i] - found.data()[i]));
            }
            error = Math.max(error, difference / largest);
        }
        return error;
    }

    /** What counts of a sum is the whole without the first steps, which know nothing of those behind them. */
    @ParameterizedTest
    @MethodSource("lossesOfSteps")
    void gradientsAreThoseOfTheStepsThatCount(Loss loss) {
        SplittableRandom random = new SplittableRandom(Conformance.BOUNDED_SEED);
        Model model = Model.builder().features(5).lstm(7).gru(6).dense(9).seed(2).build();
        RandomBatch batch = new RandomBatch(model, K2, 5, random).shortened(random);
        try (Trainer trainer = Trainer.builder(model).loss(loss).build()) {
            double whole = gradients(trainer, batch.batch(loss));
            float[] wholeLosses = trainer.losses();
            List<NamedArray> expected = trainer.gradients();
            double head = gradients(trainer, batch.steps(0, K2 - K1).batch(loss));
            List<NamedArray> ofHead = trainer.gradients();
            double tail = gradients(trainer, batch.batch(loss).countingFrom(K2 - K1));
            assertEquals(whole - head, tail, 1e-5 * whole);
            for (int i = 0; i < ofHead.size(); i++) {
                for (int j = 0; j < ofHead.get(i).data().length; j++) {
                    expected.get(i).data()[j] -= ofHead.get(i).data()[j];
                }
            }
            assertEquals(0, error(expected, trainer.gradients()), 1e-5);
            Arrays.fill(wholeLosses, 0, (K2 - K1) * 5, 0);
            assertArrayEquals(wholeLosses, trainer.losses());
        }
    }

    private static Stream<Loss> lossesOfSteps() {
        return Stream.of(Loss.crossEntropy().summed(), Loss.crossEntropy().labelSmoothing(0.1).ignoring(2).summed(),
                Loss.sampledSoftmax(4).summed(), Loss.squaredError().summed(), Loss.absoluteError().summed(),
                Loss.huber(0.5).summed(), Loss.binaryCrossEntropy().summed());
    }

    private static double gradients(Trainer trainer, Batch batch) {
        trainer.resetState();
        return trainer.gradients(batch);
    }

    @Test
    void meansAreOverWhatCounts() {
        SplittableRandom random = new SplittableRandom(Conformance.BOUNDED_SEED);
        Model model = Model.builder().features(5).gru(6).dense(4).build();
        RandomBatch batch = new RandomBatch(model, K2, 5, random).shortened(random);
        int there = 0;
        for (int i = (K2 - K1) * 5; i < batch.mask.length; i++) {
            there += batch.mask[i] ? 1 : 0;
        }
        for (Loss loss : List.of(Loss.crossEntropy(), Loss.crossEntropy().labelSmoothing(0.1), Loss.squaredError())) {
            try (Trainer mean = Trainer.builder(model).loss(loss).build();
                    Trainer sum = Trainer.builder(model).loss(loss.summed()).build()) {
                double expected = sum.gradients(batch.batch(loss).countingFrom(K2 - K1)) * 5 / there;
                assertEquals(expected, mean.gradients(batch.batch(loss).countingFrom(K2 - K1)), 1e-6 * expected);
            }
        }
    }

    /** Where no stream has a step that counts there is nothing to learn. */
    @Test
    void aWindowOfWhichNothingCountsHasNoLoss() {
        Model model = Model.builder().features(5).gru(6).dense(4).build();
        RandomBatch batch = new RandomBatch(model, K2, 2, new SplittableRandom(1));
        try (Trainer trainer = Trainer.builder(model).build()) {
            Batch ends = Batch.featuresToClasses(Sequences.ofLengths(K2, 2, 3), batch.features, batch.classes);
            assertEquals(0, trainer.gradients(ends.countingFrom(4)));
            assertEquals(0, trainer.gradientNorm());
        }
    }

    // The state that goes on

    /** What inference makes of the first k1 steps with the weights of the window, also of streams that end before. */
    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void theStateIsThatAfterTheAdvance(CellType cell) {
        SplittableRandom random = new SplittableRandom(Conformance.SEED);
        Model model = Model.builder().features(5).recurrent(cell, 7).recurrent(cell, 17).dense(3).build();
        RandomBatch batch = new RandomBatch(model, K2, 5, random).shortened(random);
        RandomBatch head = batch.steps(0, K1);
        Loss loss = Loss.squaredError();
        State state = model.newState(5);
        try (Trainer trainer = Trainer.builder(model).loss(loss).threads(2).build()) {
            for (int i = 0; i < 2; i++) { // from zero, and from there
                trainer.gradients(batch.batch(loss).advancing(K1));
                model.run(head.features, head.sequences(), state, new float[K1 * 5 * 3]);
                same(state.tensors(), trainer.progress().states());
            }
        }
    }

    // The same bits

    private static Model model(CellType cell) {
        return Model.builder().embedding(VOCABULARY, 11).recurrent(cell, 19).dropout(0.25).recurrent(cell, 19)
                .dense(VOCABULARY).seed(7).build();
    }

    private static int[] text() {
        return new SplittableRandom(Conformance.SEED).ints(50, 0, VOCABULARY).toArray();
    }

    /** Trains over two epochs, with another trainer after some windows. */
    private static List<NamedArray> trained(Model model, TokenStreams streams, int pause,
            UnaryOperator<Trainer.Builder> options) {
        Trainer trainer = trainer(model, options);
        try {
            for (int i = 0; i < 2 * streams.batchesPerEpoch(); i++) {
                if (i == pause) {
                    Trainer next = trainer(trainer.model(), options);
                    next.resume(trainer.progress());
                    trainer.close();
                    trainer = next;
                }
                if (streams.atEpochStart()) {
                    trainer.resetState();
                }
                trainer.step(streams.next());
            }
            return trainer.model().tensors();
        } finally {
            trainer.close();
        }
    }

    private static Trainer trainer(Model model, UnaryOperator<Trainer.Builder> options) {
        return options.apply(Trainer.builder(model).optimizer(Optimizer.adam(1e-2)).clipGlobalNorm(0.3).seed(5))
                .build();
    }

    private static TokenStreams windows() {
        return new TokenStreams(text(), ROWS, K2, K1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstm(projection=11)", "gru"})
    void onEveryBackendAndAnyThreadsAndAfterABreak(String cell) {
        Model model = model(CellType.of(cell));
        List<NamedArray> expected = trained(model, windows(), -1, trainer -> trainer.backend("scalar"));
        for (String backend : ExactBackends.names().toList()) {
            same(expected, trained(model, windows(), -1, trainer -> trainer.backend(backend).threads(2)));
        }
        same(expected, trained(model, windows(), 2, trainer -> trainer));
        same(expected, trained(model, windows(), 5, trainer -> trainer)); // in the second epoch
    }

    @Test
    void windowsThatDoNotOverlapAreBatchesThatFollowEachOther() {
        Model model = model(CellType.LSTM);
        List<NamedArray> expected = trained(model, new TokenStreams(text(), ROWS, K2), -1, trainer -> trainer);
        same(expected, trained(model, new TokenStreams(text(), ROWS, K2, K2), -1, trainer -> trainer));
        SplittableRandom random = new SplittableRandom(Conformance.SEED);
        Loss loss = Loss.crossEntropy();
        Batch batch = new RandomBatch(model, K2, ROWS, random).batch(loss);
        try (Trainer plain = Trainer.builder(model).build(); Trainer window = Trainer.builder(model).build()) {
            for (int i = 0; i < 3; i++) {
                assertEquals(plain.step(batch), window.step(batch.advancing(2).advancing(K2).countingFrom(0)));
            }
            same(plain.model().tensors(), window.model().tensors());
        }
    }

    private static void same(List<NamedArray> expected, List<NamedArray> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).name(), actual.get(i).name());
            assertArrayEquals(bits(expected.get(i).data()), bits(actual.get(i).data()), expected.get(i).name());
        }
    }

    private static int[] bits(float[] floats) {
        int[] bits = new int[floats.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(floats[i]));
        return bits;
    }

    // Windows of a text

    @Test
    void windowsGoOnByTheAdvanceAndCountEveryOutputOnce() {
        int[] text = new int[2 * 14 + 1];
        Arrays.setAll(text, i -> i);
        Model model = Model.builder().oneHot(29).gru(3).dense(29).build();
        TokenStreams streams = new TokenStreams(text, 2, 5, 3);
        assertEquals(4, streams.batchesPerEpoch());
        int[] times = new int[28];
        try (Trainer trainer = Trainer.builder(model).build()) {
            for (int n = 0; n < 4; n++) {
                assertEquals(n == 0, streams.atEpochStart());
                trainer.gradients(streams.next());
                float[] losses = trainer.losses();
                for (int i = 0; i < losses.length; i++) {
                    times[i % 2 * 14 + n * 3 + i / 2] += losses[i] > 0 ? 1 : 0;
                }
            }
        }
        int[] once = new int[28];
        Arrays.fill(once, 1);
        assertArrayEquals(once, times);
        assertTrue(streams.atEpochStart());
    }

    // Errors

    private static void refused(Executable call, String... parts) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "expected \"" + part + "\" in \"" + message + "\"");
        }
    }

    @Test
    void windowsOutOfRange() {
        refused(() -> new TokenStreams(text(), 2, 5, 6), "advance: expected 1..5", "got 6");
        refused(() -> new TokenStreams(text(), 2, 5, 0), "advance: expected 1..5", "got 0");
        Model model = Model.builder().features(5).gru(6).dense(4).build();
        RandomBatch random = new RandomBatch(model, K2, ROWS, new SplittableRandom(1));
        Batch batch = random.batch(Loss.crossEntropy());
        refused(() -> batch.advancing(8), "advance: expected 1..7, got 8");
        refused(() -> batch.advancing(0), "advance: expected 1..7, got 0");
        refused(() -> batch.countingFrom(7), "counting from: expected 0..6, got 7");
        refused(() -> batch.countingFrom(-1), "counting from: expected 0..6, got -1");
        boolean[] resets = new boolean[K2 * ROWS];
        resets[2 * ROWS] = true;
        Batch anew = Batch.featuresToClasses(Sequences.of(ROWS, random.mask, resets), random.features, random.classes);
        refused(() -> anew.advancing(K1), "advance: expected streams that do not begin anew within a batch, got 1");
    }

    @Test
    void modelsAndLossesWithoutWindows() {
        Model both = Model.builder().features(5).bidirectional(CellType.GRU, 3, Layer.Merge.SUM).dense(4).build();
        Model pooled = Model.builder().features(5).gru(3).pool(Layer.Pooling.MAX).dense(4).build();
        Batch batch = new RandomBatch(both, K2, ROWS, new SplittableRandom(1)).batch(Loss.crossEntropy());
        Batch ofStreams =
                new RandomBatch(both, K2, ROWS, new SplittableRandom(1)).pooled(Loss.crossEntropy());
        Batch labels = new RandomBatch(both, K2, ROWS, new SplittableRandom(1)).batch(Loss.ctc(1));
        try (Trainer backward = Trainer.builder(both).build(); Trainer pools = Trainer.builder(pooled).build();
                Trainer ctc = Trainer.builder(both).loss(Loss.ctc(1)).build();
                Validation validation = Validation.of(both, Loss.crossEntropy(), 1)) {
            refused(() -> backward.step(batch.advancing(K1)), "advance: expected layers that all go forward in time");
            refused(() -> pools.step(ofStreams.advancing(K1)), "advance: expected layers that all go forward in time");
            refused(() -> pools.step(ofStreams.countingFrom(1)), "counting from 1: expected a loss of each step");
            refused(() -> ctc.step(labels.countingFrom(1)), "counting from 1: expected a loss of each step");
            refused(() -> validation.add(batch.countingFrom(1)), "got a window");
            refused(() -> validation.add(batch.advancing(1)), "got a window");
            assertEquals(0, backward.steps());
            backward.step(batch.countingFrom(K2 - K1));
        }
    }

    @Test
    void aDecoderBeginsAnewWithEachBatch() {
        EncoderDecoder pair = new EncoderDecoder(Model.builder().oneHot(5).gru(3).build(),
                Model.builder().oneHot(5).gru(3).dense(5).build());
        int[][] rows = {{1, 2}, {3, 4}};
        Batch batch = Batch.teacherForcing(rows, 0, 0).withSource(rows);
        try (Trainer trainer = Trainer.builder(pair).build()) {
            refused(() -> trainer.step(batch.advancing(1)), "advance: expected a model whose state goes on");
            trainer.step(batch.countingFrom(2));
        }
    }
}
