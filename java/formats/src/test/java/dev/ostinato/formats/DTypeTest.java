package dev.ostinato.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class DTypeTest {
    @Test
    void f8E4M3IsExact() {
        for (int bits = 0; bits < 256; bits++) {
            int exponent = bits >> 3 & 15;
            double magnitude = exponent == 0
                    ? (bits & 7) / 8.0 * Math.pow(2, -6)
                    : (1 + (bits & 7) / 8.0) * Math.pow(2, exponent - 7);
            double expected = (bits & 0x7f) == 0x7f ? Double.NaN : bits < 128 ? magnitude : -magnitude;
            assertEquals((float) expected, toFloat(DType.F8_E4M3, 1, bits), "bits " + bits);
        }
        assertEquals(448, toFloat(DType.F8_E4M3, 1, 0x7e));
    }

    @Test
    void f8E5M2IsExact() {
        for (int bits = 0; bits < 256; bits++) {
            int exponent = bits >> 2 & 31;
            double magnitude = exponent == 0
                    ? (bits & 3) / 4.0 * Math.pow(2, -14)
                    : (1 + (bits & 3) / 4.0) * Math.pow(2, exponent - 15);
            if (exponent == 31) {
                magnitude = (bits & 3) == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            }
            assertEquals((float) (bits < 128 ? magnitude : -magnitude), toFloat(DType.F8_E5M2, 1, bits),
                    "bits " + bits);
        }
    }

    @Test
    void signsAreThoseOfTheType() {
        assertEquals(255, toFloat(DType.U8, 1, -1));
        assertEquals(-1, toFloat(DType.I8, 1, -1));
        assertEquals(65535, toFloat(DType.U16, 2, -1));
        assertEquals(-1, toFloat(DType.I16, 2, -1));
        assertEquals(0x1p32f, toFloat(DType.U32, 4, -1));
        assertEquals(-1, toFloat(DType.I32, 4, -1));
        assertEquals(0x1p64f, toFloat(DType.U64, 8, -1));
        assertEquals(-1, toFloat(DType.I64, 8, -1));
        assertEquals(1, toFloat(DType.BOOL, 1, 2));
        assertEquals(0, toFloat(DType.BOOL, 1, 0));
    }

    @Test
    void unsignedLongsRoundOnce() {
        for (long bits : new long[] {0, 1, 0x7fffffffffffffffL, 0x8000000000000000L, 0x8000008000000000L,
            0x8000008000000001L, 0x8000018000000000L, 0x80000080ffffffffL, 0xffffff7fffffffffL,
            0xffffff8000000000L}) {
            float expected = new BigInteger(Long.toUnsignedString(bits)).floatValue();
            assertEquals(expected, toFloat(DType.U64, 8, bits), Long.toHexString(bits));
        }
    }

    @Test
    void floatsKeepTheirBits() {
        assertEquals(-1.5f, toFloat(DType.BF16, 2, 0xbfc0));
        assertEquals(-1.5f, toFloat(DType.F16, 2, 0xbe00));
        assertEquals(0x1p-24f, toFloat(DType.F16, 2, 1));
        assertEquals(Float.MIN_VALUE, toFloat(DType.F32, 4, 1));
        assertEquals(0.1f, toFloat(DType.F64, 8, Double.doubleToRawLongBits(0.1)));
        assertEquals(-0f, toFloat(DType.F64, 8, Double.doubleToRawLongBits(-0.0)));
        assertTrue(Float.isNaN(toFloat(DType.F64, 8, Double.doubleToRawLongBits(Double.NaN))));
    }

    @Test
    void targetMayLieAnywhere() {
        Tensor tensor = new Tensor("t", DType.BF16, new long[] {2}, bytes(0xbfc03f80, 4));
        MemorySegment target = MemorySegment.ofArray(new byte[9]);
        tensor.copyTo(target.asSlice(1));
        assertArrayEquals(new float[] {1, -1.5f}, target.asSlice(1).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
    }

    @Test
    void sizesAreCheckedForOverflow() {
        assertEquals(48, DType.F64.byteSize(new long[] {2, 3}));
        assertEquals(2, DType.F16.byteSize(new long[0]));
        assertEquals(0, DType.F16.byteSize(new long[] {0, Long.MAX_VALUE}));
        assertThrows(ArithmeticException.class, () -> DType.F16.byteSize(new long[] {1L << 62}));
        assertThrows(ArithmeticException.class, () -> DType.U8.byteSize(new long[] {1L << 32, 1L << 31}));
    }

    private static float toFloat(DType dtype, int size, long bits) {
        assertEquals(size, dtype.bytes());
        return new Tensor("t", dtype, new long[0], bytes(bits, size)).toFloats()[0];
    }

    private static MemorySegment bytes(long bits, int size) {
        byte[] bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bits).array();
        return MemorySegment.ofArray(bytes).asSlice(0, size);
    }
}
