package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DamagedSafeTensorsTest {
    private static final Path FILE = Path.of("some", "model.safetensors");
    private static final String ONE = "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}";

    /// Every kind of thing a header can hold, and bytes to go with it.
    private static final byte[] VALID = file("""
            {"__metadata__":{"k\u00e9":"\\n\ud834\udd1e"},\
            "w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},\
            "e":{"dtype":"I64","shape":[0],"data_offsets":[8,8]},\
            "b":{"dtype":"BF16","shape":[],"data_offsets":[8,10]}}   \
            """.getBytes(UTF_8), new byte[10]).array();

    @TempDir
    Path directory;

    @Test
    void everyPrefixIsRefused() throws IOException {
        assertReads(VALID);
        Path path = directory.resolve("prefix");
        for (int length = 0; length < VALID.length; length++) {
            Files.write(path, Arrays.copyOf(VALID, length));
            FormatException e = assertThrows(FormatException.class, () -> SafeTensors.read(path));
            assertTrue(e.getMessage().startsWith(path + ": "), e::getMessage);
        }
    }

    @Test
    void everyChangeOfAHeaderByteReadsOrIsRefused() {
        int header = VALID.length - 10;
        for (int position = 0; position < header; position++) {
            for (int change = 1; change < 256; change++) {
                byte[] bytes = VALID.clone();
                bytes[position] ^= (byte) change;
                try {
                    assertReads(bytes);
                } catch (FormatException e) {
                    assertTrue(e.getMessage().startsWith(FILE + ": "), e::getMessage);
                } catch (Throwable t) {
                    throw new AssertionError("byte " + position + " xor " + change, t);
                }
            }
        }
    }

    @Test
    void longerFileIsRefused() {
        refused(Arrays.copyOf(VALID, VALID.length + 1), "data: expected 10 bytes after the header, got 11");
    }

    @Test
    void lengthOfTheHeaderIsChecked() throws IOException {
        refused(new byte[0], "expected at least 8 bytes, got 0");
        refused(new byte[7], "expected at least 8 bytes, got 7");
        refused(length(3, "{}"), "expected a length of at most 2 bytes, got 3 at byte 0");
        refused(length(-1, "{}"), "at most 2 bytes, got 18446744073709551615");
        refused(length(Long.MAX_VALUE, "{}"), "at most 2 bytes, got 9223372036854775807");
        refused(length(0, "{}"), "expected '{', got nothing");

        Path sparse = directory.resolve("sparse");
        try (FileChannel channel = FileChannel.open(sparse, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(length(100_000_001, "{")));
            channel.write(ByteBuffer.wrap(new byte[1]), 100_000_100);
        }
        FormatException e = assertThrows(FormatException.class, () -> SafeTensors.read(sparse));
        assertTrue(e.getMessage().contains("at most 100000000 bytes, got 100000001"), e::getMessage);
    }

    @Test
    void headerIsOneObject() {
        refused(" {}", "expected '{', got 0x20 at byte 8");
        refused("\ufeff{}", "expected '{', got 0xef at byte 8");
        refused("[]", "expected '{', got 0x5b at byte 8");
        refused("  ", "expected '{', got 0x20 at byte 8");
        refused("{}\n", "expected '}' and then only spaces, got 0x0a at byte 10");
        refused("{}\0", "expected '}' and then only spaces, got 0x00 at byte 10");
        refused("{} {}", "expected nothing after the object, got an object");
        refused("{}x }", "expected JSON", "before byte 11");
        refused("{\"a\":" + ONE + ",}", "expected JSON");
        refused("{\"a\":" + ONE, 1, "expected JSON, got the end before byte " + (8 + 5 + ONE.length()));
        refused("{'a':" + ONE + "}", "expected JSON");
        refused("{/**/}", "expected JSON");
        refused("{\"a\tb\":" + ONE + "}", "expected JSON");
    }

    @Test
    void headerIsUtf8() {
        refused("{\"\u00e9\":{}}".getBytes(ISO_8859_1), 0, "expected UTF-8, got 0xe9 at byte 10");
        refused(new byte[] {'{', '"', (byte) 0xc0, (byte) 0x80, '"', '}'}, 0, "expected UTF-8, got 0xc0 at byte 10");
        refused(new byte[] {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', '}'}, 0, "expected UTF-8, got 0xed");
        refused(new byte[] {'{', '"', (byte) 0xf0, (byte) 0x9d, '}'}, 0, "expected UTF-8, got 0xf0");
        refused("{\"a\":{}}".getBytes(UTF_16LE), 0, "expected '}' and then only spaces, got 0x00");
        refused("{\"\\ud800\":" + ONE + "}", "surrogate pair", "before byte 16");
        refused("{\"__metadata__\":{\"k\":\"\\udc00\"}}", "surrogate pair");
        refused("{\"__metadata__\":{\"k\":\"\\ud800\"}}", "surrogate pair");
    }

    @Test
    void placeIsCountedInBytes() {
        refused("{\"\u00e9\ud834\udd1e\":1}", "tensor \"\u00e9\ud834\udd1e\": expected an object, got the number \"1\""
                + " before byte 19");
    }

    @Test
    void duplicatesAreRefused() {
        refused("{\"a\":" + ONE + ",\"a\":" + ONE + "}", 1, "Duplicate", "\"a\"");
        refused("{\"a\":" + ONE + ",\"\\u0061\":" + ONE + "}", 1, "Duplicate", "\"a\"");
        refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "Duplicate", "\"__metadata__\"");
        refused("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "Duplicate", "\"k\"");
        refused("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "Duplicate",
                "\"dtype\"");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{}                                                            | got no dtype",
        "{`dtype`:`U8`,`data_offsets`:[0,1]}                           | got no shape",
        "{`dtype`:`U8`,`shape`:[1]}                                    | got no data_offsets",
        "{`dtype`:`U8`,`shape`:[1],`data_offsets`:[0,1],`more`:1}      | data_offsets, got `more`",
        "{`DType`:`U8`,`shape`:[1],`data_offsets`:[0,1]}               | data_offsets, got `DType`",
        "{`dtype`:`u8`,`shape`:[1],`data_offsets`:[0,1]}               | F32, F64, I64, U64], got `u8`",
        "{`dtype`:`F4`,`shape`:[1],`data_offsets`:[0,1]}               | dtype: expected one of [BOOL, U8",
        "{`dtype`:8,`shape`:[1],`data_offsets`:[0,1]}                  | dtype: expected a string, got the number",
        "{`dtype`:null,`shape`:[1],`data_offsets`:[0,1]}               | dtype: expected a string, got null",
        "{`dtype`:`U8`,`shape`:[-1],`data_offsets`:[0,1]}              | shape: expected an integer from 0",
        "{`dtype`:`U8`,`shape`:[-0],`data_offsets`:[0,0]}              | shape: expected an integer from 0",
        "{`dtype`:`U8`,`shape`:[1.0],`data_offsets`:[0,1]}             | got the number `1.0`",
        "{`dtype`:`U8`,`shape`:[1e0],`data_offsets`:[0,1]}             | got the number `1e0`",
        "{`dtype`:`U8`,`shape`:[01],`data_offsets`:[0,1]}              | expected JSON",
        "{`dtype`:`U8`,`shape`:[NaN],`data_offsets`:[0,1]}             | expected JSON",
        "{`dtype`:`U8`,`shape`:[`1`],`data_offsets`:[0,1]}             | got the string `1`",
        "{`dtype`:`U8`,`shape`:[true],`data_offsets`:[0,1]}            | got true",
        "{`dtype`:`U8`,`shape`:1,`data_offsets`:[0,1]}                 | shape: expected an array, got the number",
        "{`dtype`:`U8`,`shape`:{},`data_offsets`:[0,1]}                | shape: expected an array, got an object",
        "{`dtype`:`U8`,`shape`:[9223372036854775808],`data_offsets`:[0,1]}     | to 2^63 - 1, got the number",
        "{`dtype`:`U8`,`shape`:[18446744073709551617],`data_offsets`:[0,1]}    | to 2^63 - 1, got the number",
        "{`dtype`:`U8`,`shape`:[4294967296,4294967296,1],`data_offsets`:[0,0]} | a size below 2^63 bytes",
        "{`dtype`:`U8`,`shape`:[4294967296,4294967296,0],`data_offsets`:[0,0]} | a size below 2^63 bytes",
        "{`dtype`:`F64`,`shape`:[2305843009213693952],`data_offsets`:[0,0]}    | a size below 2^63 bytes",
        "{`dtype`:`U8`,`shape`:[2],`data_offsets`:[0,1]}               | 2 bytes for U8 [2], got 1 in data_offsets",
        "{`dtype`:`U8`,`shape`:[],`data_offsets`:[0,0]}                | 1 bytes for U8 [], got 0",
        "{`dtype`:`U8`,`shape`:[1],`data_offsets`:[1,0]}               | begin <= end, got [1, 0]",
        "{`dtype`:`U8`,`shape`:[1],`data_offsets`:[0]}                 | begin <= end, got [0]",
        "{`dtype`:`U8`,`shape`:[1],`data_offsets`:[]}                  | begin <= end, got []",
        "{`dtype`:`U8`,`shape`:[1],`data_offsets`:[0,1,1]}             | at most 2 integers",
        "{`dtype`:`U8`,`shape`:[1],`data_offsets`:[-1,0]}              | data_offsets: expected an integer from 0",
        "{`dtype`:`U8`,`shape`:[1],`data_offsets`:[0,9223372036854775807]}     | 1 bytes for U8 [1], got 9223372036854",
        "[]                                                            | expected an object, got an array",
        "null                                                          | expected an object, got null"})
    void entryIsChecked(String entry, String essential) {
        refused("{\"t\":" + entry.replace('`', '"') + "}", 1, essential.replace('`', '"'));
    }

    @Test
    void tensorsTileTheData() {
        String template = "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[%d,%d]},"
                + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[%d,%d]}}";
        refused(template.formatted(0, 4, 3, 7), 7,
                "\"b\": expected data_offsets that begin at 4, got [3, 7], an overlap");
        refused(template.formatted(0, 4, 0, 4), 4, "expected data_offsets that begin at 4, got [0, 4], an overlap");
        refused(template.formatted(0, 4, 5, 9), 9, "\"b\": expected data_offsets that begin at 4, got [5, 9], a hole");
        refused(template.formatted(5, 9, 1, 5), 9, "\"b\": expected data_offsets that begin at 0, got [1, 5], a hole");
        refused(template.formatted(0, 4, 4, 8), 7, "expected 8 bytes after the header, got 7");
        refused(template.formatted(0, 4, 4, 8), 9, "expected 8 bytes after the header, got 9");
        refused("{}", 1, "expected 0 bytes after the header, got 1");
        refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                + "\"e\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[2,2]}}", 4, "\"e\"", "an overlap");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"k\":1}", "{\"k\":null}", "{\"k\":true}", "{\"k\":{}}", "{\"k\":[]}"})
    void metadataHoldsOnlyText(String metadata) {
        refused("{\"__metadata__\":" + metadata + "}", "__metadata__ \"k\": expected a string, got");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "\"text\"", "[]", "1"})
    void metadataIsAnObject(String metadata) {
        refused("{\"__metadata__\":" + metadata + "}", "__metadata__: expected an object, got");
    }

    @Test
    void depthIsLimited() {
        refused("{\"a\":".repeat(100_000) + "}", "tensor \"a\": expected dtype, shape and data_offsets, got \"a\"");
        refused("{\"a\":{\"shape\":" + "[".repeat(100_000) + "}", "depth");
        refused("{\"__metadata__\":" + "[".repeat(100_000) + "}", "expected an object, got an array");
    }

    @Test
    void amountsAreLimited() {
        String zeros = "0,".repeat(64) + "0";
        refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[" + zeros + "],\"data_offsets\":[0,0]}}", "at most 64 integers");
        String pairs = IntStream.rangeClosed(0, 100_000).mapToObj(i -> "\"" + i + "\":\"\"")
                .collect(Collectors.joining(","));
        refused("{\"__metadata__\":{" + pairs + "}}", "at most 100000 names");
        String empties = IntStream.rangeClosed(0, 100_000)
                .mapToObj(i -> "\"" + i + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}")
                .collect(Collectors.joining(","));
        refused("{" + empties + "}", "at most 100000 names");
        refused("{\"" + "n".repeat(60_000) + "\":" + ONE + "}", "exceeds the maximum allowed");
        refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[" + "9".repeat(2_000) + "]}}", "Number value length");
    }

    @Test
    void messagesStaySmallAndPlain() {
        FormatException e = refusal(file(("{\"" + "x".repeat(9_000) + "\\u001b[31m\":1}").getBytes(UTF_8), new byte[0])
                .array());
        assertTrue(e.getMessage().length() < 300, e::getMessage);
        refused("{\"\\u001b[31m\\u202e\":1}", "tensor \"\\u001b[31m\\u202e\": expected");
    }

    @Test
    void whatIsNoFileIsRefused() {
        FormatException e = assertThrows(FormatException.class, () -> SafeTensors.read(directory));
        assertEquals(directory + ": expected a regular file, got a directory", e.getMessage());
        assertThrows(NoSuchFileException.class, () -> SafeTensors.read(directory.resolve("absent")));
    }

    static ByteBuffer file(byte[] json, byte[] data) {
        return ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length).put(json).put(data).flip();
    }

    private static byte[] length(long length, String rest) {
        byte[] bytes = file(rest.getBytes(UTF_8), new byte[0]).array();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        return bytes;
    }

    private static void assertReads(byte[] bytes) throws FormatException {
        SafeTensors file = SafeTensors.parse(FILE, MemorySegment.ofArray(bytes));
        for (String name : file.names()) {
            assertEquals(file.tensor(name).size(), file.tensor(name).toFloats().length);
        }
    }

    private static void refused(String json, String... essentials) {
        refused(json.getBytes(UTF_8), 0, essentials);
    }

    private static void refused(String json, int dataSize, String... essentials) {
        refused(json.getBytes(UTF_8), dataSize, essentials);
    }

    private static void refused(byte[] json, int dataSize, String... essentials) {
        refused(file(json, new byte[dataSize]).array(), essentials);
    }

    private static void refused(byte[] bytes, String... essentials) {
        FormatException e = refusal(bytes);
        assertTrue(e.getMessage().startsWith(FILE + ": "), e::getMessage);
        for (String essential : essentials) {
            assertTrue(e.getMessage().contains(essential), e::getMessage);
        }
    }

    private static FormatException refusal(byte[] bytes) {
        return assertThrows(FormatException.class, () -> SafeTensors.parse(FILE, MemorySegment.ofArray(bytes)));
    }
}
