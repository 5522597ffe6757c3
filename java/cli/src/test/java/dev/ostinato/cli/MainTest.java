package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
    @ParameterizedTest
    @ValueSource(strings = {"demo", "train", "sample", "eval", "inspect", "run", "bench", "info"})
    void everyCommandExplainsItself(String command) {
        CommandLineRun run = CommandLineRun.of(command, "--help").succeeded();
        assertTrue(run.out().startsWith("Usage: ostinato " + command), run.out());
        assertEquals("", run.err());
        assertTrue(CommandLineRun.of("--help").succeeded().out().lines()
                .anyMatch(l -> l.startsWith("  " + command + " ")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "train", "sample", "eval", "inspect", "run", "bench"})
    void commandsWithArgumentsShowAnExample(String command) {
        String help = CommandLineRun.of(command, "--help").succeeded().out();
        assertTrue(help.lines().anyMatch(line -> line.startsWith("  ostinato " + command + " ")), help);
    }

    @Test
    void noCommandShowsTheCommands() {
        assertEquals(CommandLineRun.of("--help").succeeded().out(), CommandLineRun.of().succeeded().out());
    }

    @Test
    void versionSaysWhatRuns() {
        assertTrue(CommandLineRun.of("--version").succeeded().out().contains("Java 25"));
    }
}
