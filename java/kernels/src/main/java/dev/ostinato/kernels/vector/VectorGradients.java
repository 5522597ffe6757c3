package dev.ostinato.kernels.vector;

import static dev.ostinato.kernels.vector.Lanes.BYTES;
import static dev.ostinato.kernels.vector.Lanes.broadcast;
import static dev.ostinato.kernels.vector.Lanes.load;
import static dev.ostinato.kernels.vector.Lanes.store;
import static dev.ostinato.kernels.vector.VectorRows.rest;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.ostinato.kernels.Function;
import dev.ostinato.kernels.scalar.Elementary;
import dev.ostinato.kernels.scalar.ElementaryGradients;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Gradients of the functions over one row of {@code bytes} bytes: {@code dx = dy * f'}, from v, which is x or y; the sequences of
 * {@link ElementaryGradients} on whole vectors. One loop per function, as in {@link VectorFunctions}.
 */
final class VectorGradients {
    private VectorGradients() {
    }

    static void apply(Function f, long v, long dy, long dx, long bytes) {
        switch (f) {
            case EXP -> exp(v, dy, dx, bytes);
            case LOG -> log(v, dy, dx, bytes);
            case TANH -> tanh(v, dy, dx, bytes);
            case SIGMOID -> sigmoid(v, dy, dx, bytes);
            case SOFTPLUS -> softplus(v, dy, dx, bytes);
            case ERF -> erf(v, dy, dx, bytes);
            case GELU -> gelu(v, dy, dx, bytes);
            case SILU -> silu(v, dy, dx, bytes);
        }
    }

    // Of a vector

    private static FloatVector ofExp(FloatVector y, FloatVector dy) {
        return dy.mul(y);
    }

    private static FloatVector ofLog(FloatVector x, FloatVector dy) {
        return dy.div(x);
    }

    private static FloatVector ofTanh(FloatVector y, FloatVector dy) {
        return dy.mul(y.neg().fma(y, broadcast(1f)));
    }

    private static FloatVector ofSigmoid(FloatVector y, FloatVector dy) {
        return dy.mul(y.mul(broadcast(1f).sub(y)));
    }

    private static FloatVector ofSoftplus(FloatVector x, FloatVector dy) {
        return dy.mul(VectorElementary.sigmoid(x));
    }

    private static FloatVector ofErf(FloatVector x, FloatVector dy) {
        FloatVector a = VectorElementary.atMost(x.abs(), 10.25f);
        FloatVector t = VectorElementary.expSteps(a.mul(a).neg());
        FloatVector p = VectorElementary.expOfRest(VectorElementary.expRestOfProduct(a, a, t));
        return dy.mul(VectorElementary.expScaled(p.mul(Elementary.ERF_0), t));
    }

    private static FloatVector ofGelu(FloatVector x, FloatVector dy) {
        FloatVector a = VectorElementary.atMost(x.abs(), Elementary.GELU_END);
        FloatVector b = a.mul(0.5f);
        FloatVector t = VectorElementary.expSteps(a.mul(b).neg());
        FloatVector p = VectorElementary.expOfRest(VectorElementary.expRestOfProduct(a, b, t));
        FloatVector q = VectorElementary.tailDivisor(a);
        FloatVector left = a.mul(-Elementary.NORMAL_DENSITY).fma(q, VectorElementary.tailNumerator(a));
        FloatVector d = VectorElementary.expScaled(p.mul(left).div(q), t);
        return dy.mul(mirrored(x, d));
    }

    private static FloatVector ofSilu(FloatVector x, FloatVector dy) {
        FloatVector minusA = VectorElementary.atLeast(VectorElementary.negativeAbsolute(x), -110f);
        FloatVector t = VectorElementary.expSteps(minusA);
        FloatVector p = VectorElementary.expOfRest(VectorElementary.expRest(minusA, t));
        FloatVector u = VectorElementary.expScaled(p, t).add(1f);
        FloatVector d = VectorElementary.expScaled(p.mul(u.add(minusA)).div(u.mul(u)), t);
        return dy.mul(mirrored(x, d));
    }

    /** Returns d where x < 0 and 1 - d elsewhere. */
    private static FloatVector mirrored(FloatVector x, FloatVector d) {
        return broadcast(1f).sub(d).blend(d, x.compare(LT, 0f));
    }

    // Of a row

    private static void exp(long v, long dy, long dx, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(ofExp(load(v + j), load(dy + j)), dx + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(ofExp(load(v + j, rest), load(dy + j, rest)), dx + j, rest);
        }
    }

    private static void log(long v, long dy, long dx, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(ofLog(load(v + j), load(dy + j)), dx + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(ofLog(load(v + j, rest), load(dy + j, rest)), dx + j, rest);
        }
    }

    private static void tanh(long v, long dy, long dx, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(ofTanh(load(v + j), load(dy + j)), dx + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(ofTanh(load(v + j, rest), load(dy + j, rest)), dx + j, rest);
        }
    }

    private static void sigmoid(long v, long dy, long dx, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(ofSigmoid(load(v + j), load(dy + j)), dx + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(ofSigmoid(load(v + j, rest), load(dy + j, rest)), dx + j, rest);
        }
    }

    private static void softplus(long v, long dy, long dx, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(ofSoftplus(load(v + j), load(dy + j)), dx + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(ofSoftplus(load(v + j, rest), load(dy + j, rest)), dx + j, rest);
        }
    }

    private static void erf(long v, long dy, long dx, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(ofErf(load(v + j), load(dy + j)), dx + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(ofErf(load(v + j, rest), load(dy + j, rest)), dx + j, rest);
        }
    }

    private static void gelu(long v, long dy, long dx, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(ofGelu(load(v + j), load(dy + j)), dx + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(ofGelu(load(v + j, rest), load(dy + j, rest)), dx + j, rest);
        }
    }

    private static void silu(long v, long dy, long dx, long bytes) {
        long j = 0;
        for (; j + BYTES <= bytes; j += BYTES) {
            store(ofSilu(load(v + j), load(dy + j)), dx + j);
        }
        if (j < bytes) {
            VectorMask<Float> rest = rest(bytes - j);
            store(ofSilu(load(v + j, rest), load(dy + j, rest)), dx + j, rest);
        }
    }
}
