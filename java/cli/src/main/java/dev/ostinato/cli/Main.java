package dev.ostinato.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code ostinato} command: the subcommands, and what becomes of their failures. */
@Command(name = "ostinato", mixinStandardHelpOptions = true, versionProvider = Version.class,
        description = "Trains recurrent networks on text, samples from them and measures them.",
        synopsisSubcommandLabel = "COMMAND", exitCodeListHeading = "%nExit status:%n",
        exitCodeList = {"0:done", "1:failed, with one sentence on standard error", "2:wrong command line",
            "130:interrupted"},
        footer = {"", "Examples:",
            "  ostinato demo",
            "  ostinato train --data book.txt --out book.safetensors",
            "  ostinato sample book.safetensors --prompt \"It was \"",
            "", "ostinato COMMAND --help explains a command."})
public final class Main implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private Main() {}

    static void main(String[] args) {
        // UTF-8 whatever the locale: what is written is text of the model's own characters, and JSON.
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, UTF_8);
        int status = run(args, out, System.err);
        out.flush();
        System.exit(status);
    }

    /** Runs a command line and returns its exit status. */
    static int run(String[] args, PrintStream out, PrintStream err) {
        Terminal terminal = new Terminal(out, err);
        CommandLine line = new CommandLine(new Main());
        line.addSubcommand(new TrainCommand(terminal));
        line.addSubcommand(new SampleCommand(terminal));
        line.addSubcommand(new EvalCommand(terminal));
        line.addSubcommand(new InspectCommand(terminal));
        line.addSubcommand(new RunCommand(terminal));
        line.addSubcommand(new ConvertCommand(terminal));
        line.addSubcommand(new BenchCommand(terminal));
        line.addSubcommand(new InfoCommand(terminal));
        line.addSubcommand(new DemoCommand(terminal));
        line.addSubcommand(new HelpCommand());
        line.setOut(new PrintWriter(out, true, out.charset()));
        line.setErr(new PrintWriter(err, true, err.charset()));
        line.setExpandAtFiles(false); // a prompt may begin with @
        line.setUsageHelpAutoWidth(true);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler((e, wrong) -> misused(terminal, e));
        line.setExecutionExceptionHandler((e, command, parsed) -> Failures.report(e, err));
        try {
            return line.execute(args);
        } catch (Error e) { // picocli passes these on
            return Failures.report(e, err);
        } finally {
            out.flush();
            err.flush();
        }
    }

    private static int misused(Terminal terminal, ParameterException e) {
        CommandLine command = e.getCommandLine();
        Failures.print(e.getMessage() + "; see " + command.getCommandSpec().qualifiedName() + " --help",
                terminal.err());
        return CommandLine.ExitCode.USAGE;
    }

    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getOut());
        return CommandLine.ExitCode.OK;
    }
}
