package dev.ostinato.formats;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Collections;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/// NumPy's archive of named arrays, as `numpy.savez` and `numpy.savez_compressed` write it: a zip file of [Npy] files.
/// Immutable and safe for all threads.
public final class Npz {
    private static final String SUFFIX = ".npy";
    /// What one byte of deflate can become at most.
    private static final long MAX_EXPANSION = 1032;
    /// As NumPy has it: an archive tells nothing of when it was made, and the same arrays give the same bytes.
    private static final LocalDateTime EPOCH = LocalDateTime.of(1980, 1, 1, 0, 0);

    private final Path path;
    private final SequencedMap<String, Tensor> tensors;

    private Npz(Path path, SequencedMap<String, Tensor> tensors) {
        this.path = path;
        this.tensors = Collections.unmodifiableSequencedMap(tensors);
    }

    /// Reads a file with all its arrays, under the rules of [Npy], and checks their checksums.
    ///
    /// An array that claims more than its compressed bytes can hold is refused before any memory is asked for; one that
    /// really is that large takes what the limit on direct memory leaves, and is refused beyond it.
    ///
    /// @throws FormatException if it is damaged, holds something else, or is too large for the memory that there is
    /// @throws IOException if it cannot be read
    public static Npz read(Path path) throws IOException {
        Npy.requireFile(path);
        long size = Files.size(path);
        try (ZipFile zip = open(path, "of arrays")) {
            checkEntries(path, zip, size);
            SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
            for (Enumeration<? extends ZipEntry> entries = zip.entries(); entries.hasMoreElements();) {
                ZipEntry entry = entries.nextElement();
                Tensor tensor = read(path, zip, entry);
                tensors.put(tensor.name(), tensor);
            }
            return new Npz(path, tensors);
        }
    }

    /// Opens a zip file. @throws FormatException if it is none
    static ZipFile open(Path path, String kind) throws IOException {
        try {
            return new ZipFile(path.toFile());
        } catch (FileSystemException | FileNotFoundException e) {
            throw e;
        } catch (IOException | IllegalArgumentException e) {
            // Damage shows in many ways: a ZipException, the end of the file, a negative offset.
            throw new FormatException(path, "expected a zip file " + kind + ", got a damaged one or none: "
                    + reason(e), e);
        }
    }

    private static void checkEntries(Path path, ZipFile zip, long fileSize) throws FormatException {
        Set<String> names = new HashSet<>();
        long compressed = 0;
        for (Enumeration<? extends ZipEntry> entries = zip.entries(); entries.hasMoreElements();) {
            ZipEntry entry = entries.nextElement();
            String name = entry.getName();
            if (!name.endsWith(SUFFIX) || name.equals(SUFFIX)) {
                throw new FormatException(path, "expected files named NAME" + SUFFIX + ", got "
                        + FormatException.quote(name));
            }
            if (!names.add(name)) {
                throw new FormatException(path, "expected every name once, got " + FormatException.quote(name)
                        + " twice");
            }
            // Entries that share bytes would let a small file become any number of large arrays.
            compressed += entry.getCompressedSize();
            if (entry.getCompressedSize() < 0 || entry.getCompressedSize() > fileSize || compressed > fileSize) {
                throw file(path, entry).damaged("expected at most the " + fileSize
                        + " bytes that the file has, with all before it, got " + compressed);
            }
            if (entry.getSize() < 0 || entry.getSize() / MAX_EXPANSION > entry.getCompressedSize()) {
                throw file(path, entry).damaged("expected at most " + MAX_EXPANSION + " times its "
                        + entry.getCompressedSize() + " compressed bytes, got " + entry.getSize());
            }
        }
    }

    private static Tensor read(Path path, ZipFile zip, ZipEntry entry) throws IOException {
        ArrayFile file = file(path, entry);
        CRC32 checksum = new CRC32();
        try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), checksum)) {
            Tensor tensor = Npy.read(file, in, entry.getSize());
            if (checksum.getValue() != entry.getCrc()) {
                throw file.damaged(String.format("expected the checksum %08x, got %08x", entry.getCrc(),
                        checksum.getValue()));
            }
            return tensor;
        } catch (FormatException e) {
            throw e;
        } catch (IOException | IllegalArgumentException e) {
            throw new FormatException(path, "array " + FormatException.quote(file.entry())
                    + ": expected a file in a zip file, got a damaged one: " + reason(e), e);
        }
    }

    static String reason(Exception e) {
        // Streams say nothing of their end.
        return Objects.requireNonNullElse(e.getMessage(), "it ends too early");
    }

    private static ArrayFile file(Path path, ZipEntry entry) {
        return new ArrayFile(path, entry.getName().substring(0, entry.getName().length() - SUFFIX.length()));
    }

    /// Creates or replaces a file, as [AtomicFile#write] does, uncompressed as `numpy.savez` does. The same arrays in the same
    /// order give the same bytes.
    ///
    /// @param tensors with a name each
    /// @throws IllegalArgumentException if a name is empty or comes twice, or NumPy does not have a type
    /// @throws IOException if the file cannot be written
    public static void write(Path path, List<Tensor> tensors) throws IOException {
        Set<String> names = new HashSet<>();
        for (Tensor tensor : tensors) {
            if (tensor.name().isEmpty() || !names.add(tensor.name())) {
                throw new IllegalArgumentException("tensors: expected a name for each, got "
                        + FormatException.quote(tensor.name()) + (tensor.name().isEmpty() ? "" : " twice"));
            }
            Npy.header(tensor);
        }
        AtomicFile.write(path, channel -> {
            try (ZipOutputStream out = new ZipOutputStream(Channels.newOutputStream(channel))) {
                for (Tensor tensor : tensors) {
                    write(out, tensor);
                }
            }
        });
    }

    private static void write(ZipOutputStream out, Tensor tensor) throws IOException {
        ZipEntry entry = new ZipEntry(tensor.name() + SUFFIX);
        byte[] header = Npy.header(tensor);
        CRC32 checksum = new CRC32();
        checksum.update(header);
        Npy.forEachChunk(tensor, checksum::update);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(header.length + tensor.data().byteSize());
        entry.setCrc(checksum.getValue());
        entry.setTimeLocal(EPOCH);
        out.putNextEntry(entry);
        out.write(header);
        Npy.forEachChunk(tensor, out::write);
        out.closeEntry();
    }

    /// Returns the names of the arrays, in the order of the file.
    public SequencedSet<String> names() {
        return Collections.unmodifiableSequencedSet(tensors.sequencedKeySet());
    }

    /// Returns the array of this name.
    ///
    /// @throws FormatException if the file has none
    public Tensor tensor(String name) throws FormatException {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new FormatException(path, "expected an array " + FormatException.quote(name) + ", got "
                    + tensors.keySet().stream().limit(10).map(FormatException::quote).toList());
        }
        return tensor;
    }
}
