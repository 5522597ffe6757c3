import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/**
 * DL4J's side of run-training: how many characters per second a character model is trained on, as one line of JSON.
 *
 * <p>The same shapes, characters and options as {@code training_peer.py}, measured in the same way. Weights are DL4J's own, so that losses are
 * only nearly those of the others, and the state begins anew with each batch, for which DL4J has less to do. It is given what suits it: floats,
 * workspaces, batches made in advance. It has no GRU.
 */
final class TrainingDl4j {
    private static final int VOCABULARY = 65;
    private static final double LEARNING_RATE = 2e-3;
    private static final double CLIP = 5;
    private static final int BATCHES = 20;
    private static final int REPORTED_LOSSES = 10;

    private final Map<String, String> options;
    private final MultiLayerNetwork network;
    private final List<DataSet> batches;
    private int next;

    private TrainingDl4j(Map<String, String> options) {
        this.options = options;
        this.network = network();
        this.batches = batches();
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>(Map.of("cell", "lstm", "batch", "32", "steps", "50", "hidden", "128",
                "input", "tokens", "threads", "1", "warmup", "5", "repetitions", "5", "seconds", "2"));
        for (String arg : args) {
            String[] option = arg.replaceFirst("^--", "").split("=", 2);
            if (option.length != 2 || options.put(option[0], option[1]) == null) {
                throw new IllegalArgumentException("expected one of " + options.keySet() + " as --name=value, got " + arg);
            }
        }
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
        System.out.println(new TrainingDl4j(options).measure());
    }

    private int count(String option) {
        return Integer.parseInt(options.get(option));
    }

    private double seconds(String option) {
        return Double.parseDouble(options.get(option));
    }

    private boolean dense() {
        return options.get("input").equals("dense");
    }

    private MultiLayerNetwork network() {
        int hidden = count("hidden");
        var list = new NeuralNetConfiguration.Builder().seed(1).updater(new Adam(LEARNING_RATE))
                .gradientNormalization(GradientNormalization.ClipL2PerLayer).gradientNormalizationThreshold(CLIP)
                .trainingWorkspaceMode(WorkspaceMode.ENABLED).list();
        if (!dense()) {
            list.layer(new EmbeddingSequenceLayer.Builder().nIn(VOCABULARY).nOut(hidden).inputLength(count("steps")).build());
        }
        list.layer(switch (options.get("cell")) {
            case "lstm" -> new LSTM.Builder().nIn(hidden).nOut(hidden).activation(Activation.TANH).build();
            case "rnn-tanh" -> new SimpleRnn.Builder().nIn(hidden).nOut(hidden).activation(Activation.TANH).build();
            default -> throw new IllegalArgumentException("--cell: DL4J has lstm and rnn-tanh, got " + options.get("cell"));
        });
        list.layer(new RnnOutputLayer.Builder(LossFunctions.LossFunction.MCXENT).nIn(hidden).nOut(VOCABULARY)
                .activation(Activation.SOFTMAX).dataFormat(RNNFormat.NCW).build());
        MultiLayerConfiguration configuration =
                list.setInputType(InputType.recurrent(dense() ? hidden : VOCABULARY, count("steps"), RNNFormat.NCW)).build();
        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    private List<DataSet> batches() {
        int rows = count("batch");
        int steps = count("steps");
        Sequence sequence = new Sequence(2);
        int[] text = new int[BATCHES * rows * steps + 1];
        for (int i = 0; i < text.length; i++) {
            text[i] = (int) sequence.below(VOCABULARY);
        }
        List<DataSet> batches = new ArrayList<>();
        for (int i = 0; i < BATCHES; i++) {
            float[] tokens = new float[rows * steps];
            float[][][] classes = new float[rows][VOCABULARY][steps];
            for (int r = 0; r < rows; r++) {
                for (int t = 0; t < steps; t++) {
                    int at = r * BATCHES * steps + i * steps + t;
                    tokens[r * steps + t] = text[at];
                    classes[r][text[at + 1]][t] = 1;
                }
            }
            INDArray inputs = dense() ? features(sequence, rows, steps) : Nd4j.create(tokens, rows, 1, steps);
            batches.add(new DataSet(inputs, Nd4j.create(classes)));
        }
        return batches;
    }

    private INDArray features(Sequence sequence, int rows, int steps) {
        float[] features = new float[rows * count("hidden") * steps];
        for (int i = 0; i < features.length; i++) {
            features[i] = (float) sequence.symmetric();
        }
        return Nd4j.create(features, rows, count("hidden"), steps);
    }

    private double step() {
        network.fit(batches.get(next));
        next = (next + 1) % BATCHES;
        return network.score() / count("steps"); // which DL4J sums over steps
    }

    private double repeat(double seconds) {
        long start = System.nanoTime();
        int count = 0;
        double elapsed;
        do {
            step();
            count++;
            elapsed = (System.nanoTime() - start) * 1e-9;
        } while (elapsed < seconds);
        return elapsed / count;
    }

    private String measure() throws Exception {
        double[] losses = new double[REPORTED_LOSSES];
        for (int i = 0; i < losses.length; i++) {
            losses[i] = step();
        }
        repeat(seconds("warmup") / 2);
        int count = (int) Math.max(1, Math.round(seconds("seconds") / repeat(seconds("warmup") / 2)));
        double[] rates = new double[count("repetitions")];
        for (int i = 0; i < rates.length; i++) {
            long start = System.nanoTime();
            for (int j = 0; j < count; j++) {
                step();
            }
            rates[i] = (double) count * count("batch") * count("steps") / ((System.nanoTime() - start) * 1e-9);
        }
        double[] sorted = rates.clone();
        Arrays.sort(sorted);
        String list = Arrays.stream(rates).mapToObj(r -> String.format(Locale.ROOT, "%.1f", r)).collect(Collectors.joining(","));
        return String.format(Locale.ROOT,
                "{\"kind\":\"training\",\"engine\":\"dl4j\",\"cell\":\"%s\",\"batch\":%d,\"steps\":%d,\"hidden\":%d,\"input\":\"%s\","
                        + "\"threads\":%d,\"unit\":\"characters/s\",\"median\":%.1f,\"min\":%.1f,\"max\":%.1f,\"rates\":[%s],"
                        + "\"optimizerSteps\":%d,\"peakResidentMegabytes\":%.1f,\"firstLoss\":%.6f,\"tenthLoss\":%.6f}",
                options.get("cell"), count("batch"), count("steps"), count("hidden"), options.get("input"), count("threads"),
                sorted[sorted.length / 2], sorted[0], sorted[sorted.length - 1], list, count, peakMegabytes(), losses[0],
                losses[REPORTED_LOSSES - 1]);
    }

    private static double peakMegabytes() throws Exception {
        Path status = Path.of("/proc/self/status");
        return !Files.isReadable(status) ? 0 : Files.readAllLines(status).stream().filter(line -> line.startsWith("VmHWM:"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024).findFirst().orElse(0);
    }

    /** The linear congruential generator of Knuth's MMIX, as in the other sides. */
    private static final class Sequence {
        private long state;

        Sequence(long seed) {
            state = seed;
        }

        long next() {
            state = state * 6364136223846793005L + 1442695040888963407L;
            return state;
        }

        long below(int bound) {
            return (next() >>> 33) % bound;
        }

        double symmetric() {
            return (next() >>> 40) * 0x1p-23 - 1;
        }
    }
}
