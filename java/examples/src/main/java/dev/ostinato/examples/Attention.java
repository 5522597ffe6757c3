package dev.ostinato.examples;

import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Slice;
import dev.ostinato.kernels.SliceKernels;
import dev.ostinato.kernels.Transpose;

/** Scaled dot-product attention of one head, on arrays of the caller's, with nothing of Ostinato but the kernels. */
public final class Attention {
    // readme: attention
    private static final SliceKernels KERNELS = Backends.kernels("auto").slices(); // for all threads

    /** softmax(q k^T / sqrt(width)) v, where the arrays hold rows of {@code width} floats and weights (queries, keys). */
    public static void attend(float[] q, float[] k, float[] v, int width, float[] weights, float[] out) {
        int queries = q.length / width;
        int keys = k.length / width;
        Slice scores = Slice.of(weights, 0, queries, keys, keys);
        KERNELS.gemm(Transpose.NO, Transpose.YES, (float) (1 / Math.sqrt(width)), Slice.of(q, 0, queries, width, width),
                Slice.of(k, 0, keys, width, width), 0f, scores);
        KERNELS.softmax(scores, scores);
        KERNELS.gemm(Transpose.NO, Transpose.NO, 1f, scores, Slice.of(v, 0, keys, width, width), 0f,
                Slice.of(out, 0, queries, width, width));
    }
    // readme: end

    private Attention() {
    }
}
