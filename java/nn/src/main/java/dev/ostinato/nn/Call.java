package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Slice;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one call of {@link Model#step} or {@link Model#run} reads and writes: memory of the caller. Each state has one, used again and again,
 * because a call allocates nothing.
 *
 * <p>Everything is checked before the state changes.
 */
final class Call {
    private final State state;
    private final Model model;
    private final int[] oneToken = new int[1];
    private int @Nullable [] tokens;
    private float @Nullable [] x;
    private @Nullable Slice xSlice;
    private float @Nullable [] y;
    private @Nullable Slice ySlice;

    Call(State state, Model model) {
        this.state = state;
        this.model = model;
    }

    Call from(int token) {
        oneToken[0] = token;
        return from(oneToken);
    }

    Call from(int[] tokens) {
        this.tokens = tokens;
        return this;
    }

    Call from(float[] x) {
        this.x = x;
        return this;
    }

    Call from(Slice x) {
        this.xSlice = x;
        return this;
    }

    Call to(float[] y) {
        this.y = y;
        return this;
    }

    Call to(Slice y) {
        this.ySlice = y;
        return this;
    }

    /** One step of every row. */
    void step() {
        try {
            if (inputs() != stepInputs()) {
                throw new IllegalArgumentException(expected("%s: expected %d x %d, got %d"));
            }
            go(1);
        } finally {
            forget();
        }
    }

    /** As many steps as there are inputs for. */
    void run() {
        try {
            if (inputs() % stepInputs() != 0) {
                throw new IllegalArgumentException(expected("%s: expected a multiple of %d x %d, got %d"));
            }
            go(Math.toIntExact(inputs() / stepInputs()));
        } finally {
            forget();
        }
    }

    private void go(int steps) {
        check(steps);
        for (int done = 0; done < steps;) {
            InferenceNetwork network = state.network(steps - done);
            long rows = (long) done * state.rows();
            load(network, rows);
            store(state.advance(network), rows);
            done += network.steps();
        }
    }

    private void check(int steps) {
        if ((tokens != null) != model.takesTokens()) {
            throw new IllegalArgumentException("input: expected "
                    + (model.takesTokens() ? "tokens" : "rows of " + model.inputs() + " floats") + ", got " + name());
        }
        long outputs = (long) steps * state.rows() * model.outputs();
        long length = y == null ? slice(ySlice).count() : y.length;
        if (length != outputs) {
            throw new IllegalArgumentException("y: expected " + (steps == 1 ? "" : steps + " x ") + state.rows() + " x "
                    + model.outputs() + ", got " + length);
        }
        if (ySlice != null) {
            ySlice.check("y", true);
        }
        if (tokens != null) {
            for (int i = 0; i < tokens.length; i++) {
                if (tokens[i] < 0 || tokens[i] >= model.inputs()) {
                    throw new IndexOutOfBoundsException(
                            "token " + i + ": expected 0.." + (model.inputs() - 1) + ", got " + tokens[i]);
                }
            }
        } else {
            checkApart(steps);
        }
    }

    /** What has been written must not be read as an input of a later step. */
    @SuppressWarnings("ReferenceEquality") // the same memory, not the same contents
    private void checkApart(int steps) {
        boolean overlap = x != null && x == y;
        if (xSlice != null) {
            xSlice.check("x", false);
            overlap = ySlice != null && xSlice.overlaps(ySlice);
        }
        if (overlap && steps > 1) {
            throw new IllegalArgumentException("y: expected memory apart from x, got the same");
        }
    }

    private void load(InferenceNetwork network, long row) {
        if (tokens != null) {
            network.tokens().copyFrom(tokens, (int) row);
        } else if (x != null) {
            Matrix input = network.input();
            for (int r = 0; r < input.rows(); r++) {
                input.setRow(r, x, (int) (row + r) * input.columns());
            }
        } else {
            slice(xSlice).copyTo(row * model.inputs(), network.input());
        }
    }

    private void store(Matrix output, long row) {
        if (y != null) {
            for (int r = 0; r < output.rows(); r++) {
                output.getRow(r, y, (int) (row + r) * output.columns());
            }
        } else {
            slice(ySlice).copyFrom(row * model.outputs(), output);
        }
    }

    private long inputs() {
        return tokens != null ? tokens.length : x != null ? x.length : slice(xSlice).count();
    }

    private long stepInputs() {
        return Math.multiplyFull(state.rows(), width());
    }

    private int width() {
        return tokens != null ? 1 : model.inputs();
    }

    private String name() {
        return tokens != null ? "tokens" : "x";
    }

    private String expected(String format) {
        return format.formatted(name(), state.rows(), width(), inputs());
    }

    private static Slice slice(@Nullable Slice slice) {
        return Objects.requireNonNull(slice);
    }

    /** A state does not keep its caller's memory alive. */
    private void forget() {
        tokens = null;
        x = null;
        xSlice = null;
        y = null;
        ySlice = null;
    }
}
