package dev.ostinato.kernels;

/**
 * Which LSTM. Its slots are the gates i f g o, coupled i g o. Peepholes are weights, and so arguments of their own: a matrix (3, Hp) of rows i f o,
 * coupled (2, Hp) of rows i o, or one without rows.
 *
 * @param gates of i, f and o
 * @param candidate of g
 * @param output of c' on its way to h'
 * @param cellClip c' is clipped to [-cellClip, cellClip]; infinite for none
 */
public record LstmVariant(Activation gates, Activation candidate, Activation output, float cellClip, Forget forget) {
    /** Sigmoid gates, tanh elsewhere, a forget gate, nothing clipped. */
    public static final LstmVariant STANDARD = new LstmVariant(Activation.SIGMOID, Activation.TANH, Activation.TANH,
            Float.POSITIVE_INFINITY, Forget.GATE);

    /** What f is. */
    public enum Forget {
        /** A gate of its own. */
        GATE,
        /** 1 - i: what is written replaces as much of what was there (Greff et al. 2017). */
        COUPLED
    }

    /** @throws IllegalArgumentException if the cell clip is not positive */
    public LstmVariant {
        if (!(cellClip > 0)) {
            throw new IllegalArgumentException("cell clip: expected > 0, got " + cellClip);
        }
    }

    /** Returns the number of slots. */
    public int slots() {
        return forget == Forget.GATE ? 4 : 3;
    }

    /** Returns how eight-bit weights scale h. */
    public Scaling stateScaling() {
        return gates.withinOne() && output.withinOne() ? Scaling.UNIT : Scaling.ROW;
    }
}
