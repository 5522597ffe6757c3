package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Evaluation;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.State;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** However the work is cut, into threads, rows, steps or calls, and whoever does it, the bits are the same. */
final class DeterminismTest {
    private static final int VOCABULARY = 13;

    private static Model.Builder recurrent(CellType cell, int hidden) {
        return Model.builder().embedding(VOCABULARY, 11).recurrent(cell, hidden).dropout(0.25).recurrent(cell, hidden)
                .dropout(0.5).dense(VOCABULARY).seed(7);
    }

    private static int[] text(int length) {
        return new SplittableRandom(length).ints(length, 0, VOCABULARY).toArray();
    }

    // Training

    /** Trains for ten steps with dropout and clipping, over batches that go on from one another. */
    private static List<NamedArray> trained(Model model, int rows, int steps, UnaryOperator<Trainer.Builder> options) {
        Trainer.Builder builder = Trainer.builder(model).optimizer(Optimizer.adam(1e-2)).clipGlobalNorm(0.3).seed(5);
        TokenStreams streams = new TokenStreams(text(10 * rows * steps + 1), rows, steps);
        try (Trainer trainer = options.apply(builder).build()) {
            for (int i = 0; i < 10; i++) {
                trainer.step(streams.next());
            }
            return trainer.model().tensors();
        }
    }

    private static void same(List<NamedArray> expected, List<NamedArray> actual) {
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i).name(), actual.get(i).name());
            assertArrayEquals(bits(expected.get(i).data()), bits(actual.get(i).data()), expected.get(i).name());
        }
        assertEquals(expected.size(), actual.size());
    }

    private static int[] bits(float[] floats) {
        int[] bits = new int[floats.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(floats[i]));
        return bits;
    }

    private static boolean sameBits(List<NamedArray> expected, List<NamedArray> actual) {
        for (int i = 0; i < expected.size(); i++) {
            if (!Arrays.equals(bits(expected.get(i).data()), bits(actual.get(i).data()))) {
                return false;
            }
        }
        return true;
    }

    private static Stream<Arguments> backendsAndCells() {
        return ExactBackends.names().flatMap(b -> CellType.all().stream().map(cell -> Arguments.of(b, cell)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    @AtEveryWidth
    void everyBackendTrainsAsTheScalarOne(String backend, CellType cell) {
        Model model = recurrent(cell, 19).backend("scalar").build();
        List<NamedArray> scalar = trained(model, 3, 4, trainer -> trainer);
        same(scalar, trained(model.withBackend(backend), 3, 4, trainer -> trainer));
        same(scalar, trained(model, 3, 4, trainer -> trainer.backend(backend)));
    }

    /** More rows than one thread takes at a time, fewer streams than threads. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    void anyNumberOfThreadsTrainsAsOne(String backend, CellType cell) {
        Model model = recurrent(cell, 19).backend(backend).build();
        List<NamedArray> one = trained(model, 4, 60, trainer -> trainer);
        for (int threads : new int[] {2, 3, 5}) {
            same(one, trained(model, 4, 60, trainer -> trainer.threads(threads)));
        }
    }

    /** Rows in more than one chunk, streams of different lengths. */
    @ParameterizedTest
    @MethodSource("dev.ostinato.tests.ExactBackends#names")
    @AtEveryWidth
    void everyLossTrainsAsTheScalarBackendOnOneThread(String backend) {
        double[] weights = new SplittableRandom(1).doubles(40).toArray();
        Model model = Model.builder().features(9).gru(19).dense(40).backend("scalar").build();
        for (Loss loss : List.of(Loss.crossEntropy().labelSmoothing(0.1).classWeights(weights).ignoring(3),
                Loss.absoluteError(), Loss.huber(0.5), Loss.binaryCrossEntropy().positiveWeights(weights), Loss.ctc(7),
                Loss.sampledSoftmax(17))) {
            same(trainedOnLengths(model, loss, "scalar", 1), trainedOnLengths(model, loss, backend, 2));
        }
    }

    private static List<NamedArray> trainedOnLengths(Model model, Loss loss, String backend, int threads) {
        SplittableRandom random = new SplittableRandom(3);
        try (Trainer trainer = Trainer.builder(model).loss(loss).backend(backend).threads(threads).build()) {
            for (int i = 0; i < 3; i++) {
                trainer.step(new RandomBatch(model, 40, 5, random).shortened(random).batch(loss));
            }
            return trainer.model().tensors();
        }
    }

    /** So many weights that several threads update them. */
    @Test
    void manyWeightsOnManyThreads() {
        Model model = recurrent(CellType.LSTM, 128).build();
        List<NamedArray> one = trained(model, 7, 5, trainer -> trainer);
        same(one, trained(model, 7, 5, trainer -> trainer.threads(3)));
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void featuresOnManyThreads(CellType cell) {
        Model model = Model.builder().features(9).recurrent(cell, 19).dropout(0.3).dense(3).build();
        List<NamedArray> one = trainedOnFeatures(model, 1);
        for (int threads : new int[] {2, 5}) {
            same(one, trainedOnFeatures(model, threads));
        }
    }

    private static List<NamedArray> trainedOnFeatures(Model model, int threads) {
        SplittableRandom random = new SplittableRandom(3);
        Loss loss = Loss.squaredError();
        try (Trainer trainer = Trainer.builder(model).loss(loss).threads(threads).build()) {
            for (int i = 0; i < 10; i++) {
                trainer.step(new RandomBatch(model, 40, 3, random).batch(loss));
            }
            return trainer.model().tensors();
        }
    }

    @Test
    void theSeedOfDropoutMatters() {
        Model model = recurrent(CellType.GRU, 19).build();
        List<NamedArray> five = trained(model, 3, 4, trainer -> trainer);
        same(five, trained(model, 3, 4, trainer -> trainer));
        assertFalse(sameBits(five, trained(model, 3, 4, trainer -> trainer.seed(6))));
    }

    @Test
    void theSeedOfTheWeightsMatters() {
        same(recurrent(CellType.GRU, 19).build().tensors(), recurrent(CellType.GRU, 19).build().tensors());
        assertFalse(sameBits(recurrent(CellType.GRU, 19).build().tensors(),
                recurrent(CellType.GRU, 19).seed(8).build().tensors()));
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void resumedTrainingGoesOnAsIfNeverStopped(CellType cell) {
        Model model = recurrent(cell, 19).build();
        for (Optimizer optimizer : List.of(Optimizer.adam(1e-2), new Optimizer.Sgd(0.1, 0.9))) {
            List<NamedArray> expected = trained(model, 3, 4, trainer -> trainer.optimizer(optimizer));
            same(expected, resumed(model, optimizer));
        }
    }

    /** As {@link #trained}, but with another trainer after five steps. */
    private static List<NamedArray> resumed(Model model, Optimizer optimizer) {
        TokenStreams streams = new TokenStreams(text(10 * 3 * 4 + 1), 3, 4);
        Model middle;
        Trainer.Progress progress;
        try (Trainer first = trainer(model, optimizer)) {
            for (int i = 0; i < 5; i++) {
                first.step(streams.next());
            }
            middle = first.model();
            progress = first.progress();
        }
        try (Trainer second = trainer(middle, optimizer)) {
            second.resume(progress);
            for (int i = 5; i < 10; i++) {
                second.step(streams.next());
            }
            assertEquals(10, second.steps());
            return second.model().tensors();
        }
    }

    private static Trainer trainer(Model model, Optimizer optimizer) {
        return Trainer.builder(model).optimizer(optimizer).clipGlobalNorm(0.3).seed(5).build();
    }

    @Test
    void progressBeforeTheFirstStepAfterResumingIsWhatWasResumed() {
        Model model = recurrent(CellType.LSTM, 19).build();
        try (Trainer first = trainer(model, Optimizer.adam(1e-2));
                Trainer second = trainer(model, Optimizer.adam(1e-2))) {
            first.step(new TokenStreams(text(13), 3, 4).next());
            second.resume(first.progress());
            Trainer.Progress expected = first.progress();
            Trainer.Progress actual = second.progress();
            assertEquals(expected.step(), actual.step());
            same(expected.first(), actual.first());
            same(expected.second(), actual.second());
            same(expected.states(), actual.states());
        }
    }

    @Test
    void aResetStateIsThatOfANewTrainer() {
        Model model = recurrent(CellType.LSTM, 19).build();
        TokenStreams streams = new TokenStreams(text(10 * 3 * 4 + 1), 3, 4);
        try (Trainer used = trainer(model, Optimizer.adam(1e-2));
                Trainer fresh = trainer(model, Optimizer.adam(1e-2))) {
            used.gradients(streams.next());
            used.resetState();
            streams.seek(1);
            double expected = fresh.gradients(streams.next());
            streams.seek(1);
            assertEquals(expected, used.gradients(streams.next()));
            same(fresh.gradients(), used.gradients());
        }
    }

    /** Also when the batches have different numbers of steps. */
    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void theStateGoesOnFromBatchToBatch(CellType cell) {
        Model model = withoutDropout(cell);
        RandomBatch whole = new RandomBatch(model, 9, 3, new SplittableRandom(1));
        Loss loss = Loss.crossEntropy().summed();
        try (Trainer once = Trainer.builder(model).loss(loss).build();
                Trainer parts = Trainer.builder(model).loss(loss).build()) {
            double expected = once.gradients(whole.batch(loss));
            double actual = 0;
            for (int[] part : new int[][] {{0, 4}, {4, 8}, {8, 9}}) {
                actual += parts.gradients(whole.steps(part[0], part[1]).batch(loss));
            }
            assertEquals(expected, actual, 1e-12 * expected); // sums in double precision
            same(once.progress().states(), parts.progress().states());
        }
    }

    // Stepping

    private static Model withoutDropout(CellType cell) {
        return Model.builder().embedding(VOCABULARY, 11).recurrent(cell, 19).recurrent(cell, 35).dense(VOCABULARY)
                .seed(9).build();
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    void aRowInABatchIsTheRowAlone(String backend, CellType cell) {
        Model model = withoutDropout(cell).withBackend(backend);
        for (int rows : new int[] {2, 3, 4, 5, 6, 7, 8, 9, 17}) {
            RandomBatch batch = new RandomBatch(model, 6, rows, new SplittableRandom(rows));
            State together = model.newState(rows);
            State[] each = new State[rows];
            Arrays.setAll(each, b -> model.newState());
            float[] y = new float[rows * VOCABULARY];
            for (int t = 0; t < 6; t++) {
                model.step(Arrays.copyOfRange(batch.tokens, t * rows, (t + 1) * rows), together, y);
                for (int b = 0; b < rows; b++) {
                    float[] own = new float[VOCABULARY];
                    model.step(batch.tokens[t * rows + b], each[b], own);
                    assertArrayEquals(bits(own), bits(Arrays.copyOfRange(y, b * VOCABULARY, (b + 1) * VOCABULARY)));
                }
            }
            sameStates(each, together);
        }
    }

    private static void sameStates(State[] each, State together) {
        for (NamedArray tensor : together.tensors()) {
            int size = tensor.shape().getLast();
            for (int b = 0; b < each.length; b++) {
                NamedArray own = each[b].tensors().stream().filter(t -> t.name().equals(tensor.name())).findFirst()
                        .orElseThrow();
                assertEquals(List.of(1, size), own.shape());
                assertArrayEquals(bits(own.data()), bits(Arrays.copyOfRange(tensor.data(), b * size, (b + 1) * size)));
            }
        }
    }

    @Test
    void featuresInABatchAreTheFeaturesAlone() {
        Model model = Model.builder().features(9).lstm(19).dense(3).build();
        int rows = 5;
        RandomBatch batch = new RandomBatch(model, 1, rows, new SplittableRandom(1));
        float[] y = new float[rows * 3];
        model.step(batch.features, model.newState(rows), y);
        for (int b = 0; b < rows; b++) {
            float[] own = new float[3];
            model.step(Arrays.copyOfRange(batch.features, b * 9, (b + 1) * 9), model.newState(), own);
            assertArrayEquals(bits(own), bits(Arrays.copyOfRange(y, b * 3, (b + 1) * 3)));
        }
    }

    /** The states that training's forward leaves are those of single steps: the hoisted input product changes no bit. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("backendsAndCells")
    void singleStepsLeaveTheStatesOfTraining(String backend, CellType cell) {
        Model model = withoutDropout(cell).withBackend(backend);
        Loss loss = Loss.crossEntropy();
        RandomBatch batch = new RandomBatch(model, 50, 3, new SplittableRandom(1));
        State state = model.newState(3);
        float[] y = new float[3 * VOCABULARY];
        double sum = 0;
        for (int t = 0; t < 50; t++) {
            model.step(Arrays.copyOfRange(batch.tokens, t * 3, (t + 1) * 3), state, y);
            for (int b = 0; b < 3; b++) {
                sum += negativeLogProbability(Arrays.copyOfRange(y, b * VOCABULARY, (b + 1) * VOCABULARY),
                        batch.classes[t * 3 + b]);
            }
        }
        try (Trainer trainer = Trainer.builder(model).loss(loss).threads(2).build()) {
            assertEquals(sum / 150, trainer.gradients(batch.batch(loss)), 1e-6);
            same(state.tensors(), trainer.progress().states());
        }
    }

    private static double negativeLogProbability(float[] logits, int index) {
        return -DoubleReference.logSoftmax(logits)[index];
    }

    /** Texts shorter than, as long as, and longer than what is evaluated at a time. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 64, 65, 66, 200})
    void evaluationIsTheSumOfSingleSteps(int length) {
        for (CellType cell : CellType.all()) {
            Model model = withoutDropout(cell);
            int[] text = text(length);
            double expected = nats(model, text, 0, length - 1);
            Evaluation evaluation = Evaluation.of(model, text, 1, 2);
            assertEquals(length - 1, evaluation.tokens());
            assertEquals(expected, evaluation.nats(), 1e-6);
            assertEquals(-expected * (length - 1), evaluation.logProbability(), 1e-6 * length);
        }
    }

    @Test
    void evaluationInStreamsIsThatOfThePieces() {
        Model model = withoutDropout(CellType.LSTM);
        int[] text = text(3 * 70 + 3); // two are left over
        double expected = (nats(model, text, 0, 70) + nats(model, text, 70, 70) + nats(model, text, 140, 70)) / 3;
        Evaluation evaluation = Evaluation.of(model, text, 3, 1);
        assertEquals(210, evaluation.tokens());
        assertEquals(expected, evaluation.nats(), 1e-6);
        assertEquals(evaluation, Evaluation.of(model, text, 3, 2));
    }

    /** Returns the mean over the predictions of {@code count} tokens that follow {@code from}. */
    private static double nats(Model model, int[] text, int from, int count) {
        State state = model.newState();
        float[] y = new float[VOCABULARY];
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            model.step(text[i], state, y);
            sum += negativeLogProbability(y, text[i + 1]);
        }
        return sum / count;
    }

    @Test
    void dropoutActsInTrainingAlone() {
        Model with = recurrent(CellType.LSTM, 19).build();
        List<NamedArray> weights = with.tensors();
        Model without = Model.of(with.layers().stream().filter(l -> !(l instanceof Layer.Dropout)).toList(),
                weights);
        int[] text = text(30);
        assertEquals(Evaluation.of(without, text, 1, 1), Evaluation.of(with, text, 1, 1));
        assertEquals(Evaluation.of(without, text, 1, 1).nats(), nats(with, text, 0, 29), 1e-6);
    }

    // States

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void aCopyGoesOnAloneAndAResetStateIsNew(CellType cell) {
        Model model = withoutDropout(cell);
        State state = model.newState();
        float[] first = steps(model, state, 1, 2, 3);
        State copy = state.copy();
        float[] expected = steps(model, state, 4, 5);
        same(state.tensors(), stepped(model, 1, 2, 3, 4, 5).tensors());
        assertArrayEquals(bits(expected), bits(steps(model, copy, 4, 5)));
        same(state.tensors(), copy.tensors());
        state.reset();
        same(model.newState().tensors(), state.tensors());
        assertArrayEquals(bits(first), bits(steps(model, state, 1, 2, 3)));
    }

    @Test
    void aStateTakesTheContentsOfAnother() {
        Model model = withoutDropout(CellType.LSTM);
        State from = stepped(model, 1, 2);
        State to = stepped(model, 3);
        to.copyFrom(from);
        same(from.tensors(), to.tensors());
        steps(model, from, 5);
        assertFalse(sameBits(from.tensors(), to.tensors()));
    }

    @Test
    void aStateHoldsTheTensorsOfItsLayers() {
        List<NamedArray> tensors = withoutDropout(CellType.LSTM).newState(2).tensors();
        assertEquals(List.of("rnn.h_l0", "rnn.c_l0", "rnn2.h_l0", "rnn2.c_l0"),
                tensors.stream().map(NamedArray::name).toList());
        assertEquals(List.of(2, 35), tensors.getLast().shape());
        assertTrue(tensors.stream().allMatch(t -> Arrays.equals(t.data(), new float[t.data().length])));
    }

    private static State stepped(Model model, int... tokens) {
        State state = model.newState();
        steps(model, state, tokens);
        return state;
    }

    /** Returns the last output. */
    private static float[] steps(Model model, State state, int... tokens) {
        float[] y = new float[model.outputs()];
        for (int token : tokens) {
            model.step(token, state, y);
        }
        return y;
    }
}
