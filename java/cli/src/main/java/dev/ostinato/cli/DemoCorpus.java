package dev.ostinato.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Text that is there without asking for it: the sources of the JDK, or where they are missing those of this project. */
final class DemoCorpus {
    private DemoCorpus() {}

    /** @throws Failure if there are neither */
    static Corpus read(Terminal terminal) throws IOException {
        Path archive = Path.of(System.getProperty("java.home"), "lib", "src.zip");
        if (Files.isRegularFile(archive)) {
            return Corpus.read(Corpus.JDK);
        }
        Path sources = ownSources().orElseThrow(() -> new Failure(
                archive + " is missing, and so are this project's own sources; --data names another text"));
        terminal.say(archive + " is missing: training on this project's own sources in " + sources);
        return ofSources(sources);
    }

    /** Looks upwards from the jar, or from the directory of classes. */
    static Optional<Path> ownSources() {
        CodeSource code = DemoCorpus.class.getProtectionDomain().getCodeSource();
        try {
            Path place = code == null ? null : Path.of(code.getLocation().toURI());
            while (place != null && !Files.isDirectory(place.resolve("java/cli/src"))) {
                place = place.getParent();
            }
            return Optional.ofNullable(place).map(root -> root.resolve("java"));
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    /** Puts all Java files under a directory together, in an order that their names alone decide and that looks random. */
    static Corpus ofSources(Path directory) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(directory)) {
            files = all.filter(file -> file.toString().endsWith(".java") && Files.isRegularFile(file))
                    .sorted(Comparator.comparing((Path file) -> sha256(directory.relativize(file).toString()))
                            .thenComparing(Comparator.naturalOrder()))
                    .toList();
        }
        StringBuilder text = new StringBuilder();
        for (Path file : files) {
            text.append(Files.readString(file));
        }
        return new Corpus(directory.toString(), text.toString(), sha256(text.toString()), 0);
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}
