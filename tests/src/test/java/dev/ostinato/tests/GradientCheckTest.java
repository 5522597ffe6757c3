package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.Trainer;
import dev.ostinato.tests.ReferenceNetwork.Module;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients are the slopes of the loss, for every cell, input, depth and loss, behind a state that an earlier batch left. */
final class GradientCheckTest {
    private static final int INPUTS = 5;
    private static final int VOCABULARY = 6;
    private static final int STEPS = 4;
    private static final int ROWS = 3;
    /** Distance from the kink of a relu at which a float and a double are on the same side, and a small step stays there. */
    private static final double KINK = 1e-4;
    /** Models drawn until each tensor has a slope that can be seen. */
    private static final int MOST_ATTEMPTS = 5;
    private static final List<Loss> LOSSES = List.of(Loss.crossEntropy(), Loss.crossEntropy().summed(),
            Loss.squaredError(), Loss.squaredError().summed(), Loss.halfSquaredError(),
            Loss.halfSquaredError().summed());

    enum Input {
        EMBEDDING, ONE_HOT, FEATURES;

        Model.Builder builder() {
            return switch (this) {
                case EMBEDDING -> Model.builder().embedding(VOCABULARY, INPUTS);
                case ONE_HOT -> Model.builder().oneHot(VOCABULARY);
                case FEATURES -> Model.builder().features(INPUTS);
            };
        }
    }

    record Case(CellType cell, Input input, int layers, int hidden, Loss loss) {
        Model model() {
            Model.Builder builder = input.builder();
            for (int i = 0; i < layers; i++) {
                builder.recurrent(cell, hidden);
            }
            return builder.dense(VOCABULARY).build();
        }

        List<Module> modules() {
            List<Layer> all = model().layers();
            List<Module> modules = new ArrayList<>();
            modules.add(new Module(all.getFirst(), "embedding", ""));
            for (int i = 0; i < layers; i++) {
                modules.add(new Module(all.get(1 + i), "rnn", "_l" + i));
            }
            modules.add(new Module(all.getLast(), "head", ""));
            return modules;
        }
    }

    /** What was compared. */
    private record Result(Map<String, double[]> slopes, List<NamedArray> gradients) {}

    @BeforeAll
    static void printSeed() {
        System.out.println("gradients: repeat with -Dostinato.tests.seed=" + Conformance.BOUNDED_SEED);
    }

    /** Those without options, whose slopes are all large enough to be seen. */
    static Stream<CellType> plainCells() {
        return CellType.all().stream().filter(cell -> !cell.label().contains("("));
    }

    /** Hidden units in less than a block, and in more than one where that is not too slow. */
    static Stream<Case> cases() {
        return plainCells().flatMap(cell -> Arrays.stream(Input.values()).flatMap(input -> Stream
                .concat(Stream.of(new Case(cell, input, 1, 17, Loss.crossEntropy())),
                        Stream.of(1, 2).flatMap(
                                layers -> LOSSES.stream().map(loss -> new Case(cell, input, layers, 7, loss))))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void gradientsAreTheSlopesOfTheLoss(Case c) {
        check(c.modules(), c.model(), c.loss());
    }

    @Test
    void layersOfDifferentSizesAndCells() {
        Model model = Model.builder().embedding(VOCABULARY, INPUTS).lstm(7).gru(17).gru(7).dense(VOCABULARY).build();
        check(modules(model, "embedding", "rnn_l0", "rnn2_l0", "rnn3_l0", "head"), model, Loss.crossEntropy());
    }

    @Test
    void denseLayersBetweenAndNoneBehind() {
        Model model = Model.builder().features(INPUTS).dense(7).rnn(17).dense(3).lstm(VOCABULARY).build();
        List<Module> modules = modules(model, "", "dense", "rnn_l0", "dense2", "rnn2_l0");
        check(modules, model, Loss.crossEntropy().summed());
        check(modules, model, Loss.squaredError().summed());
    }

    @Test
    void aDenseLayerBehindTheEmbedding() {
        Model model = Model.builder().embedding(VOCABULARY, INPUTS).dense(7).gru(17).dense(VOCABULARY).build();
        check(modules(model, "embedding", "dense", "rnn_l0", "head"), model, Loss.crossEntropy());
    }

    /** Every option of a cell, alone and among others; of the models whose slopes are all large enough to be seen the first. */
    @ParameterizedTest
    @ValueSource(strings = {"lstm(peepholes)", "lstm(coupled,no-bias)", "lstm(clip=0.5)", "lstm(cell-clip=0.25)",
        "lstm(peepholes,clip=0.75,cell-clip=0.5,gates=hard-sigmoid(0.2,0.5),candidate=softsign,output=elu(1.5))",
        "lstm(peepholes,coupled,candidate=scaled-tanh(1.7159,0.6667),output=softplus,no-bias)",
        "lstm(projection=3)", "lstm(peepholes,coupled,projection=5,clip=0.75,cell-clip=0.5,no-bias)",
        "gru(clip=0.5,no-bias)", "gru(gates=hard-sigmoid(0.2,0.5),candidate=leaky-relu(0.01))",
        "gru-reset-before(clip=0.75,candidate=softsign,no-bias)", "rnn-tanh(clip=0.5,no-bias)",
        "rnn-elu(alpha=0.5)", "rnn-affine(alpha=0.5,beta=0.25)", "rnn-thresholded-relu(alpha=0.1)", "rnn-sigmoid"})
    void gradientsOfVariants(String cell) {
        Case c = new Case(CellType.of(cell), Input.FEATURES, 2, 7, Loss.crossEntropy().summed());
        Result result = compare(c.modules(), c.model(), c.loss(), Steps.ALL);
        assertSlopes(result);
    }

    @Test
    void aProjectionInBothDirectionsOverSomeSteps() {
        CellType cell = CellType.of("lstm(peepholes,projection=3,no-bias)");
        Model model =
                Model.builder().features(INPUTS).bidirectional(cell, 7, Layer.Merge.CONCAT).dense(VOCABULARY).build();
        Result result =
                compare(modules(model, "", "rnn_l0", "head"), model, Loss.crossEntropy().summed(), Steps.THINNED);
        assertEquals("", String.join("\n", GradientCheck.differences(result.slopes(), result.gradients())),
                () -> "seed " + Conformance.BOUNDED_SEED);
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.nn.CellType#all")
    void swappedGatesAreSeen(CellType cell) {
        Case c = new Case(cell, Input.EMBEDDING, 1, 7, Loss.crossEntropy());
        Result result = compare(c.modules(), c.model(), c.loss(), Steps.ALL);
        for (int gate = 1; gate < cell.gates(); gate++) {
            for (int other = 0; other < gate; other++) {
                assertFalse(
                        GradientCheck.differences(result.slopes(), Gates.swapped(result.gradients(), cell, gate, other))
                                .isEmpty(),
                        "gates " + gate + " and " + other);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("plainCells")
    void stepsLeftOutAndStatesBegunAnew(CellType cell) {
        Model forward = Model.builder().features(INPUTS).recurrent(cell, 7).dense(VOCABULARY).build();
        check(modules(forward, "", "rnn_l0", "head"), forward, Loss.crossEntropy(), Steps.SHORTENED);
        Model reverse = Model.builder().embedding(VOCABULARY, INPUTS).reverse(cell, 7).dense(VOCABULARY).build();
        check(modules(reverse, "embedding", "rnn_l0", "head"), reverse, Loss.crossEntropy().summed(), Steps.THINNED);
        Model both = Model.builder().features(INPUTS).bidirectional(cell, 7, Layer.Merge.CONCAT)
                .bidirectional(cell, 7, Layer.Merge.CONCAT).dense(VOCABULARY).build();
        check(modules(both, "", "rnn_l0", "rnn_l1", "head"), both, Loss.squaredError(), Steps.THINNED);
    }

    /** From an embedding whose rows are read by nobody else, past dropout, and past layers of both directions. */
    @Test
    void residualConnections() {
        Model model = Model.builder().embedding(VOCABULARY, 7).lstm(7).residual().gru(7).dropout(0.3).residual()
                .dense(VOCABULARY).build();
        check(modules(model, "embedding", "rnn_l0", "", "rnn2_l0", "", "", "head"), model, Loss.crossEntropy());
        Model both = Model.builder().features(INPUTS).dropout(0.2).dense(6).dense(6)
                .bidirectional(CellType.GRU, 3, Layer.Merge.CONCAT).dropout(0.3).residual(2).residual(3)
                .pool(Layer.Pooling.MEAN).dense(VOCABULARY).residual().build();
        check(modules(both, "", "", "dense", "dense2", "rnn_l0", "", "", "", "", "dense3", ""), both,
                Loss.crossEntropy(), Steps.THINNED);
    }

    private static final Regularization EVERYTHING =
            Regularization.NONE.withRecurrentDropout(0.3).withDropConnect(0.25);

    /** All at once; one of them alone is seen by those that swap their masks. */
    @ParameterizedTest
    @ValueSource(strings = {"rnn-tanh", "lstm", "lstm(peepholes,coupled)", "lstm(peepholes,projection=5,cell-clip=0.5)",
        "gru", "gru-reset-before", "layer-norm-lstm", "layer-norm-gru"})
    void regularisedCells(String label) {
        CellType cell = CellType.of(label);
        boolean cellState = label.contains("lstm");
        Regularization all = EVERYTHING.withZoneout(0.2, cellState ? 0.3 : 0);
        Model model = Model.builder().embedding(VOCABULARY, INPUTS).regularization(all).recurrent(cell, 7)
                .regularization(EVERYTHING).reverse(cell, 17).dense(VOCABULARY).build();
        assertSlopes(compare(modules(model, "embedding", "rnn_l0", "rnn2_l0", "head"), model,
                Loss.crossEntropy().summed(), Steps.SHORTENED));
        Model both = Model.builder().features(INPUTS).regularization(all)
                .bidirectional(cell, 7, Layer.Merge.CONCAT).dense(VOCABULARY).build();
        assertSlopes(compare(modules(both, "", "rnn_l0", "head"), both, Loss.crossEntropy().summed(), Steps.THINNED));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ind-rnn-tanh", "min-gru"})
    void zoneoutOfCellsWithoutProducts(String label) {
        Model model = Model.builder().features(INPUTS).regularization(Regularization.NONE.withZoneout(0.3, 0))
                .recurrent(CellType.of(label), 7).dense(VOCABULARY).build();
        check(modules(model, "", "rnn_l0", "head"), model, Loss.crossEntropy().summed(), Steps.SHORTENED);
    }

    @ParameterizedTest
    @EnumSource
    void droppedOut(Layer.Dropout.Scope scope) {
        Model model = Model.builder().embedding(VOCABULARY, INPUTS).dropout(0.3, scope).lstm(7).dropout(0.5, scope)
                .reverse(CellType.GRU, 7).dropout(0.4, scope).dense(VOCABULARY).build();
        List<Module> modules = modules(model, "embedding", "", "rnn_l0", "", "rnn2_l0", "", "head");
        check(modules, model, Loss.crossEntropy().summed(), Steps.THINNED);
    }

    @ParameterizedTest
    @EnumSource
    void mergedDirections(Layer.Merge merge) {
        Model model =
                Model.builder().oneHot(VOCABULARY).bidirectional(CellType.LSTM, 7, merge).dense(VOCABULARY).build();
        check(modules(model, "", "rnn_l0", "head"), model, Loss.crossEntropy(), Steps.ALL);
    }

    @ParameterizedTest
    @EnumSource
    void pooledSteps(Layer.Pooling pooling) {
        Model model = Model.builder().features(INPUTS).gru(7).pool(pooling).dense(5).rnn(VOCABULARY).build();
        check(modules(model, "", "rnn_l0", "", "dense", "rnn2_l0"), model, Loss.crossEntropy(), Steps.THINNED);
    }

    static Stream<Loss> otherLosses() {
        double[] weights = {0.5, 2, 1.25, 0, 3, 0.75};
        Stream<Loss> losses =
                Stream.of(Loss.crossEntropy().labelSmoothing(0.2), Loss.crossEntropy().classWeights(weights),
                        Loss.crossEntropy().ignoring(2).labelSmoothing(0.1).classWeights(weights), Loss.absoluteError(),
                        Loss.huber(0.5), Loss.binaryCrossEntropy(), Loss.binaryCrossEntropy().positiveWeights(weights),
                        Loss.ctc(0), Loss.ctc(3));
        return losses.flatMap(loss -> Stream.of(loss, loss.summed()));
    }

    /** Behind a dense layer, behind another one, and behind a pooling layer. */
    @ParameterizedTest
    @MethodSource("otherLosses")
    void gradientsOfLosses(Loss loss) {
        Model dense = Model.builder().features(INPUTS).lstm(7).dense(VOCABULARY).build();
        check(modules(dense, "", "rnn_l0", "head"), dense, loss, Steps.THINNED);
        Model recurrent = Model.builder().features(INPUTS).gru(VOCABULARY).build();
        check(modules(recurrent, "", "rnn_l0"), recurrent, loss, Steps.SHORTENED);
        if (!(loss instanceof Loss.Ctc)) {
            Model pooled = Model.builder().features(INPUTS).gru(7).pool(Layer.Pooling.MEAN).dense(VOCABULARY).build();
            check(modules(pooled, "", "rnn_l0", "", "head"), pooled, loss, Steps.THINNED);
        }
    }

    private static List<Module> modules(Model model, String... names) {
        List<Module> modules = new ArrayList<>();
        for (int i = 0; i < names.length; i++) {
            int suffix = names[i].contains("_") ? names[i].indexOf('_') : names[i].length();
            modules.add(new Module(model.layers().get(i), names[i].substring(0, suffix), names[i].substring(suffix)));
        }
        return modules;
    }

    /** Which steps of a batch there are. */
    enum Steps {
        ALL, SHORTENED, THINNED;

        RandomBatch of(RandomBatch batch, RandomGenerator random) {
            return switch (this) {
                case ALL -> batch;
                case SHORTENED -> batch.shortened(random);
                case THINNED -> batch.thinned(random);
            };
        }
    }

    private static void check(List<Module> modules, Model layers, Loss loss) {
        check(modules, layers, loss, Steps.ALL);
    }

    private static void check(List<Module> modules, Model layers, Loss loss, Steps steps) {
        assertSlopes(compare(modules, layers, loss, steps));
    }

    private static void assertSlopes(Result result) {
        assertEquals(List.of(), GradientCheck.invisible(result.slopes()));
        assertEquals("", String.join("\n", GradientCheck.differences(result.slopes(), result.gradients())),
                () -> "seed " + Conformance.BOUNDED_SEED);
    }

    private static Result compare(List<Module> modules, Model layers, Loss loss, Steps steps) {
        RandomGenerator random = new SplittableRandom(Conformance.BOUNDED_SEED);
        int attempts = 0;
        while (true) {
            Model model = RandomModels.randomised(layers, random);
            RandomBatch first = steps.of(new RandomBatch(model, STEPS, ROWS, random), random);
            RandomBatch second = steps.of(new RandomBatch(model, STEPS, ROWS, random), random);
            ReferenceNetwork reference = new ReferenceNetwork(modules, GradientCheck.tensors(model));
            double firstLoss = reference.loss(first, loss);
            double secondLoss = reference.loss(second, loss);
            if (reference.nearestKink() > KINK) {
                try (Trainer trainer = Trainer.builder(model).loss(loss).build()) {
                    near(firstLoss, trainer.gradients(batch(model, first, loss)));
                    near(secondLoss, trainer.gradients(batch(model, second, loss)));
                    Result result = new Result(GradientCheck.slopes(modules, model, loss, first, second),
                            trainer.gradients());
                    // The few units of an IndRNN may all be dead where they would meet their weight.
                    if (++attempts == MOST_ATTEMPTS || GradientCheck.invisible(result.slopes()).isEmpty()) {
                        return result;
                    }
                }
            }
        }
    }

    private static Batch batch(Model model, RandomBatch batch, Loss loss) {
        boolean pooled = model.layers().stream().anyMatch(layer -> layer instanceof Layer.Pool);
        return pooled ? batch.pooled(loss) : batch.batch(loss);
    }

    private static void near(double expected, double actual) {
        assertEquals(expected, actual, 1e-5 * expected, () -> "loss, seed " + Conformance.BOUNDED_SEED);
    }
}
