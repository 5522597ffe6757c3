package dev.ostinato.formats.onnx;

import dev.ostinato.formats.Tensor;
import java.util.List;

/// The value of an attribute of a node. Kinds that no operator here has (types, sparse tensors, lists of tensors and
/// graphs) are [Other].
public sealed interface OnnxAttribute {
    record Int(long value) implements OnnxAttribute {}

    record Real(float value) implements OnnxAttribute {}

    /// Bytes that are UTF-8; others are replaced.
    record Text(String value) implements OnnxAttribute {}

    record TensorValue(Tensor value) implements OnnxAttribute {}

    record Graph(OnnxGraph value) implements OnnxAttribute {}

    record Ints(List<Long> values) implements OnnxAttribute {
        public Ints {
            values = List.copyOf(values);
        }
    }

    record Reals(List<Float> values) implements OnnxAttribute {
        public Reals {
            values = List.copyOf(values);
        }
    }

    record Texts(List<String> values) implements OnnxAttribute {
        public Texts {
            values = List.copyOf(values);
        }
    }

    /// One of another kind.
    ///
    /// @param type its number in the format
    record Other(int type) implements OnnxAttribute {}
}
