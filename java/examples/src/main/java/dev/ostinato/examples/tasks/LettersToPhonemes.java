package dev.ostinato.examples.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Decoding;
import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Schedule;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * How is a word said? An encoder reads its letters in both directions, and a decoder that attends to them says phonemes. Learns the words of a
 * dictionary but a twentieth, which are measured: the share of phonemes to change, and of words that are not right from end to end. Where a
 * word may be said in several ways the nearest counts.
 */
public final class LettersToPhonemes {
    private static final NpmPackage DATA = new NpmPackage("cmu-pronouncing-dictionary", "3.0.0",
            "6y5X4OxsYFnHERo6WSVPnLrk53G07MOQ8aUb2z555JgwynpbZsHR0a//WdN6DUcmE1j2auTF2TtL4PpoKze8QQ==");
    /** A word of letters, a number if it is said in several ways, and how. */
    private static final Pattern LINE = Pattern.compile("^ *\"([a-z']+)(?:\\(\\d+\\))?\": \"([A-Z0-9 ]+)\"",
            Pattern.MULTILINE);
    private static final String LETTERS = "'abcdefghijklmnopqrstuvwxyz";
    private static final int EMBEDDING = 64;
    private static final int HIDDEN = 128;
    private static final int BATCH = 64;
    /** Batches whose words are sorted by length, so that those of a batch are alike. */
    private static final int SORTED = 40;
    private static final int MOST_STEPS = 40;
    private static final int BEAM = 5;

    /** A word, and a way to say it. */
    public record Pair(String letters, List<String> phonemes) {}

    /**
     * Shares that are wrong.
     *
     * @param phonemes insertions, deletions and changes for each phoneme that there should be
     * @param words not right from end to end
     */
    public record Errors(double phonemes, double words) {}

    /**
     * What came out for the words held out.
     *
     * @param greedy of the network, taking the likeliest phoneme each time
     * @param beam of the network, looking at five beginnings
     * @param letters of who says every letter as it is said most often
     * @param table of who looks at the letters around
     */
    public record Result(Errors greedy, Errors beam, Errors letters, Errors table) {}

    private final List<Pair> training = new ArrayList<>();
    /** Words with all ways to say them. */
    private final Map<String, List<List<String>>> heldOut = new TreeMap<>();
    private final List<String> phonemes;
    private final int start;
    private final int end;

    /** Splits a dictionary, always in the same way; whoever has several entries has them on one side. */
    public LettersToPhonemes(List<Pair> dictionary) {
        List<String> words = new ArrayList<>(dictionary.stream().map(Pair::letters).distinct().sorted().toList());
        Collections.shuffle(words, new Random(1));
        words.subList(0, words.size() / 20).forEach(word -> heldOut.put(word, new ArrayList<>()));
        for (Pair pair : dictionary) {
            List<List<String>> ways = heldOut.get(pair.letters());
            if (ways == null) {
                training.add(pair);
            } else {
                ways.add(pair.phonemes());
            }
        }
        this.phonemes = dictionary.stream().flatMap(pair -> pair.phonemes().stream()).distinct().sorted().toList();
        this.start = phonemes.size();
        this.end = phonemes.size() + 1;
    }

    /** Trains and measures. */
    public Result compare(int epochs) {
        EncoderDecoder model = trained(epochs);
        LetterTable table = LetterTable.of(training);
        Map<String, List<String>> greedy = greedy(model);
        return new Result(errors(word -> Objects.requireNonNull(greedy.get(word))), errors(word -> beam(model, word)),
                errors(word -> table.say(word, 0)), errors(table::say));
    }

    private EncoderDecoder trained(int epochs) {
        Model encoder = Model.builder().embedding(LETTERS.length(), EMBEDDING).dropout(0.2)
                .bidirectional(CellType.GRU, HIDDEN, Layer.Merge.CONCAT).seed(1).build();
        int answers = phonemes.size() + 2;
        Model decoder = Model.builder().embedding(answers, EMBEDDING).dropout(0.2).gru(2 * HIDDEN).attention()
                .dropout(0.2).dense(answers).seed(2).build();
        long updates = (long) epochs * ((training.size() + BATCH - 1) / BATCH);
        try (Trainer trainer = Trainer.builder(new EncoderDecoder(encoder, decoder)).optimizer(Optimizer.adam(2e-3))
                .schedule(Schedule.cosine(updates, 0.02)).clipGlobalNorm(1).threads(2).seed(1).build()) {
            Random random = new Random(2);
            for (int epoch = 0; epoch < epochs; epoch++) {
                for (List<Pair> batch : batches(random)) {
                    trainer.step(batch(batch));
                }
            }
            return trainer.encoderDecoder();
        }
    }

    private List<List<Pair>> batches(Random random) {
        List<Pair> order = new ArrayList<>(training);
        Collections.shuffle(order, random);
        for (int from = 0; from < order.size(); from += SORTED * BATCH) {
            order.subList(from, Math.min(order.size(), from + SORTED * BATCH))
                    .sort(Comparator.comparingInt(pair -> pair.phonemes().size()));
        }
        List<List<Pair>> batches = new ArrayList<>();
        for (int from = 0; from < order.size(); from += BATCH) {
            batches.add(order.subList(from, Math.min(order.size(), from + BATCH)));
        }
        Collections.shuffle(batches, random);
        return batches;
    }

    private Batch batch(List<Pair> pairs) {
        int[][] targets = pairs.stream()
                .map(pair -> pair.phonemes().stream().mapToInt(p -> Collections.binarySearch(phonemes, p)).toArray())
                .toArray(int[][]::new);
        return Batch.teacherForcing(targets, start, end)
                .withSource(pairs.stream().map(pair -> tokens(pair.letters())).toArray(int[][]::new));
    }

    private static int[] tokens(String letters) {
        return letters.chars().map(LETTERS::indexOf).toArray();
    }

    private Map<String, List<String>> greedy(EncoderDecoder model) {
        List<String> words = List.copyOf(heldOut.keySet());
        Map<String, List<String>> said = new TreeMap<>();
        for (int from = 0; from < words.size(); from += BATCH) {
            List<String> some = words.subList(from, Math.min(words.size(), from + BATCH));
            int[][] letters = some.stream().map(LettersToPhonemes::tokens).toArray(int[][]::new);
            State state = model.encode(letters);
            int[][] answers = decoding().greedy(model.decoder(), state);
            IntStream.range(0, answers.length).forEach(b -> said.put(some.get(b), names(answers[b])));
        }
        return said;
    }

    private List<String> beam(EncoderDecoder model, String word) {
        State state = model.encode(tokens(word));
        return names(decoding().beam(model.decoder(), state, BEAM).getFirst().tokens());
    }

    private Decoding decoding() {
        return Decoding.of(start, MOST_STEPS).until(end);
    }

    private List<String> names(int[] answers) {
        return IntStream.of(answers).filter(p -> p != start).mapToObj(phonemes::get).toList();
    }

    private Errors errors(Function<String, List<String>> speaker) {
        int distance = 0;
        int length = 0;
        int wrong = 0;
        for (Map.Entry<String, List<List<String>>> word : heldOut.entrySet()) {
            List<String> said = speaker.apply(word.getKey());
            List<String> nearest = Collections.min(word.getValue(),
                    Comparator.comparingInt(way -> editDistance(said, way)));
            distance += editDistance(said, nearest);
            length += nearest.size();
            wrong += said.equals(nearest) ? 0 : 1;
        }
        return new Errors((double) distance / length, (double) wrong / heldOut.size());
    }

    /** Levenshtein's. */
    private static int editDistance(List<String> a, List<String> b) {
        int[] row = IntStream.rangeClosed(0, b.size()).toArray();
        for (int i = 1; i <= a.size(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.size(); j++) {
                int changed = diagonal + (a.get(i - 1).equals(b.get(j - 1)) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.size()];
    }

    /** Returns the entries that are made of letters, without the stress. */
    static List<Pair> read() throws IOException {
        List<Pair> dictionary = new ArrayList<>();
        Matcher line = LINE.matcher(new String(DATA.read("index.js"), UTF_8));
        while (line.find()) {
            dictionary.add(new Pair(line.group(1), List.of(line.group(2).replaceAll("[0-9]", "").split(" "))));
        }
        return dictionary.stream().distinct().toList();
    }

    private static void print(String name, Errors errors) {
        System.out.printf(Locale.ROOT, "%s: wrong phonemes %.4f, wrong words %.4f%n", name, errors.phonemes(),
                errors.words());
    }

    static void main(String[] args) throws IOException {
        LettersToPhonemes task = new LettersToPhonemes(read());
        System.out.printf(Locale.ROOT, "%d entries to learn, %d words held out, %d phonemes%n", task.training.size(),
                task.heldOut.size(), task.phonemes.size());
        Result result = task.compare(args.length > 0 ? Integer.parseInt(args[0]) : 16);
        print("network, greedy", result.greedy());
        print("network, beam of " + BEAM, result.beam());
        print("letters alone", result.letters());
        print("letters with those around", result.table());
    }
}
