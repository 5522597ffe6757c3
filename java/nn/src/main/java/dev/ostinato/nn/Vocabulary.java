package dev.ostinato.nn;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The characters (Unicode code points) that a model of text knows, in the order of their tokens. Immutable. */
public final class Vocabulary {
    /** Stands for every character that is not in the vocabulary, if it is in it: U+FFFD. */
    public static final int UNKNOWN = 0xFFFD;

    private final int[] characters;
    private final Map<Integer, Integer> tokens = new HashMap<>();

    private Vocabulary(int[] characters) {
        this.characters = characters;
        for (int i = 0; i < characters.length; i++) {
            if (!Character.isValidCodePoint(characters[i]) || tokens.put(characters[i], i) != null) {
                throw new IllegalArgumentException("vocabulary: expected different characters, got U+"
                        + Integer.toHexString(characters[i]) + " at " + i);
            }
        }
    }

    /** Returns the vocabulary of these characters, one token each. @throws IllegalArgumentException if one comes twice, or there is none */
    public static Vocabulary of(String characters) {
        if (characters.isEmpty()) {
            throw new IllegalArgumentException("vocabulary: expected at least one character, got none");
        }
        return new Vocabulary(characters.codePoints().toArray());
    }

    /**
     * Returns the characters of a text by code point; those seen less than {@code atLeast} times become {@link #UNKNOWN} together.
     *
     * @throws IllegalArgumentException if the text is empty
     */
    public static Vocabulary of(CharSequence text, int atLeast) {
        TreeMap<Integer, Integer> counts = new TreeMap<>();
        text.codePoints().forEach(c -> counts.merge(c, 1, Integer::sum));
        StringBuilder kept = new StringBuilder();
        boolean rare = false;
        for (Map.Entry<Integer, Integer> entry : counts.entrySet()) {
            boolean keep = entry.getValue() >= atLeast && entry.getKey() != UNKNOWN;
            rare |= !keep;
            if (keep) {
                kept.appendCodePoint(entry.getKey());
            }
        }
        return of(rare ? kept.appendCodePoint(UNKNOWN).toString() : kept.toString());
    }

    /** Returns the number of characters. */
    public int size() {
        return characters.length;
    }

    /** Returns the character of a token, a code point. */
    public int character(int token) {
        return characters[token];
    }

    /** Returns all characters in the order of their tokens. */
    public String characters() {
        return new String(characters, 0, characters.length);
    }

    /** Returns whether there is a token for a code point of its own. */
    public boolean contains(int character) {
        return tokens.containsKey(character);
    }

    /**
     * Returns the tokens of a text.
     *
     * @throws IllegalArgumentException if a character is not in the vocabulary, and neither is {@link #UNKNOWN}; the message names it
     */
    public int[] encode(CharSequence text) {
        int unknown = tokens.getOrDefault(UNKNOWN, -1);
        return text.codePoints().map(c -> {
            int token = tokens.getOrDefault(c, unknown);
            if (token < 0) {
                throw new IllegalArgumentException("text: the model never saw '" + Character.toString(c) + "' (U+"
                        + Integer.toHexString(c).toUpperCase(Locale.ROOT) + ")");
            }
            return token;
        }).toArray();
    }

    /** Returns the text of tokens. @throws IndexOutOfBoundsException if one is outside the vocabulary */
    public String decode(int... tokens) {
        int[] text = Arrays.stream(tokens).map(this::character).toArray();
        return new String(text, 0, text.length);
    }
}
