package dev.ostinato.formats;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The element type of a tensor, named as safetensors names it. The order is the reference's own, by ascending size;
/// its writer sorts by it.
public enum DType {
    BOOL(1), U8(1), I8(1), F8_E5M2(1), F8_E4M3(1),
    I16(2), U16(2), F16(2), BF16(2),
    I32(4), U32(4), F32(4),
    F64(8), I64(8), U64(8);

    private static final Map<String, DType> BY_NAME = Arrays.stream(values())
            .collect(Collectors.toUnmodifiableMap(DType::name, Function.identity()));

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /// Returns the size of one element in bytes.
    public int bytes() {
        return bytes;
    }

    /// Returns whether elements may be fractions.
    public boolean isFloat() {
        return switch (this) {
            case F8_E5M2, F8_E4M3, F16, BF16, F32, F64 -> true;
            case BOOL, U8, I8, I16, U16, I32, U32, I64, U64 -> false;
        };
    }

    static Optional<DType> named(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /// Returns the size of a tensor in bytes.
    ///
    /// @throws ArithmeticException if it, or a product on the way to it, is beyond a long
    long byteSize(long[] shape) {
        long size = 1;
        for (long dimension : shape) {
            size = Math.multiplyExact(size, dimension);
        }
        return Math.multiplyExact(size, bytes);
    }

    /// Returns element `i` of little-endian data, rounded to nearest where f32 is too narrow.
    float toFloat(MemorySegment data, long i) {
        return switch (this) {
            case BOOL -> data.get(JAVA_BYTE, i) == 0 ? 0 : 1;
            case U8 -> data.get(JAVA_BYTE, i) & 0xff;
            case I8 -> data.get(JAVA_BYTE, i);
            case F8_E5M2 -> Float.float16ToFloat((short) (data.get(JAVA_BYTE, i) << 8));
            case F8_E4M3 -> e4m3ToFloat(data.get(JAVA_BYTE, i));
            case I16 -> data.get(LittleEndian.I16, 2 * i);
            case U16 -> data.get(LittleEndian.I16, 2 * i) & 0xffff;
            case F16 -> Float.float16ToFloat(data.get(LittleEndian.I16, 2 * i));
            case BF16 -> Float.intBitsToFloat(data.get(LittleEndian.I16, 2 * i) << 16);
            case I32 -> data.get(LittleEndian.I32, 4 * i);
            case U32 -> data.get(LittleEndian.I32, 4 * i) & 0xffffffffL;
            case F32 -> data.get(LittleEndian.F32, 4 * i);
            case F64 -> (float) data.get(LittleEndian.F64, 8 * i);
            case I64 -> data.get(LittleEndian.I64, 8 * i);
            case U64 -> unsignedToFloat(data.get(LittleEndian.I64, 8 * i));
        };
    }

    /// Returns integer `i` of little-endian data; one of U64 from 2^63 on as the negative long of the same bits.
    long toLong(MemorySegment data, long i) {
        return switch (this) {
            case BOOL -> data.get(JAVA_BYTE, i) == 0 ? 0 : 1;
            case U8 -> data.get(JAVA_BYTE, i) & 0xff;
            case I8 -> data.get(JAVA_BYTE, i);
            case I16 -> data.get(LittleEndian.I16, 2 * i);
            case U16 -> data.get(LittleEndian.I16, 2 * i) & 0xffff;
            case I32 -> data.get(LittleEndian.I32, 4 * i);
            case U32 -> data.get(LittleEndian.I32, 4 * i) & 0xffffffffL;
            case I64, U64 -> data.get(LittleEndian.I64, 8 * i);
            case F8_E5M2, F8_E4M3, F16, BF16, F32, F64 -> throw new IllegalStateException(this + " is no integer type");
        };
    }

    private static float e4m3ToFloat(byte bits) {
        int exponent = (bits >> 3) & 0xf;
        int mantissa = bits & 0x7;
        float magnitude;
        if (exponent == 0xf && mantissa == 0x7) {
            magnitude = Float.NaN;
        } else if (exponent == 0) {
            magnitude = mantissa * 0x1p-9f;
        } else {
            magnitude = Math.scalb(8 + mantissa, exponent - 10);
        }
        return bits < 0 ? -magnitude : magnitude;
    }

    private static float unsignedToFloat(long value) {
        // Above 2^63: half of it, with the lost bit kept sticky, rounds once and to the same side.
        return value >= 0 ? value : ((value >>> 1) | (value & 1)) * 2f;
    }
}
