/// Model and array files: read with suspicion, written whole or not at all.
///
/// A file is data from somewhere else. [SafeTensors#read] checks all of it before handing anything out, and
/// whatever its bytes are, the answer is a result or a [FormatException] that says what was expected, what came
/// and where:
///
/// ```java
/// SafeTensors file = SafeTensors.read(Path.of("model.safetensors"));
/// String about = file.metadata().get("about");
/// Tensor weights = file.tensor("lstm.weight_ih_l0");      // a view: nothing is copied yet
/// float[] values = weights.toFloats();                    // F16, BF16, F64, integers: all become f32 here
/// ```
///
/// A [Tensor] is a [DType], a shape and read-only little-endian bytes. Writing goes the other way:
///
/// ```java
/// new SafeTensors.Writer()
///         .add("lstm.weight_ih_l0", DType.BF16, new long[] {512, 64}, values)
///         .metadata(Map.of("about", "a small LSTM"))
///         .write(Path.of("model.safetensors"));
/// ```
///
/// [Npy] and [Npz] read and write the same tensors as NumPy's files.
///
/// [PyTorchFile] reads what `torch.save` writes, as tensors and nothing else; [FileFormat] tells by its first bytes which reader a file is for.
///
/// A [ModelFile] is a file of safetensors that holds a whole model, and a [Checkpoint] one that holds its training as well. Files that do not say
/// what model they hold are read too, as far as names and shapes of their tensors tell ([ImportHints]).
///
/// The same tensors give the same bytes, and they are those of the Python reference. Files reach their place through
/// [AtomicFile]: a reader sees the old file or the new one, and so does the next start after a power cut.
@NullMarked
package dev.ostinato.formats;

import org.jspecify.annotations.NullMarked;
