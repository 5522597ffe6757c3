package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;

/// The JSON header of a safetensors file, both maps in the order of the file.
record Header(SequencedMap<String, String> metadata, SequencedMap<String, Entry> entries) {
    static final int LENGTH_BYTES = 8;
    static final int MAX_LENGTH = 100_000_000;
    static final String METADATA = "__metadata__";

    // The reference's own spelling, so that our files are its files: short escapes, lower-case hex, the rest as UTF-8.
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonWriteFeature.ESCAPE_FORWARD_SLASHES, JsonWriteFeature.WRITE_HEX_UPPER_CASE)
            .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
            .build();

    /// One tensor: its bytes are `[begin, end)` of the data section.
    static final class Entry {
        final DType dtype;
        final long[] shape;
        final long begin;
        final long end;

        Entry(DType dtype, long[] shape, long begin, long end) {
            this.dtype = dtype;
            this.shape = shape;
            this.begin = begin;
            this.end = end;
        }

        long size() {
            return end - begin;
        }

        String span() {
            return "[" + begin + ", " + end + "]";
        }
    }

    /// Returns the JSON, padded with spaces to a multiple of 8 bytes.
    byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeName(METADATA).writeStartObject();
                metadata.forEach(json::writeStringProperty);
                json.writeEndObject();
            }
            entries.forEach((name, entry) -> encode(json, name, entry));
            json.writeEndObject();
        }
        byte[] padded = Arrays.copyOf(bytes.toByteArray(), Math.ceilDiv(bytes.size(), 8) * 8);
        Arrays.fill(padded, bytes.size(), padded.length, (byte) ' ');
        return padded;
    }

    private static void encode(JsonGenerator json, String name, Entry entry) {
        json.writeName(name).writeStartObject();
        json.writeStringProperty("dtype", entry.dtype.name());
        json.writeName("shape").writeArray(entry.shape, 0, entry.shape.length);
        json.writeName("data_offsets").writeArray(new long[] {entry.begin, entry.end}, 0, 2);
        json.writeEndObject();
    }

    /// Checks that the tensors tile the data section: every byte belongs to exactly one.
    void checkCoverage(Path file, long dataSize) throws FormatException {
        List<Map.Entry<String, Entry>> byOffset = entries.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.comparingLong((Entry entry) -> entry.begin)
                        .thenComparingLong(entry -> entry.end)))
                .toList();
        long covered = 0;
        for (Map.Entry<String, Entry> named : byOffset) {
            Entry entry = named.getValue();
            if (entry.begin != covered) {
                throw new FormatException(file, "tensor " + FormatException.quote(named.getKey())
                        + ": expected data_offsets that begin at " + covered + ", got " + entry.span()
                        + (entry.begin < covered ? ", an overlap" : ", a hole"));
            }
            covered = entry.end;
        }
        if (covered != dataSize) {
            throw new FormatException(file, "data: expected " + covered + " bytes after the header, got " + dataSize);
        }
    }

    /// Tells whether the text can be written as UTF-8, which has no place for half a surrogate pair.
    static boolean isUnicode(String text) {
        return UTF_8.newEncoder().canEncode(text);
    }
}
