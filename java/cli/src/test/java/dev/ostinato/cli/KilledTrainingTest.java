package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ostinato.formats.Checkpoint;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training that is killed goes on from its last checkpoint as if nothing had been. */
final class KilledTrainingTest {
    private static final int KILLS = 20;
    private static final int MOST_STEPS_OF_A_LIFE = 60;
    private static final int MOST_MILLISECONDS_MORE = 15;
    private static final int EVERY = 2;
    private static final String FOREVER = "1000000";

    @TempDir
    Path directory;

    /** At a random step, some random time after it: while it computes, or writes the checkpoint or the one before it. */
    @Test
    void killedTwentyTimesItEndsWithTheSameBits() throws IOException, InterruptedException {
        long seed = Long.getLong("ostinato.tests.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        Path text = Files.writeString(directory.resolve("text.txt"), Texts.words(3000));
        Path parts = directory.resolve("parts.safetensors");
        Path checkpoint = TrainingRun.checkpointOf(parts);
        List<String> options = List.of("--data", text.toString(), "--layers", "2", "--hidden", "24", "--dropout", "0.2",
                "--seq", "10", "--batch", "4", "--checkpoint-every", String.valueOf(EVERY),
                "--eval-every", FOREVER);
        List<String> first = with(options, "--steps", FOREVER, "--out", parts.toString());
        List<String> again = List.of("--resume", checkpoint.toString(), "--steps", FOREVER, "--checkpoint-every",
                String.valueOf(EVERY), "--eval-every", FOREVER);
        long last = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            long reached = killed(last == 0 ? first : again, last, random);
            if (!Files.exists(checkpoint)) {
                continue; // too soon for the first one
            }
            Checkpoint written = Checkpoint.read(checkpoint); // whole
            assertTrue(written.progress().step() >= reached - EVERY,
                    "step " + reached + " was done, the checkpoint is of " + written.progress().step() + ", seed "
                            + seed);
            last = written.progress().step();
        }
        assertTrue(last > KILLS, "it came no further than step " + last);

        String end = String.valueOf(last + 5);
        CommandLineRun.of(with(List.of("train"), "--resume", checkpoint.toString(), "--steps", end).toArray())
                .succeeded();
        Path whole = directory.resolve("whole.safetensors");
        CommandLineRun.of(with(with(List.of("train"), options.toArray(String[]::new)), "--steps", end, "--out",
                whole.toString()).toArray()).succeeded();
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(parts), "seed " + seed);
        assertEquals(Checkpoint.read(TrainingRun.checkpointOf(whole)).progress().step(), last + 5);
    }

    private static List<String> with(List<String> options, String... more) {
        List<String> all = new ArrayList<>(options);
        all.addAll(List.of(more));
        return all;
    }

    /** Trains in a process of its own, kills that, and returns the last step that it said was done. */
    private long killed(List<String> options, long from, SplittableRandom random)
            throws IOException, InterruptedException {
        Path log = Files.createTempFile(directory, "log", ".jsonl");
        List<String> command = with(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "-cp",
                        System.getProperty("java.class.path"), Main.class.getName(), "train", "--json-log",
                        log.toString()),
                options.toArray(String[]::new));
        File err = directory.resolve("err.txt").toFile();
        Process process = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(err).start();
        try {
            int steps = random.nextInt(1, MOST_STEPS_OF_A_LIFE);
            while (lines(log) < steps) {
                assertTrue(process.isAlive(), () -> "it ended by itself: " + content(err.toPath()));
                TimeUnit.MILLISECONDS.sleep(1);
            }
            TimeUnit.MILLISECONDS.sleep(random.nextInt(MOST_MILLISECONDS_MORE));
            return from + steps;
        } finally {
            process.destroyForcibly().waitFor(); // SIGKILL
        }
    }

    private static long lines(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        long lines = 0;
        for (byte b : bytes) {
            lines += b == '\n' ? 1 : 0;
        }
        return lines;
    }

    private static String content(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
