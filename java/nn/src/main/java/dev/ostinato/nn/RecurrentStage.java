package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.util.List;

/** A recurrent layer that goes forward in time. */
final class RecurrentStage extends Stage {
    private final Recurrence recurrence;

    RecurrentStage(Setup setup, Shared.Pass pass, Stage below) {
        super(setup);
        this.recurrence = new Recurrence(setup, pass, below);
    }

    @Override
    void forward(long dropoutKey) {
        recurrence.forward(dropoutKey);
    }

    @Override
    void backward() {
        recurrence.backward();
    }

    @Override
    List<Recurrence> recurrences() {
        return List.of(recurrence);
    }

    @Override
    Matrix output() {
        return recurrence.output();
    }

    @Override
    Matrix outputGradient() {
        return recurrence.outputGradient();
    }

    @Override
    void clearGradient() {
        recurrence.clearGradient();
    }
}
