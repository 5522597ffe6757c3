package dev.ostinato.formats;

import java.nio.file.Path;
import java.util.SequencedMap;
import java.util.SequencedSet;

/// Named tensors from a file, whatever its format. Immutable and safe for all threads.
public interface TensorFile {
    /// Returns where they come from, for messages.
    Path path();

    /// Returns the names of the tensors, in the order of the file.
    SequencedSet<String> names();

    /// Returns the tensor of this name.
    ///
    /// @throws FormatException if the file has none
    Tensor tensor(String name) throws FormatException;

    /// Returns text about the tensors, empty in formats that have no place for any.
    SequencedMap<String, String> metadata();
}
