package dev.ostinato.formats;

import dev.ostinato.kernels.Activation;
import java.util.List;
import java.util.Optional;

/// What the weights of a foreign model do not tell, for [ModelFile#read(Path, ImportHints)]. Nothing of it is needed unless the message of a
/// [FormatException] asks for it, by the names that the options of the `ostinato` command have: `--nonlinearity`, `--modules` and
/// `--state-dict`. Immutable.
///
/// @param nonlinearity the function of all `nn.RNN`, tanh or ReLU
/// @param modules the names of the modules that make up the model, from the input on, with nothing but dropout between them; others in
///     the file are left out. Empty for all of them, in the order in which they fit together. Behind a name there may be `:embedding` or
///     `:linear`
/// @param stateDict the key of the state dict in a file that has several, such as `model` or `ema.model`
public record ImportHints(Optional<Activation> nonlinearity, List<String> modules, Optional<String> stateDict) {
    /// No hints.
    public static final ImportHints NONE = new ImportHints(Optional.empty(), List.of(), Optional.empty());

    /// @throws IllegalArgumentException if the function is another, or a module comes twice
    public ImportHints {
        modules = List.copyOf(modules);
        nonlinearity.ifPresent(function -> {
            if (!function.equals(Activation.TANH) && !function.equals(Activation.RELU)) {
                throw new IllegalArgumentException("nonlinearity: expected tanh or relu, got " + function);
            }
        });
        if (modules.stream().distinct().count() < modules.size()) {
            throw new IllegalArgumentException("modules: expected each once, got " + modules);
        }
    }

    /// Returns these with another function of `nn.RNN`.
    public ImportHints withNonlinearity(Activation function) {
        return new ImportHints(Optional.of(function), modules, stateDict);
    }

    /// Returns these with other modules.
    public ImportHints withModules(String... names) {
        return new ImportHints(nonlinearity, List.of(names), stateDict);
    }

    /// Returns these with the key of another state dict.
    public ImportHints withStateDict(String key) {
        return new ImportHints(nonlinearity, modules, Optional.of(key));
    }
}
