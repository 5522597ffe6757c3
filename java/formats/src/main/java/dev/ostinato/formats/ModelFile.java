package dev.ostinato.formats;

import dev.ostinato.nn.Layer;
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

/// A whole model in one safetensors file: its weights with PyTorch's names and shapes as F32, or at the [dev.ostinato.nn.Precision] that the
/// model computes with, and under the key `ostinato` of the metadata a description in JSON:
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

    /// Creates or replaces a file. The same model gives the same bytes. Weights that a step multiplies are stored at the precision of the
    /// model, so that what is read computes the same bits; call [Model#withPrecision] before to choose, and keep the exact model to train on.
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
    /// A file without a description is taken for the state dict of a PyTorch model: names and shapes of its tensors say which modules there
    /// are, and in which order they feed one another, as far as they can. See [ImportHints] for the rest. There is no vocabulary then.
    ///
    /// @throws FormatException if it is damaged, or holds no model, or its tensors do not tell which
    /// @throws IOException if it cannot be read
    public static ModelFile read(Path file) throws IOException {
        return read(file, ImportHints.NONE);
    }

    /// As [#read(Path)], with what the tensors do not tell.
    ///
    /// @throws FormatException also if there are hints for a file that needs none
    public static ModelFile read(Path file, ImportHints hints) throws IOException {
        return of(tensors(file, hints), hints);
    }

    /// Opens a file with the reader for what it begins with.
    private static TensorFile tensors(Path file, ImportHints hints) throws IOException {
        return switch (FileFormat.of(file)) {
            case SAFETENSORS -> {
                if (hints.stateDict().isPresent()) {
                    throw new FormatException(file, "expected a file of PyTorch for --state-dict "
                            + hints.stateDict().get() + ", got safetensors, which are one state dict");
                }
                yield SafeTensors.read(file);
            }
            case PYTORCH, PYTORCH_LEGACY -> PyTorchFile.read(file, hints.stateDict());
            case ONNX -> throw new FormatException(file,
                    "expected the weights of a model, got a graph of ONNX, which OnnxModel reads; on the command line run and inspect do");
        };
    }

    /// Adds a model to a file that is being put together.
    static void add(SafeTensors.Writer writer, Map<String, String> metadata, Model model,
            @Nullable Vocabulary vocabulary) {
        metadata.put(KEY, new ModelDescription(model.layers(), Optional.ofNullable(vocabulary)).encode());
        NarrowWeights.add(writer, model);
    }

    /// Adds weights to a file that is being put together.
    static void add(SafeTensors.Writer writer, List<NamedArray> tensors) {
        for (NamedArray tensor : tensors) {
            long[] shape = tensor.shape().stream().mapToLong(Integer::longValue).toArray();
            writer.add(tensor.name(), DType.F32, shape, tensor.data());
        }
    }

    /// Takes the model out of an opened file.
    static ModelFile of(TensorFile tensors, ImportHints hints) throws FormatException {
        try {
            return tensors.metadata().containsKey(KEY) ? described(tensors, hints) : inferred(tensors, hints);
        } catch (IllegalArgumentException e) {
            throw new FormatException(tensors.path(), String.valueOf(e.getMessage()), e);
        }
    }

    private static ModelFile described(TensorFile tensors, ImportHints hints) throws FormatException {
        Path file = tensors.path();
        if (!hints.equals(ImportHints.NONE)) {
            throw new FormatException(file,
                    "expected no hints, since there is a description of the model, got " + hints);
        }
        ModelDescription description = ModelDescriptionParser.parse(file, description(tensors));
        List<TensorShape> shapes = Model.shapes(description.layers());
        Model model = Model.of(description.layers(), weights(file, tensors, shapes));
        return new ModelFile(model.withPrecision(NarrowWeights.precision(tensors, shapes)), description.vocabulary());
    }

    private static ModelFile inferred(TensorFile tensors, ImportHints hints) throws FormatException {
        List<TorchModule.Part> parts = StateDict.parts(tensors, hints);
        List<Layer> layers = parts.stream().map(TorchModule.Part::layer).toList();
        return new ModelFile(Model.of(layers, StateDict.weights(tensors, parts, Model.shapes(layers))),
                Optional.empty());
    }

    /// Returns the description in JSON.
    static String description(TensorFile tensors) throws FormatException {
        String json = tensors.metadata().get(KEY);
        if (json == null) {
            throw new FormatException(tensors.path(),
                    "expected a model with a description in the metadata under \"" + KEY
                            + "\", got " + tensors.names().size() + " tensors without one");
        }
        return json;
    }

    /// Takes the weights of some shapes out of an opened file.
    static List<NamedArray> weights(Path file, TensorFile tensors, List<TensorShape> shapes) throws FormatException {
        // All are checked before the first is copied.
        if (shapes.isEmpty()) {
            throw new FormatException(file, "layers: expected at least one with weights, got none");
        }
        for (TensorShape expected : shapes) {
            Tensor tensor = tensors.tensor(expected.name());
            if (!NarrowWeights.isWeight(tensor, expected)
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
            weights.add(array(tensors, expected.name(), expected));
        }
        return weights;
    }

    /// Takes a tensor that has this shape out of a file, under the name that goes with it.
    static NamedArray array(TensorFile tensors, String name, TensorShape as) throws FormatException {
        List<Integer> shape = as.dimensions().stream().map(Math::toIntExact).toList();
        Tensor tensor = tensors.tensor(name);
        return new NamedArray(as.name(), shape,
                tensor.dtype() == DType.I8 ? NarrowWeights.floats(tensors, tensor) : tensor.toFloats());
    }
}
