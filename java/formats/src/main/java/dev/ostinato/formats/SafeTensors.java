package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeMap;

/// A safetensors file: named tensors and text about them. Immutable and safe for all threads; its memory goes when
/// nobody holds it or one of its tensors.
///
/// @see <a href="https://huggingface.co/docs/safetensors">the format</a>
public final class SafeTensors implements TensorFile {
    private static final int CHUNK = 1 << 20;

    private static final Comparator<String> UTF8_ORDER = (a, b) -> Arrays.compareUnsigned(a.getBytes(UTF_8),
            b.getBytes(UTF_8));

    private final SequencedMap<String, String> metadata;
    private final NamedTensors tensors;

    private SafeTensors(Path file, Header header, MemorySegment data) {
        this.metadata = Collections.unmodifiableSequencedMap(header.metadata());
        SequencedMap<String, Tensor> byName = new LinkedHashMap<>();
        header.entries().forEach((name, entry) -> byName.put(name, new Tensor(name, entry.dtype, entry.shape,
                data.asSlice(entry.begin, entry.size()))));
        this.tensors = new NamedTensors(file, byName);
    }

    /// Reads a file and checks all of it but the values of its elements.
    ///
    /// Files up to 256 MB are copied, and whatever happens to them later has no effect. Greater ones, and those for
    /// which there is no direct memory left, are mapped: they may be replaced or deleted (as [Writer#write] does), but
    /// one that is changed in place changes the tensors, and one that is truncated makes access to them fail with
    /// an [InternalError].
    ///
    /// @throws FormatException if it is damaged
    /// @throws IOException if it cannot be read
    public static SafeTensors read(Path file) throws IOException {
        return parse(file, FileBytes.read(file));
    }

    static SafeTensors parse(Path file, MemorySegment bytes) throws FormatException {
        if (bytes.byteSize() < Header.LENGTH_BYTES) {
            throw new FormatException(file, "expected at least " + Header.LENGTH_BYTES + " bytes, got "
                    + bytes.byteSize());
        }
        long length = bytes.get(LittleEndian.I64, 0);
        long limit = Math.min(Header.MAX_LENGTH, bytes.byteSize() - Header.LENGTH_BYTES);
        if (length < 0 || length > limit) {
            throw new FormatException(file, "header: expected a length of at most " + limit + " bytes, got "
                    + Long.toUnsignedString(length) + " at byte 0");
        }
        MemorySegment data = bytes.asSlice(Header.LENGTH_BYTES + length);
        Header header = HeaderParser.parse(file, bytes.asSlice(Header.LENGTH_BYTES, length), data.byteSize());
        return new SafeTensors(file, header, data);
    }

    @Override
    public Path path() {
        return tensors.path();
    }

    /// Returns the names of the tensors, in the order of the header.
    @Override
    public SequencedSet<String> names() {
        return tensors.names();
    }

    /// Returns the tensor of this name.
    ///
    /// @throws FormatException if the file has none
    @Override
    public Tensor tensor(String name) throws FormatException {
        return tensors.get(name);
    }

    /// Returns the text of `__metadata__` in the order of the file, empty if there is none.
    @Override
    public SequencedMap<String, String> metadata() {
        return metadata;
    }

    /// Collects tensors and writes them as the reference does: by descending [DType], then by name in UTF-8; metadata
    /// by key; the data 8-byte aligned. The same input gives the same bytes, in whatever order it came. Not safe for
    /// several threads.
    public static final class Writer {
        private static final Set<DType> FLOATS = EnumSet.of(DType.F16, DType.BF16, DType.F32, DType.F64);

        private final Map<String, Tensor> tensors = new HashMap<>();
        private final SequencedMap<String, String> metadata = new TreeMap<>(UTF8_ORDER);

        /// Starts with no tensors and no metadata.
        public Writer() {}

        /// Adds a copy of floats to be stored as F64, F32, BF16 or F16, rounded to nearest, ties to even.
        ///
        /// @param shape must have `data.length` elements, here and below
        public Writer add(String name, DType dtype, long[] shape, float[] data) {
            if (!FLOATS.contains(dtype)) {
                throw refusal(name, "one of " + FLOATS + " for floats", dtype);
            }
            byte[] bytes = new byte[arraySize(name, dtype, data.length)];
            MemorySegment out = MemorySegment.ofArray(bytes);
            for (int i = 0; i < data.length; i++) {
                switch (dtype) {
                    case F64 -> out.set(LittleEndian.F64, 8L * i, data[i]);
                    case F32 -> out.set(LittleEndian.F32, 4L * i, data[i]);
                    case BF16 -> out.set(LittleEndian.I16, 2L * i, toBFloat16(data[i]));
                    case F16 -> out.set(LittleEndian.I16, 2L * i, Float.floatToFloat16(data[i]));
                    default -> throw new AssertionError(dtype);
                }
            }
            return add(name, dtype, shape, out);
        }

        /// Adds a copy of integers to be stored as BOOL or an integer type, whose range they must fit.
        public Writer add(String name, DType dtype, long[] shape, long[] data) {
            checkRange(name, dtype, data);
            byte[] bytes = new byte[arraySize(name, dtype, data.length)];
            for (int i = 0; i < data.length; i++) {
                for (int k = 0; k < dtype.bytes(); k++) {
                    bytes[i * dtype.bytes() + k] = (byte) (data[i] >> (8 * k));
                }
            }
            return add(name, dtype, shape, MemorySegment.ofArray(bytes));
        }

        /// As [#add(String, DType, long[], long[])].
        public Writer add(String name, DType dtype, long[] shape, int[] data) {
            return add(name, dtype, shape, Arrays.stream(data).asLongStream().toArray());
        }

        /// Adds a copy of the little-endian bytes of any type.
        public Writer add(String name, DType dtype, long[] shape, byte[] data) {
            return add(name, dtype, shape, MemorySegment.ofArray(data.clone()));
        }

        /// Adds the little-endian bytes of any type. Not copied: they must stay alive and as they are until written.
        ///
        /// @throws IllegalArgumentException if the name is taken, reserved or not Unicode, the shape has a negative
        ///     dimension or another size than the data, or a value does not fit the type
        public Writer add(String name, DType dtype, long[] shape, MemorySegment data) {
            if (name.equals(Header.METADATA) || !Header.isUnicode(name) || tensors.containsKey(name)) {
                throw refusal(name, "a new name in Unicode other than " + Header.METADATA, "this one");
            }
            if (byteSize(name, dtype, shape) != data.byteSize()) {
                throw refusal(name, byteSize(name, dtype, shape) + " bytes for " + dtype + " "
                        + Arrays.toString(shape), data.byteSize());
            }
            tensors.put(name, new Tensor(name, dtype, shape, data));
            return this;
        }

        /// Replaces the metadata by a copy of this.
        ///
        /// @throws IllegalArgumentException if a text is not Unicode
        public Writer metadata(Map<String, String> metadata) {
            this.metadata.clear();
            metadata.forEach((key, value) -> {
                if (!Header.isUnicode(key) || !Header.isUnicode(value)) {
                    throw new IllegalArgumentException("metadata " + FormatException.quote(key)
                            + ": expected Unicode text, got half a surrogate pair");
                }
                this.metadata.put(key, value);
            });
            return this;
        }

        /// Creates or replaces a file, as [AtomicFile#write] does.
        ///
        /// @throws FormatException if the header is one that [SafeTensors#read] would refuse, such as a too long one
        /// @throws IOException if the file cannot be written
        public void write(Path file) throws IOException {
            List<Tensor> sorted = tensors.values().stream()
                    .sorted(Comparator.comparing(Tensor::dtype).reversed()
                            .thenComparing(Tensor::name, UTF8_ORDER))
                    .toList();
            SequencedMap<String, Header.Entry> entries = new LinkedHashMap<>();
            long end = 0;
            for (Tensor tensor : sorted) {
                long begin = end;
                end += tensor.data().byteSize();
                entries.put(tensor.name(), new Header.Entry(tensor.dtype(), tensor.shape(), begin, end));
            }
            ByteBuffer start = encode(file, new Header(metadata, entries), end);
            AtomicFile.write(file, channel -> {
                writeFully(channel, start);
                for (Tensor tensor : sorted) {
                    write(channel, tensor.data());
                }
            });
        }

        private static ByteBuffer encode(Path file, Header header, long dataSize) throws FormatException {
            byte[] json = header.encode();
            if (json.length > Header.MAX_LENGTH) {
                throw new FormatException(file, "header: expected at most " + Header.MAX_LENGTH + " bytes, got "
                        + json.length);
            }
            // The reader's limits live in the reader alone: what it does not take back is not written.
            HeaderParser.parse(file, MemorySegment.ofArray(json), dataSize);
            return ByteBuffer.allocate(Header.LENGTH_BYTES + json.length).order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length).put(json).flip();
        }

        private static void write(WritableByteChannel channel, MemorySegment data) throws IOException {
            // In pieces: a channel copies what lies on the heap to direct memory, and keeps that for the thread.
            for (long offset = 0; offset < data.byteSize(); offset += CHUNK) {
                writeFully(channel, data.asSlice(offset, Math.min(CHUNK, data.byteSize() - offset)).asByteBuffer());
            }
        }

        private static void writeFully(WritableByteChannel channel, ByteBuffer buffer) throws IOException {
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }

        private static long byteSize(String name, DType dtype, long[] shape) {
            if (Arrays.stream(shape).anyMatch(dimension -> dimension < 0)) {
                throw refusal(name, "dimensions of at least 0", Arrays.toString(shape));
            }
            try {
                return dtype.byteSize(shape);
            } catch (ArithmeticException e) {
                throw refusal(name, "a size below 2^63 bytes", Arrays.toString(shape));
            }
        }

        private static int arraySize(String name, DType dtype, int count) {
            long size = (long) count * dtype.bytes();
            if (size > Integer.MAX_VALUE - 8) {
                throw refusal(name, "an array of less than 2 GB, or a MemorySegment", size + " bytes");
            }
            return (int) size;
        }

        private static void checkRange(String name, DType dtype, long[] data) {
            int bits = 8 * dtype.bytes();
            long min = switch (dtype) {
                case BOOL, U8, U16, U32, U64 -> 0;
                case I8, I16, I32, I64 -> Long.MIN_VALUE >> (64 - bits);
                case F8_E5M2, F8_E4M3, F16, BF16, F32, F64 ->
                        throw refusal(name, "BOOL or an integer type for integers", dtype);
            };
            long max = switch (dtype) {
                case BOOL -> 1;
                case U8, U16, U32 -> (1L << bits) - 1;
                default -> Long.MAX_VALUE >> (64 - bits);
            };
            for (long value : data) {
                if (value < min || value > max) {
                    throw refusal(name, dtype + " values from " + min + " to " + max, value);
                }
            }
        }

        private static short toBFloat16(float value) {
            int bits = Float.floatToRawIntBits(value);
            if (Float.isNaN(value)) {
                // Kept quiet, so that cutting the payload cannot make it an infinity.
                return (short) ((bits >>> 16) | 0x40);
            }
            return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
        }

        private static IllegalArgumentException refusal(String name, String expected, Object got) {
            return new IllegalArgumentException("tensor " + FormatException.quote(name) + ": expected " + expected
                    + ", got " + got);
        }
    }
}
