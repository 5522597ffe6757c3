package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/// What an NPY file says of its array: a Python dictionary in front of the elements.
///
/// @param fortranOrder whether the first index runs fastest
@SuppressWarnings("ArrayRecordComponent") // within the package, and never compared
record NpyHeader(DType dtype, boolean fortranOrder, long[] shape) {
    /// The first byte is no character, so that no text is taken for an array.
    static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

    /// NumPy's own limit on the length of the dictionary.
    static final int MAX_LENGTH = 10_000;

    private static final int ALIGNMENT = 64;
    /// The room that NumPy leaves for the first dimension to grow in place.
    private static final int DIGITS = 21;

    private static final Map<DType, String> DESCRIPTIONS = new EnumMap<>(Map.ofEntries(
            Map.entry(DType.BOOL, "|b1"), Map.entry(DType.U8, "|u1"), Map.entry(DType.I8, "|i1"),
            Map.entry(DType.I16, "<i2"), Map.entry(DType.U16, "<u2"), Map.entry(DType.F16, "<f2"),
            Map.entry(DType.I32, "<i4"), Map.entry(DType.U32, "<u4"), Map.entry(DType.F32, "<f4"),
            Map.entry(DType.F64, "<f8"), Map.entry(DType.I64, "<i8"), Map.entry(DType.U64, "<u8")));

    /// Returns the type that NumPy writes like this.
    static Optional<DType> dtype(String description) {
        return DESCRIPTIONS.entrySet().stream().filter(entry -> entry.getValue().equals(description))
                .map(Map.Entry::getKey).findFirst();
    }

    /// Returns whether NumPy has the type: it knows neither bfloat16 nor floats of eight bits.
    static boolean canHold(DType dtype) {
        return DESCRIPTIONS.containsKey(dtype);
    }

    static String descriptions() {
        return DESCRIPTIONS.values().stream().collect(Collectors.joining(", "));
    }

    /// Returns everything in front of the elements, version 1.0, as NumPy would write it.
    byte[] encode() {
        StringBuilder text = new StringBuilder("{'descr': '").append(DESCRIPTIONS.get(dtype))
                .append("', 'fortran_order': ").append(fortranOrder ? "True" : "False")
                .append(", 'shape': ").append(tuple()).append(", }");
        if (shape.length > 0) {
            long growing = shape[fortranOrder ? shape.length - 1 : 0];
            text.append(" ".repeat(DIGITS - Long.toString(growing).length()));
        }
        int prefix = MAGIC.length + 4;
        // NumPy fills up by 1 to 64 spaces, never by none, and ends the line.
        int length = (prefix + text.length() + 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT - prefix;
        text.append(" ".repeat(length - 1 - text.length())).append('\n');
        return ByteBuffer.allocate(prefix + length).order(ByteOrder.LITTLE_ENDIAN).put(MAGIC).put((byte) 1)
                .put((byte) 0).putShort((short) length).put(text.toString().getBytes(ISO_8859_1)).array();
    }

    private String tuple() {
        String numbers = LongStream.of(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
        return "(" + numbers + (shape.length == 1 ? ",)" : ")");
    }

    @Override
    public String toString() {
        return dtype + " " + Arrays.toString(shape);
    }
}
