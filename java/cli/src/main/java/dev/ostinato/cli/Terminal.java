package dev.ostinato.cli;

import java.io.Console;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Where a command writes.
 *
 * @param out results; with {@code --json} one JSON object and nothing else
 * @param err messages and progress
 */
record Terminal(PrintStream out, PrintStream err) {
    /** Writes the result of a command as one JSON object, in the order of the map. */
    void json(Map<String, ?> result) {
        out.println(Json.of(result));
        out.flush();
    }

    /** Writes a message, as every message of the command begins. */
    void say(String message) {
        Failures.print(message, err);
    }

    /** Returns whether somebody watches {@link #err}, so that a line on it may be redrawn. */
    boolean watched() {
        return err.equals(System.err) && !"dumb".equals(System.getenv("TERM")) && errorIsTerminal();
    }

    private static boolean errorIsTerminal() {
        // Linux tells it of each stream; elsewhere Java tells it of input and output together.
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        }
    }
}
