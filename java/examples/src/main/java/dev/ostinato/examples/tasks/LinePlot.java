package dev.ostinato.examples.tasks;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Curves over steps as a small PNG. */
public final class LinePlot {
    /** Colours that are told apart by colour-blind readers too (Okabe and Ito 2008). */
    private static final Color[] COLOURS = {new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73),
        new Color(0xCC79A7), new Color(0x000000), new Color(0xE69F00)};
    private static final BasicStroke DASHED =
            new BasicStroke(1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_BEVEL, 0, new float[] {6, 6}, 0);

    private final XYChart chart;

    private LinePlot(String title, String x) {
        if (System.getProperty("java.awt.headless") == null) {
            System.setProperty("java.awt.headless", "true");
        }
        this.chart = new XYChartBuilder().width(720).height(430).title(title).xAxisTitle(x).build();
        XYStyler styler = chart.getStyler();
        styler.setPlotGridVerticalLinesVisible(false).setXAxisMin(0.0).setXAxisDecimalPattern("#,##0")
                .setXAxisTickMarkSpacingHint(80)
                .setLegendPosition(Styler.LegendPosition.OutsideS).setLegendLayout(Styler.LegendLayout.Horizontal)
                .setChartBackgroundColor(Color.WHITE).setPlotBorderVisible(false).setLegendBorderColor(Color.WHITE);
    }

    /** Returns an empty picture with a range of values. */
    public static LinePlot linear(String title, String x, double least, double most) {
        LinePlot plot = new LinePlot(title, x);
        plot.chart.getStyler().setYAxisMin(least).setYAxisMax(most).setYAxisDecimalPattern("0.00");
        return plot;
    }

    /** Returns an empty picture whose values are drawn by their logarithms. */
    public static LinePlot logarithmic(String title, String x) {
        LinePlot plot = new LinePlot(title, x);
        plot.chart.getStyler().setYAxisLogarithmic(true).setYAxisDecimalPattern("0E0").setPlotGridLinesVisible(false);
        return plot;
    }

    /** Adds a curve over {@code first}, {@code first + apart} and so on. */
    public LinePlot curve(String name, int colour, int first, int apart, double[] values) {
        add(name, colour, first, apart, values);
        return this;
    }

    /** As {@link #curve}, dashed and without a name in the legend. */
    public LinePlot dashed(String name, int colour, int first, int apart, double[] values) {
        add(name, colour, first, apart, values).setLineStyle(DASHED).setShowInLegend(false);
        return this;
    }

    private XYSeries add(String name, int colour, int first, int apart, double[] values) {
        double[] x = IntStream.range(0, values.length).mapToDouble(i -> first + (double) i * apart).toArray();
        XYSeries series = chart.addSeries(name, x, values);
        series.setMarker(SeriesMarkers.NONE);
        series.setLineColor(COLOURS[colour]);
        series.setLineWidth(2);
        return series;
    }

    /** Writes a PNG. */
    public void write(Path file) throws IOException {
        Files.write(file, ChartEncoder.getBytes(chart, "png"));
    }
}
