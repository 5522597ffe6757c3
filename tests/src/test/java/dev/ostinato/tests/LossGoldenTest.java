package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every loss and option has the value and the gradients that PyTorch finds, over streams of different lengths and behind a pooling layer;
 * {@code src/test/goldens/losses.py} says how the goldens were made.
 */
final class LossGoldenTest {
    private static final double LOSS = 1e-6;
    private static final double GRADIENT = 1e-6;
    private static final int OUTPUTS = 6;
    private static final SafeTensors FILE = file();

    private static SafeTensors file() {
        try {
            return Goldens.read("losses");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static float[] floats(String name) {
        return tensor(name).toFloats();
    }

    private static Tensor tensor(String name) {
        try {
            return FILE.tensor(name);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int[] integers(String name) {
        float[] floats = floats(name);
        int[] integers = new int[floats.length];
        Arrays.setAll(integers, i -> (int) floats[i]);
        return integers;
    }

    private static double[] doubles(String name) {
        float[] floats = floats(name);
        double[] doubles = new double[floats.length];
        Arrays.setAll(doubles, i -> floats[i]);
        return doubles;
    }

    private static Map<String, Loss> losses() {
        Map<String, Loss> losses = new LinkedHashMap<>();
        double[] weights = doubles("class_weights");
        losses.put("cross-entropy", Loss.crossEntropy());
        losses.put("cross-entropy.smoothing", Loss.crossEntropy().labelSmoothing(0.3));
        losses.put("cross-entropy.weights", Loss.crossEntropy().classWeights(weights));
        losses.put("cross-entropy.ignored", Loss.crossEntropy().ignoring(2));
        losses.put("cross-entropy.all",
                Loss.crossEntropy().labelSmoothing(0.2).classWeights(weights).ignoring(2));
        losses.put("binary", Loss.binaryCrossEntropy());
        losses.put("binary.weights", Loss.binaryCrossEntropy().positiveWeights(doubles("positive_weights")));
        losses.put("squared", Loss.squaredError());
        losses.put("absolute", Loss.absoluteError());
        losses.put("huber", Loss.huber(0.7));
        return losses;
    }

    private static Stream<Arguments> cases() {
        return ExactBackends.names().flatMap(backend -> losses().keySet().stream()
                .flatMap(name -> Stream.of("", "pooled.").map(prefix -> arguments(backend, prefix, name))));
    }

    @ParameterizedTest(name = "{0}, {1}{2}")
    @MethodSource("cases")
    @AtEveryWidth
    void lossesAndGradientsArePyTorchs(String backend, String prefix, String name) {
        Loss loss = losses().get(name);
        check(backend, loss, prefix, name);
        check(backend, loss.summed(), prefix, name + ".summed");
    }

    /** Taking one for another would be seen. */
    @Test
    void everyOptionMatters() {
        double[] values = losses().keySet().stream().flatMap(name -> Stream.of(name, name + ".summed"))
                .mapToDouble(name -> floats(name + ".loss")[0]).sorted().toArray();
        for (int i = 1; i < values.length; i++) {
            assertTrue(values[i] - values[i - 1] > 10 * LOSS, Arrays.toString(values));
        }
    }

    private static void check(String backend, Loss loss, String prefix, String name) {
        Sequences sequences = Sequences.ofLengths(7, integers("lengths"));
        int inputs = sequences.total();
        List<Layer> layers = prefix.isEmpty()
                ? List.of(new Layer.Features(inputs), new Layer.Dense(inputs, OUTPUTS))
                : List.of(new Layer.Features(inputs), new Layer.Pool(inputs, Layer.Pooling.MEAN),
                        new Layer.Dense(inputs, OUTPUTS));
        Model model =
                Model.of(layers, List.of(new NamedArray("head.weight", List.of(OUTPUTS, inputs), floats("weight")),
                        new NamedArray("head.bias", List.of(OUTPUTS), floats("bias")))).withBackend(backend);
        try (Trainer trainer = Trainer.builder(model).loss(loss).build()) {
            near("loss", floats(prefix + name + ".loss")[0],
                    trainer.gradients(batch(loss, sequences, prefix.isEmpty() ? 7 : 1)), LOSS);
            nearAll(floats(prefix + name + ".weight"), trainer.gradients().getFirst().data());
            nearAll(floats(prefix + name + ".bias"), trainer.gradients().getLast().data());
        }
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.tests.ExactBackends#names")
    @AtEveryWidth
    void labelsWithoutPlaces(String backend) {
        check(backend, Loss.ctc(0), "", "ctc");
        check(backend, Loss.ctc(0).summed(), "", "ctc.summed");
        check(backend, Loss.ctc(5), "", "ctc.last");
        check(backend, Loss.ctc(5).summed(), "", "ctc.last.summed");
    }

    @ParameterizedTest
    @MethodSource("dev.ostinato.tests.ExactBackends#names")
    @AtEveryWidth
    void sampledSoftmaxIsTensorFlows(String backend) {
        Sequences sequences = Sequences.ofLengths(7, integers("lengths"));
        List<NamedArray> tensors = sampled("sampled.initial.");
        List<Layer> layers = List.of(new Layer.Features(sequences.total()), new Layer.Dense(sequences.total(), 5),
                new Layer.Dense(5, 50));
        Model model = Model.of(layers, tensors).withBackend(backend);
        Batch batch = Batch.featuresToClasses(sequences, floats("x"), integers("words"));
        try (Trainer trainer = Trainer.builder(model).loss(Loss.sampledSoftmax(8)).seed(3).threads(2).build()) {
            near("loss", floats("sampled.loss")[0], trainer.gradients(batch), LOSS);
            List<NamedArray> gradients = trainer.gradients();
            List<NamedArray> expected = sampled("sampled.");
            for (int i = 0; i < expected.size(); i++) {
                nearAll(expected.get(i).data(), gradients.get(i).data());
            }
        }
    }

    private static List<NamedArray> sampled(String prefix) {
        return Stream.of("dense.weight", "dense.bias", "head.weight", "head.bias").map(name -> {
            long[] shape = tensor(prefix + name).shape();
            return new NamedArray(name, Arrays.stream(shape).mapToObj(Math::toIntExact).toList(),
                    floats(prefix + name));
        }).toList();
    }

    private static Batch batch(Loss loss, Sequences sequences, int steps) {
        int rows = steps * sequences.rows();
        return switch (loss) {
            case Loss.Ctc ctc -> Batch.featuresToLabels(sequences, floats("x"), labels(ctc.blank() == 0 ? 0 : 1));
            case Loss.CrossEntropy _ ->
                    Batch.featuresToClasses(sequences, floats("x"), Arrays.copyOf(integers("classes"), rows));
            case Loss.BinaryCrossEntropy _ ->
                    Batch.featuresToValues(sequences, floats("x"), Arrays.copyOf(floats("shares"), rows * OUTPUTS));
            default ->
                    Batch.featuresToValues(sequences, floats("x"), Arrays.copyOf(floats("values"), rows * OUTPUTS));
        };
    }

    private static int[][] labels(int less) {
        int[] lengths = integers("label_lengths");
        int[] all = Arrays.stream(integers("labels")).map(label -> label - less).toArray();
        int[][] labels = new int[lengths.length][];
        int from = 0;
        for (int b = 0; b < lengths.length; b++) {
            labels[b] = Arrays.copyOfRange(all, from, from += lengths[b]);
        }
        return labels;
    }

    private static void nearAll(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            near("gradient " + i, expected[i], actual[i], GRADIENT);
        }
    }

    /** Sums of some twenty rows of floats that are some units at most. */
    private static void near(String what, double expected, double actual, double tolerance) {
        assertEquals(expected, actual, tolerance * Math.max(1, Math.abs(expected)), what);
    }
}
