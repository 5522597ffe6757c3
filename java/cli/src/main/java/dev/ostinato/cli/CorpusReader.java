package dev.ostinato.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Puts a {@link Corpus} together. */
final class CorpusReader {
    /** More does not fit as text and as tokens into a usual heap. */
    private static final int MAX_BYTES = 1 << 30;
    /** Of the JDK's sources, which are ten times this. */
    private static final int MAX_JDK_BYTES = 20_000_000;

    /** The part at the end that is held out should have pieces of many files, so those longer than this come first. */
    private static final long LONG_FILE = 20_000;

    private static final Comparator<Entry> SHUFFLED = Comparator.comparingInt((Entry e) -> e.size > LONG_FILE ? 0 : 1)
            .thenComparingLong(e -> checksum(e.path)).thenComparing(Entry::path);

    private final String name;
    private final StringBuilder text = new StringBuilder();
    private final MessageDigest digest = sha256();
    private long bytes;
    private int skipped;

    private CorpusReader(String name) {
        this.name = name;
    }

    static Corpus read(String data) throws IOException {
        CorpusReader reader = new CorpusReader(data);
        Path path = Path.of(data);
        if (data.equals(Corpus.JDK)) {
            reader.readJdk();
        } else if (Files.isDirectory(path)) {
            reader.readDirectory(path);
        } else if (Files.exists(path)) {
            try (InputStream in = Files.newInputStream(path)) {
                reader.add(data, in);
            }
        } else {
            throw new NoSuchFileException(data);
        }
        return reader.corpus();
    }

    private Corpus corpus() {
        if (text.isEmpty()) {
            throw new Failure(name + ": there is no text in it"
                    + (skipped == 0 ? "" : ", only " + skipped + " files that are not UTF-8 text"));
        }
        return new Corpus(name, text.toString(), HexFormat.of().formatHex(digest.digest()), skipped);
    }

    private void readDirectory(Path directory) throws IOException {
        List<Entry> files = new ArrayList<>();
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path visited, BasicFileAttributes attributes) {
                boolean skip = !visited.equals(directory) && isHidden(visited);
                return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (Files.isRegularFile(file) && !isHidden(file)) {
                    String path = directory.relativize(file).toString().replace('\\', '/');
                    files.add(new Entry(path, attributes.size(), () -> Files.newInputStream(file)));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        files.sort(SHUFFLED);
        for (Entry file : files) {
            addIfText(directory.resolve(file.path).toString(), file);
        }
    }

    private static boolean isHidden(Path path) {
        Path last = path.getFileName();
        return last != null && last.toString().startsWith(".");
    }

    /** Reads {@code java.base/java} before the rest, as far as the limit goes. */
    private void readJdk() throws IOException {
        Path archive = Path.of(System.getProperty("java.home"), "lib", "src.zip");
        if (!Files.isRegularFile(archive)) {
            throw new Failure(name + ": this JDK came without its sources; " + archive + " is missing");
        }
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            List<Entry> chosen = new ArrayList<>();
            long size = 0;
            for (ZipEntry file : jdkFiles(zip)) {
                size += file.getSize();
                if (size > MAX_JDK_BYTES) {
                    break;
                }
                chosen.add(new Entry(file.getName(), file.getSize(), () -> zip.getInputStream(file)));
            }
            chosen.sort(SHUFFLED);
            for (Entry file : chosen) {
                addIfText(file.path, file);
            }
        }
    }

    private static List<? extends ZipEntry> jdkFiles(ZipFile zip) {
        return zip.stream().filter(e -> e.getName().endsWith(".java") && e.getSize() >= 0)
                .sorted(Comparator.comparingInt((ZipEntry e) -> distance(e.getName()))
                        .thenComparingLong(e -> checksum(e.getName()))
                        .thenComparing(ZipEntry::getName))
                .toList();
    }

    private static int distance(String path) {
        return path.startsWith("java.base/java/") ? 0 : path.startsWith("java.base/") ? 1 : 2;
    }

    private void addIfText(String path, Entry file) throws IOException {
        try (InputStream in = file.source.open()) {
            add(path, in);
        } catch (Utf8.NotTextException e) {
            skipped++;
        }
    }

    private void add(String path, InputStream in) throws IOException {
        byte[] content = in.readNBytes(MAX_BYTES + 1);
        bytes += content.length;
        if (bytes > MAX_BYTES) {
            throw new Failure(name + ": expected at most " + MAX_BYTES + " bytes of text, got more");
        }
        text.append(Utf8.decode(path, content));
        digest.update(content);
    }

    private static long checksum(String path) {
        CRC32 checksum = new CRC32();
        checksum.update(path.getBytes(UTF_8));
        return checksum.getValue();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    /** A file that is not open yet. */
    private record Entry(String path, long size, Source source) {}

    private interface Source {
        InputStream open() throws IOException;
    }
}
