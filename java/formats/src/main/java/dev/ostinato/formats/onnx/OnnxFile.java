package dev.ostinato.formats.onnx;

import dev.ostinato.formats.AtomicFile;
import dev.ostinato.formats.FileBytes;
import dev.ostinato.formats.FormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// An ONNX file. Immutable and safe for all threads.
///
/// @param producer the program that wrote it, and its version
/// @param opsets versions of the sets of operators by domain, ONNX's own being the empty one
/// @param metadata in the order of the file
/// @see <a href="https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3">the format</a>
public record OnnxFile(long irVersion, String producer, Map<String, Long> opsets, Map<String, String> metadata,
        OnnxGraph graph) {
    public OnnxFile {
        opsets = Map.copyOf(opsets);
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /// Reads a file: its encoding and the sizes of its tensors are checked, and nothing is allocated for what is not
    /// there. Weights in files of their own are read from the same folder or one below it.
    ///
    /// @throws FormatException if it is damaged, has elements that are not numbers, or refers to files elsewhere
    /// @throws IOException if it cannot be read
    public static OnnxFile read(Path file) throws IOException {
        return OnnxParser.parse(file, FileBytes.read(file), new ExternalData(file));
    }

    /// Reads the bytes of a file. Weights in files of their own are refused.
    ///
    /// @param name of the source, for messages
    /// @throws FormatException if they are damaged, or have elements that are not numbers
    public static OnnxFile parse(Path name, MemorySegment bytes) throws IOException {
        return OnnxParser.parse(name, bytes, null);
    }

    /// Returns the bytes of a file with this in it: the same for the same contents.
    ///
    /// @throws IllegalArgumentException if there is an attribute of a kind that is not read
    public byte[] toBytes() {
        return OnnxWriter.model(this).toByteArray();
    }

    /// Writes this to a file, whole or not at all; the weights are in it.
    ///
    /// @throws IllegalArgumentException as [#toBytes] does
    /// @throws IOException if it cannot be written
    public void write(Path file) throws IOException {
        byte[] bytes = toBytes();
        AtomicFile.write(file, channel -> {
            for (ByteBuffer rest = ByteBuffer.wrap(bytes); rest.hasRemaining();) {
                channel.write(rest);
            }
        });
    }
}
