package dev.ostinato.cli;

import dev.ostinato.nn.Model;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Vocabulary;
import java.util.Locale;

/** A model that writes: what it writes is what it reads next. Not safe for several threads. */
final class TextWriter {
    private final Model model;
    private final Vocabulary vocabulary;
    private final Sampler sampler;
    private final State state;
    private final float[] logits;
    private int last;

    TextWriter(Model model, Vocabulary vocabulary, Sampler sampler) {
        this.model = model;
        this.vocabulary = vocabulary;
        this.sampler = sampler;
        this.state = model.newState();
        this.logits = new float[model.outputs()];
        // Text begins as a line does, if the model knows lines.
        this.last = vocabulary.contains('\n') ? vocabulary.encode("\n")[0] : 0;
    }

    /** Reads a beginning. @throws Failure if a character is not in the vocabulary, and then nothing was read */
    void prompt(String text) {
        text.codePoints().filter(c -> !vocabulary.contains(c)).findFirst().ifPresent(c -> {
            throw new Failure("the prompt has '" + Character.toString(c) + "' (U+"
                    + Integer.toHexString(c).toUpperCase(Locale.ROOT) + "), which the model never saw or too seldom");
        });
        int[] tokens = vocabulary.encode(text);
        for (int i = 0; i < tokens.length - 1; i++) {
            model.step(tokens[i], state, logits);
        }
        if (tokens.length > 0) {
            last = tokens[tokens.length - 1];
        }
    }

    /** Returns the next character. @throws Failure if the model is broken */
    int next() {
        model.step(last, state, logits);
        for (float logit : logits) {
            if (Float.isNaN(logit)) {
                throw new Failure("the model answers with NaN: its weights are broken");
            }
        }
        if (vocabulary.contains(Vocabulary.UNKNOWN) && vocabulary.size() > 1) {
            logits[vocabulary.encode(Character.toString(Vocabulary.UNKNOWN))[0]] = Float.NEGATIVE_INFINITY; // not a character
        }
        last = sampler.pick(logits);
        return vocabulary.character(last);
    }
}
