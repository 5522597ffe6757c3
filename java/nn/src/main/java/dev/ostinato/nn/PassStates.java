package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.ArrayList;
import java.util.List;

/**
 * What is kept of one way through time besides the steps that are laid out: the state that goes on to the next batch; and, of a batch in
 * segments, the states with which they begin, and the first step of the segment that went back last.
 */
final class PassStates {
    private final Blueprint.Pass pass;
    private final States carried;
    private final List<States> begins = new ArrayList<>();
    private final Edge edge;

    /** States: h (rows, Pp), and c (rows, Hp), no rows where there is no cell state. */
    record States(Matrix h, Matrix c) {
        private static States of(Stage.Setup setup, Cell cell, int rows) {
            return new States(setup.matrix(rows, cell.paddedState),
                    setup.matrix(cell.hasCellState() ? rows : 0, cell.padded));
        }
    }

    /**
     * The step behind a segment as it was before it went back, and the gradients of the state behind it: all that its own backward takes. So
     * it can go back once more, onto the gradient of the last state of the segment, when that has come from above.
     *
     * @param z (sequences, slots * Hp)
     * @param after the states behind the step
     * @param dAfter their gradients
     */
    record Edge(Matrix z, States after, States dAfter) {}

    /** @param setup of all steps of a batch that is cut into so many segments */
    PassStates(Stage.Setup setup, Blueprint.Pass pass, int segments) {
        Cell cell = pass.cell();
        int rows = segments == 1 ? 0 : setup.sequences().sequences();
        this.pass = pass;
        this.carried = States.of(setup, cell, setup.sequences().rows());
        for (int i = 0; i < segments; i++) {
            begins.add(States.of(setup, cell, rows));
        }
        this.edge = new Edge(setup.matrix(rows, cell.slots() * cell.padded), States.of(setup, cell, rows),
                States.of(setup, cell, rows));
    }

    /** Returns the states of the streams that go on to the next batch. */
    States carried() {
        return carried;
    }

    /** Returns the states of the sequences with which a segment begins. */
    States begin(int segment) {
        return begins.get(segment);
    }

    Edge edge() {
        return edge;
    }

    /** Makes the states that go on zero. */
    void reset() {
        carried.h.clear();
        carried.c.clear();
    }

    /** Returns copies of the states that go on. */
    List<NamedArray> read() {
        Cell cell = pass.cell();
        NamedArray hidden = Carried.read(pass.stateName("h"), carried.h, cell.stateSize);
        return cell.hasCellState()
                ? List.of(hidden, Carried.read(pass.stateName("c"), carried.c, cell.hidden))
                : List.of(hidden);
    }

    /** Takes from {@code states} what {@link #read} returned. @throws IllegalArgumentException if it is not there or another shape */
    void restore(List<NamedArray> states) {
        Cell cell = pass.cell();
        Carried.write(named(states, pass.stateName("h")), carried.h, cell.stateSize);
        if (cell.hasCellState()) {
            Carried.write(named(states, pass.stateName("c")), carried.c, cell.hidden);
        }
    }

    private static NamedArray named(List<NamedArray> arrays, String name) {
        return arrays.stream().filter(a -> a.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("state: expected a tensor " + name));
    }
}
