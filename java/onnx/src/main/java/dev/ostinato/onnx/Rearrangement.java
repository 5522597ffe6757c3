package dev.ostinato.onnx;

import java.util.Arrays;

/**
 * Values whose elements are those of another, somewhere else: transposed, cut, padded, repeated. Where each comes from is worked out while
 * planning; elements that stay together are copied together.
 */
final class Rearrangement {
    /** Shorter runs than this are copied one by one. */
    private static final int SHORT_RUN = 4;

    private Rearrangement() {
    }

    /**
     * Returns a value of elements of another.
     *
     * @param from of each element its place in x
     */
    static Value of(Layout layout, Value x, int[] shape, int[] from) {
        return of(layout, x, x, shape, from);
    }

    /** Returns a value of elements of x, or of the one of {@code fill} where the place is negative. */
    static Value of(Layout layout, Value x, Value fill, int[] shape, int[] from) {
        if (isWhole(x, from)) {
            return x.reshaped(shape);
        }
        layout.scratch(from.length);
        Value y = layout.output(x.type(), shape);
        int[] starts = runs(from);
        boolean filled = Arrays.stream(from).anyMatch(place -> place < 0);
        if (filled || starts.length * SHORT_RUN > from.length) {
            layout.code(() -> singly(x, fill, y, from));
        } else {
            layout.code(() -> inRuns(x, y, from, starts));
        }
        return y;
    }

    private static boolean isWhole(Value x, int[] from) {
        if (from.length != x.size()) {
            return false;
        }
        for (int i = 0; i < from.length; i++) {
            if (from[i] != i) {
                return false;
            }
        }
        return true;
    }

    /** Returns where runs of consecutive places begin. */
    private static int[] runs(int[] from) {
        int[] starts = new int[from.length];
        int count = 0;
        for (int i = 0; i < from.length; i++) {
            if (i == 0 || from[i] != from[i - 1] + 1) {
                starts[count++] = i;
            }
        }
        return Arrays.copyOf(starts, count);
    }

    private static Runnable inRuns(Value x, Value y, int[] from, int[] starts) {
        Object source = x.storage().array();
        Object target = y.storage().array();
        return () -> {
            for (int run = 0; run < starts.length; run++) {
                int start = starts[run];
                int end = run + 1 < starts.length ? starts[run + 1] : from.length;
                System.arraycopy(source, from[start], target, start, end - start);
            }
        };
    }

    private static Runnable singly(Value x, Value fill, Value y, int[] from) {
        if (x.storage().kind == float[].class) {
            float[] source = x.floats();
            float[] other = fill.floats();
            float[] target = y.floats();
            return () -> {
                for (int i = 0; i < from.length; i++) {
                    target[i] = from[i] < 0 ? other[0] : source[from[i]];
                }
            };
        }
        if (x.storage().kind == double[].class) {
            double[] source = x.doubles();
            double[] other = fill.doubles();
            double[] target = y.doubles();
            return () -> {
                for (int i = 0; i < from.length; i++) {
                    target[i] = from[i] < 0 ? other[0] : source[from[i]];
                }
            };
        }
        long[] source = x.longs();
        long[] other = fill.longs();
        long[] target = y.longs();
        return () -> {
            for (int i = 0; i < from.length; i++) {
                target[i] = from[i] < 0 ? other[0] : source[from[i]];
            }
        };
    }
}
