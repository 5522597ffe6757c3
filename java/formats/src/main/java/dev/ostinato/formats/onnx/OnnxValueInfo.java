package dev.ostinato.formats.onnx;

import dev.ostinato.formats.DType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// What a file says about an input or an output.
///
/// @param type of its elements; none if it is no tensor, or of elements such as text
/// @param shape none if its rank is not known
public record OnnxValueInfo(String name, Optional<DType> type, Optional<List<Dimension>> shape) {
    /// A dimension: a size, a name for one that varies, or neither.
    public record Dimension(OptionalLong size, String name) {
        /// Of a size that is known.
        public static Dimension of(long size) {
            return new Dimension(OptionalLong.of(size), "");
        }

        /// Of a size that varies; an empty name says nothing more.
        public static Dimension named(String name) {
            return new Dimension(OptionalLong.empty(), name);
        }

        @Override
        public String toString() {
            return size.isPresent() ? Long.toString(size.getAsLong()) : name.isEmpty() ? "?" : name;
        }
    }

    public OnnxValueInfo {
        shape = shape.map(List::copyOf);
    }

    /// As `f32 (B, 2, 128)`.
    public String description() {
        return type.map(t -> t.name().toLowerCase(java.util.Locale.ROOT)).orElse("other")
                + shape.map(dims -> " (" + String.join(", ", dims.stream().map(Dimension::toString).toList()) + ")")
                        .orElse("");
    }
}
