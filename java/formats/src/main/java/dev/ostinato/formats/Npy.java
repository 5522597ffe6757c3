package dev.ostinato.formats;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// NumPy's file of one array, as `numpy.save` writes it.
///
/// Read are the versions 1.0 to 3.0 with booleans, integers, and floats of 16, 32 and 64 bits, little-endian. Elements keep their type:
/// nothing is rounded unless [Tensor#toFloats] is asked to. An array in Fortran order is put in C order. Refused are big-endian
/// arrays, records, text and Python objects; and a file that is longer than its array, which NumPy lets pass.
///
/// @see <a href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">the format</a>
public final class Npy {
    private static final int CHUNK = 1 << 16;

    private Npy() {}

    /// Reads a file and checks all of it but the values of its elements. The tensor's name is empty.
    ///
    /// @throws FormatException if it is damaged, holds something else, or is too large for the memory that there is
    /// @throws IOException if it cannot be read
    public static Tensor read(Path path) throws IOException {
        requireFile(path);
        try (InputStream in = Files.newInputStream(path)) {
            return read(new ArrayFile(path, ""), in, Files.size(path));
        }
    }

    /// Creates or replaces a file, as [AtomicFile#write] does. The bytes are those that `numpy.save` writes.
    ///
    /// @throws IllegalArgumentException if NumPy does not have the type: BF16, F8_E5M2, F8_E4M3
    /// @throws IOException if the file cannot be written
    public static void write(Path path, Tensor tensor) throws IOException {
        byte[] header = header(tensor);
        AtomicFile.write(path, channel -> {
            writeFully(channel, header);
            forEachChunk(tensor, chunk -> writeFully(channel, chunk));
        });
    }

    static void requireFile(Path path) throws FormatException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new FormatException(path, "expected a regular file, got "
                    + (Files.isDirectory(path) ? "a directory" : "a special file"));
        }
    }

    /// Returns what comes before the elements. @throws IllegalArgumentException if NumPy does not have the type
    static byte[] header(Tensor tensor) {
        if (!NpyHeader.canHold(tensor.dtype())) {
            throw new IllegalArgumentException("tensor " + FormatException.quote(tensor.name())
                    + ": expected a type that NumPy has, got " + tensor.dtype());
        }
        return new NpyHeader(tensor.dtype(), false, tensor.shape()).encode();
    }

    /// Hands over the elements' bytes in pieces.
    static void forEachChunk(Tensor tensor, AtomicFile.IOConsumer<byte[]> sink) throws IOException {
        long size = tensor.data().byteSize();
        for (long offset = 0; offset < size; offset += CHUNK) {
            sink.accept(tensor.data().asSlice(offset, Math.min(CHUNK, size - offset)).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /// Reads an array of `size` bytes, header included, up to the end of a stream. Memory for elements is asked for only when
    /// their number has turned out to be the one that the size leaves room for.
    static Tensor read(ArrayFile file, InputStream in, long size) throws IOException {
        byte[] start = in.readNBytes(NpyHeader.MAGIC.length + 2);
        if (start.length < NpyHeader.MAGIC.length + 2
                || !Arrays.equals(start, 0, NpyHeader.MAGIC.length, NpyHeader.MAGIC, 0, NpyHeader.MAGIC.length)) {
            throw file.damaged("expected an array of NumPy, got something else");
        }
        int major = start[NpyHeader.MAGIC.length];
        int minor = start[NpyHeader.MAGIC.length + 1];
        if (major < 1 || major > 3 || minor != 0) {
            throw file.damaged("expected version 1.0, 2.0 or 3.0, got " + (major & 0xff) + "." + (minor & 0xff));
        }
        int lengthBytes = major == 1 ? 2 : 4;
        long length = length(readFully(file, in, lengthBytes));
        if (length > NpyHeader.MAX_LENGTH) {
            throw file.damaged("header: expected at most " + NpyHeader.MAX_LENGTH + " bytes, got " + length);
        }
        NpyHeader header = NpyHeaderParser.parse(file, readFully(file, in, (int) length), major == 3);
        long bytes = byteSize(file, header);
        long left = size - start.length - lengthBytes - length;
        if (bytes != left) {
            throw file.damaged("expected " + bytes + " bytes for " + header + ", got " + left);
        }
        MemorySegment data = elements(file, in, bytes);
        return new Tensor(file.entry(), header.dtype(), header.shape(),
                header.fortranOrder() ? inCOrder(file, header, data) : data);
    }

    private static long length(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return bytes.length == 2 ? Short.toUnsignedInt(buffer.getShort()) : Integer.toUnsignedLong(buffer.getInt());
    }

    private static byte[] readFully(ArrayFile file, InputStream in, int count) throws IOException {
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) {
            throw file.damaged("header: expected " + count + " more bytes, got " + bytes.length);
        }
        return bytes;
    }

    private static long byteSize(ArrayFile file, NpyHeader header) throws FormatException {
        try {
            return header.dtype().byteSize(header.shape());
        } catch (ArithmeticException e) {
            throw file.damaged("expected a size below 2^63 bytes, got " + header);
        }
    }

    /// Reads bytes up to the end of a stream, which must be so many.
    static MemorySegment elements(ArrayFile file, InputStream in, long size) throws IOException {
        MemorySegment data = allocate(file, size);
        byte[] buffer = new byte[(int) Math.min(size + 1, CHUNK)];
        long filled = 0;
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            if (count > size - filled) {
                throw file.damaged("expected the end after " + size + " bytes of elements, got more");
            }
            MemorySegment.copy(MemorySegment.ofArray(buffer), 0, data, filled, count);
            filled += count;
        }
        if (filled < size) {
            throw file.damaged("expected " + size + " bytes of elements, got " + filled);
        }
        return data;
    }

    static MemorySegment allocate(ArrayFile file, long size) throws FormatException {
        try {
            return Arena.ofAuto().allocate(size, 64);
        } catch (OutOfMemoryError e) {
            // The limit on direct memory, not the heap's end: everything else goes on.
            throw file.damaged("expected an array that fits the memory, got " + size + " bytes");
        }
    }

    private static MemorySegment inCOrder(ArrayFile file, NpyHeader header, MemorySegment source)
            throws FormatException {
        MemorySegment target = allocate(file, source.byteSize());
        long[] shape = header.shape();
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int d = 0; d < shape.length; d++) {
            strides[d] = stride;
            stride *= shape[d];
        }
        Strided.copy(source, shape, strides, header.dtype().bytes(), target);
        return target;
    }

    private static void writeFully(WritableByteChannel channel, byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }
}
