package dev.ostinato.openblas;

import java.util.ArrayList;
import java.util.List;

/**
 * The backend {@code blas}: products by a BLAS of the system, through JNA. The library is the one that the system property
 * {@code ostinato.blas} names, a file or what a linker would be given; otherwise the first of MKL, BLIS, OpenBLAS, cblas and blas that can
 * be used. It must have the C interface (CBLAS) with 32-bit integers. Safe for all threads.
 *
 * <p>A library is code that runs with all rights as soon as it is opened: name only one that you trust.
 */
public final class SystemBlasBackend extends BlasBackend {
    /** System property that names the library. Nothing else is tried then. */
    static final String PROPERTY = "ostinato.blas";

    private static final List<String> USUAL = List.of("mkl_rt", "blis", "openblas", "cblas", "blas");

    private final String named;

    /** Creates the backend on the library that the property names, or one of the usual ones; nothing is loaded yet. */
    public SystemBlasBackend() {
        this(System.getProperty(PROPERTY, ""));
    }

    /** Creates the backend on one library, a file or a name such as {@code blis}; nothing is loaded yet. */
    public SystemBlasBackend(String library) {
        super("blas", "products by a BLAS of the system through JNA");
        this.named = library;
    }

    @Override
    Cblas load(int threads) throws UnusableException {
        if (!named.isEmpty()) {
            return JnaCblas.load(named, threads);
        }
        List<String> tried = new ArrayList<>();
        for (String name : USUAL) {
            try {
                return JnaCblas.load(name, threads);
            } catch (UnusableException e) {
                tried.add(String.valueOf(e.getMessage()));
            }
        }
        throw new UnusableException("tried " + String.join("; ", tried)
                + "; install one of them, or name a library with -D" + PROPERTY + "=<file>");
    }
}
