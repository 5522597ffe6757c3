package dev.ostinato.cli;

import dev.ostinato.nn.DivergedException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Objects;
import picocli.CommandLine;

/** Turns a failure into one sentence on standard error. {@code -Dostinato.debug} adds the stack trace. */
final class Failures {
    private Failures() {}

    /** Prints what went wrong and returns the exit status. */
    static int report(Throwable failure, PrintStream err) {
        if (System.getProperty("ostinato.debug") != null) {
            failure.printStackTrace(err);
        }
        print(sentence(failure), err);
        return CommandLine.ExitCode.SOFTWARE;
    }

    /** Prints a message on one line, as every message of the command begins. */
    static void print(String message, PrintStream err) {
        err.println("ostinato: " + message.strip().replaceAll("\\s*\\R\\s*", " "));
    }

    private static String sentence(Throwable failure) {
        return switch (failure) {
            case Failure f -> message(f);
            case DivergedException e -> message(e);
            case IllegalArgumentException e -> message(e);
            case NoSuchFileException e -> e.getFile() + ": there is no such file";
            case FileNotFoundException e -> message(e);
            case AccessDeniedException e -> e.getFile() + ": no permission";
            case FileSystemException e -> e.getFile() + ": "
                    + Objects.requireNonNullElse(e.getReason(), e.getClass().getSimpleName());
            case IOException e -> message(e);
            case UncheckedIOException e -> message(e);
            case OutOfMemoryError e -> "out of memory (" + message(e) + "); the limit is "
                    + (Runtime.getRuntime().maxMemory() >> 20) + " MB, and OSTINATO_JAVA_OPTS=-Xmx8g would raise it";
            default -> "internal error: " + failure
                    + "; OSTINATO_JAVA_OPTS=-Dostinato.debug shows where it happened";
        };
    }

    private static String message(Throwable failure) {
        return Objects.requireNonNullElse(failure.getMessage(), failure.getClass().getSimpleName());
    }
}
