package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The steps of some sequences in one call, for the streams of a state: their states are copied in, in the order of the sequences, and out
 * at the end.
 */
final class SequenceRun {
    private final InferenceNetwork network;
    private final List<Runnable> copiesIn = new ArrayList<>();
    private final List<Runnable> copiesOut = new ArrayList<>();
    private final Matrix[] inputs;
    private final List<StepTrace> traces = new ArrayList<>();

    private SequenceRun(Model model, List<LayerState> states, Attended attended, int turn, Team team,
            Sequences sequences,
            boolean traced) {
        boolean pooled = false;
        List<LayerState> own = new ArrayList<>();
        int next = 0;
        for (Blueprint.Place place : model.blueprint().places()) {
            pooled |= place.layer() instanceof Layer.Pool;
            Sequences rows = pooled ? Sequences.of(1, sequences.rows()) : sequences;
            for (Blueprint.Pass pass : place.passes()) {
                LayerState streams = states.get(next++);
                StepTrace trace = traced ? StepTrace.of(pass, rows) : null;
                LayerState working = LayerState.of(pass, rows.sequences(), trace);
                if (trace != null) {
                    traces.add(trace);
                }
                own.add(working);
                copies(rows, streams.h().get(turn), working.h().get(0), working.h().get(1));
                if (streams.c() != null && working.c() != null) {
                    copies(rows, streams.c(), working.c(), working.c());
                }
            }
        }
        this.network = new InferenceNetwork(model, own, attended, team, sequences);
        this.inputs = new Matrix[sequences.total()];
        Arrays.setAll(inputs, i -> network.input().rows(i, i + 1));
    }

    /** @param states of the streams; number {@code turn} of their h is read, and at the end overwritten */
    static SequenceRun of(Model model, List<LayerState> states, Attended attended, int turn, Team team,
            Sequences sequences) {
        return new SequenceRun(model, states, attended, turn, team, sequences, false);
    }

    /** As {@link #of}, for {@link #trace}. */
    static SequenceRun traced(Model model, List<LayerState> states, Attended attended, int turn, Team team,
            Sequences sequences) {
        return new SequenceRun(model, states, attended, turn, team, sequences, true);
    }

    private void copies(Sequences rows, Matrix streams, Matrix before, Matrix after) {
        for (int i = 0; i < rows.sequences(); i++) {
            Matrix to = before.rows(i, i + 1);
            if (rows.goesOn(i)) {
                Matrix from = streams.rows(rows.stream(i), rows.stream(i) + 1);
                copiesIn.add(() -> to.copyFrom(from));
            } else {
                copiesIn.add(to::clear);
            }
        }
        for (int b = 0; b < rows.rows(); b++) {
            Matrix to = streams.rows(b, b + 1);
            Matrix from = after.rows(rows.lastOf(b), rows.lastOf(b) + 1);
            copiesOut.add(() -> to.copyFrom(from));
        }
    }

    /** Returns the sequences whose packed rows the inputs are. */
    Sequences sequences() {
        return network.sequences();
    }

    /** Returns the sequences whose packed rows the outputs are. */
    Sequences outputSequences() {
        return network.outputSequences();
    }

    /** Sets the token of a packed row. */
    void setToken(int row, int token) {
        network.tokens().set(row, token);
    }

    /** Returns the inputs of a packed row, (1, inputs). */
    Matrix input(int row) {
        return inputs[row];
    }

    /** Makes the steps, and returns the outputs, valid until the next call. */
    Matrix run() {
        for (int i = 0; i < copiesIn.size(); i++) {
            copiesIn.get(i).run();
        }
        Matrix output = network.run(0);
        for (int i = 0; i < copiesOut.size(); i++) {
            copiesOut.get(i).run();
        }
        return output;
    }

    /** Returns h, and c after it, of each layer after each step of the last run; nothing if nobody asked for them. */
    List<NamedArray> trace() {
        return traces.stream().flatMap(trace -> trace.tensors().stream()).toList();
    }
}
