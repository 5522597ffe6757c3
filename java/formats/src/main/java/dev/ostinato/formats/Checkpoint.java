package dev.ostinato.formats;

import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Trainer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// A training at a moment, in one safetensors file that is a [ModelFile] as well: beside the weights lie the optimiser's
/// moments as `optimizer.first.<name>` and `optimizer.second.<name>`, the moving average of the weights, if there is one, as
/// `average.<name>`, and what the streams remember as `state.<name>`, all F32, and under the key `ostinato.training` of the metadata the rest in JSON:
///
/// ```json
/// {"version": 1, "step": 500, "position": 500, "options": {"cell": "lstm", "lr": "0.002"}}
/// ```
///
/// Every float comes back to the bit, so a training that goes on from here ends where it would have ended.
///
/// @param model the model with the weights of this moment
/// @param position where the training text is read next, see [dev.ostinato.nn.TokenStreams#position]
/// @param options whatever else must be the same for the training to go on, as text, in a fixed order
public record Checkpoint(ModelFile model, Trainer.Progress progress, long position,
        SequencedMap<String, String> options) {
    private static final String FIRST = "optimizer.first.";
    private static final String SECOND = "optimizer.second.";
    private static final String AVERAGE = "average.";
    private static final String STATE = "state.";

    public Checkpoint {
        options = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(options));
    }

    /// Creates or replaces a file, as [AtomicFile#write] does; the one that was there is kept as [#previous].
    ///
    /// @throws IOException if a file cannot be written; the old one is still in its place then
    public void write(Path file) throws IOException {
        SafeTensors.Writer writer = new SafeTensors.Writer();
        Map<String, String> metadata = new LinkedHashMap<>();
        ModelFile.add(writer, metadata, model.model(), model.vocabulary().orElse(null));
        add(writer, FIRST, progress.first());
        add(writer, SECOND, progress.second());
        add(writer, AVERAGE, progress.averages());
        add(writer, STATE, progress.states());
        metadata.put(TrainingDescription.KEY,
                new TrainingDescription(progress.step(), position, options).encode());
        writer.metadata(metadata);
        keepPrevious(file);
        writer.write(file);
    }

    /// Returns the name under which the generation before the last is kept: `<file>.previous`.
    public static Path previous(Path file) {
        return file.resolveSibling(file.getFileName() + ".previous");
    }

    /// Reads a training.
    ///
    /// @throws FormatException if the file is damaged, or a model without a training state
    /// @throws IOException if it cannot be read
    public static Checkpoint read(Path file) throws IOException {
        SafeTensors tensors = SafeTensors.read(file);
        ModelFile model = ModelFile.of(tensors, ImportHints.NONE);
        String json = tensors.metadata().get(TrainingDescription.KEY);
        if (json == null) {
            throw new FormatException(file, "expected a checkpoint, got a model without a training state");
        }
        TrainingDescription description = TrainingDescription.parse(file, json);
        List<NamedArray> weights = model.model().tensors();
        boolean averaged = tensors.names().stream().anyMatch(name -> name.startsWith(AVERAGE));
        Trainer.Progress progress = new Trainer.Progress(description.step(), like(file, tensors, FIRST, weights),
                like(file, tensors, SECOND, weights), averaged ? like(file, tensors, AVERAGE, weights) : List.of(),
                states(file, tensors));
        return new Checkpoint(model, progress, description.position(), description.options());
    }

    private static void add(SafeTensors.Writer writer, String prefix, List<NamedArray> arrays) {
        for (NamedArray array : arrays) {
            long[] shape = array.shape().stream().mapToLong(Integer::longValue).toArray();
            writer.add(prefix + array.name(), DType.F32, shape, array.data());
        }
    }

    /// A copy that takes the name in one move: at every moment both names are missing or have a whole file.
    private static void keepPrevious(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return;
        }
        AtomicFile.write(previous(file), target -> {
            try (FileChannel source = FileChannel.open(file)) {
                long at = 0;
                while (at < source.size()) {
                    at += source.transferTo(at, source.size() - at, target);
                }
            }
        });
    }

    /// The tensors of a kind that there is one of for each weight.
    private static List<NamedArray> like(Path file, SafeTensors tensors, String prefix, List<NamedArray> weights)
            throws FormatException {
        List<NamedArray> found = new ArrayList<>();
        for (NamedArray weight : weights) {
            NamedArray array = array(file, weight.name(), tensors.tensor(prefix + weight.name()));
            if (!array.shape().equals(weight.shape())) {
                throw new FormatException(file, "tensor " + FormatException.quote(prefix + weight.name())
                        + ": expected shape " + weight.shape() + ", got " + array.shape());
            }
            found.add(array);
        }
        return found;
    }

    private static List<NamedArray> states(Path file, SafeTensors tensors) throws FormatException {
        List<NamedArray> states = new ArrayList<>();
        for (String name : tensors.names()) {
            if (name.startsWith(STATE)) {
                states.add(array(file, name.substring(STATE.length()), tensors.tensor(name)));
            }
        }
        return states;
    }

    private static NamedArray array(Path file, String name, Tensor tensor) throws FormatException {
        if (tensor.dtype() != DType.F32 || tensor.size() > Integer.MAX_VALUE - 8
                || Arrays.stream(tensor.shape()).anyMatch(dimension -> dimension > Integer.MAX_VALUE)) {
            throw new FormatException(file, "tensor " + FormatException.quote(tensor.name())
                    + ": expected F32 of less than 2^31 elements, got " + tensor.dtype() + " "
                    + Arrays.toString(tensor.shape()));
        }
        List<Integer> shape = Arrays.stream(tensor.shape()).mapToObj(Math::toIntExact).toList();
        return new NamedArray(name, shape, tensor.toFloats());
    }
}
