package dev.ostinato.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.examples.Inference;
import dev.ostinato.examples.Training;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the README shows is what the build compiles, and it works. */
class ReadmeTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path EXAMPLES = ROOT.resolve("java/examples/src/main/java/dev/ostinato/examples");

    @ParameterizedTest
    @CsvSource({"training, Training.java", "inference, Inference.java"})
    void codeInTheReadmeIsTheExample(String marker, String file) throws IOException {
        String example = Files.readString(EXAMPLES.resolve(file));
        Matcher region =
                Pattern.compile("// readme: " + marker + "\n(.*?)\\s*// readme: end", Pattern.DOTALL).matcher(example);
        assertTrue(region.find(), () -> file + " has no region " + marker);
        String code = region.group(1).stripIndent().strip();
        assertFalse(code.isEmpty());
        String readme = Files.readString(ROOT.resolve("README.md"));
        assertTrue(readme.contains("```java\n" + code + "\n```"),
                () -> "README.md lacks this code of " + file + ":\n" + code);
    }

    @Test
    void linksOfTheReadmeLeadSomewhere() throws IOException {
        List<String> targets =
                Pattern.compile("\\]\\(([^)#:]+)\\)").matcher(Files.readString(ROOT.resolve("README.md"))).results()
                        .map(match -> match.group(1)).toList();
        assertFalse(targets.isEmpty());
        for (String target : targets) {
            assertTrue(Files.exists(ROOT.resolve(target)), target);
        }
    }

    @Test
    void theExamplesLearnARhyme(@TempDir Path folder) throws IOException {
        String rhyme = "one for the money, two for the show, three to get ready, and four to go. ".repeat(30);
        Path file = folder.resolve("rhyme.safetensors");
        double loss = Training.train(rhyme, file, 150);
        assertTrue(loss < 0.3, () -> "loss " + loss);
        assertEquals("e money, two for the show", Inference.complete(file, "one for th", 25));
    }
}
