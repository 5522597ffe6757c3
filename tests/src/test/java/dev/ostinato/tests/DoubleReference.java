package dev.ostinato.tests;

import dev.ostinato.kernels.Activation;
import java.util.Arrays;

/**
 * The textbook formulas in double precision, one element or one row at a time, written apart from the kernels: no fma, no flushing, no
 * fixed order of sums.
 */
final class DoubleReference {
    private DoubleReference() {
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    // Activations, as ONNX words them, behind a clip

    static double activation(Activation f, double z) {
        double x = Math.clamp(z, -f.clip(), f.clip());
        return switch (f.kind()) {
            case TANH -> Math.tanh(x);
            case RELU -> Math.max(0, x);
            case IDENTITY -> x;
            case SIGMOID -> sigmoid(x);
            case SOFTSIGN -> x / (1 + Math.abs(x));
            case SOFTPLUS -> Math.log1p(Math.exp(x));
            case AFFINE -> f.alpha() * x + f.beta();
            case LEAKY_RELU -> x >= 0 ? x : f.alpha() * x;
            case THRESHOLDED_RELU -> x > f.alpha() ? x : 0;
            case SCALED_TANH -> f.alpha() * Math.tanh(f.beta() * x);
            case HARD_SIGMOID -> Math.clamp(f.alpha() * x + f.beta(), 0, 1);
            case ELU -> x >= 0 ? x : f.alpha() * Math.expm1(x);
        };
    }

    /** Returns how far it is to where an activation has no derivative. */
    static double kink(Activation f, double z) {
        double toClip = Math.abs(f.clip() - Math.abs(z));
        return Math.min(toClip, switch (f.kind()) {
            case RELU, LEAKY_RELU, ELU -> Math.abs(z);
            case THRESHOLDED_RELU -> Math.abs(z - f.alpha());
            case HARD_SIGMOID -> Math.min(Math.abs(f.alpha() * z + f.beta()), Math.abs(f.alpha() * z + f.beta() - 1));
            default -> Double.POSITIVE_INFINITY;
        });
    }

    // Cells. Forward results come with the activations that the backward pass takes.

    record Lstm(double i, double f, double g, double o, double c, double h) {}

    /** Hochreiter and Schmidhuber with a forget gate. */
    static Lstm lstm(double zi, double zf, double zg, double zo, double cPrevious) {
        double i = sigmoid(zi);
        double f = sigmoid(zf);
        double g = Math.tanh(zg);
        double o = sigmoid(zo);
        double c = f * cPrevious + i * g;
        return new Lstm(i, f, g, o, c, o * Math.tanh(c));
    }

    record LstmGradient(double zi, double zf, double zg, double zo, double cPrevious) {}

    static LstmGradient lstmBackward(Lstm s, double cPrevious, double dh, double dc) {
        double tanhC = Math.tanh(s.c);
        double cell = dc + dh * s.o * (1 - tanhC * tanhC);
        return new LstmGradient(cell * s.g * s.i * (1 - s.i), cell * cPrevious * s.f * (1 - s.f),
                cell * s.i * (1 - s.g * s.g), dh * tanhC * s.o * (1 - s.o), cell * s.f);
    }

    record Gru(double n, double r, double u, double h) {}

    /** Reset after the product: m is the recurrent part of the candidate. */
    static Gru gruAfter(double zn, double zr, double zu, double m, double hPrevious) {
        double r = sigmoid(zr);
        double u = sigmoid(zu);
        double n = Math.tanh(zn + r * m);
        return new Gru(n, r, u, (1 - u) * n + u * hPrevious);
    }

    record GruAfterGradient(double zn, double zr, double zu, double m, double hPrevious) {}

    static GruAfterGradient gruAfterBackward(Gru s, double m, double hPrevious, double dh) {
        double dn = dh * (1 - s.u) * (1 - s.n * s.n);
        return new GruAfterGradient(dn, dn * m * s.r * (1 - s.r), dh * (hPrevious - s.n) * s.u * (1 - s.u), dn * s.r,
                dh * s.u);
    }

    record GruBefore(double r, double u, double n, double s, double h) {}

    /** Reset before the product: s = r * hPrevious goes through the recurrent weights, which zn already includes. */
    static GruBefore gruBefore(double zr, double zu, double zn, double hPrevious) {
        double r = sigmoid(zr);
        double u = sigmoid(zu);
        double n = Math.tanh(zn);
        return new GruBefore(r, u, n, r * hPrevious, (1 - u) * n + u * hPrevious);
    }

    record GruBeforeGradient(double zr, double zu, double zn, double hPreviousOfMix, double hPreviousOfReset) {}

    /** Gradients of {@code dh * h + ds * s}; the two parts of that of hPrevious apart. */
    static GruBeforeGradient gruBeforeBackward(GruBefore g, double hPrevious, double dh, double ds) {
        return new GruBeforeGradient(ds * hPrevious * g.r * (1 - g.r), dh * (hPrevious - g.n) * g.u * (1 - g.u),
                dh * (1 - g.u) * (1 - g.n * g.n), dh * g.u, ds * g.r);
    }

    static double minGru(double zz, double n, double hPrevious) {
        double z = sigmoid(zz);
        return (1 - z) * hPrevious + z * n;
    }

    // Rows

    static double[] softmax(float[] x) {
        double max = max(x);
        double[] y = new double[x.length];
        double sum = sumOfExponentials(x);
        for (int j = 0; j < x.length; j++) {
            y[j] = Math.exp(x[j] - max) / sum;
        }
        return y;
    }

    static double[] logSoftmax(float[] x) {
        double max = max(x);
        double logSum = Math.log(sumOfExponentials(x));
        double[] y = new double[x.length];
        for (int j = 0; j < x.length; j++) {
            y[j] = x[j] - max - logSum;
        }
        return y;
    }

    static double max(float[] x) {
        double max = Double.NEGATIVE_INFINITY;
        for (float v : x) {
            max = Math.max(max, v);
        }
        return max;
    }

    private static double sumOfExponentials(float[] x) {
        double max = max(x);
        double sum = 0;
        for (float v : x) {
            sum += Math.exp(v - max);
        }
        return sum;
    }

    static double[] layerNorm(double[] x, double[] gain, double[] bias, double epsilon) {
        double[] y = normalised(x, epsilon);
        for (int j = 0; j < x.length; j++) {
            y[j] = y[j] * gain[j] + bias[j];
        }
        return y;
    }

    static double[] normalised(double[] x, double epsilon) {
        double mean = mean(x, ones(x.length));
        double[] y = new double[x.length];
        for (int j = 0; j < x.length; j++) {
            y[j] = x[j] - mean;
        }
        double inverse = 1 / Math.sqrt(mean(y, y) + epsilon);
        for (int j = 0; j < x.length; j++) {
            y[j] *= inverse;
        }
        return y;
    }

    /** The gradient of {@link #normalised} at x. */
    static double[] normalisedGradient(double[] x, double[] dy, double epsilon) {
        double[] n = normalised(x, epsilon);
        double plain = mean(dy, ones(x.length));
        double weighted = mean(dy, n);
        double mean = mean(x, ones(x.length));
        double[] d = new double[x.length];
        for (int j = 0; j < x.length; j++) {
            d[j] = x[j] - mean;
        }
        double inverse = 1 / Math.sqrt(mean(d, d) + epsilon);
        double[] dx = new double[x.length];
        for (int j = 0; j < x.length; j++) {
            dx[j] = inverse * (dy[j] - plain - n[j] * weighted);
        }
        return dx;
    }

    /** The mean of the products of two rows, summed with Neumaier's compensation. */
    private static double mean(double[] a, double[] b) {
        double sum = 0;
        double rest = 0;
        for (int j = 0; j < a.length; j++) {
            double term = a[j] * b[j];
            double next = sum + term;
            rest += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
            sum = next;
        }
        return (sum + rest) / a.length;
    }

    private static double[] ones(int length) {
        double[] ones = new double[length];
        Arrays.fill(ones, 1);
        return ones;
    }

    static double[] doubles(float[] x) {
        double[] y = new double[x.length];
        for (int j = 0; j < x.length; j++) {
            y[j] = x[j];
        }
        return y;
    }

    // Optimisers

    record Adam(double w, double m, double v) {}

    /** Algorithm 1 of Kingma and Ba, update number t. */
    static Adam adam(double w, double d, double m, double v, long t, double rate, double beta1, double beta2,
            double epsilon) {
        double first = beta1 * m + (1 - beta1) * d;
        double second = beta2 * v + (1 - beta2) * d * d;
        double corrected1 = first / (1 - Math.pow(beta1, (double) t));
        double corrected2 = second / (1 - Math.pow(beta2, (double) t));
        return new Adam(w - rate * corrected1 / (Math.sqrt(corrected2) + epsilon), first, second);
    }
}
