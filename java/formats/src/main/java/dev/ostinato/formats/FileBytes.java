package dev.ostinato.formats;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// The bytes of a file, copied or mapped. Their memory goes when nobody holds them.
public final class FileBytes {
    /// Up to here a file is copied, above it is mapped. A mapped file that somebody truncates takes its pages with it,
    /// and the next access is an InternalError, or worse in native code; a copy has no such strings attached. Reading
    /// 256 MB costs tens of milliseconds once, and every weight is read anyway. Beyond that a second copy of the
    /// model begins to matter.
    private static final long COPY_LIMIT = 256L << 20;

    private FileBytes() {}

    /// Returns the bytes of a file.
    ///
    /// Files up to 256 MB are copied, and whatever happens to them later has no effect. Greater ones, and those for
    /// which there is no direct memory left, are mapped: they may be replaced or deleted, but one that is changed in
    /// place changes the bytes, and one that is truncated makes access to them fail with an [InternalError].
    ///
    /// @throws FormatException if it is no regular file, or shrinks while it is read
    /// @throws IOException if it cannot be read
    public static MemorySegment read(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new FormatException(file, "expected a regular file, got "
                    + (Files.isDirectory(file) ? "a directory" : "a special file"));
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            MemorySegment copy = size <= COPY_LIMIT ? allocate(size) : null;
            if (copy == null) {
                return channel.map(FileChannel.MapMode.READ_ONLY, 0, size, Arena.ofAuto());
            }
            ByteBuffer buffer = copy.asByteBuffer();
            while (buffer.hasRemaining()) {
                if (channel.read(buffer) < 0) {
                    throw new FormatException(file, "expected " + size + " bytes, got " + buffer.position()
                            + ": it shrank while it was read");
                }
            }
            return copy;
        }
    }

    private static @Nullable MemorySegment allocate(long size) {
        try {
            return Arena.ofAuto().allocate(size, 64);
        } catch (OutOfMemoryError e) {
            // The limit on direct memory: no reason to fail, since a mapping does not count against it.
            return null;
        }
    }
}
