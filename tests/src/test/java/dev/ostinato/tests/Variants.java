package dev.ostinato.tests;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.Activation.Kind;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.LstmVariant.Forget;
import java.util.List;

/** Activations of every kind, and cells in which every option meets others. */
final class Variants {
    static final List<Activation> SIMPLE = List.of(Activation.TANH, Activation.RELU, Activation.IDENTITY);

    private static final Activation HARD_SIGMOID = Activation.of(Kind.HARD_SIGMOID, 0.2f, 0.5f);
    private static final Activation ELU = Activation.of(Kind.ELU, 1.5f, 0);

    /** Every kind with parameters that matter, and some with clips. */
    static final List<Activation> ACTIVATIONS = List.of(Activation.TANH, Activation.RELU, Activation.IDENTITY,
            Activation.SIGMOID, Activation.SOFTSIGN, Activation.SOFTPLUS, Activation.of(Kind.AFFINE, 0.5f, -0.25f),
            Activation.of(Kind.LEAKY_RELU, 0.01f, 0), Activation.of(Kind.THRESHOLDED_RELU, 0.5f, 0),
            Activation.of(Kind.SCALED_TANH, 1.7159f, 0.6667f), HARD_SIGMOID, ELU, Activation.TANH.withClip(0.75f),
            Activation.IDENTITY.withClip(0.5f), Activation.SOFTPLUS.withClip(1.5f), ELU.withClip(1));

    private static final float NO_CLIP = Float.POSITIVE_INFINITY;

    /** Besides the standard LSTM; the second number is that of rows of peepholes. */
    static final List<LstmOf> LSTMS = List.of(
            new LstmOf(LstmVariant.STANDARD, 3),
            new LstmOf(new LstmVariant(Activation.SIGMOID, Activation.TANH, Activation.TANH, NO_CLIP, Forget.COUPLED),
                    0),
            new LstmOf(new LstmVariant(HARD_SIGMOID, Activation.TANH.withClip(0.75f), Activation.SOFTSIGN, 0.5f,
                    Forget.COUPLED), 2),
            new LstmOf(new LstmVariant(Activation.SIGMOID.withClip(0.5f), Activation.RELU, ELU, 1.5f, Forget.GATE),
                    3));

    static final List<GruVariant> GRUS = List.of(new GruVariant(HARD_SIGMOID, Activation.TANH.withClip(0.75f)),
            new GruVariant(Activation.SIGMOID.withClip(0.5f), ELU));

    record LstmOf(LstmVariant variant, int peepholes) {}

    private Variants() {
    }
}
