package dev.ostinato.cli;

import dev.ostinato.nn.TokenStreams;
import dev.ostinato.nn.Vocabulary;

/** A {@link Corpus} as tokens. */
final class TrainingData {
    /** Characters seen less often than this cannot be learnt, and are one token together. */
    private static final int RARE = 10;

    private final Corpus corpus;
    private final Vocabulary vocabulary;
    private final int[] training;
    private final int[] validation;

    private TrainingData(Corpus corpus, Vocabulary vocabulary, String training, String validation) {
        this.corpus = corpus;
        this.vocabulary = vocabulary;
        this.training = vocabulary.encode(training);
        this.validation = vocabulary.encode(validation);
    }

    /** Encodes a text with a vocabulary of the characters that are frequent in its training part. */
    static TrainingData of(Corpus corpus) {
        String training = corpus.training();
        String validation = corpus.validation();
        Vocabulary vocabulary = Vocabulary.of(training, RARE);
        boolean unseen = !vocabulary.contains(Vocabulary.UNKNOWN)
                && validation.codePoints().anyMatch(c -> !vocabulary.contains(c));
        return new TrainingData(corpus,
                unseen ? Vocabulary.of(vocabulary.characters() + Character.toString(Vocabulary.UNKNOWN)) : vocabulary,
                training, validation);
    }

    /** Encodes a text with the vocabulary that a model has. @throws IllegalArgumentException if it lacks a character */
    static TrainingData of(Corpus corpus, Vocabulary vocabulary) {
        return new TrainingData(corpus, vocabulary, corpus.training(), corpus.validation());
    }

    Corpus corpus() {
        return corpus;
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    /** Returns the tokens to train on, not a copy. */
    int[] training() {
        return training;
    }

    /** Returns the tokens held out, not a copy. */
    int[] validation() {
        return validation;
    }

    /** Returns the training part as streams. @throws Failure if it is too short for one batch */
    TokenStreams streams(int batch, int seq, int advance) {
        long needed = (long) batch * seq + 1;
        if (training.length < needed) {
            throw new Failure(corpus.name() + ": too short to train on: a batch of " + batch + " sequences of " + seq
                    + " characters needs " + needed + ", and there are " + training.length
                    + (validation.length == 0 ? "" : " beside the " + validation.length + " held out"));
        }
        return new TokenStreams(training, batch, seq, advance);
    }
}
