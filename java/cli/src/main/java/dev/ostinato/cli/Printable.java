package dev.ostinato.cli;

import java.util.Locale;
import java.util.stream.Collectors;

/** Characters as a terminal can show them. */
final class Printable {
    private Printable() {}

    /** Returns a code point as itself, or if one could not see it as an escape or its number: {@code \n}, {@code U+200B}. */
    static String of(int character) {
        return switch (character) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case ' ' -> " ";
            default -> isVisible(character) ? Character.toString(character)
                    : String.format(Locale.ROOT, "U+%04X", character);
        };
    }

    /** Returns all of a text so. */
    static String of(String text) {
        return text.codePoints().mapToObj(Printable::of).collect(Collectors.joining());
    }

    private static boolean isVisible(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.UNASSIGNED, Character.PRIVATE_USE,
                    Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
                    false;
            default -> true;
        };
    }
}
