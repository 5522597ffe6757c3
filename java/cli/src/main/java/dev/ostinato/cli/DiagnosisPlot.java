package dev.ostinato.cli;

import dev.ostinato.nn.LayerDiagnostics;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** A {@link Diagnosis} as a picture: gradients, Jacobians and contributions over steps back, and how saturated the gates are. */
final class DiagnosisPlot {
    private static final int WIDTH = 700;
    private static final int HEIGHT = 480;
    /** Colours that are told apart by colour-blind readers too (Okabe and Ito 2008). */
    private static final Color[] COLOURS = {new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73),
        new Color(0xCC79A7), new Color(0xE69F00), new Color(0x56B4E9), new Color(0x000000)};

    private DiagnosisPlot() {}

    /** Writes a PNG, as {@link Picture} does. */
    static void write(Path file, Diagnosis diagnosis) throws IOException {
        XYChart gradients = chart("Gradient of the last step's loss: ||dL_T/dh_t||");
        XYChart jacobians = chart("Jacobians: ||dX_T/dX_t||");
        XYChart contributions = chart("What step t adds to the gradient of U");
        for (Diagnosis.Of layer : diagnosis.layers()) {
            LayerDiagnostics diagnostics = layer.diagnostics();
            add(gradients, diagnostics.name(), doubles(diagnostics.gradientNorms()));
            add(contributions, diagnostics.name(), doubles(diagnostics.recurrentContributions()));
            if (!layer.jacobianNorms().isEmpty()) {
                add(jacobians, diagnostics.name(), doubles(layer.jacobianNorms()));
            }
        }
        Picture.write(file, 2, List.of(gradients, jacobians, contributions, gates(diagnosis)));
    }

    private static double[] doubles(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static XYChart chart(String title) {
        XYChart chart =
                new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle("steps back, T - t").build();
        style(chart.getStyler());
        chart.getStyler().setYAxisLogarithmic(true).setPlotGridVerticalLinesVisible(false).setXAxisMin(0.0)
                .setXAxisDecimalPattern("0").setYAxisDecimalPattern("0E0");
        return chart;
    }

    private static void style(Styler styler) {
        styler.setLegendPosition(Styler.LegendPosition.OutsideS).setLegendLayout(Styler.LegendLayout.Horizontal)
                .setChartBackgroundColor(Color.WHITE).setPlotBorderVisible(false).setLegendBorderColor(Color.WHITE)
                .setSeriesColors(COLOURS);
    }

    /** Adds a curve whose last value belongs to step T. A logarithm has no place for what has vanished altogether. */
    private static void add(XYChart chart, String name, double[] values) {
        int[] shown = IntStream.range(0, values.length)
                .filter(lag -> values[values.length - 1 - lag] > 0 && Double.isFinite(values[values.length - 1 - lag]))
                .toArray();
        if (shown.length > 0) {
            chart.addSeries(name, Arrays.stream(shown).asDoubleStream().toArray(),
                    Arrays.stream(shown).mapToDouble(lag -> values[values.length - 1 - lag]).toArray())
                    .setMarker(SeriesMarkers.NONE);
        }
    }

    private static CategoryChart gates(Diagnosis diagnosis) {
        List<String> names = new ArrayList<>();
        List<Double> low = new ArrayList<>();
        List<Double> high = new ArrayList<>();
        for (Diagnosis.Of layer : diagnosis.layers()) {
            for (LayerDiagnostics.Gate gate : layer.diagnostics().gates()) {
                names.add(layer.diagnostics().name() + " " + gate.name());
                low.add(100 * gate.low());
                high.add(100 * gate.high());
            }
        }
        CategoryChart chart =
                new CategoryChartBuilder().width(WIDTH).height(HEIGHT).title("Saturated activations of gates, %")
                        .build();
        style(chart.getStyler());
        chart.getStyler().setYAxisMin(0.0).setYAxisMax(100.0).setXAxisLabelRotation(names.size() > 8 ? 90 : 0);
        chart.addSeries("at the low end", names, low);
        chart.addSeries("at the high end", names, high);
        return chart;
    }
}
