package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.PrecisionReport;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Team;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** At every precision a model has one answer, whatever the backend, the threads and the way the work is cut; and it is close to the exact one. */
final class PrecisionTest {
    private static final int INPUTS = 11;
    private static final int ROWS = 6;
    private static final int STEPS = 21;

    private final Random random = new Random(5);

    private static Stream<Arguments> cells() {
        return CellType.all().stream()
                .flatMap(cell -> Stream.of(Precision.values()).map(precision -> Arguments.of(cell, precision)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cells")
    @AtEveryWidth
    void everyBackendHasTheAnswerOfTheScalarOne(CellType cell, Precision precision) {
        for (Model model : List.of(features(cell), tokens(cell))) {
            float[] expected = run(model.withPrecision(precision).withBackend("scalar"), Team.of(1));
            ExactBackends.names().forEach(backend -> {
                Model other = model.withBackend(backend).withPrecision(precision);
                assertSame(precision, other.precision());
                assertArrayEquals(expected, run(other, Team.of(1)), backend);
            });
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cells")
    @AtEveryWidth
    void howTheWorkIsCutChangesNoBit(CellType cell, Precision precision) {
        for (Model model : List.of(features(cell), tokens(cell))) {
            Model narrow = model.withPrecision(precision);
            float[] expected = run(narrow, Team.of(1));
            assertArrayEquals(expected, steps(narrow), "single steps");
            assertArrayEquals(expected, rowByRow(narrow), "row by row");
            for (int threads = 2; threads <= 3; threads++) {
                try (Team team = Team.of(threads)) {
                    assertArrayEquals(expected, run(narrow, team), threads + " threads");
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTeamSharesSingleStepsToo(Precision precision) {
        Model model = features(CellType.LSTM).withPrecision(precision);
        float[] x = floats(STEPS * INPUTS);
        float[] expected = new float[STEPS * model.outputs()];
        model.run(x, model.newState(), expected);
        try (Team team = Team.of(2)) {
            State state = model.newState(1, team);
            float[] y = new float[model.outputs()];
            for (int t = 0; t < STEPS; t++) {
                model.step(Arrays.copyOfRange(x, t * INPUTS, (t + 1) * INPUTS), state, y);
                assertArrayEquals(Arrays.copyOfRange(expected, t * y.length, (t + 1) * y.length), y);
            }
        }
    }

    /** An error of 2^-9 a weight in bf16, of 1/254 of the largest in int8, and of as much a state. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("cells")
    void roundedWeightsAreCloseToTheExactOnes(CellType cell, Precision precision) {
        double most = switch (precision) {
            case F32 -> 0;
            case BF16 -> 0.01;
            case INT8 -> 0.03;
        };
        for (Model model : List.of(features(cell), tokens(cell))) {
            PrecisionReport report = PrecisionReport.ofRandomInputs(model, precision, 50, 3);
            assertEquals(50, report.steps());
            assertEquals(2, report.layers().size());
            List<PrecisionReport.LayerError> errors = new ArrayList<>(report.layers());
            errors.add(report.outputs());
            for (int i = 0; i < errors.size(); i++) {
                PrecisionReport.LayerError error = errors.get(i);
                boolean exact = precision == Precision.F32 || (i == 0 && model.takesTokens() && !multipliesState(cell));
                assertTrue(error.relative() <= most, report.toString());
                assertEquals(exact, error.largest() == 0, report.toString());
                assertEquals(exact, error.relative() == 0, report.toString());
            }
        }
    }

    /** A layer that has a table of its tokens and no product with its state has no rounded weights. */
    private static boolean multipliesState(CellType cell) {
        return !(cell instanceof CellType.IndRnn || cell instanceof CellType.MinGru);
    }

    @Test
    void aReportKnowsWhereTheErrorIs() {
        // One unit, weights that bf16 has exactly but one: h = W x, outputs = 1.00390625 h, which rounds to h.
        Model model = Model.builder().features(1).recurrent(CellType.RNN_IDENTITY, 1).dense(1).build();
        List<NamedArray> weights = model.tensors().stream().map(t -> new NamedArray(t.name(), t.shape(),
                new float[] {t.name().contains("bias") || t.name().contains("hh") ? 0 : t.name().startsWith("head")
                        ? 1 + 1f / 256 : 2}))
                .toList();
        PrecisionReport report =
                PrecisionReport.of(Model.of(model.layers(), weights), Precision.BF16, new float[] {1, -3});
        assertEquals(List.of(new PrecisionReport.LayerError("rnn.h_l0", 0, 0)), report.layers());
        assertEquals(6f / 256, report.outputs().largest());
        assertEquals(1 / 257.0, report.outputs().relative(), 1e-12);
    }

    @Test
    void narrowWeightsAreFewerBytes() {
        Model model = Model.builder().features(64).lstm(64).dense(64).build();
        long weights = 64 * 4 * 128 + 64 * 64;
        assertEquals(4 * weights, model.stepBytes());
        assertEquals(2 * weights, model.withPrecision(Precision.BF16).stepBytes());
        assertEquals(weights, model.withPrecision(Precision.INT8).stepBytes());
        // Of a table of tokens a step reads one row.
        assertEquals(4 * (64 * 4 * 64 + 4 * 64), Model.builder().embedding(9, 64).lstm(64).build().stepBytes());
    }

    @Test
    void tensorsStayExact() {
        Model model = features(CellType.GRU);
        List<NamedArray> exact = model.tensors();
        List<NamedArray> rounded = model.withPrecision(Precision.INT8).tensors();
        for (int i = 0; i < exact.size(); i++) {
            assertArrayEquals(exact.get(i).data(), rounded.get(i).data());
        }
    }

    @Test
    void whatCannotBeRoundedIsRefused() {
        Model model = features(CellType.LSTM);
        List<NamedArray> weights = model.tensors();
        weights.getFirst().data()[3] = Float.NaN;
        Model broken = Model.of(model.layers(), weights);
        assertSame(Precision.BF16, broken.withPrecision(Precision.BF16).precision());
        String message = assertThrows(IllegalArgumentException.class, () -> broken.withPrecision(Precision.INT8))
                .getMessage();
        assertTrue(message.contains("expected finite numbers, got NaN"), message);
        assertThrows(IllegalArgumentException.class,
                () -> PrecisionReport.of(model, Precision.BF16, new float[INPUTS - 1]));
        assertThrows(IllegalArgumentException.class, () -> PrecisionReport.of(model, Precision.BF16, new int[] {1}));
    }

    private Model features(CellType cell) {
        return RandomModels.randomised(
                Model.builder().features(INPUTS).recurrent(cell, 37).recurrent(cell, 70).dense(5).build(), random);
    }

    private Model tokens(CellType cell) {
        return RandomModels.randomised(
                Model.builder().embedding(INPUTS, 7).recurrent(cell, 70).recurrent(cell, 21).dense(5).build(), random);
    }

    /** A whole sequence of several rows from states that are not zero. */
    private float[] run(Model model, Team team) {
        State state = started(model, ROWS, team);
        float[] y = new float[STEPS * ROWS * model.outputs()];
        if (model.takesTokens()) {
            model.run(someTokens(), state, y);
        } else {
            model.run(someFeatures(), state, y);
        }
        return y;
    }

    private float[] steps(Model model) {
        State state = started(model, ROWS, Team.of(1));
        float[] y = new float[STEPS * ROWS * model.outputs()];
        float[] one = new float[ROWS * model.outputs()];
        for (int t = 0; t < STEPS; t++) {
            int from = t * ROWS;
            if (model.takesTokens()) {
                model.step(Arrays.copyOfRange(someTokens(), from, from + ROWS), state, one);
            } else {
                model.step(Arrays.copyOfRange(someFeatures(), from * INPUTS, (from + ROWS) * INPUTS), state, one);
            }
            System.arraycopy(one, 0, y, t * one.length, one.length);
        }
        return y;
    }

    private float[] rowByRow(Model model) {
        State states = started(model, ROWS, Team.of(1));
        float[] y = new float[STEPS * ROWS * model.outputs()];
        float[] one = new float[STEPS * model.outputs()];
        for (int r = 0; r < ROWS; r++) {
            if (model.takesTokens()) {
                int[] tokens = new int[STEPS];
                for (int t = 0; t < STEPS; t++) {
                    tokens[t] = someTokens()[t * ROWS + r];
                }
                model.run(tokens, states.row(r), one);
            } else {
                float[] x = new float[STEPS * INPUTS];
                for (int t = 0; t < STEPS; t++) {
                    System.arraycopy(someFeatures(), (t * ROWS + r) * INPUTS, x, t * INPUTS, INPUTS);
                }
                model.run(x, states.row(r), one);
            }
            for (int t = 0; t < STEPS; t++) {
                System.arraycopy(one, t * model.outputs(), y, (t * ROWS + r) * model.outputs(), model.outputs());
            }
        }
        return y;
    }

    private static State started(Model model, int rows, Team team) {
        State state = model.newState(rows, team);
        Random states = new Random(9);
        state.setTensors(state.tensors().stream().map(t -> {
            float[] data = new float[t.data().length];
            for (int i = 0; i < data.length; i++) {
                data[i] = states.nextFloat(-1.3f, 1.3f); // some beyond what a tanh can give
            }
            return new NamedArray(t.name(), t.shape(), data);
        }).toList());
        return state;
    }

    private static int[] someTokens() {
        return new Random(1).ints((long) STEPS * ROWS, 0, INPUTS).toArray();
    }

    private static float[] someFeatures() {
        Random features = new Random(2);
        float[] x = new float[STEPS * ROWS * INPUTS];
        for (int i = 0; i < x.length; i++) {
            x[i] = features.nextFloat(-2, 2);
        }
        return x;
    }

    private float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat(-2, 2);
        }
        return values;
    }
}
