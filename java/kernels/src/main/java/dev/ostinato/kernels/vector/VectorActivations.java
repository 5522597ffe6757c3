package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.raw.Raw.ALL;
import static dev.ostinato.kernels.scalar.Elementary.COTH_1;
import static dev.ostinato.kernels.scalar.Elementary.COTH_2;
import static dev.ostinato.kernels.scalar.Elementary.LN2_HIGH;
import static dev.ostinato.kernels.scalar.Elementary.LOG2_E;
import static dev.ostinato.kernels.scalar.Elementary.ROUND;
import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.ORDER;
import static dev.ostinato.kernels.vector.Lanes.SPECIES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.scalar.ScalarActivations;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The functions of {@link Activation} and their slopes, as sweeps over whole vectors like those of {@link VectorFunctions}; the result may
 * lie where the argument does.
 */
final class VectorActivations {
    private static final int EXPONENT = 23;

    private VectorActivations() {
    }

    /** {@code y = f(z)}. */
    static void apply(Activation f, long z, long y, long bytes) {
        long x = z;
        if (f.clip() < Float.POSITIVE_INFINITY) {
            clip(z, y, f.clip(), bytes);
            x = y;
        }
        switch (f.kind()) {
            case TANH -> VectorFunctions.tanh(x, y, bytes);
            case RELU -> zeroUpTo(0f, x, y, bytes);
            case IDENTITY -> times(1f, x, y, bytes); // a copy; NaN and -0 stay
            case SIGMOID -> VectorFunctions.sigmoid(x, y, bytes);
            case SOFTSIGN -> softsign(x, y, bytes);
            case SOFTPLUS -> VectorFunctions.softplus(x, y, bytes);
            case AFFINE -> affine(f.alpha(), f.beta(), x, y, bytes);
            case LEAKY_RELU -> leakyRelu(f.alpha(), x, y, bytes);
            case THRESHOLDED_RELU -> zeroUpTo(f.alpha(), x, y, bytes);
            case SCALED_TANH -> {
                times(f.beta(), x, y, bytes);
                VectorFunctions.tanh(y, y, bytes);
                times(f.alpha(), y, y, bytes);
            }
            case HARD_SIGMOID -> hardSigmoid(f.alpha(), f.beta(), x, y, bytes);
            case ELU -> elu(f.alpha(), x, y, bytes);
        }
    }

    /** {@code s = f'}, from y; s is not y. */
    static void slope(Activation f, long y, long s, long bytes) {
        switch (f.kind()) {
            case TANH -> tanhSlope(1f, 1f, y, s, bytes);
            case RELU, THRESHOLDED_RELU -> slopeAboveZero(0f, y, s, bytes);
            case IDENTITY -> fill(1f, s, bytes);
            case SIGMOID -> sigmoidSlope(y, s, bytes);
            case SOFTSIGN -> softsignSlope(y, s, bytes);
            case SOFTPLUS -> {
                times(0.5f, y, s, bytes);
                VectorFunctions.tanh(s, s, bytes);
                softplusSlope(s, bytes);
            }
            case AFFINE -> fill(f.alpha(), s, bytes);
            case LEAKY_RELU -> slopeAboveZero(f.alpha(), y, s, bytes);
            case SCALED_TANH -> tanhSlope(f.beta() / f.alpha(), f.alpha() * f.beta(), y, s, bytes);
            case HARD_SIGMOID -> hardSigmoidSlope(f.alpha(), y, s, bytes);
            case ELU -> eluSlope(f.alpha(), y, s, bytes);
        }
        if (f.clip() < Float.POSITIVE_INFINITY) {
            zeroAt(ScalarActivations.low(f), ScalarActivations.high(f), y, s, bytes);
        }
    }

    static void clip(long x, long y, float clip, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            v = v.blend(clip, v.compare(GT, clip));
            v.blend(-clip, v.compare(LT, -clip)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    private static void zeroUpTo(float end, long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            v.blend(0f, v.compare(LE, end)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    private static void softsign(long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            v.div(v.abs().add(1f)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    private static void affine(float alpha, float beta, long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            v.fma(broadcast(SPECIES, alpha), broadcast(SPECIES, beta)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    private static void leakyRelu(float alpha, long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            v.blend(v.mul(alpha), v.compare(LT, 0f)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    private static void hardSigmoid(float alpha, float beta, long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER)
                    .fma(broadcast(SPECIES, alpha), broadcast(SPECIES, beta));
            v = v.blend(1f, v.compare(GT, 1f));
            v.blend(0f, v.compare(LT, 0f)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    /** With the tanh of {@link VectorFunctions}, written out for the reason given there. */
    private static void elu(float alpha, long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, x + j, ORDER);
            FloatVector half = v.mul(0.5f);
            IntVector sign = half.reinterpretAsInts().and(0x80000000);
            FloatVector a = half.abs();
            a = a.blend(10f, a.compare(GT, 10f));
            FloatVector t = a.fma(broadcast(SPECIES, 2 * LOG2_E), broadcast(SPECIES, ROUND + 127));
            FloatVector n = t.sub(ROUND + 127);
            FloatVector r = n.fma(broadcast(SPECIES, -LN2_HIGH / 2), a);
            FloatVector s = t.reinterpretAsInts().lanewise(LSHL, EXPONENT).reinterpretAsFloats();
            FloatVector u = r.mul(r);
            FloatVector d = u.fma(broadcast(SPECIES, COTH_2), broadcast(SPECIES, COTH_1));
            d = d.fma(u, broadcast(SPECIES, 1f)).sub(r);
            FloatVector m = s.fma(broadcast(SPECIES, 0.5f), broadcast(SPECIES, -0.5f)).fma(d, s.mul(r));
            FloatVector tanh = m.div(m.add(d)).reinterpretAsInts().or(sign).reinterpretAsFloats();
            FloatVector below = tanh.add(tanh).div(broadcast(SPECIES, 1f).sub(tanh)).mul(alpha);
            v.blend(below, v.compare(LT, 0f)).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    private static void times(float factor, long x, long y, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            fromMemorySegment(SPECIES, ALL, x + j, ORDER).mul(factor).intoMemorySegment(ALL, y + j, ORDER);
        }
    }

    private static void fill(float value, long s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            broadcast(SPECIES, value).intoMemorySegment(ALL, s + j, ORDER);
        }
    }

    /** {@code top - ratio * y * y}. */
    private static void tanhSlope(float ratio, float top, long y, long s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, y + j, ORDER);
            v.mul(ratio).neg().fma(v, broadcast(SPECIES, top)).intoMemorySegment(ALL, s + j, ORDER);
        }
    }

    private static void sigmoidSlope(long y, long s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, y + j, ORDER);
            v.mul(broadcast(SPECIES, 1f).sub(v)).intoMemorySegment(ALL, s + j, ORDER);
        }
    }

    private static void softsignSlope(long y, long s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = broadcast(SPECIES, 1f).sub(fromMemorySegment(SPECIES, ALL, y + j, ORDER).abs());
            v.mul(v).intoMemorySegment(ALL, s + j, ORDER);
        }
    }

    /** From {@code s = tanh(y / 2)}. */
    private static void softplusSlope(long s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector t = fromMemorySegment(SPECIES, ALL, s + j, ORDER);
            t.add(t).div(t.add(1f)).intoMemorySegment(ALL, s + j, ORDER);
        }
    }

    private static void slopeAboveZero(float otherwise, long y, long s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, y + j, ORDER);
            broadcast(SPECIES, otherwise).blend(1f, v.compare(GT, 0f)).intoMemorySegment(ALL, s + j, ORDER);
        }
    }

    private static void hardSigmoidSlope(float alpha, long y, long s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, y + j, ORDER);
            FloatVector slope = broadcast(SPECIES, 0f).blend(alpha, v.compare(GT, 0f));
            slope.blend(0f, v.compare(GE, 1f)).intoMemorySegment(ALL, s + j, ORDER);
        }
    }

    private static void eluSlope(float alpha, long y, long s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, y + j, ORDER);
            v.add(alpha).blend(1f, v.compare(GT, 0f)).intoMemorySegment(ALL, s + j, ORDER);
        }
    }

    private static void zeroAt(float low, float high, long y, long s, long bytes) {
        for (long j = 0; j < bytes; j += BYTES) {
            FloatVector v = fromMemorySegment(SPECIES, ALL, y + j, ORDER);
            FloatVector slope = fromMemorySegment(SPECIES, ALL, s + j, ORDER);
            slope = slope.blend(0f, v.compare(EQ, low));
            slope.blend(0f, v.compare(EQ, high)).intoMemorySegment(ALL, s + j, ORDER);
        }
    }
}
