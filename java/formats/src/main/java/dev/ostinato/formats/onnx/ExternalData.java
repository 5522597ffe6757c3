package dev.ostinato.formats.onnx;

import dev.ostinato.formats.FileBytes;
import dev.ostinato.formats.FormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/// Weights in files beside an ONNX file. A file says where they are, so it could name any file of the machine: only
/// those in its own folder, or below it, are read, links followed.
final class ExternalData {
    private final Path file;
    private final Map<Path, MemorySegment> contents = new HashMap<>();

    ExternalData(Path file) {
        this.file = file;
    }

    /// @param entries the keys `location`, `offset` and `length`; others say nothing about where
    /// @throws FormatException if they are outside the folder, or beyond the end
    MemorySegment read(String tensor, Map<String, String> entries) throws IOException {
        String location = entries.getOrDefault("location", "");
        MemorySegment bytes = contents(tensor, location);
        long offset = number(tensor, entries, "offset", 0);
        if (offset > bytes.byteSize()) {
            throw outside(tensor, location, offset, bytes);
        }
        long length = number(tensor, entries, "length", bytes.byteSize() - offset);
        if (length > bytes.byteSize() - offset) {
            throw outside(tensor, location, offset + length, bytes);
        }
        return bytes.asSlice(offset, length);
    }

    private MemorySegment contents(String tensor, String location) throws IOException {
        Path path;
        try {
            Path folder = Objects.requireNonNull(file.toRealPath().getParent());
            Path relative = Path.of(location);
            path = location.isEmpty() || relative.isAbsolute() ? folder : folder.resolve(relative).normalize();
            // The path that is written first, so that nothing is asked about files elsewhere.
            if (path.equals(folder) || !path.startsWith(folder)
                    || (Files.exists(path) && !path.toRealPath().startsWith(folder))) {
                throw new FormatException(file, "tensor " + FormatException.quote(tensor)
                        + ": expected the name of a file in the same folder, got " + FormatException.quote(location));
            }
        } catch (InvalidPathException e) {
            throw new FormatException(file, "tensor " + FormatException.quote(tensor)
                    + ": expected the name of a file, got " + FormatException.quote(location), e);
        }
        MemorySegment known = contents.get(path);
        if (known == null) {
            known = FileBytes.read(path);
            contents.put(path, known);
        }
        return known;
    }

    private long number(String tensor, Map<String, String> entries, String key, long usual) throws FormatException {
        String text = entries.get(key);
        if (text == null) {
            return usual;
        }
        try {
            long value = Long.parseLong(text);
            if (value >= 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new FormatException(file, "tensor " + FormatException.quote(tensor) + ": expected a number of bytes as "
                + key + ", got " + FormatException.quote(text));
    }

    private FormatException outside(String tensor, String location, long end, MemorySegment bytes) {
        return new FormatException(file, "tensor " + FormatException.quote(tensor) + ": expected at least "
                + Long.toUnsignedString(end) + " bytes in " + FormatException.quote(location) + ", got "
                + bytes.byteSize());
    }
}
