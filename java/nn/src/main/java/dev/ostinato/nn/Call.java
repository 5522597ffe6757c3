package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Slice;
import java.util.Arrays;
import java.util.List;
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
            if (!model.blueprint().streams()) {
                throw new IllegalArgumentException(
                        "step: expected a model whose layers all go forward in time and pool nothing, got "
                                + model.layers() + "; run takes whole sequences");
            }
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
            int steps = Math.toIntExact(inputs() / stepInputs());
            if (model.blueprint().streams()) {
                go(steps);
            } else if (steps > 0) {
                go(state.sequenceRun(steps));
            }
        } finally {
            forget();
        }
    }

    /** Those steps that sequences have. */
    void run(Sequences sequences) {
        try {
            check(sequences);
            if (sequences.isPlain() && model.blueprint().streams()) {
                go(sequences.steps());
            } else {
                go(state.sequenceRun(sequences));
            }
        } finally {
            forget();
        }
    }

    /** Those steps that sequences have; returns the states of all layers after each. */
    List<NamedArray> trace(Sequences sequences) {
        try {
            check(sequences);
            SequenceRun run = state.tracedRun(sequences);
            go(run);
            return run.trace();
        } finally {
            forget();
        }
    }

    private void check(Sequences sequences) {
        if (sequences.rows() != state.rows()) {
            throw new IllegalArgumentException(
                    "sequences: expected " + state.rows() + " rows, as the state has, got " + sequences.rows());
        }
        if (inputs() != sequences.steps() * stepInputs()) {
            throw new IllegalArgumentException(
                    "%s: expected %d x %d x %d, got %d".formatted(name(), sequences.steps(),
                            state.rows(), width(), inputs()));
        }
    }

    private void go(int steps) {
        check(steps, steps);
        checkTokens();
        for (int done = 0; done < steps;) {
            InferenceNetwork network = state.network(steps - done);
            long rows = (long) done * state.rows();
            load(network, rows);
            store(state.advance(network), rows);
            done += network.sequences().steps();
        }
    }

    private void go(SequenceRun run) {
        Sequences sequences = run.sequences();
        check(sequences.steps(), run.outputSequences().steps());
        for (int r = 0; r < sequences.total(); r++) {
            checkToken(sequences.element(r));
        }
        for (int r = 0; r < sequences.total(); r++) {
            load(run, r, sequences.element(r));
        }
        Matrix output = run.run();
        if (run.outputSequences().total() < run.outputSequences().steps() * state.rows()) {
            clear();
        }
        for (int r = 0; r < output.rows(); r++) {
            store(output, r, run.outputSequences().element(r));
        }
    }

    private void check(int steps, int outputSteps) {
        if ((tokens != null) != model.takesTokens()) {
            throw new IllegalArgumentException("input: expected "
                    + (model.takesTokens() ? "tokens" : "rows of " + model.inputs() + " floats") + ", got " + name());
        }
        long outputs = (long) outputSteps * state.rows() * model.outputs();
        long length = y == null ? slice(ySlice).count() : y.length;
        if (length != outputs) {
            throw new IllegalArgumentException(
                    "y: expected " + (outputSteps == 1 ? "" : outputSteps + " x ") + state.rows() + " x "
                            + model.outputs() + ", got " + length);
        }
        if (ySlice != null) {
            ySlice.check("y", true);
        }
        if (tokens == null) {
            checkApart(steps);
        }
    }

    private void checkTokens() {
        if (tokens != null) {
            for (int i = 0; i < tokens.length; i++) {
                checkToken(i);
            }
        }
    }

    private void checkToken(int i) {
        if (tokens != null && (tokens[i] < 0 || tokens[i] >= model.inputs())) {
            throw new IndexOutOfBoundsException(
                    "token " + i + ": expected 0.." + (model.inputs() - 1) + ", got " + tokens[i]);
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

    private void load(SequenceRun run, int row, int element) {
        if (tokens != null) {
            run.setToken(row, tokens[element]);
        } else if (x != null) {
            run.input(row).setRow(0, x, element * model.inputs());
        } else {
            slice(xSlice).copyTo((long) element * model.inputs(), run.input(row));
        }
    }

    private void store(Matrix output, int row, int element) {
        if (y != null) {
            output.getRow(row, y, element * output.columns());
        } else {
            slice(ySlice).copyFrom((long) element * output.columns(), output.rows(row, row + 1));
        }
    }

    /** Outputs of steps that there are not are zero. */
    private void clear() {
        if (y != null) {
            Arrays.fill(y, 0);
        } else {
            Matrix zero = Matrix.of(1, model.outputs());
            for (long at = 0; at < slice(ySlice).count(); at += zero.columns()) {
                slice(ySlice).copyFrom(at, zero);
            }
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
