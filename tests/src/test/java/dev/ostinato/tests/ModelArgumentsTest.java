package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Evaluation;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.State;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What does not fit a model is refused, with what was expected and what came, and changes nothing. */
final class ModelArgumentsTest {
    private static final Model TOKENS = Model.builder().embedding(17, 3).lstm(5).dense(4).build();
    private static final Model FEATURES = Model.builder().features(3).gru(5).dense(4).build();

    private static void refused(Executable call, String... parts) {
        refused(IllegalArgumentException.class, call, parts);
    }

    private static void refused(Class<? extends Exception> type, Executable call, String... parts) {
        String message = assertThrows(type, call).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "expected \"" + part + "\" in \"" + message + "\"");
        }
    }

    // Layers

    @Test
    void sizesOfLayers() {
        refused(() -> new Layer.Embedding(0, 3), "vocabulary: expected >= 1, got 0");
        refused(() -> new Layer.Embedding(3, -1), "size: expected >= 1, got -1");
        refused(() -> new Layer.OneHot(0), "vocabulary: expected >= 1, got 0");
        refused(() -> new Layer.Features(0), "size: expected >= 1, got 0");
        refused(() -> new Layer.Recurrent(CellType.LSTM, 0, 3), "inputs: expected >= 1, got 0");
        refused(() -> new Layer.Recurrent(CellType.LSTM, 3, 0), "hidden: expected >= 1, got 0");
        refused(() -> new Layer.Dense(3, 0), "outputs: expected >= 1, got 0");
        refused(() -> Model.builder().features(3).lstm(-7), "hidden: expected >= 1, got -7");
    }

    @Test
    void ratesOfDropout() {
        for (double rate : new double[] {1, 1.5, -0.1, Double.NaN}) {
            refused(() -> Model.builder().features(3).dropout(rate),
                    "dropout: expected a rate in [0, 1), got " + (float) rate);
        }
    }

    @Test
    void anInputLayerFirstAndOnlyFirst() {
        refused(() -> Model.builder().lstm(3), "expected embedding, oneHot or features first");
        refused(() -> Model.builder().build(), "expected an input layer and at least one more, got []");
        refused(() -> Model.builder().features(3).build(), "at least one more", "size=3");
        refused(() -> Model.builder().features(3).embedding(5, 3).build(), "layer 1: expected no input layer",
                "vocabulary=5");
        List<Layer> headless = List.of(new Layer.Dense(3, 4), new Layer.Dense(4, 5));
        refused(() -> Model.of(headless, List.of()), "layer 0: expected embedding, one-hot or features", "inputs=3");
    }

    @Test
    void layersThatDoNotFit() {
        List<Layer> layers =
                List.of(new Layer.Features(3), new Layer.Recurrent(CellType.GRU, 3, 5), new Layer.Dense(6, 2));
        refused(() -> Model.of(layers, List.of()), "layer 2: expected 5 inputs", "inputs=6");
        refused(() -> Model.builder().oneHot(5).dense(3).build(), "layer 1: expected a recurrent layer behind one-hot",
                "Dense");
    }

    @Test
    void weightsThatAreMissingOrMisshapen() {
        List<NamedArray> tensors = TOKENS.tensors();
        List<NamedArray> missing = tensors.stream().filter(t -> !t.name().equals("rnn.bias_hh_l0")).toList();
        refused(() -> Model.of(TOKENS.layers(), missing), "expected a tensor rnn.bias_hh_l0 of shape [20]",
                "head.weight");
        List<NamedArray> misshapen = tensors.stream().map(
                t -> t.name().equals("head.weight") ? new NamedArray("head.weight", List.of(5, 4), t.data()) : t)
                .toList();
        refused(() -> Model.of(TOKENS.layers(), misshapen), "head.weight: expected shape [4, 5], got [5, 4]");
        refused(() -> new NamedArray("x", List.of(2, 3), new float[5]),
                "x: expected 6 elements for shape [2, 3], got 5");
    }

    @Test
    void namesOfBackendsAndCells() {
        refused(() -> Model.builder().features(3).dense(2).backend("gpu").build(), "backend: expected auto, ", "vector",
                "got gpu");
        refused(() -> FEATURES.withBackend("gpu"), "scalar", "got gpu");
        refused(() -> CellType.of("LSTM"), "layer-norm-gru, got LSTM");
        for (CellType type : CellType.all()) {
            assertEquals(type, CellType.of(type.label()));
        }
    }

    @Test
    void notationOfVariants() {
        for (String label : List.of("rnn-tanh(clip=3,no-bias)", "rnn-leaky-relu(alpha=0.01)",
                "rnn-affine(alpha=0.5,beta=-1)", "lstm(no-bias)",
                "lstm(projection=32)",
                "lstm(peepholes,coupled,projection=4,clip=3,cell-clip=10.5,gates=hard-sigmoid(0.2,0.5),candidate=elu(1),output=softsign,no-bias)",
                "gru(clip=1.0E-4,candidate=scaled-tanh(1.7159,0.6667))",
                "gru-reset-before(gates=hard-sigmoid(0.2,0.5))")) {
            assertEquals(label, CellType.of(label).label());
        }
        assertEquals(CellType.LSTM.withClip(3), CellType.of("lstm(gates=sigmoid,clip=3.0,candidate=tanh)"));
        assertEquals(List.of("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.weight_ci_l0", "rnn.weight_co_l0"),
                Model.builder().features(2).recurrent(CellType.of("lstm(peepholes,coupled,no-bias)"), 3).build()
                        .tensors()
                        .stream().map(NamedArray::name).toList());
        refused(() -> CellType.of("lstm(clip=3"), "cell: expected one of rnn-tanh, ", "got lstm(clip=3");
        refused(() -> CellType.of("gru(peepholes)"), "cell: expected no peepholes, got gru(peepholes)");
        refused(() -> CellType.of("rnn-gelu"), "got rnn-gelu");
        refused(() -> CellType.of("rnn-tanh(alpha=2)"), "TANH: expected no alpha, got 2.0");
        refused(() -> CellType.of("lstm(projection=0)"), "projection: expected >= 1, got 0");
        refused(() -> CellType.of("lstm(projection=1.5)"), "expected a whole number, got 1.5");
        refused(() -> Model.builder().features(2).recurrent(CellType.LSTM.withProjection(3), 3).build(),
                "projection: expected less than 3 hidden units, got 3");
        refused(() -> CellType.of("lstm(coupled=1)"), "expected coupled without a value");
        refused(() -> CellType.of("lstm(clip=x)"), "expected a number, got x");
        refused(() -> CellType.of("lstm(clip=-1)"), "clip: expected > 0, got -1.0");
        refused(() -> CellType.of("lstm(clip=1,clip=2)"), "expected each option once");
        refused(() -> CellType.of("lstm(gates=elu)"), "expected 1 numbers behind elu");
        refused(() -> CellType.of("lstm(gates=gelu)"), "expected one of the functions tanh, relu, ");
        refused(() -> new CellType.Gru(CellType.Gru.Reset.AFTER,
                new GruVariant(Activation.SIGMOID.withClip(1), Activation.TANH), CellType.Bias.BOTH),
                "clip: expected one for gates and candidate, got 1.0 and Infinity");
        refused(() -> new CellType.Lstm(
                new LstmVariant(Activation.SIGMOID, Activation.TANH, Activation.TANH.withClip(2),
                        Float.POSITIVE_INFINITY, LstmVariant.Forget.GATE),
                CellType.Peepholes.NONE, OptionalInt.empty(), CellType.Bias.BOTH),
                "output: expected no clip but that of the cell, got 2.0");
    }

    // Steps

    @Test
    void rowsOfAState() {
        refused(() -> TOKENS.newState(0), "rows: expected >= 1, got 0");
        refused(() -> TOKENS.newState(-3), "rows: expected >= 1, got -3");
    }

    @Test
    void lengthsOfInputsAndOutputs() {
        refused(() -> TOKENS.step(new int[3], TOKENS.newState(2), new float[8]), "tokens: expected 2 x 1, got 3");
        refused(() -> TOKENS.step(new int[2], TOKENS.newState(2), new float[7]), "y: expected 2 x 4, got 7");
        refused(() -> TOKENS.step(1, TOKENS.newState(2), new float[8]), "tokens: expected 2 x 1, got 1");
        refused(() -> TOKENS.step(1, TOKENS.newState(), new float[5]), "y: expected 1 x 4, got 5");
        refused(() -> FEATURES.step(new float[5], FEATURES.newState(2), new float[8]), "x: expected 2 x 3, got 5");
        refused(() -> FEATURES.step(new float[6], FEATURES.newState(2), new float[9]), "y: expected 2 x 4, got 9");
    }

    @Test
    void tokensForFeaturesAndTheOtherWayRound() {
        refused(() -> FEATURES.step(1, FEATURES.newState(), new float[4]), "expected rows of 3 floats, got tokens");
        refused(() -> FEATURES.step(new int[1], FEATURES.newState(), new float[4]),
                "expected rows of 3 floats, got tokens");
        refused(() -> TOKENS.step(new float[17], TOKENS.newState(), new float[4]), "expected tokens, got x");
    }

    @Test
    void aStateOfAnotherModel() {
        Model same = TOKENS.withBackend("scalar");
        refused(() -> TOKENS.step(1, same.newState(), new float[4]),
                "state: expected one of this model, got another model's");
        refused(() -> TOKENS.newState().copyFrom(same.newState()), "with 1 rows, got another model's");
        refused(() -> TOKENS.newState().copyFrom(TOKENS.newState(2)), "with 1 rows, got 2 rows");
    }

    /** Embedding and one-hot; one row and several; on every backend. The state stays as it was. */
    @Test
    void tokensOutsideTheVocabulary() {
        for (String backend : List.of("native", "vector", "scalar")) {
            Model oneHot = Model.builder().oneHot(17).gru(5).backend(backend).build();
            for (Model model : List.of(TOKENS.withBackend(backend), oneHot)) {
                for (int token : new int[] {-1, 17, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
                    outside(model, token);
                }
            }
        }
    }

    private static void outside(Model model, int token) {
        float[] y = new float[model.outputs()];
        State state = model.newState();
        model.step(3, state, y);
        State before = state.copy();
        refused(IndexOutOfBoundsException.class, () -> model.step(token, state, y), "0..16", "got " + token);
        for (int i = 0; i < state.tensors().size(); i++) {
            assertEquals(hash(before.tensors().get(i)), hash(state.tensors().get(i)));
        }
        refused(IndexOutOfBoundsException.class,
                () -> model.step(new int[] {3, token}, model.newState(2), new float[2 * model.outputs()]), "0..16",
                "got " + token);
    }

    private static int hash(NamedArray tensor) {
        return Arrays.hashCode(tensor.data());
    }

    // Evaluation

    @Test
    void evaluation() {
        Model model = Model.builder().embedding(17, 3).gru(5).dense(17).build();
        refused(() -> Evaluation.of(FEATURES, new int[9], 1, 1), "evaluation: expected a model of tokens", "size=3");
        refused(() -> Evaluation.of(TOKENS, new int[9], 1, 1), "evaluation: expected a model of tokens", "outputs=4");
        refused(() -> Evaluation.of(model, new int[1], 1, 1), "text: expected at least 2 tokens, got 1");
        refused(() -> Evaluation.of(model, new int[0], 1, 1), "text: expected at least 2 tokens, got 0");
        refused(() -> Evaluation.of(model, new int[3], 3, 1), "text: expected at least 4 tokens, got 3");
        refused(() -> Evaluation.of(model, new int[3], 1, 0), "threads: expected >= 1, got 0");
        refused(() -> Evaluation.of(model, new int[3], 0, 1), "streams: expected >= 1, got 0");
        refused(IndexOutOfBoundsException.class, () -> Evaluation.of(model, new int[] {1, 17, 2}, 1, 1), "0..16",
                "got 17");
        refused(IndexOutOfBoundsException.class, () -> Evaluation.of(model, new int[] {1, 2, -1}, 1, 1), "0..16",
                "got -1");
    }
}
