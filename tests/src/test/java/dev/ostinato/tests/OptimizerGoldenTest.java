package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Clipping;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Patience;
import dev.ostinato.nn.Plateau;
import dev.ostinato.nn.Schedule;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Updates and schedules are those of PyTorch; {@code src/test/goldens/optimizers.py} says how. */
final class OptimizerGoldenTest {
    private static final int STEPS = 5;
    private static final int ROWS = 3;
    private static final int BATCHES = 8;
    private static final double TOLERANCE = 2e-5;

    private static final Optimizer SGD = Optimizer.sgd(0.3);
    private static final Map<String, UnaryOperator<Trainer.Builder>> WAYS = Map.ofEntries(
            Map.entry("sgd", b -> b.optimizer(SGD)),
            Map.entry("momentum", b -> b.optimizer(new Optimizer.Sgd(0.1, 0.8))),
            Map.entry("nesterov", b -> b.optimizer(new Optimizer.Nesterov(0.1, 0.8))),
            Map.entry("rmsprop", b -> b.optimizer(Optimizer.rmsProp(0.01))),
            Map.entry("adagrad", b -> b.optimizer(Optimizer.adagrad(0.05))),
            Map.entry("adam", b -> b.optimizer(Optimizer.adam(0.02))),
            Map.entry("adamw", b -> b.optimizer(Optimizer.adamW(0.02, 0.1))),
            Map.entry("l2", b -> b.optimizer(Optimizer.adam(0.02)).l2(0.1)),
            Map.entry("l1", b -> b.optimizer(SGD).l1(0.01)),
            Map.entry("by-value", b -> b.optimizer(SGD).clip(Clipping.byValue(0.02))),
            Map.entry("by-norm", b -> b.optimizer(SGD).clip(Clipping.byNorm(0.05))),
            Map.entry("by-global-norm", b -> b.optimizer(SGD).clip(Clipping.byGlobalNorm(0.1))),
            Map.entry("rescale", b -> b.optimizer(SGD).clip(Clipping.rescale(0.5))));

    private static Golden golden() throws IOException {
        return Golden.read("optimizers");
    }

    private static Model initial() throws IOException {
        return Model.of(Model.builder().features(5).gru(9).gru(9).dense(4).build().layers(),
                golden().tensors("initial"));
    }

    private static Trainer.Builder trainer(Model model) {
        return Trainer.builder(model).loss(Loss.squaredError());
    }

    private static List<Batch> batches() throws IOException {
        float[] features = golden().floats("features");
        float[] values = golden().floats("values");
        List<Batch> batches = new ArrayList<>();
        for (int i = 0; i < BATCHES; i++) {
            batches.add(Batch.featuresToValues(STEPS, ROWS, part(features, i), part(values, i)));
        }
        return batches;
    }

    private static float[] part(float[] all, int index) {
        int size = all.length / BATCHES;
        return Arrays.copyOfRange(all, index * size, (index + 1) * size);
    }

    private static void train(Trainer trainer, int from, int to) throws IOException {
        for (Batch batch : batches().subList(from, to)) {
            trainer.step(batch);
            trainer.resetState();
        }
    }

    private static Stream<String> ways() {
        return WAYS.keySet().stream().sorted();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void asInPyTorch(String way) throws IOException {
        try (Trainer trainer = WAYS.get(way).apply(trainer(initial())).build()) {
            train(trainer, 0, BATCHES);
            assertEquals(List.of(), differences(golden().tensors(way), trainer.model().tensors()));
        }
    }

    /** The goldens differ by more than the tolerance: a way that did nothing of its own would be seen. */
    @Test
    void noTwoWaysAreTheSame() throws IOException {
        List<String> names = ways().toList();
        for (String one : names) {
            for (String other : names) {
                assertEquals(one.equals(other),
                        differences(golden().tensors(one), golden().tensors(other)).isEmpty(), one + ", " + other);
            }
        }
    }

    private static List<String> differences(List<NamedArray> expected, List<NamedArray> actual) {
        assertEquals(expected.size(), actual.size());
        List<String> found = new ArrayList<>();
        for (NamedArray tensor : expected) {
            NamedArray other = actual.stream().filter(a -> a.name().equals(tensor.name())).findFirst().orElseThrow();
            for (int i = 0; i < tensor.data().length; i++) {
                if (!(Math.abs(tensor.data()[i] - other.data()[i]) <= TOLERANCE)) {
                    found.add(tensor.name() + "[" + i + "]: expected " + tensor.data()[i] + ", got " + other.data()[i]);
                }
            }
        }
        return found;
    }

    /** In pieces on two threads, and with a break: clipping, penalties, moments and the average go on to the bit. */
    @ParameterizedTest
    @MethodSource("ways")
    void resumedOnTwoThreads(String way) throws IOException {
        try (Trainer whole = WAYS.get(way).apply(trainer(initial())).averageWeights(0.7).build();
                Trainer first = WAYS.get(way).apply(trainer(initial())).averageWeights(0.7).threads(2).build()) {
            train(whole, 0, BATCHES);
            train(first, 0, 3);
            try (Trainer second = WAYS.get(way).apply(trainer(first.model())).averageWeights(0.7).build()) {
                second.resume(first.progress());
                train(second, 3, BATCHES);
                same(whole.model(), second.model());
                same(whole.averagedModel(), second.averagedModel());
            }
        }
    }

    private static void same(Model expected, Model actual) {
        for (int i = 0; i < expected.tensors().size(); i++) {
            assertArrayEquals(expected.tensors().get(i).data(), actual.tensors().get(i).data(), 0f);
        }
    }

    @Test
    void theAverageIsThatOfPyTorch() throws IOException {
        try (Trainer trainer = WAYS.get("adam").apply(trainer(initial())).averageWeights(0.7).build()) {
            assertThrows(IllegalStateException.class, trainer::averagedModel);
            train(trainer, 0, BATCHES);
            assertEquals(List.of(), differences(golden().tensors("averaged"), trainer.averagedModel().tensors()));
        }
    }

    @Test
    void severalBatchesMakeOneStep() throws IOException {
        try (Trainer trainer = trainer(initial()).optimizer(SGD).clip(Clipping.byGlobalNorm(0.1)).build()) {
            for (int i = 0; i < BATCHES; i += 2) {
                trainer.step(List.of(fromZero(i), fromZero(i + 1)));
            }
            assertEquals(BATCHES / 2, trainer.steps());
            assertEquals(List.of(), differences(golden().tensors("accumulated"), trainer.model().tensors()));
            assertThrows(IllegalArgumentException.class, () -> trainer.step(List.of()));
        }
    }

    /** Returns a batch whose streams begin anew. */
    private static Batch fromZero(int index) throws IOException {
        boolean[] all = new boolean[STEPS * ROWS];
        Arrays.fill(all, true);
        boolean[] resets = new boolean[STEPS * ROWS];
        Arrays.fill(resets, 0, ROWS, true);
        return Batch.featuresToValues(Sequences.of(ROWS, all, resets), part(golden().floats("features"), index),
                part(golden().floats("values"), index));
    }

    private static Stream<Arguments> schedules() {
        return Stream.of(Arguments.of("steps", Schedule.steps(4, 0.5)),
                Arguments.of("exponential", Schedule.exponential(0.9)),
                Arguments.of("cosine-restarts", Schedule.cosineRestarts(4, 2, 0.1)),
                Arguments.of("equal-restarts", Schedule.cosineRestarts(7, 1, 0)),
                Arguments.of("warmed-up", Schedule.steps(4, 0.5).warmedUp(5)));
    }

    @ParameterizedTest
    @MethodSource("schedules")
    void ratesAreThoseOfPyTorch(String name, Schedule schedule) throws IOException {
        float[] expected = golden().floats("factors." + name);
        for (int step = 1; step <= expected.length; step++) {
            assertEquals(expected[step - 1], schedule.factor(step), 1e-7, name + " at step " + step);
        }
    }

    @Test
    void patienceIsThatOfKeras() {
        Patience patience = Patience.of(3).withMargin(0.1);
        assertTrue(patience.observe(5));
        assertFalse(patience.observe(4.95), "not by the margin");
        assertTrue(patience.observe(4.5));
        for (double loss : new double[] {4.5, Double.NaN}) {
            assertFalse(patience.observe(loss));
            assertFalse(patience.isExhausted());
        }
        assertFalse(patience.observe(4.45));
        assertTrue(patience.isExhausted());
        assertEquals(4.5, patience.best());
        assertTrue(patience.observe(1));
        assertFalse(patience.isExhausted());
    }

    @Test
    void aPlateauLowersTheRate() {
        Plateau plateau = Plateau.of(0.5, Patience.of(2));
        double[] losses = {3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 0.5};
        double[] factors = {1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125};
        for (int i = 0; i < losses.length; i++) {
            plateau.observe(losses[i]);
            assertEquals(factors[i], plateau.factor(i + 1), "after " + i);
        }
    }

    /** A rate of zero from the third step on: the weights stand still. */
    @Test
    void theTrainerAsksThePlateau() throws IOException {
        Plateau plateau = Plateau.of(Double.MIN_NORMAL, Patience.of(1));
        try (Trainer trainer = trainer(initial()).optimizer(SGD).schedule(plateau).build()) {
            train(trainer, 0, 2);
            Model moved = trainer.model();
            plateau.observe(1);
            plateau.observe(1);
            train(trainer, 2, 4);
            same(moved, trainer.model());
        }
    }
}
