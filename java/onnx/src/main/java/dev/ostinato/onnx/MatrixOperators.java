package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.PackedMatrix;
import dev.ostinato.kernels.Slice;
import dev.ostinato.kernels.SliceKernels;
import dev.ostinato.kernels.Transpose;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Products of matrices: floats by kernels, with constant weights packed once for a plan; doubles by plain loops. */
final class MatrixOperators {
    private MatrixOperators() {
    }

    /** Adds {@code a b} to {@code y}; b is packed if it is constant. */
    private static Runnable addProduct(Value a, int aAt, Value b, int bAt, Value y, int yAt, int rows, int inner,
            int columns, Transpose transposeB) {
        int bRows = transposeB == Transpose.YES ? columns : inner;
        int bColumns = transposeB == Transpose.YES ? inner : columns;
        if (a.type() == DType.F64) {
            return () -> {
                for (int i = 0; i < rows; i++) {
                    for (int j = 0; j < columns; j++) {
                        double sum = y.doubles()[yAt + i * columns + j];
                        for (int k = 0; k < inner; k++) {
                            sum += a.doubles()[aAt + i * inner + k]
                                    * b.doubles()[bAt + (transposeB == Transpose.YES ? j * inner + k
                                            : k * columns + j)];
                        }
                        y.doubles()[yAt + i * columns + j] = sum;
                    }
                }
            };
        }
        SliceKernels kernels = Backends.auto().slices();
        Slice from = Slice.of(a.floats(), aAt, rows, inner, inner);
        Slice by = Slice.of(b.floats(), bAt, bRows, bColumns, bColumns);
        Slice to = Slice.of(y.floats(), yAt, rows, columns, columns);
        if (b.constant()) {
            PackedMatrix packed = kernels.pack(transposeB, by, 1);
            return () -> kernels.multiplyAdd(from, packed, to);
        }
        return () -> kernels.gemm(Transpose.NO, transposeB, 1, from, by, 1, to);
    }

    /** Matrices are the last two axes, the others are broadcast; a vector is a row on the left and a column on the right. */
    static Operator matMul() {
        return (layout, inputs) -> {
            Value a = Inputs.floats(inputs.required(0));
            Value b = Inputs.floats(inputs.required(1));
            if (a.type() != b.type() || a.rank() == 0 || b.rank() == 0) {
                throw new IllegalArgumentException("expected matrices of one type");
            }
            Value left = a.rank() == 1 ? a.reshaped(1, a.size()) : a;
            Value right = b.rank() == 1 ? b.reshaped(b.size(), 1) : b;
            int rows = left.dimension(left.rank() - 2);
            int inner = left.dimension(left.rank() - 1);
            int columns = right.dimension(right.rank() - 1);
            if (right.dimension(right.rank() - 2) != inner) {
                throw new IllegalArgumentException("expected as many rows on the right as columns on the left");
            }
            Value product = product(layout, left, right, rows, inner, columns);
            int batch = product.rank() - 2;
            return List.of(product.reshaped(IntStream.concat(Arrays.stream(product.shape(), 0, batch),
                    IntStream.concat(a.rank() == 1 ? IntStream.empty() : IntStream.of(rows),
                            b.rank() == 1 ? IntStream.empty() : IntStream.of(columns)))
                    .toArray()));
        };
    }

    private static Value product(Layout layout, Value a, Value b, int rows, int inner, int columns) {
        Value batchOfA = matrices(a);
        Value batchOfB = matrices(b);
        Broadcast meet = Broadcast.of(batchOfA, batchOfB);
        int[] shape = Arrays.copyOf(meet.shape(), meet.shape().length + 2);
        shape[shape.length - 2] = rows;
        shape[shape.length - 1] = columns;
        Value y = layout.output(a.type(), shape);
        layout.code(() -> () -> clear(y));
        if (b.size() == inner * columns && a.size() == Value.size(meet.shape()) * rows * inner) {
            // The same matrix for all: one product of all rows.
            layout.code(() -> addProduct(a, 0, b, 0, y, 0, Value.size(meet.shape()) * rows, inner, columns,
                    Transpose.NO));
            return y;
        }
        for (int row = 0; row < meet.rows(); row++) {
            for (int i = 0; i < meet.columns(); i++) {
                int aAt = (meet.starts()[0][row] + i * meet.steps()[0]) * rows * inner;
                int bAt = (meet.starts()[1][row] + i * meet.steps()[1]) * inner * columns;
                int yAt = (row * meet.columns() + i) * rows * columns;
                layout.code(() -> addProduct(a, aAt, b, bAt, y, yAt, rows, inner, columns, Transpose.NO));
            }
        }
        return y;
    }

    /** Returns something of the shape in which the matrices of a value are arranged. */
    private static Value matrices(Value value) {
        return new Value(value.type(), Arrays.copyOf(value.shape(), value.rank() - 2), value.storage(),
                value.constant(), value.sources());
    }

    private static void clear(Value y) {
        if (y.type() == DType.F32) {
            Arrays.fill(y.floats(), 0, y.size(), 0f);
        } else {
            Arrays.fill(y.doubles(), 0, y.size(), 0);
        }
    }

    /** {@code alpha op(A) op(B) + beta C}, C broadcast. */
    static Operator gemm(Attributes attributes) {
        double alpha = attributes.real("alpha", 1);
        double beta = attributes.real("beta", 1);
        boolean transposeA = attributes.flag("transA", false);
        Transpose transposeB = attributes.flag("transB", false) ? Transpose.YES : Transpose.NO;
        return (layout, inputs) -> {
            Value a = Inputs.floats(inputs.required(0));
            Value b = inputs.required(1);
            Optional<Value> c = inputs.optional(2);
            if (a.rank() != 2 || b.rank() != 2 || a.type() != b.type()) {
                throw new IllegalArgumentException("expected two matrices of one type");
            }
            Value left = scaled(layout, transposeA ? transposed(layout, a) : a, alpha);
            int rows = left.dimension(0);
            int inner = left.dimension(1);
            int columns = b.dimension(transposeB == Transpose.YES ? 0 : 1);
            if (b.dimension(transposeB == Transpose.YES ? 1 : 0) != inner) {
                throw new IllegalArgumentException("expected as many rows on the right as columns on the left");
            }
            Value y = layout.output(a.type(), rows, columns);
            layout.code(() -> start(y, c.orElse(null), beta));
            layout.code(() -> addProduct(left, 0, b, 0, y, 0, rows, inner, columns, transposeB));
            return List.of(y);
        };
    }

    private static Value transposed(Layout layout, Value a) {
        int[] shape = {a.dimension(1), a.dimension(0)};
        return Rearrangement.of(layout, a, shape, Shapes.places(shape, new int[] {1, a.dimension(1)}, 0));
    }

    private static Value scaled(Layout layout, Value a, double factor) {
        if (factor == 1) {
            return a;
        }
        Value y = layout.output(a.type(), a.shape());
        layout.code(() -> () -> {
            for (int i = 0; i < y.size(); i++) {
                y.setNumber(i, a.number(i) * factor);
            }
        });
        return y;
    }

    private static Runnable start(Value y, @Nullable Value c, double beta) {
        if (c == null || beta == 0) {
            return () -> clear(y);
        }
        Broadcast rows = Broadcast.of(c, y);
        if (!Arrays.equals(rows.shape(), y.shape()) || c.type() != y.type()) {
            throw new IllegalArgumentException("expected a C of the shape of the product, got " + c.description());
        }
        return () -> {
            for (int row = 0; row < rows.rows(); row++) {
                for (int i = 0; i < rows.columns(); i++) {
                    y.setNumber(row * rows.columns() + i,
                            beta * c.number(rows.starts()[0][row] + i * rows.steps()[0]));
                }
            }
        };
    }

    /**
     * Convolution over one axis: x (N, C, L), weights (M, C / groups, K), bias (M). With one group and constant weights it is a product: the windows as
     * rows (L', C * K) with the weights; otherwise plain loops.
     */
    static Operator conv(Attributes attributes) {
        long @Nullable [] kernel = attributes.integers("kernel_shape");
        long @Nullable [] strides = attributes.integers("strides");
        long @Nullable [] dilations = attributes.integers("dilations");
        long @Nullable [] pads = attributes.integers("pads");
        int groups = attributes.integer("group", 1);
        String padding = attributes.text("auto_pad", "NOTSET");
        if (!List.of("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER").contains(padding)) {
            throw attributes.problem("auto_pad", "NOTSET, VALID, SAME_UPPER or SAME_LOWER", padding);
        }
        if (kernel != null && kernel.length != 1) {
            throw attributes.problem("kernel_shape", "one axis", Arrays.toString(kernel));
        }
        return (layout, inputs) -> {
            Value x = Inputs.floats(inputs.required(0));
            Value w = inputs.required(1);
            Optional<Value> bias = inputs.optional(2);
            if (x.rank() != 3 || w.rank() != 3 || w.type() != x.type() || groups < 1
                    || w.dimension(1) * (long) groups != x.dimension(1) || w.dimension(0) % groups != 0
                    || bias.map(Value::size).orElse(w.dimension(0)) != w.dimension(0)
                    || (kernel != null && kernel[0] != w.dimension(2))) {
                throw new IllegalArgumentException("expected x (N, C, L), weights (M, C / groups, K) and a bias (M)");
            }
            int stride = positive("strides", strides);
            int dilation = positive("dilations", dilations);
            int length = x.dimension(2);
            int reach = Math.addExact(Math.multiplyExact(dilation, w.dimension(2) - 1), 1);
            int before = 0;
            int after = 0;
            switch (padding) {
                case "NOTSET" -> {
                    before = pads == null ? 0 : Math.toIntExact(pads[0]);
                    after = pads == null ? 0 : Math.toIntExact(pads[1]);
                }
                case "VALID" -> {
                }
                default -> {
                    int all = Math.max(0, (Math.ceilDiv(length, stride) - 1) * stride + reach - length);
                    before = padding.equals("SAME_UPPER") ? all / 2 : all - all / 2;
                    after = all - before;
                }
            }
            int steps = Math.floorDiv(Math.addExact(Math.addExact(length, before), after) - reach, stride) + 1;
            if (before < 0 || after < 0 || steps < 1 || w.dimension(2) < 1) {
                throw new IllegalArgumentException("expected pads >= 0 and at least one window, got pads of " + before
                        + " and " + after);
            }
            Value y = layout.output(x.type(), x.dimension(0), w.dimension(0), steps);
            Convolution convolution = new Convolution(x, w, bias.orElse(null), y, groups, stride, dilation, before);
            if (groups == 1 && w.constant() && x.type() == DType.F32) {
                layout.scratch((long) steps * (w.dimension(0) + w.dimension(1) * (long) w.dimension(2)));
                layout.code(convolution::asProduct);
            } else {
                layout.code(() -> convolution::inLoops);
            }
            return List.of(y);
        };
    }

    private static int positive(String name, long @Nullable [] values) {
        if (values == null) {
            return 1;
        }
        if (values.length != 1 || values[0] < 1 || values[0] > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(name + ": expected one number >= 1, got " + Arrays.toString(values));
        }
        return (int) values[0];
    }

    private record Convolution(Value x, Value w, @Nullable Value bias, Value y, int groups, int stride, int dilation,
            int before) {
        Runnable asProduct() {
            int channels = x.dimension(1);
            int length = x.dimension(2);
            int size = w.dimension(2);
            int outputs = w.dimension(0);
            int steps = y.dimension(2);
            int paddedLength = Math.max(before + length, (steps - 1) * stride + (size - 1) * dilation + 1);
            float[] padded = new float[channels * paddedLength]; // what is not copied stays zero
            SliceKernels kernels = Backends.auto().slices();
            PackedMatrix packed = kernels.pack(Transpose.YES,
                    Slice.of(w.floats(), 0, outputs, channels * size, channels * size), 1);
            float[] windows = new float[steps * channels * size];
            float[] product = new float[steps * outputs];
            float[] start = new float[outputs];
            Slice from = Slice.of(windows, 0, steps, channels * size, channels * size);
            Slice to = Slice.of(product, 0, steps, outputs, outputs);
            return () -> {
                if (bias != null) {
                    System.arraycopy(bias.floats(), 0, start, 0, outputs);
                }
                for (int n = 0; n < x.dimension(0); n++) {
                    for (int c = 0; c < channels; c++) {
                        System.arraycopy(x.floats(), (n * channels + c) * length, padded, c * paddedLength + before,
                                length);
                    }
                    fillWindows(padded, paddedLength, windows);
                    for (int t = 0; t < steps; t++) {
                        System.arraycopy(start, 0, product, t * outputs, outputs);
                    }
                    kernels.multiplyAdd(from, packed, to);
                    float[] result = y.floats();
                    for (int m = 0; m < outputs; m++) {
                        for (int t = 0; t < steps; t++) {
                            result[(n * outputs + m) * steps + t] = product[t * outputs + m];
                        }
                    }
                }
            };
        }

        /**
         * Copies windows (L', C * K).
         *
         * @param padded (C, paddedLength)
         */
        private void fillWindows(float[] padded, int paddedLength, float[] windows) {
            int size = w.dimension(2);
            int i = 0;
            for (int t = 0; t < y.dimension(2); t++) {
                for (int c = 0; c < x.dimension(1); c++) {
                    int from = c * paddedLength + t * stride;
                    for (int k = 0; k < size; k++) {
                        windows[i + k] = padded[from + k * dilation];
                    }
                    i += size;
                }
            }
        }

        void inLoops() {
            for (int n = 0; n < x.dimension(0); n++) {
                for (int m = 0; m < w.dimension(0); m++) {
                    for (int t = 0; t < y.dimension(2); t++) {
                        y.setNumber((n * w.dimension(0) + m) * y.dimension(2) + t, sum(n, m, t));
                    }
                }
            }
        }

        private double sum(int n, int m, int t) {
            int channels = w.dimension(1);
            int size = w.dimension(2);
            int length = x.dimension(2);
            int first = m / (w.dimension(0) / groups) * channels;
            double sum = bias == null ? 0 : bias.number(m);
            for (int c = 0; c < channels; c++) {
                for (int k = 0; k < size; k++) {
                    int place = t * stride - before + k * dilation;
                    if (place >= 0 && place < length) {
                        sum += w.number((m * channels + c) * size + k)
                                * x.number((n * x.dimension(1) + first + c) * length + place);
                    }
                }
            }
            return sum;
        }
    }
}
