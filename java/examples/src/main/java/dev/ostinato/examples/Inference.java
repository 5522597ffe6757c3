package dev.ostinato.examples;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;

/** Lets a character model go on with a text, always with the likeliest character: {@code Inference MODEL PROMPT}. */
public final class Inference {
    private Inference() {
    }

    static void main(String[] args) throws IOException {
        System.out.println(args[1] + complete(Path.of(args[0]), args[1], 200));
    }

    /** Returns the next {@code length} characters. */
    public static String complete(Path file, String prompt, int length) throws IOException {
        // readme: inference
        ModelFile contents = ModelFile.read(file);
        Model model = contents.model(); // immutable, for all threads
        Vocabulary vocabulary = contents.vocabulary().orElseThrow();
        State state = model.newState(); // one per stream
        float[] logits = new float[model.outputs()];

        for (int token : vocabulary.encode(prompt)) {
            model.step(token, state, logits); // allocates nothing
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            int likeliest = 0;
            for (int j = 1; j < logits.length; j++) {
                likeliest = logits[j] > logits[likeliest] ? j : likeliest;
            }
            text.appendCodePoint(vocabulary.character(likeliest));
            model.step(likeliest, state, logits);
        }
        // readme: end
        return text.toString();
    }
}
