package dev.ostinato.formats;

import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.TensorShape;
import dev.ostinato.nn.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A whole model in one safetensors file: its weights with PyTorch's names and shapes as F32, and under the key `ostinato` of
/// the metadata a description in JSON:
///
/// ```json
/// {"version": 1,
///  "layers": [{"type": "embedding", "vocabulary": 3, "size": 8},
///             {"type": "recurrent", "cell": "lstm", "inputs": 8, "hidden": 16},
///             {"type": "dropout", "size": 16, "rate": 0.5},
///             {"type": "dense", "inputs": 16, "outputs": 3}],
///  "vocabulary": "abc"}
/// ```
///
/// The other types are `one-hot` with `vocabulary` and `features` with `size`; cells are those of
/// [dev.ostinato.nn.CellType#label]. A recurrent layer may have the rates `recurrent-dropout`, `drop-connect`, `zoneout` and
/// `cell-zoneout` of [dev.ostinato.nn.Regularization], dropout the `scope` `stream`, and `residual` has `size` and `span`. The vocabulary is there for models of text. Other tensors and other metadata may be in
/// the file as well, and are ignored.
///
/// @param vocabulary the characters behind the tokens, for a model of text
public record ModelFile(Model model, Optional<Vocabulary> vocabulary) {
    /// The key of the description in the metadata.
    static final String KEY = "ostinato";

    /// Creates or replaces a file. The same model gives the same bytes.
    ///
    /// @throws IllegalArgumentException if the vocabulary has another size than the model, or cannot be written in Unicode
    /// @throws IOException if the file cannot be written
    public static void write(Path file, Model model, @Nullable Vocabulary vocabulary) throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        Map<String, String> metadata = new LinkedHashMap<>();
        add(writer, metadata, model, vocabulary);
        writer.metadata(metadata).write(file);
    }

    /// Reads a model onto the backend that `auto` picks. Sizes are believed only when the tensors have them.
    ///
    /// @throws FormatException if it is damaged, or is a safetensors file without a model of ours
    /// @throws IOException if it cannot be read
    public static ModelFile read(Path file) throws IOException {
        return of(file, SafeTensors.read(file));
    }

    /// Adds a model to a file that is being put together.
    static void add(SafeTensors.Writer writer, Map<String, String> metadata, Model model,
            @Nullable Vocabulary vocabulary) {
        metadata.put(KEY, new ModelDescription(model.layers(), Optional.ofNullable(vocabulary)).encode());
        add(writer, model.tensors());
    }

    /// Adds weights to a file that is being put together.
    static void add(SafeTensors.Writer writer, List<NamedArray> tensors) {
        for (NamedArray tensor : tensors) {
            long[] shape = tensor.shape().stream().mapToLong(Integer::longValue).toArray();
            writer.add(tensor.name(), DType.F32, shape, tensor.data());
        }
    }

    /// Takes the model out of an opened file.
    static ModelFile of(Path file, SafeTensors tensors) throws FormatException {
        ModelDescription description = ModelDescriptionParser.parse(file, description(file, tensors));
        try {
            List<NamedArray> weights = weights(file, tensors, Model.shapes(description.layers()));
            return new ModelFile(Model.of(description.layers(), weights), description.vocabulary());
        } catch (IllegalArgumentException e) {
            throw new FormatException(file, String.valueOf(e.getMessage()), e);
        }
    }

    /// Returns the description in JSON.
    static String description(Path file, SafeTensors tensors) throws FormatException {
        String json = tensors.metadata().get(KEY);
        if (json == null) {
            throw new FormatException(file, "expected a model with a description in the metadata under \"" + KEY
                    + "\", got " + tensors.names().size() + " tensors without one");
        }
        return json;
    }

    /// Takes the weights of some shapes out of an opened file.
    static List<NamedArray> weights(Path file, SafeTensors tensors, List<TensorShape> shapes) throws FormatException {
        // All are checked before the first is copied.
        if (shapes.isEmpty()) {
            throw new FormatException(file, "layers: expected at least one with weights, got none");
        }
        for (TensorShape expected : shapes) {
            Tensor tensor = tensors.tensor(expected.name());
            if (tensor.dtype() != DType.F32
                    || !expected.dimensions().equals(Arrays.stream(tensor.shape()).boxed().toList())
                    || tensor.size() > Integer.MAX_VALUE - 8) {
                throw new FormatException(file, "tensor " + FormatException.quote(tensor.name()) + ": expected F32 "
                        + expected.dimensions() + " of less than 2^31 elements, got " + tensor.dtype()
                        + " "
                        + Arrays.toString(tensor.shape()));
            }
        }
        List<NamedArray> weights = new ArrayList<>();
        for (TensorShape expected : shapes) {
            List<Integer> shape = expected.dimensions().stream().map(Math::toIntExact).toList();
            weights.add(new NamedArray(expected.name(), shape, tensors.tensor(expected.name()).toFloats()));
        }
        return weights;
    }
}
