package dev.ostinato.nn;

import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import java.util.Arrays;

/**
 * All ways to place the labels of a stream among its steps (Graves et al. 2006, section 4), in logarithms and double precision, because the
 * right way may be many times less likely than any number that there is.
 *
 * <p>A way goes through states: the labels, with a blank before, between and behind them. From step to step it stays, goes on to the next state,
 * or leaps over a blank between two labels that differ. Used by one thread at a time.
 */
final class CtcAlignments {
    private final Kernels kernels;
    /** (all, V): logarithms of the softmax, overwritten with the gradient. */
    private final Matrix y;
    private final int blank;
    /** (V): how probable it is that a way is at a class at a step. */
    private final double[] occupancy;
    private int[] states = {};
    /** (T, states): the log-probability of the ways up to a state at a step, that step included. */
    private double[] before = {};
    /** (states): the log-probability of the ways on from a state, its step not included; and of the step behind. */
    private double[] after = {};
    private double[] next = {};

    CtcAlignments(Kernels kernels, Matrix y, int blank) {
        this.kernels = kernels;
        this.y = y;
        this.blank = blank;
        this.occupancy = new double[y.columns()];
    }

    /**
     * Overwrites the rows of a stream with the gradient, times a factor, and returns the negative log-probability of its labels.
     *
     * @param rows those of y that are the steps of the stream
     */
    double replaceByGradient(int[] rows, int[] labels, double factor) {
        if (rows.length == 0) {
            return 0;
        }
        int count = 2 * labels.length + 1;
        reserve(rows.length, count);
        for (int s = 0; s < count; s++) {
            states[s] = s % 2 == 0 ? blank : labels[s / 2];
        }
        goForward(rows, count);
        int last = (rows.length - 1) * count;
        double all = count == 1 ? before[last] : logAdd(before[last + count - 1], before[last + count - 2]);
        goBackward(rows, count, all, factor);
        return -all;
    }

    private void reserve(int steps, int count) {
        if (before.length < steps * count) {
            before = new double[steps * count];
        }
        if (states.length < count) {
            states = new int[count];
            after = new double[count];
            next = new double[count];
        }
    }

    private boolean leapsTo(int state) {
        return state >= 2 && states[state] != blank && states[state] != states[state - 2];
    }

    private void goForward(int[] rows, int count) {
        Arrays.fill(before, 0, count, Double.NEGATIVE_INFINITY);
        for (int s = 0; s < Math.min(2, count); s++) {
            before[s] = y.get(rows[0], states[s]);
        }
        for (int t = 1; t < rows.length; t++) {
            int from = (t - 1) * count;
            for (int s = 0; s < count; s++) {
                double ways = before[from + s];
                if (s >= 1) {
                    ways = logAdd(ways, before[from + s - 1]);
                }
                if (leapsTo(s)) {
                    ways = logAdd(ways, before[from + s - 2]);
                }
                before[from + count + s] = ways + y.get(rows[t], states[s]);
            }
        }
    }

    private void goBackward(int[] rows, int count, double all, double factor) {
        Arrays.fill(after, 0, count, Double.NEGATIVE_INFINITY);
        for (int s = Math.max(0, count - 2); s < count; s++) {
            after[s] = 0;
        }
        for (int t = rows.length - 1; t >= 0; t--) {
            Arrays.fill(occupancy, 0);
            for (int s = 0; s < count; s++) {
                occupancy[states[s]] += StrictMath.exp(before[t * count + s] + after[s] - all);
                next[s] = after[s] + y.get(rows[t], states[s]);
            }
            replaceByGradient(rows[t], factor);
            for (int s = 0; s < count; s++) {
                double ways = next[s];
                if (s + 1 < count) {
                    ways = logAdd(ways, next[s + 1]);
                }
                if (s + 2 < count && leapsTo(s + 2)) {
                    ways = logAdd(ways, next[s + 2]);
                }
                after[s] = ways;
            }
        }
    }

    private void replaceByGradient(int row, double factor) {
        Matrix classes = y.rows(row, row + 1);
        kernels.apply(Function.EXP, classes, classes);
        for (int c = 0; c < occupancy.length; c++) {
            classes.set(0, c, (float) ((classes.get(0, c) - occupancy[c]) * factor));
        }
    }

    /** Returns log(e^a + e^b). */
    private static double logAdd(double a, double b) {
        double most = Math.max(a, b);
        return most == Double.NEGATIVE_INFINITY ? most
                : most + StrictMath.log1p(StrictMath.exp(Math.min(a, b) - most));
    }
}
