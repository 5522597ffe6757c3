package dev.ostinato.tests;

import dev.ostinato.kernels.Function;

/** The functions of {@link Function} and their derivatives in double precision, accurate to about 1e-13 in every tail. */
final class ReferenceFunctions {
    private static final double ROOT_PI = Math.sqrt(Math.PI);
    private static final double ROOT_2 = Math.sqrt(2);
    /** Below it the series of erf, above it the continued fraction of erfc. */
    private static final double SERIES_END = 2.5;
    /** Below it two terms of a series are as good as a double. */
    private static final double TINY = 0x1p-40;
    private static final double LN_2 = Math.log(2);
    private static final int FRACTION_DEPTH = 60;
    /** Where e^(-x^2) is far below every float. */
    private static final double GAUSSIAN_END = 20;

    private ReferenceFunctions() {
    }

    static double value(Function f, double x) {
        return Math.abs(x) < TINY && f != Function.LOG ? valueNearZero(f, x) : valueAnywhere(f, x);
    }

    private static double valueAnywhere(Function f, double x) {
        return switch (f) {
            case EXP -> Math.exp(x);
            case LOG -> Math.log(x);
            case TANH -> Math.tanh(x);
            case SIGMOID -> sigmoid(x);
            case SOFTPLUS -> Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
            case ERF -> erf(x);
            case GELU -> x == Double.NEGATIVE_INFINITY ? 0 : x * normal(x);
            case SILU -> x == Double.NEGATIVE_INFINITY ? 0 : x * sigmoid(x);
        };
    }

    /** The first terms of the series, exact to a double: most floats are tiny, and a sweep should not wait for them. */
    private static double valueNearZero(Function f, double x) {
        return switch (f) {
            case EXP -> 1 + x;
            case LOG -> throw new IllegalArgumentException("LOG has no series at 0");
            case TANH -> x;
            case SIGMOID -> 0.5 + x / 4;
            case SOFTPLUS -> LN_2 + x / 2;
            case ERF -> 2 / ROOT_PI * x;
            case GELU -> x * (0.5 + x / (ROOT_2 * ROOT_PI));
            case SILU -> x * (0.5 + x / 4);
        };
    }

    /** Returns the derivative of f from y = f(x) if {@link Function#gradientTakesResult}, else from x. */
    static double derivative(Function f, double v) {
        return switch (f) {
            case EXP -> v;
            case LOG -> 1 / v;
            case TANH -> (1 - v) * (1 + v);
            case SIGMOID -> v * (1 - v);
            case SOFTPLUS -> sigmoid(v);
            case ERF -> 2 / ROOT_PI * gaussian(v);
            case GELU -> Math.abs(v) > GAUSSIAN_END
                    ? step(v)
                    : normal(v) + v * gaussian(v / ROOT_2) / (ROOT_2 * ROOT_PI);
            case SILU -> Math.abs(v) > 1000 ? step(v) : sigmoid(v) * (1 + v * sigmoid(-v));
        };
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    private static double step(double x) {
        return x < 0 ? 0 : 1;
    }

    private static double gaussian(double x) {
        return Math.exp(-x * x);
    }

    /** The normal distribution function. */
    private static double normal(double x) {
        return erfc(-x / ROOT_2) / 2;
    }

    private static double erf(double x) {
        return Math.abs(x) < SERIES_END ? erfSeries(x) : Math.signum(x) * (1 - erfcFraction(Math.abs(x)));
    }

    private static double erfc(double x) {
        if (Math.abs(x) < SERIES_END) {
            return x < 0.5 ? 1 - erfSeries(x) : erfcFraction(x);
        }
        return x < 0 ? 2 - erfcFraction(-x) : erfcFraction(x);
    }

    /** 2 / sqrt(pi) e^(-x^2) times the sum of (2 x^2)^k x / (1 3 5 .. (2k + 1)), whose terms have one sign. */
    private static double erfSeries(double x) {
        double term = x;
        double sum = x;
        for (int k = 1; Math.abs(term) > 0x1p-54 * Math.abs(sum); k++) {
            term *= 2 * x * x / (2 * k + 1);
            sum += term;
        }
        return 2 / ROOT_PI * gaussian(x) * sum;
    }

    /** e^(-x^2) / sqrt(pi) over x + (1/2) / (x + 1 / (x + (3/2) / (x + ..))), from the inside out; deeper where it converges slowly. */
    private static double erfcFraction(double x) {
        if (!(x < GAUSSIAN_END + 10)) {
            return Double.isNaN(x) ? x : 0;
        }
        double below = x;
        for (int k = (int) (FRACTION_DEPTH + 300 / (x * x)); k > 0; k--) {
            below = x + k / 2.0 / below;
        }
        return gaussian(x) / (ROOT_PI * below);
    }
}
