package dev.ostinato.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** What all commands take as {@code --threads}. */
final class Threads {
    private static final int MOST = 1024;

    private Threads() {}

    /** @throws ParameterException if there cannot be so many */
    static void check(CommandSpec command, int threads) {
        if (threads < 1 || threads > MOST) {
            throw new ParameterException(command.commandLine(),
                    "--threads: expected 1 to " + MOST + ", got " + threads);
        }
    }
}
