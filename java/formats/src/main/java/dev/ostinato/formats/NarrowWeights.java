package dev.ostinato.formats;

import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Model;
import dev.ostinato.nn.NamedArray;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.TensorShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Matrices in a file as a [Precision] has them in memory, so that a model computes the same bits before and after.
///
/// `BF16` are rounded floats. `INT8` are levels I8 from -127 to 127 and, as `<name>.absmax` (rows), the largest magnitude of each row: an
/// element is `level * (absmax / 127)`, and the largest is absmax itself. Only what a step multiplies is narrow: no vectors, no embedding,
/// and no matrix behind the tokens of one, which is made into a table.
final class NarrowWeights {
    private static final String LARGEST = ".absmax";
    private static final int MAX_LEVEL = 127;

    private NarrowWeights() {}

    /// Adds all tensors of a model to a file that is being put together.
    static void add(SafeTensors.Writer writer, Model model) {
        for (int i = 0; i < model.layers().size(); i++) {
            for (NamedArray tensor : model.tensors(i)) {
                Precision precision = isMultiplied(model, i, tensor) ? model.precision() : Precision.F32;
                add(writer, tensor, precision);
            }
        }
    }

    private static boolean isMultiplied(Model model, int layer, NamedArray tensor) {
        boolean ofTokens = tensor.name().contains(".weight_ih") && takesTokens(model.layers(), layer);
        return tensor.shape().size() == 2 && !(model.layers().get(layer) instanceof Layer.Embedding) && !ofTokens;
    }

    private static boolean takesTokens(List<Layer> layers, int layer) {
        Layer below = layers.get(layer - 1);
        return below instanceof Layer.Dropout ? takesTokens(layers, layer - 1)
                : below instanceof Layer.Embedding || below instanceof Layer.OneHot;
    }

    private static void add(SafeTensors.Writer writer, NamedArray tensor, Precision precision) {
        long[] shape = tensor.shape().stream().mapToLong(Integer::longValue).toArray();
        switch (precision) {
            case F32 -> writer.add(tensor.name(), DType.F32, shape, tensor.data());
            case BF16 -> writer.add(tensor.name(), DType.BF16, shape, tensor.data());
            case INT8 -> addLevels(writer, tensor, shape);
        }
    }

    private static void addLevels(SafeTensors.Writer writer, NamedArray tensor, long[] shape) {
        int rows = tensor.shape().getFirst();
        int columns = tensor.shape().getLast();
        float[] largest = new float[rows];
        byte[] levels = new byte[tensor.data().length];
        for (int r = 0; r < rows; r++) {
            for (int i = r * columns; i < (r + 1) * columns; i++) {
                largest[r] = Math.max(largest[r], Math.abs(tensor.data()[i]));
            }
            float scale = largest[r] / MAX_LEVEL;
            for (int i = r * columns; i < (r + 1) * columns && scale >= Float.MIN_NORMAL; i++) {
                levels[i] = (byte) Math.rint(tensor.data()[i] / scale);
            }
        }
        writer.add(tensor.name(), DType.I8, shape, levels);
        writer.add(tensor.name() + LARGEST, DType.F32, new long[] {rows}, largest);
    }

    /// Returns the precision of the weights of a file.
    static Precision precision(TensorFile file, List<TensorShape> shapes) throws FormatException {
        List<DType> types = new ArrayList<>();
        for (TensorShape shape : shapes) {
            types.add(file.tensor(shape.name()).dtype());
        }
        return types.contains(DType.I8) ? Precision.INT8 : types.contains(DType.BF16) ? Precision.BF16 : Precision.F32;
    }

    /// Tells whether a tensor is of a type in which a file has weights of this shape.
    static boolean isWeight(Tensor tensor, TensorShape expected) {
        return switch (tensor.dtype()) {
            case F32 -> true;
            case BF16, I8 -> expected.dimensions().size() == 2;
            default -> false;
        };
    }

    /// Returns the elements that levels stand for.
    static float[] floats(TensorFile file, Tensor levels) throws FormatException {
        Tensor largest = file.tensor(levels.name() + LARGEST);
        long[] shape = levels.shape();
        if (shape.length != 2 || largest.dtype() != DType.F32
                || !Arrays.equals(largest.shape(), new long[] {shape[0]})) {
            throw new FormatException(file.path(),
                    "tensor " + FormatException.quote(largest.name()) + ": expected F32, one for each row of "
                            + Arrays.toString(shape) + ", got " + largest.dtype() + " "
                            + Arrays.toString(largest.shape()));
        }
        float[] absmax = largest.toFloats();
        float[] elements = levels.toFloats();
        int columns = Math.toIntExact(shape[1]);
        for (int i = 0; i < elements.length; i++) {
            float most = absmax[i / columns];
            if (Math.abs(elements[i]) > MAX_LEVEL || !(most >= 0)) {
                throw new FormatException(file.path(), "tensor " + FormatException.quote(levels.name())
                        + ": expected levels from -127 to 127 of at least 0, got " + elements[i] + " of " + most);
            }
            elements[i] = Math.abs(elements[i]) == MAX_LEVEL ? Math.copySign(most, elements[i])
                    : elements[i] * (most / MAX_LEVEL);
        }
        return elements;
    }
}
