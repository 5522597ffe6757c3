package dev.ostinato.formats;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// What a [PickleReader] may find in a pickle: data, and a few names that stand for data.
sealed interface Pickled {
    /// Values that there is one of.
    enum Constant implements Pickled {
        NONE, TRUE, FALSE
    }

    /// A string.
    record Text(String value) implements Pickled {}

    /// An integer of up to 64 bits.
    record Whole(long value) implements Pickled {}

    /// A float of 64 bits.
    record Real(double value) implements Pickled {}

    /// A tuple, or a `torch.Size`.
    record Tuple(List<Pickled> items) implements Pickled {
        public Tuple {
            items = List.copyOf(items);
        }
    }

    /// A list, which may hold itself.
    final class Items implements Pickled {
        final List<Pickled> values = new ArrayList<>();
    }

    /// A dict, which may hold itself. Keys are a String or a Long.
    final class Dict implements Pickled {
        final SequencedMap<Object, Pickled> values = new LinkedHashMap<>();
    }

    /// A name of Python's that stands for data here; nothing is ever looked up by it, and nothing called.
    enum Global implements Pickled {
        ORDERED_DICT, SIZE, REBUILD_TENSOR, REBUILD_PARAMETER,
        F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL
    }

    /// Elements in a file of the archive.
    ///
    /// @param key its name
    /// @param size how many there should be
    record Storage(String key, DType dtype, long size) implements Pickled {}

    /// A view of a storage: element (i, j, ...) is at `offset + i * strides[0] + j * strides[1] + ...`, and is in the storage.
    @SuppressWarnings("ArrayRecordComponent") // within the package, and never compared
    record View(Storage storage, long offset, long[] shape, long[] strides) implements Pickled {}
}
