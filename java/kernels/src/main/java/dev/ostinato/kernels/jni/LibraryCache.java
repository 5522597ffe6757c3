package dev.ostinato.kernels.jni;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * A directory of the user's own, which holds copies of libraries under names with their SHA-256. Any number of processes may share
 * it: a copy appears whole, and never changes.
 */
final class LibraryCache {
    private static final Set<PosixFilePermission> OWNER_ALONE = PosixFilePermissions.fromString("rwx------");

    private final Path directory;

    LibraryCache(Path directory) {
        this.directory = directory;
    }

    /** Returns the directories to try, in order: the user's cache, then one among the temporary files. */
    static List<Path> directories() {
        List<Path> directories = new ArrayList<>();
        String cache = System.getenv("XDG_CACHE_HOME");
        String home = System.getProperty("user.home", "");
        if (cache != null && Path.of(cache).isAbsolute()) {
            directories.add(Path.of(cache, "ostinato"));
        } else if (Path.of(home).isAbsolute()) {
            directories.add(Path.of(home, ".cache", "ostinato"));
        }
        directories.add(Path.of(System.getProperty("java.io.tmpdir", "/tmp"),
                "ostinato-" + System.getProperty("user.name", "")));
        return directories;
    }

    /**
     * Returns a file with these bytes: one that is there already, or else a new one.
     *
     * @throws IOException if the directory cannot be made, belongs to somebody else, can be written by others, or does not take the file
     */
    Path store(byte[] library) throws IOException {
        prepare();
        Path file = directory.resolve("libostinato-" + sha256(library) + ".so");
        // Compared as a whole with what is about to be loaded, so that a name proves nothing and need not.
        if (!holds(file, library)) {
            write(file, library);
            if (!holds(file, library)) {
                throw new IOException(file + " does not hold what was written to it");
            }
        }
        return file;
    }

    private void prepare() throws IOException {
        Files.createDirectories(directory.toAbsolutePath().getParent());
        if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            try {
                Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(OWNER_ALONE));
            } catch (FileAlreadyExistsException e) {
                // Another process was faster; what it made is examined like any other.
            }
        }
        PosixFileAttributes attributes =
                Files.readAttributes(directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!attributes.isDirectory()) {
            throw new IOException("not a directory");
        }
        UserPrincipal user = user();
        if (!attributes.owner().equals(user)) {
            throw new IOException("expected it to belong to " + user + ", got " + attributes.owner());
        }
        if (!OWNER_ALONE.containsAll(attributes.permissions())) {
            throw new IOException("expected permissions " + PosixFilePermissions.toString(OWNER_ALONE) + ", got "
                    + PosixFilePermissions.toString(attributes.permissions()));
        }
    }

    /** Returns who we are to the file system, which knows users that have no name. */
    private UserPrincipal user() throws IOException {
        Path probe = Files.createTempFile(directory, "owner-", ".tmp");
        try {
            return Files.getOwner(probe);
        } finally {
            Files.delete(probe);
        }
    }

    private static boolean holds(Path file, byte[] library) throws IOException {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) == library.length
                && Arrays.equals(Files.readAllBytes(file), library);
    }

    private void write(Path file, byte[] library) throws IOException {
        Path temporary = Files.createTempFile(directory, "libostinato-", ".tmp");
        try {
            Files.write(temporary, library);
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            move(temporary, file);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw new IOException(to + ": the file system has no atomic move", e);
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every Java platform has it
        }
    }
}
