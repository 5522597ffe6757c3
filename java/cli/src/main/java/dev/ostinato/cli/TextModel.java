package dev.ostinato.cli;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A model that predicts the next character. */
record TextModel(Model model, Vocabulary vocabulary) {
    /**
     * Reads a model onto a backend.
     *
     * @throws Failure if it is a model of something else
     * @throws IOException if it cannot be read, or is not a model
     */
    static TextModel read(Path file, ImportOptions importing, String backend) throws IOException {
        ModelFile contents = importing.read(file);
        Vocabulary vocabulary = contents.vocabulary().orElseThrow(
                () -> new Failure(file + ": expected a model of text, got one without a vocabulary, "
                        + "which ostinato convert --vocabulary gives it"));
        Model model = contents.model();
        if (!model.takesTokens() || model.outputs() != vocabulary.size()) {
            throw new Failure(file + ": expected a model from characters to characters, got " + model.layers());
        }
        return new TextModel(model.withBackend(backend), vocabulary);
    }

    /** Returns the same with rounded weights. @throws Failure if they cannot be */
    TextModel withPrecision(@Nullable Precision precision) {
        return new TextModel(Precisions.round(model, precision), vocabulary);
    }
}
