package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Slice;
import dev.ostinato.kernels.SliceKernels;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Functions of each element. Those of floats are loops of their own, or kernels, so that each is compiled for itself; those of doubles, and
 * rare ones, go through {@link DoubleUnaryOperator}.
 */
final class UnaryOperators {
    /** A function over the first n floats. */
    @FunctionalInterface
    interface Floats {
        void apply(float[] x, float[] y, int n);
    }

    private UnaryOperators() {
    }

    static Operator kernel(Function function, DoubleUnaryOperator doubles) {
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            if (x.type() != DType.F32) {
                return perElement(layout, x, doubles);
            }
            Value y = layout.output(DType.F32, x.shape());
            SliceKernels kernels = Backends.auto().slices();
            layout.code(() -> {
                Slice from = Slice.of(x.floats(), 0, x.size());
                Slice to = Slice.of(y.floats(), 0, y.size());
                return () -> kernels.apply(function, from, to);
            });
            return List.of(y);
        };
    }

    /** @param longs null if the operator does not take integers */
    static Operator of(Floats floats, DoubleUnaryOperator doubles, @Nullable LongUnaryOperator longs) {
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            if (x.type() == DType.F32) {
                Value y = layout.output(DType.F32, x.shape());
                layout.code(() -> () -> floats.apply(x.floats(), y.floats(), y.size()));
                return List.of(y);
            }
            if (x.type() == DType.F64 || longs == null) {
                return perElement(layout, x, doubles);
            }
            Value y = layout.output(x.type(), x.shape());
            layout.code(() -> () -> {
                for (int i = 0; i < y.size(); i++) {
                    y.longs()[i] = Value.narrow(y.type(), longs.applyAsLong(x.longs()[i]));
                }
            });
            return List.of(y);
        };
    }

    /** A function of floats that is computed in double precision. */
    static Operator of(DoubleUnaryOperator function) {
        return (layout, inputs) -> perElement(layout, inputs.required(0), function);
    }

    private static List<Value> perElement(Layout layout, Value x, DoubleUnaryOperator function) {
        if (!x.isFloat()) {
            throw new IllegalArgumentException("expected floats");
        }
        Value y = layout.output(x.type(), x.shape());
        layout.code(() -> () -> {
            for (int i = 0; i < y.size(); i++) {
                y.setNumber(i, function.applyAsDouble(x.number(i)));
            }
        });
        return List.of(y);
    }

    static Operator relu() {
        return of((x, y, n) -> {
            for (int i = 0; i < n; i++) {
                y[i] = x[i] <= 0 ? 0 : x[i];
            }
        }, x -> x <= 0 ? 0 : x, x -> Math.max(x, 0));
    }

    static Operator leakyRelu(float alpha) {
        return of((x, y, n) -> {
            for (int i = 0; i < n; i++) {
                y[i] = x[i] < 0 ? alpha * x[i] : x[i];
            }
        }, x -> x < 0 ? alpha * x : x, null);
    }

    static Operator hardSigmoid(float alpha, float beta) {
        return of((x, y, n) -> {
            for (int i = 0; i < n; i++) {
                y[i] = Math.max(0, Math.min(1, alpha * x[i] + beta));
            }
        }, x -> Math.max(0, Math.min(1, alpha * x + beta)), null);
    }

    static Operator sqrt() {
        return of((x, y, n) -> {
            for (int i = 0; i < n; i++) {
                y[i] = (float) Math.sqrt(x[i]);
            }
        }, Math::sqrt, null);
    }

    static Operator negate() {
        return of((x, y, n) -> {
            for (int i = 0; i < n; i++) {
                y[i] = -x[i];
            }
        }, x -> -x, x -> -x);
    }

    static Operator abs() {
        return of((x, y, n) -> {
            for (int i = 0; i < n; i++) {
                y[i] = Math.abs(x[i]);
            }
        }, Math::abs, Math::abs);
    }

    static Operator not() {
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            if (x.type() != DType.BOOL) {
                throw new IllegalArgumentException("expected booleans");
            }
            Value y = layout.output(DType.BOOL, x.shape());
            layout.code(() -> () -> {
                for (int i = 0; i < y.size(); i++) {
                    y.longs()[i] = 1 - x.longs()[i];
                }
            });
            return List.of(y);
        };
    }

    /** The bounds are attributes up to opset 10, and inputs behind. */
    static Operator clip(Attributes attributes) {
        if (attributes.opset() < 11) {
            double least = attributes.real("min").orElse(Double.NEGATIVE_INFINITY);
            double most = attributes.real("max").orElse(Double.POSITIVE_INFINITY);
            return of(x -> Math.min(most, Math.max(least, x)));
        }
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            Value least = bound(inputs, 1, x);
            Value most = bound(inputs, 2, x);
            Value y = layout.output(x.type(), x.shape());
            layout.code(() -> x.isFloat() ? () -> {
                double from = least == null ? Double.NEGATIVE_INFINITY : least.number(0);
                double to = most == null ? Double.POSITIVE_INFINITY : most.number(0);
                for (int i = 0; i < y.size(); i++) {
                    y.setNumber(i, Math.min(to, Math.max(from, x.number(i))));
                }
            } : () -> {
                long from = least == null ? Long.MIN_VALUE : least.longs()[0];
                long to = most == null ? Long.MAX_VALUE : most.longs()[0];
                for (int i = 0; i < y.size(); i++) {
                    y.longs()[i] = Math.min(to, Math.max(from, x.longs()[i]));
                }
            });
            return List.of(y);
        };
    }

    private static @Nullable Value bound(Inputs inputs, int i, Value x) {
        Value bound = inputs.optional(i).orElse(null);
        if (bound != null && (bound.size() != 1 || bound.type() != x.type())) {
            throw new IllegalArgumentException("expected a bound of one " + x.type() + ", got " + bound.description());
        }
        return bound;
    }

    /** Types that graphs are not computed with are refused when the model is read. */
    static Operator cast(DType to) {
        Value.kind(to);
        return (layout, inputs) -> {
            Value x = inputs.required(0);
            if (x.type() == to) {
                return List.of(x);
            }
            Value y = layout.output(to, x.shape());
            layout.code(() -> () -> {
                for (int i = 0; i < y.size(); i++) {
                    if (x.isFloat() || to.isFloat()) {
                        double number = x.number(i);
                        y.setNumber(i, to == DType.BOOL && number != 0 ? 1 : number);
                    } else {
                        y.longs()[i] = Value.narrow(to, x.longs()[i]);
                    }
                }
            });
            return List.of(y);
        };
    }
}
