package dev.ostinato.cli;

import java.util.concurrent.Callable;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command. */
@Command(name = "ostinato", mixinStandardHelpOptions = true, version = "0.1.0",
        description = "Runs and trains recurrent networks.")
public final class Main implements Callable<Integer> {
    private Main() {}

    static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
    }

    @Override
    public Integer call() {
        CommandLine.usage(this, System.out);
        return 0;
    }
}
