package dev.ostinato.formats;

import java.nio.file.Path;
import java.util.Collections;
import java.util.SequencedMap;
import java.util.SequencedSet;

/// The tensors of a file by their names, in its order.
record NamedTensors(Path path, SequencedMap<String, Tensor> byName) {
    SequencedSet<String> names() {
        return Collections.unmodifiableSequencedSet(byName.sequencedKeySet());
    }

    /// @throws FormatException if there is none of this name
    Tensor get(String name) throws FormatException {
        Tensor tensor = byName.get(name);
        if (tensor == null) {
            throw new FormatException(path, "expected a tensor " + FormatException.quote(name) + ", got "
                    + byName.size() + " others: " + byName.keySet().stream().limit(10)
                            .map(FormatException::quote).toList());
        }
        return tensor;
    }
}
