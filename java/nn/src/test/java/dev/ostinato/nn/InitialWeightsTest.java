package dev.ostinato.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class InitialWeightsTest {
    /** Fans that no two definitions confuse: of W 96 and 256 or, per gate, 64. */
    private static final int INPUTS = 96;
    private static final int HIDDEN = 64;
    private static final int GATES = 4;
    private static final InitialWeights DEFAULT = InitialWeights.pytorch();

    private static Model lstm(InitialWeights weights, long seed) {
        return Model.builder().features(INPUTS).initialWeights(weights).lstm(HIDDEN).seed(seed).build();
    }

    private static float[] tensor(Model model, String name) {
        return model.tensors().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow().data();
    }

    private static float[] inputWeights(Initializer initializer) {
        return tensor(lstm(DEFAULT.withInput(initializer), 1), "rnn.weight_ih_l0");
    }

    private static float[] recurrentWeights(Initializer initializer) {
        return tensor(lstm(DEFAULT.withRecurrent(initializer), 1), "rnn.weight_hh_l0");
    }

    // The default

    static Stream<Arguments> defaults() {
        return Stream.of(
                Arguments.of(Model.builder().embedding(11, 5).lstm(17).dropout(0.1).gru(7).dense(3).seed(1),
                        "3c88c045ad958c40bc8a5af0b20458ba3a8e7d79e637a7513d26524871af0374"),
                Arguments.of(Model.builder().oneHot(6).recurrent(CellType.GRU_RESET_BEFORE, 9).dense(6).seed(-5),
                        "d378d41e40896bec982654f2a29440c4644b463e1959a1ca35c186d49fe3ce56"),
                Arguments.of(
                        Model.builder().features(4).rnn(3).recurrent(CellType.RNN_RELU, 3)
                                .recurrent(CellType.RNN_IDENTITY, 18),
                        "bb503139074769002f0efc812e1a545053d85922025e23e48a70125f0fa4f736"));
    }

    /** Who gave a seed once gets the same weights in every version. */
    @ParameterizedTest
    @MethodSource("defaults")
    void theDefaultNeverChanges(Model.Builder builder, String digest) {
        assertEquals(digest, digest(builder.build()));
    }

    private static String digest(Model model) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (NamedArray tensor : model.tensors()) {
                ByteBuffer bytes =
                        ByteBuffer.allocate(Float.BYTES * tensor.data().length).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(tensor.data());
                digest.update(bytes);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theDefaultIsBoundedByTheLayer() {
        Model model = Model.builder().embedding(300, INPUTS).lstm(HIDDEN).dense(500).build();
        uniform(tensor(model, "rnn.weight_ih_l0"), 1 / Math.sqrt(HIDDEN));
        uniform(tensor(model, "rnn.weight_hh_l0"), 1 / Math.sqrt(HIDDEN));
        uniform(tensor(model, "head.weight"), 1 / Math.sqrt(HIDDEN));
        normal(tensor(model, "embedding.weight"), 1);
        for (String bias : List.of("rnn.bias_ih_l0", "rnn.bias_hh_l0", "head.bias")) {
            within(tensor(model, bias), 1 / Math.sqrt(HIDDEN));
        }
    }

    // Distributions

    @Test
    void uniformDistributions() {
        uniform(inputWeights(Initializer.uniform(0.3)), 0.3);
        uniform(inputWeights(Initializer.glorotUniform()), Math.sqrt(6.0 / (INPUTS + GATES * HIDDEN)));
        uniform(inputWeights(Initializer.glorotUniform().perGate()), Math.sqrt(6.0 / (INPUTS + HIDDEN)));
        uniform(inputWeights(Initializer.heUniform()), Math.sqrt(6.0 / INPUTS));
        uniform(inputWeights(Initializer.lecunUniform()), Math.sqrt(3.0 / INPUTS));
        uniform(recurrentWeights(Initializer.glorotUniform()), Math.sqrt(6.0 / (HIDDEN + GATES * HIDDEN)));
        uniform(recurrentWeights(Initializer.lecunUniform()), Math.sqrt(3.0 / HIDDEN));
    }

    @Test
    void normalDistributions() {
        normal(inputWeights(Initializer.normal(0.3)), 0.3);
        normal(inputWeights(Initializer.glorotNormal()), Math.sqrt(2.0 / (INPUTS + GATES * HIDDEN)));
        normal(inputWeights(Initializer.heNormal()), Math.sqrt(2.0 / INPUTS));
        normal(inputWeights(Initializer.lecunNormal()), Math.sqrt(1.0 / INPUTS));
        normal(recurrentWeights(Initializer.glorotNormal().perGate()), Math.sqrt(2.0 / (HIDDEN + HIDDEN)));
    }

    private static void within(float[] data, double bound) {
        for (float v : data) {
            assertTrue(Math.abs(v) <= (float) bound, () -> v + " beyond " + bound);
        }
    }

    private static void uniform(float[] data, double bound) {
        within(data, bound);
        assertTrue(IntStream.range(0, data.length).anyMatch(i -> data[i] > 0.99 * bound));
        assertTrue(IntStream.range(0, data.length).anyMatch(i -> data[i] < -0.99 * bound));
        moments(data, bound / Math.sqrt(3), 0.8);
        assertEquals(0.5, share(data, bound / 2), 2 / Math.sqrt(data.length));
    }

    private static void normal(float[] data, double deviation) {
        moments(data, deviation, 2);
        assertEquals(0.6827, share(data, deviation), 2 / Math.sqrt(data.length));
        assertEquals(0.9545, share(data, 2 * deviation), 1 / Math.sqrt(data.length));
    }

    /**
     * Mean and variance, within four of their own standard deviations.
     *
     * @param excess the fourth central moment over the squared variance, minus 1
     */
    private static void moments(float[] data, double deviation, double excess) {
        double mean = 0;
        double squares = 0;
        for (float v : data) {
            mean += v;
            squares += (double) v * v;
        }
        double variance = deviation * deviation;
        assertEquals(0, mean / data.length, 4 * deviation / Math.sqrt(data.length));
        assertEquals(variance, squares / data.length, 4 * variance * Math.sqrt(excess / data.length));
    }

    private static double share(float[] data, double bound) {
        return IntStream.range(0, data.length).filter(i -> Math.abs(data[i]) < bound).count() / (double) data.length;
    }

    @Test
    void constants() {
        Model model = Model.builder().embedding(3, 4)
                .initialWeights(
                        new InitialWeights(Initializer.constant(0.1), Initializer.zeros(), Initializer.constant(-2),
                                DEFAULT.forgetBias(), Initializer.zeros()))
                .gru(5).dense(2).build();
        assertArrayEquals(filled(15 * 4, 0.1f), tensor(model, "rnn.weight_ih_l0"));
        assertArrayEquals(filled(15 * 5, 0), tensor(model, "rnn.weight_hh_l0"));
        assertArrayEquals(filled(15, -2), tensor(model, "rnn.bias_hh_l0"));
        assertArrayEquals(filled(2, -2), tensor(model, "head.bias"));
        assertArrayEquals(filled(2 * 5, 0.1f), tensor(model, "head.weight"));
    }

    private static float[] filled(int size, float value) {
        float[] data = new float[size];
        Arrays.fill(data, value);
        return data;
    }

    // Orthogonal and identity

    /** Rounding elements of columns of length 1 to floats changes products of two columns by at most 2^-23. */
    private static void columnsAreOrthonormal(float[] q, int rows, int columns, double gain) {
        for (int i = 0; i < columns; i++) {
            for (int j = 0; j <= i; j++) {
                double product = 0;
                for (int r = 0; r < rows; r++) {
                    product += (double) q[r * columns + i] * q[r * columns + j];
                }
                assertEquals(i == j ? gain * gain : 0, product, gain * gain * 0x1p-23, i + " and " + j);
            }
        }
    }

    @Test
    void orthogonalOverAllGates() {
        columnsAreOrthonormal(recurrentWeights(Initializer.orthogonal()), GATES * HIDDEN, HIDDEN, 1);
        columnsAreOrthonormal(recurrentWeights(Initializer.orthogonal(2)), GATES * HIDDEN, HIDDEN, 2);
    }

    @Test
    void orthogonalPerGate() {
        float[] all = recurrentWeights(Initializer.orthogonal().perGate());
        int block = HIDDEN * HIDDEN;
        for (int gate = 0; gate < GATES; gate++) {
            float[] one = Arrays.copyOfRange(all, gate * block, (gate + 1) * block);
            columnsAreOrthonormal(one, HIDDEN, HIDDEN, 1);
            assertFalse(Arrays.equals(one, Arrays.copyOfRange(all, 0, block)) && gate > 0, "gate " + gate);
        }
    }

    @Test
    void aWideMatrixHasOrthonormalRows() {
        Model model = Model.builder().features(9).initialWeights(DEFAULT.withInput(Initializer.orthogonal())).dense(5)
                .build();
        float[] w = tensor(model, "head.weight");
        float[] turned = new float[w.length];
        for (int i = 0; i < w.length; i++) {
            turned[i % 9 * 5 + i / 9] = w[i];
        }
        columnsAreOrthonormal(turned, 9, 5, 1);
    }

    /** Rotations and reflections by any angle are as likely: without the signs of R the first element would never be positive. */
    @Test
    void orthogonalMatricesHaveNoPreference() {
        int count = 2000;
        double[] means = new double[4];
        int rotations = 0;
        for (int seed = 0; seed < count; seed++) {
            float[] q = OrthonormalMatrix.draw(2, 2, 1, CounterRandom.key(seed, 0));
            for (int i = 0; i < means.length; i++) {
                means[i] += q[i] / count;
            }
            rotations += q[0] * q[3] - q[1] * q[2] > 0 ? 1 : 0;
        }
        for (double mean : means) {
            assertEquals(0, mean, 4 * Math.sqrt(0.5 / count));
        }
        assertEquals(0.5, rotations / (double) count, 2 / Math.sqrt(count));
    }

    @Test
    void identityIsExact() {
        Model model = Model.builder().features(3).initialWeights(DEFAULT.withRecurrent(Initializer.identity(0.5)))
                .recurrent(CellType.RNN_RELU, 4).build();
        float[] expected = new float[16];
        for (int i = 0; i < 4; i++) {
            expected[5 * i] = 0.5f;
        }
        assertArrayEquals(expected, tensor(model, "rnn.weight_hh_l0"));

        Model gated =
                Model.builder().features(3).initialWeights(DEFAULT.withRecurrent(Initializer.identity(0.5).perGate()))
                        .lstm(4).build();
        for (int gate = 0; gate < GATES; gate++) {
            assertArrayEquals(expected,
                    Arrays.copyOfRange(tensor(gated, "rnn.weight_hh_l0"), 16 * gate, 16 * (gate + 1)));
        }
    }

    // Biases

    @Test
    void theForgetBiasIsThatOfTheForgetGateAlone() {
        Model plain = lstm(DEFAULT, 3);
        Model biased = lstm(DEFAULT.withForgetBias(1), 3);
        float[] ih = tensor(plain, "rnn.bias_ih_l0").clone();
        float[] hh = tensor(plain, "rnn.bias_hh_l0").clone();
        Arrays.fill(ih, HIDDEN, 2 * HIDDEN, 1);
        Arrays.fill(hh, HIDDEN, 2 * HIDDEN, 0);
        assertArrayEquals(ih, tensor(biased, "rnn.bias_ih_l0"));
        assertArrayEquals(hh, tensor(biased, "rnn.bias_hh_l0"));
        assertArrayEquals(tensor(plain, "rnn.weight_hh_l0"), tensor(biased, "rnn.weight_hh_l0"));
    }

    @Test
    void cellsWithoutAForgetGateHaveNoForgetBias() {
        for (CellType cell : List.of(CellType.RNN_TANH, CellType.GRU, CellType.GRU_RESET_BEFORE)) {
            Model plain = Model.builder().features(3).recurrent(cell, 5).build();
            Model biased =
                    Model.builder().features(3).initialWeights(DEFAULT.withForgetBias(1)).recurrent(cell, 5).build();
            assertEquals(digest(plain), digest(biased), cell.label());
        }
    }

    // Presets, seeds and layers

    @Test
    void defaultsOfKeras() {
        Model model = Model.builder().initialWeights(InitialWeights.keras()).embedding(200, INPUTS).lstm(HIDDEN)
                .dense(50).build();
        uniform(tensor(model, "embedding.weight"), 0.05);
        uniform(tensor(model, "rnn.weight_ih_l0"), Math.sqrt(6.0 / (INPUTS + GATES * HIDDEN)));
        columnsAreOrthonormal(tensor(model, "rnn.weight_hh_l0"), GATES * HIDDEN, HIDDEN, 1);
        float[] bias = new float[GATES * HIDDEN];
        assertArrayEquals(bias, tensor(model, "rnn.bias_hh_l0"));
        Arrays.fill(bias, HIDDEN, 2 * HIDDEN, 1);
        assertArrayEquals(bias, tensor(model, "rnn.bias_ih_l0"));
        uniform(tensor(model, "head.weight"), Math.sqrt(6.0 / (HIDDEN + 50)));
        assertArrayEquals(new float[50], tensor(model, "head.bias"));
    }

    @Test
    void aSeedGivesTheSameWeightsAndAnotherOthers() {
        for (InitialWeights weights : List.of(DEFAULT, InitialWeights.keras())) {
            assertEquals(digest(lstm(weights, 1)), digest(lstm(weights, 1)));
            assertFalse(Arrays.equals(tensor(lstm(weights, 1), "rnn.weight_hh_l0"),
                    tensor(lstm(weights, 2), "rnn.weight_hh_l0")));
        }
    }

    /** StrictMath and exact operations alone: the same bits on every machine. */
    @Test
    void initializersAreTheSameEverywhere() {
        Model model = Model.builder().embedding(7, 6).initialWeights(InitialWeights.keras()).lstm(17)
                .initialWeights(
                        DEFAULT.withInput(Initializer.heNormal()).withRecurrent(Initializer.orthogonal().perGate()))
                .gru(5).seed(1).build();
        assertEquals("c2280fd0809c63a51aef956ef7587ef5ba4346df285d1e9987bed59af2d98ae6", digest(model));
    }

    @Test
    void layersHaveWeightsOfTheirOwn() {
        Model model = Model.builder().features(8).initialWeights(InitialWeights.keras()).gru(8).gru(8)
                .initialWeights(DEFAULT.withBias(Initializer.constant(3))).gru(8).build();
        assertFalse(Arrays.equals(tensor(model, "rnn.weight_hh_l0"), tensor(model, "rnn.weight_hh_l1")));
        assertArrayEquals(new float[24], tensor(model, "rnn.bias_ih_l1"));
        assertArrayEquals(filled(24, 3), tensor(model, "rnn.bias_ih_l2"));
        within(tensor(model, "rnn.weight_hh_l2"), 1 / Math.sqrt(8));
    }

    @Test
    void bothDirectionsHaveWeightsOfTheirOwn() {
        InitialWeights weights = DEFAULT.withRecurrent(Initializer.orthogonal().perGate()).withForgetBias(2);
        Model model = Model.builder().features(3).initialWeights(weights)
                .bidirectional(CellType.LSTM, 8, Layer.Merge.CONCAT).build();
        assertFalse(Arrays.equals(tensor(model, "rnn.weight_hh_l0"), tensor(model, "rnn.weight_hh_l0_reverse")));
        for (String suffix : List.of("_l0", "_l0_reverse")) {
            columnsAreOrthonormal(Arrays.copyOfRange(tensor(model, "rnn.weight_hh" + suffix), 64, 128), 8, 8, 1);
            within(tensor(model, "rnn.weight_ih" + suffix), 1 / Math.sqrt(8));
            assertArrayEquals(filled(8, 2), Arrays.copyOfRange(tensor(model, "rnn.bias_ih" + suffix), 8, 16));
            assertArrayEquals(filled(8, 0), Arrays.copyOfRange(tensor(model, "rnn.bias_hh" + suffix), 8, 16));
        }
    }

    @Test
    void whatMakesNoSense() {
        refused("bias: expected zeros, constant, uniform, normal or pytorch",
                () -> DEFAULT.withBias(Initializer.orthogonal().perGate()));
        refused("identity needs a square matrix, got (256, 64)", () -> recurrentWeights(Initializer.identity()));
        refused("bound: expected >= 0, got -1", () -> Initializer.uniform(-1));
        refused("deviation: expected a finite float, got NaN", () -> Initializer.normal(Double.NaN));
        refused("value: expected a finite float, got 1.0E39", () -> Initializer.constant(1e39));
        refused("value: expected a finite float, got Infinity", () -> DEFAULT.withForgetBias(Double.POSITIVE_INFINITY));
    }

    private static void refused(String message, Runnable call) {
        String actual = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(actual.contains(message), actual);
    }
}
