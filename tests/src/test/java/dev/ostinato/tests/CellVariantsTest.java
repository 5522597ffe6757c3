package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Team;
import dev.ostinato.nn.Trainer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every cell holds for cells with options, too: one run, single steps, a row alone, any threads and backend have one answer. */
final class CellVariantsTest {
    private static final int INPUTS = 9;
    private static final int STEPS = 7;
    private static final int ROWS = 3;

    private final SplittableRandom random = new SplittableRandom(Conformance.SEED);

    @ParameterizedTest
    @ValueSource(strings = {"lstm(projection=17)", "lstm(peepholes,coupled,projection=5,clip=1,no-bias)",
        "lstm(peepholes,gates=hard-sigmoid(0.2,0.5),candidate=softsign,cell-clip=0.5)",
        "gru(clip=0.5,candidate=elu(1),no-bias)", "rnn-softplus(clip=2)"})
    void oneAnswer(String cell) {
        Model.Builder layers = Model.builder().features(INPUTS).recurrent(CellType.of(cell), 35)
                .recurrent(CellType.of(cell), 20).dense(4);
        Model exact = RandomModels.randomised(layers.backend("scalar").build(), random);
        float[] x = floats(STEPS * ROWS * INPUTS);
        for (Precision precision : Precision.values()) {
            Model model = exact.withPrecision(precision);
            State state = model.newState(ROWS);
            float[] expected = new float[STEPS * ROWS * 4];
            model.run(x, state, expected);
            for (String backend : ExactBackends.names().toList()) {
                String what = backend + ", " + precision;
                Model other = model.withBackend(backend);
                assertArrayEquals(expected, run(other, other.newState(ROWS), x), what);
                assertArrayEquals(state.save(), afterSteps(other, x, expected, what).save(), what);
                try (Team team = Team.of(2)) {
                    assertArrayEquals(expected, run(other, other.newState(ROWS, team), x), what + ", two threads");
                }
            }
            rowsAlone(model, x, expected);
        }
    }

    private static float[] run(Model model, State state, float[] x) {
        float[] y = new float[STEPS * ROWS * 4];
        model.run(x, state, y);
        return y;
    }

    private static State afterSteps(Model model, float[] x, float[] expected, String what) {
        State state = model.newState(ROWS);
        float[] y = new float[ROWS * 4];
        int size = ROWS * INPUTS;
        for (int t = 0; t < STEPS; t++) {
            model.step(Arrays.copyOfRange(x, t * size, (t + 1) * size), state, y);
            assertArrayEquals(Arrays.copyOfRange(expected, t * y.length, (t + 1) * y.length), y, what);
        }
        return state;
    }

    private static void rowsAlone(Model model, float[] x, float[] expected) {
        for (int row = 0; row < ROWS; row++) {
            State state = model.newState();
            float[] y = new float[4];
            for (int t = 0; t < STEPS; t++) {
                int at = t * ROWS + row;
                model.step(Arrays.copyOfRange(x, at * INPUTS, (at + 1) * INPUTS), state, y);
                assertArrayEquals(Arrays.copyOfRange(expected, at * 4, (at + 1) * 4), y);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstm(projection=17)", "lstm(peepholes,coupled,projection=5,clip=1,no-bias)",
        "gru-reset-before(clip=0.5,candidate=elu(1),no-bias)"})
    void oneTraining(String cell) {
        Model.Builder layers = Model.builder().features(INPUTS).recurrent(CellType.of(cell), 35).dense(4);
        Model model = RandomModels.randomised(layers.backend("scalar").build(), random);
        Batch batch =
                Batch.featuresToValues(STEPS, ROWS, floats(STEPS * ROWS * INPUTS), floats(STEPS * ROWS * 4));
        List<NamedArray> expected = trained(model, batch, 1);
        assertEquals(model.tensors().stream().map(NamedArray::name).toList(),
                expected.stream().map(NamedArray::name).toList());
        for (String backend : ExactBackends.names().toList()) {
            for (int threads = 1; threads <= 2; threads++) {
                List<NamedArray> actual = trained(model.withBackend(backend), batch, threads);
                for (int i = 0; i < expected.size(); i++) {
                    assertArrayEquals(expected.get(i).data(), actual.get(i).data(),
                            backend + ", " + threads + " threads, " + expected.get(i).name());
                }
            }
        }
    }

    private static List<NamedArray> trained(Model model, Batch batch, int threads) {
        try (Trainer trainer = Trainer.builder(model).loss(Loss.squaredError()).threads(threads).build()) {
            trainer.step(batch);
            trainer.step(batch);
            return trainer.model().tensors();
        }
    }

    private float[] floats(int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }
}
