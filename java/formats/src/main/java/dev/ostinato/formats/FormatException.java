package dev.ostinato.formats;

import java.io.IOException;
import java.nio.file.Path;

/// Says that a file is not what its format asks for: which file, what was expected, what came, and where.
public final class FormatException extends IOException {
    private static final long serialVersionUID = 1;
    private static final int QUOTED_LENGTH = 80;

    public FormatException(Path file, String problem) {
        super(file + ": " + problem);
    }

    public FormatException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
    }

    /// Quotes text from a file for a message: shortened, and with nothing in it that a terminal or a log would obey.
    public static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        text.codePoints().limit(QUOTED_LENGTH).forEach(c -> {
            if (Character.isISOControl(c) || Character.getType(c) == Character.FORMAT
                    || Character.getType(c) == Character.SURROGATE) {
                quoted.append(String.format("\\u%04x", c));
            } else {
                quoted.appendCodePoint(c);
            }
        });
        return quoted.append(text.codePointCount(0, text.length()) > QUOTED_LENGTH ? "\"..." : "\"").toString();
    }
}
