package dev.ostinato.formats;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// Which reader a file of weights is for. Its first bytes tell, whatever its name is.
public enum FileFormat {
    /// [SafeTensors], and whatever nothing else begins like: its reader says what is wrong with it.
    SAFETENSORS,
    /// What `torch.save` writes: a zip file, which [PyTorchFile] reads.
    PYTORCH,
    /// What `torch.save` wrote before PyTorch 1.6, and writes without zip: a pickle. No reader.
    PYTORCH_LEGACY,
    /// A graph of ONNX, which [dev.ostinato.formats.onnx.OnnxFile] reads. Not weights alone.
    ONNX;

    private static final int ZIP = 'P' << 8 | 'K';
    private static final int PICKLE = 0x80;
    /// The field of the format's version, the first of all that exporters write.
    private static final int IR_VERSION = 0x08;
    private static final int MOST_IR_VERSIONS = 32;

    /// Looks at the first bytes of a file.
    ///
    /// @throws IOException if it cannot be read
    public static FileFormat of(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return SAFETENSORS; // whose reader says what it is instead
        }
        byte[] start;
        try (InputStream in = Files.newInputStream(file)) {
            start = in.readNBytes(9);
        }
        if (start.length >= 2 && ((start[0] & 0xff) << 8 | (start[1] & 0xff)) == ZIP) {
            return PYTORCH;
        }
        // A header of safetensors can be 0x80 bytes long too, but then it begins behind its length.
        boolean json = start.length == 9 && start[8] == '{';
        if (json || start.length < 2) {
            return SAFETENSORS;
        }
        if (start[0] == IR_VERSION && start[1] > 0 && start[1] < MOST_IR_VERSIONS) {
            return ONNX;
        }
        return (start[0] & 0xff) == PICKLE ? PYTORCH_LEGACY : SAFETENSORS;
    }
}
