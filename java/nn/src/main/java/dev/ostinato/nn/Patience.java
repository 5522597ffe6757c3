package dev.ostinato.nn;

/**
 * Waits for a loss to become better, and says when it has waited long enough: to keep the best model, and to stop early.
 *
 * <p>What it knows follows from what it has observed, in order: to resume a training, observe again what was observed before the break.
 * Not safe for several threads.
 */
public final class Patience {
    private final int limit;
    private final double margin;
    private double best = Double.POSITIVE_INFINITY;
    private int waited;

    private Patience(int limit, double margin) {
        if (limit < 1) {
            throw new IllegalArgumentException("patience: expected >= 1, got " + limit);
        }
        if (!(margin >= 0 && margin < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("margin: expected >= 0, got " + margin);
        }
        this.limit = limit;
        this.margin = margin;
    }

    /** Returns one that is exhausted after {@code measurements} in a row that are not better than the best. */
    public static Patience of(int measurements) {
        return new Patience(measurements, 0);
    }

    /** Returns the same, anew, for which a loss is better only when it is less than the best by more than {@code margin}. */
    public Patience withMargin(double margin) {
        return new Patience(limit, margin);
    }

    /** Takes a measurement, and returns whether it is better than all before. NaN never is. */
    public boolean observe(double loss) {
        if (loss < best - margin) {
            best = loss;
            waited = 0;
            return true;
        }
        waited++;
        return false;
    }

    /** Returns whether as many measurements in a row as it has patience for were not better. */
    public boolean isExhausted() {
        return waited >= limit;
    }

    /** Returns the best measurement, infinite before the first. */
    public double best() {
        return best;
    }

    /** Begins to wait anew for something better than the best. */
    void rest() {
        waited = 0;
    }
}
