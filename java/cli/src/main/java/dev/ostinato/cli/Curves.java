package dev.ostinato.cli;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The course of a training as a picture: bits per character over steps. */
final class Curves {
    /** Colours that are told apart by colour-blind readers too (Okabe and Ito 2008). */
    private static final Color TRAINING = new Color(0x56B4E9);
    private static final Color VALIDATION = new Color(0xD55E00);
    private static final List<Color> BASELINES = List.of(new Color(0x009E73), new Color(0x000000), new Color(0xCC79A7));
    private static final BasicStroke DASHED = new BasicStroke(1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_BEVEL, 0,
            new float[] {8, 6}, 0);
    /** More points than this are averaged in groups: nobody sees more, and single batches are noise. */
    private static final int MAX_POINTS = 400;

    private record Point(double step, double bits) {}

    private Curves() {}

    /**
     * Writes a PNG, as {@link Picture} does.
     *
     * @param training losses of single batches; where there are many they are averaged
     * @param validation losses on the text held out
     * @param baselines bits per character by name, drawn as horizontal lines
     * @throws Failure if Java cannot draw here
     */
    static void write(Path file, String title, List<TrainingRun.Point> training, List<TrainingRun.Point> validation,
            SequencedMap<String, Double> baselines) throws IOException {
        XYChart chart = new XYChartBuilder().width(1000).height(600).title(title).xAxisTitle("step")
                .yAxisTitle("bits per character").build();
        style(chart.getStyler());
        limit(chart.getStyler(), bits(training), bits(validation), baselines);
        add(chart, "training", averaged(bits(training)), TRAINING, 1.5f);
        add(chart, "held out", bits(validation), VALIDATION, 2.5f);
        double end = Stream.concat(training.stream(), validation.stream()).mapToDouble(TrainingRun.Point::step).max()
                .orElse(1);
        int colour = 0;
        for (Map.Entry<String, Double> baseline : baselines.entrySet()) {
            List<Point> line = List.of(new Point(0, baseline.getValue()), new Point(end, baseline.getValue()));
            String name = String.format(Locale.ROOT, "%s (%.2f)", baseline.getKey(), baseline.getValue());
            add(chart, name, line, BASELINES.get(colour++ % BASELINES.size()), 1.5f).setLineStyle(DASHED);
        }
        Picture.write(file, 1, List.of(chart));
    }

    private static void style(XYStyler styler) {
        styler.setPlotGridVerticalLinesVisible(false).setXAxisMin(0.0).setXAxisDecimalPattern("#,##0")
                .setYAxisDecimalPattern("0.0");
        styler.setLegendPosition(Styler.LegendPosition.OutsideS).setLegendLayout(Styler.LegendLayout.Horizontal)
                .setChartBackgroundColor(Color.WHITE)
                .setPlotBorderVisible(false).setLegendBorderColor(Color.WHITE);
    }

    /** Begins below everything; ends a little above the baselines, since the first steps are far above and soon over. */
    private static void limit(XYStyler styler, List<Point> training, List<Point> validation,
            SequencedMap<String, Double> baselines) {
        double lowest = Stream.of(training, validation).flatMap(List::stream).mapToDouble(Point::bits).min().orElse(0);
        double least = baselines.values().stream().mapToDouble(Double::doubleValue).min().orElse(lowest);
        styler.setYAxisMin(Math.floor(2 * Math.min(lowest, least)) / 2);
        baselines.values().stream().mapToDouble(Double::doubleValue).max()
                .ifPresent(greatest -> styler.setYAxisMax(Math.ceil(2 * greatest + 0.5) / 2));
    }

    private static List<Point> bits(List<TrainingRun.Point> points) {
        return points.stream().map(point -> new Point(point.step(), point.nats() / Math.log(2))).toList();
    }

    private static XYSeries add(XYChart chart, String name, List<Point> points, Color colour, float width) {
        XYSeries series = chart.addSeries(name, points.stream().mapToDouble(Point::step).toArray(),
                points.stream().mapToDouble(Point::bits).toArray());
        series.setMarker(SeriesMarkers.NONE);
        series.setLineColor(colour);
        series.setLineWidth(width);
        return series;
    }

    private static List<Point> averaged(List<Point> points) {
        int group = Math.max(1, Math.ceilDiv(points.size(), MAX_POINTS));
        List<Point> averaged = new ArrayList<>();
        for (int from = 0; from < points.size(); from += group) {
            List<Point> some = points.subList(from, Math.min(points.size(), from + group));
            averaged.add(new Point(some.stream().mapToDouble(Point::step).average().orElseThrow(),
                    some.stream().mapToDouble(Point::bits).average().orElseThrow()));
        }
        return averaged;
    }
}
