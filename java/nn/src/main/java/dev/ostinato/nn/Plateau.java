package dev.ostinato.nn;

/**
 * A schedule that lowers the learning rate when a loss does not become better, as Keras' ReduceLROnPlateau.
 *
 * <pre>{@code
 * Plateau plateau = Plateau.of(0.5, Patience.of(3)); // halves the rate when three measurements in a row are not better
 * Trainer trainer = Trainer.builder(model).schedule(plateau).build();
 * ...
 * plateau.observe(validationLoss);
 * }</pre>
 *
 * <p>What it knows follows from what it has observed, as that of its {@link Patience}. Used by the thread that trains.
 */
public final class Plateau implements Schedule {
    private final double lowered;
    private final Patience patience;
    private double factor = 1;

    private Plateau(double lowered, Patience patience) {
        if (!(lowered > 0 && lowered < 1)) {
            throw new IllegalArgumentException("factor: expected in (0, 1), got " + lowered);
        }
        this.lowered = lowered;
        this.patience = patience;
    }

    /** Returns one that multiplies the rate by {@code lowered} whenever the patience, which is its own from now on, is exhausted. */
    public static Plateau of(double lowered, Patience patience) {
        return new Plateau(lowered, patience);
    }

    /** Takes a measurement. */
    public void observe(double loss) {
        patience.observe(loss);
        if (patience.isExhausted()) {
            factor *= lowered;
            patience.rest();
        }
    }

    @Override
    public double factor(long step) {
        return factor;
    }
}
