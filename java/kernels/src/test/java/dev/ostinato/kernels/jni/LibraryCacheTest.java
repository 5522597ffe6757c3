package dev.ostinato.kernels.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LibraryCacheTest {
    private static final byte[] LIBRARY = {1, 2, 3};

    @TempDir
    private Path temporary;

    @Test
    void aLibraryIsStoredUnderItsHashInADirectoryOfTheUserAlone() throws IOException {
        Path directory = temporary.resolve("a/b/ostinato");
        Path file = new LibraryCache(directory).store(LIBRARY);
        assertEquals("libostinato-039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81.so",
                file.getFileName().toString());
        assertArrayEquals(LIBRARY, Files.readAllBytes(file));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
        assertEquals(List.of(file), list(directory));
    }

    @Test
    void aLibraryThatIsThereIsUsedAsItIs() throws IOException {
        LibraryCache cache = new LibraryCache(temporary.resolve("ostinato"));
        Path file = cache.store(LIBRARY);
        Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        assertEquals(file, cache.store(LIBRARY));
        assertEquals(key, Files.readAttributes(file, BasicFileAttributes.class).fileKey());
    }

    @Test
    void aDamagedLibraryIsReplaced() throws IOException {
        LibraryCache cache = new LibraryCache(temporary.resolve("ostinato"));
        Path file = cache.store(LIBRARY);
        Files.write(file, new byte[] {1, 2, 4});
        assertArrayEquals(LIBRARY, Files.readAllBytes(cache.store(LIBRARY)));
    }

    @Test
    void manyAtOnceStoreOneWholeLibrary() throws Exception {
        Path directory = temporary.resolve("ostinato");
        byte[] library = new byte[1 << 20];
        new Random(1).nextBytes(library);
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<byte[]>> read = threads.invokeAll(Collections.nCopies(16,
                    () -> Files.readAllBytes(new LibraryCache(directory).store(library))));
            for (Future<byte[]> each : read) {
                assertArrayEquals(library, each.get());
            }
        }
        assertEquals(1, list(directory).size());
    }

    @Test
    void aLinkInPlaceOfTheLibraryIsReplacedAndNotFollowed() throws IOException {
        LibraryCache cache = new LibraryCache(temporary.resolve("ostinato"));
        Path file = cache.store(LIBRARY);
        Path elsewhere = Files.write(temporary.resolve("elsewhere"), LIBRARY);
        Files.delete(file);
        Files.createSymbolicLink(file, elsewhere);
        assertTrue(Files.isRegularFile(cache.store(LIBRARY), LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void aDirectoryThatOthersMayWriteToIsRefused() throws IOException {
        Path directory = Files.createDirectory(temporary.resolve("ostinato"));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        IOException refusal = assertThrows(IOException.class, () -> new LibraryCache(directory).store(LIBRARY));
        assertEquals("expected permissions rwx------, got rwxrwxrwx", refusal.getMessage());
    }

    @Test
    void aLinkToADirectoryIsRefused() throws IOException {
        Path link = Files.createSymbolicLink(temporary.resolve("ostinato"),
                Files.createDirectory(temporary.resolve("other")));
        assertThrows(IOException.class, () -> new LibraryCache(link).store(LIBRARY));
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }
}
