package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.Reader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.core.json.JsonFactory;

/// Reads one header. Stricter than the reference, which keeps the last of two equal names and ignores unknown keys.
final class HeaderParser {
    /// Limits far above any real file, so that no header costs much more heap than it has bytes.
    static final int MAX_ENTRIES = 100_000;
    static final int MAX_RANK = 64;
    private static final int HEAP_PER_BYTE = 8;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            // The table of known names outlives the parser, and the file chooses the names.
            .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(3)
                    .maxStringLength(Header.MAX_LENGTH)
                    .build())
            .build();

    private final Path file;
    private final MemorySegment bytes;
    private final JsonParser json;

    private HeaderParser(Path file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
        this.json = JSON.createParser(ObjectReadContext.empty(), new Utf8Reader(file, bytes));
    }

    /// Parses and checks all of a header.
    ///
    /// @param bytes `(N)`, from the opening brace to the last padding space
    static Header parse(Path file, MemorySegment bytes, long dataSize) throws FormatException {
        if (bytes.byteSize() > Runtime.getRuntime().maxMemory() / HEAP_PER_BYTE) {
            throw new FormatException(file, "header: " + bytes.byteSize() + " bytes need a heap of "
                    + bytes.byteSize() * HEAP_PER_BYTE + " bytes, and it may grow to "
                    + Runtime.getRuntime().maxMemory());
        }
        checkEnds(file, bytes);
        HeaderParser parser = new HeaderParser(file, bytes);
        try (parser.json) {
            Header header = parser.parse();
            header.checkCoverage(file, dataSize);
            return header;
        }
    }

    private Header parse() throws FormatException {
        try {
            return header();
        } catch (JacksonException e) {
            throw refusal(e);
        }
    }

    private static void checkEnds(Path file, MemorySegment bytes) throws FormatException {
        long last = bytes.byteSize() - 1;
        while (last >= 0 && bytes.get(ValueLayout.JAVA_BYTE, last) == ' ') {
            last--;
        }
        if (last < 0 || bytes.get(ValueLayout.JAVA_BYTE, 0) != '{') {
            throw new FormatException(file, "header: expected '{', got "
                    + (bytes.byteSize() == 0 ? "nothing" : byteAt(bytes, 0)) + " at byte " + Header.LENGTH_BYTES);
        }
        if (bytes.get(ValueLayout.JAVA_BYTE, last) != '}') {
            throw new FormatException(file, "header: expected '}' and then only spaces, got " + byteAt(bytes, last)
                    + " at byte " + (Header.LENGTH_BYTES + last));
        }
    }

    private Header header() throws FormatException {
        SequencedMap<String, String> metadata = new LinkedHashMap<>();
        SequencedMap<String, Header.Entry> entries = new LinkedHashMap<>();
        expect(JsonToken.START_OBJECT, "header");
        for (String name = json.nextName(); name != null; name = json.nextName()) {
            checkUnicode(name);
            if (name.equals(Header.METADATA)) {
                metadata(metadata);
            } else {
                checkCount("header", entries.size());
                entries.put(name, entry(name));
            }
        }
        if (json.nextToken() != null) {
            throw refusal("header", "nothing after the object", got());
        }
        return new Header(metadata, entries);
    }

    private void metadata(SequencedMap<String, String> metadata) throws FormatException {
        expect(JsonToken.START_OBJECT, Header.METADATA);
        for (String key = json.nextName(); key != null; key = json.nextName()) {
            checkUnicode(key);
            checkCount(Header.METADATA, metadata.size());
            String value = string(Header.METADATA + " " + FormatException.quote(key));
            checkUnicode(value);
            metadata.put(key, value);
        }
    }

    private Header.Entry entry(String name) throws FormatException {
        String subject = "tensor " + FormatException.quote(name);
        DType dtype = null;
        long[] shape = null;
        long[] offsets = null;
        expect(JsonToken.START_OBJECT, subject);
        for (String key = json.nextName(); key != null; key = json.nextName()) {
            switch (key) {
                case "dtype" -> dtype = dtype(subject);
                case "shape" -> shape = integers(subject + ", shape", MAX_RANK);
                case "data_offsets" -> offsets = integers(subject + ", data_offsets", 2);
                default -> throw refusal(subject, "dtype, shape and data_offsets", FormatException.quote(key));
            }
        }
        if (dtype == null || shape == null || offsets == null) {
            throw refusal(subject, "dtype, shape and data_offsets", "no "
                    + (dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets"));
        }
        if (offsets.length != 2 || offsets[0] > offsets[1]) {
            throw refusal(subject, "data_offsets [begin, end] with begin <= end", Arrays.toString(offsets));
        }
        Header.Entry entry = new Header.Entry(dtype, shape, offsets[0], offsets[1]);
        checkSize(subject, entry);
        return entry;
    }

    private void checkSize(String subject, Header.Entry entry) throws FormatException {
        String shape = entry.dtype + " " + Arrays.toString(entry.shape);
        long size;
        try {
            size = entry.dtype.byteSize(entry.shape);
        } catch (ArithmeticException e) {
            throw refusal(subject, "a size below 2^63 bytes", shape);
        }
        if (size != entry.size()) {
            throw refusal(subject, size + " bytes for " + shape,
                    entry.size() + " in data_offsets " + entry.span());
        }
    }

    private DType dtype(String subject) throws FormatException {
        String name = string(subject + ", dtype");
        return DType.named(name).orElseThrow(() -> refusal(subject + ", dtype", "one of "
                + Arrays.toString(DType.values()), FormatException.quote(name)));
    }

    private long[] integers(String subject, int limit) throws FormatException {
        long[] integers = new long[limit];
        int count = 0;
        expect(JsonToken.START_ARRAY, subject);
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (count == limit) {
                throw refusal(subject, "at most " + limit + " integers", "more");
            }
            integers[count++] = integer(subject);
        }
        return Arrays.copyOf(integers, count);
    }

    private long integer(String subject) throws FormatException {
        long value = -1;
        if (json.currentToken() == JsonToken.VALUE_NUMBER_INT) {
            String digits = json.getString();
            // 19 digits always fit an unsigned long; beyond 2^63 it is negative here, and refused like a minus sign.
            if (digits.length() <= 19 && digits.charAt(0) != '-') {
                value = Long.parseUnsignedLong(digits);
            }
        }
        if (value < 0) {
            throw refusal(subject, "an integer from 0 to 2^63 - 1", got());
        }
        return value;
    }

    private String string(String subject) throws FormatException {
        expect(JsonToken.VALUE_STRING, subject);
        return json.getString();
    }

    private void expect(JsonToken token, String subject) throws FormatException {
        if (json.nextToken() != token) {
            throw refusal(subject, describe(token), got());
        }
    }

    private void checkCount(String subject, int count) throws FormatException {
        if (count == MAX_ENTRIES) {
            throw refusal(subject, "at most " + MAX_ENTRIES + " names", "more");
        }
    }

    private void checkUnicode(String text) throws FormatException {
        if (!Header.isUnicode(text)) {
            throw refusal("header", "Unicode text", "half a surrogate pair in " + FormatException.quote(text));
        }
    }

    private String got() {
        JsonToken token = json.currentToken();
        return switch (token) {
            case VALUE_STRING -> "the string " + FormatException.quote(json.getString());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "the number " + FormatException.quote(json.getString());
            case null, default -> describe(token);
        };
    }

    private static String describe(@Nullable JsonToken token) {
        return switch (token) {
            case null -> "the end";
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> "a string";
            default -> String.valueOf(token.asString());
        };
    }

    private FormatException refusal(String subject, String expected, String got) {
        return new FormatException(file, subject + ": expected " + expected + ", got " + got + at());
    }

    private FormatException refusal(JacksonException e) {
        if (e.getCause() instanceof FormatException notUtf8) {
            return notUtf8;
        }
        String problem = e instanceof UnexpectedEndOfInputException ? "the end" : e.getOriginalMessage();
        return new FormatException(file, "header: expected JSON, got " + problem + at(), e);
    }

    /// Says where the parser stands, as a byte of the file: it counts UTF-16 units, so the way is counted again.
    private String at() {
        TokenStreamLocation location = json.currentLocation();
        long position = 0;
        for (long units = 0; units < location.getCharOffset() && position < bytes.byteSize(); position++) {
            int lead = bytes.get(ValueLayout.JAVA_BYTE, position) & 0xff;
            boolean continuation = (lead & 0xc0) == 0x80;
            units += continuation ? 0 : lead >= 0xf0 ? 2 : 1;
        }
        return " before byte " + (Header.LENGTH_BYTES + position);
    }

    private static String byteAt(MemorySegment bytes, long offset) {
        return String.format("0x%02x", bytes.get(ValueLayout.JAVA_BYTE, offset));
    }

    /// Decodes UTF-8 and nothing else: the parser, given bytes, would guess among encodings.
    private static final class Utf8Reader extends Reader {
        private final Path file;
        private final ByteBuffer bytes;
        private final CharsetDecoder decoder = UTF_8.newDecoder();

        Utf8Reader(Path file, MemorySegment bytes) {
            this.file = file;
            this.bytes = bytes.asByteBuffer();
        }

        @Override
        public int read(char[] chars, int offset, int length) throws IOException {
            CharBuffer decoded = CharBuffer.wrap(chars, offset, length);
            if (decoder.decode(bytes, decoded, true).isError()) {
                throw new FormatException(file, String.format("header: expected UTF-8, got 0x%02x at byte %d",
                        bytes.get(bytes.position()), Header.LENGTH_BYTES + bytes.position()));
            }
            int count = decoded.position() - offset;
            return count == 0 ? -1 : count;
        }

        @Override
        public void close() {}
    }
}
