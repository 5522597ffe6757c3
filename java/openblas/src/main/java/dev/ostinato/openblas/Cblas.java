package dev.ostinato.openblas;

/** The two functions of BLAS that products are made of. Matrices are row by row, at raw addresses; nothing is checked. */
interface Cblas {
    // The enumerations of cblas.h.
    int ROW_MAJOR = 101;
    int NO_TRANSPOSE = 111;
    int TRANSPOSE = 112;

    /**
     * Computes {@code c = alpha op(a) op(b) + beta c}.
     *
     * @param transposeA {@link #NO_TRANSPOSE} for a (m, k), {@link #TRANSPOSE} for a (k, m)
     * @param transposeB {@link #NO_TRANSPOSE} for b (k, n), {@link #TRANSPOSE} for b (n, k)
     * @param beta with 0 the contents of c do not matter, not even NaNs
     * @param c (m, n)
     */
    void sgemm(int transposeA, int transposeB, int m, int n, int k, float alpha, long a, int lda, long b, int ldb,
            float beta, long c, int ldc);

    /**
     * Accumulates into {@code y = w^T x + y}.
     *
     * @param w (k, n)
     * @param x k floats
     * @param y n floats
     */
    void sgemv(int k, int n, long w, int ldw, long x, long y);

    /** Returns which library this is, how it has been built and how many threads a call takes. */
    String description();
}
