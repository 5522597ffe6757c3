/** The numerical contract and the backends that keep it. */
module dev.ostinato.kernels {
    // Static: without --add-modules the vector backend is absent and says why; the others run.
    requires static jdk.incubator.vector;
    requires static org.jspecify;

    exports dev.ostinato.kernels;

    // Backends of other modules are found beside those built in.
    uses dev.ostinato.kernels.Backend;
}
