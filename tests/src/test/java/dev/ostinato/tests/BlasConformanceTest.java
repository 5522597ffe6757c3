package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.ForwardingKernels;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.Sweep;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.State;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import dev.ostinato.tests.Conformance.Case;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Backends on a BLAS keep the error bound of a sum in any order in their products, and the bits of the others in the rest. */
final class BlasConformanceTest {
    /** Operations that are or contain products. */
    private static final Set<String> PRODUCTS =
            Set.of("multiplyAdd", "weightGradient", "gemm", "rnnSteps", "lstmSteps", "gruSteps");
    private static final int STEPS = 40;
    private static final Map<String, List<Case>> CASES = ConformanceCases.all();
    private static final List<Kernels> BACKENDS = BlasLibraries.all().stream().map(Kernels::of).toList();
    private static final Kernels SUMS = Conformance.checked(ReferenceProducts.sums());
    private static final Kernels BOUNDS = Conformance.checked(ReferenceProducts.bounds());

    /** {@link RequiredBackendsTest} says where there has to be one. */
    @BeforeAll
    static void assumeThatThereIsALibrary() {
        assumeFalse(BACKENDS.isEmpty(), "no OpenBLAS");
    }

    @ParameterizedTest
    @ValueSource(strings = {"multiplyAdd", "weightGradient", "gemm"})
    void productsKeepTheErrorBound(String product) {
        List<String> found = new ArrayList<>();
        for (Case c : CASES.get(product)) {
            for (Inputs inputs : Inputs.values()) {
                found.addAll(beyondBounds(BACKENDS, c, inputs));
            }
        }
        assertEquals("", String.join("\n", found.subList(0, Math.min(20, found.size()))),
                () -> found.size() + " beyond the bound; seed " + Conformance.BOUNDED_SEED);
    }

    /** The backend below passes; what can go wrong on the way to it shows in any case. */
    @Test
    void theRestHasTheBitsOfTheScalarBackend() {
        Kernels scalar = Kernels.of(Conformance.scalar());
        CASES.forEach((operation, cases) -> {
            if (!PRODUCTS.contains(operation)) {
                List<Case> some = cases.stream().skip(cases.size() / 2).limit(3).toList();
                for (Kernels kernels : BACKENDS) {
                    assertEquals(List.of(), Conformance.differences(scalar, kernels, some),
                            () -> operation + ", seed " + Conformance.SEED);
                }
            }
        });
    }

    private static List<String> beyondBounds(List<Kernels> actual, Case c, Inputs inputs) {
        Operands wanted = after(SUMS, c, new Operands(inputs, Conformance.BOUNDED_SEED, c.name()));
        Operands bounds = after(BOUNDS, c, wanted.again());
        List<String> found = new ArrayList<>();
        for (Kernels kernels : actual) {
            for (String difference : wanted.differences(after(kernels, c, wanted.again()), bounds)) {
                found.add(kernels.backend().name() + ", " + c.name() + ", " + inputs + ": " + difference);
            }
        }
        return found;
    }

    private static Operands after(Kernels kernels, Case c, Operands operands) {
        c.operation().run(kernels, operands);
        return operands;
    }

    // The bound tells right from wrong

    @Test
    void theScalarBackendKeepsTheBound() {
        for (Case c : CASES.get("multiplyAdd")) {
            assertEquals(List.of(), beyondBounds(List.of(Kernels.of(Conformance.scalar())), c, Inputs.NORMAL));
        }
    }

    @Test
    void aMissingTermIsCaught() {
        caughtInEveryCase("multiplyAdd", new ForwardingKernels(Conformance.scalar().kernels()) {
            @Override
            public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
                super.multiplyAdd(a.columns(1, w.inputs()), w.inputs(1, w.inputs()), out);
            }
        });
    }

    @Test
    void aMissingRowIsCaught() {
        caughtInEveryCase("weightGradient", new ForwardingKernels(Conformance.scalar().kernels()) {
            @Override
            public void weightGradient(Matrix a, Matrix dz, PackedMatrix dw) {
                super.weightGradient(a.rows(0, a.rows() - 1), dz.rows(0, a.rows() - 1), dw);
            }
        });
    }

    @Test
    void aRelativeErrorOfOneInAThousandIsCaught() {
        caughtInEveryCase("multiplyAdd", new ForwardingKernels(Conformance.scalar().kernels()) {
            @Override
            public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
                super.multiplyAdd(a, w, out);
                super.scale(out, 1.001f);
            }
        });
    }

    @Test
    void oneWrongUnitIsCaught() {
        caughtInEveryCase("multiplyAdd", new ForwardingKernels(Conformance.scalar().kernels()) {
            @Override
            public void multiplyAdd(Matrix a, PackedMatrix w, Matrix out) {
                float before = out.get(a.rows() - 1, 0);
                super.multiplyAdd(a, w, out);
                out.set(a.rows() - 1, 0, before);
            }
        });
    }

    private static void caughtInEveryCase(String operation, ForwardingKernels faulty) {
        for (Case c : CASES.get(operation)) {
            if (!c.name().contains("R=0") && !c.name().contains("R=97")) { // many rows take long, and say nothing new
                assertFalse(beyondBounds(List.of(Conformance.checked(faulty)), c, Inputs.NORMAL).isEmpty(), c.name());
            }
        }
    }

    // Only for those who ask

    @Test
    void autoNeverPicksThem() {
        assertTrue(BACKENDS.stream().allMatch(k -> k.backend().status().available() && !k.backend().exact()));
        assertTrue(Backends.all().stream().map(Backend::name).toList().containsAll(List.of("openblas", "blas")));
        assertTrue(Set.of("native", "vector").contains(Backends.auto().backend().name()));
    }

    @Test
    void aModelTrainsAsOnTheScalarBackend() {
        double[] expected = losses("scalar", 1);
        assertTrue(expected[STEPS - 1] < expected[0] / 2, "it learns");
        assertArrayEquals(expected, losses("openblas", 1), 1e-3);
        assertArrayEquals(expected, losses("openblas", 2), 1e-3);
    }

    /** Learns a sequence of 7 by heart, which repeats. */
    private static double[] losses(String backend, int threads) {
        Model model = Model.builder().embedding(7, 9).lstm(33).gru(20).dense(7).seed(1).backend(backend).build();
        int[] tokens = new int[8 * 16 * 4 + 1];
        Arrays.setAll(tokens, i -> i % 7);
        TokenStreams streams = new TokenStreams(tokens, 8, 16);
        double[] losses = new double[STEPS];
        try (Trainer trainer = Trainer.builder(model).loss(Loss.crossEntropy()).optimizer(Optimizer.adam(1e-2))
                .threads(threads).build()) {
            for (int i = 0; i < STEPS; i++) {
                losses[i] = trainer.step(streams.next());
            }
        }
        return losses;
    }

    /** One stream and several, of every cell. */
    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void aModelStepsAsOnTheScalarBackend(CellType cell) {
        Model scalar = Model.builder().embedding(7, 9).recurrent(cell, 33).recurrent(cell, 20).dense(7).seed(1)
                .backend("scalar").build();
        Model openBlas = scalar.withBackend("openblas");
        for (int rows : new int[] {1, 3}) {
            State expectedState = scalar.newState(rows);
            State actualState = openBlas.newState(rows);
            float[] expected = new float[rows * 7];
            float[] actual = new float[rows * 7];
            for (int t = 0; t < 50; t++) {
                int[] tokens = new int[rows];
                Arrays.setAll(tokens, r -> r);
                tokens[0] = t % 7;
                scalar.step(tokens, expectedState, expected);
                openBlas.step(tokens, actualState, actual);
                assertArrayEquals(expected, actual, 1e-5f);
            }
        }
    }

    /** Weights so small that an error of one step does not grow in the next; several steps of several streams, and biases for each. */
    @Test
    void stepsInOneCallAreThoseOfTheScalarBackend() {
        for (Kernels kernels : BACKENDS) {
            for (Steps steps : List.<Steps>of(
                    (k, o) -> k.rnnSteps(Activation.TANH, o.start(1), o.x, o.w(1), o.h, o.u(1), Sweep.ASCENDING,
                            o.result),
                    (k, o) -> k.lstmSteps(o.start(4), o.x, o.w(4), o.h, o.u(4), Sweep.ASCENDING, o.c, o.result),
                    (k, o) -> k.gruSteps(o.start(4), o.x, o.w(3), o.h, o.u(3), Sweep.ASCENDING, o.result))) {
                StepOperands expected = new StepOperands();
                steps.run(Kernels.of(Conformance.scalar()), expected);
                StepOperands actual = new StepOperands();
                steps.run(kernels, actual);
                for (int r = 0; r < expected.result.rows(); r++) {
                    assertArrayEquals(expected.result.row(r), actual.result.row(r), 1e-6f);
                }
                assertArrayEquals(expected.c.row(4), actual.c.row(4), 1e-6f);
            }
        }
    }

    @FunctionalInterface
    private interface Steps {
        void run(Kernels kernels, StepOperands operands);
    }

    /** Three steps of five streams, 21 inputs, 32 units. */
    private static final class StepOperands {
        private final SplittableRandom random = new SplittableRandom(1);
        final Matrix x = random(15, 21);
        final Matrix h = random(5, 32);
        final Matrix c = random(5, 32);
        final Matrix result = Matrix.of(15, 32);

        Matrix start(int slots) {
            return random(15, slots * 32);
        }

        PackedMatrix w(int gates) {
            return weights(21, gates);
        }

        PackedMatrix u(int gates) {
            return weights(32, gates);
        }

        private Matrix random(int rows, int columns) {
            Matrix matrix = Matrix.of(rows, columns);
            for (int r = 0; r < rows; r++) {
                for (int j = 0; j < columns; j++) {
                    matrix.set(r, j, (float) random.nextGaussian());
                }
            }
            return matrix;
        }

        private PackedMatrix weights(int inputs, int gates) {
            PackedMatrix weights = PackedMatrix.of(inputs, gates, 32);
            for (int k = 0; k < inputs; k++) {
                for (int j = 0; j < gates * 32; j++) {
                    weights.set(k, j / 32, j % 32, (float) (0.1 * random.nextGaussian()));
                }
            }
            return weights;
        }
    }
}
