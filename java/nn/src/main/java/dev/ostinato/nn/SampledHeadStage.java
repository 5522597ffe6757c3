package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.PackedMatrix;

/**
 * A dense layer at the end of a network of which only some outputs are computed: those of S classes drawn for the batch, and behind them that of
 * the right class of each row. From each the logarithm of how often its class is expected among the samples is subtracted; a sample that is the
 * right class is -infinity.
 *
 * <p>The weights of the samples are copied into a small matrix, and their gradients out of one. Those of the right classes, another one in each
 * row, are used where they are.
 */
final class SampledHeadStage extends Stage {
    private final Stage below;
    private final long layer;
    private final PackedMatrix w;
    private final Matrix bias;
    private final PackedMatrix dw;
    private final Matrix dBias;
    private final LogUniformSampler sampler;
    private final int[] classes;
    private final int samples;
    /** The weights of the samples, and a column of zeros. */
    private final PackedMatrix sampled;
    private final Matrix sampledBias;
    private final PackedMatrix dSampled;
    private final Matrix dSampledBias;
    private final PackedMatrix transposed;
    /** (all, padded S + 1): the outputs, and in place their gradient. */
    private final Matrix y;

    SampledHeadStage(Setup setup, Blueprint.Place place, Stage below, int samples) {
        super(setup);
        this.below = below;
        this.layer = place.index();
        DenseTensors tensors = DenseTensors.of(place);
        this.w = tensors.weights(setup.weights());
        this.bias = tensors.bias(setup.weights());
        this.dw = tensors.weights(setup.gradients());
        this.dBias = tensors.bias(setup.gradients());
        this.sampler = new LogUniformSampler(tensors.outputs(), samples);
        this.classes = new int[setup.all()];
        this.samples = samples;
        this.sampled = PackedMatrix.of(tensors.inputs(), 1, samples + 1);
        this.sampledBias = Matrix.of(1, sampled.outputs());
        this.dSampled = PackedMatrix.of(tensors.inputs(), 1, samples + 1);
        this.dSampledBias = Matrix.of(1, sampled.outputs());
        this.transposed = PackedMatrix.of(sampled.outputs(), 1, tensors.inputs());
        this.y = setup.matrix(setup.all(), sampled.outputs());
    }

    /** Takes the right class of each row. @throws IndexOutOfBoundsException if one is outside the outputs */
    void load(int[] all) {
        for (int r = 0; r < classes.length; r++) {
            classes[r] = LossStage.checked(all, setup.sequences().element(r), w.units());
        }
    }

    @Override
    void forward(long dropoutKey) {
        sampler.draw(CounterRandom.key(dropoutKey, layer));
        for (int j = 0; j < samples; j++) {
            int index = sampler.drawn()[j];
            PackedColumn from = PackedColumn.of(w, index);
            PackedColumn to = PackedColumn.of(sampled, j);
            for (int i = 0; i < w.inputs(); i++) {
                to.set(i, from.get(i));
            }
            sampledBias.set(0, j, (float) (bias.get(0, index) - sampler.logExpected(index)));
        }
        eachChunk((from, to) -> {
            k.fillRows(sampledBias, y.rows(from, to));
            k.multiplyAdd(below.output().rows(from, to), sampled, y.rows(from, to));
            for (int r = from; r < to; r++) {
                y.set(r, samples, rightOutput(r));
                leaveOutHits(r);
            }
        });
    }

    private float rightOutput(int row) {
        Matrix x = below.output();
        PackedColumn column = PackedColumn.of(w, classes[row]);
        float sum = bias.get(0, classes[row]);
        for (int i = 0; i < w.inputs(); i++) {
            sum = Math.fma(x.get(row, i), column.get(i), sum);
        }
        return (float) (sum - sampler.logExpected(classes[row]));
    }

    private void leaveOutHits(int row) {
        for (int j = 0; j < samples; j++) {
            if (sampler.drawn()[j] == classes[row]) {
                y.set(row, j, Float.NEGATIVE_INFINITY);
            }
        }
    }

    @Override
    void backward() {
        dSampled.memory().clear();
        dSampledBias.clear();
        int parts = setup.team().threads();
        setup.team().run(parts + 1, part -> {
            if (part < parts) {
                Cell.gradientShare(k, below.output(), y, dSampled, part, parts);
            } else {
                k.columnSums(y, dSampledBias);
            }
        });
        setup.team().run(parts,
                part -> addGradients(Cell.share(w.inputs(), part, parts), Cell.share(w.inputs(), part + 1, parts)));
        for (int j = 0; j < samples; j++) {
            addBias(sampler.drawn()[j], dSampledBias.get(0, j));
        }
        for (int r = y.rows() - 1; r >= 0; r--) {
            addBias(classes[r], y.get(r, samples));
        }
        if (below.wantsGradient()) {
            sampled.transposeInto(transposed);
            eachChunk((from, to) -> {
                k.multiplyAdd(y.rows(from, to), transposed, below.outputGradient().rows(from, to));
                for (int r = from; r < to; r++) {
                    addRightGradient(r);
                }
            });
        }
    }

    /** Adds to the gradients of the weights of the inputs {@code from..to}: of the samples, then of the right classes, last row first. */
    private void addGradients(int from, int to) {
        for (int j = 0; j < samples; j++) {
            PackedColumn gradient = PackedColumn.of(dSampled, j);
            PackedColumn sum = PackedColumn.of(dw, sampler.drawn()[j]);
            for (int i = from; i < to; i++) {
                sum.set(i, sum.get(i) + gradient.get(i));
            }
        }
        Matrix x = below.output();
        for (int r = y.rows() - 1; r >= 0; r--) {
            float dy = y.get(r, samples);
            PackedColumn sum = PackedColumn.of(dw, classes[r]);
            for (int i = from; i < to; i++) {
                sum.set(i, Math.fma(x.get(r, i), dy, sum.get(i)));
            }
        }
    }

    private void addBias(int index, float gradient) {
        dBias.set(0, index, dBias.get(0, index) + gradient);
    }

    private void addRightGradient(int row) {
        Matrix dx = below.outputGradient();
        PackedColumn column = PackedColumn.of(w, classes[row]);
        float dy = y.get(row, samples);
        for (int i = 0; i < w.inputs(); i++) {
            dx.set(row, i, Math.fma(dy, column.get(i), dx.get(row, i)));
        }
    }

    @Override
    Matrix output() {
        return y.columns(0, samples + 1);
    }

    @Override
    Matrix outputGradient() {
        return y;
    }

    @Override
    boolean endsInPlace() {
        return true;
    }

    @Override
    void clearGradient() {
    }
}
