package dev.ostinato.formats;

import java.nio.file.Path;

/// Where an array comes from, for messages.
///
/// @param entry the name of the array in an archive; empty for a file that is an array
record ArrayFile(Path path, String entry) {
    /// Returns an exception that names the file, and the array in it.
    FormatException damaged(String problem) {
        return new FormatException(path, (entry.isEmpty() ? "" : "array " + FormatException.quote(entry) + ": ")
                + problem);
    }
}
