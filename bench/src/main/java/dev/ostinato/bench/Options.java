package dev.ostinato.bench;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Arguments of the form {@code --name=value}. */
final class Options {
    private final Map<String, String> values;

    /** @throws IllegalArgumentException if an argument has another form or is not one of {@code defaults} */
    Options(String[] args, Map<String, String> defaults) {
        values = new HashMap<>(defaults);
        for (String arg : args) {
            int equals = arg.indexOf('=');
            String name = arg.startsWith("--") && equals > 0 ? arg.substring(2, equals) : "";
            if (!defaults.containsKey(name)) {
                throw new IllegalArgumentException("argument: expected "
                        + defaults.keySet().stream().sorted().map(s -> "--" + s + "=...")
                                .collect(Collectors.joining(", "))
                        + ", got " + arg);
            }
            values.put(name, arg.substring(equals + 1));
        }
    }

    String text(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + ": no such option");
        }
        return value;
    }

    /** @throws IllegalArgumentException if it is none of those */
    String choice(String name, String... choices) {
        String value = text(name);
        if (!List.of(choices).contains(value)) {
            throw new IllegalArgumentException(
                    "--" + name + ": expected " + String.join(" or ", choices) + ", got " + value);
        }
        return value;
    }

    /** @throws IllegalArgumentException if it is not a positive integer */
    int count(String name) {
        int value = Integer.parseInt(text(name));
        if (value < 1) {
            throw new IllegalArgumentException("--" + name + ": expected >= 1, got " + value);
        }
        return value;
    }

    /** @throws IllegalArgumentException if it is not a positive number */
    double seconds(String name) {
        double value = Double.parseDouble(text(name));
        if (!(value > 0)) {
            throw new IllegalArgumentException("--" + name + ": expected seconds > 0, got " + value);
        }
        return value;
    }
}
