package dev.ostinato.tests;

import java.util.random.RandomGenerator;

/** Kinds of random operands, and what the memory around them holds. */
enum Inputs {
    /** Normal deviates among NaNs: a float read outside its matrix shows in most results. */
    NORMAL(0x7fc0dead),
    /** Normal deviates among infinities, which show where NaNs are passed over, as in a maximum. */
    NORMAL_AMONG_INFINITIES(0x7f800000),
    /** Zeros of both signs, subnormals, saturating and huge numbers. */
    EXTREME(0x7fc0dead),
    /** Normal deviates with a few NaNs and infinities. */
    NONFINITE(0x7fc0dead);

    /** The bits of every float that belongs to no operand. */
    final int margin;

    Inputs(int margin) {
        this.margin = margin;
    }

    float next(RandomGenerator random) {
        return switch (this) {
            case NORMAL, NORMAL_AMONG_INFINITIES -> (float) random.nextGaussian();
            case EXTREME -> extreme(random);
            case NONFINITE -> nonfinite(random);
        };
    }

    private static float extreme(RandomGenerator random) {
        float sign = random.nextBoolean() ? 1f : -1f;
        return switch (random.nextInt(32)) {
            case 0 -> sign * Float.MAX_VALUE;
            case 1, 2, 3, 4 -> sign * 0f;
            case 5, 6, 7, 8 -> sign * Float.intBitsToFloat(random.nextInt(0x00800000));
            case 9, 10, 11, 12 -> sign * Float.MIN_NORMAL * (0.5f + random.nextFloat());
            case 13, 14, 15, 16 -> (float) (60 * random.nextGaussian());
            case 17 -> sign * Float.intBitsToFloat(random.nextInt(0x7f800000));
            default -> (float) random.nextGaussian();
        };
    }

    private static float nonfinite(RandomGenerator random) {
        return switch (random.nextInt(128)) {
            case 0 -> Float.NaN;
            case 1 -> Float.POSITIVE_INFINITY;
            case 2 -> Float.NEGATIVE_INFINITY;
            default -> (float) random.nextGaussian();
        };
    }
}
