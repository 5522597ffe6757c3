package dev.ostinato.formats.onnx;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ostinato.formats.FormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.file.Path;

/// The fields of one protobuf message, first to last. A length is compared with what is left of the message before
/// anything is made of it, and messages nest to a bounded depth, so no bytes make a reader allocate, recurse or loop
/// beyond what they are.
///
/// ```java
/// while (reader.next()) {
///     switch (reader.field()) {
///         case 1 -> name = reader.text();
///         default -> reader.skip();
///     }
/// }
/// ```
///
/// @see <a href="https://protobuf.dev/programming-guides/encoding/">the encoding</a>
final class ProtoReader {
    /// Messages within messages: a subgraph is three further down than its node's graph.
    private static final int MOST_DEPTH = 100;
    /// Messages and repeated texts of a file. Each costs two bytes there, and about a hundred here.
    private static final int MOST_MESSAGES = 1 << 20;

    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int BYTES = 2;
    static final int FIXED32 = 5;

    private static final ValueLayout.OfInt I32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final MemorySegment bytes;
    private final long end;
    private final int depth;
    /// Shared by all messages of a file.
    private final int[] messages;
    private long position;
    private int field;
    private int wireType;

    ProtoReader(Path file, MemorySegment bytes) {
        this(file, bytes, 0, bytes.byteSize(), 0, new int[1]);
    }

    private ProtoReader(Path file, MemorySegment bytes, long begin, long end, int depth, int[] messages) {
        this.file = file;
        this.bytes = bytes;
        this.position = begin;
        this.end = end;
        this.depth = depth;
        this.messages = messages;
    }

    /// Goes to the next field; false at the end of the message. What the last one holds has been read or skipped.
    boolean next() throws FormatException {
        if (position == end) {
            return false;
        }
        long tag = readVarint();
        if (tag >>> 3 == 0 || tag >>> 3 > 0x1fffffff) {
            throw problem("expected the number of a field, got " + Long.toUnsignedString(tag >>> 3));
        }
        field = (int) (tag >>> 3);
        wireType = (int) (tag & 7);
        return true;
    }

    int field() {
        return field;
    }

    int wireType() {
        return wireType;
    }

    long varint() throws FormatException {
        expect(VARINT);
        return readVarint();
    }

    /// Returns an int32 or enumeration, which a negative one makes ten bytes long.
    int int32() throws FormatException {
        return (int) varint();
    }

    int fixed32() throws FormatException {
        expect(FIXED32);
        return bytes.get(I32, take(Integer.BYTES));
    }

    long fixed64() throws FormatException {
        expect(FIXED64);
        return bytes.get(I64, take(Long.BYTES));
    }

    /// Returns a view of the bytes of a field.
    MemorySegment bytes() throws FormatException {
        expect(BYTES);
        long length = readLength();
        return bytes.asSlice(take(length), length);
    }

    /// Returns text, of which a file may hold so many only.
    String text() throws FormatException {
        count();
        long at = position;
        MemorySegment text = bytes();
        try {
            return UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT).decode(text.asByteBuffer()).toString();
        } catch (CharacterCodingException e) {
            throw new FormatException(file, "field " + field + ": expected UTF-8 at byte " + at, e);
        }
    }

    /// Returns the fields of a message in this one.
    ProtoReader message() throws FormatException {
        count();
        expect(BYTES);
        long length = readLength();
        if (depth == MOST_DEPTH) {
            throw problem("expected messages nested at most " + MOST_DEPTH + " deep");
        }
        long begin = take(length);
        return new ProtoReader(file, bytes, begin, begin + length, depth + 1, messages);
    }

    /// Returns the numbers of a packed field, to be read with [#hasMore] and the `packed` methods.
    ProtoReader packed() throws FormatException {
        expect(BYTES);
        long length = readLength();
        long begin = take(length);
        return new ProtoReader(file, bytes, begin, begin + length, depth, messages);
    }

    boolean hasMore() {
        return position < end;
    }

    long packedVarint() throws FormatException {
        return readVarint();
    }

    int packedFixed32() throws FormatException {
        return bytes.get(I32, take(Integer.BYTES));
    }

    long packedFixed64() throws FormatException {
        return bytes.get(I64, take(Long.BYTES));
    }

    void skip() throws FormatException {
        switch (wireType) {
            case VARINT -> readVarint();
            case FIXED64 -> take(Long.BYTES);
            case BYTES -> take(readLength());
            case FIXED32 -> take(Integer.BYTES);
            default -> throw problem("field " + field + ": expected a wire type of 0, 1, 2 or 5, got " + wireType);
        }
    }

    /// Returns what is wrong with the file, and where.
    FormatException problem(String text) {
        return new FormatException(file, text + " at byte " + position);
    }

    private void count() throws FormatException {
        if (++messages[0] > MOST_MESSAGES) {
            throw problem("expected at most " + MOST_MESSAGES + " messages and texts");
        }
    }

    private void expect(int expected) throws FormatException {
        if (wireType != expected) {
            throw problem("field " + field + ": expected the wire type " + expected + ", got " + wireType);
        }
    }

    private long readLength() throws FormatException {
        long length = readVarint();
        if (length < 0 || length > end - position) {
            throw problem("field " + field + ": expected a length of at most " + (end - position) + " bytes, got "
                    + Long.toUnsignedString(length));
        }
        return length;
    }

    private long readVarint() throws FormatException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            byte next = bytes.get(JAVA_BYTE, take(1));
            value |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw problem("expected a number of at most ten bytes");
    }

    /// Returns where so many bytes begin, and goes behind them.
    private long take(long count) throws FormatException {
        if (count > end - position) {
            throw problem("expected " + count + " more bytes, got " + (end - position));
        }
        long at = position;
        position += count;
        return at;
    }
}
