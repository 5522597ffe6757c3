package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.Tensor;
import dev.ostinato.formats.onnx.OnnxAttribute;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** What moves elements, counts them, or makes them of nothing. */
final class ShapeOperators {
    private ShapeOperators() {
    }

    // Constants

    static Operator constant(Attributes attributes) {
        attributes.ignore("value", "value_float", "value_floats", "value_int", "value_ints");
        if (attributes.node().attributes().size() != 1) {
            throw new IllegalArgumentException("expected one value, got "
                    + attributes.node().attributes().keySet().stream().sorted().toList());
        }
        Value value = switch (attributes.node().attributes().values().iterator().next()) {
            case OnnxAttribute.TensorValue(Tensor tensor) -> Value.of(tensor);
            case OnnxAttribute.Real(float number) ->
                    Value.constant(DType.F32, new int[0], new float[] {number});
            case OnnxAttribute.Int(long number) -> Value.constant(DType.I64, new int[0], new long[] {number});
            case OnnxAttribute.Ints ints ->
                    Value.ofLongs(ints.values().stream().mapToLong(Long::longValue).toArray());
            case OnnxAttribute.Reals reals -> {
                float[] numbers = new float[reals.values().size()];
                for (int i = 0; i < numbers.length; i++) {
                    numbers[i] = reals.values().get(i);
                }
                yield Value.constant(DType.F32, new int[] {numbers.length}, numbers);
            }
            default -> throw new IllegalArgumentException("expected numbers as the value");
        };
        return (layout, inputs) -> List.of(value);
    }

    static Operator constantOfShape(Attributes attributes) {
        Value element = attributes.tensor("value").map(Value::of)
                .orElseGet(() -> Value.constant(DType.F32, new int[0], new float[1]));
        if (element.size() != 1) {
            throw new IllegalArgumentException("expected a value of one element, got " + element.description());
        }
        return (layout, inputs) -> {
            int[] shape = shape(Inputs.integers(inputs.required(0)));
            return List.of(Rearrangement.of(layout, element, shape, new int[budgeted(layout, shape)]));
        };
    }

    /** Returns the number of elements, for which there is memory. */
    private static int budgeted(Layout layout, int[] shape) {
        int size = Value.size(shape);
        layout.scratch(size);
        return size;
    }

    static Operator range() {
        return (layout, inputs) -> {
            Value start = Layout.known(inputs.required(0));
            Value limit = Layout.known(inputs.required(1));
            Value delta = Layout.known(inputs.required(2));
            if (start.type() != limit.type() || start.type() != delta.type() || delta.number(0) == 0) {
                throw new IllegalArgumentException("expected numbers of one type, and a step that is not 0");
            }
            double count = Math.ceil((limit.number(0) - start.number(0)) / delta.number(0));
            Value y = layout.output(start.type(), Value.checkedDimension((long) Math.max(0, count)));
            layout.code(() -> () -> {
                for (int i = 0; i < y.size(); i++) {
                    if (y.isFloat()) {
                        y.setNumber(i, start.number(0) + i * delta.number(0));
                    } else {
                        y.longs()[i] = start.longs()[0] + i * delta.longs()[0];
                    }
                }
            });
            return List.of(y);
        };
    }

    static Operator shape(Attributes attributes) {
        int start = attributes.integer("start", 0);
        int end = attributes.integer("end", Integer.MAX_VALUE);
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            int from = Math.clamp(start < 0 ? start + x.rank() : start, 0, x.rank());
            int to = Math.clamp(end < 0 ? end + x.rank() : end, from, x.rank());
            return List.of(Value.ofLongs(
                    Arrays.stream(Arrays.copyOfRange(x.shape(), from, to)).asLongStream().toArray()));
        };
    }

    static Operator size() {
        return (layout, inputs) -> List.of(Value.constant(DType.I64, new int[0],
                new long[] {inputs.required(0).size()}));
    }

    // The same elements in another shape

    static Operator identity() {
        return (layout, inputs) -> List.of(inputs.required(0));
    }

    /** In inference nothing is dropped; the mask is true everywhere. */
    static Operator dropout(Attributes attributes) {
        attributes.ignore("ratio", "seed");
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            if (inputs.optional(2).map(mode -> Layout.known(mode).longs()[0] != 0).orElse(false)) {
                throw new IllegalArgumentException("expected inference, got training_mode");
            }
            Value yes = Value.constant(DType.BOOL, new int[0], new long[] {1});
            return List.of(x, Rearrangement.of(layout, yes, x.shape(), new int[budgeted(layout, x.shape())]));
        };
    }

    static Operator reshape(Attributes attributes) {
        boolean allowZero = attributes.flag("allowzero", false);
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            long[] wanted = Inputs.integers(inputs.required(1));
            for (int axis = 0; axis < wanted.length && !allowZero; axis++) {
                if (wanted[axis] == 0) {
                    wanted[axis] = x.dimension(Shapes.axis(axis, x.rank()));
                }
            }
            return List.of(x.reshaped(completed(wanted, x)));
        };
    }

    /** Returns a shape of as many elements as x, in which one dimension may be -1. */
    private static int[] completed(long[] wanted, Value x) {
        int[] known = shape(Arrays.stream(wanted).map(size -> size == -1 ? 1 : size).toArray());
        int size = Value.size(known);
        long open = Arrays.stream(wanted).filter(dimension -> dimension == -1).count();
        boolean fits = open == 0 ? size == x.size() : open == 1 && size > 0 && x.size() % size == 0;
        if (!fits) {
            throw new IllegalArgumentException(
                    "expected a shape of " + x.size() + " elements, got " + Arrays.toString(wanted));
        }
        for (int axis = 0; axis < known.length; axis++) {
            known[axis] = wanted[axis] == -1 ? x.size() / size : known[axis];
        }
        return known;
    }

    private static int[] shape(long[] dimensions) {
        return Arrays.stream(dimensions).mapToInt(Value::checkedDimension).toArray();
    }

    static Operator flatten(Attributes attributes) {
        int given = attributes.integer("axis", 1);
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            int axis = given == x.rank() ? given : Shapes.axis(given, x.rank());
            return List.of(x.reshaped(Shapes.product(x.shape(), 0, axis), Shapes.product(x.shape(), axis, x.rank())));
        };
    }

    static Operator squeeze(Attributes attributes) {
        long @Nullable [] given = attributes.integers("axes");
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            long[] axes = inputs.integers(1, given);
            boolean[] gone = new boolean[x.rank()];
            if (axes != null) {
                gone = Shapes.chosen(axes, x.rank());
            }
            List<Integer> kept = new ArrayList<>();
            for (int axis = 0; axis < x.rank(); axis++) {
                if (gone[axis] && x.dimension(axis) != 1) {
                    throw new IllegalArgumentException("expected axes of size 1, got " + Arrays.toString(axes));
                }
                if (axes == null ? x.dimension(axis) != 1 : !gone[axis]) {
                    kept.add(x.dimension(axis));
                }
            }
            return List.of(x.reshaped(kept.stream().mapToInt(Integer::intValue).toArray()));
        };
    }

    static Operator unsqueeze(Attributes attributes) {
        long @Nullable [] given = attributes.integers("axes");
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            long[] axes = inputs.integers(1, given);
            if (axes == null) {
                throw new IllegalArgumentException("expected axes, got none");
            }
            boolean[] added = Shapes.chosen(axes, x.rank() + axes.length);
            int[] shape = new int[added.length];
            int next = 0;
            for (int axis = 0; axis < shape.length; axis++) {
                shape[axis] = added[axis] ? 1 : x.dimension(next++);
            }
            return List.of(x.reshaped(shape));
        };
    }

    // Elements in other places

    static Operator transpose(Attributes attributes) {
        long @Nullable [] given = attributes.integers("perm");
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            int rank = x.rank();
            long[] order = given != null ? given
                    : IntStream.range(0, rank).mapToLong(axis -> rank - 1 - axis).toArray();
            if (order.length != rank) {
                throw new IllegalArgumentException("expected an order of " + rank + " axes, got "
                        + Arrays.toString(order));
            }
            Shapes.chosen(order, rank);
            int[] strides = Shapes.strides(x.shape());
            int[] axes = Arrays.stream(order).mapToInt(axis -> Shapes.axis(axis, rank)).toArray();
            return List.of(strided(layout, x, Arrays.stream(axes).map(axis -> x.dimension(axis)).toArray(),
                    Arrays.stream(axes).map(axis -> strides[axis]).toArray(), 0));
        };
    }

    private static Value strided(Layout layout, Value x, int[] shape, int[] strides, int offset) {
        budgeted(layout, shape);
        return Rearrangement.of(layout, x, shape, Shapes.places(shape, strides, offset));
    }

    static Operator expand() {
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            int[] wanted = shape(Inputs.integers(inputs.required(1)));
            Value as = Value.computed(x.type(), wanted, Set.of());
            int[] shape = Broadcast.of(x, as).shape();
            int[] own = Shapes.strides(x.shape());
            int[] strides = new int[shape.length];
            for (int axis = 0; axis < x.rank(); axis++) {
                strides[shape.length - x.rank() + axis] = x.dimension(axis) == 1 ? 0 : own[axis];
            }
            return List.of(strided(layout, x, shape, strides, 0));
        };
    }

    static Operator tile() {
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            long[] times = Inputs.integers(inputs.required(1));
            if (times.length != x.rank()) {
                throw new IllegalArgumentException("expected a number for each axis, got " + Arrays.toString(times));
            }
            int[] own = Shapes.strides(x.shape());
            long[] shape = new long[2 * x.rank()];
            int[] strides = new int[2 * x.rank()];
            long[] joined = new long[x.rank()];
            for (int axis = 0; axis < x.rank(); axis++) {
                shape[2 * axis] = times[axis];
                shape[2 * axis + 1] = x.dimension(axis);
                strides[2 * axis + 1] = own[axis];
                joined[axis] = Math.multiplyExact(times[axis], (long) x.dimension(axis));
            }
            return List.of(strided(layout, x, shape(shape), strides, 0).reshaped(shape(joined)));
        };
    }

    /** Attributes up to opset 9, inputs behind. */
    static Operator slice(Attributes attributes) {
        boolean old = attributes.opset() < 10;
        long @Nullable [] starts = old ? attributes.integers("starts") : null;
        long @Nullable [] ends = old ? attributes.integers("ends") : null;
        long @Nullable [] axes = old ? attributes.integers("axes") : null;
        return (layout, inputs) -> slice(layout, inputs.required(0), inputs.integers(1, starts),
                inputs.integers(2, ends), inputs.integers(3, axes), inputs.integers(4, null));
    }

    private static List<Value> slice(Layout layout, Value x, long @Nullable [] starts, long @Nullable [] ends,
            long @Nullable [] givenAxes, long @Nullable [] givenSteps) {
        if (starts == null || ends == null || starts.length != ends.length) {
            throw new IllegalArgumentException("expected as many starts as ends");
        }
        long[] axes = givenAxes != null ? givenAxes : LongStream.range(0, starts.length).toArray();
        long[] steps = givenSteps != null ? givenSteps : LongStream.generate(() -> 1).limit(starts.length).toArray();
        if (axes.length != starts.length || steps.length != starts.length) {
            throw new IllegalArgumentException("expected as many axes and steps as starts");
        }
        Shapes.chosen(axes, x.rank());
        int[] shape = x.shape().clone();
        int[] strides = Shapes.strides(x.shape());
        int offset = 0;
        for (int i = 0; i < axes.length; i++) {
            int axis = Shapes.axis(axes[i], x.rank());
            int size = x.dimension(axis);
            // Beyond the ends of an axis everything is alike; so does a step that is longer than the axis.
            int step = (int) Math.clamp(steps[i], -size - 1L, size + 1L);
            if (step == 0) {
                throw new IllegalArgumentException("expected steps that are not 0, got " + Arrays.toString(steps));
            }
            int from = end(starts[i], size, 0, step < 0 ? size - 1 : size);
            int to = end(ends[i], size, step < 0 ? -1 : 0, step < 0 ? size - 1 : size);
            int count = size == 0 ? 0 : Math.max(0, Math.ceilDiv(to - from, step));
            offset += count == 0 ? 0 : from * strides[axis];
            strides[axis] *= step;
            shape[axis] = count;
        }
        return List.of(strided(layout, x, shape, strides, offset));
    }

    /** Returns a place that may be counted from the end, and is moved into a range. */
    private static int end(long place, int size, int least, int most) {
        long counted = place < 0 ? place + size : place;
        return (int) Math.max(least, Math.min(most, counted));
    }

    static Operator split(Attributes attributes) {
        int given = attributes.integer("axis", 0);
        long @Nullable [] old = attributes.opset() < 13 ? attributes.integers("split") : null;
        int parts = attributes.opset() < 18 ? attributes.node().outputs().size()
                : attributes.integer("num_outputs", attributes.node().outputs().size());
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            int axis = Shapes.axis(given, x.rank());
            long[] sizes = inputs.integers(1, old);
            if (sizes == null) {
                sizes = equal(x.dimension(axis), parts);
            }
            if (Arrays.stream(sizes).sum() != x.dimension(axis)) {
                throw new IllegalArgumentException("expected parts of " + x.dimension(axis) + " in all, got "
                        + Arrays.toString(sizes));
            }
            int[] strides = Shapes.strides(x.shape());
            List<Value> outputs = new ArrayList<>();
            int offset = 0;
            for (long size : sizes) {
                int[] shape = x.shape().clone();
                shape[axis] = Value.checkedDimension(size);
                outputs.add(strided(layout, x, shape, strides, offset));
                offset += shape[axis] * strides[axis];
            }
            return outputs;
        };
    }

    /** Returns parts of which only the last may be smaller. */
    private static long[] equal(int size, int parts) {
        int each = Math.ceilDiv(size, Math.max(1, parts));
        long[] sizes = new long[parts];
        Arrays.setAll(sizes, i -> Math.max(0, Math.min(each, size - (long) i * each)));
        return sizes;
    }

    static Operator concat(Attributes attributes) {
        int given = attributes.integer("axis", 1);
        return (layout, inputs) -> {
            List<Value> parts = IntStream.range(0, inputs.size()).mapToObj(i -> inputs.required(i)).toList();
            Value first = inputs.required(0);
            int axis = Shapes.axis(given, first.rank());
            int[] shape = first.shape().clone();
            long together = 0;
            for (Value part : parts) {
                int[] other = part.shape().clone();
                if (other.length == shape.length) {
                    together += other[axis];
                    other[axis] = shape[axis];
                }
                if (!Arrays.equals(other, shape) || part.type() != first.type()) {
                    throw new IllegalArgumentException("expected parts that differ in axis " + axis + " alone");
                }
            }
            shape[axis] = Value.checkedDimension(together);
            Value y = layout.output(first.type(), shape);
            int blocks = Shapes.product(shape, 0, axis);
            layout.code(() -> () -> {
                int at = 0;
                for (int block = 0; block < blocks; block++) {
                    for (int i = 0; i < parts.size(); i++) { // no iterator: nothing is allocated
                        int size = parts.get(i).size() / blocks;
                        System.arraycopy(parts.get(i).storage().array(), block * size, y.storage().array(), at, size);
                        at += size;
                    }
                }
            });
            return List.of(y);
        };
    }

    /** Elements, or blocks of them, by their number in an axis; negative ones count from the end. */
    static Operator gather(Attributes attributes) {
        int given = attributes.integer("axis", 0);
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            Value indices = inputs.required(1);
            if (indices.isFloat() || indices.type() == DType.BOOL) {
                throw new IllegalArgumentException("expected integers as indices");
            }
            int axis = Shapes.axis(given, x.rank());
            int[] shape = IntStream.concat(IntStream.concat(Arrays.stream(x.shape(), 0, axis),
                    Arrays.stream(indices.shape())), Arrays.stream(x.shape(), axis + 1, x.rank())).toArray();
            int blocks = Shapes.product(x.shape(), 0, axis);
            int size = Shapes.product(x.shape(), axis + 1, x.rank());
            int count = x.dimension(axis);
            Value y = layout.output(x.type(), shape);
            layout.code(() -> () -> {
                for (int i = 0; i < blocks * indices.size(); i++) {
                    long index = indices.longs()[i % indices.size()];
                    long counted = index < 0 ? index + count : index;
                    if (counted < 0 || counted >= count) {
                        throw new IllegalArgumentException("indices: expected " + -count + ".." + (count - 1)
                                + ", got " + index);
                    }
                    System.arraycopy(x.storage().array(), (i / indices.size() * count + (int) counted) * size,
                            y.storage().array(), i * size, size);
                }
            });
            return List.of(y);
        };
    }

    /** Attributes up to opset 10, inputs behind. A negative pad cuts. */
    static Operator pad(Attributes attributes) {
        String mode = attributes.text("mode", "constant");
        if (!List.of("constant", "reflect", "edge", "wrap").contains(mode)) {
            throw attributes.problem("mode", "constant, reflect, edge or wrap", mode);
        }
        boolean old = attributes.opset() < 11;
        long @Nullable [] pads = old ? attributes.integers("pads") : null;
        float value = old ? attributes.real("value", 0) : 0;
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            long[] given = inputs.integers(1, pads);
            long[] axes = inputs.integers(3, LongStream.range(0, x.rank()).toArray());
            if (given == null || axes == null || given.length != 2 * axes.length) {
                throw new IllegalArgumentException("expected two pads for each axis");
            }
            Shapes.chosen(axes, x.rank());
            return List.of(pad(layout, x, mode, given, axes, inputs.optional(2), value));
        };
    }

    private static Value pad(Layout layout, Value x, String mode, long[] pads, long[] axes, Optional<Value> fill,
            float usual) {
        int[] shape = x.shape().clone();
        int[] before = new int[x.rank()];
        for (int i = 0; i < axes.length; i++) {
            int axis = Shapes.axis(axes[i], x.rank());
            before[axis] = Math.toIntExact(pads[i]);
            shape[axis] = Value
                    .checkedDimension(Math.addExact(Math.addExact(pads[i], pads[axes.length + i]), shape[axis]));
        }
        int[] from = new int[budgeted(layout, shape)];
        int[] strides = Shapes.strides(x.shape());
        int stride = 1;
        for (int axis = x.rank() - 1; axis >= 0; axis--) {
            for (int i = 0; i < from.length; i++) {
                int place = padded(mode, i / stride % shape[axis] - before[axis], x.dimension(axis));
                from[i] = place < 0 || from[i] < 0 ? -1 : from[i] + place * strides[axis];
            }
            stride *= shape[axis];
        }
        Value filling = fill.orElseGet(() -> x.storage().kind == float[].class
                ? Value.constant(x.type(), new int[0], new float[] {usual})
                : x.storage().kind == double[].class
                        ? Value.constant(x.type(), new int[0], new double[] {usual})
                : Value.constant(x.type(), new int[0], new long[1]));
        if (filling.type() != x.type() || filling.size() != 1) {
            throw new IllegalArgumentException("expected a value of one " + x.type());
        }
        return Rearrangement.of(layout, x, filling, shape, from);
    }

    /** Returns where in an axis an element comes from; negative for the constant. */
    private static int padded(String mode, int place, int size) {
        if (place >= 0 && place < size) {
            return place;
        }
        if (size == 0 && !mode.equals("constant")) {
            throw new IllegalArgumentException("expected elements to pad with, got none");
        }
        return switch (mode) {
            case "edge" -> Math.clamp(place, 0, size - 1);
            case "wrap" -> Math.floorMod(place, size);
            case "reflect" -> {
                int period = Math.max(1, 2 * (size - 1));
                int turned = Math.floorMod(place, period);
                yield turned < size ? turned : period - turned;
            }
            default -> -1;
        };
    }
}
