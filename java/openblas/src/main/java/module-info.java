/** Backends on BLAS libraries. */
module dev.ostinato.openblas {
    requires dev.ostinato.kernels;
    requires com.sun.jna;
    requires org.bytedeco.openblas;
    requires static org.jspecify;

    exports dev.ostinato.openblas;

    provides dev.ostinato.kernels.Backend with
            dev.ostinato.openblas.OpenBlasBackend,
            dev.ostinato.openblas.SystemBlasBackend;
}
