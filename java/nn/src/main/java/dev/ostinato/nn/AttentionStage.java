package dev.ostinato.nn;

import dev.ostinato.kernels.Indices;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Transpose;

/**
 * Global attention with dot scores (Luong et al. 2015). For each step t of a stream, over the steps s of its source that there are:
 *
 * <pre>
 * e_ts = h_t . m_s      a_t = softmax(e_t)      c_t = sum over s of a_ts m_s      y_t = [c_t, h_t]</pre>
 *
 * A source without steps has c = 0. Packed rows are brought into the order of the streams, so that each stream is a few products of matrices.
 */
final class AttentionStage extends OutputStage {
    private final Stage below;
    private final Stage attended;
    /** Columns of y, and of its gradient. */
    private final Matrix context;
    private final Matrix own;
    private final Matrix dContext;
    private final Matrix dOwn;
    private final Order targets;
    private final Order sources;
    /** In the order of the streams: (all, N), and (all of the source, N). */
    private final Matrix h;
    private final Matrix c;
    private final Matrix m;
    /** Their gradients. */
    private final Matrix dh;
    private final Matrix dc;
    private final Matrix dm;
    /** (1, the longest source). */
    private final Matrix ones;
    private final Stream[] streams;

    /** The rows of one stream: T of h and c, S of m, and a (T, S). */
    private record Stream(Matrix h, Matrix m, Matrix a, Matrix c, Matrix dh, Matrix dm, Matrix da, Matrix dc) {
        void forward(Kernels k) {
            attend(k, h, m, a, c);
        }

        /** The gradient of softmax: {@code de = a * (da - sum over s of a da)}. */
        void backward(Kernels k, Matrix ones) {
            k.gemm(Transpose.NO, Transpose.YES, 1, dc, m, 0, da);
            k.gemm(Transpose.YES, Transpose.NO, 1, a, dc, 0, dm);
            Matrix row = ones.columns(0, a.columns());
            for (int t = 0; t < a.rows(); t++) {
                Matrix daRow = da.rows(t, t + 1);
                k.axpy(-k.dot(a.rows(t, t + 1), daRow), row, daRow);
            }
            k.multiply(da, a);
            k.gemm(Transpose.NO, Transpose.NO, 1, da, m, 0, dh);
            k.gemm(Transpose.YES, Transpose.NO, 1, da, h, 1, dm);
        }
    }

    /** How to come from packed rows to those of one stream after another, and back. */
    private static final class Order {
        /** Where each stream begins, and where the last ends. */
        private final int[] starts;
        /** Of each row the packed one that it is, and the other way round. */
        private final Indices packed;
        private final Indices back;

        Order(Sequences sequences) {
            int[][] rows = sequences.packedRows();
            this.starts = new int[rows.length + 1];
            this.packed = Indices.of(sequences.total());
            this.back = Indices.of(sequences.total());
            int at = 0;
            for (int b = 0; b < rows.length; b++) {
                for (int row : rows[b]) {
                    packed.set(at, row);
                    back.set(row, at++);
                }
                starts[b + 1] = at;
            }
        }

        Matrix stream(Matrix all, int b) {
            return all.rows(starts[b], starts[b + 1]);
        }

        int length(int b) {
            return starts[b + 1] - starts[b];
        }
    }

    AttentionStage(Setup setup, Stage below, Stage attended) {
        super(setup, 2 * below.output().columns());
        this.below = below;
        this.attended = attended;
        int size = below.output().columns();
        this.context = y.columns(0, size);
        this.own = y.columns(size, 2 * size);
        this.dContext = dy.columns(0, size);
        this.dOwn = dy.columns(size, 2 * size);
        this.targets = new Order(setup.sequences());
        this.sources = new Order(attended.setup.sequences());
        this.h = setup.matrix(setup.all(), size);
        this.c = setup.matrix(setup.all(), size);
        this.m = setup.matrix(attended.setup.all(), size);
        this.dh = setup.matrix(setup.all(), size);
        this.dc = setup.matrix(setup.all(), size);
        this.dm = setup.matrix(attended.setup.all(), size);
        this.ones = setup.matrix(1, attended.setup.sequences().steps());
        for (int s = 0; s < ones.columns(); s++) {
            ones.set(0, s, 1);
        }
        this.streams = new Stream[setup.sequences().rows()];
        int floats = 0;
        for (int b = 0; b < streams.length; b++) {
            floats = Math.addExact(floats, Math.multiplyExact(targets.length(b), Matrix.padded(sources.length(b))));
        }
        Matrix a = setup.matrix(1, floats);
        Matrix da = setup.matrix(1, floats);
        int at = 0;
        for (int b = 0; b < streams.length; b++) {
            streams[b] = new Stream(targets.stream(h, b), sources.stream(m, b), weights(a, at, b), targets.stream(c, b),
                    targets.stream(dh, b), sources.stream(dm, b), weights(da, at, b), targets.stream(dc, b));
            at += targets.length(b) * Matrix.padded(sources.length(b));
        }
    }

    private Matrix weights(Matrix all, int at, int b) {
        int columns = sources.length(b);
        return Matrix.wrap(all.memory(), at, targets.length(b), columns, Matrix.padded(columns));
    }

    /**
     * Attends with some rows to the steps of one source. Any number of rows at once has the bits that each has alone.
     *
     * @param h (R, N)
     * @param m (S, N)
     * @param a (R, S), overwritten with the weights of the steps
     * @param c (R, N), overwritten with the contexts
     */
    static void attend(Kernels k, Matrix h, Matrix m, Matrix a, Matrix c) {
        if (m.rows() == 0) {
            c.clear();
            return;
        }
        k.gemm(Transpose.NO, Transpose.YES, 1, h, m, 0, a);
        k.softmax(a, a);
        k.gemm(Transpose.NO, Transpose.NO, 1, a, m, 0, c);
    }

    @Override
    void forward(long dropoutKey) {
        k.gather(below.output(), targets.packed, h);
        k.gather(attended.output(), sources.packed, m);
        setup.team().run(streams.length, b -> streams[b].forward(k));
        k.gather(c, targets.back, context);
        own.copyFrom(below.output());
    }

    @Override
    void backward() {
        k.gather(dContext, targets.packed, dc);
        setup.team().run(streams.length, b -> streams[b].backward(k, ones));
        if (below.wantsGradient()) {
            Matrix dBelow = below.outputGradient().columns(0, own.columns());
            k.axpy(1, dOwn, dBelow);
            k.gather(dh, targets.back, dc);
            k.axpy(1, dc, dBelow);
        }
        if (attended.wantsGradient()) {
            k.gather(dm, sources.back, m);
            k.axpy(1, m, attended.outputGradient().columns(0, m.columns()));
        }
    }
}
