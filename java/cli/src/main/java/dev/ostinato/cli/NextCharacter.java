package dev.ostinato.cli;

import dev.ostinato.nn.State;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A character that may come next.
 *
 * @param character a code point
 * @param probability of it, given all that came before
 */
record NextCharacter(int character, double probability) {
    /**
     * Returns the most probable characters behind a text, the first one first; equal ones in the order of the vocabulary.
     *
     * @throws IllegalArgumentException if the text is empty, or has a character that the model never saw
     */
    static List<NextCharacter> after(String text, TextModel language, int top) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("text: expected at least one character to go on from, got none");
        }
        State state = language.model().newState();
        float[] logits = new float[language.model().outputs()];
        for (int token : language.vocabulary().encode(text)) {
            language.model().step(token, state, logits);
        }
        double[] probabilities = softmax(logits);
        return IntStream.range(0, logits.length)
                .mapToObj(token -> new NextCharacter(language.vocabulary().character(token), probabilities[token]))
                .sorted(Comparator.comparingDouble(NextCharacter::probability).reversed())
                .limit(top).toList();
    }

    private static double[] softmax(float[] logits) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double[] p = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            p[i] = StrictMath.exp(logits[i] - max);
            sum += p[i];
        }
        for (int i = 0; i < p.length; i++) {
            p[i] /= sum;
        }
        return p;
    }
}
