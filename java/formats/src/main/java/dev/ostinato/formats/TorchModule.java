package dev.ostinato.formats;

import dev.ostinato.nn.Layer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A module of PyTorch, as far as its weights tell, with the layers that compute the same.
///
/// @param name in front of the names of its tensors; empty for the outermost
/// @param type as a person would call it, such as `LSTM`
/// @param parts its layers, at least one
record TorchModule(String name, String type, List<Part> parts) {
    TorchModule {
        parts = List.copyOf(parts);
    }

    /// A layer, and what the file calls its tensors.
    ///
    /// @param tensors the name in the file, or nothing for a tensor that is zero, of each tensor of the layer by the name that a
    ///     [dev.ostinato.nn.Model] gives it, without module and number: `weight_ih_reverse` for `rnn.weight_ih_l0_reverse`
    record Part(Layer layer, Map<String, Optional<String>> tensors) {
        Part {
            tensors = Map.copyOf(tensors);
        }
    }

    boolean isEmbedding() {
        return parts.getFirst().layer() instanceof Layer.Embedding;
    }

    boolean isLinear() {
        return parts.getFirst().layer() instanceof Layer.Dense;
    }

    int inputs() {
        return parts.getFirst().layer().inputs();
    }

    int outputs() {
        return parts.getLast().layer().outputs();
    }

    /// Returns the layers of modules that feed one another, with one for the inputs in front.
    static List<Part> parts(List<TorchModule> modules) {
        List<Part> parts = new ArrayList<>();
        if (!modules.getFirst().isEmbedding()) {
            parts.add(new Part(new Layer.Features(modules.getFirst().inputs()), Map.of()));
        }
        modules.forEach(module -> parts.addAll(module.parts));
        return parts;
    }

    @Override
    public String toString() {
        return FormatException.quote(name) + " (" + type + " " + inputs() + " -> " + outputs() + ")";
    }
}
