package dev.ostinato.nn;

import dev.ostinato.kernels.Kernels;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import java.util.List;

/**
 * A layer laid out for the steps of a batch: its activations, what its backward needs, and the gradients. Rows are those of the packed
 * {@link Sequences}: of T steps of B streams of the same length, row {@code t * B + b} is step t of stream b.
 */
abstract class Stage {
    /** Rows that one piece of row-parallel work takes: enough for whole tiles, few enough to share out evenly. */
    private static final int CHUNK = 96;

    /**
     * What all stages of a network share.
     *
     * @param gradients shaped like the weights
     */
    record Setup(Blueprint blueprint, Memory weights, Memory gradients, Kernels kernels, Team team, Segment segment,
            Buffers buffers) {
        /** Returns the steps that are laid out. */
        Sequences sequences() {
            return segment.sequences();
        }

        /** Returns the same for some of the steps. */
        Setup of(Segment part) {
            return new Setup(blueprint, weights, gradients, kernels, team, part, buffers);
        }

        /** Returns the number of rows. */
        int all() {
            return sequences().total();
        }

        /** Returns the same behind a layer that leaves one row for each stream. */
        Setup pooled() {
            return of(segment.pooled());
        }

        /** Returns zeros that nothing else uses. */
        Matrix matrix(int rows, int columns) {
            return buffers.matrix(rows, columns);
        }

        /** Shares out all rows. */
        void eachChunk(Rows body) {
            eachChunk(all(), body);
        }

        /** Shares out {@code rows} rows. */
        void eachChunk(int rows, Rows body) {
            team.run(Math.ceilDiv(rows, CHUNK), i -> body.accept(i * CHUNK, Math.min(rows, (i + 1) * CHUNK)));
        }
    }

    /** What the networks of an objective have in common. */
    @FunctionalInterface
    interface Layout {
        /** Returns the setup for the layers and the steps of one of them. */
        Setup of(Blueprint blueprint, Sequences sequences);
    }

    final Setup setup;
    final Kernels k;

    Stage(Setup setup) {
        this.setup = setup;
        this.k = setup.kernels();
    }

    /** Returns the activations, (all, outputs). */
    abstract Matrix output();

    /** Returns the gradient of the activations, (all, padded outputs); stages above add to it. */
    abstract Matrix outputGradient();

    /** Computes the activations from those of the stage below. {@code dropoutKey} is 0 when there is to be no dropout. */
    abstract void forward(long dropoutKey);

    /** Adds to the gradients of the weights, and to the output gradient of the stage below. */
    abstract void backward();

    /** Zeroes the output gradient before the stages above add to it. */
    void clearGradient() {
        eachChunk((from, to) -> outputGradient().rows(from, to).clear());
    }

    /** Returns whether the loss turns the output into its gradient in place, because nothing else comes behind. */
    boolean endsInPlace() {
        return false;
    }

    /** Returns whether the stage has use for the gradient of its output. */
    boolean wantsGradient() {
        return true;
    }

    /** Returns the ways through time of a recurrent layer. */
    List<Recurrence> recurrences() {
        return List.of();
    }

    /** Something to do for the rows from {@code from} to {@code to}. */
    interface Rows {
        void accept(int from, int to);
    }

    /** Shares out all rows. */
    final void eachChunk(Rows body) {
        setup.eachChunk(body);
    }
}
