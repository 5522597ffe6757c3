/** Model and array files. */
module dev.ostinato.formats {
    requires transitive dev.ostinato.nn;
    requires tools.jackson.core;
    requires static org.jspecify;

    exports dev.ostinato.formats;
    exports dev.ostinato.formats.onnx;
}
