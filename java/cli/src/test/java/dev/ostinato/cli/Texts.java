package dev.ostinato.cli;

import java.util.Random;

/** Small texts. */
final class Texts {
    private static final String[] WORDS = {"house", "of", "seven", "rivers", "and", "a", "mill"};

    private Texts() {}

    /** Returns words in an order that a seed gives, in lines. */
    static String words(int characters) {
        Random random = new Random(7);
        StringBuilder text = new StringBuilder();
        while (text.length() < characters) {
            text.append(WORDS[random.nextInt(WORDS.length)]).append(random.nextInt(8) == 0 ? '\n' : ' ');
        }
        text.setLength(characters);
        return text.toString();
    }
}
