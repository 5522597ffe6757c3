package dev.ostinato.examples.tasks;

import dev.ostinato.examples.tasks.LettersToPhonemes.Pair;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Says a word letter by letter without any network: each letter as it is said most often between the letters around it, as many of these as
 * were met before, up to three on each side. Which letter of the training words says which phonemes, none to two of them, is found by aligning
 * the words again and again with what was found so far.
 */
final class LetterTable {
    private static final int MOST_PHONEMES = 2;
    private static final int ROUNDS = 6;
    private static final int WIDEST = 3;

    /** Of letters with what is around them, how often they say what. */
    private final Map<String, Map<List<String>, Integer>> table = new HashMap<>();
    private final int widest;

    /** @param widest how many letters on each side to look at, at most */
    private LetterTable(int widest) {
        this.widest = widest;
    }

    /** Learns from words; those that say more than two phonemes a letter are left out. */
    static LetterTable of(List<Pair> words) {
        List<Pair> plain = words.stream().filter(w -> w.phonemes().size() <= MOST_PHONEMES * w.letters().length())
                .toList();
        LetterTable letters = new LetterTable(0);
        plain.forEach(word -> letters.add(word.letters(), diagonal(word)));
        LetterTable last = letters;
        for (int round = 0; round < ROUNDS; round++) {
            LetterTable next = new LetterTable(round == ROUNDS - 1 ? WIDEST : 0);
            for (Pair word : plain) {
                next.add(word.letters(), last.aligned(word));
            }
            last = next;
        }
        return last;
    }

    /** A first guess: phonemes spread evenly over the letters. */
    private static List<List<String>> diagonal(Pair word) {
        List<List<String>> parts = new ArrayList<>();
        int letters = word.letters().length();
        int phonemes = word.phonemes().size();
        for (int i = 0; i < letters; i++) {
            parts.add(word.phonemes().subList(i * phonemes / letters, (i + 1) * phonemes / letters));
        }
        return parts;
    }

    private void add(String letters, List<List<String>> parts) {
        for (int i = 0; i < parts.size(); i++) {
            for (int width = 0; width <= widest; width++) {
                table.computeIfAbsent(around(letters, i, width), key -> new HashMap<>())
                        .merge(List.copyOf(parts.get(i)), 1, Integer::sum);
            }
        }
    }

    /** Returns a letter with those around it, and spaces where there are none. */
    private static String around(String letters, int at, int width) {
        String spaces = " ".repeat(width);
        return (spaces + letters + spaces).substring(at, at + 2 * width + 1);
    }

    /** Returns for each letter what it most likely says if the whole says the phonemes of a word (Viterbi). */
    private List<List<String>> aligned(Pair word) {
        int letters = word.letters().length();
        int phonemes = word.phonemes().size();
        double[][] best = new double[letters + 1][phonemes + 1];
        int[][] taken = new int[letters + 1][phonemes + 1];
        for (int i = 0; i <= letters; i++) {
            for (int j = 0; j <= phonemes; j++) {
                best[i][j] = i == 0 && j == 0 ? 0 : Double.NEGATIVE_INFINITY;
                for (int n = 0; i > 0 && n <= Math.min(j, MOST_PHONEMES); n++) {
                    double score = best[i - 1][j - n]
                            + logProbability(word.letters(), i - 1, word.phonemes().subList(j - n, j));
                    if (score > best[i][j]) {
                        best[i][j] = score;
                        taken[i][j] = n;
                    }
                }
            }
        }
        List<List<String>> parts = new ArrayList<>();
        for (int i = letters, j = phonemes; i > 0; i--) {
            int n = taken[i][j];
            parts.addFirst(word.phonemes().subList(j - n, j));
            j -= n;
        }
        return parts;
    }

    private double logProbability(String letters, int at, List<String> part) {
        Map<List<String>, Integer> said = table.getOrDefault(around(letters, at, 0), Map.of());
        int total = said.values().stream().mapToInt(Integer::intValue).sum();
        return Math.log((said.getOrDefault(part, 0) + 0.1) / (total + 100.0)); // what was never seen may come too
    }

    /** Returns the phonemes of a word, looking at up to {@code width} letters on each side. */
    List<String> say(String letters, int width) {
        List<String> phonemes = new ArrayList<>();
        for (int i = 0; i < letters.length(); i++) {
            for (int w = width; w >= 0; w--) {
                Map<List<String>, Integer> said = table.get(around(letters, i, w));
                if (said != null) {
                    phonemes.addAll(said.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey());
                    break;
                }
            }
        }
        return phonemes;
    }

    /** Returns the phonemes of a word, looking at as many letters around each as were met before. */
    List<String> say(String letters) {
        return say(letters, widest);
    }
}
