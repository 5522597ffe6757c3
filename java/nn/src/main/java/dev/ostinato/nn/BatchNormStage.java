package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;

/**
 * Batch norm over time (Ioffe and Szegedy 2015; Laurent et al. 2016): each column is normalised over all rows, those of every step and
 * stream, as PyTorch's BatchNorm1d does with its rows. With n rows and sums over rows last to first:
 *
 * <pre>
 * m' = sum(x) / n       m = m' + sum(x - m') / n       d = x - m
 * v = sum(d * d) / n    s = 1 / sqrt(v + epsilon)      y = fma(d, s * gain, bias)
 * running mean += momentum * (m - running mean)        running variance += momentum * (v * n / (n - 1) - running variance)</pre>
 *
 * Without dropout, when nothing is trained, m and v are the running ones.
 */
final class BatchNormStage extends OutputStage {
    private final Stage below;
    private final Layer.BatchNorm layer;
    private final NormWeights weights;
    private final NormWeights gradients;
    /** (all, N). */
    private final Matrix d;
    private final Matrix dx;
    /** (1, N). */
    private final Matrix minusMean;
    private final Matrix inverse;
    private final Matrix scale;
    private final Matrix sums;
    private final Matrix dots;
    private boolean training;

    BatchNormStage(Setup setup, Blueprint.Place place, Stage below) {
        super(setup, place.layer().outputs());
        this.below = below;
        this.layer = (Layer.BatchNorm) place.layer();
        NormTensors tensors = NormTensors.of(place);
        this.weights = tensors.weights(setup.weights());
        this.gradients = tensors.weights(setup.gradients());
        this.d = setup.matrix(setup.all(), layer.size());
        this.dx = setup.matrix(setup.all(), layer.size());
        this.minusMean = setup.matrix(1, layer.size());
        this.inverse = setup.matrix(1, layer.size());
        this.scale = setup.matrix(1, layer.size());
        this.sums = setup.matrix(1, layer.size());
        this.dots = setup.matrix(1, layer.size());
    }

    @Override
    void forward(long dropoutKey) {
        training = dropoutKey != 0;
        if (training) {
            batchStatistics();
        } else {
            weights.running(layer.epsilon(), minusMean, inverse, scale);
        }
        eachChunk((from, to) -> weights.normalise(k, minusMean, scale, below.output().rows(from, to),
                d.rows(from, to), y.rows(from, to)));
    }

    private void batchStatistics() {
        int n = setup.all();
        if (n < 2) {
            throw new IllegalArgumentException("batch norm: expected at least 2 rows to train on, got " + n);
        }
        sums(below.output());
        eachColumn(j -> minusMean.set(0, j, -(sums.get(0, j) / n)));
        deviations();
        sums(d);
        eachColumn(j -> minusMean.set(0, j, minusMean.get(0, j) - sums.get(0, j) / n));
        deviations();
        dots(d);
        float unbiased = n / (n - 1f);
        eachColumn(j -> {
            float variance = dots.get(0, j) / n;
            inverse.set(0, j, NormWeights.inverse(variance, layer.epsilon()));
            scale.set(0, j, inverse.get(0, j) * weights.gain().get(0, j));
            goOn(weights.runningMean(), j, -minusMean.get(0, j));
            goOn(weights.runningVariance(), j, variance * unbiased);
        });
    }

    private void goOn(Matrix running, int column, float value) {
        float before = running.get(0, column);
        running.set(0, column, Math.fma(layer.momentum(), value - before, before));
    }

    private void deviations() {
        eachChunk((from, to) -> {
            k.fillRows(minusMean, d.rows(from, to));
            k.axpy(1f, below.output().rows(from, to), d.rows(from, to));
        });
    }

    private void sums(Matrix x) {
        sums.clear();
        eachShare((from, to) -> k.columnSums(x.columns(from, to), sums.columns(from, to)));
    }

    private void dots(Matrix x) {
        dots.clear();
        eachShare((from, to) -> k.columnDots(x.columns(from, to), d.columns(from, to), dots.columns(from, to)));
    }

    /** Shares out the columns. */
    private void eachShare(Rows body) {
        int parts = setup.team().threads();
        setup.team().run(parts, part -> body.accept(Cell.share(layer.size(), part, parts),
                Cell.share(layer.size(), part + 1, parts)));
    }

    private interface Column {
        void accept(int column);
    }

    private void eachColumn(Column body) {
        for (int j = 0; j < layer.size(); j++) {
            body.accept(j);
        }
    }

    /**
     * With n = d * s: {@code dGain += sum(dy * d) * s; dBias += sum(dy); dx = (dy - sum(dy) / N - n * sum(dy * n) / N) * gain * s}; the
     * sums are absent from dx where the statistics are the running ones.
     */
    @Override
    void backward() {
        Matrix above = dy.columns(0, layer.size());
        sums(above);
        dots(above);
        eachColumn(j -> {
            add(gradients.gain(), j, dots.get(0, j) * inverse.get(0, j));
            add(gradients.bias(), j, sums.get(0, j));
        });
        if (!below.wantsGradient()) {
            return;
        }
        eachColumn(j -> {
            float share = training ? -(scale.get(0, j) / setup.all()) : 0f;
            sums.set(0, j, sums.get(0, j) * share);
            dots.set(0, j, ((dots.get(0, j) * inverse.get(0, j)) * inverse.get(0, j)) * share);
        });
        eachChunk((from, to) -> {
            Matrix rows = dx.rows(from, to);
            k.fillRows(sums, rows);
            k.addScaled(d.rows(from, to), dots, rows);
            k.addScaled(above.rows(from, to), scale, rows);
            k.axpy(1f, rows, below.outputGradient().rows(from, to).columns(0, layer.size()));
        });
    }

    private static void add(Matrix row, int column, float value) {
        row.set(0, column, row.get(0, column) + value);
    }
}
