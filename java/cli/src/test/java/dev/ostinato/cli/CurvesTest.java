package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.LongStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CurvesTest {
    @TempDir
    Path directory;

    @Test
    void pictureShowsBothCurvesAndTheBaselines() throws IOException {
        SequencedMap<String, Double> baselines = new LinkedHashMap<>();
        baselines.put("unigram entropy", 4.5);
        baselines.put("Markov", 2.0);
        BufferedImage image = draw(points(5000), points(10), baselines);
        assertEquals(1000, image.getWidth());
        assertEquals(600, image.getHeight());
        for (int colour : new int[] {0x56B4E9, 0xD55E00, 0x009E73}) {
            assertTrue(count(image, colour) > 100, Integer.toHexString(colour));
        }
    }

    @Test
    void oneStepIsEnough() throws IOException {
        draw(points(1), points(1), new LinkedHashMap<>());
    }

    private BufferedImage draw(List<TrainingRun.Point> training, List<TrainingRun.Point> validation,
            SequencedMap<String, Double> baselines) throws IOException {
        Path file = directory.resolve("curves.png");
        Curves.write(file, "a title", training, validation, baselines);
        return ImageIO.read(file.toFile());
    }

    private static List<TrainingRun.Point> points(int count) {
        return LongStream.rangeClosed(1, count).mapToObj(step -> new TrainingRun.Point(step, 1 + 3.0 / step)).toList();
    }

    private static long count(BufferedImage image, int colour) {
        int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        return Arrays.stream(pixels).filter(pixel -> (pixel & 0xffffff) == colour).count();
    }
}
