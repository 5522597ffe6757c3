package dev.ostinato.examples.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Sequences;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Is a sentence of a review for or against? Three times 1,000 sentences about films, things and restaurants (Kotzias et al. 2015), read word
 * by word in both directions; the mean of all states decides. Measured by ten-fold cross-validation, beside logistic regression on the bag of
 * words of the same folds.
 */
public final class Sentiment {
    private static final NpmPackage DATA = new NpmPackage("sentiment", "5.0.2",
            "ZeC3y0JsOYTdwujt5uOd7ILJNilbgFzUtg/LEG4wUv43LayFNLZ28ec8+Su+h3saHlJmIwYxBzfDHHZuiMA15g==");
    private static final Pattern WORD = Pattern.compile("[a-z']+|[!?]");
    private static final int UNKNOWN = 0;
    private static final int BATCH = 25;

    /** A sentence in lower case, and whether it is for what it is about. */
    public record Sentence(List<String> words, boolean positive) {
        /** Returns the sentence that a text is. */
        public static Sentence of(String text, boolean positive) {
            List<String> words = new ArrayList<>();
            Matcher matcher = WORD.matcher(text.toLowerCase(Locale.ROOT));
            while (matcher.find()) {
                words.add(matcher.group());
            }
            return new Sentence(words.isEmpty() ? List.of("") : words, positive);
        }
    }

    /**
     * Shares of sentences that were told rightly.
     *
     * @param network by the recurrent network
     * @param bagOfWords by logistic regression
     */
    public record Accuracy(double network, double bagOfWords) {}

    private final List<Sentence> sentences;
    private final int folds;
    private final int epochs;

    /** Sentences are shuffled, always in the same way. */
    public Sentiment(List<Sentence> sentences, int folds, int epochs) {
        this.sentences = new ArrayList<>(sentences);
        Collections.shuffle(this.sentences, new Random(1));
        this.folds = folds;
        this.epochs = epochs;
    }

    /** Trains on all folds but one and measures on that, for each fold. */
    public Accuracy crossValidate() {
        int right = 0;
        int rightByBag = 0;
        for (int fold = 0; fold < folds; fold++) {
            List<Sentence> training = new ArrayList<>();
            List<Sentence> held = new ArrayList<>();
            for (int i = 0; i < sentences.size(); i++) {
                (i % folds == fold ? held : training).add(sentences.get(i));
            }
            Words words = new Words(training);
            Model model = trained(training, words, fold);
            right += right(model, words, held);
            Logistic logistic = new Logistic(words, training);
            rightByBag += (int) held.stream().filter(s -> logistic.isPositive(s) == s.positive()).count();
        }
        double all = sentences.size();
        return new Accuracy(right / all, rightByBag / all);
    }

    private Model trained(List<Sentence> training, Words words, int seed) {
        Model fresh = Model.builder().embedding(words.size(), 48).dropout(0.5)
                .bidirectional(CellType.GRU, 32, Layer.Merge.CONCAT).pool(Layer.Pooling.MEAN).dropout(0.5).dense(2)
                .seed(seed).build();
        try (Trainer trainer = Trainer.builder(fresh).optimizer(Optimizer.adamW(4e-3, 0.05)).clipGlobalNorm(1)
                .averageWeights(0.98).seed(seed).build()) {
            List<Sentence> order = new ArrayList<>(training);
            Random random = new Random(seed);
            for (int epoch = 0; epoch < epochs; epoch++) {
                Collections.shuffle(order, random);
                for (int from = 0; from < order.size(); from += BATCH) {
                    List<Sentence> rows = order.subList(from, Math.min(order.size(), from + BATCH));
                    trainer.step(Batch.tokensToClasses(sequences(rows), words.tokens(rows), classes(rows)));
                    trainer.resetState();
                }
            }
            return trainer.averagedModel();
        }
    }

    private static Sequences sequences(List<Sentence> rows) {
        return Sequences.ofLengths(longest(rows), rows.stream().mapToInt(s -> s.words().size()).toArray());
    }

    private static int longest(List<Sentence> rows) {
        return rows.stream().mapToInt(s -> s.words().size()).max().orElseThrow();
    }

    private static int[] classes(List<Sentence> rows) {
        return rows.stream().mapToInt(s -> s.positive() ? 1 : 0).toArray();
    }

    private static int right(Model model, Words words, List<Sentence> held) {
        float[] logits = new float[held.size() * 2];
        model.run(words.tokens(held), sequences(held), model.newState(held.size()), logits);
        int right = 0;
        for (int i = 0; i < held.size(); i++) {
            right += logits[2 * i + 1] > logits[2 * i] == held.get(i).positive() ? 1 : 0;
        }
        return right;
    }

    /** The words that occur at least twice, and one number for all others. */
    private static final class Words {
        private final Map<String, Integer> numbers = new HashMap<>();

        Words(List<Sentence> training) {
            Map<String, Integer> counts = new HashMap<>();
            training.forEach(s -> s.words().forEach(word -> counts.merge(word, 1, Integer::sum)));
            counts.entrySet().stream().filter(e -> e.getValue() > 1).map(Map.Entry::getKey).sorted()
                    .forEach(word -> numbers.put(word, numbers.size() + 1));
        }

        int size() {
            return numbers.size() + 1;
        }

        int number(String word) {
            return numbers.getOrDefault(word, UNKNOWN);
        }

        /** Returns (longest, rows), time first. */
        int[] tokens(List<Sentence> rows) {
            int[] tokens = new int[longest(rows) * rows.size()];
            for (int b = 0; b < rows.size(); b++) {
                List<String> words = rows.get(b).words();
                for (int t = 0; t < words.size(); t++) {
                    tokens[t * rows.size() + b] = number(words.get(t));
                }
            }
            return tokens;
        }
    }

    /** Logistic regression on which words occur, by gradient descent with an L2 penalty. */
    private static final class Logistic {
        private static final int EPOCHS = 200;
        private static final double RATE = 10;
        private static final double RATE_OF_BIAS = 0.5;
        private static final double PENALTY = 1e-3;

        private final Words words;
        private final double[] weights;
        private double bias;

        Logistic(Words words, List<Sentence> training) {
            this.words = words;
            this.weights = new double[words.size()];
            int[][] bags = training.stream().map(this::bag).toArray(int[][]::new);
            for (int epoch = 0; epoch < EPOCHS; epoch++) {
                double[] gradient = new double[weights.length];
                double ofBias = 0;
                for (int i = 0; i < bags.length; i++) {
                    double error = 1 / (1 + Math.exp(-score(bags[i]))) - (training.get(i).positive() ? 1 : 0);
                    Arrays.stream(bags[i]).forEach(word -> gradient[word] += error);
                    ofBias += error;
                }
                for (int word = 0; word < weights.length; word++) {
                    weights[word] -= RATE * (gradient[word] / bags.length + PENALTY * weights[word]);
                }
                bias -= RATE_OF_BIAS * ofBias / bags.length;
            }
        }

        private int[] bag(Sentence sentence) {
            return sentence.words().stream().mapToInt(words::number).distinct().toArray();
        }

        private double score(int[] bag) {
            return bias + Arrays.stream(bag).mapToDouble(word -> weights[word]).sum();
        }

        boolean isPositive(Sentence sentence) {
            return score(bag(sentence)) > 0;
        }
    }

    /** Returns the 1,000 sentences of a part of the data: amazon, imdb or yelp. */
    static List<Sentence> read(String part) throws IOException {
        JsonNode all = JsonMapper.shared().readTree(new String(DATA.read("test/fixtures/" + part + ".json"), UTF_8));
        List<Sentence> sentences = new ArrayList<>();
        for (JsonNode entry : all) {
            if (!entry.get("class").isNull()) { // the last one is empty
                sentences.add(Sentence.of(entry.get("text").asString(), entry.get("class").asInt() == 1));
            }
        }
        return sentences;
    }

    static void main() throws IOException {
        PrintStream out = System.out;
        for (String part : List.of("imdb", "yelp", "amazon")) {
            long began = System.nanoTime();
            Accuracy accuracy = new Sentiment(read(part), 10, 12).crossValidate();
            out.printf(Locale.ROOT, "%s: network %.3f, bag of words %.3f, in %.0f s%n", part, accuracy.network(),
                    accuracy.bagOfWords(), (System.nanoTime() - began) * 1e-9);
        }
    }
}
