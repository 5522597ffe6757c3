package dev.ostinato.examples;

import dev.ostinato.formats.ImportHints;
import dev.ostinato.formats.ModelFile;
import dev.ostinato.kernels.Activation;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import java.io.IOException;
import java.nio.file.Path;

/** Models that were trained in PyTorch. */
public final class Importing {
    private Importing() {}

    /** Reads a state dict whose names and shapes tell everything. */
    public static Model read(Path file) throws IOException {
        // readme: state-dict
        Model model = ModelFile.read(file).model(); // model.safetensors or model.pt
        // readme: end
        return model;
    }

    /** Reads a state dict with what its weights do not tell, and writes a model file of eight-bit weights. */
    public static void convert(Path file, Path converted) throws IOException {
        // readme: hints
        ImportHints hints = ImportHints.NONE.withNonlinearity(Activation.RELU).withModules("rnn", "head");
        Model model = ModelFile.read(file, hints).model();
        ModelFile.write(converted, model.withPrecision(Precision.INT8), null); // needs no hints to be read
        // readme: end
    }
}
