package dev.ostinato.formats;

import dev.ostinato.nn.EncoderDecoder;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// An encoder and a decoder in one safetensors file: their weights as F32, named as the modules `encoder` and `decoder` of one
/// PyTorch module would name theirs, and under the key `ostinato` of the metadata a description in JSON, with layers and a vocabulary
/// of each as in a [ModelFile]:
///
/// ```json
/// {"version": 1,
///  "encoder": {"layers": [{"type": "embedding", "vocabulary": 3, "size": 8},
///                         {"type": "recurrent", "cell": "lstm", "inputs": 8, "hidden": 16}],
///              "vocabulary": "abc"},
///  "decoder": {"layers": [{"type": "embedding", "vocabulary": 5, "size": 8},
///                         {"type": "recurrent", "cell": "lstm", "inputs": 8, "hidden": 16},
///                         {"type": "attention", "size": 16},
///                         {"type": "dense", "inputs": 32, "outputs": 5}]}}
/// ```
///
/// @param source the characters behind the tokens of the encoder, if they are some
/// @param target the characters behind those of the decoder
public record EncoderDecoderFile(EncoderDecoder model, Optional<Vocabulary> source, Optional<Vocabulary> target) {
    /// Creates or replaces a file. The same model gives the same bytes.
    ///
    /// @throws IllegalArgumentException if a vocabulary has another size than its model, or cannot be written in Unicode
    /// @throws IOException if the file cannot be written
    public static void write(Path file, EncoderDecoder model, @Nullable Vocabulary source, @Nullable Vocabulary target)
            throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        ModelFile.add(writer, model.tensors());
        PairDescription description = new PairDescription(
                new ModelDescription(model.encoder().layers(), Optional.ofNullable(source)),
                new ModelDescription(model.decoder().layers(), Optional.ofNullable(target)));
        writer.metadata(Map.of(ModelFile.KEY, description.encode())).write(file);
    }

    /// Reads a model onto the backend that `auto` picks. Sizes are believed only when the tensors have them.
    ///
    /// @throws FormatException if it is damaged, or holds no encoder and decoder of ours
    /// @throws IOException if it cannot be read
    public static EncoderDecoderFile read(Path file) throws IOException {
        SafeTensors tensors = SafeTensors.read(file);
        PairDescription description =
                ModelDescriptionParser.parsePair(file, ModelFile.description(tensors));
        ModelDescription encoder = description.encoder();
        ModelDescription decoder = description.decoder();
        try {
            EncoderDecoder model =
                    EncoderDecoder.of(encoder.layers(), decoder.layers(), ModelFile.weights(file, tensors,
                            EncoderDecoder.shapes(encoder.layers(), decoder.layers())));
            return new EncoderDecoderFile(model, encoder.vocabulary(), decoder.vocabulary());
        } catch (IllegalArgumentException e) {
            throw new FormatException(file, String.valueOf(e.getMessage()), e);
        }
    }
}
