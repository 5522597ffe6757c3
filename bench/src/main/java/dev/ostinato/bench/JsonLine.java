package dev.ostinato.bench;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/** A JSON object on one line. Numbers have six digits: none is measured more exactly. */
final class JsonLine {
    private static final MathContext DIGITS = new MathContext(6);

    private final StringJoiner members = new StringJoiner(",", "{", "}");

    JsonLine put(String name, String value) {
        members.add(quoted(name) + ":" + quoted(value));
        return this;
    }

    JsonLine put(String name, long value) {
        members.add(quoted(name) + ":" + value);
        return this;
    }

    JsonLine put(String name, double value) {
        members.add(quoted(name) + ":" + number(value));
        return this;
    }

    JsonLine put(String name, double[] values) {
        members.add(quoted(name) + ":"
                + Arrays.stream(values).mapToObj(JsonLine::number).collect(Collectors.joining(",", "[", "]")));
        return this;
    }

    private static String number(double value) {
        return Double.isFinite(value) ? new BigDecimal(value).round(DIGITS).toPlainString() : "null";
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ') {
                out.append(' ');
            } else {
                out.append(c == '"' || c == '\\' ? "\\" : "").append(c);
            }
        }
        return out.append('"').toString();
    }

    @Override
    public String toString() {
        return members.toString();
    }
}
