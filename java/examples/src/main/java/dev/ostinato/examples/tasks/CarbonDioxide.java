package dev.ostinato.examples.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ostinato.nn.Batch;
import dev.ostinato.nn.Loss;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Optimizer;
import dev.ostinato.nn.Schedule;
import dev.ostinato.nn.State;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Carbon dioxide in the air over Mauna Loa, parts per million, month by month since 1958: what will it be in one month, and in twelve? The last
 * ten years are held out. The baseline says what was a year before that month, plus the rise over the year up to now.
 *
 * <p>The network reads how the rise over a year changes from month to month, and tells how it will change in the next; several months ahead it
 * reads its own answers.
 */
public final class CarbonDioxide {
    private static final NpmPackage DATA = new NpmPackage("vega-datasets", "2.11.0",
            "JWV4ryGY1C/FIgrWP2N/zdSIhtt7bJD0cq9YlYlGq9f5P27/Mkq6U03iS7wNKGWYTTBS3PfTgyDgbWpdkmcyUg==");
    private static final int YEAR = 12;
    private static final int HELD_OUT = 10 * YEAR;
    private static final int HIDDEN = 8;
    private static final int STEPS = 48;
    private static final int ROWS = 32;

    private final double[] series;

    /** @param series a value for each month, at least twenty years */
    public CarbonDioxide(double[] series) {
        if (series.length < 20 * YEAR) {
            throw new IllegalArgumentException(
                    "series: expected at least " + 20 * YEAR + " months, got " + series.length);
        }
        this.series = series.clone();
    }

    /**
     * Mean absolute errors over the months held out.
     *
     * @param months how far ahead
     * @param network of the network
     * @param seasonalNaive of the baseline
     */
    public record Errors(int months, double network, double seasonalNaive) {}

    /** Trains on all but the last ten years, and forecasts every month of these from those before it. */
    public Errors[] compare(int updates, int... monthsAhead) {
        double[] rises = new double[series.length]; // against the month a year ago
        for (int t = YEAR; t < series.length; t++) {
            rises[t] = series[t] - series[t - YEAR];
        }
        int end = series.length - HELD_OUT;
        Model model = trained(rises, end, updates);
        return Arrays.stream(monthsAhead).mapToObj(months -> errors(model, rises, months)).toArray(Errors[]::new);
    }

    private static Model trained(double[] rises, int end, int updates) {
        Model fresh = Model.builder().features(1).gru(HIDDEN).dense(1).seed(1).build();
        SplittableRandom random = new SplittableRandom(1);
        try (Trainer trainer = Trainer.builder(fresh).loss(Loss.huber(0.3))
                .optimizer(Optimizer.adamW(4e-3, 0.01)).schedule(Schedule.cosine(updates, 0.01)).clipGlobalNorm(1)
                .averageWeights(0.99).build()) {
            for (int i = 0; i < updates; i++) {
                float[] x = new float[STEPS * ROWS];
                float[] change = new float[STEPS * ROWS];
                for (int b = 0; b < ROWS; b++) {
                    int first = random.nextInt(YEAR + 1, end - STEPS);
                    for (int t = 0; t < STEPS; t++) {
                        x[t * ROWS + b] = (float) (rises[first + t] - rises[first + t - 1]);
                        change[t * ROWS + b] = (float) (rises[first + t + 1] - rises[first + t]);
                    }
                }
                trainer.step(Batch.featuresToValues(STEPS, ROWS, x, change));
                trainer.resetState();
            }
            return trainer.averagedModel();
        }
    }

    private Errors errors(Model model, double[] rises, int months) {
        double ofNetwork = 0;
        double ofBaseline = 0;
        for (int now = series.length - HELD_OUT - 1; now < series.length - months; now++) {
            int then = now + months;
            ofNetwork += Math.abs(series[then] - (series[then - YEAR] + forecast(model, rises, now, months)));
            ofBaseline += Math.abs(series[then] - (series[then - YEAR] + rises[now]));
        }
        int count = HELD_OUT + 1 - months;
        return new Errors(months, ofNetwork / count, ofBaseline / count);
    }

    /** Returns the rise over a year some months from now, at most a year ahead. */
    private static double forecast(Model model, double[] rises, int now, int months) {
        State state = model.newState();
        float[] change = new float[1];
        double rise = 0;
        for (int t = now - STEPS + 1; t < now + months; t++) {
            float known = t <= now ? (float) (rises[t] - rises[t - 1]) : change[0];
            rise = t <= now ? rises[t] : rise + known;
            model.step(new float[] {known}, state, change);
        }
        return rise + change[0];
    }

    /** Returns the series from the file; the few months without a measurement lie between their neighbours. */
    static double[] read() throws IOException {
        TreeMap<YearMonth, Double> values = new TreeMap<>();
        new String(DATA.read("data/co2-concentration.csv"), UTF_8).lines().skip(1).map(line -> line.split(",", -1))
                .forEach(cells -> values.put(YearMonth.from(LocalDate.parse(cells[0])), Double.valueOf(cells[1])));
        int months = (int) ChronoUnit.MONTHS.between(values.firstKey(), values.lastKey()) + 1;
        double[] series = new double[months];
        for (int t = 0; t < months; t++) {
            YearMonth month = values.firstKey().plusMonths(t);
            Map.Entry<YearMonth, Double> before = values.floorEntry(month);
            Map.Entry<YearMonth, Double> after = values.ceilingEntry(month);
            double gap = Math.max(1, ChronoUnit.MONTHS.between(before.getKey(), after.getKey()));
            double share = ChronoUnit.MONTHS.between(before.getKey(), month) / gap;
            series[t] = before.getValue() + share * (after.getValue() - before.getValue());
        }
        return series;
    }

    static void main() throws IOException {
        for (Errors errors : new CarbonDioxide(read()).compare(1500, 1, 12)) {
            System.out.printf(Locale.ROOT, "%2d months ahead: network %.3f ppm, seasonal naive %.3f ppm%n",
                    errors.months(),
                    errors.network(), errors.seasonalNaive());
        }
    }
}
