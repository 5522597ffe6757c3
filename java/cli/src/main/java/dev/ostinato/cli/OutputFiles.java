package dev.ostinato.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Finds out whether a file can be written before hours of work go into it. */
final class OutputFiles {
    private OutputFiles() {}

    /** Returns if a file could be created or replaced; leaves nothing behind. @throws Failure if not, with the reason */
    static void check(Path file) {
        Path directory = Objects.requireNonNullElse(file.toAbsolutePath().getParent(), file.toAbsolutePath());
        if (Files.isDirectory(file)) {
            throw refusal(file, "it is a directory");
        }
        if (!Files.isDirectory(directory)) {
            throw refusal(file, "there is no directory " + directory);
        }
        if (Files.exists(file) && !Files.isWritable(file)) {
            throw refusal(file, "no permission");
        }
        try {
            Files.delete(Files.createTempFile(directory, ".ostinato-", ".tmp"));
        } catch (IOException e) {
            Failure refusal = refusal(file, "no files can be created in " + directory);
            refusal.initCause(e);
            throw refusal;
        }
    }

    private static Failure refusal(Path file, String reason) {
        return new Failure(file + ": cannot be written: " + reason);
    }
}
