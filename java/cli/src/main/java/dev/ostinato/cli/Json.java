package dev.ostinato.cli;

import java.util.Map;

import tools.jackson.databind.json.JsonMapper;

/** JSON on one line. */
final class Json {
    private Json() {}

    /** Returns an object with the entries of a map, in its order; values are strings, numbers, booleans, maps and lists. */
    static String of(Map<String, ?> object) {
        return JsonMapper.shared().writeValueAsString(object);
    }
}
