package dev.ostinato.tests;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Measures softmax, log-softmax and layer norm against {@link DoubleReference}, on random rows and on rows chosen to be hard. An error is
 * relative to the largest result of its row (of the gradient of layer norm, whose terms cancel, to the largest dy over the standard
 * deviation) and counted in units of 2^-24, half of a unit in the last place of 1.
 *
 * <p>{@link #main} prints a table: <pre>
 * ./mvnw test-compile
 * java --enable-native-access=ALL-UNNAMED -cp java/kernels/target/classes:native/target/classes:tests/target/test-classes \
 *     dev.ostinato.tests.RowAccuracy [backend]</pre>
 */
final class RowAccuracy {
    static final int[] LENGTHS = {1, 2, 17, 1000, 100_000};
    private static final double UNIT = 0x1p-24;
    private static final float EPSILON = 1e-5f;

    private RowAccuracy() {
    }

    enum Operation {
        SOFTMAX, LOG_SOFTMAX, LAYER_NORM, LAYER_NORM_GRADIENT
    }

    /** Kinds of rows. */
    enum Row {
        /** Normal deviates. */
        NORMAL,
        /** Normal deviates times 30. */
        WIDE,
        /** Magnitudes from 1e-15 to 1e15, evenly in their logarithm, of both signs. */
        HUGE_RANGE,
        /** One number, not round, everywhere. */
        ALL_EQUAL,
        /** Normal deviates around 10000. */
        FAR_FROM_ZERO,
        /** Normal deviates, but one of 1e6 in the middle. */
        ONE_HUGE,
        /** Normal deviates, but for the first, from which layer norm takes the deviations, which is 1e6. */
        FIRST_HUGE;

        float[] of(int length, SplittableRandom random) {
            float[] x = new float[length];
            for (int j = 0; j < length; j++) {
                x[j] = (float) switch (this) {
                    case NORMAL, ONE_HUGE, FIRST_HUGE -> random.nextGaussian();
                    case WIDE -> 30 * random.nextGaussian();
                    case HUGE_RANGE -> Math.pow(10, random.nextDouble(-15, 15)) * (random.nextBoolean() ? 1 : -1);
                    case ALL_EQUAL -> 123456.7;
                    case FAR_FROM_ZERO -> 10_000 + random.nextGaussian();
                };
            }
            if (this == ONE_HUGE || this == FIRST_HUGE) {
                x[this == ONE_HUGE ? length / 2 : 0] = 1e6f;
            }
            return x;
        }
    }

    public static void main(String[] arguments) {
        Kernels kernels = Backends.kernels(arguments.length > 0 ? arguments[0] : "auto");
        System.out.println("Rows of " + Arrays.toString(LENGTHS) + ", " + kernels.backend().description() + "\n");
        System.out.println("| rows | softmax | log-softmax | layer norm | its gradient |\n|---|---|---|---|---|");
        for (Row row : Row.values()) {
            StringBuilder line = new StringBuilder("| " + row.name().toLowerCase(Locale.ROOT).replace('_', ' ') + " |");
            for (Operation operation : Operation.values()) {
                double worst =
                        IntStream.of(LENGTHS).mapToDouble(n -> error(kernels, operation, row, n)).max().orElseThrow();
                line.append(" %.2f |".formatted(worst));
            }
            System.out.println(line);
        }
    }

    /** Returns the largest error over a few rows. */
    static double error(Kernels kernels, Operation operation, Row row, int length) {
        SplittableRandom random = new SplittableRandom(length);
        double worst = 0;
        for (int i = 0; i < (length > 1000 ? 2 : 20); i++) {
            worst = Math.max(worst, error(kernels, operation, row.of(length, random), random));
        }
        return worst;
    }

    private static double error(Kernels kernels, Operation operation, float[] x, SplittableRandom random) {
        Matrix row = Matrix.of(new float[][] {x});
        return switch (operation) {
            case SOFTMAX -> {
                kernels.softmax(row, row);
                yield error(DoubleReference.softmax(x), row.row(0));
            }
            case LOG_SOFTMAX -> {
                kernels.logSoftmax(row, row);
                yield error(DoubleReference.logSoftmax(x), row.row(0));
            }
            case LAYER_NORM -> {
                kernels.layerNormForward(row, ones(x.length), Matrix.of(1, x.length), EPSILON, row, Matrix.of(1, 2));
                yield error(DoubleReference.normalised(DoubleReference.doubles(x), EPSILON), row.row(0));
            }
            case LAYER_NORM_GRADIENT -> layerNormGradientError(kernels, x, random);
        };
    }

    private static double layerNormGradientError(Kernels kernels, float[] x, SplittableRandom random) {
        int length = x.length;
        Matrix row = Matrix.of(new float[][] {x});
        Matrix statistics = Matrix.of(1, 2);
        kernels.layerNormForward(row, ones(length), Matrix.of(1, length), EPSILON, Matrix.of(1, length), statistics);
        float[] dy = Row.NORMAL.of(length, random);
        Matrix dx = Matrix.of(new float[][] {dy});
        kernels.layerNormBackward(row, ones(length), statistics, dx, dx, Matrix.of(1, length), Matrix.of(1, length));
        double[] wanted =
                DoubleReference.normalisedGradient(DoubleReference.doubles(x), DoubleReference.doubles(dy), EPSILON);
        return error(wanted, dx.row(0), largest(DoubleReference.doubles(dy)) * statistics.get(0, 1));
    }

    private static Matrix ones(int length) {
        float[] ones = new float[length];
        Arrays.fill(ones, 1f);
        return Matrix.of(new float[][] {ones});
    }

    static double error(double[] wanted, float[] got) {
        return error(wanted, got, largest(wanted));
    }

    /** Returns the largest difference over the scale, in units; without any difference it is 0. */
    static double error(double[] wanted, float[] got, double scale) {
        double difference = 0;
        for (int j = 0; j < got.length; j++) {
            double d = Math.abs(got[j] - wanted[j]);
            difference = Double.isNaN(d) ? Double.POSITIVE_INFINITY : Math.max(difference, d);
        }
        return difference == 0 ? 0 : difference / scale / UNIT;
    }

    private static double largest(double[] x) {
        return DoubleStream.of(x).map(Math::abs).max().orElse(0);
    }
}
