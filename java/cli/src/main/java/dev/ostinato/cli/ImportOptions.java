package dev.ostinato.cli;

import dev.ostinato.formats.ImportHints;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.kernels.Activation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that reads a model: what the weights of a foreign one do not tell. */
final class ImportOptions {
    /** Functions of PyTorch's nn.RNN. */
    private enum Nonlinearity {
        TANH, RELU
    }

    @Option(names = "--nonlinearity", paramLabel = "tanh|relu", order = 101,
            description = "The function of nn.RNN, which weights of PyTorch do not tell.")
    private @Nullable Nonlinearity nonlinearity;

    @Option(names = "--modules", paramLabel = "NAME", split = ",", order = 102, description = {
        "The modules of a PyTorch model to use, in their order, where their shapes do not tell it."})
    private List<String> modules = List.of();

    @Option(names = "--state-dict", paramLabel = "KEY", order = 103,
            description = "The state dict to use in a file of PyTorch that has several.")
    private @Nullable String stateDict;

    /** Reads a model of whatever format. */
    ModelFile read(Path file) throws IOException {
        return ModelFile.read(file,
                new ImportHints(Optional.ofNullable(nonlinearity).map(ImportOptions::function), modules,
                        Optional.ofNullable(stateDict)));
    }

    private static Activation function(Nonlinearity name) {
        return name == Nonlinearity.TANH ? Activation.TANH : Activation.RELU;
    }
}
