package dev.ostinato.formats;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/// Writes files whole or not at all.
public final class AtomicFile {
    private AtomicFile() {}

    /// An action that may fail as I/O fails.
    @FunctionalInterface
    public interface IOConsumer<T> {
        void accept(T value) throws IOException;
    }

    /// Creates or replaces a file with what `body` writes. The bytes go to a temporary file in the same directory,
    /// which takes the name only when they are on the disk; until then an existing file is as it was, and on any
    /// failure, of `body` too, the temporary is deleted. If fsync of the directory fails, after that, the new file is
    /// in place but may not survive a power cut.
    ///
    /// A symbolic link is followed. A replaced file leaves its permissions to the new one, less the umask. A process
    /// that is killed leaves a file named `.ostinato-*.tmp`.
    ///
    /// @param body gets a channel that is valid during the call; closing it has no effect
    /// @throws FileSystemException names the target and the reason: it is a directory, a special file or
    ///     write-protected, its parent is missing, no directory or write-protected, or `body` or the disk failed
    public static void write(Path target, IOConsumer<? super WritableByteChannel> body) throws IOException {
        try {
            replace(resolve(target), body);
        } catch (IOException e) {
            throw failure(target, e);
        }
    }

    private static void replace(Path file, IOConsumer<? super WritableByteChannel> body) throws IOException {
        Path directory = parentOf(file);
        // Not made from the file's name, which may be as long as names can be.
        Path temporary = directory.resolve(
                ".ostinato-" + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp");
        try {
            try (FileChannel channel = FileChannel.open(temporary,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), permissionsOf(file))) {
                body.accept(new Unclosable(channel));
                channel.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            discard(temporary);
        }
        sync(directory);
    }

    /// Refuses beforehand what can be told beforehand, since the failure itself would name the temporary file.
    private static Path resolve(Path target) throws IOException {
        Path file = target.toAbsolutePath();
        if (Files.isSymbolicLink(file)) {
            file = file.toRealPath();
        }
        require(!Files.isDirectory(file), "it is a directory");
        Path directory = parentOf(file);
        require(Files.exists(directory), "its parent directory does not exist: " + directory);
        require(Files.isDirectory(directory), "its parent is not a directory: " + directory);
        require(Files.isWritable(directory), "no permission to create files in " + directory);
        if (Files.exists(file)) {
            require(Files.isRegularFile(file), "it is not a regular file");
            require(Files.isWritable(file), "no permission to write to it");
        }
        return file;
    }

    private static Path parentOf(Path file) {
        // Never null: a path without a parent is a root, and so a directory.
        return Objects.requireNonNull(file.getParent());
    }

    private static void require(boolean condition, String reason) throws IOException {
        if (!condition) {
            throw new IOException(reason);
        }
    }

    private static FileAttribute<?>[] permissionsOf(Path file) throws IOException {
        if (!Files.exists(file) || !isPosix(file)) {
            return new FileAttribute<?>[0];
        }
        return new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(Files.getPosixFilePermissions(file))};
    }

    private static void sync(Path directory) throws IOException {
        // Elsewhere a directory cannot be opened.
        if (isPosix(directory)) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    private static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static void discard(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            // Whatever failed first is what the caller has to hear about.
        }
    }

    private static FileSystemException failure(Path target, IOException e) {
        String reason = switch (e) {
            case AccessDeniedException denied -> "no permission for " + denied.getFile();
            case NoSuchFileException missing -> missing.getFile() + " does not exist";
            default -> Objects.requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
        };
        FileSystemException failure = new FileSystemException(target.toString(), null, "cannot be written: " + reason);
        failure.initCause(e);
        return failure;
    }

    /// Bodies wrap the channel in streams and close these, but it still has to be forced to the disk.
    private record Unclosable(FileChannel channel) implements WritableByteChannel {
        @Override
        public int write(ByteBuffer source) throws IOException {
            return channel.write(source);
        }

        @Override
        public boolean isOpen() {
            return channel.isOpen();
        }

        @Override
        public void close() {}
    }
}
