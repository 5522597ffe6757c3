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
    BOOL(1, (data, i) -> data.get(JAVA_BYTE, i) == 0 ? 0 : 1),
    U8(1, (data, i) -> data.get(JAVA_BYTE, i) & 0xff),
    I8(1, (data, i) -> data.get(JAVA_BYTE, i)),
    F8_E5M2(1, (data, i) -> Float.float16ToFloat((short) (data.get(JAVA_BYTE, i) << 8))),
    F8_E4M3(1, (data, i) -> e4m3ToFloat(data.get(JAVA_BYTE, i))),
    I16(2, (data, i) -> data.get(LittleEndian.I16, 2 * i)),
    U16(2, (data, i) -> data.get(LittleEndian.I16, 2 * i) & 0xffff),
    F16(2, (data, i) -> Float.float16ToFloat(data.get(LittleEndian.I16, 2 * i))),
    BF16(2, (data, i) -> Float.intBitsToFloat(data.get(LittleEndian.I16, 2 * i) << 16)),
    I32(4, (data, i) -> data.get(LittleEndian.I32, 4 * i)),
    U32(4, (data, i) -> data.get(LittleEndian.I32, 4 * i) & 0xffffffffL),
    F32(4, (data, i) -> data.get(LittleEndian.F32, 4 * i)),
    F64(8, (data, i) -> (float) data.get(LittleEndian.F64, 8 * i)),
    I64(8, (data, i) -> data.get(LittleEndian.I64, 8 * i)),
    U64(8, (data, i) -> unsignedToFloat(data.get(LittleEndian.I64, 8 * i)));

    private static final Map<String, DType> BY_NAME = Arrays.stream(values())
            .collect(Collectors.toUnmodifiableMap(DType::name, Function.identity()));

    private final int bytes;
    private final ToFloat toFloat;

    private interface ToFloat {
        float at(MemorySegment data, long index);
    }

    DType(int bytes, ToFloat toFloat) {
        this.bytes = bytes;
        this.toFloat = toFloat;
    }

    /// Returns the size of one element in bytes.
    public int bytes() {
        return bytes;
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

    float toFloat(MemorySegment data, long index) {
        return toFloat.at(data, index);
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
        return value >= 0 ? value : (value >>> 1 | value & 1) * 2f;
    }
}
