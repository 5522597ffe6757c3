/** Runs ONNX models. */
module dev.ostinato.onnx {
    requires transitive dev.ostinato.formats;
    requires static org.jspecify;

    exports dev.ostinato.onnx;
}
