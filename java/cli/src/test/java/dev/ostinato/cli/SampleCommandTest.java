package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.ModelFile;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class SampleCommandTest {
    private static final String CHARACTERS = "\n abcdefgé𝄞\uFFFD";

    @TempDir
    Path directory;

    private Path model;

    @BeforeEach
    void writeModel() throws IOException {
        Vocabulary vocabulary = Vocabulary.of(CHARACTERS);
        model = directory.resolve("model.safetensors");
        ModelFile.write(model,
                Model.builder().oneHot(vocabulary.size()).lstm(8).dense(vocabulary.size()).seed(3).build(),
                vocabulary);
    }

    private String sample(Object... options) {
        Object[] arguments = new Object[options.length + 2];
        arguments[0] = "sample";
        arguments[1] = model;
        System.arraycopy(options, 0, arguments, 2, options.length);
        return CommandLineRun.of(arguments).succeeded().out();
    }

    @Test
    void seedDecidesTheText() {
        String text = sample("--seed", 5, "--length", 100);
        assertEquals(text, sample("--seed", 5, "--length", 100));
        assertEquals(text, sample("--seed", 5, "--length", 100, "--backend", "scalar"));
        assertNotEquals(text, sample("--seed", 6, "--length", 100));
        assertTrue(text.startsWith(sample("--seed", 5, "--length", 30).stripTrailing()));
    }

    @Test
    void textHasItsLengthInCharactersBehindThePrompt() {
        String text = sample("--prompt", "bad 𝄞", "--length", 200);
        assertTrue(text.startsWith("bad 𝄞") && text.endsWith(System.lineSeparator()));
        String written = text.substring(0, text.length() - System.lineSeparator().length());
        assertEquals(5 + 200, written.codePointCount(0, written.length()));
        assertTrue(written.codePoints().allMatch(c -> CHARACTERS.indexOf(c) >= 0));
        assertFalse(written.contains("\uFFFD"));
    }

    @Test
    void promptMatters() {
        Set<String> continuations = new HashSet<>();
        CHARACTERS.codePoints().mapToObj(Character::toString).forEach(prompt -> continuations
                .add(sample("--prompt", prompt, "--length", 20, "--temperature", 0.01).substring(prompt.length())));
        assertTrue(continuations.size() > 1, continuations.toString());
    }

    @Test
    void coldAndNarrowSamplingTakeTheMostLikely() {
        String cold = sample("--temperature", 0, "--length", 60);
        assertEquals(cold, sample("--temperature", 0, "--seed", 99, "--length", 60));
        assertEquals(cold, sample("--top-k", 1, "--seed", 98, "--length", 60));
        assertEquals(cold, sample("--temperature", 1e-300, "--length", 60));
    }

    @Test
    void jsonHasTheSameText() {
        String text = sample("--prompt", "ab", "--length", 40, "--seed", 4, "--top-k", 5);
        JsonNode json = CommandLineRun.of("sample", model, "--prompt", "ab", "--length", 40, "--seed", 4, "--top-k", 5,
                "--json").succeeded().json();
        assertEquals(text, json.get("prompt").asString() + json.get("text").asString() + System.lineSeparator());
        assertEquals(4, json.get("seed").asLong());
    }

    @Test
    void promptsAreTakenAsTheyAre() throws IOException {
        Vocabulary vocabulary = Vocabulary.of("@-{}$ model.");
        Path odd = directory.resolve("odd.safetensors");
        ModelFile.write(odd, Model.builder().oneHot(vocabulary.size()).gru(4).dense(vocabulary.size()).build(),
                vocabulary);
        for (String prompt : new String[] {"@" + "model", "-- ", "${model}"}) {
            assertTrue(CommandLineRun.of("sample", odd, "--length", 1, "--prompt", prompt).succeeded().out()
                    .startsWith(prompt));
        }
    }
}
