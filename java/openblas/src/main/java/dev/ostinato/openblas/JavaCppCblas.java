package dev.ostinato.openblas;

import com.sun.jna.NativeLibrary;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/** OpenBLAS through the JNI functions that JavaCPP has made. */
final class JavaCppCblas implements Cblas {
    private static final ThreadLocal<Operands> OPERANDS = ThreadLocal.withInitial(Operands::new);

    private final String description;

    private JavaCppCblas(String description) {
        this.description = description;
    }

    static JavaCppCblas load(int threads) throws UnusableException {
        try {
            Loader.load(openblas_nolapack.class);
        } catch (UnsatisfiedLinkError e) {
            String platform = Loader.getPlatform();
            throw new UnusableException("OpenBLAS for " + platform + ": " + e.getMessage()
                    + "; add org.bytedeco:openblas and org.bytedeco:javacpp with the classifier " + platform
                    + ", or build with -Djavacpp.platform=" + platform);
        }
        // JavaCPP's binding lacks the functions that set threads and tell the version.
        NativeLibrary library = JnaLibraries.open(path());
        return new JavaCppCblas(ThreadControl.set(library, threads));
    }

    private static String path() throws UnusableException {
        Map<String, String> loaded = Loader.getLoadedLibraries();
        return loaded.entrySet().stream().filter(e -> e.getKey().matches("(lib)?openblas.*")).map(Map.Entry::getValue)
                .findFirst().orElseThrow(() -> new UnusableException("JavaCPP has loaded another BLAS: " + loaded));
    }

    @Override
    public void sgemm(int transposeA, int transposeB, int m, int n, int k, float alpha, long a, int lda, long b,
            int ldb, float beta, long c, int ldc) {
        Operands operands = OPERANDS.get();
        openblas_nolapack.cblas_sgemm(ROW_MAJOR, transposeA, transposeB, m, n, k, alpha, operands.a.at(a), lda,
                operands.b.at(b), ldb, beta, operands.c.at(c), ldc);
    }

    @Override
    public void sgemv(int k, int n, long w, int ldw, long x, long y) {
        Operands operands = OPERANDS.get();
        openblas_nolapack.cblas_sgemv(ROW_MAJOR, TRANSPOSE, k, n, 1f, operands.a.at(w), ldw, operands.b.at(x), 1, 1f,
                operands.c.at(y), 1);
    }

    @Override
    public String description() {
        return description;
    }

    /** The objects that JavaCPP takes in place of addresses, made once for each thread. */
    private static final class Operands {
        private final Address a = new Address();
        private final Address b = new Address();
        private final Address c = new Address();
    }

    private static final class Address extends FloatPointer {
        Address() {
            super((Pointer) null);
        }

        Address at(long newAddress) {
            address = newAddress;
            return this;
        }
    }
}
