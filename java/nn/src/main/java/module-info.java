/** Cells, layers, models, their state and their training. */
module dev.ostinato.nn {
    requires transitive dev.ostinato.kernels;
    requires static org.jspecify;

    exports dev.ostinato.nn;
}
