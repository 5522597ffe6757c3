package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ostinato.formats.Pickled.Storage;
import dev.ostinato.formats.Pickled.View;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// The files in a PyTorch file: `NAME/data.pkl`, `NAME/data/KEY` for each storage, `NAME/byteorder` and others that do not matter here.
final class TorchArchive {
    private static final String PICKLE = "/data.pkl";
    /// A hundred thousand tensors, and then some.
    private static final int MAX_ENTRIES = 200_000;

    private final Path path;
    private final ZipFile zip;
    private final Map<String, ZipEntry> entries;
    private final String prefix;
    private final Map<String, MemorySegment> storages = new HashMap<>();

    private TorchArchive(Path path, ZipFile zip, Map<String, ZipEntry> entries, String prefix) {
        this.path = path;
        this.zip = zip;
        this.entries = entries;
        this.prefix = prefix;
    }

    /// Looks at what an opened file claims to have in it, and compares it with its size.
    static TorchArchive of(Path path, ZipFile zip, long fileSize) throws FormatException {
        Map<String, ZipEntry> entries = entries(path, zip);
        List<String> pickles = entries.keySet().stream().filter(name -> name.endsWith(PICKLE)).toList();
        if (pickles.size() != 1) {
            throw new FormatException(path,
                    "expected a file of PyTorch, with data.pkl in a folder, got a zip file with "
                            + pickles.size() + " of these");
        }
        String prefix = pickles.getFirst().substring(0, pickles.getFirst().length() - PICKLE.length() + 1);
        if (entries.containsKey(prefix + "constants.pkl")) {
            throw new FormatException(path, "expected a state dict, got a TorchScript program; "
                    + "torch.save(torch.jit.load(FILE).state_dict(), NEW_FILE) in Python writes one");
        }
        checkSizes(path, entries, fileSize);
        return new TorchArchive(path, zip, entries, prefix);
    }

    private static Map<String, ZipEntry> entries(Path path, ZipFile zip) throws FormatException {
        if (zip.size() > MAX_ENTRIES) {
            throw new FormatException(path, "expected at most " + MAX_ENTRIES + " files in it, got " + zip.size());
        }
        Map<String, ZipEntry> entries = new HashMap<>();
        for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements();) {
            ZipEntry entry = all.nextElement();
            if (entries.put(entry.getName(), entry) != null) {
                throw damaged(path, entry, "expected it once, got it twice");
            }
        }
        return entries;
    }

    private static void checkSizes(Path path, Map<String, ZipEntry> entries, long fileSize) throws FormatException {
        long total = 0;
        for (ZipEntry entry : entries.values()) {
            if (entry.getMethod() != ZipEntry.STORED || entry.getSize() != entry.getCompressedSize()
                    || entry.getSize() < 0) {
                throw damaged(path, entry, "expected bytes as they are, as PyTorch stores them, got compressed ones");
            }
            // Entries that share bytes would let a small file become any number of large ones.
            total += entry.getSize();
            if (entry.getSize() > fileSize || total > fileSize) {
                throw damaged(path, entry, "expected at most the " + fileSize
                        + " bytes that the file has, with all others, got " + total);
            }
        }
    }

    /// Returns the pickle.
    byte[] pickle() throws IOException {
        ZipEntry entry = entry("data.pkl");
        if (entry.getSize() > PickleReader.maxLength()) {
            throw damaged(path, entry,
                    "expected at most " + PickleReader.maxLength() + " bytes, got " + entry.getSize());
        }
        return bytes(entry).toArray(ValueLayout.JAVA_BYTE);
    }

    /// Compares sizes of tensors with those of their storages.
    ///
    /// @param most how many times the bytes of the storages all tensors may have
    void checkSharing(Collection<View> views, int most) throws FormatException {
        Map<String, Storage> used = new HashMap<>();
        long stored = 0;
        long seen = 0;
        for (View view : views) {
            Storage storage = view.storage();
            if (!used.containsKey(storage.key())) {
                stored += checkedSize(storage);
                used.put(storage.key(), storage);
            }
            Storage first = used.get(storage.key());
            if (!first.equals(storage)) {
                throw damaged(path, entry("data/" + storage.key()),
                        "expected one storage, got " + first + " and " + storage);
            }
            seen = Math.addExact(seen, storage.dtype().byteSize(view.shape()));
        }
        if (seen / most > stored) {
            throw new FormatException(path, "expected tensors that have at most " + most + " times the " + stored
                    + " bytes of their storages, got " + seen);
        }
    }

    private long checkedSize(Storage storage) throws FormatException {
        ZipEntry entry = entry("data/" + storage.key());
        if (storage.size() > entry.getSize() || storage.size() * storage.dtype().bytes() != entry.getSize()) {
            throw damaged(path, entry, "expected " + storage.size() + " elements of type " + storage.dtype() + ", got "
                    + entry.getSize() + " bytes");
        }
        return entry.getSize();
    }

    /// Returns a tensor, once it has been [checked][#checkSharing].
    Tensor tensor(String name, View view) throws IOException {
        DType dtype = view.storage().dtype();
        MemorySegment storage = storage(view.storage());
        long size = dtype.byteSize(view.shape());
        MemorySegment data = storage.asSlice(size == 0 ? 0 : view.offset() * dtype.bytes());
        if (Strided.isInOrder(view.shape(), view.strides())) {
            return new Tensor(name, dtype, view.shape(), data.asSlice(0, size));
        }
        MemorySegment ordered = Npy.allocate(new ArrayFile(path, name), size);
        Strided.copy(data, view.shape(), view.strides(), dtype.bytes(), ordered);
        return new Tensor(name, dtype, view.shape(), ordered);
    }

    private MemorySegment storage(Storage storage) throws IOException {
        MemorySegment loaded = storages.get(storage.key());
        if (loaded == null) {
            loaded = bytes(entry("data/" + storage.key()));
            if (isBigEndian()) {
                reverse(loaded, storage.dtype().bytes());
            }
            storages.put(storage.key(), loaded);
        }
        return loaded;
    }

    private boolean isBigEndian() throws IOException {
        if (!entries.containsKey(prefix + "byteorder")) {
            return false; // older than that entry, and than the machines it is for
        }
        ZipEntry entry = entry("byteorder");
        String order = entry.getSize() > 6 ? "more" : new String(bytes(entry).toArray(ValueLayout.JAVA_BYTE), UTF_8);
        return switch (order) {
            case "little" -> false;
            case "big" -> true;
            default -> throw damaged(path, entry, "expected little or big, got " + FormatException.quote(order));
        };
    }

    private static void reverse(MemorySegment bytes, int width) {
        for (long i = 0; width > 1 && i < bytes.byteSize(); i += width) {
            for (int k = 0; k < width / 2; k++) {
                byte first = bytes.get(ValueLayout.JAVA_BYTE, i + k);
                bytes.set(ValueLayout.JAVA_BYTE, i + k, bytes.get(ValueLayout.JAVA_BYTE, i + width - 1 - k));
                bytes.set(ValueLayout.JAVA_BYTE, i + width - 1 - k, first);
            }
        }
    }

    private ZipEntry entry(String name) throws FormatException {
        ZipEntry entry = entries.get(prefix + name);
        if (entry == null) {
            throw new FormatException(path,
                    "expected a file " + FormatException.quote(prefix + name) + " in it, got none");
        }
        return entry;
    }

    private MemorySegment bytes(ZipEntry entry) throws IOException {
        CRC32 checksum = new CRC32();
        try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), checksum)) {
            MemorySegment bytes = Npy.elements(new ArrayFile(path, entry.getName()), in, entry.getSize());
            if (checksum.getValue() != entry.getCrc()) {
                throw damaged(path, entry,
                        String.format("expected the checksum %08x, got %08x", entry.getCrc(), checksum.getValue()));
            }
            return bytes;
        } catch (FormatException e) {
            throw e;
        } catch (IOException | IllegalArgumentException e) {
            throw new FormatException(path, FormatException.quote(entry.getName())
                    + ": expected a file in a zip file, got a damaged one: " + Npz.reason(e), e);
        }
    }

    private static FormatException damaged(Path path, ZipEntry entry, String problem) {
        return new FormatException(path, FormatException.quote(entry.getName()) + ": " + problem);
    }
}
