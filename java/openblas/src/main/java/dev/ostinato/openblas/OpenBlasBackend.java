package dev.ostinato.openblas;

/** The backend {@code openblas}: products by the OpenBLAS of {@code org.bytedeco:openblas}. Safe for all threads. */
public final class OpenBlasBackend extends BlasBackend {
    /** Creates the backend; nothing is loaded yet. */
    public OpenBlasBackend() {
        super("openblas", "products by OpenBLAS through JNI (JavaCPP)");
    }

    @Override
    Cblas load(int threads) throws UnusableException {
        return JavaCppCblas.load(threads);
    }
}
