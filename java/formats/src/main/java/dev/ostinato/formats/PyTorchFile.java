package dev.ostinato.formats;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.zip.ZipFile;

/// The tensors of a state dict that `torch.save` wrote: `.pt`, `.pth` or `.bin`, since PyTorch 1.6. Immutable and safe for all threads.
///
/// ```java
/// PyTorchFile file = PyTorchFile.read(Path.of("model.pt"));
/// float[] values = file.tensor("lstm.weight_ih_l0").toFloats();
/// ```
///
/// Such a file is a zip file of storages and of a pickle, a program that makes tensors of them when Python runs it. Here nothing is run:
/// instructions and names that data are made with are known, and any other is refused by its name. Files are not taken at their word
/// either: whatever is claimed is compared with what is there before any memory is asked for. Tensors that share a storage share it
/// here too; those whose elements are in another order are copied into theirs. Files of machines with the other byte order are turned round.
///
/// The state dict is the object itself, or the one dict of tensors in it, as in `{"epoch": 3, "model": {...}, "optimizer": {...}}`.
///
/// @see <a href="https://pytorch.org/docs/stable/notes/serialization.html">the format</a>
public final class PyTorchFile implements TensorFile {
    /// All tensors together may have so many times the bytes of their storages, so that a small file stays small.
    private static final int MAX_SHARING = 8;

    private final NamedTensors tensors;

    private PyTorchFile(NamedTensors tensors) {
        this.tensors = tensors;
    }

    /// Reads the only state dict of a file.
    ///
    /// @throws FormatException if it is damaged, holds something else, several state dicts, or none, or is too large for the memory that
    ///     there is
    /// @throws IOException if it cannot be read
    public static PyTorchFile read(Path path) throws IOException {
        return read(path, Optional.empty());
    }

    /// Reads one state dict of a file.
    ///
    /// @param stateDict its key; behind a dot the one in the dict of that key, such as `ema.model`
    /// @throws FormatException also if there is no such dict of tensors
    public static PyTorchFile read(Path path, String stateDict) throws IOException {
        return read(path, Optional.of(stateDict));
    }

    static PyTorchFile read(Path path, Optional<String> stateDict) throws IOException {
        Npy.requireFile(path);
        if (FileFormat.of(path) == FileFormat.PYTORCH_LEGACY) {
            throw new FormatException(path,
                    "expected a file of PyTorch 1.6 or newer, got a pickle alone, as older ones wrote it; "
                            + "torch.save(torch.load(FILE, map_location=\"cpu\"), NEW_FILE) in Python writes it anew");
        }
        try (ZipFile zip = Npz.open(path, "of PyTorch")) {
            TorchArchive archive = TorchArchive.of(path, zip, Files.size(path));
            Pickled object = PickleReader.read(path, archive.pickle());
            return new PyTorchFile(
                    new NamedTensors(path, tensors(archive, StateDicts.choose(path, object, stateDict))));
        }
    }

    private static SequencedMap<String, Tensor> tensors(TorchArchive archive, SequencedMap<String, Pickled.View> views)
            throws IOException {
        archive.checkSharing(views.values(), MAX_SHARING);
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, Pickled.View> named : views.entrySet()) {
            tensors.put(named.getKey(), archive.tensor(named.getKey(), named.getValue()));
        }
        return tensors;
    }

    @Override
    public Path path() {
        return tensors.path();
    }

    /// Returns the names of the tensors, in the order of the state dict, which is mostly that in which its modules were made.
    @Override
    public SequencedSet<String> names() {
        return tensors.names();
    }

    @Override
    public Tensor tensor(String name) throws FormatException {
        return tensors.get(name);
    }

    /// Returns an empty map: the format has no place for text.
    @Override
    public SequencedMap<String, String> metadata() {
        return Collections.unmodifiableSequencedMap(new LinkedHashMap<>());
    }
}
