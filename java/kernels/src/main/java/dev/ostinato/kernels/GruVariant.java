package dev.ostinato.kernels;

/**
 * Which activations a GRU has.
 *
 * @param gates of r and u
 * @param candidate of n
 */
public record GruVariant(Activation gates, Activation candidate) {
    /** Sigmoid gates and a tanh. */
    public static final GruVariant STANDARD = new GruVariant(Activation.SIGMOID, Activation.TANH);

    /** Returns how eight-bit weights scale h, which lies between n and the h before if u is in [0, 1]. */
    public Scaling stateScaling() {
        return switch (gates.kind()) {
            case SIGMOID, HARD_SIGMOID -> candidate.withinOne() ? Scaling.UNIT : Scaling.ROW;
            default -> Scaling.ROW;
        };
    }
}
