package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    Path directory;

    @Test
    void createsAndReplaces() throws IOException {
        Path target = directory.resolve("log");
        AtomicFile.write(target, text("one"));
        assertEquals("one", Files.readString(target));
        AtomicFile.write(target, text("two"));
        assertEquals("two", Files.readString(target));
        assertOnly(target);
    }

    @Test
    void oldFileStaysUntilTheEnd() throws IOException {
        Path target = Files.writeString(directory.resolve("log"), "old");
        AtomicFile.write(target, channel -> {
            text("new").accept(channel);
            assertEquals("old", Files.readString(target));
        });
        assertEquals("new", Files.readString(target));
    }

    @Test
    void failingBodyLeavesTheOldFileAndNoOther() throws IOException {
        Path target = Files.writeString(directory.resolve("log"), "old");
        IOException cause = new IOException("the pencil broke");
        FileSystemException e = assertThrows(FileSystemException.class, () -> AtomicFile.write(target, channel -> {
            text("half").accept(channel);
            throw cause;
        }));
        assertEquals(target + ": cannot be written: the pencil broke", e.getMessage());
        assertSame(cause, e.getCause());
        assertEquals("old", Files.readString(target));
        assertOnly(target);
    }

    @Test
    void whateverTheBodyThrowsLeavesNoFile() throws IOException {
        Path target = directory.resolve("log");
        for (Throwable cause : List.of(new IllegalStateException("runtime"), new StackOverflowError("error"))) {
            Throwable thrown = assertThrows(Throwable.class, () -> AtomicFile.write(target, channel -> {
                text("half").accept(channel);
                if (cause instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) cause;
            }));
            assertSame(cause, thrown);
            assertOnly();
        }
    }

    @Test
    void targetThatIsADirectoryIsRefused() throws IOException {
        Path target = Files.createDirectory(directory.resolve("log"));
        refused(target, "it is a directory");
        assertOnly(target);
        refused(directory.getRoot(), "it is a directory");
    }

    @Test
    void parentHasToBeADirectory() throws IOException {
        refused(directory.resolve("absent/log"), "its parent directory does not exist: " + directory.resolve("absent"));
        assertOnly();
        Path file = Files.writeString(directory.resolve("file"), "");
        refused(file.resolve("log"), "its parent is not a directory: " + file);
        assertOnly(file);
    }

    @Test
    void specialFileIsRefused() throws IOException {
        Path target = directory.resolve("socket");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(target));
            refused(target, "it is not a regular file");
        }
        assertOnly(target);
    }

    @Test
    void writeProtectionIsObeyed() throws IOException {
        Path target = Files.writeString(directory.resolve("log"), "old");
        assumeTrue(target.toFile().setReadOnly());
        assumeFalse(Files.isWritable(target), "root may write everywhere");
        refused(target, "no permission to write to it");
        assertEquals("old", Files.readString(target));
        Path closed = Files.createDirectory(directory.resolve("closed"));
        assumeTrue(closed.toFile().setReadOnly());
        refused(closed.resolve("log"), "no permission to create files in " + closed);
    }

    @Test
    void symbolicLinkIsFollowed() throws IOException {
        Path target = Files.writeString(directory.resolve("log"), "old");
        Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("log"));
        AtomicFile.write(link, text("new"));
        assertTrue(Files.isSymbolicLink(link));
        assertEquals("new", Files.readString(target));

        Path dangling = Files.createSymbolicLink(directory.resolve("dangling"), Path.of("absent"));
        refused(dangling, "does not exist");
        assertOnly(dangling, link, target);
    }

    @Test
    void permissionsAreKept() throws IOException {
        Path target = Files.writeString(directory.resolve("log"), "old");
        assumeTrue(Files.getFileStore(target).supportsFileAttributeView("posix"));
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-------"));
        AtomicFile.write(target, text("new"));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(target)));
    }

    @Test
    void longNamesAndNamesWithoutAParentWork() throws IOException {
        Path target = directory.resolve("n".repeat(255));
        AtomicFile.write(target, text("text"));
        assertEquals("text", Files.readString(target));
        refused(Path.of(""), "it is a directory");
    }

    @Test
    void channelMayBeClosedAndIsDeadAfterwards() throws IOException {
        Path target = directory.resolve("log");
        AtomicReference<WritableByteChannel> kept = new AtomicReference<>();
        AtomicFile.write(target, channel -> {
            kept.set(channel);
            try (Writer writer = new OutputStreamWriter(Channels.newOutputStream(channel), UTF_8)) {
                writer.write("text");
            }
        });
        assertEquals("text", Files.readString(target));
        assertThrows(ClosedChannelException.class, () -> kept.get().write(ByteBuffer.allocate(1)));
    }

    private static AtomicFile.IOConsumer<WritableByteChannel> text(String text) {
        return channel -> {
            ByteBuffer bytes = UTF_8.encode(text);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        };
    }

    private static void refused(Path target, String reason) {
        IOException e = assertThrows(IOException.class, () -> AtomicFile.write(target, text("new")));
        assertInstanceOf(FileSystemException.class, e);
        assertTrue(e.getMessage().startsWith(target + ": cannot be written: "), e::getMessage);
        assertTrue(e.getMessage().endsWith(reason), e::getMessage);
    }

    private void assertOnly(Path... expected) throws IOException {
        try (var files = Files.list(directory)) {
            assertEquals(List.of(expected), files.sorted().toList());
        }
    }
}
