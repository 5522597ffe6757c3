package dev.ostinato.formats.onnx;

import dev.ostinato.formats.DType;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The numbers that the format has for types of elements.
public final class OnnxTypes {
    private static final int MOST = 32;
    private static final Map<DType, Integer> NUMBERS = IntStream.range(0, MOST).boxed()
            .filter(number -> of(number).isPresent())
            .collect(Collectors.toUnmodifiableMap(number -> of(number).orElseThrow(), Function.identity()));

    private OnnxTypes() {}

    /// Returns the type of a number; nothing for text, complex numbers and the narrowest floats and integers.
    public static Optional<DType> of(int number) {
        return Optional.ofNullable(switch (number) {
            case 1 -> DType.F32;
            case 2 -> DType.U8;
            case 3 -> DType.I8;
            case 4 -> DType.U16;
            case 5 -> DType.I16;
            case 6 -> DType.I32;
            case 7 -> DType.I64;
            case 9 -> DType.BOOL;
            case 10 -> DType.F16;
            case 11 -> DType.F64;
            case 12 -> DType.U32;
            case 13 -> DType.U64;
            case 16 -> DType.BF16;
            case 17 -> DType.F8_E4M3;
            case 19 -> DType.F8_E5M2;
            default -> null;
        });
    }

    /// Returns the number of a type.
    public static int number(DType type) {
        return Objects.requireNonNull(NUMBERS.get(type));
    }
}
