package dev.ostinato.cli;

import java.util.Locale;
import java.util.Map;

/** Checks of options, and their way into a checkpoint's text and back. */
final class Requirement {
    private Requirement() {}

    /** @throws IllegalArgumentException that names the option and its range unless {@code min <= value <= max} */
    static void within(String name, long value, long min, long max) {
        require(name, value, value >= min && value <= max,
                max >= Integer.MAX_VALUE ? "at least " + min : min + " to " + max);
    }

    /** @throws IllegalArgumentException that names the option and says what was expected unless the condition holds */
    static void require(String name, Object value, boolean condition, String expected) {
        if (!condition) {
            throw new IllegalArgumentException("--" + name + ": expected " + expected + ", got " + value);
        }
    }

    /** Returns the value of an option that every checkpoint has. @throws IllegalArgumentException if this one has not */
    static String get(Map<String, String> map, String name) {
        String value = map.get(name);
        if (value == null) {
            throw new IllegalArgumentException("option " + name + ": expected a value, got none");
        }
        return value;
    }

    /** Returns the value of an option that older checkpoints have not. */
    static double number(Map<String, String> map, String name, double otherwise) {
        return Double.parseDouble(map.getOrDefault(name, String.valueOf(otherwise)));
    }

    /** Returns how an option's value is written on the command line. */
    static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** Returns the constant that is written so. @throws IllegalArgumentException if there is none */
    static <E extends Enum<E>> E constant(Class<E> type, String name) {
        return Enum.valueOf(type, name.toUpperCase(Locale.ROOT));
    }
}
