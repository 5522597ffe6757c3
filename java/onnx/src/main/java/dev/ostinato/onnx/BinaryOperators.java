package dev.ostinato.onnx;

import dev.ostinato.formats.DType;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/** Functions of two or more elements, broadcast. Those of floats that exported graphs are full of are loops of their own. */
final class BinaryOperators {
    /** A function over a row of n floats; see {@link Broadcast}. */
    @FunctionalInterface
    interface FloatRow {
        void apply(float[] a, int i, int s, float[] b, int j, int t, float[] y, int k, int n);
    }

    /** A question about two elements. */
    @FunctionalInterface
    interface Comparison {
        /**
         * Answers it.
         *
         * @param sign of the first less the second; with a NaN there is none, and the answer is no
         */
        boolean answer(int sign);
    }

    private BinaryOperators() {
    }

    static Operator add() {
        return of((a, i, s, b, j, t, y, k, n) -> {
            for (int x = 0; x < n; x++) {
                y[k + x] = a[i + x * s] + b[j + x * t];
            }
        }, (a, b) -> a + b, (a, b) -> a + b);
    }

    static Operator subtract() {
        return of((a, i, s, b, j, t, y, k, n) -> {
            for (int x = 0; x < n; x++) {
                y[k + x] = a[i + x * s] - b[j + x * t];
            }
        }, (a, b) -> a - b, (a, b) -> a - b);
    }

    static Operator multiply() {
        return of((a, i, s, b, j, t, y, k, n) -> {
            for (int x = 0; x < n; x++) {
                y[k + x] = a[i + x * s] * b[j + x * t];
            }
        }, (a, b) -> a * b, (a, b) -> a * b);
    }

    static Operator divide() {
        return of((a, i, s, b, j, t, y, k, n) -> {
            for (int x = 0; x < n; x++) {
                y[k + x] = a[i + x * s] / b[j + x * t];
            }
        }, (a, b) -> a / b, (a, b) -> a / b);
    }

    static Operator of(FloatRow floats, DoubleBinaryOperator doubles, LongBinaryOperator longs) {
        return (layout, inputs) -> List
                .of(plan(layout, inputs.required(0), inputs.required(1), floats, doubles, longs));
    }

    static Operator ofBooleans(LongBinaryOperator function) {
        return (layout, inputs) -> {
            Value a = inputs.required(0);
            if (a.type() != DType.BOOL) {
                throw new IllegalArgumentException("expected booleans");
            }
            return of((x, i, s, z, j, t, y, k, n) -> {
            }, (x, y) -> 0, function).plan(layout, inputs);
        };
    }

    /** A function of any number of operands, from the first to the last. */
    static Operator variadic(DoubleBinaryOperator doubles, LongBinaryOperator longs) {
        FloatRow floats = (a, i, s, b, j, t, y, k, n) -> {
            for (int x = 0; x < n; x++) {
                y[k + x] = (float) doubles.applyAsDouble(a[i + x * s], b[j + x * t]);
            }
        };
        return (layout, inputs) -> {
            Value result = inputs.required(0);
            for (int i = 1; i < inputs.size(); i++) {
                result = plan(layout, result, inputs.required(i), floats, doubles, longs);
            }
            return List.of(result);
        };
    }

    private static Value plan(Layout layout, Value a, Value b, FloatRow floats, DoubleBinaryOperator doubles,
            LongBinaryOperator longs) {
        sameType(a, b);
        Broadcast rows = Broadcast.of(a, b);
        Value y = layout.output(a.type(), rows.shape());
        int n = rows.columns();
        int s = rows.steps()[0];
        int t = rows.steps()[1];
        layout.code(() -> () -> {
            for (int row = 0; row < rows.rows(); row++) {
                int i = rows.starts()[0][row];
                int j = rows.starts()[1][row];
                if (a.type() == DType.F32) {
                    floats.apply(a.floats(), i, s, b.floats(), j, t, y.floats(), row * n, n);
                } else {
                    for (int x = 0; x < n; x++) {
                        if (a.type() == DType.F64) {
                            y.doubles()[row * n + x] = doubles.applyAsDouble(a.doubles()[i + x * s],
                                    b.doubles()[j + x * t]);
                        } else {
                            y.longs()[row * n + x] = Value.narrow(y.type(),
                                    longs.applyAsLong(a.longs()[i + x * s], b.longs()[j + x * t]));
                        }
                    }
                }
            }
        });
        return y;
    }

    /** The exponent may be of another type than the base. */
    static Operator power() {
        return (layout, inputs) -> {
            Value a = inputs.required(0);
            Value b = inputs.required(1);
            Broadcast rows = Broadcast.of(a, b);
            Value y = layout.output(a.type(), rows.shape());
            boolean square = b.constant() && b.size() == 1 && b.number(0) == 2 && a.type() == DType.F32
                    && y.size() == a.size();
            layout.code(() -> square ? () -> {
                float[] from = a.floats();
                float[] to = y.floats();
                for (int i = 0; i < y.size(); i++) {
                    to[i] = from[i] * from[i];
                }
            } : () -> {
                for (int row = 0; row < rows.rows(); row++) {
                    for (int x = 0; x < rows.columns(); x++) {
                        y.setNumber(row * rows.columns() + x,
                                Math.pow(a.number(rows.starts()[0][row] + x * rows.steps()[0]),
                                        b.number(rows.starts()[1][row] + x * rows.steps()[1])));
                    }
                }
            });
            return List.of(y);
        };
    }

    static Operator compare(Comparison comparison) {
        return (layout, inputs) -> {
            Value a = inputs.required(0);
            Value b = inputs.required(1);
            sameType(a, b);
            Broadcast rows = Broadcast.of(a, b);
            Value y = layout.output(DType.BOOL, rows.shape());
            layout.code(() -> () -> {
                for (int row = 0; row < rows.rows(); row++) {
                    for (int x = 0; x < rows.columns(); x++) {
                        int i = rows.starts()[0][row] + x * rows.steps()[0];
                        int j = rows.starts()[1][row] + x * rows.steps()[1];
                        y.longs()[row * rows.columns() + x] = answer(comparison, a, i, b, j) ? 1 : 0;
                    }
                }
            });
            return List.of(y);
        };
    }

    private static boolean answer(Comparison comparison, Value a, int i, Value b, int j) {
        if (!a.isFloat()) {
            return comparison.answer(Long.compare(a.longs()[i], b.longs()[j]));
        }
        double one = a.number(i);
        double other = b.number(j);
        return one == other ? comparison.answer(0)
                : one < other ? comparison.answer(-1) : one > other && comparison.answer(1);
    }

    static Operator where() {
        return (layout, inputs) -> {
            Value condition = inputs.required(0);
            Value a = inputs.required(1);
            Value b = inputs.required(2);
            sameType(a, b);
            if (condition.type() != DType.BOOL) {
                throw new IllegalArgumentException("expected a condition of booleans");
            }
            Broadcast rows = Broadcast.of(condition, a, b);
            Value y = layout.output(a.type(), rows.shape());
            layout.code(() -> () -> {
                for (int row = 0; row < rows.rows(); row++) {
                    for (int x = 0; x < rows.columns(); x++) {
                        int at = rows.starts()[0][row] + x * rows.steps()[0];
                        int from = condition.longs()[at] != 0 ? 1 : 2;
                        System.arraycopy((from == 1 ? a : b).storage().array(),
                                rows.starts()[from][row] + x * rows.steps()[from], y.storage().array(),
                                row * rows.columns() + x, 1);
                    }
                }
            });
            return List.of(y);
        };
    }

    private static void sameType(Value a, Value b) {
        if (a.type() != b.type()) {
            throw new IllegalArgumentException("expected operands of one type");
        }
    }
}
