package dev.ostinato.cli;

import dev.ostinato.formats.AtomicFile;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.knowm.xchart.internal.chartpart.Chart;

/** Charts as a PNG file. Needs no display, but at least one font. */
final class Picture {
    private Picture() {}

    /**
     * Writes charts of one size, row by row, into one picture; wholly or not at all.
     *
     * @param columns charts in a row
     * @throws Failure if Java cannot draw here
     */
    static void write(Path file, int columns, List<? extends Chart<?, ?>> charts) throws IOException {
        ByteBuffer png = ByteBuffer.wrap(encode(columns, charts));
        AtomicFile.write(file, channel -> {
            while (png.hasRemaining()) {
                channel.write(png);
            }
        });
    }

    private static byte[] encode(int columns, List<? extends Chart<?, ?>> charts) throws IOException {
        if (System.getProperty("java.awt.headless") == null) {
            System.setProperty("java.awt.headless", "true");
        }
        try {
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            ImageIO.write(draw(columns, charts), "png", png);
            return png.toByteArray();
        } catch (RuntimeException | InternalError | LinkageError e) {
            throw new Failure("Java cannot draw here, most likely for want of fonts (" + e.getMessage()
                    + "); installing fontconfig and a font would help", e);
        }
    }

    private static BufferedImage draw(int columns, List<? extends Chart<?, ?>> charts) {
        int width = charts.getFirst().getWidth();
        int height = charts.getFirst().getHeight();
        BufferedImage image = new BufferedImage(columns * width, Math.ceilDiv(charts.size(), columns) * height,
                BufferedImage.TYPE_INT_RGB);
        Graphics2D all = image.createGraphics();
        for (int i = 0; i < charts.size(); i++) {
            Graphics2D one = (Graphics2D) all.create(i % columns * width, i / columns * height, width, height);
            charts.get(i).paint(one, width, height);
            one.dispose();
        }
        all.dispose();
        return image;
    }
}
