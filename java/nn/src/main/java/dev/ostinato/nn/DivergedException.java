package dev.ostinato.nn;

import java.util.Optional;

/** Thrown when a loss or a gradient is not a number any more. The weights are those before the step that failed. */
public final class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long step;

    DivergedException(long step, String what, double value, Optional<Blueprint.Place> where) {
        super(what + " became " + value + " at step " + step
                + where.map(place -> ", first in " + place.name()).orElse("")
                + "; a smaller learning rate or stronger clipping may help");
        this.step = step;
    }

    /** Returns the step that failed, counted from 1; it has not been taken. */
    public long step() {
        return step;
    }
}
