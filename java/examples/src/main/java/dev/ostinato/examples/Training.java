package dev.ostinato.examples;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Trainer;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Trains a character model on a text file: {@code Training TEXT MODEL}. */
public final class Training {
    private Training() {
    }

    static void main(String[] args) throws IOException {
        train(Files.readString(Path.of(args[0])), Path.of(args[1]), 1000);
    }

    /** Trains for a number of steps, writes the model and returns the last loss in nats per character. */
    public static double train(String text, Path file, int steps) throws IOException {
        // readme: training
        Vocabulary vocabulary = Vocabulary.of(text, 1);
        Model model =
                Model.builder().embedding(vocabulary.size(), 64).lstm(128).dense(vocabulary.size()).seed(1).build();
        TokenStreams streams = new TokenStreams(vocabulary.encode(text), 32, 50); // 32 streams, 50 characters at a time

        double loss = 0;
        try (Trainer trainer =
                Trainer.builder(model).loss(Loss.crossEntropy()).optimizer(Optimizer.adam(4e-3)).clipGlobalNorm(5)
                        .threads(2).build()) {
            for (int i = 0; i < steps; i++) {
                if (streams.atEpochStart()) {
                    trainer.resetState();
                }
                loss = trainer.step(streams.next()); // forward, back through time, clip, update
            }
            ModelFile.write(file, trainer.model(), vocabulary);
        }
        // readme: end
        return loss;
    }
}
