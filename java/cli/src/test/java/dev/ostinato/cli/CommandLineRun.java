package dev.ostinato.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One command line, run in this virtual machine, and what it left. */
record CommandLineRun(int status, String out, String err) {
    static CommandLineRun of(Object... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        String[] args = Stream.of(arguments).map(Object::toString).toArray(String[]::new);
        int status = Main.run(args, new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8));
        return new CommandLineRun(status, out.toString(UTF_8), err.toString(UTF_8));
    }

    CommandLineRun succeeded() {
        assertEquals(0, status, err);
        return this;
    }

    /** Asserts the status and that there is one sentence, which has all of this in it. */
    void failed(int expectedStatus, String... parts) {
        List<String> messages = err.lines().filter(line -> !line.startsWith("step ")).toList(); // on a slow machine
        assertEquals(expectedStatus, status, err);
        assertEquals(1, messages.size(), err);
        String message = messages.getFirst();
        assertTrue(message.startsWith("ostinato: "), message);
        assertFalse(message.contains("Exception") || message.contains("internal error"), message);
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "expected " + part + " in: " + message);
        }
        assertEquals("", out);
    }

    /** Returns standard output, which has to be one JSON object and nothing else. */
    JsonNode json() {
        assertEquals(1, out.lines().count(), out);
        JsonNode json = JsonMapper.shared().readTree(out);
        assertTrue(json.isObject(), out);
        return json;
    }
}
