package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Slice;
import dev.ostinato.kernels.SliceKernels;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What makes one element of several: sums, means, maxima and their places; softmax. Sums of floats are in double precision. */
final class ReductionOperators {
    /** A reduction of some elements. */
    @FunctionalInterface
    interface Reduction {
        /**
         * Sets element {@code i} of y.
         *
         * @param base where the first element is
         * @param offsets how far from there they are; none of an empty axis
         */
        void reduce(Value x, int base, int[] offsets, Value y, int i);
    }

    private ReductionOperators() {
    }

    /** @param axesAreInput from which opset on axes are an input and not an attribute */
    static Operator reduce(Attributes attributes, long axesAreInput, Reduction reduction) {
        boolean input = attributes.opset() >= axesAreInput;
        long @Nullable [] given = input ? null : attributes.integers("axes");
        boolean keep = attributes.flag("keepdims", true);
        boolean noneIsNone = input && attributes.flag("noop_with_empty_axes", false);
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            long[] axes = inputs.integers(1, given);
            if (axes == null || axes.length == 0) {
                if (noneIsNone) {
                    return List.of(x);
                }
                axes = IntStream.range(0, x.rank()).asLongStream().toArray();
            }
            return List.of(plan(layout, x, Shapes.chosen(axes, x.rank()), keep, x.type(), reduction));
        };
    }

    private static Value plan(Layout layout, Value x, boolean[] reduced, boolean keep, DType type,
            Reduction reduction) {
        int[] strides = Shapes.strides(x.shape());
        int[] outer = x.shape().clone();
        int[] inner = x.shape().clone();
        for (int axis = 0; axis < x.rank(); axis++) {
            outer[axis] = reduced[axis] ? 1 : outer[axis];
            inner[axis] = reduced[axis] ? inner[axis] : 1;
        }
        int[] bases = Shapes.places(outer, strides, 0);
        int[] offsets = Shapes.places(inner, strides, 0);
        layout.scratch((long) bases.length + offsets.length);
        int[] shape = keep ? outer
                : IntStream.range(0, x.rank()).filter(axis -> !reduced[axis]).map(axis -> outer[axis]).toArray();
        Value y = layout.output(type, shape);
        layout.code(() -> () -> {
            for (int i = 0; i < bases.length; i++) {
                reduction.reduce(x, bases[i], offsets, y, i);
            }
        });
        return y;
    }

    static void sum(Value x, int base, int[] offsets, Value y, int i) {
        if (x.isFloat()) {
            y.setNumber(i, sum(x, base, offsets));
            return;
        }
        long sum = 0;
        for (int offset : offsets) {
            sum += x.longs()[base + offset];
        }
        y.longs()[i] = Value.narrow(y.type(), sum);
    }

    private static double sum(Value x, int base, int[] offsets) {
        double sum = 0;
        for (int offset : offsets) {
            sum += x.number(base + offset);
        }
        return sum;
    }

    static void mean(Value x, int base, int[] offsets, Value y, int i) {
        y.setNumber(i, sum(Inputs.floats(x), base, offsets) / offsets.length);
    }

    static void sumOfSquares(Value x, int base, int[] offsets, Value y, int i) {
        double sum = 0;
        for (int offset : offsets) {
            sum += x.number(base + offset) * x.number(base + offset);
        }
        y.setNumber(i, sum);
    }

    static void norm(Value x, int base, int[] offsets, Value y, int i) {
        double sum = 0;
        for (int offset : offsets) {
            sum += x.number(base + offset) * x.number(base + offset);
        }
        y.setNumber(i, Math.sqrt(sum));
    }

    static void max(Value x, int base, int[] offsets, Value y, int i) {
        System.arraycopy(x.storage().array(), base + offsets[place(x, base, offsets, 1, false)], y.storage().array(),
                i, 1);
    }

    static void min(Value x, int base, int[] offsets, Value y, int i) {
        System.arraycopy(x.storage().array(), base + offsets[place(x, base, offsets, -1, false)], y.storage().array(),
                i, 1);
    }

    /** Returns the number of the greatest element, or with a negative sign of the least. */
    private static int place(Value x, int base, int[] offsets, int sign, boolean last) {
        if (offsets.length == 0) {
            throw new IllegalArgumentException("expected at least one element to choose from, got none");
        }
        int best = 0;
        for (int k = 1; k < offsets.length; k++) {
            int order = x.isFloat() ? Double.compare(x.number(base + offsets[k]), x.number(base + offsets[best]))
                    : Long.compare(x.longs()[base + offsets[k]], x.longs()[base + offsets[best]]);
            if (order * sign > 0 || (last && order == 0)) {
                best = k;
            }
        }
        return best;
    }

    /** @param sign 1 for the place of the maximum, -1 for that of the minimum */
    static Operator place(Attributes attributes, int sign) {
        int axis = attributes.integer("axis", 0);
        boolean keep = attributes.flag("keepdims", true);
        boolean last = attributes.flag("select_last_index", false);
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            return List.of(plan(layout, x, Shapes.chosen(new long[] {axis}, x.rank()), keep, DType.I64,
                    (v, base, offsets, y, i) -> y.longs()[i] = place(v, base, offsets, sign, last)));
        };
    }

    /** Up to opset 12 over all axes from one on, which is the second if it is not said; then over one, by default the last. */
    static Operator softmax(Attributes attributes, boolean logarithm) {
        boolean one = attributes.opset() >= 13;
        int given = attributes.integer("axis", one ? -1 : 1);
        return (layout, inputs) -> {
            Value x = Inputs.floats(inputs.required(0));
            int axis = !one && given == x.rank() ? given : Shapes.axis(given, x.rank());
            int end = one ? axis + 1 : x.rank();
            int outer = Shapes.product(x.shape(), 0, axis);
            int size = Shapes.product(x.shape(), axis, end);
            int inner = Shapes.product(x.shape(), end, x.rank());
            Value y = layout.output(x.type(), x.shape());
            if (x.type() == DType.F32 && inner == 1) {
                layout.code(() -> rows(x, y, outer, size, logarithm));
            } else {
                layout.code(() -> () -> {
                    for (int i = 0; i < outer * inner; i++) {
                        strided(x, y, i / Math.max(inner, 1) * size * inner + i % Math.max(inner, 1), size, inner,
                                logarithm);
                    }
                });
            }
            return List.of(y);
        };
    }

    private static Runnable rows(Value x, Value y, int rows, int size, boolean logarithm) {
        SliceKernels kernels = Backends.auto().slices();
        Slice from = Slice.of(x.floats(), 0, rows, size, size);
        Slice to = Slice.of(y.floats(), 0, rows, size, size);
        return logarithm ? () -> kernels.logSoftmax(from, to) : () -> kernels.softmax(from, to);
    }

    private static void strided(Value x, Value y, int base, int size, int stride, boolean logarithm) {
        double most = Double.NEGATIVE_INFINITY;
        for (int k = 0; k < size; k++) {
            most = Math.max(most, x.number(base + k * stride));
        }
        double sum = 0;
        for (int k = 0; k < size; k++) {
            sum += Math.exp(x.number(base + k * stride) - most);
        }
        for (int k = 0; k < size; k++) {
            double shifted = x.number(base + k * stride) - most;
            y.setNumber(base + k * stride, logarithm ? shifted - Math.log(sum) : Math.exp(shifted) / sum);
        }
    }

    /** Over all axes from one on: {@code (x - mean) / sqrt(variance + epsilon) * scale + bias}; also returns mean and 1 / root. */
    static Operator layerNorm(Attributes attributes) {
        int given = attributes.integer("axis", -1);
        double epsilon = attributes.real("epsilon", 1e-5f);
        attributes.ignore("stash_type"); // sums are in double precision
        return (layout, inputs) -> {
            Value x = Inputs.floats(inputs.required(0));
            Value scale = inputs.required(1);
            Optional<Value> bias = inputs.optional(2);
            int axis = Shapes.axis(given, x.rank());
            int size = Shapes.product(x.shape(), axis, x.rank());
            int rows = Shapes.product(x.shape(), 0, axis);
            if (scale.size() != size || bias.map(Value::size).orElse(size) != size) {
                throw new IllegalArgumentException("expected scale and bias of " + size + " elements");
            }
            Value y = layout.output(x.type(), x.shape());
            int[] shape = x.shape().clone();
            Arrays.fill(shape, axis, x.rank(), 1);
            Value means = layout.output(x.type(), shape);
            Value factors = layout.output(x.type(), shape);
            layout.code(() -> () -> {
                for (int row = 0; row < rows; row++) {
                    normalise(x, row * size, size, epsilon, scale, bias, y);
                    means.setNumber(row, mean(x, row * size, size));
                    factors.setNumber(row, factor(x, row * size, size, epsilon));
                }
            });
            return List.of(y, means, factors);
        };
    }

    private static double mean(Value x, int base, int size) {
        double sum = 0;
        for (int k = 0; k < size; k++) {
            sum += x.number(base + k);
        }
        return sum / size;
    }

    private static double factor(Value x, int base, int size, double epsilon) {
        double mean = mean(x, base, size);
        double squares = 0;
        for (int k = 0; k < size; k++) {
            double deviation = x.number(base + k) - mean;
            squares += deviation * deviation;
        }
        return 1 / Math.sqrt(squares / size + epsilon);
    }

    private static void normalise(Value x, int base, int size, double epsilon, Value scale, Optional<Value> bias,
            Value y) {
        double mean = mean(x, base, size);
        double factor = factor(x, base, size, epsilon);
        for (int k = 0; k < size; k++) {
            double added = bias.isPresent() ? bias.get().number(k) : 0;
            y.setNumber(base + k, (x.number(base + k) - mean) * factor * scale.number(k) + added);
        }
    }

    /** With the statistics of training: {@code (x - mean) / sqrt(variance + epsilon) * scale + bias} of each channel, the second axis. */
    static Operator batchNorm(Attributes attributes) {
        double epsilon = attributes.real("epsilon", 1e-5f);
        attributes.ignore("momentum");
        if (attributes.integer("training_mode", 0) != 0 || attributes.integer("spatial", 1) != 1) {
            throw new IllegalArgumentException("expected inference over channels, got training_mode or spatial");
        }
        return (layout, inputs) -> {
            Value x = Inputs.floats(inputs.required(0));
            Value scale = inputs.required(1);
            Value bias = inputs.required(2);
            Value mean = inputs.required(3);
            Value variance = inputs.required(4);
            if (x.rank() < 2 || List.of(scale, bias, mean, variance).stream()
                    .anyMatch(value -> value.size() != x.dimension(1) || value.type() != x.type())) {
                throw new IllegalArgumentException("expected at least two axes, and as many numbers as channels");
            }
            int channels = x.dimension(1);
            int size = Shapes.product(x.shape(), 2, x.rank());
            Value y = layout.output(x.type(), x.shape());
            layout.code(() -> () -> {
                for (int block = 0; block < x.dimension(0) * channels; block++) {
                    int channel = block % channels;
                    double factor = scale.number(channel) / Math.sqrt(variance.number(channel) + epsilon);
                    double added = bias.number(channel) - mean.number(channel) * factor;
                    for (int k = block * size; k < (block + 1) * size; k++) {
                        y.setNumber(k, x.number(k) * factor + added);
                    }
                }
            });
            return List.of(y);
        };
    }
}
