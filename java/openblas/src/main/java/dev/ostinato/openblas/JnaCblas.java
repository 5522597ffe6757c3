package dev.ostinato.openblas;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/** A BLAS through JNA's direct mapping: numbers go to the library as they are. A process has one; the last loaded serves all. */
final class JnaCblas implements Cblas {
    private final String description;

    private JnaCblas(String description) {
        this.description = description;
    }

    /** The functions as cblas.h declares them. */
    private static final class Calls {
        static native void cblas_sgemm(int order, int transposeA, int transposeB, int m, int n, int k, float alpha,
                long a, int lda, long b, int ldb, float beta, long c, int ldc);

        static native void cblas_sgemv(int order, int transpose, int m, int n, float alpha, long a, int lda, long x,
                int incX, float beta, long y, int incY);
    }

    static JnaCblas load(String name, int threads) throws UnusableException {
        if (Native.POINTER_SIZE != Long.BYTES) {
            throw new UnusableException(name + ": expected addresses of 64 bits, got " + Native.POINTER_SIZE * 8);
        }
        NativeLibrary library = JnaLibraries.open(name);
        checkIntegers(name, library);
        checkProduct(name, library);
        function(name, library, "cblas_sgemv");
        Native.register(Calls.class, library);
        return new JnaCblas(ThreadControl.set(library, threads));
    }

    private static Function function(String name, NativeLibrary library, String function) throws UnusableException {
        boolean longIntegers = JnaLibraries.function(library, function + "64_").isPresent()
                || JnaLibraries.function(library, function + "_64").isPresent();
        return JnaLibraries.function(library, function).orElseThrow(() -> new UnusableException(name
                + (longIntegers
                        ? ": expected 32-bit integers (LP64), got a build with 64-bit integers (ILP64)"
                        : ": not a BLAS with C interface, it has no " + function)));
    }

    /**
     * Which integers a library takes cannot be asked, but seen: a count whose lower half is 3 and whose upper half makes it negative is 3
     * to one with 32-bit integers, which finds the largest of three numbers; to the other it is nothing to search.
     */
    private static void checkIntegers(String name, NativeLibrary library) throws UnusableException {
        Function largest = function(name, library, "cblas_isamax");
        try (Memory x = new Memory(3 * Float.BYTES)) {
            x.write(0, new float[] {1f, 2f, 3f}, 0, 3);
            long index = largest.invokeLong(new Object[] {-1L << 32 | 3, x, 1L}) & 0xffff_ffffL;
            if (index != 2) {
                throw new UnusableException(
                        name + ": expected 32-bit integers (LP64), got a build with 64-bit integers (ILP64)");
            }
        }
    }

    /** Something that has the name of a product need not be one. */
    private static void checkProduct(String name, NativeLibrary library) throws UnusableException {
        Function product = function(name, library, "cblas_sgemm");
        try (Memory a = new Memory(2 * Float.BYTES); Memory b = new Memory(6 * Float.BYTES);
                Memory c = new Memory(3 * Float.BYTES)) {
            a.write(0, new float[] {1f, 10f}, 0, 2);
            b.write(0, new float[] {1f, 2f, 3f, 4f, 5f, 6f}, 0, 6);
            c.write(0, new float[] {100f, 200f, 300f}, 0, 3);
            product.invokeVoid(new Object[] {ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, 1, 3, 2, 1f, a, 2, b, 3, 1f, c, 3});
            float[] got = c.getFloatArray(0, 3);
            if (got[0] != 141 || got[1] != 252 || got[2] != 363) {
                throw new UnusableException(name + ": cblas_sgemm: expected 141.0, 252.0, 363.0, got " + got[0] + ", "
                        + got[1] + ", " + got[2]);
            }
        }
    }

    @Override
    public void sgemm(int transposeA, int transposeB, int m, int n, int k, float alpha, long a, int lda, long b,
            int ldb, float beta, long c, int ldc) {
        Calls.cblas_sgemm(ROW_MAJOR, transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    @Override
    public void sgemv(int k, int n, long w, int ldw, long x, long y) {
        Calls.cblas_sgemv(ROW_MAJOR, TRANSPOSE, k, n, 1f, w, ldw, x, 1, 1f, y, 1);
    }

    @Override
    public String description() {
        return description;
    }
}
