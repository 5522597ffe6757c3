package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusTest {
    @TempDir
    Path directory;

    private Corpus file(String text) throws IOException {
        return Corpus.read(Files.writeString(directory.resolve("text.txt"), text).toString());
    }

    @Test
    void tailIsHeldOut() throws IOException {
        Corpus corpus = file("a".repeat(950) + "b".repeat(50));
        assertEquals("a".repeat(950), corpus.training());
        assertEquals("b".repeat(50), corpus.validation());
        assertEquals(200_000, file("x".repeat(10_000_000)).validation().length());
        assertEquals("", file("short").validation());
    }

    @Test
    void splitIsBetweenCharacters() throws IOException {
        Corpus corpus = file("x" + "𝄞".repeat(50));
        assertEquals(corpus.text(), corpus.training() + corpus.validation());
        assertTrue(Character.isHighSurrogate(corpus.validation().charAt(0)));
    }

    @Test
    void directoryIsReadWholeButForHiddenAndBinaryFiles() throws IOException {
        for (String name : new String[] {"one.txt", "two.java", "deep/er/three", ".hidden", ".git/config",
            "deep/.four"}) {
            Path file = directory.resolve("d").resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "<" + name + ">");
        }
        Files.write(directory.resolve("d/binary"), new byte[] {0});
        Files.write(directory.resolve("d/latin"), new byte[] {(byte) 0xe9});
        Corpus corpus = Corpus.read(directory.resolve("d").toString());
        assertTrue(corpus.text().contains("<one.txt>"));
        assertTrue(corpus.text().contains("<two.java>"));
        assertTrue(corpus.text().contains("<deep/er/three>"));
        assertEquals("<one.txt><two.java><deep/er/three>".length(), corpus.text().length());
        assertEquals(2, corpus.skipped());
    }

    @Test
    void digestAndOrderDependOnNamesAndContentsAlone() throws IOException {
        for (String copy : new String[] {"a", "b"}) {
            for (int i = 0; i < 20; i++) {
                int k = copy.equals("a") ? i : 19 - i;
                Files.createDirectories(directory.resolve(copy));
                Files.writeString(directory.resolve(copy).resolve("file" + k), k + " ");
            }
        }
        Corpus a = Corpus.read(directory.resolve("a").toString());
        Corpus b = Corpus.read(directory.resolve("b").toString());
        assertEquals(a.text(), b.text());
        assertEquals(a.digest(), b.digest());
        Files.writeString(directory.resolve("b/file3"), "4 ");
        assertNotEquals(a.digest(), Corpus.read(directory.resolve("b").toString()).digest());
    }

    @Test
    void rareCharactersAreOneToken() throws IOException {
        TrainingData data = TrainingData.of(file("ab".repeat(500) + "xyz" + "ab".repeat(10)));
        assertEquals("ab\uFFFD", data.vocabulary().characters());
    }

    @Test
    void heldOutCharactersThatTrainingNeverSawHaveAToken() throws IOException {
        TrainingData data = TrainingData.of(file("ab".repeat(500) + "q"));
        assertTrue(data.vocabulary().contains(Vocabulary.UNKNOWN));
        assertFalse(TrainingData.of(file("ab".repeat(500))).vocabulary().contains(Vocabulary.UNKNOWN));
    }

    @Test
    void jdkIsTheSameTextEachTimeAndItsEndIsLikeTheRest() throws IOException {
        Corpus corpus = Corpus.read(Corpus.JDK);
        assertEquals(corpus.digest(), Corpus.read(Corpus.JDK).digest());
        assertTrue(corpus.text().length() > 15_000_000 && corpus.text().length() <= 20_000_000);
        assertEquals(200_000, corpus.validation().length());
        assertTrue(corpus.text().contains("package java.lang;") && corpus.text().contains("package java.util;"));
        assertTrue(corpus.validation().lines().filter(line -> line.startsWith("package ")).distinct().count() > 3);
    }
}
