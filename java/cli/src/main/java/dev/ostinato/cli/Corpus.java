package dev.ostinato.cli;

import java.io.IOException;

/**
 * Text to train on. The last {@value #HELD_OUT_PERCENT} %, at most {@value #MAX_HELD_OUT} characters, are held out to measure on. A
 * directory is read in an order that looks random and depends on the files' paths and sizes alone, long files first, so that its end
 * has pieces of many files.
 *
 * @param name what it was read from
 * @param text all of it
 * @param digest SHA-256 of the text in UTF-8, in hexadecimal
 * @param skipped number of files that were left out because they are not UTF-8 text
 */
record Corpus(String name, String text, String digest, int skipped) {
    /** Names the Java sources of the running JDK. */
    static final String JDK = "jdk";

    private static final int HELD_OUT_PERCENT = 5;
    private static final int MAX_HELD_OUT = 200_000;

    /**
     * Reads a file, a directory with everything in it, or the sources of the JDK.
     *
     * @throws Failure if there is no text, or a file is not UTF-8 text
     * @throws IOException if it cannot be read
     */
    static Corpus read(String data) throws IOException {
        return CorpusReader.read(data);
    }

    /** Returns the part to train on. */
    String training() {
        return text.substring(0, split());
    }

    /** Returns the part held out. */
    String validation() {
        return text.substring(split());
    }

    private int split() {
        int split = text.length() - (int) Math.min(MAX_HELD_OUT, (long) text.length() * HELD_OUT_PERCENT / 100);
        boolean insideCharacter = split < text.length() && Character.isLowSurrogate(text.charAt(split));
        return insideCharacter ? split + 1 : split;
    }
}
