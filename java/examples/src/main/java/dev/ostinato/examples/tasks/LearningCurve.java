package dev.ostinato.examples.tasks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * How a training went on, as lines of a CSV file. {@code LearningCurve FOLDER NAME} draws NAME-ostinato.csv as NAME.png, and if there is
 * NAME-pytorch.csv beside it, compares both.
 */
public record LearningCurve(List<Point> points) {
    private static final String HEADER = "updates,seconds,bits";

    /**
     * A moment.
     *
     * @param seconds of training so far, validation not counted
     * @param bits per character of the text held out
     */
    public record Point(int updates, double seconds, double bits) {}

    public LearningCurve {
        points = List.copyOf(points);
    }

    /** Returns the bits at the end. */
    public double end() {
        return points.getLast().bits();
    }

    /** Returns when the curve came down to so many bits, interpolated between two points; empty if it did not. */
    public OptionalDouble secondsTo(double bits) {
        for (int i = 0; i < points.size(); i++) {
            Point point = points.get(i);
            if (point.bits() <= bits) {
                Point before = points.get(Math.max(0, i - 1));
                double share = i == 0 ? 1 : (before.bits() - bits) / (before.bits() - point.bits());
                return OptionalDouble.of(before.seconds() + share * (point.seconds() - before.seconds()));
            }
        }
        return OptionalDouble.empty();
    }

    /** Writes a line for each point. */
    public void write(Path file) throws IOException {
        List<String> lines = new ArrayList<>(List.of(HEADER));
        points.forEach(p -> lines
                .add(String.format(Locale.ROOT, "%d,%.3f,%.6f", p.updates(), p.seconds(), p.bits())));
        Files.write(file, lines);
    }

    /** Reads what {@link #write} wrote. */
    public static LearningCurve read(Path file) throws IOException {
        List<Point> points = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            if (!line.equals(HEADER)) {
                String[] cells = line.split(",", -1);
                points.add(new Point(Integer.parseInt(cells[0]), Double.parseDouble(cells[1]),
                        Double.parseDouble(cells[2])));
            }
        }
        return new LearningCurve(points);
    }

    private static void print(LearningCurve ours, LearningCurve theirs) {
        System.out.println("updates   bits of ostinato, pytorch   difference   seconds of ostinato, pytorch");
        for (int i = 0; i < ours.points().size(); i++) {
            Point a = ours.points().get(i);
            Point b = theirs.points().get(i);
            System.out.printf(Locale.ROOT, "%7d %12.4f %12.4f %+10.2f %% %12.1f %12.1f%n", a.updates(), a.bits(),
                    b.bits(), 100 * (a.bits() / b.bits() - 1), a.seconds(), b.seconds());
        }
        double end = Math.max(ours.end(), theirs.end());
        for (double above : new double[] {1.2, 1.1, 1.05, 1.02, 1}) {
            System.out.printf(Locale.ROOT, "seconds to %.3f bits: ostinato %.1f, pytorch %.1f%n", above * end,
                    ours.secondsTo(above * end).orElseThrow(), theirs.secondsTo(above * end).orElseThrow());
        }
    }

    private void draw(LinePlot plot, String name, boolean dashed) {
        int first = points.getFirst().updates();
        double[] bits = points.stream().mapToDouble(Point::bits).toArray();
        if (dashed) {
            plot.dashed(name, 1, first, first, bits);
        } else {
            plot.curve(name, 0, first, first, bits);
        }
    }

    static void main(String[] args) throws IOException {
        if (args.length != 2) {
            System.err.println("expected a folder and the name of what was trained");
            return;
        }
        Path folder = Path.of(args[0]);
        LearningCurve ours = read(folder.resolve(args[1] + "-ostinato.csv"));
        Path theirs = folder.resolve(args[1] + "-pytorch.csv");
        LinePlot plot = LinePlot.linear(args[1] + ": bits per character held out (dashed: PyTorch)", "updates",
                Math.floor(2 * ours.end()) / 2, Math.ceil(2 * ours.points().getFirst().bits()) / 2);
        ours.draw(plot, "Ostinato", false);
        if (Files.isRegularFile(theirs)) {
            LearningCurve other = read(theirs);
            other.draw(plot, "PyTorch", true);
            print(ours, other);
        }
        plot.write(folder.resolve(args[1] + ".png"));
    }
}
